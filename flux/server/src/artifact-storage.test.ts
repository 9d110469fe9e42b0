import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ManualClock } from '@capstan/lib-std';
import { ArtifactStorage, serveArtifacts } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'capstan-artifacts-'));
after(() => rmSync(folder, { recursive: true }));

const SOURCE = { kind: 'GitRepository', namespace: 'apps', name: 'web' };
const file = (fileName: string) => ({ ...SOURCE, fileName });

function open(name: string, nowMs = 0) {
  const clock = new ManualClock(nowMs);
  const home = join(folder, name);
  return {
    home,
    storage: new ArtifactStorage({ folder: home, baseUrl: 'http://h:1/artifacts', clock }),
  };
}

test('an artifact is stored whole, found by path and URL, and known by its digest', async () => {
  const { storage, home } = open('store');
  const stored = await storage.store(file('abc.tar.gz'), [Buffer.from('he'), Buffer.from('llo')]);
  assert.deepEqual(stored, {
    path: 'gitrepository/apps/web/abc.tar.gz',
    url: 'http://h:1/artifacts/gitrepository/apps/web/abc.tar.gz',
    digest: 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    size: 5,
  });
  assert.equal(Buffer.from((await storage.read(stored.url)) ?? []).toString(), 'hello');
  assert.equal(await storage.verify(stored), 'sound');
  writeFileSync(join(home, stored.path), 'other');
  assert.equal(await storage.verify(stored), 'damaged');
  assert.equal(await storage.verify(stored), 'missing');
});

test('a writer that fails leaves nothing; two writers of one file agree', async () => {
  const { storage, home } = open('writers');
  const failing = async function* () {
    yield Buffer.from('half');
    throw new Error('the source broke off');
  };
  await assert.rejects(storage.store(file('a.tar.gz'), failing()), /broke off/);
  assert.deepEqual(readdirSync(join(home, 'gitrepository/apps/web')), []);
  const both = [1, 2].map(() => storage.store(file('a.tar.gz'), [Buffer.from('same')]));
  const [one, two] = await Promise.all(both);
  assert.deepEqual(one, two);
  assert.deepEqual(readdirSync(join(home, 'gitrepository/apps/web')), ['a.tar.gz']);
});

test('the current and the newest stay, the old go, and all of a source that is gone', async () => {
  const { storage, home } = open('garbage', 1_000_000_000);
  const store = async (name: string, ageMs: number) => {
    const stored = await storage.store(file(name), [Buffer.from(name)]);
    const seconds = (1_000_000_000 - ageMs) / 1000;
    utimesSync(join(home, stored.path), seconds, seconds);
    return stored;
  };
  const left = () => readdirSync(join(home, 'gitrepository/apps/web'));
  const current = await store('current.tar.gz', 300_000);
  for (const [name, ageMs] of [
    ['a.tar.gz', 1_000],
    ['b.tar.gz', 2_000],
    ['c.tar.gz', 3_000],
    ['d.tar.gz', 90_000],
  ] as const) {
    await store(name, ageMs);
  }
  assert.equal(
    await storage.linkLatest(file('current.tar.gz')),
    'http://h:1/artifacts/gitrepository/apps/web/latest.tar.gz',
  );
  assert.equal(await storage.collectGarbage(current), 2);
  assert.deepEqual(left(), ['a.tar.gz', 'b.tar.gz', 'current.tar.gz', 'latest.tar.gz']);
  await storage.removeAll(SOURCE);
  assert.equal(existsSync(join(home, 'gitrepository/apps/web')), false);
});

test('the current one is among those that stay by number', async () => {
  const { storage, home } = open('records', 1_000_000_000);
  for (const [name, ageMs] of [
    ['current.tar.gz', 30_000],
    ['a.tar.gz', 20_000],
    ['b.tar.gz', 10_000],
    ['c.tar.gz', 5_000],
  ] as const) {
    const { path } = await storage.store(file(name), [Buffer.from(name)]);
    const seconds = (1_000_000_000 - ageMs) / 1000;
    utimesSync(join(home, path), seconds, seconds);
  }
  assert.equal(await storage.collectGarbage({ path: 'gitrepository/apps/web/current.tar.gz' }), 2);
  assert.deepEqual(readdirSync(join(home, 'gitrepository/apps/web')), [
    'c.tar.gz',
    'current.tar.gz',
  ]);
});

test('digests are of the algorithm that was set, and artifacts of others stay sound', async () => {
  const { storage: older, home } = open('algorithms');
  const before = await older.store(file('a.tar.gz'), [Buffer.from('hello')]);
  const digests = {
    sha384:
      '59e1748777448c69de6b800d7a33bbfb9ff1b463e44354c3553bcdb9c666fa90125a3c79f90397bdf5f6a13de828684f',
    blake3: 'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f',
  };
  for (const [digestAlgorithm, hex] of Object.entries(digests)) {
    const storage = new ArtifactStorage({
      ...{ folder: home, baseUrl: 'http://h:1', clock: new ManualClock(0) },
      digestAlgorithm: digestAlgorithm as 'sha384' | 'blake3',
    });
    const stored = await storage.store(file('b.tar.gz'), [Buffer.from('hello')]);
    assert.equal(stored.digest, `${digestAlgorithm}:${hex}`);
    assert.equal(await storage.verify(stored), 'sound');
    assert.equal(await storage.verify(before), 'sound');
    writeFileSync(join(home, stored.path), 'other');
    assert.equal(await storage.verify(stored), 'damaged');
  }
});

test('no name leads out of the folder', async () => {
  const { storage } = open('names');
  const outside = [
    { ...SOURCE, fileName: '../x' },
    { ...SOURCE, namespace: '..', fileName: 'x' },
    { ...SOURCE, name: 'a/b', fileName: '..' },
    { ...SOURCE, fileName: '' },
    { ...SOURCE, fileName: 'a\u0000b' },
  ];
  for (const one of outside)
    await assert.rejects(async () => storage.store(one, []), /no place for an artifact/);
  assert.equal(await storage.find('../../etc/passwd'), undefined);
  assert.equal(await storage.read('http://h:1/artifacts/../names/x'), undefined);
  assert.equal(await storage.read('http://other/artifacts/a'), undefined);
});

test('artifacts are served whole and in part, nothing else is', async () => {
  const { storage } = open('serve');
  await storage.store(file('a.tar.gz'), [Buffer.from('0123456789')]);
  const handle = serveArtifacts(storage, { prefix: '/artifacts/' });
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await handle(new Request(`http://h:1${path}`, init));
    return [response.status, await response.text(), response.headers.get('content-range')] as const;
  };
  const path = '/artifacts/gitrepository/apps/web/a.tar.gz';
  assert.deepEqual(await ask(path), [200, '0123456789', null]);
  assert.deepEqual(await ask(path, { method: 'HEAD' }), [200, '', null]);
  await storage.linkLatest(file('a.tar.gz'));
  assert.deepEqual(await ask('/artifacts/gitrepository/apps/web/latest.tar.gz'), [
    200,
    '0123456789',
    null,
  ]);
  const ranges: readonly (readonly [string, number, string, string | null])[] = [
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=10-', 416, 'invalid range\n', 'bytes */10'],
    ['lines=1-2', 200, '0123456789', null],
  ];
  for (const [range, status, body, contentRange] of ranges) {
    assert.deepEqual(await ask(path, { headers: { range } }), [status, body, contentRange], range);
  }
  const whole = await handle(new Request(`http://h:1${path}`));
  const since = whole.headers.get('last-modified') ?? '';
  assert.ok(Math.abs(Date.parse(since) - Date.now()) < 60_000);
  assert.equal((await ask(path, { headers: { 'if-modified-since': since } }))[0], 304);
  const earlier = new Date(Date.parse(since) - 1_000).toUTCString();
  assert.equal((await ask(path, { headers: { 'if-modified-since': earlier } }))[0], 200);
  for (const other of [
    '/artifacts/gitrepository/apps/web/',
    '/artifacts/',
    '/artifacts/..%2f..%2fetc/passwd',
    '/artifacts/%zz',
    '/x',
  ]) {
    assert.equal((await ask(other))[0], 404, other);
  }
  assert.equal((await ask(path, { method: 'DELETE' }))[0], 405);
});
