import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  APPLICATION_SCENARIOS,
  application,
  CHART_SCENARIOS,
  configMap,
  DEPENDENCY_SCENARIOS,
  FLUX_FLEET_SCENARIOS,
  KUSTOMIZATION_SCENARIOS,
  MISTAKE_SCENARIO,
  PROBE_SCENARIOS,
  SYNC_SCENARIOS,
  untilSynced,
  WHY_SCENARIOS,
} from '@capstan/apps-server/slice';
import { holdScenarios } from '../cluster/hold-scenarios.ts';

holdScenarios(
  'the slice on a real control plane',
  [
    ...APPLICATION_SCENARIOS,
    MISTAKE_SCENARIO,
    ...KUSTOMIZATION_SCENARIOS,
    ...FLUX_FLEET_SCENARIOS,
    ...CHART_SCENARIOS,
    ...DEPENDENCY_SCENARIOS,
    ...SYNC_SCENARIOS,
    ...PROBE_SCENARIOS,
    ...WHY_SCENARIOS,
  ],
  (stage) =>
    test('a restart of the API server interrupts nothing for long', async () => {
      const { cluster, world } = stage();
      const repository = await world.repository('outlived');
      const first = await repository.push({ 'a.yaml': configMap('a', 'one') });
      await world.apply(application('outlived', { url: repository.url, path: '.' }));
      await untilSynced(world, 'outlived', first);
      await cluster.kill9();
      const second = await repository.push({ 'a.yaml': configMap('a', 'two') });
      await cluster.restart();
      await untilSynced(world, 'outlived', second);
      const third = await repository.push({ 'b.yaml': configMap('b', 'three') });
      await untilSynced(world, 'outlived', third);
      const made = await world.get({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: 'outlived',
        name: 'b',
      });
      assert.ok(made !== undefined);
    }),
);
