import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyJsonPatch } from '@capstan/kube-merge';
import type { Json } from '@capstan/kube-object';
import { jsonDifference } from './json-difference.ts';

const LONG = 'a text that is longer than the steps that lead to it';

/** The steps in short, after they were found to lead there. */
function steps(from: Json, to: Json): string {
  const patch = jsonDifference(from, to);
  assert.deepEqual(applyJsonPatch(from, patch as unknown as Json), to);
  return patch.map(({ op, path }) => `${op} ${path}`).join(', ');
}

test('what is longer to lead to than to tell is replaced as a whole; what is added counts for nothing, as in the original', () => {
  assert.equal(steps({ a: { b: 1, c: 2 } }, { a: { b: 2, c: 1 } }), 'replace /a');
  assert.equal(steps({ a: { b: LONG, c: 2 } }, { a: { b: LONG, c: 1 } }), 'replace /a/c');
  // Told in full, the additions would be longer than the whole.
  const added = { b: { x: LONG, y: LONG } };
  assert.equal(steps({ b: {} }, added), 'add /b/x, add /b/y');
});

test('text counts as it is written: in bytes, and with the escapes of Go', () => {
  const of = (text: string, value: number) => ({ a: { keep: text, b: value, c: value } });
  assert.equal(steps(of('x'.repeat(15), 1), of('x'.repeat(15), 2)), 'replace /a');
  assert.equal(steps(of('ä'.repeat(15), 1), of('ä'.repeat(15), 2)), 'replace /a/b, replace /a/c');
  assert.equal(steps(of('&'.repeat(4), 1), of('&'.repeat(4), 2)), 'replace /a/b, replace /a/c');
});

test('items are compared one by one, and the rest goes or comes at the end', () => {
  const list = (...items: readonly string[]) => ({ l: [LONG, LONG, LONG, ...items] });
  assert.equal(steps(list('a', 'b', 'c'), list('x')), 'remove /l/4, remove /l/4, replace /l/3');
  assert.equal(steps(list('a'), list('a', 'b')), 'add /l/-');
});
