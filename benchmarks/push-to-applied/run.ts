/**
 * From a push to the cluster: 50 Applications of one repository, on the sandbox and on a real control plane, in one run.
 * `node benchmarks/push-to-applied/run.ts [apps] [pushes]`
 *
 * Measured from the end of `git push` (when the Git server has answered) until a client that watches the cluster sees the
 * new value. `pushed` is what `git push` itself took. The control plane runs in this process.
 */
import { performance } from 'node:perf_hooks';
import {
  application,
  configMap,
  createWorld,
  untilSynced,
  type World,
} from '@capstan/apps-server/slice';
import { connect, createKubeClient, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import { startSandbox } from '@capstan/kube-sandbox';
import { startCluster, whyNoCluster } from '../../conformance/cluster/cluster.ts';

const apps = Number(process.argv[2] ?? 50);
const pushes = Number(process.argv[3] ?? 20);

interface Figures {
  readonly cluster: string;
  readonly coldMs: number;
  readonly pushedMs: readonly number[];
  readonly appliedMs: readonly number[];
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

async function measure(cluster: string, connectClient: () => KubeClient): Promise<Figures> {
  await using world = await createWorld({ connect: connectClient, clusterName: cluster });
  const cpu = process.cpuUsage();
  const repository = await world.repository('fleet');
  const files: Record<string, string> = {
    'base/kustomization.yaml': 'resources: [c.yaml]\n',
    'base/c.yaml': configMap('c', 'base'),
  };
  for (let i = 0; i < apps; i++) {
    files[`apps/a${i}/kustomization.yaml`] = overlay(i, 'first');
  }
  const commit = await repository.push(files);
  const cold = performance.now();
  for (let i = 0; i < apps; i++) {
    await world.apply(application(`a${i}`, { url: repository.url, path: `apps/a${i}` }));
  }
  for (let i = 0; i < apps; i++) await untilSynced(world, `a${i}`, commit);
  const coldMs = performance.now() - cold;
  const pushedMs: number[] = [];
  const appliedMs: number[] = [];
  for (let n = 0; n < pushes; n++) {
    const i = (n * 7) % apps;
    const seen = watchValue(world, `a${i}`, `push-${n}`);
    const started = performance.now();
    await repository.push({ [`apps/a${i}/kustomization.yaml`]: overlay(i, `push-${n}`) });
    const answered = performance.now();
    pushedMs.push(answered - started);
    appliedMs.push((await seen) - answered);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const { user, system } = process.cpuUsage(cpu);
  const rssMb = process.memoryUsage.rss() / 1024 / 1024;
  return { cluster, coldMs, pushedMs, appliedMs, cpuSeconds: (user + system) / 1e6, rssMb };
}

function overlay(i: number, value: string): string {
  return `resources: [../../base]\nnamePrefix: a${i}-\npatches:\n- patch: |-\n    - op: replace\n      path: /data/value\n      value: ${value}\n  target: {kind: ConfigMap}\n`;
}

/** When a watch shows the value. */
async function watchValue(world: World, namespace: string, value: string): Promise<number> {
  const stop = new AbortController();
  const events = world.client.follow(
    { apiVersion: 'v1', kind: 'ConfigMap' },
    { namespace, signal: stop.signal },
  );
  try {
    for await (const event of events) {
      const objects =
        event.type === 'STATE' ? event.objects : event.type === 'CHANGED' ? [event.object] : [];
      if (objects.some((object) => JSON.stringify(object['data'])?.includes(`"${value}"`))) {
        return performance.now();
      }
    }
    throw new Error('the watch ended');
  } finally {
    stop.abort();
  }
}

function quantile(values: readonly number[], q: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0).toFixed(0);
}

function print(figures: Figures): void {
  const { cluster, coldMs, pushedMs, appliedMs, cpuSeconds, rssMb } = figures;
  console.log(
    [
      cluster.padEnd(10),
      `${apps} apps cold to synced ${(coldMs / 1000).toFixed(1)} s`,
      `push → applied median ${quantile(appliedMs, 0.5)} ms, p90 ${quantile(appliedMs, 0.9)} ms, max ${quantile(appliedMs, 1)} ms`,
      `git push itself ${quantile(pushedMs, 0.5)} ms`,
      `cpu ${cpuSeconds.toFixed(1)} s`,
      `rss ${rssMb.toFixed(0)} MB`,
    ].join(' · '),
  );
}

const sandbox = await startSandbox();
print(await measure('sandbox', () => createKubeClient(sandbox.transport)));
await sandbox.close();
const missing = whyNoCluster();
if (missing === false) {
  await using cluster = await startCluster();
  const connection = await loadKubeconfig({ file: cluster.kubeconfig });
  print(await measure('real', () => connect(connection)));
} else console.log(`real: skipped: ${missing}`);
