import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { diskTree } from './disk.ts';
import {
  memoryTree,
  mountTrees,
  readText,
  recordTrace,
  relativePath,
  resolveLinks,
  resolvePath,
  subTree,
  traceHolds,
} from './index.ts';

test('a path that climbs over the root has no value', () => {
  assert.equal(resolvePath('a/b', '../c'), 'a/c');
  assert.equal(resolvePath('a', '../../c'), undefined);
  assert.equal(resolvePath('a', '/x/./y/'), 'x/y');
  assert.equal(relativePath('a/b', 'a/c/d'), '../c/d');
  assert.equal(relativePath('a', 'a'), '.');
});

test('links are followed inside the tree and never out of it', () => {
  const tree = memoryTree({
    'real/file': 'x',
    'a/dir': { link: '../real' },
    out: { link: '../../etc' },
    absolute: { link: '/etc/passwd' },
    loop: { link: 'loop' },
  });
  assert.deepEqual(resolveLinks(tree, 'a/dir/file'), { kind: 'found', path: 'real/file' });
  assert.deepEqual(resolveLinks(tree, 'out/passwd'), { kind: 'escape', link: 'out' });
  assert.deepEqual(resolveLinks(tree, 'absolute'), { kind: 'escape', link: 'absolute' });
  assert.deepEqual(resolveLinks(tree, 'loop'), { kind: 'loop', link: 'loop' });
  assert.deepEqual(resolveLinks(tree, 'real/none'), { kind: 'missing' });
});

test('a trace holds until something it saw changes, misses included', () => {
  const { tree, trace } = recordTrace(memoryTree({ 'a/x.yaml': '1', 'b/y.yaml': '2' }));
  tree.readFile('a/x.yaml');
  tree.readFile('a/none.yaml');
  tree.readDirectory('a');
  assert.equal(traceHolds(trace, memoryTree({ 'a/x.yaml': '1', 'b/y.yaml': 'other' })), true);
  assert.equal(traceHolds(trace, memoryTree({ 'a/x.yaml': '3' })), false);
  assert.equal(traceHolds(trace, memoryTree({ 'a/x.yaml': '1', 'a/none.yaml': '' })), false);
  assert.equal(traceHolds(trace, memoryTree({ 'a/x.yaml': '1', 'a/z.yaml': '' })), false);
});

test('a folder on disk answers like the same tree in memory', () => {
  const root = mkdtempSync(join(tmpdir(), 'files-'));
  try {
    mkdirSync(join(root, 'a'));
    writeFileSync(join(root, 'a/x'), 'text');
    symlinkSync('x', join(root, 'a/link'));
    const disk = diskTree(root);
    const memory = memoryTree({ 'a/x': 'text', 'a/link': { link: 'x' } });
    for (const tree of [disk, memory]) {
      assert.deepEqual(
        tree.readDirectory('a')?.map((entry) => [entry.name, entry.kind]),
        [
          ['link', 'symlink'],
          ['x', 'file'],
        ],
      );
      assert.equal(readText(tree, 'a/x'), 'text');
      assert.equal(tree.readFile('a'), undefined);
      assert.equal(tree.readLink('a/link'), 'x');
      assert.equal(tree.stat('none'), undefined);
    }
    assert.equal(disk.stat('a/x')?.id, memory.stat('a/x')?.id);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('a mounted tree is found by its name, and a folder taken alone knows nothing above it', () => {
  const main = memoryTree({ 'a/x': 'main', 'a/up': { link: '../b' }, b: 'main b' });
  const tree = mountTrees(main, new Map([['$values', memoryTree({ 'a/x': 'other' })]]));
  assert.equal(readText(tree, 'a/x'), 'main');
  assert.equal(readText(tree, '$values/a/x'), 'other');
  assert.equal(tree.stat('$values')?.kind, 'directory');
  assert.deepEqual(
    tree.readDirectory('')?.map(({ name }) => name),
    ['a', 'b'],
  );
  const alone = subTree(tree, 'a');
  assert.equal(readText(alone, 'x'), 'main');
  assert.deepEqual(resolveLinks(alone, 'up'), { kind: 'escape', link: 'up' });
});
