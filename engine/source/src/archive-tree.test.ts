import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type FileTree, memoryTree } from '@capstan/lib-files';
import { readArchive, TreeArchiver } from './archive-tree.ts';

async function pack(archiver: TreeArchiver, tree: FileTree, scope?: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(archiver.archive(tree, scope)));
}

const FILES = {
  'b.yaml': 'b: 1\n',
  'a/run.sh': { bytes: Buffer.from('#!/bin/sh\n'), executable: true },
  'a/deep/c.yaml': 'c: 1\n',
  link: { link: 'b.yaml' },
} as const;

test('equal files give equal bytes, whoever packed what before; tar lists them', async () => {
  const first = await pack(new TreeArchiver(), memoryTree(FILES));
  const warm = new TreeArchiver();
  await pack(warm, memoryTree({ ...FILES, 'b.yaml': 'b: 2\n' }), 'rules');
  assert.deepEqual(await pack(warm, memoryTree(FILES), 'rules'), first);
  const listing = execFileSync('tar', ['tvzf', '-'], {
    input: first,
    env: { TZ: 'UTC', PATH: process.env['PATH'] },
  });
  assert.deepEqual(
    listing
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/ +/g, ' ')),
    [
      'drwxr-x--- 0/0 0 1970-01-01 00:00 .',
      '-rw------- 0/0 5 1970-01-01 00:00 b.yaml',
      'drwxr-x--- 0/0 0 1970-01-01 00:00 a',
      '-rwx------ 0/0 10 1970-01-01 00:00 a/run.sh',
      'drwxr-x--- 0/0 0 1970-01-01 00:00 a/deep',
      '-rw------- 0/0 5 1970-01-01 00:00 a/deep/c.yaml',
    ],
  );
  const tree = await readArchive(first);
  assert.equal(tree.stat('a/run.sh')?.executable, true);
  assert.equal(Buffer.from(tree.readFile('a/deep/c.yaml') ?? []).toString(), 'c: 1\n');
});

test('a change packs the folders on its way and no others', async () => {
  const archiver = new TreeArchiver();
  const many = Object.fromEntries(
    Array.from({ length: 200 }, (_, at) => [`apps/app-${at}/x.yaml`, `n: ${at}\n`]),
  );
  await pack(archiver, memoryTree(many), 'rules');
  const reads: string[] = [];
  const changed = memoryTree({ ...many, 'apps/app-7/x.yaml': 'n: changed\n' });
  const spied: FileTree = {
    ...changed,
    readFile: (path) => {
      reads.push(path);
      return changed.readFile(path);
    },
  };
  const bytes = await pack(archiver, spied, 'rules');
  assert.deepEqual(reads, ['apps/app-7/x.yaml']);
  const tree = await readArchive(bytes);
  assert.equal(Buffer.from(tree.readFile('apps/app-7/x.yaml') ?? []).toString(), 'n: changed\n');
});

test('what is no archive, or too large unpacked, is refused', async () => {
  const bomb = gzipSync(Buffer.alloc(4 * 1024 * 1024));
  await assert.rejects(readArchive(bomb, { bytesMax: 1024 * 1024 }), /unpacks to more than/);
  await assert.rejects(readArchive(Buffer.from([0x1f, 0x8b, 1, 2, 3])), /no sound gzip/);
  await assert.rejects(
    readArchive(Buffer.from('<html>not an archive</html>')),
    /cut off or damaged/,
  );
});
