import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { readText } from '@capstan/lib-files';
import { commitFiles } from './commit-files.ts';
import { packIn } from './fetch-new-objects.ts';
import { initMirror } from './init-mirror.ts';
import { Mirror } from './mirror.ts';
import { readPack } from './read-pack.ts';
import { runGit } from './run-git.ts';
import { createGitHost } from './serve-git.ts';

let folder: string;
let server: Server;
let url = '';
let requests: string[] = [];
/** The host closes the connection of the next request without an answer. */
let cutsNext = false;
/** What the host answers to a fetch of ours instead of its own answer. */
let instead: ((body: Buffer) => Buffer | undefined) | undefined;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'git-new-'));
  const find = (path: string) => ({ folder: join(folder, path) });
  const host = createGitHost({ find });
  server = createServer(spyOn(host));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

/** Git names itself otherwise than we do. */
function spyOn(host: RequestListener): RequestListener {
  return (request, response) => {
    const isOurs = request.headers['user-agent']?.includes('capstan') === true;
    requests.push(`${isOurs ? 'own' : 'git'} ${request.method}`);
    if (cutsNext) {
      cutsNext = false;
      return void request.socket.destroy();
    }
    if (!isOurs || instead === undefined) return host(request, response);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = instead?.(Buffer.concat(chunks));
      if (answer === undefined) response.writeHead(500).end();
      else {
        response.writeHead(200, { 'Content-Type': 'application/x-git-upload-pack-result' });
        response.end(answer);
      }
    });
  };
}

async function git(gitDir: string, args: readonly string[], input = ''): Promise<string> {
  const result = await runGit(args, { gitDir, input });
  assert.equal(result.code, 0, `git ${args.join(' ')}: ${result.stderr}`);
  return result.stdout.toString('utf8').trim();
}

async function makeOrigin(name: string): Promise<{
  readonly gitDir: string;
  readonly mirror: Mirror;
  readonly mirrorDir: string;
  commit(files: Record<string, string>, branch?: string): Promise<string>;
}> {
  const gitDir = join(folder, `${name}.git`);
  const mirrorDir = join(folder, `${name}-mirror.git`);
  await initMirror(gitDir);
  let at = 1_700_000_000;
  const commit = (files: Record<string, string>, branch = 'main') =>
    commitFiles({
      gitDir,
      branch,
      files,
      message: `At ${++at}`,
      author: { name: 'Ann', email: 'ann@example.com' },
      at,
    });
  return {
    gitDir,
    mirrorDir,
    mirror: new Mirror({ folder: mirrorDir, url: `${url}/${name}.git` }),
    commit,
  };
}

/** All that a commit leads to, as git itself lists it: it stops at what is missing. */
const listed = (gitDir: string, id: string) => git(gitDir, ['rev-list', '--objects', id]);

test('new commits cost one request beside that for the refs, and git finds all of them here', async () => {
  const { gitDir, mirrorDir, mirror, commit } = await makeOrigin('plain');
  await commit({ 'app/a.yaml': 'a', 'app/deep/b.yaml': 'b', 'other/c.yaml': 'c' });
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  const steps: readonly (readonly [what: string, make: () => Promise<string>])[] = [
    ['a change', () => commit({ 'app/a.yaml': 'a2' })],
    ['a new folder', () => commit({ 'new/folder/d.yaml': 'd' })],
    ['two commits', () => commit({ x: '1' }).then(() => commit({ x: '2', y: '1' }))],
    ['a large file, changed a little', () => commit({ big: `${'line\n'.repeat(5_000)}1` })],
    ['the same once more', () => commit({ big: `${'line\n'.repeat(5_000)}2` })],
    ['a merge', () => merge(gitDir)],
    ['a renamed folder', () => rename(gitDir)],
  ];
  for (const [what, make] of steps) {
    const made = await make();
    requests = [];
    const { commit: found } = await mirror.resolve({ kind: 'branch', branch: 'main' });
    assert.equal(found, made, what);
    assert.deepEqual(requests, ['own POST', 'own POST'], what);
    assert.equal(await listed(mirrorDir, made), await listed(gitDir, made), what);
  }
  assert.deepEqual(
    readdirSync(join(mirrorDir, 'objects')).filter((name) => name.startsWith('tmp')),
    [],
  );
});

/** Two lines of work from an older commit, joined. */
async function merge(gitDir: string): Promise<string> {
  const main = await git(gitDir, ['rev-parse', 'main']);
  const older = await git(gitDir, ['rev-parse', 'main~2']);
  const tree = await git(gitDir, ['rev-parse', `${main}^{tree}`]);
  const who = ['-c', 'user.name=Ann', '-c', 'user.email=a@b'];
  const side = await git(gitDir, [...who, 'commit-tree', '-p', older, '-m', 'side', tree]);
  const id = await git(gitDir, [...who, 'commit-tree', '-p', main, '-p', side, '-m', 'm', tree]);
  await git(gitDir, ['update-ref', 'refs/heads/main', id]);
  return id;
}

async function rename(gitDir: string): Promise<string> {
  const main = await git(gitDir, ['rev-parse', 'main']);
  const lines = (await git(gitDir, ['ls-tree', main])).replace('\tapp', '\trenamed');
  const tree = await git(gitDir, ['mktree'], `${lines}\n`);
  const who = ['-c', 'user.name=Ann', '-c', 'user.email=a@b'];
  const id = await git(gitDir, [...who, 'commit-tree', '-p', main, '-m', 'rename', tree]);
  await git(gitDir, ['update-ref', 'refs/heads/main', id]);
  return id;
}

test('branches and tags that are new come the same way, annotated ones too', async () => {
  const { gitDir, mirrorDir, mirror, commit } = await makeOrigin('tags');
  await commit({ a: '1' });
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  const tagged = await commit({ a: '2' });
  const who = ['-c', 'user.name=Ann', '-c', 'user.email=a@b'];
  await git(gitDir, [...who, 'tag', '-a', '-m', 'one', 'v1', tagged]);
  const aside = await commit({ b: '1' }, 'aside');
  requests = [];
  assert.equal((await mirror.resolve({ kind: 'any', name: 'v1' })).commit, tagged);
  const known = await mirror.resolve({ kind: 'branch', branch: 'aside' }, { useKnownRefs: true });
  assert.equal(known.commit, aside);
  assert.deepEqual(requests, ['own POST', 'own POST'], 'all at once');
  const tag = await git(gitDir, ['rev-parse', 'v1']);
  assert.equal(await listed(mirrorDir, tag), await listed(gitDir, tag));
});

test('what is many, and what was never fetched, is fetched by git', async () => {
  const { gitDir, mirrorDir, mirror, commit } = await makeOrigin('many');
  await commit({ a: '1' });
  requests = [];
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  assert.ok(requests.includes('git POST'));
  const names = Array.from({ length: 120 }, (_, i) => [`f${i}`, `${i}`] as const);
  const made = await commit(Object.fromEntries(names));
  requests = [];
  assert.equal((await mirror.resolve({ kind: 'branch', branch: 'main' })).commit, made);
  assert.ok(requests.includes('git POST'));
  assert.equal(await listed(mirrorDir, made), await listed(gitDir, made));
});

test('what git fetches is there in one piece, so that no commit is without its files', async () => {
  const { mirror, mirrorDir, commit, gitDir } = await makeOrigin('pieces');
  await commit({ a: '1' });
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  for (const text of ['2', '3']) {
    const made = await commit({ a: text });
    // Another process, which has not fetched yet.
    const next = new Mirror({ folder: mirrorDir, url: `${url}/pieces.git` });
    assert.equal((await next.resolve({ kind: 'branch', branch: 'main' })).commit, made);
    assert.equal(await listed(mirrorDir, made), await listed(gitDir, made));
  }
  const folders = readdirSync(join(mirrorDir, 'objects')).filter((name) => name.length === 2);
  assert.deepEqual(folders, [], 'no loose object');
});

test('a commit whose folder is missing is fetched again', async () => {
  const { mirror, mirrorDir, commit, gitDir } = await makeOrigin('torn');
  await commit({ a: '1' });
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  const made = await commit({ a: '2' });
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  const tree = await git(gitDir, ['rev-parse', `${made}^{tree}`]);
  rmSync(join(mirrorDir, 'objects', tree.slice(0, 2), tree.slice(2)));
  const next = new Mirror({ folder: mirrorDir, url: `${url}/torn.git` });
  for (const query of [
    { kind: 'branch', branch: 'main' } as const,
    { kind: 'commit', commit: made } as const,
  ]) {
    assert.equal((await next.resolve(query)).commit, made);
    assert.equal(readText(next.tree(made), 'a'), '2');
  }
  assert.equal(await listed(mirrorDir, made), await listed(gitDir, made));
});

test('an answer that is damaged, or lacks something, is not taken for a fetch', async () => {
  const { gitDir, mirrorDir, mirror, commit } = await makeOrigin('damaged');
  await commit({ 'app/a.yaml': '1', 'other/b.yaml': '1' });
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  const packOf = async (ids: readonly string[]) => {
    const args = ['pack-objects', '--stdout', '-q'];
    const result = await runGit(args, { gitDir, input: `${ids.join('\n')}\n` });
    return result.stdout;
  };
  const rows: readonly (readonly [
    what: string,
    make: (ids: readonly string[]) => Promise<Buffer>,
  ])[] = [
    ['only the commit', async ([first = '']) => inPackets(await packOf([first]))],
    ['without the last', async (ids) => inPackets(await packOf(ids.slice(0, -1)))],
    ['cut short', async (ids) => inPackets((await packOf(ids)).subarray(0, -30))],
    ['no pack', async () => Buffer.from('000bnothing0000')],
    ['an error', async () => Buffer.from('000dpackfile\n000b\x03wrong!0000')],
  ];
  for (const [what, make] of rows) {
    const made = await commit({ 'app/a.yaml': what });
    const ids = (await git(gitDir, ['rev-list', '--objects', `${made}~1..${made}`]))
      .split('\n')
      .map((line) => line.slice(0, 40));
    const answer = await make(ids);
    const refs = `003d${made} refs/heads/main\n0000`;
    instead = (body) => (body.includes('command=ls-refs') ? Buffer.from(refs) : answer);
    requests = [];
    const { commit: found } = await mirror.resolve({ kind: 'branch', branch: 'main' });
    instead = undefined;
    assert.equal(found, made, what);
    assert.ok(requests.includes('git POST'), `${what}: git fetched`);
    assert.equal(await listed(mirrorDir, made), await listed(gitDir, made), what);
  }
});

function inPackets(pack: Buffer): Buffer {
  const data = Buffer.concat([Buffer.from([1]), pack]);
  const head = Buffer.from(`000dpackfile\n${(data.length + 4).toString(16).padStart(4, '0')}`);
  return Buffer.concat([head, data, Buffer.from('0000')]);
}

/** Of fewer than 2,048 bytes each. */
function packOfBlobs(blobs: readonly Buffer[]): Buffer {
  const head = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
  head.writeUInt32BE(blobs.length, 8);
  const entries = blobs.flatMap((blob) => {
    const size = Buffer.from([0x80 | (3 << 4) | (blob.length & 15), blob.length >> 4]);
    return [size, deflateSync(blob)];
  });
  const pack = Buffer.concat([head, ...entries]);
  return Buffer.concat([pack, createHash('sha1').update(pack).digest()]);
}

test('a pack is read whole or not at all', () => {
  const limits = { objectsMax: 10, objectBytesMax: 1_000, bytesMax: 1_500 };
  const options = { ...limits, readBase: () => undefined };
  assert.throws(() => readPack(Buffer.from('PACK'), options), { code: 'GIT_OBJECT_CORRUPT' });
  const zeros = packOfBlobs([Buffer.alloc(900), Buffer.alloc(600)]);
  assert.deepEqual(
    readPack(zeros, options)?.map(({ bytes }) => bytes.length),
    [900, 600],
  );
  const more = packOfBlobs([Buffer.alloc(900), Buffer.alloc(601)]);
  assert.throws(() => readPack(more, options), { code: 'GIT_OBJECT_CORRUPT' });
  assert.equal(packIn(Buffer.from('000dpackfile\n')), undefined, 'without its end');
});

test('a server that is busy for a moment, or closes a connection that was kept, is not left to git for good', async () => {
  const { mirror, commit } = await makeOrigin('busy');
  const first = await commit({ a: '1' });
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  cutsNext = true;
  requests = [];
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  assert.deepEqual(requests, ['own POST', 'own POST'], 'on another connection');
  instead = () => undefined;
  assert.equal((await mirror.resolve({ kind: 'branch', branch: 'main' })).commit, first);
  instead = undefined;
  const second = await commit({ a: '2' });
  requests = [];
  assert.equal((await mirror.resolve({ kind: 'branch', branch: 'main' })).commit, second);
  assert.deepEqual(requests, ['own POST', 'own POST']);
});
