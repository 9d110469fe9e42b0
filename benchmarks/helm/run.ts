/**
 * A chart rendered by ours, by Helm's Go library in one warm process, and by forking the official binary; all in one run,
 * in turns, so that a busy machine burdens all three alike. Prints medians and ratios.
 *
 *   node benchmarks/helm/run.ts
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { officialProgram } from '@capstan/conformance/tools/official.ts';
import { writeChart } from './make-chart.ts';

interface Figures {
  readonly coldMs: number;
  readonly warmMs: number;
  readonly bytes: number;
  readonly rssMiB: number;
  readonly changedMs?: number;
}

const SIZES = [
  { name: 'small', templates: 6, rules: 4 },
  { name: 'middling', templates: 50, rules: 12 },
  { name: 'large', templates: 260, rules: 32 },
] as const;

const ROUNDS = 5;
const root = mkdtempSync(join(tmpdir(), 'helm-bench-'));
const here = import.meta.dirname;

function run(
  command: string,
  args: readonly string[],
): { readonly out: string; readonly ms: number } {
  const begun = performance.now();
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, HOME: root },
  });
  if (result.status !== 0)
    throw new Error(`${command} ended with ${result.status}: ${result.stderr}`);
  return { out: result.stdout, ms: performance.now() - begun };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function buildPeer(): string {
  const binary = join(root, 'inproc');
  const result = spawnSync('go', ['build', '-trimpath', '-o', binary, '.'], {
    cwd: join(here, 'inproc'),
    encoding: 'utf8',
    // As the official binary is built, so that the packages of both are compiled once.
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  if (result.status !== 0) throw new Error(`the Go program cannot be built: ${result.stderr}`);
  return binary;
}

try {
  const helm = officialProgram('helm', '4.3.1');
  const peer = buildPeer();
  for (const { name, templates, rules } of SIZES) {
    const chart = join(root, name);
    mkdirSync(chart);
    writeChart(chart, templates, rules);
    const forks: number[] = [];
    const go: Figures[] = [];
    const ours: Figures[] = [];
    let lines = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const forked = run(helm, ['template', 'rel', chart]);
      forks.push(forked.ms);
      lines = forked.out.split('\n').length;
      go.push(JSON.parse(run(peer, ['-n', '10', chart]).out));
      ours.push(JSON.parse(run(process.execPath, [join(here, 'ours.ts'), chart]).out));
    }
    const of = (figures: readonly Figures[], key: 'coldMs' | 'warmMs' | 'rssMiB' | 'changedMs') =>
      median(figures.map((figure) => figure[key] ?? Number.NaN));
    const row = (label: string, value: number, unit = 'ms') =>
      console.log(`  ${label.padEnd(44)} ${value.toFixed(1).padStart(9)} ${unit}`);
    console.log(`${name}: ${templates} templates, ${lines} lines, ${ours[0]?.bytes} bytes`);
    row('helm 4.3.1, forked', median(forks));
    row('Go library, warm', of(go, 'warmMs'));
    row('ours, cold (load, compile, render)', of(ours, 'coldMs'));
    row('ours, warm', of(ours, 'warmMs'));
    row('ours, one value changed', of(ours, 'changedMs'));
    row('Go library / ours, warm', of(go, 'warmMs') / of(ours, 'warmMs'), 'x');
    row('forked / ours, warm', median(forks) / of(ours, 'warmMs'), 'x');
    row('changed / cold', of(ours, 'changedMs') / of(ours, 'coldMs'), '');
    row('peak memory, Go library', of(go, 'rssMiB'), 'MiB');
    row('peak memory, ours (with Node)', of(ours, 'rssMiB'), 'MiB');
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
