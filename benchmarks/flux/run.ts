/**
 * Flux's own benchmark in its published shape: `node benchmarks/flux/run.ts [--apps 100,500,1000] [--only kustomizations|releases]`
 *
 * As many Kustomizations (each with its OCIRepository) or HelmReleases (each with its HelmChart, all of one chart) as asked
 * for are created at once on a real control plane whose parts are processes of their own. Each application is a Deployment
 * of no replicas, a ServiceAccount, a Service and an Ingress. Time runs from the first `create` until the last one is Ready.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  connect,
  createLiveState,
  type KubeClient,
  type LiveState,
  loadKubeconfig,
} from '@capstan/kube-client';
import { conditionsOf, isConditionTrue, type Json, type KubeObject } from '@capstan/kube-object';
import { startCluster, whyNoCluster } from '../../conformance/cluster/cluster.ts';
import { startCharts } from '../../conformance/flux-helm/charts.ts';
import { startRegistry } from '../../flux/controllers/src/testing/stand-ins.ts';
import { clusterCpu, type Serving, serveCapstan } from '../engine/process.ts';
import { auditLog, countedKubeconfig, RequestCounter, tell } from '../engine/requests.ts';
import { artifact, chart } from './app.ts';

const { values } = parseArgs({
  options: {
    apps: { type: 'string', default: '100,500,1000' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const NAMESPACE = 'apps';
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const LAYER = 'application/vnd.cncf.flux.content.v1.tar+gzip';
const KINDS = [
  { group: 'source.toolkit.fluxcd.io', kind: 'OCIRepository' },
  { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' },
  { group: 'source.toolkit.fluxcd.io', kind: 'HelmChart' },
  { group: 'helm.toolkit.fluxcd.io', kind: 'HelmRelease' },
] as const;
/** Requests at once of whoever creates the applications. */
const CREATORS = 8;

interface Shape {
  readonly name: string;
  /** Of each application; the last one's readiness is what counts. */
  readonly objects: (app: string) => readonly KubeObject[];
  readonly kinds: readonly string[];
}

function kustomizations(host: string): Shape {
  return {
    name: 'kustomizations',
    kinds: ['OCIRepository', 'Kustomization'],
    objects: (name) => [
      object(SOURCE, 'OCIRepository', name, {
        interval: '60m',
        url: `oci://${host}/org/app`,
        ref: { tag: '6.5.0' },
        insecure: true,
      }),
      object('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', name, {
        interval: '60m',
        path: './',
        prune: true,
        wait: true,
        timeout: '5m',
        targetNamespace: NAMESPACE,
        namePrefix: `${name}-`,
        sourceRef: { kind: 'OCIRepository', name },
      }),
    ],
  };
}

const releases: Shape = {
  name: 'releases',
  kinds: ['HelmChart', 'HelmRelease'],
  objects: (name) => [
    object('helm.toolkit.fluxcd.io/v2', 'HelmRelease', name, {
      interval: '60m',
      timeout: '5m',
      chart: {
        spec: {
          chart: 'app',
          version: '6.x',
          sourceRef: { kind: 'HelmRepository', name: 'charts' },
        },
      },
    }),
  ],
};

function object(
  apiVersion: string,
  kind: string,
  name: string,
  spec: { readonly [key: string]: Json },
): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec };
}

/** When the last of so many objects of a kind is Ready, as the watch tells it; in ms from now. */
function untilReady(live: LiveState, kind: string, count: number): Promise<number> {
  const begun = performance.now();
  const ready = new Set<string>();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const stop = live.subscribe(({ key, after }) => {
    if (key.kind !== kind) return;
    if (after !== undefined && isReady(after.read())) ready.add(key.name);
    else ready.delete(key.name);
    if (ready.size >= count) resolve(performance.now() - begun);
  });
  const patience = setTimeout(
    () => reject(new Error(`${ready.size} of ${count} ${kind}s are ready`)),
    3_600_000,
  );
  return promise.finally(() => {
    clearTimeout(patience);
    stop();
  });
}

function isReady(object: KubeObject): boolean {
  return isConditionTrue(conditionsOf(object), 'Ready');
}

async function createAll(client: KubeClient, shape: Shape, count: number): Promise<void> {
  const left = Array.from({ length: count }, (_, i) => `app-${String(i).padStart(4, '0')}`);
  const worker = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      for (const one of shape.objects(name)) await client.create(one);
    }
  };
  await Promise.all(Array.from({ length: CREATORS }, worker));
}

interface Bench {
  readonly client: KubeClient;
  readonly live: LiveState;
  readonly serving: Serving;
  readonly counter: RequestCounter;
  readonly cpu: () => ReadonlyMap<string, number>;
}

async function measure(shape: Shape, count: number, bench: Bench): Promise<void> {
  const { client, live, serving, counter, cpu } = bench;
  counter.take('capstan');
  const [before, own] = [cpu(), serving.cpuSeconds()];
  const times = shape.kinds.map((kind) => untilReady(live, kind, count));
  await createAll(client, shape, count);
  const readyMs = await Promise.all(times);
  const cluster = [...cpu()].map(
    ([name, seconds]) => `${name} ${(seconds - (before.get(name) ?? 0)).toFixed(1)}`,
  );
  console.log(
    `${count} ${shape.name}: ${shape.kinds
      .map((kind, i) => `${kind}s ready in ${((readyMs[i] ?? 0) / 1000).toFixed(1)} s`)
      .join(', ')}; ${(serving.cpuSeconds() - own).toFixed(1)} CPU s, ` +
      `RSS ${serving.rssMb().toFixed(0)} MiB, peak ${serving.peakRssMb().toFixed(0)} MiB\n` +
      `  CPU seconds of the cluster: ${cluster.join(', ')}\n  requests: ${tell(counter.take('capstan'))}`,
  );
}

/** One size of one shape, on a cluster of its own: nothing is left from the one before. */
async function run(makeShape: (host: string) => Shape, count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-flux-'));
  const audit = auditLog(folder);
  await using registry = await startRegistry();
  registry.push('6.5.0', [{ mediaType: LAYER, bytes: artifact() }]);
  await using charts = await startCharts();
  charts.publish(chart());
  await using cluster = await startCluster({ nodes: 1, args: ['-procs', ...audit.args] });
  const connection = await loadKubeconfig({ file: cluster.kubeconfig });
  const client = connect(connection, { userAgent: 'bench' });
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await using serving = await serveCapstan({
    kubeconfig: countedKubeconfig(cluster.kubeconfig, folder),
    cache: join(folder, 'cache'),
    log: (text) => (values.verbose ? process.stderr.write(text) : undefined),
  });
  await using live = createLiveState({ client, isManaged: () => true });
  await live.ensure(KINDS);
  await client.create(
    object(SOURCE, 'HelmRepository', 'charts', { interval: '60m', url: charts.url }),
  );
  // The start is over, and what it wrote.
  await pause(3_000);
  const counter = new RequestCounter(audit.file);
  await measure(makeShape(registry.host), count, {
    client,
    live,
    serving,
    counter,
    cpu: () => clusterCpu(cluster.directory),
  });
  await client.close();
  rmSync(folder, { recursive: true, force: true });
}

const missing = whyNoCluster();
if (missing !== false) {
  console.log(`skipped: ${missing}`);
} else {
  console.log(
    `load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}, node ${process.version}`,
  );
  for (const count of values.apps.split(',').map(Number)) {
    if (values.only !== 'releases') await run(kustomizations, count);
    if (values.only !== 'kustomizations') await run(() => releases, count);
  }
}
