/** What is stored of repositories and charts, and what becomes of it when it is lost or damaged. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { createRegistry } from '@capstan/kube-controller';
import { at, createWorld, type World } from './testing/world.ts';

const objects = (url: string) => `apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: apps}
spec: {url: "${url}", interval: 10m}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: app, namespace: apps}
spec: {chart: app, version: "1.x", interval: 10m, sourceRef: {kind: HelmRepository, name: charts}}
`;
const NAMES = { HelmRepository: 'charts', HelmChart: 'app' } as const;

async function ask(world: World, kind: keyof typeof NAMES, value: string) {
  const name = NAMES[kind];
  const ref = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind, namespace: 'apps', name };
  const annotations = { 'reconcile.fluxcd.io/requestedAt': value };
  await world.client.patch(ref, { metadata: { annotations } }, { type: 'merge' });
  await world.eventually(
    () => world.get(kind, `apps/${name}`),
    (one) => at(one, 'status', 'lastHandledReconcileAt') === value,
  );
  await world.condition(kind, `apps/${name}`, 'Ready=True');
  return await world.get(kind, `apps/${name}`);
}

test('an index has a name that stays; what is lost or damaged is made again', async () => {
  await using world = await createWorld();
  world.charts.publish({ 'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n' });
  await world.apply(objects(world.charts.url));
  await world.condition('HelmChart', 'apps/app', 'Ready=True');
  const repository = await world.get('HelmRepository', 'apps/charts');
  const url = String(at(repository, 'status', 'url'));
  assert.match(url, /\/helmrepository\/apps\/charts\/index\.yaml$/);
  const index = await world.artifacts.find(url.slice(url.indexOf('helmrepository/')));
  assert.ok((index?.size ?? 0) > 0);
  for (const kind of ['HelmRepository', 'HelmChart'] as const) {
    const artifact = async (value: string) => {
      const one = await ask(world, kind, value);
      const path = String(at(one, 'status', 'artifact', 'path'));
      const digest = String(at(one, 'status', 'artifact', 'digest'));
      return { path, digest, found: await world.artifacts.verify({ path, digest }) };
    };
    const first = await artifact('1');
    writeFileSync((await world.artifacts.find(first.path))?.file ?? '', 'damaged');
    assert.equal((await artifact('2')).found, 'sound', kind);
    const told = `Warning ArtifactVerificationFailed: failed to verify integrity of artifact: computed digest doesn't match '${first.digest}'`;
    assert.ok((await world.events(kind, NAMES[kind])).includes(told), kind);
    rmSync((await world.artifacts.find(first.path))?.file ?? '');
    assert.equal((await artifact('3')).found, 'sound', kind);
  }
});

test('whether an index was at hand is counted for its repository, as long as that exists', async () => {
  const registry = createRegistry();
  await using world = await createWorld({ registry });
  world.charts.publish({ 'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n' });
  await world.apply(objects(world.charts.url));
  await world.condition('HelmChart', 'apps/app', 'Ready=True');
  const counts = () =>
    registry
      .text()
      .match(/^gotk_cache_events_total\{.*$/gm)
      ?.toSorted() ?? [];
  const count = (type: string, count: number) =>
    `gotk_cache_events_total{event_type="${type}",name="charts",namespace="apps"} ${count}`;
  assert.deepEqual(counts(), [count('cache_miss', 1)]);
  await ask(world, 'HelmChart', '1');
  assert.deepEqual(counts(), [count('cache_hit', 1), count('cache_miss', 1)]);
  const ref = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'HelmRepository' };
  await world.client.delete({ ...ref, namespace: 'apps', name: 'charts' });
  await world.eventually(
    async () => counts(),
    (lines) => lines.length === 0,
  );
});

test('a source that is missing, and values files that are all missing, are told as in the original', async () => {
  await using world = await createWorld();
  world.charts.publish({
    'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
    'values.yaml': 'a: 1\n',
  });
  const lost = (name: string, spec: string) => `---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: ${name}, namespace: apps}
spec: {chart: app, interval: 10m, ${spec}}
`;
  await world.apply(
    objects(world.charts.url) +
      lost('lost', 'sourceRef: {kind: HelmRepository, name: none}') +
      lost(
        'bare',
        'sourceRef: {kind: HelmRepository, name: charts}, valuesFiles: [none.yaml], ignoreMissingValuesFiles: true',
      ),
  );
  assert.equal(
    await world.condition('HelmChart', 'apps/lost', 'FetchFailed=True'),
    'failed to get source: HelmRepository.source.toolkit.fluxcd.io "none" not found',
  );
  assert.equal(
    await world.condition('HelmChart', 'apps/lost', 'Reconciling=True'),
    'building artifact',
  );
  await world.condition('HelmChart', 'apps/bare', 'Ready=True');
  const bare = await world.get('HelmChart', 'apps/bare');
  assert.equal(at(bare, 'status', 'artifact', 'revision'), '1.0.0+1');
  assert.equal(at(bare, 'status', 'observedValuesFiles'), undefined);
});
