/**
 * The convention of every suite below conformance/: a folder with a `run.ts` that prints one last line `N passed, N failed`
 * (and `, N skipped` if any) and ends with a status other than 0 when something failed. For suites of node:test files:
 *
 *   process.exitCode = await runSuite(import.meta.dirname);
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Runs `*.test.ts` of the folder one file after the other, prints the closing line, returns the exit status. */
export async function runSuite(folder: string): Promise<number> {
  const patterns = process.argv.slice(2);
  const files = globSync(patterns.length > 0 ? patterns : '*.test.ts', { cwd: folder }).sort();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const stream = run({
    files: files.map((file) => join(folder, file)),
    concurrency: 1,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  stream.on('test:pass', ({ details, skip }) => {
    if (details.type === 'suite') return;
    if (skip === undefined) counts.passed++;
    else counts.skipped++;
  });
  stream.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') counts.failed++;
  });
  const finished = new Promise<void>((resolve) => stream.once('end', () => resolve()));
  stream.compose(spec).pipe(process.stdout);
  await finished;
  console.log(closingLine(counts));
  return counts.failed > 0 || counts.passed + counts.skipped === 0 ? 1 : 0;
}

export function closingLine(counts: {
  readonly passed: number;
  readonly failed: number;
  readonly skipped?: number;
}): string {
  const { passed, failed, skipped = 0 } = counts;
  const tail = skipped === 0 ? '' : `, ${skipped} skipped`;
  return `${passed} passed, ${failed} failed${tail}`;
}
