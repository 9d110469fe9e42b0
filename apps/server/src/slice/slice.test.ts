import { after, before, test } from 'node:test';
import { createKubeClient } from '@capstan/kube-client';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { APPLICATION_SCENARIOS, MISTAKE_SCENARIO } from './application-scenarios.ts';
import { APPLICATION_SET_SCENARIOS } from './application-set-scenarios.ts';
import { ARGOCD_SCENARIOS } from './argocd-scenarios.ts';
import { CHART_SCENARIOS } from './chart-scenarios.ts';
import { DEPENDENCY_SCENARIOS } from './dependency-scenarios.ts';
import { ENDING_SCENARIOS } from './ending-scenarios.ts';
import { FLEET_SCENARIOS } from './fleet-scenarios.ts';
import { FLUX_FLEET_SCENARIOS } from './flux-fleet-scenarios.ts';
import { GENERATOR_SCENARIOS } from './generator-scenarios.ts';
import { KUSTOMIZATION_SCENARIOS } from './kustomization-scenarios.ts';
import { PROBE_SCENARIOS } from './probe-scenarios.ts';
import { SYNC_SCENARIOS } from './sync-scenarios.ts';
import { WHY_SCENARIOS } from './why-scenarios.ts';
import { createWorld, type World } from './world.ts';

let sandbox: Sandbox;
let world: World;

before(async () => {
  sandbox = await startSandbox();
  world = await createWorld({
    connect: () => createKubeClient(sandbox.transport),
    clusterName: 'sandbox',
    ...(process.env['SLICE_LOG'] === undefined ? {} : { log: (text) => console.error(text) }),
  });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await sandbox.close();
});

const scenarios = [
  ...APPLICATION_SCENARIOS,
  MISTAKE_SCENARIO,
  ...APPLICATION_SET_SCENARIOS,
  ...GENERATOR_SCENARIOS,
  ...ARGOCD_SCENARIOS,
  ...KUSTOMIZATION_SCENARIOS,
  ...FLUX_FLEET_SCENARIOS,
  ...CHART_SCENARIOS,
  ...DEPENDENCY_SCENARIOS,
  ...SYNC_SCENARIOS,
  ...ENDING_SCENARIOS,
  ...FLEET_SCENARIOS,
  ...PROBE_SCENARIOS,
  ...WHY_SCENARIOS,
];

for (const scenario of scenarios) {
  test(scenario.name, async (context) => {
    const figures = await scenario.run(world);
    if (figures !== undefined) context.diagnostic(JSON.stringify(figures));
  });
}
