/**
 * Random charts (subcharts, defaults, globals, nulls, conditions, tags, aliases, import-values) with random values, rendered
 * by the official helm and by ours; every chart prints the values that it sees.
 *
 *   node conformance/helm/random.ts [SEEDS=60] [FIRST=1] [HELM=4]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { main } from '@capstan/apps-cli';
import { officialProgram } from '../tools/official.ts';

const OFFICIAL = { '4': '4.3.1', '3': '3.22.0' } as const;
type Flavor = keyof typeof OFFICIAL;

const COMMAND = ['template', 'rel', '.', '-f', 'given.yaml'];

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Random = () => number;

/** A small repeatable generator (mulberry32). */
function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const KEYS = ['a', 'b', 'c', 'global', 'one', 'two', 'exports', 'data', 'tags', 'on'];
const SCALARS: readonly Json[] = [
  null,
  true,
  false,
  0,
  1,
  -2.5,
  1e6,
  1e21,
  '',
  'x',
  'y: z',
  '007',
  'null',
  'multi\nline',
];

function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!;
}

function randomValue(random: Random, depth: number): Json {
  const roll = random();
  if (depth <= 0 || roll < 0.5) return pick(random, SCALARS);
  if (roll < 0.6)
    return Array.from({ length: Math.floor(random() * 3) }, () => randomValue(random, depth - 1));
  return randomTable(random, depth);
}

function randomTable(random: Random, depth: number): { [key: string]: Json } {
  const table: { [key: string]: Json } = {};
  for (let i = Math.floor(random() * 4); i > 0; i--) {
    const key = pick(random, KEYS);
    // Tables where helm itself wants tables, else most runs would end in the same type error.
    const mustBeTable = ['global', 'one', 'two', 'tags'].includes(key) && random() < 0.95;
    table[key] = mustBeTable ? randomTable(random, depth - 1) : randomValue(random, depth - 1);
  }
  return table;
}

interface RandomChart {
  readonly files: Map<string, string>;
}

interface ChartPlan {
  readonly name: string;
  readonly depth: number;
  readonly flavor: Flavor;
}

function randomChart(random: Random, { name, depth, flavor }: ChartPlan): RandomChart {
  const files = new Map<string, string>();
  const children = depth === 0 ? [] : ['one', 'two'].filter(() => random() < 0.7);
  const dependencies = children.flatMap((child) =>
    random() < 0.75 ? [randomDependency(random, child)] : [],
  );
  // Helm 3 mixes up the subcharts of a chart that is there under two names (docs/differences/helm.md).
  if (dependencies.length > 0 && random() < 0.2 && (flavor === '4' || depth === 1)) {
    dependencies.push({ ...dependencies[0], alias: 'second' });
  }
  const meta = {
    apiVersion: 'v2',
    name,
    version: '1.0.0',
    ...(dependencies.length > 0 ? { dependencies } : {}),
  };
  files.set('Chart.yaml', JSON.stringify(meta));
  files.set('values.yaml', JSON.stringify(randomTable(random, 3)));
  files.set(
    'templates/v.yaml',
    `kind: V\nname: {{ .Chart.Name }}\nv: {{ toJson .Values | quote }}\ny: {{ toYaml .Values | quote }}\n`,
  );
  for (const child of children) {
    for (const [path, text] of randomChart(random, { name: child, depth: depth - 1, flavor }).files)
      files.set(`charts/${child}/${path}`, text);
  }
  return { files };
}

function randomDependency(random: Random, name: string): { [key: string]: Json } {
  return {
    name,
    version: pick(random, ['1.0.0', '^1', '>= 0.1', '2.x']),
    ...(random() < 0.4
      ? { condition: pick(random, [`${name}.on`, 'a', `a,${name}.on`, 'global.a']) }
      : {}),
    ...(random() < 0.4 ? { tags: [pick(random, ['a', 'b'])] } : {}),
    ...(random() < 0.4
      ? {
          'import-values': [
            pick<Json>(random, [
              'data',
              { child: 'a', parent: 'b.c' },
              { child: 'exports.data', parent: '.' },
            ]),
          ],
        }
      : {}),
  };
}

async function ours(root: string, flavor: Flavor): Promise<string> {
  let out = '';
  const code = await main([...COMMAND, '--helm-version', flavor], {
    cwd: root,
    env: {},
    out: (text) => {
      out += text;
    },
    err: (text) => {
      if (text.startsWith('Error')) out += text;
    },
    readInput: async () => new Uint8Array(),
    signal: new AbortController().signal,
  });
  return `${out}${code}`;
}

function official(root: string, flavor: Flavor): string {
  const binary = officialProgram('helm', OFFICIAL[flavor]);
  const result = spawnSync(binary, COMMAND, {
    cwd: root,
    encoding: 'utf8',
    env: { HOME: root, PATH: '' },
  });
  const at = result.stderr.indexOf('Error: ');
  return `${result.stdout}${at < 0 ? '' : result.stderr.slice(at)}${result.status}`;
}

/** Compares `seeds` random charts from seed `first` on with one version of Helm; prints the first differences. */
export async function compareRandom(
  seeds: number,
  first: number,
  flavor: Flavor = '4',
): Promise<{ readonly passed: number; readonly failed: number }> {
  let passed = 0;
  let rendered = 0;
  const failed: number[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const root = layOut(seed, flavor);
    const [expected, actual] = [official(root, flavor), await ours(root, flavor)];
    if (expected.endsWith('0')) rendered++;
    if (expected === actual) passed++;
    else if (failed.push(seed) <= 3) {
      console.log(`✖ seed ${seed}\n--- helm ${flavor}\n${expected.slice(0, 1500)}`);
      console.log(`--- capstan\n${actual.slice(0, 1500)}`);
    }
    rmSync(root, { recursive: true });
  }
  if (failed.length > 0) console.log(`failed seeds: ${failed.slice(0, 50).join(' ')}`);
  console.log(`${rendered} of ${seeds} random charts render; the others end in the same error`);
  return { passed, failed: failed.length };
}

function layOut(seed: number, flavor: Flavor): string {
  const random = randomOf(seed);
  const root = mkdtempSync(join(tmpdir(), 'helm-random-'));
  const { files } = randomChart(random, { name: 'app', depth: 2, flavor });
  files.set('given.yaml', JSON.stringify(randomTable(random, 3)));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

if (import.meta.main) {
  const [seeds = '60', first = '1', version = '4'] = process.argv.slice(2);
  const flavor = version === '3' ? '3' : '4';
  const { passed, failed } = await compareRandom(Number(seeds), Number(first), flavor);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
