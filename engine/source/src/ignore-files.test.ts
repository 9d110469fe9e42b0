import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FileTree, memoryTree } from '@capstan/lib-files';
import { ignoreFiles } from './ignore-files.ts';

function visible(tree: FileTree, path = ''): string[] {
  return (tree.readDirectory(path) ?? []).flatMap((entry) => {
    const child = path === '' ? entry.name : `${path}/${entry.name}`;
    return entry.kind === 'directory' ? visible(tree, child) : [child];
  });
}

const files = memoryTree({
  'README.md': '',
  'docs/a.md': '',
  'docs/keep.md': '',
  'apps/web/a.yaml': '',
  'apps/web/a.png': '',
  'apps/docs/b.yaml': '',
});

test('gitignore patterns hide files, later lines win, what lies in a hidden folder stays hidden', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['*.md', ['apps/docs/b.yaml', 'apps/web/a.png', 'apps/web/a.yaml']],
    [
      '# a comment\n\n*.md\n!keep.md',
      ['apps/docs/b.yaml', 'apps/web/a.png', 'apps/web/a.yaml', 'docs/keep.md'],
    ],
    ['docs/\n!docs/keep.md', ['README.md', 'apps/web/a.png', 'apps/web/a.yaml']],
    ['/docs', ['README.md', 'apps/docs/b.yaml', 'apps/web/a.png', 'apps/web/a.yaml']],
    ['/*\n!/apps\n**/*.png', ['apps/docs/b.yaml', 'apps/web/a.yaml']],
  ];
  for (const [patterns, expected] of cases) {
    assert.deepEqual(visible(ignoreFiles(files, patterns)), expected, patterns);
  }
  const tree = ignoreFiles(files, 'docs/');
  assert.equal(tree.readFile('docs/a.md'), undefined);
  assert.equal(tree.stat('docs'), undefined);
});
