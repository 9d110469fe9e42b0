import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { type BoundedCache, ownBytes } from '@capstan/lib-std';
import { corrupt, type GitObject, type ObjectType } from './object-model.ts';

const TYPES: Readonly<Record<number, ObjectType>> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
const OFS_DELTA = 6;
const REF_DELTA = 7;
const DELTA_DEPTH_MAX = 4096;
const HEADER_BYTES_MAX = 32;

export interface PackContext {
  readonly objectBytesMax: number;
  /** Objects that deltas build on, kept between reads: neighbours share them. */
  readonly bases: BoundedCache<string, GitObject>;
  /** Looks in the other packs, for deltas whose base is named by id. */
  readonly readElsewhere: (id: string) => GitObject | undefined;
}

/**
 * One pack with its index (version 2), read in place and synchronously. Follows gitformat-pack(5). Any doubt about the
 * content is an error that the caller answers by asking git itself.
 */
export class PackFile {
  readonly path: string;
  readonly #index: Buffer;
  readonly #idBytes: number;
  readonly #count: number;
  readonly #context: PackContext;
  #file: number | undefined;
  #size = 0;

  constructor(path: string, idBytes: number, context: PackContext) {
    this.path = path;
    this.#index = readFileSync(path.replace(/\.pack$/, '.idx'));
    this.#idBytes = idBytes;
    this.#context = context;
    if (this.#index.length < 1032 || this.#index.readUInt32BE(0) !== 0xff744f63) {
      throw corrupt('pack index');
    }
    if (this.#index.readUInt32BE(4) !== 2) throw corrupt('pack index');
    this.#count = this.#index.readUInt32BE(8 + 255 * 4);
    if (this.#index.length < 1032 + this.#count * (idBytes + 8)) throw corrupt('pack index');
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  read(id: string): GitObject | undefined {
    const offset = this.#offsetOf(Buffer.from(id, 'hex'));
    return offset === undefined ? undefined : this.#readAt(offset, 0);
  }

  has(id: string): boolean {
    return this.#offsetOf(Buffer.from(id, 'hex')) !== undefined;
  }

  /** Whole ids that start with `prefix` (lower-case hex of at least four digits). */
  idsWithPrefix(prefix: string): readonly string[] {
    const low = Buffer.from(prefix.padEnd(this.#idBytes * 2, '0'), 'hex');
    const ids: string[] = [];
    for (let at = this.#lowerBound(low); at < this.#count; at++) {
      const id = this.#idAt(at).toString('hex');
      if (!id.startsWith(prefix)) break;
      ids.push(id);
    }
    return ids;
  }

  #idAt(position: number): Buffer {
    const start = 1032 + position * this.#idBytes;
    return this.#index.subarray(start, start + this.#idBytes);
  }

  #lowerBound(id: Buffer): number {
    const first = id[0]!;
    let low = first === 0 ? 0 : this.#index.readUInt32BE(8 + (first - 1) * 4);
    let high = this.#index.readUInt32BE(8 + first * 4);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#idAt(middle).compare(id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #offsetOf(id: Buffer): number | undefined {
    const position = this.#lowerBound(id);
    if (position >= this.#count || !this.#idAt(position).equals(id)) return undefined;
    const offsets = 1032 + this.#count * (this.#idBytes + 4);
    const offset = this.#index.readUInt32BE(offsets + position * 4);
    if (offset < 0x80000000) return offset;
    const large = offsets + this.#count * 4 + (offset - 0x80000000) * 8;
    return Number(this.#index.readBigUInt64BE(large));
  }

  #readAt(offset: number, depth: number): GitObject {
    if (depth > DELTA_DEPTH_MAX) throw corrupt('delta');
    const key = `${this.path}:${offset}`;
    const known = this.#context.bases.get(key);
    if (known !== undefined) return known;
    const object = this.#parseAt(offset, depth);
    if (depth > 0) this.#context.bases.set(key, object);
    return object;
  }

  #parseAt(offset: number, depth: number): GitObject {
    const header = this.#slice(offset, HEADER_BYTES_MAX + this.#idBytes);
    let at = 0;
    let byte = header[at++]!;
    const kind = (byte >> 4) & 7;
    let size = byte & 15;
    for (let factor = 16; byte & 0x80; factor *= 128) {
      byte = header[at++]!;
      size += (byte & 0x7f) * factor;
    }
    if (size > this.#context.objectBytesMax) throw corrupt('oversized');
    const type = TYPES[kind];
    if (type !== undefined) return { type, bytes: this.#inflate(offset + at, size) };
    if (kind === REF_DELTA) {
      const id = header.toString('hex', at, at + this.#idBytes);
      const base = this.read(id) ?? this.#context.readElsewhere(id);
      if (base === undefined) throw corrupt('delta');
      const delta = this.#inflate(offset + at + this.#idBytes, size);
      return { type: base.type, bytes: this.#apply(base.bytes, delta) };
    }
    if (kind !== OFS_DELTA) throw corrupt('pack');
    byte = header[at++]!;
    let back = byte & 0x7f;
    while (byte & 0x80) {
      byte = header[at++]!;
      back = (back + 1) * 128 + (byte & 0x7f);
    }
    if (back <= 0 || back > offset) throw corrupt('delta');
    const base = this.#readAt(offset - back, depth + 1);
    return { type: base.type, bytes: this.#apply(base.bytes, this.#inflate(offset + at, size)) };
  }

  #apply(base: Uint8Array, delta: Uint8Array): Uint8Array {
    return applyDelta(base, delta, this.#context.objectBytesMax);
  }

  #inflate(offset: number, size: number): Uint8Array {
    // The index does not say how long the compressed form is: this is zlib's own bound for the inflated size.
    const bound = size + (size >>> 10) + 128;
    const bytes = inflateSync(this.#slice(offset, bound), { maxOutputLength: Math.max(size, 1) });
    if (bytes.length !== size) throw corrupt('pack');
    return ownBytes(bytes);
  }

  #slice(offset: number, length: number): Buffer {
    if (this.#file === undefined) {
      this.#file = openSync(this.path, 'r');
      this.#size = fstatSync(this.#file).size;
    }
    const wanted = Math.min(length, this.#size - offset);
    if (wanted <= 0) throw corrupt('pack');
    const buffer = Buffer.allocUnsafe(wanted);
    let read = 0;
    while (read < wanted) {
      const now = readSync(this.#file, buffer, read, wanted - read, offset + read);
      if (now === 0) throw corrupt('pack');
      read += now;
    }
    return buffer;
  }
}

/** Builds an object from its base: copy and insert instructions, every bound checked. */
export function applyDelta(base: Uint8Array, delta: Uint8Array, bytesMax: number): Uint8Array {
  let at = 0;
  const readSize = (): number => {
    let size = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = delta[at++];
      if (byte === undefined || factor > 2 ** 49) throw corrupt('delta');
      size += (byte & 0x7f) * factor;
      if ((byte & 0x80) === 0) return size;
    }
  };
  if (readSize() !== base.length) throw corrupt('delta');
  const size = readSize();
  if (size > bytesMax) throw corrupt('oversized');
  const result = new Uint8Array(size);
  let filled = 0;
  while (at < delta.length) {
    const command = delta[at++]!;
    if (command === 0) throw corrupt('delta');
    let from = 0;
    let length = command;
    let source = delta;
    if (command & 0x80) {
      length = 0;
      for (let i = 0; i < 4; i++) if (command & (1 << i)) from += delta[at++]! * 256 ** i;
      for (let i = 0; i < 3; i++) if (command & (16 << i)) length += delta[at++]! * 256 ** i;
      if (length === 0) length = 0x10000;
      source = base;
    } else {
      from = at;
      at += length;
    }
    if (from + length > source.length || filled + length > size) throw corrupt('delta');
    result.set(source.subarray(from, from + length), filled);
    filled += length;
  }
  if (filled !== size) throw corrupt('delta');
  return result;
}
