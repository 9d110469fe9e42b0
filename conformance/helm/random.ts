/**
 * Random charts (random-chart.ts) given to the official helm and to ours: output, error and exit code must be the same.
 *
 *   node conformance/helm/random.ts [SEEDS=60] [FIRST=1] [HELM=4]
 *
 *   SHOWN=20 prints more of the differences than five
 *
 * From 200 seeds on, helm 4's commands run in one warm process (oracle/), so that thousands are a matter of minutes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Choice } from '../tools/choice.ts';
import { officialProgram, oracleProgram } from '../tools/official.ts';
import { errorsOnly, type Result, runOurs, runProgram } from './commands.ts';
import { type Flavor, type RandomChart, randomChart } from './random-chart.ts';

const OFFICIAL = { '4': '4.3.1', '3': '3.22.0' } as const;
const WARM_FROM = 200;

interface OfficialHelm extends Disposable {
  run(args: readonly string[], cwd: string): Promise<Result>;
}

/** One process per command. */
function forkedHelm(flavor: Flavor): OfficialHelm {
  const binary = officialProgram('helm', OFFICIAL[flavor]);
  return {
    run: (args, cwd) => runProgram(binary, args, cwd),
    [Symbol.dispose]: () => undefined,
  };
}

/** One process for all commands. */
function warmHelm(): OfficialHelm {
  const program = oracleProgram('helm-oracle', join(import.meta.dirname, 'oracle'));
  const child: ChildProcess = spawn(program, {
    env: { HOME: tmpdir(), PATH: '', GOGC: '200' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const waiting: ((line: string) => void)[] = [];
  if (child.stdout === null || child.stdin === null) throw new Error('the oracle has no pipes');
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  const { stdin } = child;
  const text = (bytes: string | null): string => Buffer.from(bytes ?? '', 'base64').toString();
  return {
    run: async (args, cwd) => {
      stdin.write(`${JSON.stringify({ cwd, args })}\n`);
      const line = await new Promise<string>((resolve, reject) => {
        waiting.push(resolve);
        child.once('exit', () => reject(new Error('the oracle died')));
      });
      child.removeAllListeners('exit');
      const { out, err, code } = JSON.parse(line);
      return { code, out: text(out), err: errorsOnly(text(err)) };
    },
    [Symbol.dispose]: () => stdin.end(),
  };
}

function format({ code, out, err }: Result, root: string): string {
  const text = `${out}${err === '' ? '' : `${err}\n`}[exit ${code}]\n`.replaceAll(root, '/chart');
  return inFixedOrder(text);
}

/**
 * What the original prints in Go's order of maps, which is another one in each run: failures of schemas, and what lint says
 * of subcharts.
 */
function inFixedOrder(text: string): string {
  return text
    .replace(/(?:^(?:\[ERROR\] values\.yaml: )? *- at '.*\n)+/gm, (failures) =>
      failures.replace('[ERROR] values.yaml: ', '').split('\n').sort().join('\n'),
    )
    .replace(/(?:^\[ERROR\] crds\/.*\n)+/gm, (failures) => failures.split('\n').sort().join('\n'))
    .replace(/(missing these dependencies: )(.*)/g, (_, before: string, names: string) =>
      before.concat(names.split(',').sort().join(',')),
    );
}

interface Comparison {
  readonly commands: number;
  readonly rendered: boolean;
  /** What differs first. */
  readonly difference: string | undefined;
}

async function compareChart(
  { files, commands }: RandomChart,
  helm: OfficialHelm,
  flavor: Flavor,
): Promise<Comparison> {
  const root = mkdtempSync(join(tmpdir(), 'helm-random-'));
  try {
    for (const [path, text] of files) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    let rendered = false;
    for (const args of commands) {
      const theirs = helm.run(args, root);
      const ours = await runOurs([...args, '--helm-version', flavor], root);
      const [expected, actual] = [await theirs, ours].map((result) => {
        const text = format(result, root);
        // The CRDs of subcharts come in Go's order of maps too.
        return args[0] === 'show' ? text.split('\n').sort().join('\n') : text;
      });
      if (args[0] === 'template') rendered = (await theirs).code === 0;
      if (expected !== actual) {
        const shown = firstDifference(expected ?? '', actual ?? '');
        const difference = `$ ${args.join(' ')}\n${shown}`;
        return { commands: commands.length, rendered, difference };
      }
    }
    return { commands: commands.length, rendered, difference: undefined };
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Where two texts begin to differ, with what stands around. */
function firstDifference(expected: string, actual: string): string {
  const [theirs, ours] = [expected.split('\n'), actual.split('\n')];
  const at = theirs.findIndex((line, i) => line !== ours[i]);
  const from = Math.max(0, at < 0 ? theirs.length : at - 4);
  const part = (lines: readonly string[]): string => lines.slice(from, from + 10).join('\n');
  return `--- helm, from line ${from}\n${part(theirs)}\n--- capstan\n${part(ours)}`;
}

/** Compares `seeds` random charts from seed `first` on with one version of Helm; prints the first differences. */
export async function compareRandom(
  seeds: number,
  first: number,
  flavor: Flavor = '4',
): Promise<{ readonly passed: number; readonly failed: number }> {
  using helm = seeds >= WARM_FROM && flavor === '4' ? warmHelm() : forkedHelm(flavor);
  let rendered = 0;
  let commands = 0;
  const failed: number[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const chart = randomChart(new Choice(seed), flavor);
    const result = await compareChart(chart, helm, flavor);
    commands += result.commands;
    if (result.rendered) rendered++;
    if (result.difference === undefined) continue;
    if (failed.push(seed) <= Number(process.env['SHOWN'] ?? 5))
      console.log(`✖ seed ${seed}\n${result.difference}`);
  }
  if (failed.length > 0) console.log(`failed seeds: ${failed.slice(0, 200).join(' ')}`);
  console.log(
    `${seeds} random charts, ${commands} commands of helm ${flavor}: ${rendered} charts render, the others end in the same error`,
  );
  return { passed: seeds - failed.length, failed: failed.length };
}

if (import.meta.main) {
  const [seeds = '60', first = '1', version = '4'] = process.argv.slice(2);
  const flavor = version === '3' ? '3' : '4';
  const { passed, failed } = await compareRandom(Number(seeds), Number(first), flavor);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
