import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spellLiterals } from './literals.ts';

test('literals of types become calls, at any depth and beside maps', () => {
  const spelled = (source: string): string => spellLiterals(source).text;
  assert.equal(spelled('Object{}'), '__Object({})');
  assert.equal(
    spelled('Object{spec: Object.spec{n: {"a": 1, "b": f(2, 3)}, m: [1, 2]}}'),
    '__Object({"spec": __Object_spec({"n": {"a": 1, "b": f(2, 3)}, "m": [1, 2]})})',
  );
  assert.equal(
    spelled('[JSONPatch{op: "add", path: "/a{b: c}"}]'),
    '[__JSONPatch({"op": "add", "path": "/a{b: c}"})]',
  );
  assert.equal(spelled('object.Object == MyObject'), 'object.Object == MyObject');
});

test('a place in what was spelled out leads back to the original', () => {
  const source = 'Object{metadata: foo}';
  const { text, origin, types } = spellLiterals(source);
  assert.equal(origin(text.indexOf('foo')), source.indexOf('foo'));
  assert.deepEqual([...types], ['Object']);
});
