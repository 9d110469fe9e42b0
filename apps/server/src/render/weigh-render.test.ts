import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RenderSpec } from '@capstan/engine-render';
import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { weighRender } from './weigh-render.ts';

const names = (count: number) => Array.from({ length: count }, (_, i) => `m${i}.yaml`);
const filesOf = (folder: string, count: number): Record<string, string> =>
  Object.fromEntries(names(count).map((name) => [`${folder}/${name}`, 'a: b\n']));
const list = (items: readonly string[]) => `resources: [${items.join(', ')}]\n`;

const FILES: MemoryFiles = {
  ...filesOf('base', 30),
  'base/kustomization.yaml': list(names(30)),
  'one/kustomization.yaml': `${list(['../base', '../base'])}patches: [{path: p.yaml}, {patch: "{}"}]\n`,
  'two/kustomization.yaml': list(['../one', '../base', 'https://example.com/x.yaml']),
  'loop/kustomization.yaml': list(['../loop', '.']),
  'broken/kustomization.yaml': 'resources: [',
  ...filesOf('plain', 7),
  ...filesOf('plain/deep/er', 5),
  'plain/README.md': 'x',
};

const weigh = (spec: RenderSpec, enough = 1000) => weighRender(memoryTree(FILES), spec, enough);

test('a kustomization weighs what it names, and what those name, each once', () => {
  const kustomize = (path: string) => weigh({ kind: 'kustomize', path });
  assert.equal(kustomize('base'), 30);
  assert.equal(kustomize('one'), 32);
  assert.equal(kustomize('two'), 33);
  assert.equal(weigh({ kind: 'detect', path: 'two' }), 33);
  assert.equal(kustomize('loop'), 0);
  assert.equal(kustomize('broken'), 0);
  assert.equal(kustomize('nowhere'), 0);
});

test('a folder weighs its manifests, with those below where they are read', () => {
  assert.equal(weigh({ kind: 'directory', path: 'plain' }), 7);
  assert.equal(weigh({ kind: 'directory', path: 'plain', recurse: true }), 12);
  assert.equal(weigh({ kind: 'detect', path: 'plain' }), 7);
  assert.equal(weigh({ kind: 'kustomize', path: 'plain', generateMissing: true }), 12);
});

test('nothing is counted further than it matters', () => {
  assert.equal(weigh({ kind: 'kustomize', path: 'two' }, 10), 10);
  assert.equal(weigh({ kind: 'directory', path: 'plain', recurse: true }, 3), 3);
});
