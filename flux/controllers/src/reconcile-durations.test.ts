import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '@capstan/kube-controller';
import { reconcileDurations } from './reconcile-durations.ts';

test('each object has its series under the names and bounds of the original, as long as it exists', () => {
  const registry = createRegistry();
  let exists = true;
  const { onResult } = reconcileDurations('Kustomization', { registry }, () => exists);
  const key = { namespace: 'apps', name: 'web' };
  onResult?.(key, { kind: 'settled' }, 30);
  onResult?.(key, { kind: 'settled' }, 3_000_000);
  const lines = registry.text().split('\n');
  const labels = 'kind="Kustomization",name="web",namespace="apps"';
  const bounds = lines.flatMap((line) => /le="([^"]+)"/.exec(line)?.[1] ?? []);
  assert.deepEqual([bounds.length, bounds[0], bounds.at(-1)], [11, '0.01', '+Inf']);
  assert.ok(lines.includes(`gotk_reconcile_duration_seconds_count{${labels}} 2`));
  assert.ok(lines.includes(`gotk_reconcile_duration_seconds_sum{${labels}} 3000.03`));
  exists = false;
  onResult?.(key, { kind: 'settled' }, 1);
  assert.equal(registry.text(), '');
});
