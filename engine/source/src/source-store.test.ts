import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readText } from '@capstan/lib-files';
import { commitFiles, createGitHost, initMirror } from '@capstan/lib-git';
import { ManualClock } from '@capstan/lib-std';
import { createSourceStore } from './create-source-store.ts';
import { GitSources } from './git-sources.ts';
import type { GitSourceSpec } from './source-spec.ts';
import type { SourceChange, SourceStore } from './store-types.ts';

let folder: string;
let server: Server;
let url: string;
let requests = 0;
let isDown = false;
const stores: SourceStore[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'source-'));
  await initMirror(join(folder, 'origin.git'));
  const host = createGitHost({ find: () => ({ folder: join(folder, 'origin.git') }) });
  server = createServer((request, response) => {
    if (request.url?.includes('/info/refs') === true) requests++;
    if (isDown) response.writeHead(503).end();
    else host(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/team/app.git`;
  await commit('one');
});
after(async () => {
  for (const store of stores) await store.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function commit(text: string, branch = 'main'): Promise<string> {
  return commitFiles({
    gitDir: join(folder, 'origin.git'),
    branch,
    files: { 'app/config.yaml': text, 'docs/readme.md': text },
    message: `Set ${text}\n\nBecause.\n`,
    author: { name: 'Ann', email: 'ann@example.com' },
    at: 1_700_000_000,
  });
}

function open(clock = new ManualClock()): SourceStore {
  const cache = mkdtempSync(join(folder, 'cache-'));
  const store = createSourceStore({ folder: cache, clock, random: () => 0.5 });
  stores.push(store);
  return store;
}

const spec = (name = 'main'): GitSourceSpec => ({
  kind: 'git',
  url,
  revision: { kind: 'any', name },
});

/** Collects what a watch is told; `next` waits for the n-th change. */
function collect(): {
  readonly onChange: (change: SourceChange) => void;
  next(n: number): Promise<SourceChange>;
} {
  const seen: SourceChange[] = [];
  let wake: () => void = () => undefined;
  return {
    onChange: (change) => {
      seen.push(change);
      wake();
    },
    next: async (n) => {
      while (seen.length < n) await new Promise<void>((resolve) => (wake = resolve));
      return seen[n - 1]!;
    },
  };
}

function textOf(change: SourceChange): string | undefined {
  return change.kind === 'snapshot'
    ? readText(change.snapshot.files, 'app/config.yaml')
    : change.error.code;
}

test('many deliveries of one repository cost one look at the remote', async () => {
  const store = open();
  requests = 0;
  const all = await Promise.all(Array.from({ length: 50 }, () => store.fetchSnapshot(spec())));
  assert.ok(requests <= 2, `${requests} requests`);
  assert.equal(new Set(all).size, 1, 'they share one snapshot');
  requests = 0;
  await store.fetchSnapshot(spec(), { maxAgeMs: 60_000 });
  assert.equal(requests, 0);
});

test('a snapshot says its revision, and equal content has an equal digest', async () => {
  const store = open();
  const main = await store.fetchSnapshot(spec('HEAD'));
  assert.equal(main.revision.name, 'HEAD');
  const byId = await store.fetchSnapshot(spec(main.revision.id));
  assert.equal(byId.digest, main.digest);
  assert.deepEqual(byId.revision, { id: main.revision.id, name: '' });
  const summary = await store.describeRevision(spec(), main.revision.id);
  assert.equal(summary?.author, 'Ann');
  assert.equal(summary?.date, '2023-11-14T22:13:20Z');
  assert.deepEqual(store.findCommit(url.replace('.git', ''), main.revision.id), summary);
  assert.equal(store.findCommit(url, 'not-an-id'), undefined);
  const next = await store.fetchSnapshot(spec(await commit('two')));
  assert.deepEqual(store.changedPaths(main, next), ['app/config.yaml', 'docs/readme.md']);
  const before = await store.snapshotAt(spec(), main.revision.id);
  assert.equal(readText(before!.files, 'app/config.yaml'), readText(main.files, 'app/config.yaml'));
  assert.equal(await store.snapshotAt(spec(), '1'.repeat(40)), undefined);
});

test('ignored files are not there, and count into the digest', async () => {
  const store = open();
  const all = await store.fetchSnapshot(spec());
  const some = await store.fetchSnapshot({ ...spec(), ignore: { patterns: 'docs/' } });
  assert.equal(some.files.stat('docs'), undefined);
  assert.notEqual(some.digest, all.digest);
});

test('a watch is told once a change: by polling, and at once by a webhook however the address is spelled', async () => {
  const clock = new ManualClock();
  const store = open(clock);
  await commit('start');
  const told = collect();
  const stop = store.watch(spec(), { intervalMs: 60_000, onChange: told.onChange });
  assert.equal(textOf(await told.next(1)), 'start');
  await commit('polled');
  assert.equal(textOf(await advanceUntil(clock, 60_000, told.next(2))), 'polled');
  await commit('pushed');
  assert.equal(store.notify(url.replace('.git', '/').toUpperCase().replace('HTTP', 'http')), 1);
  assert.equal(textOf(await told.next(3)), 'pushed');
  stop();
  requests = 0;
  clock.advance(600_000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(requests, 0);
});

test('a remote that fails is tried again sooner than the interval, and recovers by itself', async () => {
  const clock = new ManualClock();
  const store = open(clock);
  const told = collect();
  store.watch(spec(), { intervalMs: 600_000, onChange: told.onChange });
  await told.next(1);
  isDown = true;
  store.notify(url);
  assert.equal(textOf(await told.next(2)), 'GIT_HOST_UNREACHABLE');
  isDown = false;
  const advanced = clock.now();
  assert.equal((await advanceUntil(clock, 1_000, told.next(3))).kind, 'snapshot');
  assert.ok(clock.now() - advanced < 600_000);
});

test('a watch of a missing revision is told so, and again when it appears', async () => {
  const store = open();
  const told = collect();
  store.watch(spec('later'), { intervalMs: 60_000, onChange: told.onChange });
  assert.equal(textOf(await told.next(1)), 'GIT_REVISION_UNKNOWN');
  await commit('late', 'later');
  store.notify(url);
  assert.equal(textOf(await told.next(2)), 'late');
});

test('other credentials never see what was fetched with the first', async () => {
  const store = open();
  const mine = await store.fetchSnapshot({ ...spec(), auth: { username: 'a', password: 'b' } });
  const yours = await store.fetchSnapshot(spec());
  assert.notEqual(mine.source, yours.source);
  assert.doesNotMatch(mine.source, /password|a:b/);
});

test('mirrors that nobody followed for two weeks leave the disk; the others stay', async () => {
  const cache = mkdtempSync(join(folder, 'cache-'));
  const clock = new ManualClock(Date.now());
  const options = { folder: cache, clock, random: () => 0.5 };
  const store = createSourceStore(options);
  const told = collect();
  const stop = store.watch(spec(), { intervalMs: 3_600_000, onChange: told.onChange });
  await told.next(1);
  await store.fetchSnapshot({ ...spec(), auth: { username: 'a', password: 'b' } });
  const mirrors = () => readdirSync(join(cache, 'git'));
  const isMarked = (name: string) => existsSync(join(cache, 'git', name, 'capstan-used'));
  assert.equal(mirrors().length, 2);
  await waitFor(() => mirrors().some(isMarked));
  stop();
  await store.close();
  const old = new Date(Date.now() - 15 * 24 * 3_600_000);
  for (const name of mirrors()) utimesSync(join(cache, 'git', name), old, old);
  const sources = new GitSources({ folder: cache });
  assert.equal(await sources.removeUnused(Date.now()), 1);
  assert.ok(mirrors().length === 1 && mirrors().every(isMarked));
  sources.close();
});

async function waitFor(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !isTrue(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Moves the clock on and on: the poller sets its timer after real sockets and processes, which no clock of ours moves. */
async function advanceUntil<T>(clock: ManualClock, stepMs: number, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => clock.advance(stepMs), 20);
  return await work.finally(() => clearInterval(timer));
}
