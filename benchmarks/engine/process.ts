/** `capstan serve` as a process of its own, so that its memory and CPU are its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const COMMAND = join(import.meta.dirname, '..', '..', 'apps', 'cli', 'bin', 'capstan.mjs');

export interface Serving extends AsyncDisposable {
  readonly page: string;
  /** User and system time, of the process and of all that it has started (git). */
  cpuSeconds(): number;
  /** Of the process and of the small one that starts git for it. */
  rssMb(): number;
  /** The sum of the highest that each of them ever was. */
  peakRssMb(): number;
  /** How often an Application was looked at so far. */
  looks(): Promise<number>;
}

export async function serveCapstan(options: {
  readonly kubeconfig: string;
  readonly cache: string;
  readonly log: (text: string) => void;
}): Promise<Serving> {
  const { kubeconfig, cache, log } = options;
  const args = ['serve', '--kubeconfig', kubeconfig, '--port', '0', '--cache', cache];
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    ...(process.env['SERVE_FLAGS']?.split(' ') ?? []),
    COMMAND,
    ...args,
  ]);
  child.stderr.on('data', (chunk) => log(String(chunk)));
  let said = '';
  while (!/page\s+http/.test(said)) {
    const [chunk] = (await Promise.race([once(child.stdout, 'data'), failed(child)])) as [Buffer];
    said += String(chunk);
  }
  const pid = child.pid ?? 0;
  const page = /page\s+(http\S+)/.exec(said)?.[1] ?? '';
  return {
    page,
    looks: () => countLooks(page),
    cpuSeconds: () => sum(family(pid), cpuSeconds),
    rssMb: () => sum(family(pid), (each) => statusMb(each, 'VmRSS')),
    peakRssMb: () => sum(family(pid), (each) => statusMb(each, 'VmHWM')),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function countLooks(page: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', page))).text();
  const lines = text.matchAll(
    /^controller_runtime_reconcile_total\{controller="application",[^}]*\} (\d+)/gm,
  );
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null];
  throw new Error(`capstan serve ended with ${code}`);
}

/** The process and its children that are Node: git's own runs are too short to be caught, and are counted once they have ended. */
function family(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const children = text.split(' ').filter(Boolean).map(Number);
  return [pid, ...children.filter((child) => nameOf(child) === nameOf(pid))];
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return '';
  }
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0);
}

/** Fields 14 to 17 of /proc/PID/stat (proc(5)), in clock ticks of 10 ms. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / 100;
}

/** CPU seconds so far of each process of a control plane, by its name; kubebox lists them in a file. */
export function clusterCpu(directory: string): Map<string, number> {
  const pids = readFileSync(join(directory, 'pids'), 'utf8').split('\n').filter(Boolean);
  return new Map(
    pids.map((pid) => {
      const name = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] ?? pid;
      return [name, cpuSeconds(Number(pid))];
    }),
  );
}

/** A figure of /proc/PID/status (proc(5)) that stands there in kB: `VmRSS`, `VmHWM`. */
export function statusMb(pid: number, name: string): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0) / 1024;
}
