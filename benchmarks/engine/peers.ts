/**
 * Capstan and its peers at the same work, one after the other in one run:
 * `node benchmarks/engine/peers.ts [--apps 500] [--samples 5] [--argocd ARGOCD,REDIS] [--flux KUSTOMIZE_CONTROLLER,SOURCE_CONTROLLER]`
 *
 * The monorepo of `run.ts`, each overlay an Application, or a Kustomization of one GitRepository, on a real control plane of its own
 * for each side: from the start of the processes, with empty caches and all objects there, until the last one is Synced or Ready;
 * then a one-file commit, of which everybody is told as a webhook tells, until a watch shows it; then somebody's change of a
 * Deployment until it is healed (Flux heals at its interval). ARGOCD is `go build ./cmd` in a copy of its module
 * (github.com/argoproj/argo-cd/v3; of 3.5 the `replace` of ./gitops-engine names the module's own version instead), REDIS a
 * redis-server; Flux's two programs are built as conformance/flux-interop/deep.ts tells.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createWorld } from '@capstan/apps-server/slice';
import { connect, createLiveState, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import { type Cluster, startCluster } from '../../conformance/cluster/cluster.ts';
import {
  createApplications,
  createKustomizations,
  type Fleet,
  measureCommit,
  measureDrift,
  type Push,
  sendWebhook,
  untilAllReady,
  untilAllSynced,
} from './fleet.ts';
import { monorepo, overlays } from './monorepo.ts';
import { type Peer, startArgocd, startFlux } from './peer-programs.ts';
import { clusterCpu, serveCapstan } from './process.ts';

const { values } = parseArgs({
  options: {
    apps: { type: 'string', default: '500' },
    samples: { type: 'string', default: '5' },
    argocd: { type: 'string' },
    flux: { type: 'string' },
  },
});
const apps = Number(values.apps);
const samples = Number(values.samples);

interface Place {
  readonly cluster: Cluster;
  readonly folder: string;
  readonly client: KubeClient;
}

interface Side {
  readonly name: string;
  readonly work: 'Applications' | 'Kustomizations';
  readonly start: (place: Place) => Promise<Peer>;
  /** Flux does nothing about a drift until its interval has passed. */
  readonly heals: boolean;
}

async function startCapstan({ cluster: { kubeconfig }, folder }: Place): Promise<Peer> {
  const cache = join(folder, 'cache');
  const serving = await serveCapstan({ kubeconfig, cache, log: () => undefined });
  return {
    cpuSeconds: () => serving.cpuSeconds(),
    peakMb: () => serving.peakRssMb(),
    tell: (_fleet: Fleet, push: Push) => sendWebhook(serving.page, push),
    [Symbol.asyncDispose]: () => serving[Symbol.asyncDispose](),
  };
}

async function measure({ name, work, start, heals }: Side): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-peer-'));
  await using cluster = await startCluster({ nodes: 20, args: ['-procs'] });
  const connection = await loadKubeconfig({ file: cluster.kubeconfig });
  await using world = await createWorld({
    connect: () => connect(connection, { userAgent: 'bench' }),
    clusterName: name,
    hasControlPlane: false,
  });
  const { client } = world;
  const repository = await world.repository('monorepo');
  await repository.push(monorepo(apps));
  const create = work === 'Applications' ? createApplications : createKustomizations;
  await create({ client, repository, overlays: overlays(apps) });
  await using live = createLiveState({ client, isManaged: () => true });
  const kind =
    work === 'Applications'
      ? { group: 'argoproj.io', kind: 'Application' }
      : { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' };
  await live.ensure([kind, { group: 'apps', kind: 'Deployment' }]);
  const fleet: Fleet = { client, live, repository, overlays: overlays(apps) };
  const before = clusterCpu(cluster.directory);
  const begun = performance.now();
  await using peer = await start({ cluster, folder, client });
  const startedMs = performance.now() - begun;
  const until = work === 'Applications' ? untilAllSynced : untilAllReady;
  const { syncedMs } = await until(fleet, 1_200_000);
  const seconds = ((startedMs + syncedMs) / 1000).toFixed(1);
  const parts = [...clusterCpu(cluster.directory)].map(
    ([part, cpu]) => `${part} ${(cpu - (before.get(part) ?? 0)).toFixed(1)}`,
  );
  console.log(
    `${name}: ${apps} ${work} in ${seconds} s, ${peer.cpuSeconds().toFixed(1)} CPU s, at most ${peer.peakMb().toFixed(0)} MB`,
  );
  console.log(`  CPU seconds of the cluster: ${parts.join(', ')}`);
  const chosen = fleet.overlays.filter((_, index) => index % 37 === 3).slice(0, samples);
  const commits: number[] = [];
  for (const [n, overlay] of chosen.entries()) {
    const tell = (push: Push) => peer.tell(fleet, push);
    commits.push(await measureCommit(fleet, overlay, { setting: `n${n}`, tell }));
  }
  console.log(`  one-file commit → applied: ${tellTimes(commits)}`);
  if (heals) {
    const drifts: number[] = [];
    for (const overlay of chosen) drifts.push(await measureDrift(fleet, overlay));
    console.log(`  drift → healed: ${tellTimes(drifts)}`);
  }
  rmSync(folder, { recursive: true, force: true });
}

function tellTimes(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const tell = (ms: number | undefined) => `${((ms ?? 0) / 1000).toFixed(3)} s`;
  return `median ${tell(sorted[sorted.length >> 1])}, at most ${tell(sorted.at(-1))} (${times.length} times)`;
}

const load = () =>
  loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');
const [argocd, redis] = values.argocd?.split(',') ?? [];
const [kustomize, source] = values.flux?.split(',') ?? [];
const ours = { name: 'Capstan', start: startCapstan, heals: true } as const;
console.log(`load ${load()}, node ${process.version}`);
await measure({ ...ours, work: 'Applications' });
if (argocd !== undefined && redis !== undefined)
  await measure({
    ...{ name: 'Argo CD', work: 'Applications', heals: true },
    start: (place) => startArgocd({ argocd, redis, ...place }),
  });
if (kustomize !== undefined && source !== undefined) {
  await measure({ ...ours, work: 'Kustomizations' });
  await measure({
    ...{ name: 'Flux', work: 'Kustomizations', heals: false },
    start: ({ cluster }) => startFlux({ kustomize, source, cluster }),
  });
}
console.log(`load ${load()}`);
