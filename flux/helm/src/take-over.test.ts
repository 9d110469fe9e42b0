/** What helm-controller 1.6 left on a cluster is gone on with: nothing is written, nothing runs again. Recorded from a real one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRecord, packChart, type Release, releaseObjects } from '@capstan/kube-helm';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { releaseDigest } from './digests.ts';
import left from './testdata/left-by-helm-controller.json' with { type: 'json' };
import { chartOf } from './testing/chart-server.ts';
import { at, createWorld, refTo, type World } from './testing/world.ts';

const NAMED = '{{ .Release.Name }}';
const CHART = chartOf({
  'Chart.yaml': `apiVersion: v2
name: shop
version: 1.0.0
appVersion: "7"
description: A <shop> & more
keywords: [a, b]
maintainers: [{name: x, email: x@example.com}]
annotations: {b: "2", a: "1"}
`,
  'values.yaml': 'color: red\nbad: false\nn: 3\n',
  'templates/cm.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: ${NAMED}}
data: {color: {{ .Values.color | quote }}, v: {{ .Chart.Version | quote }}}
`,
  'templates/test.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: ${NAMED}-test, annotations: {helm.sh/hook: test}}
`,
});

/** The record in a Secret's data. */
const readRecord = (text: string): Release =>
  decodeRecord(Buffer.from(text, 'base64').toString('latin1'));

/** The chart as sources offer it: under the revisions that the original saw. */
async function offerChart({ client, artifacts }: World): Promise<void> {
  const file = { kind: 'HelmChart', namespace: 'shop', name: 'shop', fileName: 'a.tgz' };
  const stored = await artifacts.store(file, [packChart(CHART)]);
  const digest = left.map(({ status }) => status.lastAttemptedRevisionDigest).find(Boolean);
  const offer = async (kind: string, revision: string, spec: JsonObject): Promise<void> => {
    const apiVersion = 'source.toolkit.fluxcd.io/v1';
    const metadata = { name: 'shop', namespace: 'shop' };
    await client.create({ apiVersion, kind, metadata, spec: { suspend: true, ...spec } });
    const artifact = { ...stored, revision, lastUpdateTime: '2026-01-01T00:00:00Z' };
    const status = { status: { observedGeneration: 1, artifact } };
    const options = { type: 'merge', subresource: 'status' } as const;
    await client.patch({ apiVersion, kind, ...metadata }, status, options);
  };
  const sourceRef = { kind: 'HelmRepository', name: 'none' };
  await offer('HelmChart', '1.0.0', { chart: 'shop', interval: '1h', sourceRef });
  const url = 'oci://example.com/shop';
  await offer('OCIRepository', `1.0.0@${digest}`, { url, interval: '1h' });
}

/** Plays the original: records, objects under its name, HelmReleases with their past. */
async function leave({ client }: World): Promise<readonly KubeObject[]> {
  const made: KubeObject[] = [];
  const namespace = 'shop';
  for (const { name, spec, status, labels, record } of left) {
    const secret = { name: `sh.helm.release.v1.${name}.v1`, namespace, labels };
    const data = { release: record };
    made.push(
      await client.create({
        ...{ apiVersion: 'v1', kind: 'Secret', type: 'helm.sh/release.v1' },
        ...{ metadata: secret, data },
      }),
    );
    for (const object of await releaseObjects(readRecord(record), client)) {
      made.push(await client.apply(object, { fieldManager: 'helm-controller', force: true }));
    }
    const finalizers = ['finalizers.fluxcd.io'];
    const release = { ...refTo('HelmRelease', `shop/${name}`), spec };
    const { name: _name, namespace: _namespace, ...kind } = release;
    await client.create({ ...kind, metadata: { name, namespace, finalizers } });
    const options = { type: 'merge', subresource: 'status' } as const;
    made.push(await client.patch(release, { status }, options));
  }
  return made;
}

const current = ({ client }: World, objects: readonly KubeObject[]) =>
  Promise.all(
    objects.map(({ apiVersion, kind, metadata: { name = '', namespace = '' } }) =>
      client.get({ apiVersion, kind, name, namespace }),
    ),
  );

test('digests of recorded releases are those that the original computed', () => {
  for (const { name, status, record } of left) {
    const [seen] = status.history;
    const ociDigest = seen !== undefined && 'ociDigest' in seen ? seen.ociDigest : '';
    assert.equal(releaseDigest(readRecord(record), ociDigest ?? ''), seen?.digest, name);
  }
});

test('releases of the original are taken over as they are, and gone on with', async () => {
  const asked = new Set<string>();
  await using world = await createWorld({
    onRequest: (_method, path) => {
      const [, name] = /\/secrets\?.*name%3D([a-z]+)%2Cowner/.exec(path) ?? [];
      if (name !== undefined) asked.add(name);
    },
  });
  await world.stop();
  await world.apply('apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n');
  await world.apply(
    'apiVersion: v1\nkind: Secret\nmetadata: {name: own, namespace: shop}\nstringData: {values.yaml: "n: 5\\nnested: {b: true, a: [1, 2.5, null]}\\n"}\n',
  );
  await offerChart(world);
  const objects = await leave(world);
  for (const { name } of left) {
    await world.eventually(
      () => world.get('Deployment', `shop/${name}`),
      (one) => at(one, 'status', 'readyReplicas') === 1,
    );
  }
  const before = await current(world, objects);
  await world.restart();
  // Each is looked at: its records are read.
  await world.eventually(
    async () => asked.size,
    (size) => size === left.length,
  );
  await world.idle();
  assert.deepEqual(await current(world, objects), before, 'nothing is written');

  const spec = { values: { color: 'blue' } };
  await world.client.patch(refTo('HelmRelease', 'shop/web'), { spec }, { type: 'merge' });
  const message = await world.condition('HelmRelease', 'shop/web', 'Ready=True TestSucceeded');
  assert.match(message, /^Helm test succeeded for release shop\/web\.v2 with chart shop@1\.0\.0: /);
  const history = at(await world.get('HelmRelease', 'shop/web'), 'status', 'history');
  assert.deepEqual([at(history, 0, 'version'), at(history, 1, 'status')], [2, 'superseded']);
});
