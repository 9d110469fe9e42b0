/**
 * What the engine costs: `node benchmarks/engine/run.ts [--apps 500] [--rest MINUTES] [--curve 100,1000,5000] [--only real|sandbox|floor]`
 *
 * Applications of a monorepo (each a Deployment, a Service and a ConfigMap) on a real control plane whose parts are
 * processes of their own, `capstan serve` another one: cold start, one-file commit → applied, drift → healed, and what it
 * asks and burns at rest. Then the same for each size of the curve on the sandbox, again in a process of its own. `floor` is what
 * the real control plane takes for the bare objects alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createWorld, type Repository } from '@capstan/apps-server/slice';
import { connect, createLiveState, loadKubeconfig } from '@capstan/kube-client';
import { startCluster, whyNoCluster } from '../../conformance/cluster/cluster.ts';
import {
  createApplications,
  type Fleet,
  measureCommit,
  measureDrift,
  type Push,
  sendWebhook,
  untilAllSynced,
} from './fleet.ts';
import { measureFloor } from './floor.ts';
import { monorepo, overlays } from './monorepo.ts';
import { clusterCpu, type Serving, serveCapstan } from './process.ts';
import { auditLog, countedKubeconfig, RequestCounter, tell, total } from './requests.ts';

const { values } = parseArgs({
  options: {
    apps: { type: 'string', default: '500' },
    rest: { type: 'string', default: '5' },
    samples: { type: 'string', default: '20' },
    curve: { type: 'string', default: '100,500,1000,2000,5000' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
/** Further arguments of kubebox, e.g. to profile the API server. */
const clusterArgs = process.env['CLUSTER_ARGS']?.split(' ') ?? [];
const samples = Number(values.samples);

interface Place {
  readonly name: string;
  readonly kubeconfig: string;
  /** For the process whose requests are counted. */
  readonly counted?: string;
}

async function withFleet(
  place: Place,
  apps: number,
  measure: (fleet: Fleet, serve: () => Promise<Serving>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-engine-'));
  const connection = await loadKubeconfig({ file: place.kubeconfig });
  const connectClient = () => connect(connection, { userAgent: 'bench' });
  await using world = await createWorld({
    connect: connectClient,
    clusterName: place.name,
    hasControlPlane: false,
  });
  const repository: Repository = await world.repository('monorepo');
  await repository.push(monorepo(apps));
  const { client } = world;
  await createApplications({ client, repository, overlays: overlays(apps) });
  await using live = createLiveState({ client, isManaged: () => true });
  await live.ensure([
    { group: 'argoproj.io', kind: 'Application' },
    { group: 'apps', kind: 'Deployment' },
  ]);
  const serve = () =>
    serveCapstan({
      kubeconfig: place.counted ?? place.kubeconfig,
      cache: join(folder, 'cache'),
      log: (text) => (values.verbose ? process.stderr.write(text) : undefined),
    });
  try {
    await measure({ client, live, repository, overlays: overlays(apps) }, serve);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureCold(fleet: Fleet, serve: () => Promise<Serving>): Promise<Serving> {
  const begun = performance.now();
  const serving = await serve();
  const servedMs = performance.now() - begun;
  const { syncedMs, healthyMs } = await untilAllSynced(fleet, 3_600_000);
  say(
    `cold start of ${fleet.overlays.length} apps: ${seconds(servedMs + syncedMs)} to all synced, ` +
      `${seconds(servedMs + healthyMs)} to all healthy, ${serving.cpuSeconds().toFixed(1)} CPU s, ` +
      `${await serving.looks()} looks, RSS ${serving.rssMb().toFixed(0)} MB, peak ${serving.peakRssMb().toFixed(0)} MB`,
  );
  return serving;
}

async function measureCommits(fleet: Fleet, serving: Serving): Promise<void> {
  const tell = (push: Push) => sendWebhook(serving.page, push);
  const times: number[] = [];
  const cpu = serving.cpuSeconds();
  for (let n = 0; n < samples; n++) {
    const overlay = fleet.overlays[(n * 37) % fleet.overlays.length];
    if (overlay === undefined) break;
    const setting = `n${n}-${Date.now()}`;
    times.push(await measureCommit(fleet, overlay, { setting, tell }));
    await pause(250);
  }
  say(`one-file commit → applied: ${quantiles(times)}, ${cpuOf(serving, cpu)} each`);
}

async function measureDrifts(fleet: Fleet, serving: Serving): Promise<void> {
  const times: number[] = [];
  const cpu = serving.cpuSeconds();
  for (let n = 0; n < samples; n++) {
    const overlay = fleet.overlays[(n * 41 + 7) % fleet.overlays.length];
    if (overlay === undefined) break;
    times.push(await measureDrift(fleet, overlay));
    await pause(250);
  }
  say(`drift → healed: ${quantiles(times)}, ${cpuOf(serving, cpu)} each`);
}

/** What is told at leisure, as events are, is told. */
async function untilQuiet(counter: RequestCounter, forMs = 3_000): Promise<void> {
  const patience = performance.now() + 300_000;
  for (let quietMs = 0; quietMs < forMs && performance.now() < patience; ) {
    await pause(1_000);
    quietMs = total(counter.take('capstan')) === 0 ? quietMs + 1_000 : 0;
  }
}

/** The sandbox counts no requests: told is what was to be told once the process does next to nothing (5 % of a core). */
async function untilIdle(serving: Serving): Promise<void> {
  const begun = performance.now();
  const patienceMs = 900_000;
  for (let spent = Infinity; spent > 0.15; ) {
    const before = serving.cpuSeconds();
    await pause(3_000);
    spent = serving.cpuSeconds() - before;
    if (performance.now() - begun > patienceMs) throw new Error('no rest after the cold start');
  }
  say(`  idle ${seconds(performance.now() - begun)} later`);
}

async function measureRest(serving: Serving, counter: RequestCounter): Promise<void> {
  // What follows a commit at leisure is over after two intervals of polling.
  const minutes = Number(values.rest);
  if (minutes === 0) return;
  await untilQuiet(counter, 30_000);
  const cpu = serving.cpuSeconds();
  await pause(minutes * 60_000);
  const counts = counter.take('capstan');
  say(
    `at rest for ${minutes} min: ${(serving.cpuSeconds() - cpu).toFixed(2)} CPU s, ` +
      `${total(counts)} requests other than watches (${tell(counts)}), RSS ${serving.rssMb().toFixed(0)} MB`,
  );
}

async function real(): Promise<void> {
  const missing = whyNoCluster();
  if (missing !== false) return say(`real control plane: skipped: ${missing}`);
  const folder = mkdtempSync(join(tmpdir(), 'capstan-audit-'));
  const audit = auditLog(folder);
  await using cluster = await startCluster({
    nodes: 20,
    args: ['-procs', ...audit.args, ...clusterArgs],
  });
  const counter = new RequestCounter(audit.file);
  const { kubeconfig } = cluster;
  const place = { name: 'real', kubeconfig, counted: countedKubeconfig(kubeconfig, folder) };
  say(`\nreal control plane, ${values.apps} apps`);
  await withFleet(place, Number(values.apps), async (fleet, serve) => {
    counter.take('capstan');
    const before = clusterCpu(cluster.directory);
    await using serving = await measureCold(fleet, serve);
    say(`  CPU seconds of the cluster: ${tellCpu(before, clusterCpu(cluster.directory))}`);
    say(`  requests: ${tell(counter.take('capstan'))}`);
    await untilQuiet(counter);
    await measureCommits(fleet, serving);
    say(`  requests: ${tell(counter.take('capstan'))}`);
    await measureDrifts(fleet, serving);
    say(`  requests: ${tell(counter.take('capstan'))}`);
    await measureRest(serving, counter);
    say(`RSS ${serving.rssMb().toFixed(0)} MB, peak ${serving.peakRssMb().toFixed(0)} MB`);
  });
  rmSync(folder, { recursive: true, force: true });
}

async function floor(): Promise<void> {
  const apps = Number(values.apps);
  const { appliedMs, availableMs, cpu, ...cluster } = await measureFloor(apps);
  say(
    `the bare objects of ${apps} apps: ${seconds(appliedMs)} to all applied, ${seconds(availableMs)} to all ` +
      `available, ${cpu.toFixed(1)} CPU s\n  CPU seconds of the cluster: ` +
      tellCpu(cluster.clusterBefore, cluster.clusterAfter),
  );
}

async function sandbox(apps: number): Promise<void> {
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, '..', '..', 'apps', 'cli', 'src', 'main.ts'),
    'sandbox',
    '--nodes',
    '1000',
  ]);
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    say(`\nsandbox, ${apps} apps`);
    const place = { name: 'sandbox', kubeconfig: String(line).trim() };
    await withFleet(place, apps, async (fleet, serve) => {
      await using serving = await measureCold(fleet, serve);
      await untilIdle(serving);
      await measureCommits(fleet, serving);
      await measureDrifts(fleet, serving);
      say(`RSS ${serving.rssMb().toFixed(0)} MB, peak ${serving.peakRssMb().toFixed(0)} MB`);
    });
  } finally {
    child.kill('SIGTERM');
  }
}

function tellCpu(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string {
  return [...after]
    .map(([name, cpu]) => `${name} ${(cpu - (before.get(name) ?? 0)).toFixed(1)}`)
    .join(', ');
}

/** What one sample cost; on a busy machine it says more than the time. */
function cpuOf(serving: Serving, before: number): string {
  return `${(((serving.cpuSeconds() - before) / samples) * 1000).toFixed(0)} CPU ms`;
}

function quantiles(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q: number) => (sorted[Math.floor(q * (sorted.length - 1))] ?? 0).toFixed(0);
  return `median ${at(0.5)} ms, p90 ${at(0.9)} ms, max ${at(1)} ms (${times.length} times)`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function say(text: string): void {
  console.log(text);
}

say(
  `load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}, node ${process.version}`,
);
if (values.only === 'floor') await floor();
if (values.only === undefined || values.only === 'real') await real();
if (values.only === undefined || values.only === 'sandbox') {
  for (const apps of values.curve.split(',').filter((text) => text !== ''))
    await sandbox(Number(apps));
}
say(
  `\nload ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`,
);
