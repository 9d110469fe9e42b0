import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  APPLICATION_SCENARIOS,
  application,
  CHART_SCENARIOS,
  configMap,
  createWorld,
  DEPENDENCY_SCENARIOS,
  KUSTOMIZATION_SCENARIOS,
  MISTAKE_SCENARIO,
  PROBE_SCENARIOS,
  SYNC_SCENARIOS,
  untilSynced,
  type World,
} from '@capstan/apps-server/slice';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';

describe('the slice on a real control plane', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  let world: World;

  before(async () => {
    cluster = await startCluster();
    const connection = await loadKubeconfig({ file: cluster.kubeconfig });
    world = await createWorld({ connect: () => connect(connection), clusterName: 'real' });
  });
  after(async () => {
    await world[Symbol.asyncDispose]();
    await cluster.stop();
  });

  for (const scenario of [
    ...APPLICATION_SCENARIOS,
    MISTAKE_SCENARIO,
    ...KUSTOMIZATION_SCENARIOS,
    ...CHART_SCENARIOS,
    ...DEPENDENCY_SCENARIOS,
    ...SYNC_SCENARIOS,
    ...PROBE_SCENARIOS,
  ]) {
    test(scenario.name, async (context) => {
      const figures = await scenario.run(world);
      if (figures !== undefined) context.diagnostic(JSON.stringify(figures));
    });
  }

  test('a restart of the API server interrupts nothing for long', async () => {
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
  });
});
