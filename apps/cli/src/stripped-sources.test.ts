import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'capstan-stripped-'));
after(() => rmSync(folder, { recursive: true }));
const source = join(folder, 'source.ts');
const hook = pathToFileURL(join(import.meta.dirname, '..', 'bin', 'stripped-sources.mjs')).href;

/** In a process of its own, as at a start. */
function stripped(folders: readonly string[]): string {
  const program = `import { strippedSource } from ${JSON.stringify(hook)};
    process.stdout.write(strippedSource(${JSON.stringify(source)}, ${JSON.stringify(folders)}));`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  return stdout;
}

function keptIn(kept: string): string {
  const files = readdirSync(kept);
  assert.equal(files.length, 1, 'one file for each source, and none half written');
  return join(kept, files[0] ?? '');
}

test('a source is stripped once, and again when it has changed', () => {
  const kept = join(folder, 'kept');
  writeFileSync(source, 'export const a: string = "…";\n');
  assert.equal(stripped([kept]), 'export const a         = "…";\n');
  const file = keptIn(kept);
  writeFileSync(file, readFileSync(file, 'utf8').replace('const a', 'const b'));
  assert.equal(stripped([kept]), 'export const b         = "…";\n', 'what is kept is taken');

  writeFileSync(source, 'export const c: number = 1;\n');
  assert.equal(stripped([kept]), 'export const c         = 1;\n');
  assert.match(readFileSync(keptIn(kept), 'utf8'), /^export const c {9}= 1;\n/);
});

test('what was kept by an installation is found, and the user keeps the rest', () => {
  const [installed, users] = [join(folder, 'installed'), join(folder, 'users')];
  writeFileSync(source, 'export type A = 1;\n');
  stripped([users]);
  assert.equal(stripped([installed, users]), `${' '.repeat(18)}\n`);
  assert.throws(() => readdirSync(installed), 'nothing was to be kept');
});

test('a folder that cannot be written to is no reason to fail', () => {
  writeFileSync(source, 'export type A = 1;\n');
  // A file stands where the folder would be.
  assert.equal(stripped([source]), `${' '.repeat(18)}\n`);
});

test('the server starts with it', () => {
  const command = join(import.meta.dirname, '..', 'bin', 'capstan.mjs');
  const { stdout, status } = spawnSync(process.execPath, [command, 'serve', '--help'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  assert.match(stdout, /capstan serve/);
});
