import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type FileTree, joinPath, tarEnd, tarFile, tarFolder, treeOfTar } from '@capstan/lib-files';
import { BoundedCache, CapstanError, ownBytes } from '@capstan/lib-std';

const packAsync = promisify(gzip);
const unpackAsync = promisify(gunzip);

const MEMBERS_BYTES_MAX = 48 * 1024 * 1024;
const LEVEL = 6;

/** One folder of an archive: its own header and files, compressed, and the names of the folders below. */
interface Member {
  readonly packed: Uint8Array;
  readonly folders: readonly { readonly name: string; readonly id: string }[];
}

/**
 * Makes tar.gz archives of trees: regular files and folders, without owner and time, so that equal files give equal bytes.
 * Each folder is a gzip member of its own (a gzip file may have many), kept by its content id: an archive of a new commit
 * compresses the folders that changed and repeats the others.
 */
export class TreeArchiver {
  readonly #members: BoundedCache<string, Member>;

  constructor(bytesMax = MEMBERS_BYTES_MAX) {
    this.#members = new BoundedCache(
      bytesMax,
      ({ packed, folders }: Member) => packed.length + 200 + folders.length * 100,
    );
  }

  /**
   * The pieces of the archive in order. `scope` names whatever beside content ids decides what the tree shows (ignore rules);
   * without it nothing is kept, for trees whose ids cost more than their compression.
   */
  async *archive(tree: FileTree, scope?: string): AsyncGenerator<Uint8Array> {
    const pending = [{ path: '', id: scope === undefined ? '' : (tree.stat('')?.id ?? '') }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { path, id } = next;
      const key = `${scope} ${id} ${path}`;
      let member = scope === undefined ? undefined : this.#members.get(key);
      if (member === undefined) {
        member = await packFolder(tree, path, scope !== undefined);
        if (scope !== undefined) this.#members.set(key, member);
      }
      yield member.packed;
      for (const { name, id: childId } of member.folders.toReversed()) {
        pending.push({ path: joinPath(path, name), id: childId });
      }
    }
    yield await pack([tarEnd()]);
  }
}

async function packFolder(tree: FileTree, path: string, keepsIds: boolean): Promise<Member> {
  const parts = [tarFolder(path === '' ? '.' : path)];
  const folders: { readonly name: string; readonly id: string }[] = [];
  for (const entry of tree.readDirectory(path) ?? []) {
    const child = joinPath(path, entry.name);
    if (entry.kind === 'directory') {
      folders.push({ name: entry.name, id: keepsIds ? entry.id : '' });
    } else if (entry.kind === 'file') {
      const content = tree.readFile(child) ?? new Uint8Array();
      parts.push(tarFile(child, content, entry.executable === true));
    }
  }
  return { packed: await pack(parts), folders };
}

/** In a thread of zlib's pool, so that a large folder stops nobody. */
async function pack(parts: readonly Uint8Array[]): Promise<Uint8Array> {
  return ownBytes(await packAsync(Buffer.concat(parts), { level: LEVEL }));
}

export interface UnpackLimits {
  /** Of the archive unpacked. */
  readonly bytesMax?: number;
  readonly entriesMax?: number;
  /** What links and devices mean; 'refuse' when absent. */
  readonly others?: 'refuse' | 'skip';
}

const UNPACKED_BYTES_MAX = 512 * 1024 * 1024;
const ENTRIES_MAX = 200_000;

/** The files of a tar.gz archive (or of one that is not compressed), within limits. Throws ARCHIVE_* errors. */
export async function readArchive(bytes: Uint8Array, limits: UnpackLimits = {}): Promise<FileTree> {
  const { bytesMax = UNPACKED_BYTES_MAX, entriesMax = ENTRIES_MAX, others = 'refuse' } = limits;
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isPacked ? await unpack(bytes, bytesMax) : bytes;
  return treeOfTar(plain, { entriesMax, others });
}

async function unpack(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  try {
    return ownBytes(await unpackAsync(bytes, { maxOutputLength: bytesMax }));
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new CapstanError(
        'ARCHIVE_LIMIT',
        `the archive unpacks to more than ${bytesMax} bytes`,
        {
          cause,
        },
      );
    }
    throw new CapstanError('ARCHIVE_DAMAGED', 'the archive is no sound gzip file', { cause });
  }
}
