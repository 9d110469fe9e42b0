import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainValue } from './plain-value.ts';
import { type SetMode, setValues } from './set-values.ts';

function set(text: string, mode: SetMode = 'typed', into = {}): unknown {
  setValues(into, text, mode);
  return plainValue(into);
}

test('values take the types that they look like', () => {
  assert.deepEqual(set('a=1,b=true,c=null,d=x,e=007,f=1.5,g=0'), {
    a: 1,
    b: true,
    c: null,
    d: 'x',
    e: '007',
    f: '1.5',
    g: 0,
  });
  assert.deepEqual(set('a=1,b=true', 'string'), { a: '1', b: 'true' });
});

test('tables, lists and braces nest, a backslash takes the next character', () => {
  assert.deepEqual(set('a.b.c=1,l[1].x=2,l[0]={p,q}'), {
    a: { b: { c: 1 } },
    l: [['p', 'q'], { x: 2 }],
  });
  assert.deepEqual(set('a\\.b=1\\,2'), { 'a.b': '1,2' });
});

test('a literal is taken as it stands, JSON as JSON', () => {
  assert.deepEqual(set('a=b,c=[1]', 'literal'), { a: 'b,c=[1]' });
  assert.deepEqual(set('a={"x":[1,{"y":null}]},b=2', 'json'), { a: { x: [1, { y: null }] }, b: 2 });
});

test('what cannot be read says why, and prototypes stay clean', () => {
  assert.throws(() => set('a'), /key "a" has no value/);
  assert.throws(() => set('a=1,b'), /key "b" has no value/);
  assert.throws(() => set('l[x]=1'), /error parsing index/);
  assert.throws(() => set('l[70000]=1'), /greater than maximum supported index/);
  assert.throws(() => set(`${'a.'.repeat(40)}b=1`), /nested level/);
  set('__proto__.polluted=1');
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});
