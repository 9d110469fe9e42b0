import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '@capstan/engine-delivery';
import type { RenderSpec } from '@capstan/engine-render';
import { memoryTree } from '@capstan/lib-files';
import { offerFor } from './delivery-ports.ts';
import { plainVersion } from './plain-version.ts';

const OFFER = { id: 'o', kubeVersion: 'v1.30.2-eks-3c1d', apiVersions: ['v1'] };
const CLUSTER = { offered: async () => OFFER } as unknown as Cluster;

const offeredFor = (spec: RenderSpec, files: { readonly [path: string]: string } = {}) =>
  offerFor(
    {
      source: 's',
      digest: 'd',
      revision: { id: 'r', name: 'main' },
      files: memoryTree({ 'app/a.yaml': '', ...files }),
    },
    spec,
    { cluster: () => CLUSTER, signal: new AbortController().signal },
  );

test('charts are told what their destination offers, its version without the suffix of its provider', async () => {
  const told = { offered: { ...OFFER, kubeVersion: 'v1.30.2' } };
  const detect = { kind: 'detect', path: 'app' } as const;
  const chart = { 'app/Chart.yaml': 'name: a' };
  const helm = { kind: 'helm', path: 'app', releaseName: 'a', releaseNamespace: 'n' } as const;
  assert.deepEqual(await offeredFor(helm), told);
  assert.deepEqual(await offeredFor(detect, chart), told);
  assert.deepEqual(await offeredFor({ ...detect, charts: {} }, { 'app/Kustomization': '' }), told);
  assert.deepEqual(await offeredFor({ kind: 'kustomize', path: 'app', charts: {} }), told);
});

test('what renders no charts does not ask', async () => {
  for (const kind of ['detect', 'directory', 'kustomize'] as const)
    assert.deepEqual(await offeredFor({ kind, path: 'app' }), {});
});

test('versions lose what providers add', () => {
  const rows = [
    ['v1.30.2-eks-3c1d', 'v1.30.2'],
    ['v1.31.4+k3s1', 'v1.31.4'],
    ['1.29', 'v1.29'],
    ['v1.33.4-gke.1200', 'v1.33.4'],
    ['1', '1'],
    ['x.y', 'x.y'],
  ] as const;
  for (const [given, expected] of rows) assert.equal(plainVersion(given), expected);
});
