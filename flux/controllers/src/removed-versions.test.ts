/** What was written in a version that Flux has removed is kept, served in every version, and has the effect that it had. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  fluxCrds,
  parseBucket,
  parseGitRepository,
  parseHelmChart,
  parseHelmRelease,
  parseHelmRepository,
  parseKustomization,
  parseOCIRepository,
} from '@capstan/flux-api';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';

const PARSERS: Readonly<Record<string, (object: KubeObject) => { readonly kind: string }>> = {
  Bucket: parseBucket,
  GitRepository: parseGitRepository,
  HelmChart: parseHelmChart,
  HelmRelease: parseHelmRelease,
  HelmRepository: parseHelmRepository,
  Kustomization: parseKustomization,
  OCIRepository: parseOCIRepository,
};
const SOURCE = { kind: 'GitRepository', name: 'repo' };
const MERGE = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: '1' } };
const REPLACE = [{ op: 'replace', path: '/data/b', value: { deep: [1, true, null] } }];
const TARGET = { kind: 'ConfigMap', name: 'b' };
const OLD_PATCHES = {
  patchesStrategicMerge: [MERGE],
  patches: [{ patch: 'today: {}' }],
  patchesJson6902: [{ patch: REPLACE, target: TARGET }],
};
const READ_PATCHES = [
  { patch: JSON.stringify(MERGE) },
  { patch: 'today: {}' },
  { patch: JSON.stringify(REPLACE), target: TARGET },
];
const CHART = { chart: 'shop', sourceRef: { kind: 'HelmRepository', name: 'charts' } };

interface Row {
  readonly kind: string;
  readonly versions: readonly string[];
  /** As it was written then. */
  readonly spec: JsonObject;
  /** What is read of it now. */
  readonly reads: JsonObject;
}

const ROWS: readonly Row[] = [
  {
    kind: 'Kustomization',
    versions: ['v1beta1', 'v1beta2'],
    spec: { interval: '5m', prune: true, sourceRef: SOURCE, validation: 'client', ...OLD_PATCHES },
    reads: { interval: '5m', prune: true, sourceRef: SOURCE, patches: READ_PATCHES },
  },
  {
    kind: 'HelmRelease',
    versions: ['v2beta1', 'v2beta2'],
    spec: {
      interval: '5m',
      chart: { spec: { ...CHART, valuesFile: 'a.yaml', valuesFiles: ['b.yaml'] } },
      install: { skipCRDs: true, remediation: { retries: 2 } },
      postRenderers: [{ kustomize: OLD_PATCHES }],
      values: { color: 'red' },
    },
    reads: {
      interval: '5m',
      chart: {
        spec: {
          ...CHART,
          valuesFiles: ['a.yaml', 'b.yaml'],
          // Defaults of the version in which it is stored, which the server adds to what it reads.
          ...{ reconcileStrategy: 'ChartVersion', version: '*' },
        },
      },
      install: { crds: 'Skip', skipCRDs: true, remediation: { retries: 2 } },
      postRenderers: [{ kustomize: { patches: READ_PATCHES } }],
      values: { color: 'red' },
    },
  },
  {
    kind: 'HelmChart',
    versions: ['v1beta1', 'v1beta2'],
    spec: { interval: '5m', ...CHART, valuesFile: 'a.yaml' },
    reads: {
      ...{ interval: '5m', ...CHART, valuesFiles: ['a.yaml'] },
    },
  },
  {
    kind: 'GitRepository',
    versions: ['v1beta1', 'v1beta2'],
    spec: {
      ...{ interval: '5m', url: 'https://example.com/x', gitImplementation: 'libgit2' },
      ...{ ref: { branch: 'main' }, verify: { mode: 'head', secretRef: { name: 'keys' } } },
    },
    reads: {
      ...{ interval: '5m', url: 'https://example.com/x' },
      ...{ ref: { branch: 'main' }, verify: { mode: 'head', secretRef: { name: 'keys' } } },
    },
  },
  {
    kind: 'OCIRepository',
    versions: ['v1beta2'],
    spec: { interval: '5m', url: 'oci://example.com/x', ref: { tag: 'v1' } },
    reads: {
      ...{ interval: '5m', url: 'oci://example.com/x', ref: { tag: 'v1' } },
    },
  },
  {
    kind: 'Bucket',
    versions: ['v1beta1', 'v1beta2'],
    spec: { interval: '5m', bucketName: 'b', endpoint: 'example.com', insecure: true },
    reads: {
      ...{ interval: '5m', bucketName: 'b', endpoint: 'example.com', insecure: true },
    },
  },
  {
    kind: 'HelmRepository',
    versions: ['v1beta1', 'v1beta2'],
    spec: { interval: '5m', url: 'https://example.com', passCredentials: true },
    reads: {
      interval: '5m',
      url: 'https://example.com',
      passCredentials: true,
    },
  },
];

let sandbox: Sandbox;
let client: KubeClient;

before(async () => {
  sandbox = await startSandbox({ nodes: 0 });
  client = createKubeClient(sandbox.transport);
  for (const definition of fluxCrds) await client.create(definition);
  client.discovery.invalidate();
});
after(async () => {
  await client.close();
  await sandbox.close();
});

const groupOf = (kind: string): string =>
  kind === 'Kustomization'
    ? 'kustomize.toolkit.fluxcd.io'
    : kind === 'HelmRelease'
      ? 'helm.toolkit.fluxcd.io'
      : 'source.toolkit.fluxcd.io';

const storedVersion = (kind: string): string => (kind === 'HelmRelease' ? 'v2' : 'v1');

describe('removed versions', () => {
  for (const { kind, versions, spec, reads } of ROWS) {
    for (const version of versions) {
      test(`${kind} ${version}`, async () => {
        const group = groupOf(kind);
        const name = `of-${version}`;
        const at = { kind, namespace: 'default', name };
        const metadata = { name, namespace: 'default' };
        await client.create({ apiVersion: `${group}/${version}`, kind, metadata, spec });
        const stored = await client.get({ apiVersion: `${group}/${storedVersion(kind)}`, ...at });
        const parsed = PARSERS[kind]?.(stored) as { readonly kind: string; readonly value: Row };
        assert.equal(parsed.kind, 'ok');
        const read = Object.fromEntries(
          Object.keys(reads).map((key) => [key, parsed.value.spec[key]]),
        );
        assert.deepEqual(read, reads);
        // Every version serves the same object, and writing it back through an old one loses nothing.
        const old = await client.get({ apiVersion: `${group}/${version}`, ...at });
        assert.deepEqual(old['spec'], stored['spec']);
        assert.equal(old.apiVersion, `${group}/${version}`);
        await client.update(old);
        const again = await client.get({ apiVersion: `${group}/${storedVersion(kind)}`, ...at });
        assert.deepEqual(again['spec'], stored['spec']);
      });
    }
  }

  test('shows of the status what it knew, and loses nothing of it', async () => {
    const group = groupOf('Kustomization');
    const at = { kind: 'Kustomization', namespace: 'default', name: 'with-status' };
    const { kind, namespace, name } = at;
    const made = { kind, metadata: { namespace, name } };
    const spec = { interval: '5m', prune: true, sourceRef: SOURCE };
    await client.create({ apiVersion: `${group}/v1`, ...made, spec });
    const inventory = { entries: [{ id: 'default_a__ConfigMap', v: 'v1' }] };
    const known = { lastAppliedRevision: 'main@sha1:1', observedGeneration: 1 };
    const added = { lastAppliedOriginRevision: 'v1@sha1:2' };
    const status = { ...known, ...added, inventory };
    await client.apply(
      { apiVersion: `${group}/v1`, ...made, status },
      { fieldManager: 'test', subresource: 'status' },
    );
    const read = async (version: string) =>
      (await client.get({ apiVersion: `${group}/${version}`, ...at }))['status'];
    assert.deepEqual(await read('v1beta2'), { ...known, inventory });
    assert.deepEqual(await read('v1beta1'), known);
    await client.update(await client.get({ apiVersion: `${group}/v1beta1`, ...at }));
    assert.deepEqual(await read('v1'), status);
  });
});
