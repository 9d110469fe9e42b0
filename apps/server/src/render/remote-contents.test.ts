import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RenderCache } from '@capstan/engine-render';
import type { Snapshot, SourceSpec } from '@capstan/engine-source';
import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import type { HttpGet } from '@capstan/lib-oci';
import { createChartRenderer } from '../chart-renderer.ts';
import { RemoteContents } from './remote-contents.ts';
import { RenderPool } from './render-pool.ts';

const REMOTE = { schemes: ['https', 'oci'], hosts: ['*'] };
const configMap = (name: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {k: v}\n`;

const REPOSITORIES: { readonly [url: string]: MemoryFiles } = {
  'https://git.example.com/org/base.git v1': {
    'deploy/kustomization.yaml':
      'resources: [cm.yaml, "https://files.example.com/deep.yaml"]\nnamePrefix: b-\n',
    'deploy/cm.yaml': configMap('base'),
  },
  'oci://charts.example.com/org app 1.x': {
    'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
    'values.yaml': 'a: chart\n',
    'templates/cm.yaml': configMap('{{ .Release.Name }}-{{ .Values.a }}'),
  },
};
const TEAM: MemoryFiles = {
  'Chart.yaml': 'apiVersion: v2\nname: other\nversion: 1.0.0\n',
  'templates/cm.yaml': configMap('other-2'),
};
const PAGES: { readonly [url: string]: string } = {
  'https://files.example.com/one.yaml': configMap('one'),
  'https://files.example.com/deep.yaml': configMap('deep'),
};
const MOVED: { readonly [url: string]: string } = {
  'https://files.example.com/moved.yaml': 'https://files.example.com/one.yaml',
  'https://files.example.com/trap.yaml': 'https://169.254.169.254/latest/meta-data',
};

class World {
  readonly asked: string[] = [];
  nowMs = 0;
  readonly pool: RenderPool;

  constructor() {
    const now = () => this.nowMs;
    const renderChart = createChartRenderer(now, () => undefined);
    this.pool = new RenderPool({
      renders: new RenderCache({ renderChart }),
      now,
      remotes: new RemoteContents({
        sources: { fetchSnapshot: (spec) => this.fetch(spec) },
        now,
        get: this.get,
      }),
    });
  }

  async fetch(spec: SourceSpec): Promise<Snapshot> {
    const wanted =
      spec.kind === 'artifact'
        ? `${spec.url} ${spec.chart} ${spec.revision.range}`
        : `${spec.url} ${spec.revision.kind === 'any' ? spec.revision.name : ''}`;
    const auth = spec.kind !== 'archive' ? spec.auth?.password : undefined;
    this.asked.push(auth === undefined ? wanted : `${wanted} as ${auth}`);
    const files = wanted.startsWith('https://team') ? TEAM : REPOSITORIES[wanted];
    if (files === undefined) throw new Error(`there is no ${wanted}`);
    const revision = { id: 'a', name: '' };
    return { source: wanted, revision, digest: wanted, files: memoryTree(files) };
  }

  readonly get: HttpGet = async ({ url }) => {
    this.asked.push(url);
    const [page, moved] = [PAGES[url], MOVED[url]];
    return {
      status: moved !== undefined ? 302 : page === undefined ? 404 : 200,
      header: (name) => (name === 'location' ? moved : undefined),
      body: (async function* () {
        yield new TextEncoder().encode(page ?? '');
      })(),
    };
  };

  async build(kustomization: string, options: object = { remote: REMOTE }, fresh = false) {
    const files = memoryTree({ 'kustomization.yaml': kustomization });
    const revision = { id: 'b'.repeat(40), name: 'main' };
    const snapshot = { source: 'test', revision, digest: kustomization, files };
    const spec = { kind: 'kustomize' as const, path: '', ...options };
    const { objects, diagnostics } = await this.pool.render(snapshot, spec, { fresh });
    const problem = diagnostics.find(({ severity }) => severity === 'error');
    return problem?.message ?? objects.map(({ object }) => object.metadata.name).join(' ');
  }
}

test('a kustomization takes files, repositories and charts from elsewhere, each asked for once', async () => {
  const world = new World();
  const text = `resources: ["https://files.example.com/one.yaml", "https://git.example.com/org/base.git//deploy?ref=v1"]
helmCharts: [{name: app, repo: "oci://charts.example.com/org", version: 1.x, releaseName: web}]
`;
  const charts = { remote: REMOTE, charts: {} };
  assert.equal(await world.build(text, charts), 'b-base b-deep one web-chart');
  const first = [...world.asked].sort();
  assert.equal(new Set(first).size, first.length);
  assert.equal(await world.build(text, charts), 'b-base b-deep one web-chart');
  assert.deepEqual([...world.asked].sort(), first, 'what was fetched is kept');
  await world.build(text, charts, true);
  assert.equal(world.asked.length, 2 * first.length, 'a hard refresh asks again');
  await world.pool.close();
});

const UMBRELLA = `apiVersion: v2
name: umbrella
version: 1.0.0
dependencies:
- {name: app, version: 1.x, repository: "oci://charts.example.com/org"}
- {name: lib, version: "*", repository: "file://../lib"}
- {name: other, version: 1.0.0, repository: "@team"}
`;

async function umbrella(
  world: World,
  files: MemoryFiles,
  { password, charts = true }: { readonly password?: string; readonly charts?: boolean } = {},
): Promise<string> {
  const all = {
    'web/Chart.yaml': UMBRELLA,
    'web/values.yaml': 'app: {a: umbrella}\n',
    'lib/Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 2.0.0\n',
    'lib/templates/cm.yaml': configMap('lib'),
    ...files,
  };
  const aliases = { team: 'https://team.example.com' };
  const policy = { schemes: ['https', 'oci'], hosts: ['*'], aliases };
  const revision = { id: 'b'.repeat(40), name: 'main' };
  const digest = JSON.stringify(all);
  const { objects, diagnostics } = await world.pool.render(
    { source: 'test', revision, digest, files: memoryTree(all) },
    {
      kind: 'helm',
      path: 'web',
      releaseName: 'web',
      releaseNamespace: 'web',
      ...(charts ? { remoteCharts: policy } : {}),
    },
    password === undefined ? {} : { accessTo: () => ({ auth: { password } }) },
  );
  const problem = diagnostics.find(({ severity }) => severity === 'error');
  const names = objects.map(({ object }) => object.metadata.name).sort();
  return problem?.message ?? names.join(' ');
}

test('a chart is built with those that it depends on and that its folder lacks', async () => {
  const world = new World();
  assert.equal(await umbrella(world, {}), 'lib other-2 web-umbrella');
  assert.deepEqual(world.asked.sort(), [
    'https://team.example.com other 1.0.0',
    'oci://charts.example.com/org app 1.x',
  ]);
  // By credentials of its own it is asked for again: what one may read is not everybody's.
  await umbrella(world, {}, { password: 'canary' });
  assert.ok(world.asked.includes('https://team.example.com other 1.0.0 as canary'));
  const held = {
    'web/charts/other/Chart.yaml': 'apiVersion: v2\nname: other\nversion: 1.0.0\n',
    'web/charts/other/templates/cm.yaml': configMap('vendored'),
  };
  assert.equal(await umbrella(world, held), 'lib vendored web-umbrella');
  assert.match(
    await umbrella(world, {}, { charts: false }),
    /found in Chart\.yaml, but missing in charts\/ directory: app, lib, other/,
  );
  assert.match(
    await umbrella(world, { 'web/Chart.yaml': UMBRELLA.replace('../lib', '../../lib') }),
    /there is no such folder in the repository/,
  );
  assert.match(
    await umbrella(world, { 'web/Chart.yaml': UMBRELLA.replace('@team', '@nobody') }),
    /missing in charts/,
  );
  assert.match(
    await umbrella(world, { 'web/Chart.lock': 'digest: sha256:0\ndependencies: []\n' }),
    /out of sync/,
  );
  assert.match(
    await umbrella(world, { 'web/Chart.yaml': `${UMBRELLA}type: library\n` }),
    /library charts are not installable/,
  );
  await world.pool.close();
});

test('what cannot be had is told, and tried again after a minute', async () => {
  const world = new World();
  const text = 'resources: ["https://files.example.com/none.yaml"]\n';
  assert.match(await world.build(text), /HTTP Error: status code 404/);
  const asked = world.asked.length;
  await world.build(text);
  assert.equal(world.asked.length, asked);
  world.nowMs = 61_000;
  await world.build(text);
  assert.ok(world.asked.length > asked);
});

test('redirects lead nowhere that may not be named', async () => {
  const world = new World();
  assert.equal(await world.build('resources: ["https://files.example.com/moved.yaml"]\n'), 'one');
  assert.match(
    await world.build('resources: ["https://files.example.com/trap.yaml"]\n'),
    /169\.254\.169\.254.* is a local or link-local address/,
  );
  assert.ok(world.asked.every((url) => !url.includes('169.254')));
});

test('without permission nothing is asked', async () => {
  const world = new World();
  for (const url of [
    'https://files.example.com/one.yaml',
    'https://127.0.0.1/x.yaml',
    'https://169.254.169.254/x.yaml',
    'file:///etc/passwd',
  ]) {
    const text = `resources: ["${url}"]\n`;
    assert.match(await world.build(text, {}), /not allowed|not fetched/);
    if (!url.includes('files.example')) assert.match(await world.build(text), /not allowed|passwd/);
  }
  assert.deepEqual(world.asked, []);
});
