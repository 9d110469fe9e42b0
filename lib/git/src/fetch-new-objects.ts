import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { parseCommit, parseTagTarget } from './object-model.ts';
import type { ObjectStore } from './object-store.ts';
import { type PackedObject, readPack } from './read-pack.ts';
import type { RemoteClient } from './remote-request.ts';
import { EMPTY_LISTING } from './tree-listing.ts';
import { askUploadPack } from './upload-pack.ts';

export interface NewObjectsOptions {
  readonly client: RemoteClient;
  readonly objects: ObjectStore;
  /** Ids that the remote offers and that are not here. */
  readonly wants: readonly string[];
  /** Commits that are here with all that belongs to them. */
  readonly haves: readonly string[];
}

/** As many as git writes one by one (`fetch.unpackLimit`); more belong into a pack. */
const OBJECTS_MAX = 100;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const UNFOLDED_BYTES_MAX = 8 * ANSWER_BYTES_MAX;

/**
 * Brings what a few commits added to a repository of which the rest is here: one request, no process. Commits are written
 * last, once all that they lead to is found to be here, so that a commit which is here is whole whenever this is interrupted. False
 * when it is not done: the answer was too large or unusual, or something is missing. Then git has to fetch. Moves no refs.
 */
export async function fetchNewObjects(options: NewObjectsOptions): Promise<boolean> {
  const { client, objects, wants, haves } = options;
  const lines = [
    ...['thin-pack\n', 'ofs-delta\n', 'no-progress\n'],
    ...wants.map((id) => `want ${id}\n`),
    ...haves.map((id) => `have ${id}\n`),
    'done\n',
  ];
  const answer = await askUploadPack(client, { command: 'fetch', lines }, ANSWER_BYTES_MAX);
  const pack = answer && packIn(answer);
  const { objectBytesMax } = objects;
  const limits = { objectsMax: OBJECTS_MAX, objectBytesMax, bytesMax: UNFOLDED_BYTES_MAX };
  const readBase = (id: string) => objects.find(id);
  const found = pack && readPack(pack, { ...limits, readBase });
  if (found === undefined) return false;
  const roots = found.filter(({ type }) => type === 'commit' || type === 'tag');
  for (const one of found) if (!roots.includes(one)) writeLoose(objects.gitDir, one);
  const packed = new Map(found.map((one) => [one.id, one]));
  if (!roots.every((root) => isWhole(root, packed, objects))) return false;
  for (const one of oldestFirst(roots)) writeLoose(objects.gitDir, one);
  return wants.every((id) => objects.contains(id));
}

const DATA = 1;

/** The pack in an answer that is nothing but one (gitprotocol-v2, "packfile"). */
export function packIn(answer: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  let isPack = false;
  for (let at = 0; at + 4 <= answer.length; ) {
    const size = answer.toString('latin1', at, at + 4);
    if (size === '0000') return isPack ? Buffer.concat(chunks) : undefined;
    const length = /^[0-9a-f]{4}$/.test(size) ? Number.parseInt(size, 16) : 0;
    if (length < 5 || at + length > answer.length) return undefined;
    const packet = answer.subarray(at + 4, at + length);
    at += length;
    if (isPack) {
      // What is told of progress means nothing; an error is for git to tell.
      if (packet[0] === DATA) chunks.push(packet.subarray(1));
      else if (packet[0] !== 2) return undefined;
    } else if (packet.toString('latin1').trimEnd() === 'packfile') isPack = true;
    else return undefined;
  }
  return undefined;
}

type Packed = ReadonlyMap<string, PackedObject>;

/** Whether all that a commit (or a tag) leads to is here or comes with it. What was here before is whole. */
function isWhole({ id, type, bytes }: PackedObject, packed: Packed, objects: ObjectStore): boolean {
  const isHere = (other: string) => packed.has(other) || objects.contains(other);
  if (type === 'tag') return isHere(parseTagTarget(bytes).id);
  const { tree, parents } = parseCommit(id, bytes);
  if (!parents.every(isHere)) return false;
  const [first] = parents;
  const parent = first && (packed.get(first) ?? objects.find(first));
  const before = parent && first ? parseCommit(first, parent.bytes).tree : undefined;
  return holdsTree(tree, before, { packed, objects });
}

/** What the folder before held is here: only what differs is looked at, whatever else lies in it. */
function holdsTree(
  id: string,
  before: string | undefined,
  context: { readonly packed: Packed; readonly objects: ObjectStore },
): boolean {
  const { packed, objects } = context;
  if (id === before) return true;
  if (!packed.has(id)) return objects.contains(id);
  const old = before === undefined ? EMPTY_LISTING : objects.readTree(before);
  return old.changes(objects.readTree(id)).every(({ old: was, now }) => {
    if (now === undefined || now.isSubmodule) return true;
    if (now.kind !== 'directory') return objects.contains(now.id);
    const isFolder = was?.kind === 'directory' && !was.isSubmodule;
    return holdsTree(now.id, isFolder ? was.id : undefined, context);
  });
}

/** Parents before their children, and what tags name before them: whoever is cut off has left nothing half. */
function oldestFirst(roots: readonly PackedObject[]): readonly PackedObject[] {
  const left = new Map(roots.map((one) => [one.id, one]));
  const ordered: PackedObject[] = [];
  const visit = (one: PackedObject): void => {
    left.delete(one.id);
    const below =
      one.type === 'tag' ? [parseTagTarget(one.bytes).id] : parseCommit(one.id, one.bytes).parents;
    for (const id of below) {
      const next = left.get(id);
      if (next !== undefined) visit(next);
    }
    ordered.push(one);
  };
  for (const one of roots) if (left.has(one.id)) visit(one);
  return ordered;
}

/** At once: so few small files are written sooner than other threads would be asked to. */
function writeLoose(gitDir: string, { id, type, bytes }: PackedObject): void {
  const folder = join(gitDir, 'objects');
  const path = join(folder, id.slice(0, 2), id.slice(2));
  const fresh = join(folder, `tmp_obj_${randomBytes(8).toString('hex')}`);
  const head = Buffer.from(`${type} ${bytes.length}\0`, 'latin1');
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(fresh, deflateSync(Buffer.concat([head, bytes]), { level: 1 }), { mode: 0o444 });
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}
