import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { readText } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { commitFiles } from './commit-files.ts';
import { initMirror } from './init-mirror.ts';
import { listRefs, parseListedRefs } from './list-refs.ts';
import { Mirror, type MirrorOptions } from './mirror.ts';
import { ObjectCache } from './object-cache.ts';
import { parseRemoteRefs } from './remote-refs.ts';
import { RemoteClient } from './remote-request.ts';
import { parseRemoteUrl } from './remote-url.ts';
import { gitEnvironment, runGit } from './run-git.ts';
import { createGitHost, type RefUpdate } from './serve-git.ts';

const run = promisify(execFile);
const SECRET = 'p@ss/w0rd-canary';
let folder: string;
let origin: string;
let plain: Running;
let locked: Running;
const pushes: { path: string; updates: readonly RefUpdate[] }[] = [];
let requests: string[] = [];

interface Running {
  readonly server: Server;
  readonly url: string;
}

async function listen(listener: RequestListener): Promise<Running> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function commit(text: string, branch = 'main', at = 1_700_000_000): Promise<string> {
  return commitFiles({
    gitDir: origin,
    branch,
    files: { 'app/config.yaml': text },
    message: `Set ${text}`,
    author: { name: 'Ann', email: 'ann@example.com' },
    at,
  });
}

function openMirror(url: string, options: Partial<MirrorOptions> = {}): Mirror {
  return new Mirror({ folder: join(mkdtempSync(join(folder, 'm-')), 'm.git'), url, ...options });
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'git-mirror-'));
  origin = join(folder, 'origin.git');
  await initMirror(origin);
  await commit('one');
  const find = (path: string) => (path === 'team/app.git' ? { folder: origin } : undefined);
  const host = createGitHost({ find, onPush: (path, updates) => pushes.push({ path, updates }) });
  plain = await listen((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (request.url?.startsWith('/page') === true) response.end('<html>a page</html>');
    else if (request.url?.startsWith('/broken') === true) response.writeHead(503).end();
    else if (request.url?.startsWith('/slow') === true) return;
    else host(request, response);
  });
  locked = await listen(createGitHost({ find, basicAuth: { username: 'ann', password: SECRET } }));
});
after(() => {
  for (const { server } of [plain, locked]) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true });
});

test('a mirror follows a branch, and asks for objects only when it lacks them', async () => {
  const mirror = openMirror(`${plain.url}/team/app.git`);
  const first = await mirror.resolve({ kind: 'any', name: 'HEAD' });
  assert.equal(readText(mirror.tree(first.commit), 'app/config.yaml'), 'one');
  const second = await commit('two');
  assert.equal((await mirror.resolve({ kind: 'branch', branch: 'main' })).commit, second);
  assert.equal(readText(mirror.tree(second), 'app/config.yaml'), 'two');
  assert.equal(readText(mirror.tree(first.commit), 'app/config.yaml'), 'one');
  requests = [];
  await mirror.resolve({ kind: 'branch', branch: 'main' });
  assert.deepEqual(requests, ['POST /team/app.git/git-upload-pack']);
  requests = [];
  assert.equal((await mirror.resolve({ kind: 'commit', commit: second })).commit, second);
  assert.deepEqual(requests, []);
});

test('a commit is pushed to a branch that stands where it should, and to no other', async () => {
  const pushable = join(folder, 'pushable.git');
  await initMirror(pushable);
  const gitDir = join(mkdtempSync(join(folder, 'm-')), 'm.git');
  const mirror = new Mirror({ folder: gitDir, url: pushable, allowFile: true });
  await initMirror(gitDir);
  const write = (text: string) =>
    commitFiles({
      gitDir,
      branch: 'env/prod',
      files: { a: text },
      message: text,
      author: { name: 'Ann', email: 'a@b' },
      at: 1_700_000_000,
    });
  const first = await write('one');
  await mirror.push(first, 'env/prod', undefined);
  const second = await write('two');
  await mirror.push(second, 'env/prod', first);
  assert.equal((await mirror.resolve({ kind: 'branch', branch: 'env/prod' })).commit, second);
  for (const expected of [undefined, first]) {
    const error = await rejection(mirror.push(first, 'env/prod', expected));
    assert.equal(error.code, 'GIT_PUSH_REJECTED', error.message);
  }
  assert.equal((await mirror.resolve({ kind: 'branch', branch: 'env/prod' })).commit, second);
});

test('a shallow mirror fetches what is asked for and no history, and follows the branch', async () => {
  const past = await commit('past');
  const tip = await commit('tip');
  const mirror = openMirror(`${plain.url}/team/app.git`, { depth: 1 });
  const query = { kind: 'branch', branch: 'main' } as const;
  assert.equal((await mirror.resolve(query)).commit, tip);
  assert.equal(readText(mirror.tree(tip), 'app/config.yaml'), 'tip');
  assert.equal(mirror.objects.peelToCommit(past), undefined, 'the one before was not fetched');
  const next = await commit('next');
  assert.equal((await mirror.resolve(query)).commit, next);
  assert.equal(readText(mirror.tree(next), 'app/config.yaml'), 'next');
  assert.equal(readText(mirror.tree(tip), 'app/config.yaml'), 'tip', 'what was read stays');
  const asked = await mirror.resolve({ kind: 'commit', commit: past });
  assert.equal(readText(mirror.tree(asked.commit), 'app/config.yaml'), 'past');
  const short = await mirror.resolve({ kind: 'any', name: past.slice(0, 10) });
  assert.equal(short.commit, past);
});

test('a hundred callers at once cost one look and one fetch', async () => {
  const mirror = openMirror(`${plain.url}/team/app.git`);
  requests = [];
  const query = { kind: 'any', name: 'main' } as const;
  const all = await Promise.all(Array.from({ length: 100 }, () => mirror.resolve(query)));
  assert.equal(new Set(all.map(({ commit }) => commit)).size, 1);
  assert.ok(requests.length <= 5, requests.join('\n'));
});

test('tags, annotated tags, short ids, full refs and ranges lead to their commit', async () => {
  const tip = await commit('tagged');
  const environment = { GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'b' };
  await runGit(['tag', 'v1.0.0', tip], { gitDir: origin });
  await runGit(['tag', '-a', '-m', 'x', 'v1.2.0', tip], { gitDir: origin, environment });
  await runGit(['update-ref', 'refs/pull/7/head', tip], { gitDir: origin });
  const mirror = openMirror(`${plain.url}/team/app.git`, {
    pickVersion: (range, tags) =>
      /^[\d.x]+$/.test(range) ? tags.find((tag) => tag === 'v1.2.0') : 'not-a-range',
    pickVersions: () => ['v1.2.0'],
  });
  for (const query of [
    { kind: 'tag', tag: 'v1.0.0' },
    { kind: 'tag', tag: 'v1.2.0' },
    { kind: 'any', name: 'v1.2.0' },
    { kind: 'any', name: '1.x' },
    { kind: 'semver', range: '1.2.x' },
    { kind: 'any', name: tip.slice(0, 9) },
    { kind: 'any', name: tip },
    { kind: 'any', name: 'refs/pull/7/head' },
    { kind: 'ref', ref: 'refs/heads/main' },
    { kind: 'ref', ref: 'refs/tags/v1.2.0^{}' },
    { kind: 'commit', commit: tip.slice(0, 12), branch: 'main' },
  ] as const) {
    assert.equal((await mirror.resolve(query)).commit, tip, JSON.stringify(query));
  }
});

test('of tags that mean the same version, the one of the newest commit is taken', async () => {
  const first = await commit('older');
  const second = await commit('newer', 'main', 1_700_000_060);
  await runGit(['tag', '0.9.0+z', first], { gitDir: origin });
  await runGit(['tag', '0.9.0+a', second], { gitDir: origin });
  const pickVersions = () => ['0.9.0+z', '0.9.0+a'];
  const mirror = openMirror(`${plain.url}/team/app.git`, { pickVersions });
  const found = await mirror.resolve({ kind: 'semver', range: '0.9' });
  assert.deepEqual(found, { commit: second, name: '0.9.0+a' });
});

test('our own question for the refs gives what git says', async () => {
  const client = new RemoteClient(parseRemoteUrl(`${plain.url}/team/app.git`), {});
  const { stdout } = await runGit(['ls-remote', '--symref', '--', `${plain.url}/team/app.git`]);
  assert.deepEqual(await listRefs(client), parseRemoteRefs(stdout.toString('utf8')));
  client.close();
  for (const text of [
    '',
    '0',
    '0003',
    '0008main',
    'zzzz',
    '<html>',
    '0010not an id x\n0000',
    '000',
  ]) {
    assert.equal(parseListedRefs(Buffer.from(text)), undefined, text);
  }
});

test('a server of an older protocol is asked by git itself', async () => {
  const host = createGitHost({ find: () => ({ folder: origin }) });
  const old = await listen((request, response) => {
    delete request.headers['git-protocol'];
    host(request, response);
  });
  const mirror = openMirror(`${old.url}/team/app.git`);
  assert.match((await mirror.resolve({ kind: 'any', name: 'main' })).commit, /^[0-9a-f]{40}$/);
  old.server.closeAllConnections();
  old.server.close();
});

test('a commit that no branch holds any more is fetched by its id', async () => {
  const gone = await commit('forced away', 'temporary');
  await runGit(['update-ref', '-d', 'refs/heads/temporary'], { gitDir: origin });
  const mirror = openMirror(`${plain.url}/team/app.git`);
  assert.equal((await mirror.resolve({ kind: 'any', name: gone })).commit, gone);
});

test('stock git clones, pushes, and the host tells of the push', async () => {
  const clone = join(folder, 'clone');
  const env = {
    ...gitEnvironment({}),
    GIT_AUTHOR_NAME: 'Bo',
    GIT_AUTHOR_EMAIL: 'bo@x',
    GIT_COMMITTER_NAME: 'Bo',
    GIT_COMMITTER_EMAIL: 'bo@x',
  };
  await run('git', ['clone', '-q', `${plain.url}/team/app.git`, clone], { env });
  await run('git', ['-C', clone, 'commit', '-q', '--allow-empty', '-m', 'Empty'], { env });
  await run('git', ['-C', clone, 'push', '-q', 'origin', 'HEAD:main'], { env });
  const head = (await run('git', ['-C', clone, 'rev-parse', 'HEAD'], { env })).stdout.trim();
  assert.equal(pushes.at(-1)?.path, 'team/app.git');
  assert.deepEqual(
    pushes.at(-1)?.updates.map(({ ref, after }) => `${ref} ${after}`),
    [`refs/heads/main ${head}`],
  );
});

test('credentials open a locked host, and no error, argument or file shows them', async () => {
  const url = `${locked.url}/team/app.git`;
  const good = openMirror(url, { credentials: { username: 'ann', password: SECRET } });
  assert.match((await good.resolve({ kind: 'any', name: '' })).commit, /^[0-9a-f]{40}$/);
  const inUrl = locked.url.replace('http://', `http://ann:${encodeURIComponent(SECRET)}@`);
  const embedded = openMirror(`${inUrl}/team/app.git`);
  assert.match((await embedded.resolve({ kind: 'any', name: '' })).commit, /^[0-9a-f]{40}$/);
  for (const password of ['wrong-canary', undefined]) {
    const bad = openMirror(url, {
      credentials: password === undefined ? {} : { username: 'ann', password },
    });
    const error = await rejection(bad.resolve({ kind: 'any', name: '' }));
    assert.equal(error.code, 'GIT_AUTHENTICATION_FAILED');
    assert.equal(error.kind, 'stalled');
    assert.equal(error.message, `reading the refs of: ${url} refused the credentials`);
    assert.doesNotMatch(`${error.message}${error.hint}${error.stack}`, /canary/);
  }
});

test('a redirect to another host gets no credentials; one on the same host is followed', async () => {
  const seen: (string | undefined)[] = [];
  const thief = await listen((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(404).end();
  });
  const thiefUrl = thief.url.replace('127.0.0.1', 'localhost');
  const target = { url: thiefUrl };
  const host = createGitHost({
    find: (path) => (path === 'team/app.git' ? { folder: origin } : undefined),
    basicAuth: { username: 'ann', password: SECRET },
  });
  const door = await listen((request, response) => {
    if (request.url?.startsWith('/moved') === true) {
      response.writeHead(302, { Location: `${target.url}${request.url}` }).end();
    } else if (request.url?.startsWith('/team/app/') === true) {
      const location = request.url.replace('/team/app/', '/team/app.git/');
      response.writeHead(301, { Location: location }).end();
    } else host(request, response);
  });
  const credentials = { username: 'ann', password: SECRET };
  const error = await rejection(
    openMirror(`${door.url}/moved/app.git`, { credentials }).resolve({ kind: 'any', name: '' }),
  );
  assert.equal(error.code, 'GIT_REDIRECT_REFUSED');
  assert.match(error.hint ?? '', /change the address to http:\/\/localhost:\d+\/moved\/app.git/);
  assert.deepEqual(seen, []);
  const mirror = openMirror(`${door.url}/team/app`, { credentials });
  assert.match((await mirror.resolve({ kind: 'any', name: '' })).commit, /^[0-9a-f]{40}$/);
  for (const { server } of [thief, door]) {
    server.closeAllConnections();
    server.close();
  }
});

test('each failure is one error with what, where and what to do', async () => {
  const closed = await listen(() => undefined);
  await new Promise((resolve) => closed.server.close(resolve));
  const cases: readonly (readonly [string, string, Partial<MirrorOptions>])[] = [
    [`${plain.url}/none.git`, 'GIT_REPOSITORY_NOT_FOUND', {}],
    [`${plain.url}/page`, 'GIT_NOT_A_REPOSITORY', {}],
    [`${plain.url}/broken`, 'GIT_HOST_UNREACHABLE', {}],
    [`${plain.url}/slow`, 'GIT_TIMEOUT', { timeoutMs: 300 }],
    [`${closed.url}/team/app.git`, 'GIT_HOST_UNREACHABLE', {}],
    ['https://no-such-host.invalid/a.git', 'GIT_HOST_UNREACHABLE', {}],
    [join(folder, 'none.git'), 'GIT_NOT_A_REPOSITORY', { allowFile: true }],
  ];
  for (const [url, code, options] of cases) {
    const error = await rejection(openMirror(url, options).resolve({ kind: 'any', name: '' }));
    assert.equal(error.code, code, `${url}: ${error.message}`);
    assert.ok(error.hint !== undefined && error.message.includes(url));
  }
  const mirror = openMirror(`${plain.url}/team/app.git`);
  const error = await rejection(mirror.resolve({ kind: 'branch', branch: 'nope' }));
  assert.equal(error.message, 'the repository has no revision "nope"');
  assert.equal(error.hint, 'its branches are main');
  const missing = '00000000000000000000000000000000000000aa';
  assert.equal(
    (await rejection(mirror.resolve({ kind: 'any', name: missing }))).code,
    'GIT_REVISION_UNKNOWN',
  );
});

test('addresses and names that are options, commands or other transports never reach git', async () => {
  const urls = [
    '--upload-pack=touch /tmp/x',
    '-u./payload',
    'ext::sh -c touch% /tmp/x',
    'ext::sh',
    'fd::17',
    'git://host/a.git',
    'file:///etc',
    '/etc',
    'ssh://-oProxyCommand=touch/x',
    'git@host:-x',
    '-oProxyCommand=x:y',
    'https://host/a\nb',
    '',
  ];
  for (const url of urls) {
    assert.throws(
      () => openMirror(url),
      (error: unknown) => error instanceof CapstanError,
      url,
    );
  }
  for (const host of ['https://169.254.169.254', 'http://[fe80::1]', 'ssh://git@100.100.100.200']) {
    assert.throws(() => openMirror(`${host}/a.git`), { code: 'EGRESS_REFUSED' });
  }
  const mirror = openMirror(`${plain.url}/team/app.git`);
  for (const name of ['../../x', '--output=x', 'a..b', 'x.lock', 'a b', '@{-1}', 'refs/../x']) {
    await assert.rejects(mirror.resolve({ kind: 'branch', branch: name }), {
      code: 'GIT_REF_INVALID',
    });
    await assert.rejects(mirror.resolve({ kind: 'any', name }), (error: CapstanError) =>
      ['GIT_REF_INVALID', 'GIT_REVISION_UNKNOWN'].includes(error.code),
    );
  }
});

test('a cache that is deleted under a mirror is filled again', async () => {
  const mirror = openMirror(`${plain.url}/team/app.git`, { cache: new ObjectCache(1) });
  const { commit } = await mirror.resolve({ kind: 'any', name: 'main' });
  rmSync(mirror.objects.gitDir, { recursive: true });
  mirror.objects.close();
  assert.equal((await mirror.resolve({ kind: 'any', name: 'main' })).commit, commit);
  assert.equal(typeof readText(mirror.tree(commit), 'app/config.yaml'), 'string');
});

test('two processes may make one mirror at the same time', async () => {
  const target = join(folder, 'shared.git');
  await Promise.all(Array.from({ length: 5 }, () => initMirror(target)));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('shared')),
    ['shared.git'],
  );
});

async function rejection(work: Promise<unknown>): Promise<CapstanError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CapstanError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
