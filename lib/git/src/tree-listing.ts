import type { EntryKind } from '@capstan/lib-files';
import { corrupt, type GitTreeEntry } from './object-model.ts';

/** One name in two folders; undefined where a folder lacks it. */
export interface EntryPair {
  readonly old: GitTreeEntry | undefined;
  readonly now: GitTreeEntry | undefined;
}

const SPACE = 0x20;
const SLASH = 0x2f;
const DOT = 0x2e;
/** So many names are looked for one by one before all are read. */
const SCANS_MAX = 8;

/**
 * The entries of one folder, kept as the bytes of its tree object and read as far as they are asked for: of a folder with thousands
 * of entries a commit changes one. Names that no file system should see ('', '.', '..', a '/') are refused, and any spelling of
 * `.git` is hidden: a hostile tree can hold them although git itself never writes them.
 */
export class TreeListing {
  readonly #bytes: Buffer;
  readonly #idBytes: number;
  /** Where each entry begins, and the end. */
  readonly #starts: readonly number[];
  readonly #found = new Map<string, GitTreeEntry | undefined>();
  #entries: readonly GitTreeEntry[] | undefined;
  #byName: ReadonlyMap<string, GitTreeEntry> | undefined;

  constructor(bytes: Uint8Array, idBytes: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#idBytes = idBytes;
    this.#starts = entryStarts(this.#bytes, idBytes);
  }

  get size(): number {
    return this.#starts.length - 1;
  }

  /** In the order of their names. */
  get entries(): readonly GitTreeEntry[] {
    this.#entries ??= this.#read(0, this.size).sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.#entries;
  }

  find(name: string): GitTreeEntry | undefined {
    if (this.#found.has(name)) return this.#found.get(name);
    if (this.#byName === undefined && this.#found.size < SCANS_MAX) {
      const entry = this.#scan(name);
      this.#found.set(name, entry);
      return entry;
    }
    this.#byName ??= new Map(this.entries.map((entry) => [entry.name, entry]));
    return this.#byName.get(name);
  }

  /** What differs between two folders; what both have alike before and after it is not read. */
  changes(now: TreeListing): readonly EntryPair[] {
    const most = Math.min(this.size, now.size);
    const head = largest(most, (count) => this.#equals([0, count], now, [0, count]));
    const tail = largest(most - head, (count) =>
      this.#equals([this.size - count, this.size], now, [now.size - count, now.size]),
    );
    const pairs = new Map<string, EntryPair>();
    for (const old of this.#read(head, this.size - tail))
      pairs.set(old.name, { old, now: undefined });
    for (const entry of now.#read(head, now.size - tail))
      pairs.set(entry.name, { old: pairs.get(entry.name)?.old, now: entry });
    return [...pairs.values()].filter(({ old, now: next }) => !isSame(old, next));
  }

  /** Whether these entries of both are the same. */
  #equals([from, to]: Range, other: TreeListing, [first, last]: Range): boolean {
    const [start = 0, end = 0] = [this.#starts[from], this.#starts[to]];
    const [begin = 0, stop = 0] = [other.#starts[first], other.#starts[last]];
    const isAsLong = end - start === stop - begin;
    return isAsLong && this.#bytes.compare(other.#bytes, begin, stop, start, end) === 0;
  }

  #read(from: number, to: number): GitTreeEntry[] {
    const entries: GitTreeEntry[] = [];
    for (let at = from; at < to; at++) {
      const entry = this.#entryAt(at);
      if (entry.name.toLowerCase() !== '.git') entries.push(entry);
    }
    return entries;
  }

  #scan(name: string): GitTreeEntry | undefined {
    if (name.toLowerCase() === '.git') return undefined;
    const wanted = Buffer.from(name);
    for (let at = 0; at < this.size; at++) {
      const end = (this.#starts[at + 1] ?? 0) - this.#idBytes - 1;
      const start = end - wanted.length;
      if (this.#bytes[start - 1] !== SPACE || start <= (this.#starts[at] ?? 0)) continue;
      if (this.#bytes.compare(wanted, 0, wanted.length, start, end) !== 0) continue;
      const entry = this.#entryAt(at);
      // A longer name may end in a space and this one.
      if (entry.name === name) return entry;
    }
    return undefined;
  }

  #entryAt(at: number): GitTreeEntry {
    const [start = 0, end = 0] = [this.#starts[at], this.#starts[at + 1]];
    const space = this.#bytes.indexOf(SPACE, start);
    const mode = Number.parseInt(this.#bytes.toString('latin1', start, space), 8);
    const kind = KINDS[mode >> 12];
    if (kind === undefined) throw corrupt('tree');
    return {
      name: this.#bytes.toString('utf8', space + 1, end - this.#idBytes - 1),
      kind,
      id: this.#bytes.toString('hex', end - this.#idBytes, end),
      isSubmodule: mode >> 12 === SUBMODULE,
    };
  }
}

export const EMPTY_LISTING = new TreeListing(new Uint8Array(), 20);

type Range = readonly [from: number, to: number];

/** The largest number up to `max` that holds, where all below it hold as well; 0 does. */
function largest(max: number, holds: (count: number) => boolean): number {
  let [low, high] = [0, max];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function isSame(old: GitTreeEntry | undefined, now: GitTreeEntry | undefined): boolean {
  return old?.id === now?.id && old?.kind === now?.kind;
}

/** The upper bits of a mode, octal 16, 04, 10 and 12. */
const SUBMODULE = 14;
const KINDS: Readonly<Record<number, EntryKind>> = {
  4: 'directory',
  8: 'file',
  10: 'symlink',
  [SUBMODULE]: 'directory',
};

/** `mode SP name NUL id`, again and again. */
function entryStarts(bytes: Buffer, idBytes: number): readonly number[] {
  const starts = [0];
  for (let at = 0; at < bytes.length; ) {
    while (bytes[at] !== SPACE) if (++at >= bytes.length) throw corrupt('tree');
    const name = ++at;
    let hasSlash = false;
    for (; bytes[at] !== 0; at++) {
      if (at >= bytes.length) throw corrupt('tree');
      hasSlash ||= bytes[at] === SLASH;
    }
    const length = at - name;
    const isDots = length <= 2 && bytes.subarray(name, at).every((byte) => byte === DOT);
    at += 1 + idBytes;
    if (hasSlash || isDots || at > bytes.length) throw corrupt('tree');
    starts.push(at);
  }
  return starts;
}
