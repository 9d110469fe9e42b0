import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type FileTree, joinPath, memoryTree, readText } from '@capstan/lib-files';
import { commitFiles, createGitHost, initMirror, runGit } from '@capstan/lib-git';
import { CapstanError, ManualClock } from '@capstan/lib-std';
import { TreeArchiver } from './archive-tree.ts';
import { createSourceStore } from './create-source-store.ts';
import type { ArchiveSourceSpec, GitSourceSpec } from './source-spec.ts';
import type { SourceChange, SourceStore } from './store-types.ts';

let folder: string;
let server: Server;
let port: number;
let archive: { bytes: Buffer; status: number } = { bytes: Buffer.alloc(0), status: 200 };
const seen: { readonly host: string; readonly path: string; readonly authorization: string }[] = [];
const stores: SourceStore[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'compose-'));
  const host = createGitHost({ find: (name) => ({ folder: join(folder, name) }) });
  server = createServer((request, response) => {
    note(request);
    if (request.url === '/artifact.tar.gz') response.writeHead(archive.status).end(archive.bytes);
    else host(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
after(async () => {
  for (const store of stores) await store.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function note(request: IncomingMessage): void {
  const { host = '', authorization = '' } = request.headers;
  seen.push({ host, path: request.url ?? '', authorization });
}

async function repository(name: string, files: Record<string, string>): Promise<string> {
  const gitDir = join(folder, name);
  await initMirror(gitDir);
  const author = { name: 'Ann', email: 'ann@example.com' };
  return commitFiles({
    gitDir,
    branch: 'main',
    files,
    message: 'files',
    author,
    at: 1_700_000_000,
  });
}

/** Adds a gitlink, as `git submodule add` does. */
async function link(name: string, path: string, commit: string): Promise<void> {
  const input = [
    'commit refs/heads/main',
    'committer Ann <ann@example.com> 1700000001 +0000',
    'data 4\nlink\nfrom refs/heads/main^0',
    `M 160000 ${commit} ${path}`,
    '\ndone\n',
  ].join('\n');
  const gitDir = join(folder, name);
  const { code, stderr } = await runGit(['fast-import', '--quiet', '--done'], { gitDir, input });
  assert.equal(code, 0, stderr);
}

function open(clock = new ManualClock()): SourceStore {
  const cache = mkdtempSync(join(folder, 'cache-'));
  const store = createSourceStore({ folder: cache, clock, random: () => 0.5 });
  stores.push(store);
  return store;
}

const spec = (name: string, more: Partial<GitSourceSpec> = {}): GitSourceSpec => ({
  kind: 'git',
  url: `http://127.0.0.1:${port}/${name}`,
  revision: { kind: 'branch', branch: 'main' },
  ...more,
});

function show(tree: FileTree, path = ''): readonly string[] {
  return (tree.readDirectory(path) ?? []).flatMap(({ name, kind }) => {
    const at = joinPath(path, name);
    return kind === 'directory' ? show(tree, at) : [`${at}=${readText(tree, at)}`];
  });
}

test('submodules are filled at their commits, nested ones too, when that is asked for', async () => {
  const inner = await repository('inner.git', { deep: 'd' });
  await repository('middle.git', {
    m: 'm',
    '.gitmodules': '[submodule "inner"]\n\tpath = lib/inner\n\turl = ../inner.git\n',
  });
  await link('middle.git', 'lib/inner', inner);
  const middle = (await open().fetchSnapshot(spec('middle.git'))).revision.id;
  await repository('outer.git', {
    o: 'o',
    '.gitmodules':
      '[submodule "middle"]\n\tpath = "vendor/middle" ; where\n\turl = ./../middle.git\n[submodule "gone"]\n\tpath = gone\n\turl = ../nowhere.git\n',
  });
  await link('outer.git', 'vendor/middle', middle);
  const store = open();
  const plain = await store.fetchSnapshot(spec('outer.git'));
  assert.deepEqual(
    show(plain.files).filter((line) => !line.startsWith('.')),
    ['o=o'],
  );
  const filled = await store.fetchSnapshot(spec('outer.git', { submodules: true }));
  assert.deepEqual(
    show(filled.files).filter((line) => !line.includes('.gitmodules')),
    ['o=o', 'vendor/middle/lib/inner/deep=d', 'vendor/middle/m=m'],
  );
  assert.notEqual(filled.digest, plain.digest);
  // A newer commit of the submodule changes what is under its folder, and nothing else.
  await repository('inner.git', { deep: 'D' });
  await link('outer.git', 'vendor/middle', middle);
  assert.equal(
    (await store.fetchSnapshot(spec('outer.git', { submodules: true }))).digest,
    filled.digest,
  );
});

test('credentials go to submodules on the same host and to no other; hostile addresses are refused', async () => {
  const commit = await repository('far.git', { f: 'f' });
  const modules = (url: string) => ({
    '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ${url}\n`,
  });
  const auth = { username: 'u', password: 's3cret-canary' };
  for (const [name, host, sent] of [
    ['same.git', '127.0.0.1', true],
    ['other.git', 'localhost', false],
  ] as const) {
    await repository(name, modules(`http://${host}:${port}/far.git`));
    await link(name, 'x', commit);
    seen.length = 0;
    const { files } = await open().fetchSnapshot(spec(name, { submodules: true, auth }));
    assert.equal(readText(files, 'x/f'), 'f');
    const asked = seen.filter(({ path }) => path.startsWith('/far.git'));
    assert.ok(asked.length > 0);
    assert.ok(
      asked.every(({ authorization }) => (authorization !== '') === sent),
      name,
    );
  }
  const hostile: readonly (readonly [string, string])[] = [
    ['file:///etc', 'GIT_PROTOCOL_FORBIDDEN'],
    ['ext::sh -c touch% /tmp/pwned', 'GIT_URL_INVALID'],
    ['-u./payload', 'GIT_URL_INVALID'],
    ['/etc', 'GIT_PROTOCOL_FORBIDDEN'],
    ['../../../../x', 'GIT_URL_INVALID'],
  ];
  for (const [url, code] of hostile) {
    const name = `hostile-${hostile.findIndex(([one]) => one === url)}.git`;
    await repository(name, modules(url));
    await link(name, 'x', commit);
    await assert.rejects(
      open().fetchSnapshot(spec(name, { submodules: true })),
      (error: unknown) => error instanceof CapstanError && error.code === code,
      url,
    );
  }
});

test('a sparse source shows its folders, and says which one is missing', async () => {
  await repository('sparse.git', { top: 't', 'a/x': '1', 'ab/y': '2', 'b/z': '3', 'b/c/w': '4' });
  const store = open();
  const seenFiles = async (sparse: readonly string[]) =>
    show((await store.fetchSnapshot(spec('sparse.git', { sparse }))).files);
  assert.deepEqual(await seenFiles(['./b/c']), ['b/c/w=4']);
  assert.deepEqual(await seenFiles(['a']), ['a/x=1', 'ab/y=2']);
  await assert.rejects(seenFiles(['a', 'nope']), /'nope' does not exist in repository/);
});

async function pack(files: Record<string, string>): Promise<{ bytes: Buffer; digest: string }> {
  const bytes = Buffer.concat(await Array.fromAsync(new TreeArchiver().archive(memoryTree(files))));
  const hash = await crypto.subtle.digest('SHA-256', bytes);
  return { bytes, digest: `sha256:${Buffer.from(hash).toString('hex')}` };
}

const archiveSpec = (digest: string): ArchiveSourceSpec => ({
  kind: 'archive',
  url: `http://127.0.0.1:${port}/artifact.tar.gz`,
  name: 'OCIRepository/apps/web',
  revision: { kind: 'archive', id: 'latest@sha256:abc' },
  digest,
});

test('an archive is fetched once, and only with the digest that was told', async () => {
  const { bytes, digest } = await pack({ 'a/b.yaml': 'b: 1\n' });
  archive = { bytes, status: 200 };
  const store = open();
  seen.length = 0;
  const both = await Promise.all([1, 2].map(() => store.fetchSnapshot(archiveSpec(digest))));
  assert.equal(seen.length, 1);
  assert.equal(both[0], both[1]);
  assert.deepEqual(show(both[0]!.files), ['a/b.yaml=b: 1\n']);
  assert.deepEqual(both[0]!.revision, { id: 'latest@sha256:abc', name: '' });
  const wrong = archiveSpec(`sha256:${'0'.repeat(64)}`);
  await assert.rejects(store.fetchSnapshot(wrong), /has the digest sha256:/);
});

test('a watched archive that cannot be read yet is told, tried again, and told again', async () => {
  const { bytes, digest } = await pack({ a: '1' });
  archive = { bytes, status: 503 };
  const clock = new ManualClock();
  const changes: SourceChange[] = [];
  let wake: () => void = () => undefined;
  const told = () => new Promise<void>((resolve) => (wake = resolve));
  const first = told();
  const stop = open(clock).watch(archiveSpec(digest), {
    intervalMs: 60_000,
    onChange: (change) => {
      changes.push(change);
      wake();
    },
  });
  await first;
  archive = { bytes, status: 200 };
  const second = told();
  // The retry is armed once the failure is told.
  for (let step = 0; step < 100 && changes.length < 2; step++) {
    clock.advance(5_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await second;
  stop();
  assert.deepEqual(
    changes.map(({ kind }) => kind),
    ['error', 'snapshot'],
  );
});
