import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLine, type LogEncoding, messageLine } from './log-lines.ts';
import type { ControlPlaneEvent } from './run-controllers.ts';

const at = (encoding: LogEncoding) => ({ encoding, nowMs: Date.UTC(2026, 0, 2, 3, 4, 5) });
const event: ControlPlaneEvent = {
  component: 'kustomize-controller',
  reconcileId: '0f194e95-f963-4a68-b897-660b87773fbe',
  event: {
    object: {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'apps', namespace: 'flux-system' },
    },
    type: 'Warning',
    reason: 'BuildFailed',
    message: 'kustomize build failed:\nno such file',
    annotations: { 'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:abc' },
  },
};

test('an event is a line with the keys that flux logs reads', () => {
  assert.deepEqual(JSON.parse(eventLine(event, at('json'))), {
    level: 'error',
    ts: '2026-01-02T03:04:05.000Z',
    msg: 'Reconciler error',
    error: 'kustomize build failed:\nno such file',
    logger: 'kustomize-controller',
    controller: 'kustomization',
    controllerGroup: 'kustomize.toolkit.fluxcd.io',
    controllerKind: 'Kustomization',
    Kustomization: { name: 'apps', namespace: 'flux-system' },
    namespace: 'flux-system',
    name: 'apps',
    reconcileID: '0f194e95-f963-4a68-b897-660b87773fbe',
    reason: 'BuildFailed',
    revision: 'main@sha1:abc',
  });
  assert.equal(
    eventLine(event, at('console')),
    '2026-01-02T03:04:05.000Z error Kustomization/flux-system/apps: kustomize build failed:; no such file reason="BuildFailed"\n',
  );
});

test('what is no failure is a message', () => {
  const found = { ...event.event, reason: 'DriftDetected', message: 'has drifted' };
  const { msg, level, error } = JSON.parse(eventLine({ ...event, event: found }, at('json')));
  assert.deepEqual([msg, level, error], ['has drifted', 'info', undefined]);
});

test('what the process says is an error when it names one', () => {
  assert.equal(
    messageLine('started', { count: 2 }, at('console')),
    '2026-01-02T03:04:05.000Z info started count=2\n',
  );
  assert.equal(
    messageLine('an event is lost', { error: 'gone' }, at('json')),
    '{"level":"error","ts":"2026-01-02T03:04:05.000Z","msg":"an event is lost","error":"gone"}\n',
  );
});
