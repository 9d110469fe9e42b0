import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '@capstan/engine-delivery';
import { parseKustomization } from '@capstan/flux-api';
import { describeDeletions, toDeletionEvent, toEvents } from './to-events.ts';
import { notReady, toKustomizationStatus } from './to-kustomization-status.ts';

const parsed = parseKustomization({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'flux-system', generation: 1 },
  spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' } },
});
const PENDING = parsed.kind === 'ok' ? parsed.value : assert.fail();

test('a source that is awaited is no event, one that cannot be read is', () => {
  const waiting = notReady('ArtifactFailed', 'Source artifact not found', undefined, 0);
  assert.deepEqual(eventsOf(waiting.problems), []);
  const unread: Problem = {
    stage: 'source',
    severity: 'error',
    code: 'X',
    message: 'digest mismatch',
    kind: 'retry',
  };
  assert.deepEqual(eventsOf([unread]), ['Warning ArtifactFailed digest mismatch']);
});

test('a dependency that is awaited is told without alarm', () => {
  const { problems } = notReady('DependencyNotReady', 'base is not ready', undefined, 0);
  assert.deepEqual(eventsOf(problems), [
    'Normal DependencyNotReady Dependencies do not meet ready condition: base is not ready',
  ]);
});

test('what a new revision changed is told to be healthy, what it left as it was is not', () => {
  const told = (
    outcome: 'configured' | 'unchanged',
    reconciled = '1970-01-01T00:00:00Z',
  ): readonly string[] => {
    const condition = (type: string) => ({
      ...{
        type,
        status: 'True' as const,
        reason: 'Succeeded',
        message: 'Health check passed in 1s',
      },
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    const entry = (revision: string) => ({
      digest: 'x',
      metadata: { revision },
      lastReconciled: reconciled,
    });
    const status = (revision: string) =>
      ({
        conditions: [condition('Ready'), condition('Healthy')],
        history: [entry(revision)],
        lastAppliedRevision: revision,
      }) as never;
    const key = { group: '', kind: 'ConfigMap', namespace: 'apps', name: 'a' };
    const operation = {
      startedAtMs: 4000,
      finishedAtMs: 5000,
      results: [{ key, outcome }],
    } as never;
    const delivery = { ...notReady('', '', undefined, 0), problems: [], operation };
    const events = toEvents(
      { ...PENDING, status: status('main@sha1:b') },
      { ...PENDING, status: status('main@sha1:c') },
      { delivery, revision: 'main@sha1:c' },
    );
    return events.map(({ message }) => message);
  };
  assert.deepEqual(told('unchanged'), []);
  assert.deepEqual(told('configured'), [
    'ConfigMap/apps/a configured',
    'Health check passed in 1s',
  ]);
  // The operation is the one of the revision before: there was nothing to do.
  assert.deepEqual(told('configured', '1970-01-01T00:00:05Z'), []);
});

test('the end of a reconciliation is marked for commit statuses', () => {
  const status = { conditions: [{ type: 'Ready', status: 'True', reason: 'R', message: '' }] };
  const [event] = toEvents(
    PENDING,
    { ...PENDING, status: status as never },
    { delivery: { ...notReady('', '', undefined, 0), problems: [] }, revision: 'main@sha1:c' },
  );
  assert.deepEqual(event?.annotations, {
    'kustomize.toolkit.fluxcd.io/commit_status': 'update',
    'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:c',
  });
});

test('what is deleted with a Kustomization is told by its last condition and revision', () => {
  const key = (kind: string, name: string) => ({ group: '', kind, namespace: 'n', name });
  const message = describeDeletions([key('ConfigMap', 'a'), key('Secret', 's')]);
  assert.equal(message, 'Secret/n/s deleted\nConfigMap/n/a deleted');
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Applied', message: '' }];
  const status = { conditions, lastAppliedRevision: 'main@sha1:c' } as never;
  assert.deepEqual(toDeletionEvent({ ...PENDING, status }, message, 'Normal'), {
    ...{ type: 'Normal', reason: 'Applied', message },
    annotations: { 'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:c' },
  });
  assert.equal(toDeletionEvent(PENDING, message, 'Warning').reason, 'error');
});

function eventsOf(problems: readonly Problem[]): readonly string[] {
  const revision = 'main@sha1:c';
  const delivery = { ...notReady('', '', undefined, 0), problems };
  const status = toKustomizationStatus(PENDING, delivery, {
    nowMs: 0,
    revision,
    handledReconcileAt: undefined,
  });
  const events = toEvents(PENDING, { ...PENDING, status }, { delivery, revision });
  return events.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
}
