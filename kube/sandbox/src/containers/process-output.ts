import type { LogRequest } from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import { type Line, select } from './select-lines.ts';

/** Whose output the containers of a pod have; undefined: they are simulated. */
export type OutputOf = (pod: KubeObject) => ProcessOutput | undefined;

const LINES_MAX = 10_000;

/** What a process outside of the cluster writes, as the output of a pod that stands for it. The last 10,000 lines are kept. */
export class ProcessOutput {
  #lines: Line[] = [];
  /** Of all lines that were ever written, the number of the first one that is kept. */
  #first = 0;
  readonly #listeners = new Set<() => void>();

  /** Adds a line, or several. */
  write(text: string, nowMs: number): void {
    const time = new Date(nowMs).toISOString();
    for (const line of text.replace(/\n$/, '').split('\n')) this.#lines.push({ time, text: line });
    const excess = this.#lines.length - LINES_MAX;
    if (excess > 0) {
      this.#lines = this.#lines.slice(excess);
      this.#first += excess;
    }
    for (const listener of this.#listeners) listener();
  }

  /** The lines from a number on, as far as they are kept, and the number of the next one. */
  read(from: number): { readonly lines: readonly Line[]; readonly next: number } {
    return {
      lines: this.#lines.slice(Math.max(0, from - this.#first)),
      next: this.#first + this.#lines.length,
    };
  }

  /** Resolves when more was written, or nobody waits any more. */
  more(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#listeners.delete(end);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      this.#listeners.add(end);
      signal?.addEventListener('abort', end, { once: true });
      if (signal?.aborted === true) end();
    });
  }
}

/** The output of a process as a log is asked for. Who follows it does so until they leave: the process outlives its pod. */
export function readOutput(
  output: ProcessOutput,
  request: LogRequest,
): string | AsyncIterable<string> {
  if (request.previous) return '';
  return request.follow ? follow(output, request) : select(output.read(0).lines, request);
}

async function* follow(output: ProcessOutput, request: LogRequest): AsyncGenerator<string> {
  const { signal } = request;
  let from = 0;
  let asked = request;
  while (signal?.aborted !== true) {
    const { lines, next } = output.read(from);
    const text = select(lines, asked);
    if (text !== '') yield text;
    const { limitBytes } = asked;
    const left = limitBytes === undefined ? undefined : limitBytes - text.length;
    if (left !== undefined && left <= 0) return;
    asked = { ...asked, tailLines: undefined, limitBytes: left };
    from = next;
    if (output.read(from).lines.length === 0) await output.more(signal);
  }
}
