import { after, before, describe, test } from 'node:test';
import { createWorld, type World } from '@capstan/apps-server/slice';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import { type Cluster, scratch, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { runKills } from './kill-run.ts';

describe('the control plane killed in the middle of its work', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  let world: World;

  before(async () => {
    cluster = await startCluster();
    const connection = await loadKubeconfig({ file: cluster.kubeconfig });
    world = await createWorld({
      connect: () => connect(connection),
      clusterName: 'real',
      hasControlPlane: false,
    });
  });
  after(async () => {
    await world[Symbol.asyncDispose]();
    await cluster.stop();
  });

  // `deep-kill.ts` does the same 200 times with 100 applications.
  test('nothing is lost or made twice, hooks run once, and it converges', async () => {
    await runKills({
      world,
      kubeconfig: cluster.kubeconfig,
      cache: scratch(cluster, 'cache'),
      apps: 20,
      kills: 6,
      seed: 42,
    });
  });
});
