import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { corrupt, type GitObject, type ObjectType } from './object-model.ts';
import { applyDelta } from './pack-file.ts';

export interface PackedObject extends GitObject {
  readonly id: string;
}

export interface ReadPackOptions {
  /** More than so many, and none is read. */
  readonly objectsMax: number;
  readonly objectBytesMax: number;
  /** Of all of them together: a small pack can unfold to a very large one. */
  readonly bytesMax: number;
  /** An object outside the pack on which a delta builds. */
  readonly readBase: (id: string) => GitObject | undefined;
}

const TYPES: Readonly<Record<number, ObjectType>> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
const OFS_DELTA = 6;
const REF_DELTA = 7;
const HEADER_BYTES = 12;
const ID_BYTES = 20;

/**
 * All objects of a small pack of a SHA-1 repository, as it comes over the network (gitformat-pack), in its order, with the ids that
 * their contents have; undefined when there are too many. Throws on any doubt.
 */
export function readPack(
  pack: Buffer,
  options: ReadPackOptions,
): readonly PackedObject[] | undefined {
  const end = pack.length - ID_BYTES;
  if (end < HEADER_BYTES || pack.toString('latin1', 0, 4) !== 'PACK') throw corrupt('pack');
  if (pack.readUInt32BE(4) !== 2) throw corrupt('pack');
  const count = pack.readUInt32BE(8);
  if (count > options.objectsMax) return undefined;
  const sum = createHash('sha1').update(pack.subarray(0, end)).digest();
  if (!sum.equals(pack.subarray(end))) throw corrupt('pack');
  const reader = new Reader(pack.subarray(0, end), options);
  const objects = Array.from({ length: count }, () => reader.next());
  if (!reader.isAtEnd()) throw corrupt('pack');
  return objects;
}

class Reader {
  readonly #bytes: Buffer;
  readonly #options: ReadPackOptions;
  readonly #byOffset = new Map<number, PackedObject>();
  readonly #byId = new Map<string, PackedObject>();
  #at = HEADER_BYTES;
  #read = 0;

  constructor(bytes: Buffer, options: ReadPackOptions) {
    this.#bytes = bytes;
    this.#options = options;
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  next(): PackedObject {
    const offset = this.#at;
    const { kind, size } = this.#head();
    if (size > this.#options.objectBytesMax) throw corrupt('oversized');
    const { type, bytes } = this.#content(kind, size, offset);
    this.#read += bytes.length;
    if (this.#read > this.#options.bytesMax) throw corrupt('oversized');
    const id = createHash('sha1').update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
    const object = { id, type, bytes };
    this.#byOffset.set(offset, object);
    this.#byId.set(id, object);
    return object;
  }

  #head(): { readonly kind: number; readonly size: number } {
    let byte = this.#byte();
    const kind = (byte >> 4) & 7;
    let size = byte & 15;
    for (let factor = 16; byte & 0x80; factor *= 128) {
      byte = this.#byte();
      size += (byte & 0x7f) * factor;
    }
    return { kind, size };
  }

  #content(kind: number, size: number, offset: number): GitObject {
    const type = TYPES[kind];
    if (type !== undefined) return { type, bytes: this.#inflate(size) };
    const base = this.#base(kind, offset);
    if (base === undefined) throw corrupt('delta');
    const bytes = applyDelta(base.bytes, this.#inflate(size), this.#options.objectBytesMax);
    return { type: base.type, bytes };
  }

  #base(kind: number, offset: number): GitObject | undefined {
    if (kind === OFS_DELTA) return this.#byOffset.get(offset - this.#distance());
    if (kind !== REF_DELTA) throw corrupt('pack');
    const id = this.#bytes.toString('hex', this.#at, this.#at + ID_BYTES);
    this.#at += ID_BYTES;
    return this.#byId.get(id) ?? this.#options.readBase(id);
  }

  #distance(): number {
    let byte = this.#byte();
    let back = byte & 0x7f;
    while (byte & 0x80) {
      byte = this.#byte();
      back = (back + 1) * 128 + (byte & 0x7f);
    }
    return back;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw corrupt('pack');
    return byte;
  }

  #inflate(size: number): Uint8Array {
    // `info` tells how long the compressed form was, which nothing else does. Types of Node know only the answer without it.
    const options = { info: true, maxOutputLength: Math.max(size, 1) };
    const { buffer, engine } = inflateSync(this.#bytes.subarray(this.#at), options) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    if (buffer.length !== size) throw corrupt('pack');
    this.#at += engine.bytesWritten;
    return Uint8Array.from(buffer);
  }
}
