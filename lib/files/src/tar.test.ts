import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type FileTree,
  joinPath,
  memoryTree,
  overlayAt,
  readText,
  tarEnd,
  tarFile,
  tarFolder,
  treeOfTar,
} from './index.ts';

const LIMITS = { entriesMax: 1000, others: 'refuse' } as const;
const bytes = (text: string) => new TextEncoder().encode(text);
const DEEP = `${'a'.repeat(60)}/${'b'.repeat(80)}`;
const LONG = 'c'.repeat(180);

function archive(): Buffer {
  return Buffer.concat([
    tarFolder('.'),
    tarFolder('sub'),
    tarFile('sub/é.txt', bytes('hi'), false),
    tarFile(DEEP, bytes('x'), true),
    tarFile(LONG, bytes('long'), false),
    tarEnd(),
  ]);
}

function show(tree: FileTree, path = ''): readonly string[] {
  return (tree.readDirectory(path) ?? []).flatMap(({ name, kind, executable }) => {
    const at = joinPath(path, name);
    if (kind === 'directory') return [`${at}/`, ...show(tree, at)];
    return [`${at}${executable === true ? '*' : ''} ${readText(tree, at)}`];
  });
}

test('what is written is read again, with long and foreign names', () => {
  assert.deepEqual(show(treeOfTar(archive(), LIMITS)), [
    `${'a'.repeat(60)}/`,
    `${DEEP}* x`,
    `${LONG} long`,
    'sub/',
    'sub/é.txt hi',
  ]);
});

test('the tar command reads what is written, and is read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-tar-'));
  try {
    writeFileSync(join(folder, 'ours.tar'), archive());
    execFileSync('tar', ['xf', 'ours.tar'], { cwd: folder });
    assert.equal(readFileSync(join(folder, LONG), 'utf8'), 'long');
    assert.equal(readFileSync(join(folder, 'sub/é.txt'), 'utf8'), 'hi');
    for (const format of ['gnu', 'pax', 'ustar']) {
      execFileSync('tar', ['cf', 'theirs.tar', `--format=${format}`, 'sub', DEEP], { cwd: folder });
      const tree = treeOfTar(readFileSync(join(folder, 'theirs.tar')), LIMITS);
      assert.equal(readText(tree, DEEP), 'x');
      assert.equal(readText(tree, 'sub/é.txt'), 'hi');
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what leads out, links, too much and damage are refused', () => {
  const refused = (content: Uint8Array, pattern: RegExp) =>
    assert.throws(() => treeOfTar(Buffer.concat([content, tarEnd()]), LIMITS), pattern);
  refused(tarFile('../x', bytes('x'), false), /leads out/);
  refused(tarFile('/etc/x', bytes('x'), false), /leads out/);
  refused(tarFile('a\\..\\..\\x', bytes('x'), false), /leads out/);
  refused(
    Buffer.concat([tarFile('a', bytes('x'), false), tarFile('a/b', bytes('x'), false)]),
    /a file and a folder/,
  );
  const link = Buffer.from(tarFile('link', bytes(''), false));
  link[156] = 0x32;
  link[153]! += 2;
  refused(link, /neither a file nor a folder/);
  assert.deepEqual(show(treeOfTar(link, { ...LIMITS, others: 'skip' })), []);
  const many = Buffer.concat(Array.from({ length: 1001 }, (_, at) => tarFolder(`f${at}`)));
  refused(many, /more than 1000 entries/);
  assert.throws(() => treeOfTar(archive().subarray(0, 1600), LIMITS), /cut off or damaged/);
  const damaged = archive();
  damaged[3] = 7;
  assert.throws(() => treeOfTar(damaged, LIMITS), /a header is damaged/);
});

test('a tree is laid over another at a path', () => {
  const lower = memoryTree({ 'a/one': '1', 'a/two': '2', top: 't' });
  const upper = memoryTree({ two: 'II', 'three/x': '3' });
  assert.deepEqual(show(overlayAt(lower, 'a', upper)), [
    'a/',
    'a/one 1',
    'a/three/',
    'a/three/x 3',
    'a/two II',
    'top t',
  ]);
  assert.deepEqual(show(overlayAt(lower, 'n/m', upper)), [
    'a/',
    'a/one 1',
    'a/two 2',
    'n/',
    'n/m/',
    'n/m/three/',
    'n/m/three/x 3',
    'n/m/two II',
    'top t',
  ]);
  const hiding = show(overlayAt(lower, '', memoryTree({ a: 'file' })));
  assert.deepEqual(hiding, ['a file', 'top t']);
});
