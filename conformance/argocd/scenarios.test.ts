import { after, before, describe, test } from 'node:test';
import {
  APPLICATION_SET_SCENARIOS,
  ARGOCD_SCENARIOS,
  createWorld,
  ENDING_SCENARIOS,
  type World,
} from '@capstan/apps-server/slice';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';

describe('the Argo CD door on a real control plane', { skip: whyNoCluster() }, () => {
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

  for (const scenario of [...ARGOCD_SCENARIOS, ...APPLICATION_SET_SCENARIOS, ...ENDING_SCENARIOS]) {
    test(scenario.name, async (context) => {
      const figures = await scenario.run(world);
      if (figures !== undefined) context.diagnostic(JSON.stringify(figures));
    });
  }
});
