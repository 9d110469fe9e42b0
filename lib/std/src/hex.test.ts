import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { hexOf } from './hex.ts';

test('every byte is two digits', () => {
  assert.equal(hexOf(new Uint8Array()), '');
  const all = Uint8Array.from({ length: 300 }, (_, i) => (i * 7) & 0xff);
  assert.equal(hexOf(all), Buffer.from(all).toString('hex'));
});

test('digests that are kept take the room of their digits', () => {
  const digest = new Uint8Array(32);
  const kept: string[] = [];
  const before = used();
  for (let i = 0; i < 20_000; i++) {
    digest[0] = i & 0xff;
    digest[1] = i >> 8;
    kept.push(hexOf(digest));
  }
  // 64 digits, a header and a place in the list; as chains they would be 870 bytes each.
  assert.ok((used() - before) / kept.length < 200);
});

/** Of the heap, once what nobody holds is gone. */
function used(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}
