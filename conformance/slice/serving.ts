/** `capstan serve` as a process of its own, which a test may kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const COMMAND = join(import.meta.dirname, '..', '..', 'apps', 'cli', 'bin', 'capstan.mjs');

export interface ServingOptions {
  readonly kubeconfig: string;
  readonly cache: string;
  readonly args?: readonly string[];
}

export interface Serving {
  readonly page: string;
  /** Tells of a push, as GitHub does. */
  notify(url: string, commit: string): Promise<void>;
  metrics(): Promise<string>;
  /** At once, without a word. */
  kill(): Promise<void>;
  /** As an operator ends it; answers the exit code. */
  stop(): Promise<number | null>;
}

/** Starts it and waits until it says that it serves. */
export async function startServing({
  kubeconfig,
  cache,
  args = [],
}: ServingOptions): Promise<Serving> {
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    COMMAND,
    'serve',
    '--kubeconfig',
    kubeconfig,
    '--port',
    '0',
    '--cache',
    cache,
    ...args,
  ]);
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors = (errors + String(chunk)).slice(-4_000);
  });
  let said = '';
  while (!/page\s+http\S+\s/.test(said)) {
    const [chunk] = (await Promise.race([once(child.stdout, 'data'), ended(child)])) as [Buffer?];
    if (chunk === undefined) throw new Error(`capstan serve ended: ${errors}`);
    said += String(chunk);
  }
  const page = /page\s+(http\S+)/.exec(said)?.[1] ?? '';
  return {
    page,
    notify: (url, commit) => notify(page, url, commit),
    metrics: async () => (await fetch(new URL('/metrics', page))).text(),
    kill: () => end(child, 'SIGKILL').then(() => undefined),
    stop: () => end(child, 'SIGTERM'),
  };
}

async function ended(child: ChildProcess): Promise<[]> {
  await once(child, 'exit');
  return [];
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  const [code] = (await exit) as [number | null];
  return code;
}

async function notify(page: string, url: string, commit: string): Promise<void> {
  const body = { ref: 'refs/heads/main', after: commit, repository: { html_url: url } };
  const response = await fetch(new URL('/api/webhook', page), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-github-event': 'push' },
    body: JSON.stringify(body),
  });
  if (response.status >= 300) throw new Error(`the webhook was answered with ${response.status}`);
}
