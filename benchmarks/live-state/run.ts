// Bytes per object of LiveState and of Argo CD's cluster cache on a real API server:
// `node benchmarks/live-state/run.ts [apps]`, 1,500 apps (10,500 objects) by default.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import { startCluster } from '../../conformance/cluster/cluster.ts';
import { oracleProgram } from '../../conformance/tools/official.ts';
import { fillCluster } from './fill.ts';

const apps = Number(process.argv[2] ?? 1_500);
// Without controllers: nothing but what is written here changes the cluster.
await using cluster = await startCluster({ args: ['-with', ''] });
const client = connect(await loadKubeconfig({ file: cluster.kubeconfig }));
const startedMs = Date.now();
const made = await fillCluster(client, apps);
console.log(
  `${made} objects of ${apps} apps written in ${Math.round((Date.now() - startedMs) / 1000)} s`,
);
await client.close();

const measure = join(import.meta.dirname, 'measure.ts');
const node = [process.execPath, '--expose-gc', '--disable-warning=ExperimentalWarning', measure];
const peer = oracleProgram('argocd-cache', join(import.meta.dirname, 'argocd-cache'));
console.table([
  run([...node, cluster.kubeconfig, 'trees']),
  run([...node, cluster.kubeconfig, 'live']),
  run([peer, cluster.kubeconfig]),
]);

/** One measurement in a process of its own, which prints one line of JSON. */
function run([command = '', ...args]: readonly string[]): Record<string, unknown> {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}
