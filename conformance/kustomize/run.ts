/**
 * Kustomizations of ours, built by `capstan build`, against what the official kustomize printed for them: output, messages
 * and exit codes, byte for byte. Then random ones against the official binary itself.
 *
 *   node conformance/kustomize/run.ts [CASE]     compares with the stored output, then 150 random kustomizations
 *   UPDATE=1 node conformance/kustomize/run.ts   the official binary writes the stored output anew
 *   node conformance/kustomize/random.ts SEEDS   many random kustomizations; differences are printed
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '@capstan/apps-cli';
import { binaryDirectory, officialProgram, whyNotOfficial } from '../tools/official.ts';
import {
  type Case,
  comparable,
  formatResults,
  type Result,
  readCase,
  withFiles,
  words,
} from './case-files.ts';
import { compareRandom } from './random.ts';

const here = import.meta.dirname;
const VERSION = '5.8.2';

/** Runs `capstan build` in this process. */
async function ours(args: readonly string[], cwd: string): Promise<Result> {
  let out = '';
  let err = '';
  const code = await main(['build', ...args], {
    cwd,
    env: {},
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    readInput: async () => new Uint8Array(),
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

async function official(args: readonly string[], cwd: string): Promise<Result> {
  const binary = officialProgram('kustomize', VERSION);
  const env = { HOME: cwd, PATH: args.includes('--enable-helm') ? helmFolder() : '' };
  const result = spawnSync(binary, ['build', ...args], { cwd, encoding: 'utf8', env });
  return { code: result.status ?? -1, out: result.stdout, err: result.stderr };
}

/** A folder in which the official helm is called `helm`; made once, in the cache of programs. */
function helmFolder(): string {
  const program = officialProgram('helm', '4.3.1');
  const folder = join(binaryDirectory(), 'helm-4');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'helm'))) symlinkSync(program, join(folder, 'helm'));
  return folder;
}

async function runCase({ commands, files }: Case, run: typeof ours): Promise<string> {
  return withFiles(files, async (root) => {
    const results: Result[] = [];
    for (const command of commands) {
      results.push(comparable(await run(words(command), root), root));
    }
    return formatResults(results);
  });
}

async function compareStored(only: string): Promise<{ passed: number; failed: number }> {
  let passed = 0;
  let failed = 0;
  for (const file of globSync('cases/**/*.txt', { cwd: here }).sort()) {
    if (!file.includes(only)) continue;
    const path = join(here, file);
    const stored = path.replace(/\.txt$/, '.expected');
    const test = readCase(path);
    if (process.env['UPDATE'] === '1') writeFileSync(stored, await runCase(test, official));
    const want = readFileSync(stored, 'utf8');
    const got = await runCase(test, ours);
    if (got === want) {
      passed++;
    } else {
      failed++;
      console.log(`${file}\n--- official\n${want}\n--- capstan\n${got}`);
    }
  }
  return { passed, failed };
}

const only = process.argv[2] ?? '';
let { passed, failed } = await compareStored(only);
const missing = whyNotOfficial('kustomize', VERSION);
if (only !== '' || process.env['UPDATE'] === '1') {
  // A single case, or the writing of the expected output: nothing random.
} else if (missing !== false) {
  console.log(`random kustomizations skipped: ${missing}`);
} else {
  const random = compareRandom({
    from: 1,
    count: 150,
    binary: officialProgram('kustomize', VERSION),
  });
  passed += random.passed;
  failed += random.failed;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
