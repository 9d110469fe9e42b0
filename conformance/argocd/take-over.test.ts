import { after, before, describe, test } from 'node:test';
import { createWorld, TAKE_OVER_SCENARIOS, type World } from '@capstan/apps-server/slice';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';

describe('what Argo CD left on a real control plane', { skip: whyNoCluster() }, () => {
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

  for (const scenario of TAKE_OVER_SCENARIOS) {
    test(scenario.name, async () => {
      await scenario.run(world);
    });
  }
});
