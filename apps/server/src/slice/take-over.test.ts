import { after, before, test } from 'node:test';
import { createKubeClient } from '@capstan/kube-client';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { TAKE_OVER_SCENARIOS } from './take-over-scenarios.ts';
import { createWorld, type World } from './world.ts';

let sandbox: Sandbox;
let world: World;

before(async () => {
  sandbox = await startSandbox();
  world = await createWorld({
    connect: () => createKubeClient(sandbox.transport),
    clusterName: 'sandbox',
  });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await sandbox.close();
});

for (const scenario of TAKE_OVER_SCENARIOS) {
  test(scenario.name, async () => {
    await scenario.run(world);
  });
}
