import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addQuantities, canonicalQuantity, compareQuantities, parseQuantity } from './quantity.ts';

test('a quantity is written without a fraction and with the largest suffix that needs none', () => {
  const canonical: Readonly<Record<string, string>> = {
    '0.5': '500m',
    '1000m': '1',
    '1500m': '1500m',
    '1024Mi': '1Gi',
    '1.5Gi': '1536Mi',
    '1024': '1024',
    '1000': '1k',
    '1000k': '1M',
    '1e3': '1e3',
    '1E3': '1E3',
    '10E3': '10E3',
    '1000E3': '1e6',
    '1E4': '10e3',
    '12e6': '12e6',
    '12.345': '12.345',
    n: '0',
    '-': '0',
    '0.1Ki': '102400m',
    '100Ki': '100Ki',
    '1000Ki': '1000Ki',
    '-1500m': '-1500m',
    '+5': '+5',
    '.5': '500m',
    '5.': '5.',
    '0': '0',
    '0Gi': '0',
    '1.1n': '2n',
    '1E': '1E',
    '0.0000000001': '1n',
    '99999999999999999999': '99999999999999999999',
    '99999999999Ei': '9223372036854775807',
  };
  for (const [text, want] of Object.entries(canonical))
    assert.equal(canonicalQuantity(text), want, text);
});

test('what is no quantity is refused', () => {
  for (const text of ['', '1x', '1 Gi', '1gi', '1Ki5', '0x1', '1e', '1e1.5', '--1'])
    assert.equal(parseQuantity(text), undefined, text);
});

test('quantities compare by magnitude and add', () => {
  const [half, one, gi] = ['500m', '1', '1Gi'].map((text) => parseQuantity(text)!);
  assert.equal(compareQuantities(half!, one!), -1);
  assert.equal(compareQuantities(gi!, parseQuantity('1073741824')!), 0);
  assert.equal(addQuantities(half!, half!).nanos, one!.nanos);
});

test('a hostile exponent costs nothing', () => {
  assert.equal(canonicalQuantity('1e1000000000'), '10e999999999');
  assert.equal(canonicalQuantity('1e-1000000000'), '1e-9');
});
