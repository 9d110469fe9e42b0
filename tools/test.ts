// `npm test`: lint and types first, then every *.test.ts of the workspace with Node's own runner, and one closing line.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const leaveNothing = import.meta.resolve('./leave-nothing.mjs');
const tiers = ['lib', 'kube', 'engine', 'argocd', 'flux', 'apps', 'tools'];

function check(script: string): boolean {
  const npm = process.env['npm_execpath'];
  const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  return (
    spawnSync(command, [...args, 'run', '--silent', script], { cwd: root, stdio: 'inherit' })
      .status === 0
  );
}

function testFiles(patterns: readonly string[]): string[] {
  const globs = patterns.length > 0 ? patterns : tiers.map((tier) => `${tier}/**/*.test.ts`);
  return globSync(globs, {
    cwd: root,
    exclude: (name) => name === 'node_modules' || name === 'dist',
  })
    .sort()
    .map((file) => `${root}/${file}`);
}

async function runTests(files: readonly string[]): Promise<{ passed: number; failed: number }> {
  let passed = 0;
  let failed = 0;
  const stream = run({
    files: [...files],
    concurrency: 2,
    // A test that hangs is a failure with a name, not a run without end.
    timeout: 180_000,
    execArgv: ['--disable-warning=ExperimentalWarning', '--import', leaveNothing],
  });
  stream.on('test:pass', (event) => {
    if (event.details.type !== 'suite' && event.skip === undefined) passed++;
  });
  stream.on('test:fail', (event) => {
    if (event.details.type !== 'suite') failed++;
  });
  const finished = new Promise<void>((resolve) => stream.once('end', () => resolve()));
  stream.compose(spec).pipe(process.stdout);
  await finished;
  return { passed, failed };
}

const patterns = process.argv.slice(2);
const checked = patterns.length > 0 || (check('lint') && check('typecheck'));
const { passed, failed } = await runTests(testFiles(patterns));
console.log(`${passed} passed, ${failed + (checked ? 0 : 1)} failed`);
process.exitCode = failed > 0 || !checked || passed === 0 ? 1 : 0;
