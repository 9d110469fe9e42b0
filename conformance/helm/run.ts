/**
 * Charts of ours, rendered by `capstan template`, against what the official helm printed for them.
 *
 *   node conformance/helm/run.ts [CASE]     compares with the stored output, then 60 random charts with each official binary
 *   UPDATE=1 node conformance/helm/run.ts   the official binaries write the stored output anew
 *
 * A case is one file: comment lines, `$ arguments` lines (one command each), then the chart's files behind `-- name --`.
 * The charts below offered/ are served as a chart repository and an OCI registry at SERVER.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { run } from 'node:test';
import { officialProgram, whyNotOfficial } from '../tools/official.ts';
import { type Result, runOurs, runProgram } from './commands.ts';
import { compareRandom } from './random.ts';
import { serveCharts } from './repository-server.ts';

const here = import.meta.dirname;
const OFFICIAL = { 4: '4.3.1', 3: '3.22.0' } as const;

interface Case {
  readonly name: string;
  readonly commands: readonly string[];
  readonly files: ReadonlyMap<string, string>;
}

function readCase(file: string): Case {
  const [head = '', ...parts] = readFileSync(file, 'utf8').split(/^-- (.+) --\n/m);
  const files = new Map<string, string>();
  for (let i = 0; i + 1 < parts.length; i += 2) files.set(parts[i]!, parts[i + 1]!);
  const commands = head
    .split('\n')
    .flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
  return { name: basename(file, '.txt'), commands, files };
}

function layOut(root: string, files: ReadonlyMap<string, string>): void {
  for (const [name, text] of files) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

/** Arguments as a shell splits them, without expansion: quotes group. */
function words(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2] ?? m[3] ?? '');
}

function flavorOf(args: readonly string[]): 3 | 4 {
  return args.includes('3') && args.includes('--helm-version') ? 3 : 4;
}

function official(args: readonly string[], cwd: string): Promise<Result> {
  const version = OFFICIAL[flavorOf(args)];
  const at = args.indexOf('--helm-version');
  const plain = at < 0 ? [...args] : [...args.slice(0, at), ...args.slice(at + 2)];
  return runProgram(officialProgram('helm', version), plain, cwd);
}

/** `$ left CHART` is no command of helm: what the commands before left in the chart's lock file and charts/. */
function leftIn(folder: string): Result {
  const lock = ['Chart.lock', 'requirements.lock'].find((name) => existsSync(join(folder, name)));
  const text = lock === undefined ? '' : readFileSync(join(folder, lock), 'utf8');
  // The digest goes over the port of the server, which is another one in each run.
  const shown = text
    .replace(/^generated: .*\n/m, '')
    .replace(/sha256:.*/, text.includes('//127.0.0.1:') ? 'sha256:…' : '$&');
  const charts = join(folder, 'charts');
  const names = existsSync(charts) ? readdirSync(charts).sort() : [];
  return { code: 0, out: `${shown}${names.map((name) => `charts/${name}\n`).join('')}`, err: '' };
}

/** One command with all that it printed; the folder that the chart was laid out in and the server have no name. */
function format(command: string, { code, out, err }: Result, place: Place): string {
  const printed = `${out}${err === '' ? '' : `${err}\n`}`
    .replaceAll(place.root, '/chart')
    .replaceAll(place.server, 'SERVER');
  return `$ ${command}\n${printed}[exit ${code}]\n`;
}

interface Place {
  readonly root: string;
  readonly server: string;
}

/** What the commands of a case print, one after the other in a fresh folder, beside a server that offers its charts. */
async function transcript(
  one: Case,
  run: (args: readonly string[], cwd: string) => Promise<Result>,
): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'helm-case-'));
  layOut(root, one.files);
  await using server = await serveCharts(join(root, 'offered'));
  const place: Place = { root, server: server.host };
  layOut(
    root,
    new Map([...one.files].map(([name, text]) => [name, text.replaceAll('SERVER', server.host)])),
  );
  try {
    let text = '';
    for (const command of one.commands) {
      const args = words(command.replaceAll('SERVER', server.host));
      const result = args[0] === 'left' ? leftIn(join(root, args[1] ?? '')) : await run(args, root);
      text += format(command, result, place);
    }
    return text;
  } finally {
    rmSync(root, { recursive: true });
  }
}

async function expectedOf(one: Case): Promise<string> {
  const file = join(here, 'cases', `${one.name}.expected`);
  if (process.env['UPDATE'] !== '1') return readFileSync(file, 'utf8');
  const text = await transcript(one, official);
  writeFileSync(file, text);
  return text;
}

function showDifference(expected: string, actual: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'helm-diff-'));
  writeFileSync(join(folder, 'helm'), expected);
  writeFileSync(join(folder, 'capstan'), actual);
  const shown = spawnSync('diff', ['-u', 'helm', 'capstan'], { cwd: folder, encoding: 'utf8' });
  console.log(shown.stdout.split('\n').slice(0, 60).join('\n'));
  rmSync(folder, { recursive: true });
}

/** What needs a control plane; each test counts, also one that has to be skipped. */
async function checkOnClusters(): Promise<{ passed: number; failed: number; skipped: number }> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const files = ['releases.test.ts', 'cluster-render.test.ts'].map((name) => join(here, name));
  const stream = run({ files, concurrency: false });
  stream.on('test:pass', ({ name, details, skip: why }) => {
    if (why !== undefined) {
      counts.skipped++;
      console.log(`${name} is skipped: ${String(why)}`);
    } else if (details.type !== 'suite') counts.passed++;
  });
  stream.on('test:fail', ({ name, details }) => {
    if (details.type === 'suite') return;
    counts.failed++;
    console.log(`✖ ${name}\n${details.error.message}`);
  });
  await new Promise<void>((resolve) => stream.resume().once('end', () => resolve()));
  return counts;
}

let passed = 0;
let failed = 0;
let skipped = 0;
const wanted = process.argv[2] ?? '';
for (const file of globSync(join(here, 'cases', '*.txt')).sort()) {
  const one = readCase(file);
  if (!one.name.includes(wanted)) continue;
  const expected = await expectedOf(one);
  const actual = await transcript(one, runOurs);
  const commandCount = one.commands.length;
  if (actual === expected) passed += commandCount;
  else {
    failed += commandCount;
    console.log(`✖ ${one.name}`);
    showDifference(expected, actual);
  }
}
const skip = whyNotOfficial('helm', '4.3.1');
if (skip !== false) console.log(`random charts are skipped: ${skip}`);
else if (wanted === '') {
  for (const flavor of ['4', '3'] as const) {
    const random = await compareRandom(60, 1, flavor);
    passed += random.passed;
    failed += random.failed;
  }
}
if (wanted === '') {
  const releases = await checkOnClusters();
  passed += releases.passed;
  failed += releases.failed;
  skipped += releases.skipped;
}
console.log(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
