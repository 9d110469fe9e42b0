// The long run of kill.test.ts: `node conformance/slice/deep-kill.ts [kills] [apps] [seed] [real|sandbox]`
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWorld } from '@capstan/apps-server/slice';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import { startSandbox } from '@capstan/kube-sandbox';
import { startCluster } from '../cluster/cluster.ts';
import { runKills } from './kill-run.ts';

const [kills = '200', apps = '100', seed = `${Date.now() % 100_000}`, place = 'sandbox'] =
  process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'capstan-kill-'));
console.log(`${kills} kills, ${apps} applications, seed ${seed}, ${place}`);

async function openCluster() {
  if (place === 'real') {
    const cluster = await startCluster({ nodes: 5 });
    return { kubeconfig: cluster.kubeconfig, close: () => cluster.stop() };
  }
  const sandbox = await startSandbox({ port: 0, nodes: 50 });
  return { kubeconfig: sandbox.kubeconfigPath, close: () => sandbox.close() };
}

const cluster = await openCluster();
const connection = await loadKubeconfig({ file: cluster.kubeconfig });
const world = await createWorld({
  connect: () => connect(connection),
  clusterName: place,
  hasControlPlane: false,
});
const begun = performance.now();
try {
  await runKills({
    world,
    kubeconfig: cluster.kubeconfig,
    cache: join(folder, 'cache'),
    apps: Number(apps),
    kills: Number(kills),
    seed: Number(seed),
    log: (text) => console.log(`${((performance.now() - begun) / 1000).toFixed(0)} s: ${text}`),
  });
  console.log(
    `converged after ${((performance.now() - begun) / 1000).toFixed(0)} s: nothing twice`,
  );
} finally {
  await world[Symbol.asyncDispose]();
  await cluster.close();
  rmSync(folder, { recursive: true, force: true });
}
