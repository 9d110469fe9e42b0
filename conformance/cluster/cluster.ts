/**
 * A real Kubernetes control plane for tests: etcd, kube-apiserver, controller manager, scheduler and simulated nodes (kwok)
 * in one process on 127.0.0.1, built from Go modules by kubebox/build.sh. Start takes about 3 s and 0.3 GB.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface ClusterOptions {
  /** Simulated nodes; 1 by default. */
  readonly nodes?: number;
  /** Further arguments of `kubebox up`, e.g. `['-apiserver-arg', '--audit-log-path=…']`, `['-with', '']`. */
  readonly args?: readonly string[];
  /** YAML for kwok: stages, logs, exec, port-forward. */
  readonly kwok?: string;
}

export interface Cluster extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly server: string;
  /** Of a user in system:masters. */
  readonly token: string;
  readonly caFile: string;
  /** State, certificates and `kubebox.log`; removed by `stop`. */
  readonly directory: string;
  readonly pid: number;
  /** Ends the process; nothing is shut down gracefully, clients see resets. */
  kill9(): Promise<void>;
  /** Starts again (after kill9, or ending it first) with the same address, certificates and data. */
  restart(): Promise<void>;
  /** The server hangs: connections stay open, nothing answers. Resolves when that is so. */
  freeze(): Promise<void>;
  thaw(): void;
  /** kubectl of the cluster's own version. */
  kubectl(
    args: readonly string[],
    input?: string,
  ): { code: number; stdout: string; stderr: string };
  /** Ends it and removes its directory. */
  stop(): Promise<void>;
}

interface Ready {
  readonly kubeconfig: string;
  readonly server: string;
  readonly token: string;
  readonly caFile: string;
}

const buildScript = join(import.meta.dirname, 'kubebox', 'build.sh');

/** The reason to skip tests that need a cluster, for `test(name, { skip: whyNoCluster() }, …)`; false when there is none. */
export function whyNoCluster(): string | false {
  if (spawnSync(buildScript, ['--find']).status === 0) return false;
  if (spawnSync('go', ['version']).status === 0) return false;
  return 'no real control plane: it needs Go 1.26 (https://go.dev/dl) or a kubebox built before';
}

/** The path of kubebox, built if need be (minutes). */
export function kubeboxPath(): string {
  const { status, stdout } = spawnSync(buildScript, [], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`kubebox could not be built; run ${buildScript} to see why`);
  return stdout.trim();
}

/** Starts a cluster and waits until nodes are ready and the default service account exists. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const directory = mkdtempSync(join(tmpdir(), 'capstan-cluster-'));
  const cluster = new Kubebox(kubeboxPath(), directory, options);
  try {
    await cluster.restart();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

class Kubebox implements Cluster {
  readonly directory: string;
  readonly #binary: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #ready: Ready | undefined;

  constructor(binary: string, directory: string, options: ClusterOptions) {
    this.#binary = binary;
    this.directory = directory;
    const kwokFile = join(directory, 'kwok-extra.yaml');
    if (options.kwok !== undefined) writeFileSync(kwokFile, options.kwok);
    this.#args = [
      'up',
      '-dir',
      directory,
      '-exit-on-stdin-eof',
      '-nodes',
      String(options.nodes ?? 1),
      ...(options.kwok === undefined ? [] : ['-kwok-config', kwokFile]),
      ...(options.args ?? []),
    ];
  }

  get kubeconfig(): string {
    return this.#started.kubeconfig;
  }

  get server(): string {
    return this.#started.server;
  }

  get token(): string {
    return this.#started.token;
  }

  get caFile(): string {
    return this.#started.caFile;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async kill9(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    killGroup(child);
    await ended;
  }

  async restart(): Promise<void> {
    await this.kill9();
    const log = openSync(join(this.directory, 'kubebox.log'), 'a');
    // A process group of its own: with -procs every component is a process, and they end together.
    const child = spawn(this.#binary, this.#args, {
      stdio: ['pipe', 'pipe', log],
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    this.#ready = await readReady(child, this.directory);
  }

  async freeze(): Promise<void> {
    this.#child?.kill('SIGSTOP');
    // A process of many threads goes on for a moment after the signal.
    while (!isStopped(this.pid)) await pause(5);
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  kubectl(args: readonly string[], input = '') {
    const { status, stdout, stderr } = spawnSync(this.#binary, ['kubectl', ...args], {
      encoding: 'utf8',
      input,
      maxBuffer: 256 * 1024 * 1024,
      // A cache of its own, so that nothing is left in the home directory or taken from there.
      env: {
        ...process.env,
        KUBECONFIG: this.kubeconfig,
        KUBECACHEDIR: join(this.directory, 'cache'),
      },
    });
    return { code: status ?? -1, stdout, stderr };
  }

  async stop(): Promise<void> {
    await this.kill9();
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #started(): Ready {
    if (this.#ready === undefined) throw new Error('the cluster is not started');
    return this.#ready;
  }
}

/** As Linux tells it; elsewhere a stop is taken to be at once. */
function isStopped(pid: number): boolean {
  try {
    return / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** Kills a child that leads a process group, and whatever it has started. */
function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
}

/** kubebox prints one line of JSON when everything is ready. */
async function readReady(child: ChildProcess, directory: string): Promise<Ready> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const endMs = Date.now() + 120_000;
  while (!output.includes('\n')) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (hasEnded || Date.now() > endMs) {
      killGroup(child);
      const log = readFileSync(join(directory, 'kubebox.log'), 'utf8').slice(-2_000);
      throw new Error(`the control plane did not start${hasEnded ? '' : ' in 120 s'}:\n${log}`);
    }
    await pause(20);
  }
  return JSON.parse(output) as Ready;
}

/** An empty directory that lives as long as the cluster: for logs and other files of a test. */
export function scratch(cluster: Cluster, name: string): string {
  const path = join(cluster.directory, name);
  mkdirSync(path, { recursive: true });
  return path;
}
