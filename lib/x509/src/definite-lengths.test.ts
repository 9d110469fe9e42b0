import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definiteLengths } from './definite-lengths.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const made = (text: string) => Buffer.from(definiteLengths(hex(text))).toString('hex');

test('lengths without an end, in too many bytes, and strings in pieces become those of DER', () => {
  assert.equal(made('30 80 02 01 05 00 00'), '3003020105');
  assert.equal(made('30 82 00 03 02 81 01 05'.replace('00 03', '00 04')), '3003020105');
  assert.equal(made('30 80 30 80 02 01 05 00 00 00 00'), '30053003020105');
  assert.equal(made('24 80 04 02 61 62 04 01 63 00 00'), '0403616263');
  assert.equal(made('a0 09 24 80 04 03 61 62 63 00 00'), 'a0050403616263');
  assert.equal(made('30 03 02 01 05'), '3003020105');
});

test('what ends early, goes on or nests without end is refused', () => {
  for (const text of [
    '',
    '30',
    '30 05 02 01 05',
    '30 80 02 01 05',
    '02 80 05 00 00',
    '05 00 05 00',
  ])
    assert.throws(() => definiteLengths(hex(text)), RangeError, text);
  assert.throws(() => definiteLengths(hex('30 80'.repeat(100))), /nested too deeply/);
});
