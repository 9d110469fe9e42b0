import { gitError } from './errors.ts';
import type { RunResult } from './git-process.ts';
import { GitStarter } from './git-starter.ts';

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

const TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

const starter = new GitStarter();

/** Runs git to its end and answers whatever it said; throws only when it cannot start or the signal fires. */
export async function runGit(
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { signal, input = '', timeoutMs = TIMEOUT_MS } = options;
  const { outputBytesMax = OUTPUT_BYTES_MAX } = options;
  signal?.throwIfAborted();
  const environment = gitEnvironment(options);
  const outcome = await starter.run(
    { args, environment, input, timeoutMs, outputBytesMax },
    signal,
  );
  signal?.throwIfAborted();
  if (outcome.kind === 'not-started') throw notInstalled(outcome.why);
  if (outcome.kind === 'too-large') {
    throw gitError('GIT_OBJECT_TOO_LARGE', `git answered more than ${outputBytesMax} bytes`);
  }
  return outcome;
}

function notInstalled(cause: unknown): Error {
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
