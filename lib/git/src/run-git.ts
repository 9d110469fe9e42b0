import { type ChildProcess, spawn } from 'node:child_process';
import { gitError } from './errors.ts';

export interface RunOptions {
  /** The repository; absent for commands that need none. */
  readonly gitDir?: string;
  /** More environment: credentials travel here, never among the arguments. */
  readonly environment?: Readonly<Record<string, string>>;
  /** `git -c` settings, given by environment. */
  readonly settings?: readonly (readonly [name: string, value: string])[];
  readonly input?: Uint8Array | string;
  readonly timeoutMs?: number;
  readonly outputBytesMax?: number;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly timedOut: boolean;
}

const TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const STDERR_CHARACTERS_MAX = 64 * 1024;

/** Runs git to its end and answers whatever it said; throws only when it cannot start or the signal fires. */
export async function runGit(
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const child = spawn('git', [...args], {
    env: gitEnvironment(options),
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: helpers that git starts (ssh, git-remote-https) end with it.
    detached: true,
    windowsHide: true,
  });
  return await collect(child, options);
}

function collect(child: ChildProcess, options: RunOptions): Promise<RunResult> {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  const limit = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let stderr = '';
  let timedOut = false;
  const stop = () => killGroup(child);
  const timer = setTimeout(() => {
    timedOut = true;
    stop();
  }, options.timeoutMs ?? TIMEOUT_MS);
  options.signal?.addEventListener('abort', stop, { once: true });
  child.stdout!.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) stop();
    else chunks.push(chunk);
  });
  child.stderr!.on('data', (chunk: Buffer) => {
    if (stderr.length < STDERR_CHARACTERS_MAX) stderr += chunk.toString('utf8');
  });
  child.stdin!.on('error', () => undefined);
  child.stdin!.end(options.input ?? '');
  child.on('error', (cause) => {
    clearTimeout(timer);
    reject(notInstalled(cause));
  });
  child.on('close', (code) => {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
    if (options.signal?.aborted === true) reject(options.signal.reason);
    else if (bytes > limit) {
      reject(gitError('GIT_OBJECT_TOO_LARGE', `git answered more than ${limit} bytes`));
    } else resolve({ code: code ?? -1, stdout: Buffer.concat(chunks), stderr, timedOut });
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

export function notInstalled(cause: unknown): Error {
  return gitError('GIT_NOT_INSTALLED', 'git cannot be started', {
    hint: 'install git (https://git-scm.com/downloads) and see that it is on the PATH',
    cause,
  });
}

/**
 * The whole environment that git gets: nothing of the user's or system's configuration, no prompts, no hooks, only the
 * allowed transports, messages in English (they are classified).
 */
export function gitEnvironment(
  options: Pick<RunOptions, 'gitDir' | 'environment' | 'settings'>,
): Record<string, string> {
  const settings: (readonly [string, string])[] = [
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['core.alternateRefsCommand', 'true'],
    ['credential.helper', ''],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ['protocol.version', '2'],
    ['submodule.recurse', 'false'],
    ['advice.objectNameWarning', 'false'],
    ...(options.gitDir === undefined ? [] : [['safe.directory', options.gitDir] as const]),
    ...(options.settings ?? []),
  ];
  const environment: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    LC_ALL: 'C',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    GIT_ALLOW_PROTOCOL: 'http:https:ssh',
    GIT_CONFIG_COUNT: String(settings.length),
    ...proxySettings(),
    ...(options.gitDir === undefined ? {} : { GIT_DIR: options.gitDir }),
    ...options.environment,
  };
  settings.forEach(([name, value], index) => {
    environment[`GIT_CONFIG_KEY_${index}`] = name;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return environment;
}

/** Whether the machine may have a proxy for this protocol; git knows whom it excepts. */
export function hasProxy(protocol: string): boolean {
  return Object.keys(proxySettings()).some((name) =>
    [`${protocol}_proxy`, 'all_proxy'].includes(name.toLowerCase()),
  );
}

/** The machine's own proxy, when it has one. */
function proxySettings(): Record<string, string> {
  const names = [
    'http_proxy',
    'https_proxy',
    'HTTPS_PROXY',
    'all_proxy',
    'ALL_PROXY',
    'no_proxy',
    'NO_PROXY',
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
}
