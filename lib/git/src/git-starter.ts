import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type GitOutcome, type GitRequest, runGitProcess } from './git-process.ts';
import type { ToStarter } from './starter-process.ts';

/** From here on a fork of this process takes longer than a message to a small one. */
const LARGE_BYTES = 200e6;
const PROGRAM = fileURLToPath(new URL('./starter-process.ts', import.meta.url));

interface Waiting {
  readonly request: GitRequest;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (outcome: GitOutcome) => void;
}

/**
 * Starts git. To fork copies the page tables of the whole process, during which nothing else happens in it: some 55 ms with 600 MB, for
 * each run of git. A process that has grown large leaves that to a small one, which is started for it once and ends with it.
 */
export class GitStarter {
  readonly #largeBytes: number;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #last = 0;

  constructor({ largeBytes = LARGE_BYTES }: { readonly largeBytes?: number } = {}) {
    this.#largeBytes = largeBytes;
  }

  /** Whether runs go by way of the small process. */
  get isApart(): boolean {
    return this.#child !== undefined;
  }

  run(request: GitRequest, signal?: AbortSignal): Promise<GitOutcome> {
    if (!this.isApart && process.memoryUsage.rss() < this.#largeBytes)
      return runGitProcess(request, signal);
    this.#child ??= this.#start();
    const child = this.#child;
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<GitOutcome>();
    this.#waiting.set(id, { request, signal, resolve });
    const abort = () => tell(child, { id, abort: true });
    signal?.addEventListener('abort', abort, { once: true });
    child.channel?.ref();
    tell(child, { id, request });
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  #start(): ChildProcess {
    const child = fork(PROGRAM, [], {
      serialization: 'advanced',
      execArgv: ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning', ...loaders()],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    // Neither keeps this process alive, unless somebody waits for git.
    child.unref();
    child.channel?.unref();
    child.on('message', (message) => {
      const { id, outcome } = message as { readonly id: number; readonly outcome: GitOutcome };
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) child.channel?.unref();
      waiting?.resolve(outcome);
    });
    // Whoever ended it: what was under way is run here, and the next one gets another.
    child.once('error', () => this.#lost(child));
    child.once('exit', () => this.#lost(child));
    return child;
  }

  #lost(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { request, signal, resolve } of left) {
      void runGitProcess(request, signal).then(resolve);
    }
  }
}

function tell(child: ChildProcess, message: ToStarter): void {
  // A process that has just ended is told of by its `exit`.
  if (child.connected) child.send(message, () => undefined);
}

/** What this process loads its sources by: Node's own stripper of types would be a fifth of the small process. */
function loaders(): readonly string[] {
  return process.execArgv.filter((flag) => flag.startsWith('--import='));
}
