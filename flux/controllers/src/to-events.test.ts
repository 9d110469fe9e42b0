import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '@capstan/engine-delivery';
import { parseKustomization } from '@capstan/flux-api';
import { toEvents } from './to-events.ts';
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
