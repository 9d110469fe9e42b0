import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '..', '..');

export interface Running {
  readonly page: string;
  readonly git: string;
  readonly kubeconfig: string;
  /** Pushes one change of the sample repository: path → new text made of the old; null deletes the file. */
  push(path: string, change: (text: string) => string | null, message: string): string;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Builds the page as `npm start` does, then starts everything as a process of its own, on free ports. */
export async function startQuickStart(): Promise<Running> {
  buildPage();
  const folder = mkdtempSync(join(tmpdir(), 'page-suite-'));
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'apps/server/src/start.ts'),
      '--port',
      '0',
      '--data',
      join(folder, 'data'),
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const file = join(folder, 'data', 'capstan.json');
  for (let waitedMs = 0; !existsSync(file); waitedMs += 50) {
    if (child.exitCode !== null || waitedMs > 30_000)
      throw new Error(`npm start did not come up:\n${output}`);
    await sleep(50);
  }
  const addresses = JSON.parse(readFileSync(file, 'utf8'));
  const work = join(folder, 'work');
  git(folder, 'clone', '-q', addresses.git, work);
  const stop = async (): Promise<void> => {
    await stopProcess(child);
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    page: addresses.page,
    git: addresses.git,
    kubeconfig: addresses.kubeconfig,
    push: (path, change, message) => push(work, { path, change, message }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function buildPage(): void {
  const result = spawnSync(process.execPath, [join(ROOT, 'tools/build-page.mjs')], {
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(`the page cannot be built: ${result.stderr}`);
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

interface Change {
  readonly path: string;
  readonly change: (text: string) => string | null;
  readonly message: string;
}

function push(work: string, { path, change, message }: Change): string {
  const file = join(work, path);
  const next = change(existsSync(file) ? readFileSync(file, 'utf8') : '');
  if (next === null) rmSync(file);
  else writeFileSync(file, next);
  git(work, 'add', '-A');
  git(
    work,
    '-c',
    'user.name=Ada Lovelace',
    '-c',
    'user.email=ada@example.com',
    'commit',
    '-q',
    '-m',
    message,
  );
  git(work, 'push', '-q');
  return git(work, 'rev-parse', 'HEAD').trim();
}

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
