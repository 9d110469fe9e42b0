import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatJson, parseJson } from './json.ts';

test('a 64-bit integer survives the way in and out', () => {
  const text =
    '{"spec":{"big":9223372036854775807,"neg":-9007199254740993,"small":3,"s":"1234567890123456789"}}';
  const value = parseJson(text);
  assert.deepEqual(value, {
    spec: {
      big: 9223372036854775807n,
      neg: -9007199254740993n,
      small: 3,
      s: '1234567890123456789',
    },
  });
  assert.equal(formatJson(value), text);
});

test('a long integer that a number holds exactly stays a number, a long fraction too', () => {
  assert.deepEqual(parseJson('[1234567890123456, 0.1234567890123456789e1, 1e300]'), [
    1234567890123456,
    Number('1.234567890123456789'),
    1e300,
  ]);
});

test('a member named __proto__ is data', () => {
  assert.equal(
    formatJson(parseJson('{"__proto__":{"a":9223372036854775807}}')),
    '{"__proto__":{"a":9223372036854775807}}',
  );
});
