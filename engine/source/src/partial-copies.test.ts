import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readText } from '@capstan/lib-files';
import { commitFiles, createGitHost, initMirror } from '@capstan/lib-git';
import { ManualClock } from '@capstan/lib-std';
import { createSourceStore } from './create-source-store.ts';
import type { GitSourceSpec } from './source-spec.ts';
import type { SourceStore } from './store-types.ts';

const BIG = 'x'.repeat(100_000);
const LOGIN = { username: 'ann', password: 'p@ss' };
let folder: string;
let server: Server;
let url: string;
let store: SourceStore;
let fetches = 0;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'partial-'));
  await initMirror(join(folder, 'origin.git'));
  const find = () => ({ folder: join(folder, 'origin.git') });
  const host = createGitHost({ find, basicAuth: LOGIN });
  server = createServer((request, response) => {
    if (request.method === 'POST') fetches++;
    host(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mono.git`;
  store = createSourceStore({
    folder: join(folder, 'cache'),
    clock: new ManualClock(),
    random: () => 0.5,
  });
});
after(async () => {
  await store.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function commit(files: Readonly<Record<string, string | null>>): Promise<string> {
  return commitFiles({
    gitDir: join(folder, 'origin.git'),
    branch: 'main',
    files,
    message: 'Change\n',
    author: { name: 'Ann', email: 'ann@example.com' },
    at: 1_700_000_000,
  });
}

const spec: GitSourceSpec = {
  kind: 'git',
  get url() {
    return url;
  },
  revision: { kind: 'branch', branch: 'main' },
  auth: LOGIN,
  sparse: ['apps/web'],
};

/** Contents that are on disk, by size. */
function blobSizes(): readonly number[] {
  const mirrors = join(folder, 'cache', 'git');
  const [name = ''] = readdirSync(mirrors);
  const format = '--batch-check=%(objecttype) %(objectsize)';
  const args = ['cat-file', '--batch-all-objects', '--unordered', format];
  return execFileSync('git', args, { cwd: join(mirrors, name), encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('blob '))
    .map((line) => Number(line.slice('blob '.length)))
    .sort((a, b) => a - b);
}

test('of a sparse checkout only those files are fetched, in one request for each commit that changes them', async () => {
  await commit({ 'apps/web/a.yaml': 'one', 'apps/web/b/c.yaml': 'four', 'media/big.bin': BIG });
  const first = await store.fetchSnapshot(spec);
  assert.equal(readText(first.files, 'apps/web/b/c.yaml'), 'four');
  assert.deepEqual(blobSizes(), [3, 4]);
  await commit({ 'media/big.bin': `${BIG}y` });
  fetches = 0;
  const beside = await store.fetchSnapshot(spec);
  assert.equal(readText(beside.files, 'apps/web/a.yaml'), 'one');
  const forCommit = fetches;
  await commit({ 'apps/web/a.yaml': 'three', 'apps/web/new.yaml': '' });
  fetches = 0;
  const changed = await store.fetchSnapshot(spec);
  assert.equal(readText(changed.files, 'apps/web/a.yaml'), 'three');
  assert.equal(readText(changed.files, 'apps/web/new.yaml'), '');
  assert.equal(fetches, forCommit + 1, 'once for the files');
  assert.deepEqual(store.changedPaths(beside, changed), ['apps/web/a.yaml', 'apps/web/new.yaml']);
  assert.deepEqual(blobSizes(), [0, 3, 4, 5]);
});

test('a copy that was deleted is made again, with its files', async () => {
  rmSync(join(folder, 'cache', 'git'), { recursive: true });
  const again = await store.fetchSnapshot(spec);
  assert.equal(readText(again.files, 'apps/web/b/c.yaml'), 'four');
  assert.deepEqual(blobSizes(), [0, 4, 5]);
});

test('who reads all of it has a whole copy of his own', async () => {
  const { sparse: _, ...whole } = spec;
  const snapshot = await store.fetchSnapshot({ ...whole, url });
  assert.equal(readText(snapshot.files, 'media/big.bin')?.length, BIG.length + 1);
});
