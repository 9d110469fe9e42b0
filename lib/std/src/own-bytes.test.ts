import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, inflateSync } from 'node:zlib';
import { ownBytes } from './own-bytes.ts';

test('few bytes of a large slab get memory of their own', () => {
  const bytes = inflateSync(deflateSync(Buffer.from('a few bytes')));
  assert.ok(bytes.buffer.byteLength > 1000, 'zlib gives views of slabs');
  const own = ownBytes(bytes);
  assert.equal(own.buffer.byteLength, bytes.length);
  assert.equal(Buffer.from(own).toString(), 'a few bytes');
});

test('what fills its memory is not copied', () => {
  const bytes = new Uint8Array(1000).fill(1);
  assert.equal(ownBytes(bytes), bytes);
  assert.equal(ownBytes(bytes.subarray(0, 900)).buffer, bytes.buffer);
});
