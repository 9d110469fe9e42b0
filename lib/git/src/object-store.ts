import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { ownBytes } from '@capstan/lib-std';
import { gitError } from './errors.ts';
import { ObjectCache } from './object-cache.ts';
import {
  type Commit,
  corrupt,
  type GitObject,
  type ObjectType,
  parseCommit,
  parseTagTarget,
} from './object-model.ts';
import { type PackContext, PackFile } from './pack-file.ts';
import { isObjectId } from './ref-name.ts';
import { gitEnvironment } from './run-git.ts';
import { TreeListing } from './tree-listing.ts';

export interface ObjectStoreOptions {
  /** A single file or tree over this is an error. */
  readonly objectBytesMax?: number;
  /** Contents in memory; one of its own when absent. */
  readonly cache?: ObjectCache;
}

const OBJECT_BYTES_MAX = 64 * 1024 * 1024;
const TAG_DEPTH_MAX = 16;

/**
 * The objects of one repository, read synchronously from its files: loose objects and packs. What our own reader cannot
 * find or understand, git is asked for (one short process), so that every object git knows is found here.
 */
export class ObjectStore {
  readonly gitDir: string;
  /** A single file or tree over this is an error. */
  readonly objectBytesMax: number;
  readonly #cache: ObjectCache;
  readonly #prefix: string;
  readonly #context: PackContext;
  #packs: readonly PackFile[] = [];
  #packsState = '';
  #idBytes = 20;

  constructor(gitDir: string, options: ObjectStoreOptions = {}) {
    this.gitDir = gitDir;
    this.objectBytesMax = options.objectBytesMax ?? OBJECT_BYTES_MAX;
    this.#cache = options.cache ?? new ObjectCache();
    this.#prefix = this.#cache.keyPrefix();
    this.#context = {
      objectBytesMax: this.objectBytesMax,
      bases: this.#cache.bases,
      readElsewhere: (id) => this.#readQuietly(id),
    };
  }

  close(): void {
    for (const pack of this.#packs) pack.close();
    this.#packs = [];
    this.#packsState = '';
  }

  has(id: string): boolean {
    return this.find(id) !== undefined;
  }

  /** Whether it is on disk now, whatever is kept in memory. */
  holds(id: string): boolean {
    this.#refreshPacks();
    return this.#readQuietly(id) !== undefined;
  }

  /** Whether it is on disk, without reading it. */
  contains(id: string): boolean {
    const isPacked = () => this.#packs.some((pack) => pack.has(id));
    if (isPacked() || existsSync(this.#loosePath(id))) return true;
    return this.#refreshPacks() && isPacked();
  }

  /** The object, as far as our own reader finds it. */
  find(id: string): GitObject | undefined {
    return this.#read(id);
  }

  /** The object; an error that names it when the repository does not hold it. */
  read(id: string): GitObject {
    const object = this.#read(id) ?? this.#askGit(id);
    if (object !== undefined) return object;
    throw gitError('GIT_OBJECT_MISSING', `object ${id} is not in the local copy`, {
      hint: 'it is fetched again with the next look at the remote',
    });
  }

  /** A tree's entries, kept once for all revisions that hold it. */
  readTree(id: string): TreeListing {
    let listing = this.#cache.trees.get(this.#prefix + id);
    if (listing === undefined) {
      const object = this.#readQuietly(id) ?? this.read(id);
      listing = new TreeListing(expectType(id, object, 'tree'), id.length / 2);
      this.#cache.trees.set(this.#prefix + id, listing);
    }
    return listing;
  }

  readBlob(id: string): Uint8Array {
    return expectType(id, this.read(id), 'blob');
  }

  readCommit(id: string): Commit {
    return parseCommit(id, expectType(id, this.read(id), 'commit'));
  }

  /** The commit behind an id that may be an annotated tag (of a tag, …); undefined when it is something else or not here. */
  peelToCommit(id: string): string | undefined {
    let at = id;
    for (let depth = 0; depth < TAG_DEPTH_MAX; depth++) {
      const object = this.#read(at);
      if (object === undefined) return undefined;
      if (object.type === 'commit') return at;
      if (object.type !== 'tag') return undefined;
      at = parseTagTarget(object.bytes).id;
    }
    return undefined;
  }

  /** Ids of commits and tags that start with `prefix`, whole ids only; at most a few are looked at. */
  commitsWithPrefix(prefix: string): readonly string[] {
    const wanted = prefix.toLowerCase();
    this.#refreshPacks();
    const ids = new Set(this.#packs.flatMap((pack) => pack.idsWithPrefix(wanted)));
    for (const name of listFolder(join(this.gitDir, 'objects', wanted.slice(0, 2)))) {
      const id = wanted.slice(0, 2) + name;
      if (id.startsWith(wanted) && isObjectId(id)) ids.add(id);
    }
    return [...ids].filter((id) => this.#read(id)?.type === 'commit').sort();
  }

  #read(id: string): GitObject | undefined {
    if (!isObjectId(id)) throw gitError('GIT_OBJECT_CORRUPT', `${id.slice(0, 80)} is no object id`);
    const known = this.#cache.contents.get(this.#prefix + id);
    if (known !== undefined) return known;
    const object = this.#readQuietly(id);
    if (object !== undefined) this.#cache.contents.set(this.#prefix + id, object);
    return object;
  }

  /** Our own reading; undefined in doubt. Packs come and go under us, so a miss looks at the folder once more. */
  #readQuietly(id: string): GitObject | undefined {
    this.#idBytes = id.length / 2;
    const found = this.#readPacked(id) ?? this.#readLoose(id);
    if (found !== undefined || !this.#refreshPacks()) return found;
    return this.#readPacked(id);
  }

  #readPacked(id: string): GitObject | undefined {
    for (const pack of this.#packs) {
      try {
        const object = pack.read(id);
        if (object !== undefined) return object;
      } catch {
        // Somebody may have deleted the pack, or the whole repository.
        return this.#refreshPacks() ? this.#readPacked(id) : this.#askGit(id);
      }
    }
    return undefined;
  }

  #readLoose(id: string): GitObject | undefined {
    let packed: Buffer;
    try {
      packed = readFileSync(this.#loosePath(id));
    } catch {
      return undefined;
    }
    const bytes = inflateSync(packed, { maxOutputLength: this.objectBytesMax + 64 });
    const end = bytes.indexOf(0);
    const type = bytes.toString('latin1', 0, bytes.indexOf(0x20));
    if (end < 0 || !isObjectType(type)) throw corrupt('loose');
    return { type, bytes: ownBytes(bytes.subarray(end + 1)) };
  }

  #loosePath(id: string): string {
    return join(this.gitDir, 'objects', id.slice(0, 2), id.slice(2));
  }

  /** Whether the list of packs changed. */
  #refreshPacks(): boolean {
    const folder = join(this.gitDir, 'objects', 'pack');
    const state = folderState(folder);
    if (state === this.#packsState) return false;
    // A pack is named after what it holds: those that are still there need not be opened again.
    const held = new Map(this.#packs.map((pack) => [pack.path, pack]));
    this.#packsState = state;
    this.#packs = listFolder(folder)
      .filter((name) => name.endsWith('.idx'))
      .flatMap((name) => {
        const path = join(folder, name.replace(/\.idx$/, '.pack'));
        const known = held.get(path);
        if (known !== undefined) {
          held.delete(path);
          return [known];
        }
        try {
          return [new PackFile(path, this.#idBytes, this.#context)];
        } catch {
          return [];
        }
      });
    for (const gone of held.values()) gone.close();
    return true;
  }

  #askGit(id: string): GitObject | undefined {
    let answer: Buffer;
    try {
      answer = execFileSync('git', ['cat-file', '--batch'], {
        input: `${id}\n`,
        env: gitEnvironment({ gitDir: this.gitDir }),
        maxBuffer: this.objectBytesMax + 200,
        stdio: ['pipe', 'pipe', 'ignore'],
        timeout: 30_000,
      });
    } catch (cause) {
      throw gitError('GIT_OBJECT_TOO_LARGE', `object ${id} cannot be read within the limits`, {
        hint: `a file may have ${this.objectBytesMax} bytes`,
        cause,
      });
    }
    const end = answer.indexOf(0x0a);
    const [, type, size] = answer.toString('latin1', 0, end).split(' ');
    if (type === undefined || size === undefined || !isObjectType(type)) return undefined;
    return { type, bytes: answer.subarray(end + 1, end + 1 + Number(size)) };
  }
}

function expectType(id: string, object: GitObject, type: ObjectType): Uint8Array {
  if (object.type === type) return object.bytes;
  throw gitError('GIT_OBJECT_CORRUPT', `object ${id} is a ${object.type}, not a ${type}`);
}

function isObjectType(text: string): text is ObjectType {
  return text === 'commit' || text === 'tree' || text === 'blob' || text === 'tag';
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function folderState(folder: string): string {
  const stats = statSync(folder, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? '' : `${stats.ino} ${stats.mtimeNs}`;
}
