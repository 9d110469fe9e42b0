import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FileTree, memoryTree } from '@capstan/lib-files';
import { createIgnoreFileCache, type IgnoreRules, ignoreFiles } from './ignore-files.ts';
import { isIgnored, parsePatterns } from './ignore-patterns.ts';

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

/** Pattern lines → what is left. */
const cases: readonly (readonly [string, readonly string[]])[] = [
  ['*.md', ['apps/docs/b.yaml', 'apps/web/a.png', 'apps/web/a.yaml']],
  [
    '# a comment\n\n*.md\n!keep.md',
    ['apps/docs/b.yaml', 'apps/web/a.png', 'apps/web/a.yaml', 'docs/keep.md'],
  ],
  ['docs/\n!docs/keep.md', ['README.md', 'apps/web/a.png', 'apps/web/a.yaml', 'docs/keep.md']],
  ['/docs', ['README.md', 'apps/docs/b.yaml', 'apps/web/a.png', 'apps/web/a.yaml']],
  ['/*\n!/apps\n**/*.png', ['apps/docs/b.yaml', 'apps/web/a.yaml']],
  ['/*\n!/apps/web/', ['apps/web/a.png', 'apps/web/a.yaml']],
  [
    '[a',
    [
      'README.md',
      'apps/docs/b.yaml',
      'apps/web/a.png',
      'apps/web/a.yaml',
      'docs/a.md',
      'docs/keep.md',
    ],
  ],
];

test('patterns hide files, later lines win, a file in a hidden folder can be taken back', () => {
  for (const [patterns, expected] of cases) {
    assert.deepEqual(visible(ignoreFiles(files, { patterns }).files), expected, patterns);
  }
  const tree = ignoreFiles(files, { patterns: 'docs/' }).files;
  assert.equal(tree.readFile('docs/a.md'), undefined);
  assert.equal(tree.stat('docs'), undefined);
});

/** Pattern, folder it stands in, path (a '/' at its end: a folder) → hidden? */
const single: readonly (readonly [string, string, string, boolean])[] = [
  ['foo', '', 'foo', true],
  ['foo\r', '', 'foo', true],
  ['[!a]', '', 'b', false],
  ['[!a]', '', '!', true],
  ['[^a]', '', 'b', true],
  ['foo', '', 'a/foo/b', true],
  ['foo/', '', 'foo', false],
  ['foo/', '', 'foo/', true],
  ['foo/', '', 'foo/bar', true],
  ['/foo', '', 'a/foo', false],
  ['a/*/c', '', 'a/b/c', true],
  ['a/*/c', '', 'a/b/x/c', false],
  ['**/foo', '', 'a/b/foo', true],
  ['a/**/c', '', 'a/x/y/c', true],
  ['a/**', '', 'a/x/y', true],
  ['a**b/c', '', 'axb/c', false],
  ['*.tmp', 'sub', 'x.tmp', false],
  ['*.tmp', 'sub', 'sub/x.tmp', true],
  ['/x.tmp', 'sub', 'sub/x.tmp', true],
  ['fo[no]', '', 'foo', true],
  ['fo[^no]', '', 'foo', false],
  ['\\#x', '', '#x', true],
  ['x  ', '', 'x', true],
];

test('single patterns match as in the original matcher', () => {
  for (const [pattern, folder, path, expected] of single) {
    const names = path.replace(/\/$/, '').split('/');
    const got = isIgnored(parsePatterns(pattern, folder), names, path.endsWith('/'));
    assert.equal(got, expected, `${pattern} in ${folder} for ${path}`);
  }
});

test('files in the tree give patterns for their folders; defaults count only without others', () => {
  const rules: IgnoreRules = {
    file: '.sourceignore',
    always: ['.git/', '.gitignore'],
    otherwise: ['*.png'],
  };
  const cache = createIgnoreFileCache();
  const plain = { '.gitignore': '', 'a/x.png': '', 'a/x.yaml': '', 'b/x.yaml': '' };
  assert.deepEqual(visible(ignoreFiles(memoryTree(plain), rules, cache).files), [
    'a/x.yaml',
    'b/x.yaml',
  ]);
  const told = memoryTree({ ...plain, 'a/.sourceignore': '*.yaml\n' });
  for (let again = 0; again < 2; again++) {
    const { files: left } = ignoreFiles(told, rules, cache);
    assert.deepEqual(visible(left), ['a/.sourceignore', 'a/x.png', 'b/x.yaml']);
  }
  const over = ignoreFiles(told, { ...rules, patterns: '!*.yaml' }, cache);
  assert.deepEqual(visible(over.files), ['a/.sourceignore', 'a/x.png', 'a/x.yaml', 'b/x.yaml']);
  assert.notEqual(over.rules, ignoreFiles(told, rules, cache).rules);
});

test('what comes last can be taken back by nothing in the tree', () => {
  const tree = memoryTree({ '.git/config': 'x', '.sourceignore': '!.git/\n', a: '' });
  const rules: IgnoreRules = { file: '.sourceignore', always: ['.git/'], last: ['.git/'] };
  assert.deepEqual(visible(ignoreFiles(tree, rules).files), ['.sourceignore', 'a']);
});
