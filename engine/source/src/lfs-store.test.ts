import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { memoryTree, readText } from '@capstan/lib-files';
import { commitFiles, createGitHost, initMirror } from '@capstan/lib-git';
import { CapstanError, ManualClock } from '@capstan/lib-std';
import { createSourceStore } from './create-source-store.ts';
import { findPointers, parsePointer } from './lfs-files.ts';
import type { GitSourceSpec } from './source-spec.ts';
import type { SourceStore } from './store-types.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const pointer = (text: string, size = text.length) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${sha(text)}\nsize ${size}\n`;
const CONTENT = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: large}\n';
const LOGIN = { username: 'ann', password: 's3cret' };

let folder: string;
let url: string;
let elsewhere: string;
let served: string | undefined;
const asked: string[] = [];
const stores: SourceStore[] = [];

/** The batch API as the specification has it, and a store at another address that needs a header of its own. */
function answerLfs(request: IncomingMessage, response: ServerResponse): void {
  const basic = `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64')}`;
  const authorization = request.headers.authorization ?? '';
  if (request.url === '/team/app.git/info/lfs/objects/batch') {
    asked.push(`batch ${authorization === basic ? 'ann' : 'nobody'}`);
    if (authorization !== basic) return void response.writeHead(401).end();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { objects } = JSON.parse(Buffer.concat(chunks).toString()) as {
        objects: { oid: string; size: number }[];
      };
      const answered = objects.map(({ oid, size }) =>
        served === undefined
          ? { oid, size, error: { code: 404, message: 'Object does not exist' } }
          : {
              oid,
              size,
              actions: { download: { href: `${elsewhere}/${oid}`, header: { 'X-Key': 'k' } } },
            },
      );
      response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' });
      response.end(JSON.stringify({ transfer: 'basic', objects: answered }));
    });
    return;
  }
  response.writeHead(404).end();
}

const store = createServer((request, response) => {
  asked.push(`store ${request.headers['x-key']} ${request.headers.authorization ?? 'no login'}`);
  response.writeHead(200).end(served);
});
const host = createGitHost({ find: () => ({ folder: join(folder, 'origin.git') }) });
const server = createServer((request, response) => {
  if (request.url?.includes('/info/lfs') === true) answerLfs(request, response);
  else host(request, response);
});

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lfs-'));
  await initMirror(join(folder, 'origin.git'));
  for (const one of [server, store]) {
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  }
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/team/app`;
  elsewhere = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  await commitFiles({
    gitDir: join(folder, 'origin.git'),
    branch: 'main',
    files: {
      '.gitattributes': '*.big filter=lfs diff=lfs merge=lfs -text\n',
      'app/large.big': pointer(CONTENT),
      'app/plain.yaml': pointer('not kept by LFS'),
    },
    message: 'Keep large files elsewhere\n',
    author: { name: 'Ann', email: 'ann@example.com' },
    at: 1_700_000_000,
  });
});
after(async () => {
  for (const one of stores) await one.close();
  for (const one of [server, store]) {
    one.closeAllConnections();
    one.close();
  }
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  asked.length = 0;
  served = CONTENT;
});

function open(cache = mkdtempSync(join(folder, 'cache-'))): { store: SourceStore; cache: string } {
  const made = createSourceStore({ folder: cache, clock: new ManualClock(), random: () => 0.5 });
  stores.push(made);
  return { store: made, cache };
}

function spec(more: Partial<GitSourceSpec> = {}): GitSourceSpec {
  return { kind: 'git', url, revision: { kind: 'any', name: 'main' }, auth: LOGIN, ...more };
}

test('a pointer is what the specification says, and only where attributes name the filter', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assert.deepEqual(parsePointer(bytes(pointer('x'))), { oid: sha('x'), sizeBytes: 1 });
  for (const text of [
    '',
    'version 1\n',
    pointer('x').replace('sha256', 'md5'),
    pointer('x').repeat(9),
  ]) {
    assert.equal(parsePointer(bytes(text)), undefined, text);
  }
  const tree = memoryTree({
    '.gitattributes': '*.bin filter=lfs\nsmall.bin -filter\n/docs/** filter=lfs\n',
    'a/.gitattributes': '*.bin !filter\n*.dat filter=lfs -text\n',
    'x.bin': pointer('1'),
    'small.bin': pointer('2'),
    'docs/deep/y.txt': pointer('3'),
    'a/z.bin': pointer('4'),
    'a/z.dat': pointer('5'),
    'b/z.dat': pointer('6'),
    'b/text.bin': 'no pointer',
  });
  assert.deepEqual([...findPointers(tree).keys()].sort(), ['a/z.dat', 'docs/deep/y.txt', 'x.bin']);
});

test('files that LFS keeps are read as their content, fetched once with the credentials of the repository', async () => {
  const { store: first, cache } = open();
  const snapshot = await first.fetchSnapshot(spec({ lfs: true }));
  assert.equal(readText(snapshot.files, 'app/large.big'), CONTENT);
  assert.equal(readText(snapshot.files, 'app/plain.yaml'), pointer('not kept by LFS'));
  assert.deepEqual(asked, ['batch ann', 'store k no login']);
  await first.fetchSnapshot(spec({ lfs: true }));
  await open(cache).store.fetchSnapshot(spec({ lfs: true }));
  assert.equal(asked.length, 2, 'another look and another process find it in the cache');
  const bare = await first.fetchSnapshot(spec());
  assert.equal(readText(bare.files, 'app/large.big'), pointer(CONTENT));
  assert.notEqual(bare.digest, snapshot.digest);
});

test('a cache that is deleted while running is filled again', async () => {
  const { store: running, cache } = open();
  const snapshot = await running.fetchSnapshot(spec({ lfs: true }));
  rmSync(join(cache, 'lfs'), { recursive: true });
  assert.throws(
    () => snapshot.files.readFile('app/large.big'),
    (error) => error instanceof CapstanError && error.code === 'LFS_GONE' && error.kind === 'retry',
  );
  const again = await running.fetchSnapshot(spec({ lfs: true }));
  assert.equal(readText(again.files, 'app/large.big'), CONTENT);
});

test('another access has a cache of its own; what is refused, lost or forged is an error that names the repository', async () => {
  const { store: shared } = open();
  await shared.fetchSnapshot(spec({ lfs: true }));
  const fails = (given: GitSourceSpec, message: RegExp) =>
    assert.rejects(shared.fetchSnapshot(given), (error) => {
      assert.ok(error instanceof CapstanError);
      assert.match(error.message, message);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /s3cret/);
      return true;
    });
  const { auth: _auth, ...anonymous } = spec({ lfs: true });
  await fails(anonymous, /what LFS keeps of http.*team\/app: the server answers 401/);
  const other = spec({ lfs: true, auth: { ...LOGIN, insecure: true } });
  served = CONTENT.replace('large', 'other');
  await fails(other, /has another content than its digest says/);
  served = undefined;
  await fails(other, /Object does not exist/);
});
