import { type ChildProcess, spawn } from 'node:child_process';

/** One run of git, as plain data: it may be done in another process. */
export interface GitRequest {
  readonly args: readonly string[];
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly input: Uint8Array | string;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export type GitOutcome =
  | ({ readonly kind: 'ended' } & RunResult)
  | { readonly kind: 'too-large' }
  | { readonly kind: 'not-started'; readonly why: string };

const STDERR_CHARACTERS_MAX = 64 * 1024;

/** Runs git to its end, in this process; the signal ends it early. */
export function runGitProcess(request: GitRequest, signal?: AbortSignal): Promise<GitOutcome> {
  const child = spawn('git', [...request.args], {
    env: request.environment,
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: helpers that git starts (ssh, git-remote-https) end with it.
    detached: true,
    windowsHide: true,
  });
  const { promise, resolve } = Promise.withResolvers<GitOutcome>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  let stderr = '';
  let timedOut = false;
  const stop = () => killGroup(child);
  const timer = setTimeout(() => {
    timedOut = true;
    stop();
  }, request.timeoutMs);
  signal?.addEventListener('abort', stop, { once: true });
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > request.outputBytesMax) stop();
    else chunks.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < STDERR_CHARACTERS_MAX) stderr += chunk.toString('utf8');
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(request.input);
  const end = (outcome: GitOutcome) => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    resolve(outcome);
  };
  child.on('error', ({ message }) => end({ kind: 'not-started', why: message }));
  child.on('close', (code) => {
    if (bytes > request.outputBytesMax) return end({ kind: 'too-large' });
    end({ kind: 'ended', code: code ?? -1, stdout: Buffer.concat(chunks), stderr, timedOut });
  });
  return promise;
}

export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
