import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { loadChart, packChart } from '@capstan/kube-helm';
import { memoryTree, readText } from '@capstan/lib-files';
import { withArtifacts } from './artifact-sources.ts';
import type { ArtifactSourceSpec } from './source-spec.ts';
import type { SourceStore } from './store-types.ts';

const digestOf = (bytes: Uint8Array | string) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function chart(version: string): Uint8Array {
  const tree = memoryTree({
    'web/Chart.yaml': `apiVersion: v2\nname: web\nversion: ${version}\n`,
    'web/values.yaml': `version: ${version}\n`,
  });
  return packChart(loadChart(tree, 'web'));
}

/** A chart repository below /charts, and a registry with the newest chart's archive as an artifact. */
async function startRegistry() {
  const versions = ['1.0.0', '1.2.0', '2.0.0'];
  const asked: string[] = [];
  const answers: string[] = [];
  const layer = chart('2.0.0');
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.cncf.helm.config.v1+json',
      digest: digestOf('{}'),
      size: 2,
    },
    layers: [
      {
        mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
        digest: digestOf(layer),
        size: layer.length,
      },
    ],
  });
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const send = (body: string | Uint8Array, type = 'text/plain') =>
      response.writeHead(200, { 'content-type': type }).end(body);
    if (path === '/charts/index.yaml') {
      const entries = versions.map(
        (version) => `  - {name: web, version: ${version}, urls: [web-${version}.tgz]}\n`,
      );
      const index = `apiVersion: v1\nentries:\n  web:\n${entries.join('')}`;
      const etag = `"${digestOf(index)}"`;
      const isKnown = request.headers['if-none-match'] === etag;
      answers.push(`index ${isKnown ? 304 : 200}`);
      response.setHeader('etag', etag);
      return isKnown ? response.writeHead(304).end() : send(index);
    }
    const packed = /^\/charts\/web-(.*)\.tgz$/.exec(path);
    if (packed !== null) return send(chart(packed[1] ?? ''));
    if (path.startsWith('/v2/apps/web/tags/list'))
      return send(JSON.stringify({ name: 'apps/web', tags: ['1.0.0', '1.3.0', 'latest'] }));
    if (/^\/v2\/apps\/web\/manifests\//.test(path))
      return send(manifest, 'application/vnd.oci.image.manifest.v1+json');
    if (path === `/v2/apps/web/blobs/${digestOf(layer)}`) return send(layer);
    return response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answers,
    manifestDigest: digestOf(manifest),
    publish: (version: string) => versions.push(version),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function storeOf() {
  let nowMs = 1_000_000;
  const due: (() => void)[] = [];
  const refuse = () => {
    throw new Error('not a Git source');
  };
  const base: SourceStore = {
    fetchSnapshot: refuse,
    snapshotAt: refuse,
    watch: refuse,
    notify: () => 0,
    verifyRevision: refuse,
    describeRevision: refuse,
    describeLine: refuse,
    findCommit: () => undefined,
    changedPaths: refuse,
    close: async () => undefined,
  };
  const clock = {
    now: () => nowMs,
    after: (_delayMs: number, run: () => void) => {
      due.push(run);
      return () => undefined;
    },
  };
  const store = withArtifacts(base, { clock, random: () => 0.5 });
  return {
    store,
    pass: (ms: number) => {
      nowMs += ms;
    },
    fire: () => due.shift()?.(),
  };
}

const chartSpec = (host: string, range: string): ArtifactSourceSpec => ({
  kind: 'artifact',
  form: 'chart',
  url: `http://${host}/charts`,
  chart: 'web',
  revision: { kind: 'version', range },
});

test('a chart by a range of versions, its folder as the root; a fixed version is asked for once', async () => {
  await using registry = await startRegistry();
  const { store } = storeOf();
  const ranged = await store.fetchSnapshot(chartSpec(registry.host, '1.x'));
  assert.deepEqual(ranged.revision, { id: '1.2.0', name: '1.x' });
  assert.equal(readText(ranged.files, 'values.yaml'), 'version: 1.2.0\n');
  await store.fetchSnapshot(chartSpec(registry.host, '1.0.0'));
  const before = registry.asked.length;
  await store.fetchSnapshot(chartSpec(registry.host, '1.0.0'));
  assert.equal(registry.asked.length, before);
  assert.equal((await store.fetchSnapshot(chartSpec(registry.host, ''))).revision.id, '2.0.0');
  const missing = store.fetchSnapshot(chartSpec(registry.host, '9.x'));
  await assert.rejects(missing, /chart "web" version "9.x" not found/);
});

test('a range is asked again when it is older than accepted, and a watch tells of a new version', async () => {
  await using registry = await startRegistry();
  const { store, pass, fire } = storeOf();
  const spec = chartSpec(registry.host, '1.x');
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  let next = first;
  const stop = store.watch(spec, {
    intervalMs: 60_000,
    onChange: (change) => {
      told.push(change.kind === 'snapshot' ? change.snapshot.revision.id : change.error.message);
      next.resolve();
    },
  });
  await first.promise;
  registry.publish('1.9.0');
  const kept = await store.fetchSnapshot(spec, { maxAgeMs: 60_000 });
  assert.equal(kept.revision.id, '1.2.0');
  pass(61_000);
  next = Promise.withResolvers<void>();
  await new Promise(setImmediate);
  fire();
  await next.promise;
  stop();
  assert.deepEqual(told, ['1.2.0', '1.9.0']);
  assert.equal((await store.snapshotAt(spec, '1.2.0'))?.revision.id, '1.2.0');
});

test('what a registry tells of is looked at at once, by those who follow it', async () => {
  await using registry = await startRegistry();
  const { store } = storeOf();
  const follow = (spec: ArtifactSourceSpec) => {
    const first = Promise.withResolvers<void>();
    const stop = store.watch(spec, { intervalMs: 60_000, onChange: () => first.resolve() });
    return { first: first.promise, stop };
  };
  const revision = { kind: 'version', range: 'latest' } as const;
  const common = { kind: 'artifact', form: 'oci', revision, plainHttp: true } as const;
  const [one, other] = [
    follow({ ...common, url: `oci://${registry.host}/apps/web` }),
    follow(chartSpec(registry.host, '1.x')),
  ];
  await Promise.all([one.first, other.first]);
  registry.asked.splice(0);
  assert.equal(store.notify(`oci://${registry.host.toUpperCase()}/Apps/web/`), 1);
  await eventually(() => registry.asked.some((path) => path.startsWith('/v2/apps/web/manifests')));
  assert.ok(
    registry.asked.every((path) => path.startsWith('/v2/')),
    `${registry.asked}`,
  );
  one.stop();
  other.stop();
  assert.equal(store.notify(`oci://${registry.host}/apps/web`), 0);
});

async function eventually(check: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !check(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(check());
}

test('the index of a chart repository is sent again only when it is another one', async () => {
  await using registry = await startRegistry();
  const { store, pass } = storeOf();
  registry.answers.splice(0);
  await store.fetchSnapshot(chartSpec(registry.host, '1.x'));
  await store.fetchSnapshot(chartSpec(registry.host, '2.x'));
  const { answers } = registry;
  assert.deepEqual(answers.splice(0), ['index 200', 'index 304', 'index 304', 'index 304']);
  registry.publish('1.9.0');
  pass(1);
  assert.equal((await store.fetchSnapshot(chartSpec(registry.host, '1.x'))).revision.id, '1.9.0');
  assert.equal(answers[0], 'index 200');
});

test('an artifact of a registry by tag, by digest and by a range of its tags', async () => {
  await using registry = await startRegistry();
  const { store } = storeOf();
  const of = (range: string) =>
    store.fetchSnapshot({
      kind: 'artifact',
      form: 'oci',
      url: `oci://${registry.host}/apps/web`,
      revision: { kind: 'version', range },
      plainHttp: true,
    });
  const tagged = await of('1.3.0');
  assert.deepEqual(tagged.revision, { id: registry.manifestDigest, name: '1.3.0' });
  assert.equal(readText(tagged.files, 'web/values.yaml'), 'version: 2.0.0\n');
  assert.equal((await of('^1.0')).revision.name, '1.3.0');
  assert.equal((await of('')).revision.name, 'latest');
  assert.equal((await of(registry.manifestDigest)).revision.id, registry.manifestDigest);
  await assert.rejects(of('>=5'), { code: 'ARTIFACT_VERSION' });
});
