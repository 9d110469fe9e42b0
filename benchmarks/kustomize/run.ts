/**
 * `kustomize build` by Capstan, by the official binary (one process a build) and by the official Go library in one process,
 * side by side in one run. Prints seconds and ratios, and what was to be reached.
 *
 *   node benchmarks/kustomize/run.ts [OVERLAYS]      1,000 unless given; FULL=1 has the library build 4,000 resources too
 *
 * Ours runs in a process of its own without anything compiled or read before, so that "cold" is cold.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryDirectory, officialProgram } from '@capstan/conformance/tools/official.ts';
import { writeLarge, writeMonorepo } from './workload.ts';

const here = import.meta.dirname;
const VERSION = '5.8.2';

function must(command: string, args: readonly string[], cwd?: string): string {
  const options = {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(cwd === undefined ? {} : { cwd }),
  } as const;
  const { status, stdout, stderr } = spawnSync(command, args, options);
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
  return stdout;
}

/** The Go program of inproc/, built beside the official programs. */
function inprocProgram(): string {
  const path = join(binaryDirectory(), `kustomize-inproc-${VERSION}`);
  if (!existsSync(path)) must('go', ['build', '-mod=mod', '-o', path, '.'], join(here, 'inproc'));
  return path;
}

/** Milliseconds of each round, by a process that builds all folders in each. */
function rounds(command: string, args: readonly string[]): number[] {
  return must(command, args)
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[0]));
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function row(name: string, ms: number, note = ''): void {
  console.log(`  ${name.padEnd(34)} ${ms.toFixed(1).padStart(10)} ms  ${note}`);
}

const ratio = (a: number, b: number) => `${(a / b).toFixed(1)}x`;

const overlays = Number(process.argv[2] ?? 1000);
const root = realpathSync(mkdtempSync(join(tmpdir(), 'kustomize-bench-')));
try {
  const binary = officialProgram('kustomize', VERSION);
  const inproc = inprocProgram();
  const ours = [process.execPath, [join(here, 'ours.ts')]] as const;
  const folders = writeMonorepo(root, overlays).map((folder) => join(root, folder));
  const capstan = (count: number, dirs: readonly string[]) =>
    rounds(ours[0], [...ours[1], String(count), ...dirs]);

  console.log(`${overlays} overlays of a monorepo, one after the other`);
  const [cold = 0, warm = 0] = capstan(2, folders);
  const [go = 0, goWarm = 0] = rounds(inproc, ['2', ...folders]);
  const forked = timed(() => {
    for (const folder of folders) must(binary, ['build', folder]);
  });
  row('capstan, cold process', cold, `${(cold / overlays).toFixed(2)} ms an overlay`);
  row('capstan, files read before', warm);
  row('official library, one process', go, `${ratio(go, cold)} of ours (to reach: above 1x)`);
  row('official library, second round', goWarm);
  row('official binary, forked', forked, `${ratio(forked, cold)} of ours (to reach: 20x)`);

  console.log('one overlay, cold process');
  const one = folders.slice(0, 1);
  row('capstan', capstan(1, one)[0]!, 'without the start of Node');
  row('official library', rounds(inproc, ['1', ...one])[0]!);
  row(
    'capstan build, whole command',
    timed(() =>
      must(process.execPath, [join(here, '../../apps/cli/bin/capstan.mjs'), 'build', one[0]!]),
    ),
  );
  row(
    'kustomize build, whole command',
    timed(() => must(binary, ['build', one[0]!])),
  );

  console.log('one kustomization of 400 and of 4,000 resources');
  for (const count of [400, 4000]) writeLarge(root, `large-${count}`, count);
  const [small = 0, smallWarm = 0] = best(capstan(6, [join(root, 'large-400')]));
  const [large = 0, largeWarm = 0] = best(capstan(3, [join(root, 'large-4000')]));
  // The library's cost grows with the square: minutes for 4,000. A third of that shows it as well, unless asked for.
  const goCount = process.env['FULL'] === '1' ? 4000 : 1200;
  writeLarge(root, `large-${goCount}`, goCount);
  const goLarge = rounds(inproc, ['1', join(root, `large-${goCount}`)])[0]!;
  const goSmall = rounds(inproc, ['1', join(root, 'large-400')])[0]!;
  row('capstan, 400', small, `warm ${smallWarm.toFixed(1)}`);
  row(
    'capstan, 4,000',
    large,
    `warm ${largeWarm.toFixed(1)}: ${ratio(largeWarm, smallWarm)} of 400 (to reach: at most 10x)`,
  );
  row('official library, 400', goSmall, `${ratio(goSmall, small)} of ours`);
  row(
    `official library, ${goCount}`,
    goLarge,
    `${ratio(goLarge, goSmall)} of 400, ${ratio(goLarge, large)} of ours`,
  );

  console.log('one changed file, files read before, one app touched');
  const changed = must(ours[0], [join(here, 'changed.ts'), root, ...folders]).trim();
  row('capstan, look-up and rebuild', Number(changed), '(to reach: below 5 ms)');
} finally {
  rmSync(root, { recursive: true, force: true });
}

/** The first round, and the best of the others. */
function best(all: readonly number[]): [number, number] {
  return [all[0]!, Math.min(...all.slice(1))];
}
