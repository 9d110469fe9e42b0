import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainObject } from '@capstan/apps-server/explain';
import type { Json, KubeObject } from '@capstan/kube-object';

function told(object: KubeObject): readonly string[] {
  return explainObject(object).map(
    ({ about, sentence, next }) => `${about}: ${sentence} → ${next}`,
  );
}

type Fields = { readonly [name: string]: Json };

function application(status: Fields | undefined, spec: Fields = {}): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web', namespace: 'argocd' },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

const resource = (kind: string, name: string, more: Fields = {}): Json => ({
  kind,
  name,
  namespace: 'shop',
  status: 'OutOfSync',
  ...more,
});

test('an Application that is fine needs no explanation; one that nobody looked at does', () => {
  const fine = { sync: { status: 'Synced' }, health: { status: 'Healthy' } };
  assert.deepEqual(told(application(fine)), []);
  assert.match(told(application(undefined))[0] ?? '', /^waiting: nothing has looked at/);
});

test('why an Application is out of sync, and the next step by its policy', () => {
  const resources = [
    resource('Deployment', 'web'),
    resource('Service', 'web', { health: { status: 'Missing' } }),
    resource('ConfigMap', 'old', { requiresPruning: true }),
    resource('ConfigMap', 'same', { status: 'Synced' }),
  ];
  const status = { sync: { status: 'OutOfSync' }, health: { status: 'Healthy' }, resources };
  const what =
    'sync: of 4 objects 1 differ from Git (Deployment/web), 1 are not in the cluster (Service/web), 1 are no longer in Git (ConfigMap/old)';
  const next = (spec: Fields) => told(application(status, spec))[0]?.replace(`${what} → `, '');
  assert.equal(
    next({}),
    'sync it: argocd app sync web --prune, or switch on spec.syncPolicy.automated',
  );
  assert.equal(
    next({ syncPolicy: { automated: {} } }),
    'remove them: argocd app sync web --prune, or set spec.syncPolicy.automated.prune',
  );
  assert.equal(
    next({ syncPolicy: { automated: { prune: true, selfHeal: true } } }),
    'nothing: it syncs by itself',
  );
});

test('a source that cannot be compared, an unhealthy object, a hook that is awaited, a sync that failed', () => {
  const status: Fields = {
    sync: { status: 'Unknown' },
    conditions: [{ type: 'ComparisonError', message: 'app.yaml:3: no such kind' }],
    health: { status: 'Degraded' },
    resources: [
      resource('Deployment', 'web', {
        status: 'Synced',
        health: { status: 'Degraded', message: 'exceeded its progress deadline' },
      }),
      resource('Pod', 'web-1', { status: 'Synced', health: { status: 'Progressing' } }),
    ],
    operationState: {
      phase: 'Running',
      message: 'waiting for completion of hook batch/Job/migrate',
    },
  };
  assert.deepEqual(told(application(status)), [
    'sync: ComparisonError: app.yaml:3: no such kind → correct the source: the message names the file or setting',
    'health: Deployment/web is Degraded: exceeded its progress deadline, and 1 more → kubectl describe deployment/web -n shop',
    "waiting: a sync is running: waiting for completion of hook batch/Job/migrate → see the hook's Pods; argocd app terminate-op web ends the sync",
  ]);
  const failed: Fields = {
    sync: { status: 'Synced' },
    health: { status: 'Healthy' },
    operationState: {
      phase: 'Failed',
      message: 'one or more objects failed to apply',
      syncResult: {
        resources: [
          { kind: 'Service', name: 'web', status: 'SyncFailed', message: 'port is taken' },
        ],
      },
    },
  };
  assert.match(
    told(application(failed))[0] ?? '',
    /^waiting: the last sync failed: Service\/web: port is taken → correct it in Git/,
  );
});

function flux(
  kind: string,
  fields: { readonly spec?: Fields; readonly status?: Fields },
): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind,
    metadata: { name: 'app', namespace: 'flux-system', generation: 2 },
    ...fields,
  };
}

const condition = (status: string, reason: string, message: string): Fields => ({
  observedGeneration: 2,
  conditions: [{ type: 'Ready', status, reason, message }],
});

test('resources of Flux are explained by their conditions', () => {
  assert.deepEqual(told(flux('Kustomization', { status: condition('True', 'Succeeded', '') })), []);
  assert.deepEqual(told(flux('Kustomization', { spec: { suspend: true } })), [
    'waiting: Kustomization is suspended → flux resume kustomization app -n flux-system',
  ]);
  assert.deepEqual(
    told(
      flux('Kustomization', {
        status: condition(
          'False',
          'DependencyNotReady',
          "dependency 'flux-system/db' is not ready",
        ),
      }),
    ),
    [
      "waiting: DependencyNotReady: dependency 'flux-system/db' is not ready → make the dependency ready: explain it next",
    ],
  );
  assert.deepEqual(
    told(flux('HelmRelease', { status: condition('False', 'UpgradeFailed', 'timed out') })),
    [
      'sync: UpgradeFailed: timed out → correct it, then flux reconcile helmrelease app -n flux-system',
    ],
  );
  assert.match(
    told(flux('Kustomization', { status: { observedGeneration: 1 } }))[0] ?? '',
    /has not looked/,
  );
});
