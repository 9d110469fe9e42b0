/**
 * Random kustomizations, each built by the official binary and by ours: bases, overlays of one or two layers, generators,
 * patches, references, images, replacements. The same seed gives the same files.
 *
 *   node conformance/kustomize/random.ts [COUNT] [FROM]     thousands of seeds; prints each that differs
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build, KustomizeCache } from '@capstan/kube-kustomize';
import { diskTree } from '@capstan/lib-files/disk';
import { officialProgram } from '../tools/official.ts';
import { randomFiles } from './random-files.ts';

export interface RandomOptions {
  readonly from: number;
  readonly count: number;
  readonly binary: string;
}

/** Compares output and messages for `count` seeds; what differs is printed with its files. */
export function compareRandom({ from, count, binary }: RandomOptions): {
  passed: number;
  failed: number;
} {
  let passed = 0;
  let failed = 0;
  const cache = new KustomizeCache();
  for (let seed = from; seed < from + count; seed++) {
    const files = randomFiles(seed);
    const difference = compareOne(files, binary, cache);
    if (difference === undefined) {
      passed++;
      continue;
    }
    failed++;
    const listing = [...files].map(([name, text]) => `-- ${name} --\n${text}`).join('');
    console.log(`seed ${seed}\n${listing}${difference}\n`);
  }
  return { passed, failed };
}

function compareOne(
  files: ReadonlyMap<string, string>,
  binary: string,
  cache: KustomizeCache,
): string | undefined {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'kustomize-random-')));
  try {
    for (const [name, text] of files) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    const target = join(root, 'top');
    const { stdout, stderr } = spawnSync(binary, ['build', target], { encoding: 'utf8' });
    const result = build(diskTree('/'), target, { wholeFileSystem: true, cache });
    const out = result.kind === 'built' ? result.yaml : '';
    const warnings = result.diagnostics.filter(({ severity }) => severity === 'warning');
    const error = result.kind === 'failed' ? [`Error: ${result.error.message}`] : [];
    const lines = [...warnings.map(({ message }) => message), ...error];
    const err = lines.map((line) => `${line}\n`).join('');
    if (out === stdout && plain(err) === plain(stderr)) return undefined;
    return `--- official\n${stdout}${stderr}--- capstan\n${out}${err}`;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Without times and addresses, and without what Go's random order of maps decides. */
function plain(text: string): string {
  return text
    .replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /gm, '')
    .replace(/&\{(?:0x[0-9a-f]+ (?:<nil>|0x[0-9a-f]+))?\}/g, '&{…}');
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 2000);
  const from = Number(process.argv[3] ?? 1);
  const binary = officialProgram('kustomize', '5.8.2');
  const { passed, failed } = compareRandom({ from, count, binary });
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
