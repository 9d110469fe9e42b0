import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { main } from '../main.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dependency-'));
  for (const name of ['app', 'lib', 'outside']) mkdirSync(join(folder, name));
  const dependency = '  - {name: lib, version: "*", repository: "file://../lib"}\n';
  writeFileSync(
    join(folder, 'app', 'Chart.yaml'),
    `apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n${dependency}`,
  );
  writeFileSync(join(folder, 'lib', 'Chart.yaml'), 'apiVersion: v2\nname: lib\nversion: 0.1.0\n');
  writeFileSync(join(folder, 'outside', 'file'), 'untouched');
});

afterEach(() => rmSync(folder, { recursive: true }));

async function update(): Promise<{ readonly code: number; readonly err: string }> {
  let err = '';
  const code = await main(['dependency', 'update', 'app'], {
    cwd: folder,
    env: {},
    out: () => undefined,
    err: (text) => {
      err += text;
    },
    readInput: async () => new Uint8Array(),
    signal: new AbortController().signal,
  });
  return { code, err };
}

const outside = (): string => readFileSync(join(folder, 'outside', 'file'), 'utf8');

describe('dependency update', () => {
  test('writes charts/ and Chart.lock', async () => {
    assert.deepEqual(await update(), { code: 0, err: '' });
    assert.ok(existsSync(join(folder, 'app', 'charts', 'lib-0.1.0.tgz')));
    assert.match(readFileSync(join(folder, 'app', 'Chart.lock'), 'utf8'), /digest: sha256:/);
  });

  test('does not write through a Chart.lock that is a link (row 17)', async () => {
    const target = join(folder, 'outside', 'file');
    symlinkSync(target, join(folder, 'app', 'Chart.lock'));
    const { code, err } = await update();
    assert.equal(code, 1);
    assert.match(err, /Chart\.lock/);
    assert.equal(outside(), 'untouched');
    assert.equal(existsSync(join(folder, 'app', 'charts')), false);
  });

  test('does not write into a charts/ that is a link', async () => {
    symlinkSync(join(folder, 'outside'), join(folder, 'app', 'charts'));
    const { code } = await update();
    assert.equal(code, 1);
    assert.equal(existsSync(join(folder, 'outside', 'lib-0.1.0.tgz')), false);
  });

  test('puts a file in the place of a link in charts/, and leaves what it led to', async () => {
    mkdirSync(join(folder, 'app', 'charts'));
    const place = join(folder, 'app', 'charts', 'lib-0.1.0.tgz');
    symlinkSync(join(folder, 'outside', 'file'), place);
    const { code } = await update();
    assert.equal(outside(), 'untouched');
    assert.equal(code === 0 ? lstatSync(place).isSymbolicLink() : false, false);
  });
});
