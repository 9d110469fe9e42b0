import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memoryTree } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { chartOfFiles, loadChartArchive } from '../load-chart.ts';
import {
  type ChartRepository,
  openRepository,
  type RepositoryOptions,
} from './chart-repository.ts';
import { chartVersions, chooseNewest, chooseVersion } from './index-file.ts';
import { packChart } from './pack-chart.ts';
import { nodeGet, type Scripted, type StandIn, sha256, standIn } from './stand-in.ts';
import {
  buildDependencies,
  type DependencyPorts,
  updateDependencies,
} from './update-dependencies.ts';

function packed(name: string, version: string): Uint8Array {
  const text = `apiVersion: v2\nname: ${name}\nversion: ${version}\n`;
  return packChart(chartOfFiles([{ name: 'Chart.yaml', data: new TextEncoder().encode(text) }]));
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) =>
      error instanceof CapstanError ? `${error.code}: ${error.message}` : String(error),
  );
}

const CHILD = packed('child', '1.2.0');
const INDEX = `apiVersion: v1
entries:
  another:
  - name: another
    version: 9.0.0
    urls: [another-9.0.0.tgz]
  child:
  - name: child
    version: 1.2.0
    digest: ${sha256(CHILD)}
    urls:
    - charts/child-1.2.0.tgz
  - null
  - name: child
    version: 2.0.0-rc.1
    urls: [charts/rc.tgz]
  - name: child
    version: not a version
    urls: [x.tgz]
  - name: child
    version: 1.10.0
    urls: [charts/child-1.10.0.tgz]
generated: "2026-01-01T00:00:00Z"
`;

const names = (text: string): readonly string[] | undefined =>
  chartVersions(text, 'child')?.map(({ version }) => version);

describe('an index', () => {
  test('gives the sound versions of one chart, the newest first', () => {
    assert.deepEqual(names(INDEX), ['2.0.0-rc.1', '1.10.0', '1.2.0']);
    assert.equal(chartVersions(INDEX, 'missing'), undefined);
  });

  test('reads the same in any shape', () => {
    const flow = 'apiVersion: v1\nentries: {child: [{name: child, version: 1.0.0, urls: [a]}]}\n';
    assert.deepEqual(names(flow), ['1.0.0']);
    const json = '{"apiVersion":"v1","entries":{"child":[{"name":"child","version":"1.0.0"}]}}';
    assert.deepEqual(names(json), ['1.0.0']);
    const alias = `apiVersion: v1\nentries:\n  a:\n  - &one {name: child, version: 3.0.0}\n  child:\n  - *one\n`;
    assert.deepEqual(names(alias), ['3.0.0']);
  });

  test('is refused when it is empty or says no version of its own', () => {
    assert.throws(() => names(''), /empty index.yaml file/);
    assert.throws(() => names('entries: {}\n'), /no API version specified/);
  });

  test('offers prereleases only to who asks for them', () => {
    const versions = chartVersions(INDEX, 'child') ?? [];
    const chosen = (wanted: string) => chooseVersion(versions, wanted)?.version;
    assert.equal(chosen(''), '1.10.0');
    assert.equal(chosen('>=1.0.0-0'), '2.0.0-rc.1');
    assert.equal(chosen('~1.2'), '1.2.0');
    assert.equal(chosen('2.0.0-rc.1'), '2.0.0-rc.1');
    assert.equal(chosen('^3'), undefined);
  });

  test("gives Flux the one that was packed last where versions tell no difference (source-controller's rows)", () => {
    const rows: readonly (readonly [string, string])[] = [
      ['0.0.1', ''],
      ['0.1.1', ''],
      ['0.1.5+b.min.minute', '2026-01-01T09:59:00Z'],
      ['0.1.5+a.min.hour', '2026-01-01T09:00:00Z'],
      ['0.1.5+c.now', '2026-01-01T10:00:00Z'],
      ['0.2.0', ''],
      ['1.0.0', ''],
      ['1.1.0-rc.1', ''],
      ['7', ''],
    ];
    const entries = rows.map(
      ([version, created]) =>
        `  - {name: chart, version: "${version}", urls: [x.tgz]${created && `, created: "${created}"`}}\n`,
    );
    const index = `apiVersion: v1\nentries:\n  chart:\n${entries.join('')}`;
    const versions = chartVersions(index, 'chart') ?? [];
    const chosen = (wanted: string) => chooseNewest(versions, wanted)?.version;
    assert.equal(chosen('0.0.1'), '0.0.1');
    assert.equal(chosen(''), '1.0.0');
    assert.equal(chosen('*'), '1.0.0');
    assert.equal(chosen('<1.0.0'), '0.2.0');
    assert.equal(chosen('>2.0.0'), undefined);
    assert.equal(chosen('0.1.5'), '0.1.5+c.now');
    assert.equal(chosen('0.1.5+a.min.hour'), '0.1.5+a.min.hour');
  });

  test('of many thousand versions costs what one chart costs', () => {
    const others = Array.from(
      { length: 20_000 },
      (_, i) => `  other-${i}:\n  - name: other-${i}\n    version: 1.0.0\n    urls: [a-${i}.tgz]\n`,
    );
    const text = INDEX.replace('  child:\n', `${others.join('')}  child:\n`);
    const before = performance.now();
    assert.equal(names(text)?.length, 3);
    assert.ok(performance.now() - before < 10_000);
  });
});

function open(url: string, options: Partial<RepositoryOptions> = {}): ChartRepository {
  return openRepository(url, { get: nodeGet, plainHttp: true, ...options });
}

function charts(path: string): Scripted | undefined {
  if (path.startsWith('/index.yaml')) return { body: INDEX };
  return path.startsWith('/charts/child-1.2.0.tgz') ? { body: CHILD } : undefined;
}

const credentials = { username: 'me', password: 'secret' };
const BASIC = `Basic ${Buffer.from('me:secret').toString('base64')}`;

describe('a chart repository', () => {
  test('gives a chart by constraint, with the credentials, checking the digest', async () => {
    await using server = await standIn(charts);
    const repository = open(server.url, { credentials });
    const bytes = await repository.fetch(await repository.resolve('child', '~1.2'));
    assert.equal(loadChartArchive(bytes).metadata.name, 'child');
    assert.deepEqual(server.seen, [`/index.yaml ${BASIC}`, `/charts/child-1.2.0.tgz ${BASIC}`]);
  });

  test('keeps its query for relative URLs', async () => {
    await using server = await standIn(charts);
    const repository = open(`${server.url}?token=x`);
    await repository.fetch(await repository.resolve('child', '1.2.0'));
    assert.deepEqual(server.seen, ['/index.yaml?token=x -', '/charts/child-1.2.0.tgz?token=x -']);
  });

  test('does not hand credentials to another host unless asked', async () => {
    await using other = await standIn(() => ({ body: CHILD }));
    const index = INDEX.replace('charts/child-1.2.0.tgz', `${other.url}/elsewhere.tgz`);
    await using server = await standIn(() => ({ body: index }));
    for (const passCredentials of [false, true]) {
      const repository = open(server.url, { credentials, passCredentials });
      await repository.fetch(await repository.resolve('child', '1.2.0'));
    }
    assert.deepEqual(other.seen, ['/elsewhere.tgz -', `/elsewhere.tgz ${BASIC}`]);
  });

  test('that redirects to another host loses the credentials', async () => {
    await using other = await standIn(() => ({ body: INDEX }));
    await using server = await standIn(() => ({
      status: 302,
      headers: { location: `${other.url}/index.yaml` },
    }));
    await open(server.url, { credentials }).resolve('child', '');
    assert.deepEqual(server.seen, [`/index.yaml ${BASIC}`]);
    assert.deepEqual(other.seen, ['/index.yaml -']);
  });

  test('with a chart of another digest, a redirect to a file, a missing chart: an error', async () => {
    await using server = await standIn((path) => {
      if (path === '/away/index.yaml')
        return { status: 302, headers: { location: 'file:///etc/passwd' } };
      return path === '/index.yaml' ? { body: INDEX } : { body: packed('child', '6.6.6') };
    });
    const repository = open(server.url);
    const found = await repository.resolve('child', '1.2.0');
    assert.match(await codeOf(repository.fetch(found)), /^CHART_DIGEST: .* the index says sha256:/);
    assert.match(await codeOf(open(`${server.url}/away`).resolve('child', '')), /file:.*refused/);
    assert.equal(
      await codeOf(repository.resolve('nothing', '^1')),
      `CHART_NOT_FOUND: chart "nothing" version "^1" not found in ${server.url} repository`,
    );
  });

  test('whose index never ends is cut off (row 21)', async () => {
    await using server = await standIn(() => ({ body: () => '# '.repeat(32_768) }));
    const endless = open(server.url, { indexBytesMax: 1_000_000 });
    assert.match(await codeOf(endless.resolve('child', '')), /sends more than 1000000 bytes/);
  });

  test('that is too slow is given up (row 21)', async () => {
    await using server = await standIn(() => ({ body: { never: true } }));
    const signal = AbortSignal.timeout(100);
    assert.match(
      await codeOf(open(server.url, { signal }).resolve('child', '')),
      /timeout|aborted/,
    );
  });
});

const CONFIG = '{"name":"child"}';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

function manifestOf(layer: Uint8Array, change: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: {
      mediaType: 'application/vnd.cncf.helm.config.v1+json',
      digest: `sha256:${sha256(CONFIG)}`,
      size: CONFIG.length,
    },
    layers: [
      {
        mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
        digest: `sha256:${sha256(layer)}`,
        size: layer.byteLength,
      },
    ],
    ...change,
  });
}

/** A registry that wants a token, which it gives to who knows the password. */
function registry(answers: (path: string) => Scripted | undefined): Promise<StandIn> {
  return standIn((path, request) => {
    const host = request.headers.host ?? '';
    if (path.startsWith('/token')) {
      const known = request.headers.authorization === BASIC;
      return known ? { body: '{"token":"t"}' } : { status: 401 };
    }
    if (request.headers.authorization !== 'Bearer t') {
      const realm = `Bearer realm="http://${host}/token",service="here",scope="registry:catalog:*"`;
      return { status: 401, headers: { 'www-authenticate': realm } };
    }
    return answers(path);
  });
}

describe('an OCI registry', () => {
  const blob = `/v2/shop/child/blobs/sha256:${sha256(CHILD)}`;

  test('gives a chart by constraint over the token flow', async () => {
    await using server = await registry((path) => {
      if (path.endsWith('/tags/list'))
        return { body: '{"tags":["1.2.0","2.0.0-rc.1","latest","1.3.0_b"]}' };
      if (path.endsWith('/manifests/1.3.0_b')) return { body: manifestOf(CHILD) };
      return path === blob ? { body: CHILD } : undefined;
    });
    const repository = open(`oci://${server.host}/shop`, { credentials });
    const found = await repository.resolve('child', '^1');
    assert.equal(found.version, '1.3.0+b');
    const bytes = await repository.fetch(found);
    assert.equal(sha256(bytes), sha256(CHILD));
    const [, token] = server.seen;
    assert.equal(token, `/token?service=here&scope=repository%3Ashop%2Fchild%3Apull ${BASIC}`);
  });

  test('that redirects a blob elsewhere does not give its token away', async () => {
    await using store = await standIn(() => ({ body: CHILD }));
    await using server = await registry((path) =>
      path === blob
        ? { status: 307, headers: { location: `${store.url}/blob` } }
        : { body: manifestOf(CHILD) },
    );
    const repository = open(`oci://${server.host}/shop`, { credentials });
    await repository.fetch(await repository.resolve('child', '1.2.0'));
    assert.deepEqual(store.seen, ['/blob -']);
  });

  test('that lies about digest, type or size is refused (row 19)', async () => {
    const lies: readonly (readonly [string, string, RegExp])[] = [
      ['other bytes', manifestOf(packed('child', '1.2.1')), /OCI_STATUS|OCI_NOT_FOUND|OCI_DIGEST/],
      [
        'an index',
        manifestOf(CHILD, { mediaType: 'application/vnd.oci.image.index.v1+json' }),
        /OCI_MEDIA_TYPE/,
      ],
      [
        'an image',
        manifestOf(CHILD, {
          config: { mediaType: 'application/x', digest: `sha256:${'0'.repeat(64)}`, size: 1 },
        }),
        /does not hold a chart/,
      ],
      [
        'a path for a digest',
        manifestOf(CHILD, { layers: [{ mediaType: 'x', digest: 'sha256:../../x', size: 1 }] }),
        /OCI_MANIFEST/,
      ],
      [
        'many layers',
        manifestOf(CHILD, { layers: Array.from({ length: 1001 }, () => ({})) }),
        /OCI_LIMIT/,
      ],
      ['a huge manifest', ' '.repeat(5_000_000), /HTTP_TOO_LARGE/],
    ];
    for (const [what, manifest, expected] of lies) {
      await using server = await registry((path) =>
        path.includes('/blobs/') ? { body: 'not it' } : { body: manifest },
      );
      const repository = open(`oci://${server.host}/shop`, { credentials });
      const found = await repository.resolve('child', '1.2.0');
      assert.match(await codeOf(repository.fetch(found)), expected, what);
    }
  });
});

describe('dependencies', () => {
  const ports = (server: StandIn | undefined, lines: string[] = []): DependencyPorts => ({
    open: (url) => open(url),
    now: () => '2026-01-01T00:00:00Z',
    print: (line) => lines.push(line.replaceAll(server?.url ?? '-', 'URL')),
  });
  const chart = (dependencies: string): string =>
    `apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n${dependencies}`;

  test('are chosen, fetched and locked; then built from the lock', async () => {
    await using server = await standIn(charts);
    const files = {
      'app/Chart.yaml': chart(
        `  - {name: child, version: ~1.2, repository: "${server.url}"}\n  - {name: lib, version: 0.x, repository: "file://../lib"}\n`,
      ),
      'app/charts/old-1.0.0.tgz': packed('old', '1.0.0'),
      'lib/Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 0.3.0\n',
    };
    const lines: string[] = [];
    const update = await updateDependencies(memoryTree(files), 'app', ports(server, lines));
    assert.deepEqual([...(update?.charts.keys() ?? [])], ['child-1.2.0.tgz', 'lib-0.3.0.tgz']);
    assert.deepEqual(update?.outdated, ['old-1.0.0.tgz']);
    assert.deepEqual(lines, [
      'Getting updates for unmanaged Helm repositories...',
      '...Successfully got an update from the "URL" chart repository',
      'Saving 2 charts',
      'Downloading child from repo URL',
      'Deleting outdated charts',
    ]);
    const lock = update?.lock?.text ?? '';
    assert.match(
      lock,
      /^dependencies:\n- name: child\n {2}repository: http.*\n {2}version: 1\.2\.0\n/,
    );
    const locked = memoryTree({ ...files, 'app/Chart.lock': lock });
    const build = await buildDependencies(locked, 'app', ports(server));
    assert.deepEqual([...(build?.charts.keys() ?? [])], ['child-1.2.0.tgz', 'lib-0.3.0.tgz']);
    const changed = memoryTree({ ...files, 'app/Chart.lock': lock.replace('sha256:', 'sha256:0') });
    assert.match(
      await codeOf(buildDependencies(changed, 'app', ports(server))),
      /CHART_LOCK: the lock file \(Chart\.lock\) is out of sync/,
    );
  });

  test('out of the repository, by path or by link, are refused (row 16)', async () => {
    const outside = [
      'file://../../other',
      'file:///etc',
      'file://../link',
      'file://../../../../../../etc',
    ];
    for (const repository of outside) {
      const tree = memoryTree({
        'app/Chart.yaml': chart(`  - {name: lib, version: "*", repository: "${repository}"}\n`),
        link: { link: '../../etc' },
      });
      assert.match(
        await codeOf(updateDependencies(tree, 'app', ports(undefined))),
        /REPOSITORY: the repository .* leads out of the folder/,
        repository,
      );
    }
  });

  test('with names that are paths are refused, also when a repository gives them', async () => {
    const local = memoryTree({
      'app/Chart.yaml': chart('  - {name: ../../x, version: "*", repository: ""}\n'),
    });
    assert.match(await codeOf(updateDependencies(local, 'app', ports(undefined))), /is invalid/);
    const alias = memoryTree({
      'app/Chart.yaml': chart('  - {name: x, alias: ../../x, version: "*", repository: ""}\n'),
    });
    assert.match(
      await codeOf(updateDependencies(alias, 'app', ports(undefined))),
      /disallowed characters in the alias/,
    );
  });
});
