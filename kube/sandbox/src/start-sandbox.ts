import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ApiServer,
  createApiServer,
  createLocalClient,
  createTokenSigner,
  type DurableLog,
  type Listener,
  listen,
  openDurableLog,
  Store,
  SYSTEM,
} from '@capstan/kube-apiserver';
import type { Clock } from '@capstan/lib-std';
import { type Access, keepAccess, prepareAccess } from './access.ts';
import type { OutputOf } from './containers/process-output.ts';
import { createRuntime } from './containers/runtime.ts';
import { type ControlLoop, startControlLoop } from './control-loop.ts';
import { furnishCluster } from './controllers/nodes.ts';
import { createControllers } from './controllers.ts';
import { kubeconfigText } from './kubeconfig.ts';

export interface SandboxOptions {
  /** Where the cluster is kept; without one it lives in memory and is gone at the end. */
  readonly dataDir?: string;
  /** The data directory gets a snapshot after so many bytes of changes; 64 MB by default. */
  readonly snapshotEveryBytes?: number;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly clock?: Clock;
  /** How many nodes the cluster begins with; 1 by default. */
  readonly nodes?: number;
  /** The minor of Kubernetes whose kinds are served, as `1.35`; 1.36 by default. */
  readonly kubernetesVersion?: string;
  /** For pods that stand for a process outside of the cluster: what it writes is their log. */
  readonly outputOf?: OutputOf;
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
  const now = options.clock?.now() ?? Date.now();
  const access = await prepareAccess(now, options.dataDir);
  const signer = createTokenSigner(access.tokenKey);
  if (options.dataDir !== undefined) {
    const { certificate, key } = access.authority;
    await keepAccess(options.dataDir, { authority: { certificate, key }, tokenKey: signer.keyPem });
  }
  const store = new Store();
  const log =
    options.dataDir === undefined
      ? undefined
      : openDurableLog(join(options.dataDir, 'objects'), store, pickSnapshot(options));
  const server = await createApiServer({
    store,
    signer,
    ...(log === undefined ? {} : { persist: () => log.flush() }),
    runtime: createRuntime(
      options.clock ?? { now: () => Date.now(), after: () => () => undefined },
      options.outputOf,
    ),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.kubernetesVersion === undefined
      ? {}
      : { kubernetesVersion: options.kubernetesVersion }),
  });
  furnishCluster(
    createLocalClient(server.core, SYSTEM, 'sandbox'),
    server.core,
    options.nodes ?? 1,
  );
  const loop = startControlLoop(server, createControllers(access.authority));
  loop.settle();
  return runSandbox({ server, loop, access, ...(log === undefined ? {} : { log }) }, options);
}

interface Parts {
  readonly server: ApiServer;
  readonly loop: ControlLoop;
  readonly access: Access;
  readonly log?: DurableLog;
}

async function runSandbox(parts: Parts, options: SandboxOptions): Promise<Sandbox> {
  const { server, loop, access, log } = parts;
  const listener: Listener = await listen((request, client) => server.handle(request, client), {
    port: options.port ?? 0,
    streams: (request, client) => server.streams(request, client),
    tls: { server: access.server, clientAuthority: access.authority.certificate },
  });
  const directory = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'capstan-sandbox-')));
  const kubeconfigPath = join(directory, 'kubeconfig');
  const { certificate, key } = access.administrator;
  const authority = access.authority.certificate;
  const kubeconfig = kubeconfigText({ server: listener.url, authority, certificate, key });
  await writeFile(kubeconfigPath, kubeconfig, { mode: 0o600 });
  let closing: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    loop.stop();
    await listener.close();
    await log?.close();
    if (options.dataDir === undefined) await rm(directory, { recursive: true, force: true });
  };
  const close = (): Promise<void> => {
    closing ??= end();
    return closing;
  };
  return {
    transport: server.transport,
    server,
    url: listener.url,
    kubeconfigPath,
    fork() {
      const forked = server.fork();
      const copy = { server: forked, loop: loop.fork(forked), access };
      return runSandbox(copy, { ...withoutData(options), port: 0 });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function pickSnapshot({ snapshotEveryBytes }: SandboxOptions): { snapshotEveryBytes?: number } {
  return snapshotEveryBytes === undefined ? {} : { snapshotEveryBytes };
}

function withoutData(options: SandboxOptions): SandboxOptions {
  const { dataDir: _, ...rest } = options;
  return rest;
}
