/** Everything that the flux command works with: a cluster, `capstan serve`, a Git server, charts, a registry. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createWorld, type Repository } from '@capstan/apps-server/slice';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import { startCluster } from '../cluster/cluster.ts';
import { eventually } from '../cluster/support.ts';
import { type ChartHost, startCharts } from '../flux-helm/charts.ts';
import { Controller } from '../flux-helm/controller.ts';
import { type Registry, startRegistry } from './registry.ts';

export type Server = 'sandbox' | 'real';

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly tookMs: number;
}

export interface FluxWorld extends AsyncDisposable {
  readonly server: Server;
  readonly client: KubeClient;
  readonly charts: ChartHost;
  readonly registry: Registry;
  /** Of this process and its children alone. */
  readonly folder: string;
  readonly controller: Controller;
  repository(name: string): Promise<Repository>;
  write(path: string, text: string): string;
  flux(args: readonly string[], input?: string): Promise<Ran>;
}

const MAIN = join(import.meta.dirname, '../../apps/cli/src/main.ts');
const ENDLESS_MS = 60_000;

export async function createFluxWorld(flux: string, server: Server): Promise<FluxWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-flux-cli-'));
  const cluster = server === 'real' ? await startCluster() : await startSandboxProcess();
  const { kubeconfig } = cluster;
  const connection = await loadKubeconfig({ file: kubeconfig });
  const world = await createWorld({
    connect: () => connect(connection),
    clusterName: server,
    hasControlPlane: false,
  });
  const [charts, registry] = await Promise.all([startCharts(), startRegistry()]);
  const controller = new Controller({ kubeconfig, cache: join(folder, 'cache') });
  controller.start();
  const made: FluxWorld = {
    server,
    client: world.client,
    charts,
    registry,
    folder,
    controller,
    repository: (name) => world.repository(name),
    write(path, text) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    flux: (args, input) => runFlux(flux, args, { folder, kubeconfig, input: input ?? '' }),
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]();
      await charts[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await eventually(
    async () => {
      world.client.discovery.invalidate();
      const kinds = await world.client.discovery.kinds();
      return kinds.some(({ kind }) => kind === 'ArtifactGenerator');
    },
    'the definitions',
    90_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${controller.log}`);
  });
  return made;
}

/** `capstan sandbox` as a process of its own: clients block their thread, and so would it. */
async function startSandboxProcess(): Promise<AsyncDisposable & { readonly kubeconfig: string }> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, 'sandbox'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  if (child.stdout === null) throw new Error('the sandbox says nothing');
  const [kubeconfig] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    kubeconfig,
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function runFlux(
  flux: string,
  args: readonly string[],
  options: { readonly folder: string; readonly kubeconfig: string; readonly input: string },
): Promise<Ran> {
  const started = performance.now();
  const child = spawn(flux, args, {
    cwd: options.folder,
    env: {
      ...process.env,
      KUBECONFIG: options.kubeconfig,
      HOME: options.folder,
      DOCKER_CONFIG: options.folder,
    },
    timeout: ENDLESS_MS,
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.stdin.end(options.input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, output, tookMs: performance.now() - started };
}

/** The version that a program says it is; undefined when it cannot be run. */
export function versionOf(flux: string): string | undefined {
  const { status, stdout } = spawnSync(flux, ['version', '--client'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
