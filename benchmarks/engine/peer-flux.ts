/**
 * The cold start beside Flux: `node benchmarks/engine/peer-flux.ts KUSTOMIZE_CONTROLLER SOURCE_CONTROLLER [--apps 500]`
 *
 * The same monorepo as `run.ts`, each overlay a Kustomization of one GitRepository, on a real control plane of its own for each
 * side: from the start of the processes, with empty caches and all Kustomizations there, until the last one is Ready. The two
 * programs are built as conformance/flux-interop/deep.ts tells.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createWorld } from '@capstan/apps-server/slice';
import { fluxCrds } from '@capstan/flux-api';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import { conditionsOf, isConditionTrue, type KubeObject } from '@capstan/kube-object';
import { type Cluster, startCluster } from '../../conformance/cluster/cluster.ts';
import {
  startOfficial,
  startSources,
} from '../../conformance/flux-interop/official-controllers.ts';
import { ENVIRONMENTS, monorepo, type Overlay, overlays } from './monorepo.ts';
import { clusterCpu, cpuSeconds, serveCapstan, statusMb } from './process.ts';

const { values, positionals } = parseArgs({
  options: { apps: { type: 'string', default: '500' } },
  allowPositionals: true,
});
const [kustomizeController, sourceController] = positionals;
if (kustomizeController === undefined || sourceController === undefined) {
  console.error('usage: peer-flux.ts KUSTOMIZE_CONTROLLER SOURCE_CONTROLLER [--apps 500]');
  process.exit(2);
}
const apps = Number(values.apps);
const NAMESPACE = 'flux-system';
const GIT = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' };
const KUSTOMIZATION = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
};
/** Both take all of them; Flux's are told to look at these alone. */
const LABELS = { by: 'flux' };

interface Side extends AsyncDisposable {
  readonly cpu: () => number;
  readonly peakMb: () => number;
}

async function flux(cluster: Cluster): Promise<Side> {
  const source = await startSources(sourceController ?? '', cluster);
  const kustomize = startOfficial(kustomizeController ?? '', cluster, ['--concurrent=20']);
  const pids = [source.pid, kustomize.pid];
  const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + of(pid), 0);
  return {
    cpu: () => sum(cpuSeconds),
    peakMb: () => sum((pid) => statusMb(pid, 'VmHWM')),
    async [Symbol.asyncDispose]() {
      await Promise.all([source, kustomize].map((one) => one[Symbol.asyncDispose]()));
    },
  };
}

async function capstan({ kubeconfig }: Cluster, folder: string): Promise<Side> {
  const serving = await serveCapstan({
    kubeconfig,
    cache: join(folder, 'cache'),
    log: () => undefined,
  });
  return {
    cpu: () => serving.cpuSeconds(),
    peakMb: () => serving.peakRssMb(),
    [Symbol.asyncDispose]: () => serving[Symbol.asyncDispose](),
  };
}

async function measure(
  name: string,
  begin: (cluster: Cluster, folder: string) => Promise<Side>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-peer-'));
  await using cluster = await startCluster({ nodes: 20, args: ['-procs'] });
  const connection = await loadKubeconfig({ file: cluster.kubeconfig });
  await using world = await createWorld({
    connect: () => connect(connection, { userAgent: 'bench' }),
    clusterName: name,
    hasControlPlane: false,
  });
  const repository = await world.repository('monorepo');
  await repository.push(monorepo(apps));
  const { client } = world;
  await prepare(client, repository.url);
  const before = clusterCpu(cluster.directory);
  const begun = performance.now();
  await using side = await begin(cluster, folder);
  await untilReady(client);
  const cluster2 = [...clusterCpu(cluster.directory)].map(
    ([part, cpu]) => `${part} ${(cpu - (before.get(part) ?? 0)).toFixed(1)}`,
  );
  console.log(
    `${name}: ${apps} Kustomizations ready in ${((performance.now() - begun) / 1000).toFixed(1)} s, ` +
      `${side.cpu().toFixed(1)} CPU s, at most ${side.peakMb().toFixed(0)} MB\n  CPU seconds of the cluster: ${cluster2.join(', ')}`,
  );
  rmSync(folder, { recursive: true, force: true });
}

async function prepare(client: KubeClient, url: string): Promise<void> {
  for (const crd of fluxCrds) await client.create(crd);
  const names = [NAMESPACE, ...ENVIRONMENTS.map((environment) => `team-${environment}`)];
  for (const name of names)
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  client.discovery.invalidate();
  await pause(3_000);
  await client.create({
    ...GIT,
    metadata: { name: 'monorepo', namespace: NAMESPACE, labels: LABELS },
    spec: { interval: '10m', url, ref: { branch: 'main' } },
  });
  const left = [...overlays(apps)];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift())
      await client.create(kustomizationOf(one));
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

function kustomizationOf({ app, path, namespace }: Overlay): KubeObject {
  return {
    ...KUSTOMIZATION,
    metadata: { name: app, namespace: NAMESPACE, labels: LABELS },
    spec: {
      ...{ interval: '10m', path: `./${path}`, prune: true, targetNamespace: namespace },
      sourceRef: { kind: 'GitRepository', name: 'monorepo' },
    },
  };
}

async function untilReady(client: KubeClient): Promise<void> {
  for (;;) {
    const { items } = await client.list(KUSTOMIZATION, { namespace: NAMESPACE });
    if (items.filter((one) => isConditionTrue(conditionsOf(one), 'Ready')).length >= apps) return;
    await pause(1_000);
  }
}

const load = () =>
  loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');
console.log(`load ${load()}, node ${process.version}`);
await measure('Capstan', capstan);
await measure('Flux', flux);
console.log(`load ${load()}`);
