import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '@capstan/engine-delivery';
import { findOrphans } from './orphaned-resources.ts';
import { DEFAULT_PROJECT_SPEC } from './project-guard.ts';
import { readSettings } from './settings.ts';

interface Row {
  readonly kind: string;
  readonly group?: string;
  readonly name: string;
  readonly isManaged?: boolean;
  readonly isOwned?: boolean;
}

const OBJECTS: readonly Row[] = [
  { kind: 'ConfigMap', name: 'mine', isManaged: true },
  { kind: 'Pod', name: 'of-a-set', isOwned: true },
  { kind: 'ConfigMap', name: 'kube-root-ca.crt' },
  { kind: 'ServiceAccount', name: 'default' },
  { kind: 'ConfigMap', name: 'stray' },
  { kind: 'Secret', name: 'left' },
  { kind: 'Service', name: 'web', isManaged: true },
  { kind: 'Endpoints', name: 'web' },
  { kind: 'StatefulSet', group: 'apps', name: 'db', isManaged: true },
  { kind: 'PersistentVolumeClaim', name: 'data-db-0' },
];

test('what no application manages is told when the project asks for it', async () => {
  const rows = [
    [undefined, []],
    [{}, []],
    [{ warn: false }, []],
    [{ warn: true }, ['Application has 2 orphaned resources']],
    [{ warn: true, ignore: [{ kind: 'Secret' }] }, ['Application has 1 orphaned resources']],
    [{ warn: true, ignore: [{ kind: '*', name: '*' }] }, []],
    [
      { warn: true, ignore: [{ group: 'apps', kind: '*' }] },
      ['Application has 2 orphaned resources'],
    ],
    [{ warn: true, denied: 'Secret' }, ['Application has 1 orphaned resources']],
  ] as const;
  for (const [given, expected] of rows) {
    const { denied, ...orphanedResources } = { denied: '', ...given };
    const problems = await findOrphans(
      {
        ...DEFAULT_PROJECT_SPEC,
        ...(given === undefined ? {} : { orphanedResources }),
        namespaceResourceBlacklist: [{ group: '', kind: denied }],
      },
      {
        cluster: clusterOf(OBJECTS),
        namespace: 'web',
        server: 'https://kubernetes.default.svc',
        settings: readSettings({}),
      },
      { signal: AbortSignal.timeout(1000) },
    );
    assert.deepEqual(
      problems.map(({ message }) => message),
      expected,
    );
  }
});

function clusterOf(rows: readonly Row[]): Cluster {
  const objects = rows.map(({ kind, group = '', name, isManaged = false, isOwned = false }) => ({
    key: { group, kind, name, namespace: 'web' },
    indexedBy: () => (isManaged ? ['default/web'] : []),
    read: () => ({ metadata: { name, ...(isOwned ? { ownerReferences: [{}] } : {}) } }),
  }));
  const live = {
    ensureAll: () => Promise.resolve(),
    inNamespace: () => objects,
    get: (key: Pick<Row, 'kind' | 'name'>) =>
      objects.find((one) => one.key.kind === key.kind && one.key.name === key.name),
    list: ({ kind }: Pick<Row, 'kind'>) => objects.filter((one) => one.key.kind === kind),
  };
  return { live } as unknown as Cluster;
}
