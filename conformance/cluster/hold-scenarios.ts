import { after, before, describe, test } from 'node:test';
import { createWorld, type Scenario, type World } from '@capstan/apps-server/slice';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts';

/**
 * Holds Capstan to scenarios, one after the other, on one real control plane; `more` adds tests of its own, and asks for the
 * cluster and the world when they run.
 */
export function holdScenarios(
  title: string,
  scenarios: readonly Scenario[],
  more: (stage: () => { readonly cluster: Cluster; readonly world: World }) => void = () => {},
): void {
  describe(title, { skip: whyNoCluster() }, () => {
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

    for (const scenario of scenarios) {
      test(scenario.name, async (context) => {
        const figures = await scenario.run(world);
        if (figures !== undefined) context.diagnostic(JSON.stringify(figures));
      });
    }
    more(() => ({ cluster, world }));
  });
}
