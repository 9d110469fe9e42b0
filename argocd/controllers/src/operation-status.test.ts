/** What a status tells of operations: what was asked for, what was synced to, why it may not be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application, AppProjectSpec, Operation } from '@capstan/argocd-api';
import type { DeliveryStatus, OperationState } from '@capstan/engine-delivery';
import { at } from '@capstan/engine-delivery/testing';
import { IN_CLUSTER } from './clusters.ts';
import { DEFAULT_PROJECT_SPEC } from './project-guard.ts';
import { readSettings } from './settings.ts';
import { application, CONTEXT, SOURCE } from './testing/lowering.ts';
import { createWorld } from './testing/world.ts';
import { toApplicationStatus } from './to-application-status.ts';
import { toDelivery } from './to-delivery.ts';

const NOW = Date.parse('2026-01-02T00:00:00Z');
const REPO = SOURCE.repoURL;
const [OLD, NEW] = ['a'.repeat(40), 'b'.repeat(40)];

const APP = application({ spec: { source: { repoURL: REPO, path: 'new' } } });

const finished = (part: Partial<OperationState> = {}): DeliveryStatus => ({
  revisions: [{ id: NEW, name: 'main' }],
  desiredDigest: 'd',
  sync: 'OutOfSync',
  health: { status: 'Healthy' },
  objects: [],
  problems: [],
  inventory: [],
  renderKinds: ['directory'],
  observedAtMs: NOW,
  operation: {
    request: {
      id: 'r',
      initiatedBy: { kind: 'person', name: 'ann' },
      policy: {},
      retry: { limit: 0, backoff: { baseMs: 1, factor: 1, maxMs: 1, jitter: 0 } },
      healAttempt: 0,
    },
    phase: 'Succeeded',
    message: 'successfully synced (all tasks run)',
    startedAtMs: NOW,
    finishedAtMs: NOW,
    retryCount: 0,
    revisions: [OLD],
    desiredDigest: 'e',
    results: [],
    ...part,
  },
});

const raise = (app: Application, operation: Operation, part: Partial<OperationState> = {}) =>
  toApplicationStatus({ ...app, operation }, finished(part), {
    nowMs: NOW,
    controlNamespace: 'argocd',
    operation,
  });

test('a rollback goes on record with the source and the revision that it went back to', () => {
  const source = { repoURL: REPO, path: 'old' };
  const operation = {
    initiatedBy: { username: 'ann' },
    sync: { revision: OLD, source, syncStrategy: { apply: {} } },
  };
  const { operationState, history, sync } = raise(APP, operation);
  assert.deepEqual(operationState?.operation, operation);
  assert.deepEqual(operationState?.syncResult?.source, source);
  assert.equal(operationState?.syncResult?.revision, OLD);
  assert.deepEqual(
    history?.map((one) => [one.revision, one.source, one.initiatedBy]),
    [[OLD, source, { username: 'ann' }]],
  );
  assert.deepEqual(sync?.comparedTo?.source, { repoURL: REPO, path: 'new' });
});

test('so does one of an application of several sources, all of them', () => {
  const sources = [
    { repoURL: REPO, path: 'a' },
    { repoURL: REPO, ref: 'values' },
  ];
  const old = [{ repoURL: REPO, path: 'b' }, sources[1] ?? { repoURL: REPO }];
  const operation = { sync: { revisions: [OLD, OLD], sources: old } };
  const told = raise(application({ spec: { sources } }), operation, { revisions: [OLD, OLD] });
  assert.deepEqual(told.operationState?.syncResult?.sources, old);
  assert.deepEqual(told.operationState?.syncResult?.revisions, [OLD, OLD]);
  assert.deepEqual(told.history?.[0]?.sources, old);
  assert.equal(told.history?.[0]?.source, undefined);
});

test('a retry that takes the newest revisions names none any more', () => {
  const retry = { limit: 2, refresh: true };
  const operation = { retry, sync: { revision: OLD, prune: true } };
  const first = raise(APP, operation);
  assert.deepEqual(first.operationState?.operation, operation);
  const again = raise(APP, operation, { retryCount: 1, revisions: [NEW] });
  assert.deepEqual(again.operationState?.operation, { retry, sync: { prune: true } });
  assert.equal(again.operationState?.syncResult?.revision, NEW);
});

test('what the original automation asked for stays as it was written', () => {
  const operation = {
    initiatedBy: { automated: true },
    retry: { limit: 7 },
    sync: { revision: OLD, autoHealAttemptsCount: 3 },
  };
  const request = { ...finished().operation?.request, id: JSON.stringify(operation) };
  const told = raise(APP, operation, {
    request: { ...request, initiatedBy: { kind: 'automation' } } as OperationState['request'],
  });
  assert.deepEqual(told.operationState?.operation, operation);
});

test('who is to be acted as and cannot be told stops every sync, and says why', () => {
  const settings = readSettings({ 'application.sync.impersonation.enabled': 'true' });
  const refusal = (
    destinationServiceAccounts: NonNullable<AppProjectSpec['destinationServiceAccounts']>,
  ) =>
    toDelivery(APP, {
      ...CONTEXT,
      settings,
      project: {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: { name: 'default' },
        spec: { ...DEFAULT_PROJECT_SPEC, destinationServiceAccounts },
      },
    }).refusal;
  const place = { server: '*', namespace: 'prod' };
  assert.equal(refusal([{ ...place, defaultServiceAccount: 'deployer' }]), undefined);
  assert.equal(
    refusal([]),
    `no matching service account found for destination server ${IN_CLUSTER.server} and namespace prod`,
  );
  assert.equal(
    refusal([{ ...place, defaultServiceAccount: 'a/b' }]),
    "failed to derive service account to impersonate: default service account contains invalid chars 'a/b'",
  );
});

test('an operation that nobody performs is answered, and changes nothing', async () => {
  await using world = await createWorld();
  const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
  world.sources.push(REPO, { 'app/a.yaml': map });
  await world.kubectlApply(`
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  source: {repoURL: '${REPO}', path: app}
  destination: {server: https://kubernetes.default.svc, namespace: default}
operation: {sync: {manifests: ['${map.replaceAll('\n', '\\n')}']}}
`);
  const app = await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (one) => at(one, 'status', 'operationState', 'phase') === 'Error',
  );
  assert.match(
    String(at(app, 'status', 'operationState', 'message')),
    /local manifests are not applied/,
  );
  assert.equal(app?.['operation'], undefined);
  assert.equal(at(app, 'status', 'conditions'), undefined, 'nothing is wrong with the application');
  assert.equal(at(app, 'status', 'sync', 'status'), 'OutOfSync');
  assert.equal(await world.get('ConfigMap', 'default/a'), undefined);
});
