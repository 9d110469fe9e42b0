import { createHash, type Hash } from 'node:crypto';
import { decryptValue } from './decrypt-value.ts';
import { emitFile, loadFile, type SopsFormat } from './file-formats.ts';
import { openDataKey, type SopsKeys } from './master-keys.ts';
import { type CommentStack, type IsEncrypted, selectValues } from './select-values.ts';
import { sopsError } from './sops-error.ts';
import { readMetadata, type SopsMetadata } from './sops-metadata.ts';
import type {
  SopsBranch,
  SopsComment,
  SopsItem,
  SopsLeaf,
  SopsList,
  SopsValue,
} from './sops-tree.ts';

export type { SopsFormat };

export interface DecryptOptions {
  readonly format: SopsFormat;
  readonly keys: SopsKeys;
  /** False: values are not held against the file's MAC, for a document that others added to since. */
  readonly checkMac?: boolean;
  /** Larger files are an error; 5 MiB when absent, as in Flux. */
  readonly bytesMax?: number;
}

const BYTES_MAX = 5 * 1024 * 1024;
const VALUES_MAX = 200_000;
const DEPTH_MAX = 1000;
/** What the MAC starts with when it covers encrypted values only, so that the two kinds never agree. */
const ENCRYPTED_ONLY = Buffer.from(
  '8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69',
  'hex',
);

/**
 * The plain text of a file that `sops` encrypted, byte for byte as `sops decrypt` prints it. The whole file is checked against its
 * MAC first: a value that was changed, moved, added or taken away makes the file an error, and nothing of it is given out.
 */
export async function decryptSops(
  content: Uint8Array,
  options: DecryptOptions,
): Promise<Uint8Array> {
  const { format, keys, checkMac = true, bytesMax = BYTES_MAX } = options;
  if (content.length > bytesMax) {
    throw sopsError('SOPS_LIMIT', `the file has ${content.length} bytes, the limit is ${bytesMax}`);
  }
  const file = loadFile(new TextDecoder().decode(content), format);
  if (file.metadata === undefined) {
    throw sopsError(
      'SOPS_METADATA',
      'the file has no sops metadata',
      'encrypt it: sops encrypt --in-place',
    );
  }
  const metadata = readMetadata(file.metadata);
  const key = await openDataKey(metadata, keys);
  const { branches, mac } = decryptBranches(file.branches, {
    key,
    isEncrypted: selectValues(metadata.rules),
    macOnlyEncrypted: metadata.macOnlyEncrypted,
  });
  if (checkMac) requireMac(mac, metadata, key);
  return emitFile(branches, format);
}

function requireMac(mac: string, metadata: SopsMetadata, key: Uint8Array): void {
  const told = decryptValue(metadata.mac, key, metadata.lastModified);
  if (told.kind !== 'leaf' || told.text !== mac) {
    throw sopsError(
      'SOPS_DAMAGED',
      'the file does not match its mac: something in it was changed after it was encrypted',
      'take it back to what sops wrote, or encrypt it again',
    );
  }
}

/** Whether a file of this format holds sops metadata. Files that cannot be read have none. */
export function isSopsFile(content: Uint8Array, format: SopsFormat): boolean {
  const text = new TextDecoder().decode(content);
  if (!text.includes('sops')) return false;
  try {
    return loadFile(text, format).metadata !== undefined;
  } catch {
    return false;
  }
}

interface Walk {
  readonly key: Uint8Array;
  readonly isEncrypted: IsEncrypted;
  readonly macOnlyEncrypted: boolean;
  readonly hash: Hash;
  values: number;
}

function decryptBranches(
  branches: readonly SopsBranch[],
  options: Pick<Walk, 'key' | 'isEncrypted' | 'macOnlyEncrypted'>,
): { readonly branches: readonly SopsBranch[]; readonly mac: string } {
  const walk: Walk = { ...options, hash: createHash('sha512'), values: 0 };
  if (options.macOnlyEncrypted) walk.hash.update(ENCRYPTED_ONLY);
  const opened = branches.map((branch) => openBranch(branch, walk, { path: [], comments: [] }));
  return { branches: opened, mac: walk.hash.digest('hex').toUpperCase() };
}

interface Place {
  readonly path: readonly string[];
  readonly comments: CommentStack;
}

function openBranch(branch: SopsBranch, walk: Walk, { path, comments }: Place): SopsBranch {
  if (path.length > DEPTH_MAX) throw sopsError('SOPS_LIMIT', 'the file is nested too deeply');
  let active: readonly string[] = [];
  const items = branch.items.map((item): SopsItem => {
    if (item.kind === 'comment') {
      active = [...active, item.text];
      return openComment(item, walk, { path, comments: [...comments, active] });
    }
    const place = { path: [...path, item.key], comments: [...comments, active] };
    const value = openValue(item.value, walk, place);
    active = [];
    if (value.kind === 'comment')
      throw sopsError('SOPS_DAMAGED', 'a value turned out as a comment');
    return { kind: 'item', key: item.key, value };
  });
  return { kind: 'branch', items };
}

/** Items of a list have the path of the list. */
function openList(list: SopsList, walk: Walk, { path, comments }: Place): SopsList {
  let active: readonly string[] = [];
  const items = list.items.map((item) => {
    if (item.kind === 'comment') {
      active = [...active, item.text];
      return openComment(item, walk, { path, comments: [...comments, active] });
    }
    const value = openValue(item, walk, { path, comments: [...comments, active] });
    active = [];
    return value;
  });
  return { kind: 'list', items };
}

function openValue(value: SopsValue, walk: Walk, place: Place): SopsValue | SopsComment {
  if (value.kind === 'branch') return openBranch(value, walk, place);
  if (value.kind === 'list') return openList(value, walk, place);
  return value.type === 'null' ? value : openLeaf(value, walk, place);
}

function openLeaf(leaf: SopsLeaf, walk: Walk, { path, comments }: Place): SopsLeaf | SopsComment {
  if (++walk.values > VALUES_MAX) {
    throw sopsError('SOPS_LIMIT', `the file holds more than ${VALUES_MAX} values`);
  }
  const encrypted = walk.isEncrypted(path, comments, false);
  if (encrypted && leaf.type !== 'str') {
    throw sopsError('SOPS_DAMAGED', 'a value that should be encrypted is not');
  }
  const opened = encrypted ? decryptValue(leaf.text, walk.key, `${path.join(':')}:`) : leaf;
  // Old versions kept the comments of lists as values.
  if (opened.kind === 'leaf' && (encrypted || !walk.macOnlyEncrypted)) {
    walk.hash.update(opened.type === 'bytes' ? Buffer.from(opened.text, 'latin1') : opened.text);
  }
  return opened;
}

/** Comments are not part of the MAC; one that does not open was never encrypted. */
function openComment(comment: SopsComment, walk: Walk, { path, comments }: Place): SopsComment {
  if (!walk.isEncrypted(path, comments, true)) return comment;
  try {
    const opened = decryptValue(comment.text, walk.key, `${path.join(':')}:`);
    // sops forgets that an encrypted comment stood beside its value.
    return { kind: 'comment', text: opened.text, inline: opened.kind === 'leaf' && comment.inline };
  } catch {
    return comment;
  }
}
