import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TreeArchiver } from '@capstan/engine-source/store';
import type { CopyOperation } from '@capstan/flux-api';
import { type FileTree, joinPath, memoryTree, readText } from '@capstan/lib-files';
import { composeArtifact } from './compose-artifact.ts';
import { contentHash } from './content-hash.ts';

const packed = Buffer.concat(
  await Array.fromAsync(new TreeArchiver().archive(memoryTree({ 'chart/Chart.yaml': 'name: c' }))),
);
const GIT = memoryTree({
  'apps/web/a.yaml': 'a',
  'apps/web/deep/b.yaml': 'b',
  'apps/web/README.md': 'r',
  'values.yaml': 'image: {tag: v1, pull: Always}\nports: [80]\n',
  'charts/c.tgz': packed,
  'charts/notes.txt': 'n',
});
const OCI = memoryTree({ 'prod.yaml': 'image: {tag: v2}\n---\nports: [443]\n', 'apps/x': 'x' });

/** The files that the operations give, or why there are none. */
async function compose(...copy: readonly CopyOperation[]): Promise<string> {
  const sources = new Map([
    ['git', GIT],
    ['oci', OCI],
  ]);
  try {
    return show(await composeArtifact(copy, sources), '').join(' ');
  } catch (error) {
    return (error as Error).message.replace(/^.*?to '[^']*': /, '');
  }
}

function show(tree: FileTree, path: string): readonly string[] {
  return (tree.readDirectory(path) ?? []).flatMap(({ name, kind }) => {
    const child = joinPath(path, name);
    return kind === 'directory' ? show(tree, child) : [`${child}=${readText(tree, child)?.trim()}`];
  });
}

const from = (source: string, to: string, more: Partial<CopyOperation> = {}): CopyOperation => ({
  from: source,
  to,
  ...more,
});

test('operations copy as cp does', async () => {
  const table: readonly (readonly [CopyOperation, string])[] = [
    [from('@git/apps/web', '@artifact/'), 'web/README.md=r web/a.yaml=a web/deep/b.yaml=b'],
    [from('@git/apps/web/**', '@artifact/out/'), 'out/README.md=r out/a.yaml=a out/deep/b.yaml=b'],
    [from('@git/apps/*/*.yaml', '@artifact/'), 'apps/web/a.yaml=a'],
    [from('@git/apps/web/a.yaml', '@artifact/b.yaml'), 'b.yaml=a'],
    [from('@git/apps/web/a.yaml', '@artifact/in/'), 'in/a.yaml=a'],
    [from('@git/apps/web/**', '@artifact/', { exclude: ['*.md', 'deep/**'] }), 'a.yaml=a'],
    [
      from('@oci/', '@artifact/all'),
      'all/apps/x=x all/prod.yaml=image: {tag: v2}\n---\nports: [443]',
    ],
    [from('@git/charts/*', '@artifact/', { strategy: 'Extract' }), 'chart/Chart.yaml=name: c'],
    [from('@git/**/*.tgz', '@artifact/x', { strategy: 'Extract' }), 'x/chart/Chart.yaml=name: c'],
    [from('@git/nothing', '@artifact/'), "source 'nothing' does not exist"],
    [from('@git/no*', '@artifact/'), "no files match pattern 'no*' in source 'git'"],
    [
      from('@git/apps/web/*.md', '@artifact/', { exclude: ['*.md'] }),
      "all files matching pattern 'apps/web/*.md' in source 'git' were excluded",
    ],
    [from('@helm/a', '@artifact/'), "source alias 'helm' not found"],
    [from('git/a', '@artifact/'), "invalid copy source 'git/a': source must start with '@'"],
    [
      from('@git/apps', '@artifact/', { strategy: 'Extract' }),
      "extract strategy is not supported for directories, got 'apps'",
    ],
    [
      from('@git/values.yaml', '@artifact/', { strategy: 'Extract' }),
      "extract strategy requires tarball file (.tar.gz or .tgz), got 'values.yaml'",
    ],
  ];
  for (const [operation, want] of table) {
    assert.equal(await compose(operation), want, JSON.stringify(operation));
  }
});

test('nothing is read outside a source or written outside the artifact', async () => {
  const escapes = [
    from('@git/../secret', '@artifact/'),
    from('@git//etc/passwd', '@artifact/'),
    from('@git/values.yaml', '@artifact/../x'),
    from('@git/values.yaml', '@artifact//x'),
    from('@git/charts/c.tgz', '@artifact/../x', { strategy: 'Extract' }),
  ];
  for (const operation of escapes) {
    assert.match(await compose(operation), /path escapes from parent$/, JSON.stringify(operation));
  }
  assert.match(await compose(from('@git/../*', '@artifact/')), /^no files match/);
});

test('later operations win, and merge where they are told to', async () => {
  const base = from('@git/values.yaml', '@artifact/values.yaml');
  const over = from('@oci/prod.yaml', '@artifact/values.yaml');
  assert.equal(await compose(base, over), 'values.yaml=image: {tag: v2}\n---\nports: [443]');
  assert.equal(
    await compose(base, { ...over, strategy: 'Merge' }),
    'values.yaml=image:\n  pull: Always\n  tag: v2\nports:\n- 443',
  );
  // What is not there yet is copied; what is copied with its folder is not merged.
  assert.equal(
    await compose({ ...over, strategy: 'Merge' }),
    'values.yaml=image: {tag: v2}\n---\nports: [443]',
  );
});

test('the name of the file is that of the original', () => {
  assert.equal(contentHash('app', memoryTree({})), '1');
  assert.equal(contentHash('app', memoryTree({ 'a.txt': 'abc', 'b/c': '' })), '2061568029');
});
