import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveryStatus } from '@capstan/engine-delivery';
import { isOverdue, limitAtMs, spreadMs } from './look-times.ts';
import { readSettings } from './settings.ts';

const RUNNING = { operation: { phase: 'Running', startedAtMs: 1_000 } } as DeliveryStatus;
const DONE = { operation: { phase: 'Succeeded', startedAtMs: 1_000 } } as DeliveryStatus;
const LIMITED = readSettings({}, { 'controller.sync.timeout.seconds': '60' });

test('an operation has the time that the administrator gives it', () => {
  assert.equal(isOverdue(RUNNING, LIMITED, 60_999), false);
  assert.equal(isOverdue(RUNNING, LIMITED, 61_000), true);
  assert.equal(isOverdue(DONE, LIMITED, 99_000), false);
  assert.equal(isOverdue(undefined, LIMITED, 99_000), false);
  assert.equal(isOverdue(RUNNING, readSettings({}), 99_000_000), false);
  assert.equal(limitAtMs(RUNNING, LIMITED, 0), 61_000);
  assert.equal(limitAtMs(DONE, LIMITED, 0), Number.POSITIVE_INFINITY);
});

test('everything is made anew as often as the administrator wants', () => {
  const settings = readSettings({ 'timeout.hard.reconciliation': '1h' });
  assert.equal(limitAtMs(DONE, settings, 5_000), 3_605_000);
});

test('looks at a remote are spread over the jitter, the same for the same name', () => {
  const settings = readSettings({ 'timeout.reconciliation.jitter': '30s' });
  const all = Array.from({ length: 200 }, (_, i) => spreadMs(`Application/argocd/a${i}`, settings));
  assert.ok(all.every((one) => one >= 0 && one < 30_000));
  assert.ok(new Set(all).size > 50);
  assert.equal(spreadMs('x', settings), spreadMs('x', settings));
  assert.equal(spreadMs('x', readSettings({ 'timeout.reconciliation.jitter': '0' })), 0);
});
