/** For tests: `capstan serve` over a cluster as a process of its own, so that it can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../apps/cli/src/main.ts');

export class Controller implements AsyncDisposable {
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;
  log = '';

  constructor({
    kubeconfig,
    cache,
    args = [],
  }: {
    readonly kubeconfig: string;
    readonly cache: string;
    readonly args?: readonly string[];
  }) {
    const place = ['--kubeconfig', kubeconfig, '--port', '0', '--cache', cache];
    this.#args = ['serve', ...place, '--log-encoding', 'json', ...args];
  }

  start(): void {
    const args = ['--disable-warning=ExperimentalWarning', MAIN, ...this.#args];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer): void => {
      this.log = `${this.log}${chunk}`.slice(-100_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#process = child;
  }

  /** Nothing is told to anybody, nothing is finished. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}
