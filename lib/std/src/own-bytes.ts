/**
 * The bytes in memory of their own size. What zlib and Buffer's pool hand out may be a small view of a slab of 64 kB, which lives as
 * long as the view: whatever is kept for long goes through here. Copies unless the view is most of its slab.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 2 > bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
