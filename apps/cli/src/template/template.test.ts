import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { main } from '../main.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'template-'));
  mkdirSync(join(folder, 'app', 'templates'), { recursive: true });
  writeFileSync(join(folder, 'app', 'Chart.yaml'), 'apiVersion: v2\nname: app\nversion: 0.1.0\n');
  writeFileSync(
    join(folder, 'app', 'templates', 'a.yaml'),
    'kind: A\nmetadata:\n  name: {{ .Release.Name }}\n',
  );
});

afterEach(() => rmSync(folder, { recursive: true }));

async function capstan(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const printed = { out: '', err: '' };
  const code = await main(args, {
    cwd: folder,
    env: { HOME: folder },
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    readInput: async () => new Uint8Array(),
    signal: new AbortController().signal,
  });
  return { code, ...printed };
}

describe('template', () => {
  test('makes the name by a template', async () => {
    const { out } = await capstan('template', 'app', '--name-template', '{{ "X" | lower }}-1');
    assert.match(out, /name: x-1\n/);
  });

  test('gives what was rendered to a program, and prints what it makes of it', async () => {
    const { out } = await capstan(
      ...['template', 'rel', 'app', '--post-renderer', 'sed'],
      ...['--post-renderer-args', 's/name: rel/name: changed/'],
    );
    assert.match(out, /kind: A\nmetadata:\n {2}name: changed\n/);
  });

  test('ends in an error when that program fails or prints nothing', async () => {
    for (const program of ['false', 'true', './not-there']) {
      const { code, err } = await capstan('template', 'rel', 'app', '--post-renderer', program);
      assert.equal(code, 1);
      assert.match(err, new RegExp(`error while running command ${program}: \\S`));
    }
  });

  test('fetches missing dependencies when it is asked to', async () => {
    mkdirSync(join(folder, 'lib', 'templates'), { recursive: true });
    writeFileSync(join(folder, 'lib', 'Chart.yaml'), 'apiVersion: v2\nname: lib\nversion: 1.0.0\n');
    writeFileSync(join(folder, 'lib', 'templates', 'b.yaml'), 'kind: B\n');
    writeFileSync(
      join(folder, 'app', 'Chart.yaml'),
      'apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies: [{name: lib, version: 1.x, repository: "file://../lib"}]\n',
    );
    const without = await capstan('template', 'rel', 'app');
    assert.match(without.err, /missing in charts\/ directory: lib/);
    const { out } = await capstan('template', 'rel', 'app', '--dependency-update');
    assert.match(out, /# Source: app\/charts\/lib\/templates\/b.yaml\nkind: B\n/);
  });

  test('asked to verify, takes no folder and no chart without a signature', async () => {
    const folderOnly = await capstan('template', 'rel', 'app', '--verify');
    assert.match(folderOnly.err, /unpacked charts cannot be verified/);
    writeFileSync(join(folder, 'app-0.1.0.tgz'), 'whatever');
    const unsigned = await capstan('template', 'rel', 'app-0.1.0.tgz', '--verify');
    assert.match(unsigned.err, /could not load provenance file \S*app-0.1.0.tgz.prov: stat/);
    writeFileSync(join(folder, 'app-0.1.0.tgz.prov'), 'whatever');
    const noKeys = await capstan('template', 'rel', 'app-0.1.0.tgz', '--verify');
    assert.match(noKeys.err, /failed to load keyring: open .*pubring.gpg: no such file/);
    assert.equal(noKeys.code, 1);
    assert.equal(noKeys.out, '');
  });
});

test('--debug prints what cannot be read as YAML before the error', async () => {
  writeFileSync(join(folder, 'app', 'templates', 'b.yaml'), 'kind: B\n bad: [\n');
  const plain = await capstan('template', 'rel', 'app');
  assert.equal(plain.out, '');
  assert.match(plain.err, /YAML parse error on app\/templates\/b.yaml[\s\S]*Use --debug flag/);
  const debug = await capstan('template', 'rel', 'app', '--debug');
  assert.match(debug.out, /# Source: app\/templates\/b.yaml\nkind: B\n bad: \[\n/);
  assert.doesNotMatch(debug.err, /Use --debug flag/);
  assert.equal(debug.code, 1);
});
