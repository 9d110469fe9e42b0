import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import type { Release } from '@capstan/kube-helm';
import type { Json, KubeObject } from '@capstan/kube-object';
import { startSandbox } from '@capstan/kube-sandbox';
import { correctDrift, findDrift } from './drift.ts';
import { summarizeDrift } from './drift-report.ts';
import { sampleRelease } from './testing/sample-release.ts';

const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata: {name: web, labels: {app: web}}
data: {color: red}
`;
const REF = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'apps', name: 'web' };
const signal = new AbortController().signal;

interface Place extends AsyncDisposable {
  readonly client: KubeClient;
}

async function place(): Promise<Place> {
  const sandbox = await startSandbox({ nodes: 0 });
  const client = createKubeClient(sandbox.transport);
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps' } });
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await sandbox.close();
    },
  };
}

const releaseOf = (manifest: string): Release => sampleRelease({ manifest });

const HELM_MARKS = {
  labels: { app: 'web', 'app.kubernetes.io/managed-by': 'Helm' },
  annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'apps' },
};

function config(metadata: object, data: Readonly<Record<string, Json>>): KubeObject {
  const { apiVersion, kind, ...name } = REF;
  return { apiVersion, kind, metadata: { ...name, ...metadata }, data: { ...data } };
}

describe('drift of a release', () => {
  test('labels that others add are none, those that are missing come back without the rest of metadata', async () => {
    await using world = await place();
    const { client } = world;
    const marks = { ...HELM_MARKS, labels: { ...HELM_MARKS.labels, theirs: 'x' } };
    await client.create(config(marks, { color: 'red' }), { fieldManager: 'other' });
    assert.equal(summarizeDrift(await findDrift(releaseOf(CONFIG), [], { client, signal })), '');
    await client.delete(REF);
    const bare = config({ finalizers: ['example.com/keep'] }, { color: 'red' });
    await client.create(bare, { fieldManager: 'other' });
    const drift = await findDrift(releaseOf(CONFIG), [], { client, signal });
    assert.deepEqual(
      drift.flatMap((one) => (one.kind === 'changed' ? one.patch.map(({ path }) => path) : [])),
      ['/metadata/annotations', '/metadata/labels'],
    );
    const { changes, problems } = await correctDrift(drift, { client, signal });
    assert.deepEqual([changes, problems], [['ConfigMap/apps/web configured'], []]);
    const live = await client.find(REF);
    assert.deepEqual(live?.metadata.finalizers, ['example.com/keep']);
    assert.deepEqual(live?.metadata.labels, HELM_MARKS.labels);
  });

  test('what a former manager applied goes, once its fields are the release’s own', async () => {
    await using world = await place();
    const { client } = world;
    await client.apply(config(HELM_MARKS, { color: 'red', old: 'x' }), { fieldManager: 'former' });
    const release = releaseOf(CONFIG);
    assert.equal(summarizeDrift(await findDrift(release, [], { client, signal })), '');
    const formerManagers = [{ manager: 'former', operation: 'Apply' as const }];
    const drift = await findDrift(release, [], { client, signal, formerManagers });
    assert.equal(
      summarizeDrift(drift),
      'ConfigMap/apps/web changed (0 additions, 0 changes, 1 removals)',
    );
  });

  test('a missing object that the server would refuse cannot be judged', async () => {
    await using world = await place();
    const bad = CONFIG.replace('{color: red}', '{"bad key!": red}');
    await assert.rejects(
      findDrift(releaseOf(bad), [], { client: world.client, signal }),
      /^CapstanError: unable to determine cluster state: ConfigMap\/apps\/web dry-run failed: /,
    );
  });

  test('what is missing comes first, in the order of kinds', async () => {
    await using world = await place();
    const { client } = world;
    const changed = config(HELM_MARKS, { color: 'blue' });
    await client.create(changed, { fieldManager: 'other' });
    const missing = (kind: string, name: string): KubeObject => ({
      apiVersion: 'v1',
      kind,
      metadata: { name, namespace: 'apps' },
    });
    const patch = [{ op: 'replace' as const, path: '/data/color', value: 'red' }];
    const report = [
      { kind: 'changed' as const, object: changed, patch },
      { kind: 'missing' as const, object: missing('ConfigMap', 'b') },
      { kind: 'missing' as const, object: missing('ServiceAccount', 'a') },
    ];
    const { changes } = await correctDrift(report, { client, signal });
    assert.deepEqual(changes, [
      'ServiceAccount/apps/a created',
      'ConfigMap/apps/b created',
      'ConfigMap/apps/web configured',
    ]);
  });
});
