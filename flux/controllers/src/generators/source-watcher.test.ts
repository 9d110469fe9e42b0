/**
 * The tables of source-watcher's own tests of builds (internal/builder, copy, exclude, extract and merge), with what it made of each:
 * file contents are base64, and an error that names a folder of that machine is cut off before it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CopyOperation } from '@capstan/flux-api';
import { type FileTree, joinPath, memoryTree } from '@capstan/lib-files';
import { messageOf } from '@capstan/lib-std';
import { composeArtifact } from './compose-artifact.ts';
import builds from './testdata/source-watcher-builds.json' with { type: 'json' };

type Files = Readonly<Record<string, string>>;

interface Build {
  readonly name: string;
  readonly copy: readonly CopyOperation[];
  readonly sources: Readonly<Record<string, Files>>;
  readonly files?: Files;
  readonly error?: string;
}

function treeOf(files: Files): FileTree {
  const contents = Object.entries(files).map(([path, data]) => [path, Buffer.from(data, 'base64')]);
  return memoryTree(Object.fromEntries(contents));
}

function filesOf(tree: FileTree, folder = ''): Record<string, string> {
  const found = (tree.readDirectory(folder) ?? []).map(({ name, kind }) => {
    const path = joinPath(folder, name);
    if (kind === 'directory') return filesOf(tree, path);
    return { [path]: Buffer.from(tree.readFile(path) ?? []).toString('base64') };
  });
  return Object.assign({}, ...found);
}

test('what source-watcher builds is built the same, byte by byte', async () => {
  for (const { name, copy, sources, files, error } of builds as unknown as readonly Build[]) {
    const trees = Object.entries(sources).map(([alias, own]) => [alias, treeOf(own)] as const);
    const built = composeArtifact(copy, new Map(trees));
    if (error === undefined) {
      assert.deepEqual(filesOf(await built), files, name);
      continue;
    }
    await assert.rejects(built, (problem) => {
      assert.equal(messageOf(problem).slice(0, error.length), error, name);
      return true;
    });
  }
});
