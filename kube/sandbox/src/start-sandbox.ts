import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ApiServer,
  createApiServer,
  createLocalClient,
  type Listener,
  listen,
  SYSTEM,
} from '@capstan/kube-apiserver';
import type { Clock } from '@capstan/lib-std';
import { startControlLoop } from './control-loop.ts';
import { furnishCluster } from './controllers/nodes.ts';
import { createControllers } from './controllers.ts';
import { kubeconfigText } from './kubeconfig.ts';

export interface SandboxOptions {
  /** Where the cluster is kept; without one it lives in memory and is gone at the end. */
  readonly dataDir?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly clock?: Clock;
  /** How many nodes the cluster begins with; 1 by default. */
  readonly nodes?: number;
}

/** A running cluster. */
export interface Sandbox extends AsyncDisposable {
  /** An administrator's connection without a socket, as kube/client takes it. */
  readonly transport: ApiServer['transport'];
  readonly server: ApiServer;
  readonly url: string;
  /** A kubeconfig of an administrator. */
  readonly kubeconfigPath: string;
  /** A copy of the whole cluster, made in O(1), with life of its own; in memory only. */
  fork(): Promise<Sandbox>;
  close(): Promise<void>;
}

/** Starts a cluster on the loopback address and writes the kubeconfig that leads to it. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const server = await createApiServer({
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  return runSandbox(server, options);
}

async function runSandbox(server: ApiServer, options: SandboxOptions): Promise<Sandbox> {
  const { core } = server;
  furnishCluster(createLocalClient(core, SYSTEM, 'sandbox'), core.clock, options.nodes ?? 1);
  const loop = startControlLoop(
    server,
    createControllers(() => ''),
  );
  loop.settle();
  const listener: Listener = await listen((request) => server.handle(request), {
    port: options.port ?? 0,
  });
  const directory = await mkdtemp(join(tmpdir(), 'capstan-sandbox-'));
  const kubeconfigPath = join(directory, 'kubeconfig');
  await writeFile(kubeconfigPath, kubeconfigText({ server: listener.url }), { mode: 0o600 });
  const close = async (): Promise<void> => {
    loop.stop();
    await listener.close();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    transport: server.transport,
    server,
    url: listener.url,
    kubeconfigPath,
    fork: () => runSandbox(server.fork(), {}),
    close,
    [Symbol.asyncDispose]: close,
  };
}
