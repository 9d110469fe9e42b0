import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type RenderSpec, renderManifests } from '@capstan/engine-render';
import type { Snapshot } from '@capstan/engine-source';
import { memoryTree } from '@capstan/lib-files';
import { RenderStore } from './render-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'capstan-renders-'));
after(() => rmSync(folder, { recursive: true }));

const filesOf = (kind: string) => ({
  'app/a.yaml': `apiVersion: v1\nkind: ${kind}\nmetadata: {name: a}\nstringData: {p: canary-77}\nbig: 9007199254740993\n`,
});
const snapshot = (kind: string): Snapshot => ({
  source: 'git x',
  revision: { id: 'a', name: 'main' },
  digest: `sha256:${kind}`,
  files: memoryTree(filesOf(kind)),
});
const SPEC: RenderSpec = { kind: 'directory', path: 'app' };

function files(home: string): readonly string[] {
  return readdirSync(home, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
}

test('a result is found again as long as what it read is the same, traces and large numbers too', async () => {
  const home = join(folder, 'found');
  const result = renderManifests(snapshot('ConfigMap'), SPEC);
  await new RenderStore(home).keep(snapshot('ConfigMap'), SPEC, { environment: 'e', result });
  const store = new RenderStore(home);
  assert.deepEqual(await store.find(snapshot('ConfigMap'), SPEC, 'e'), result);
  assert.equal(await store.find(snapshot('ConfigMap'), SPEC, 'other'), undefined);
  assert.equal(await store.find(snapshot('Service'), SPEC, 'e'), undefined);
  assert.equal(await store.find(snapshot('ConfigMap'), { ...SPEC, path: 'b' }, 'e'), undefined);
  const content = { ...filesOf('ConfigMap'), 'elsewhere/b.yaml': 'kind: Other\n' };
  const later = { ...snapshot('ConfigMap'), digest: 'sha256:later', files: memoryTree(content) };
  assert.deepEqual(await store.find(later, SPEC, 'e'), result);
  const [file = ''] = files(home);
  const bytes = readFileSync(file);
  bytes[40]! ^= 1;
  writeFileSync(file, bytes);
  assert.equal(await store.find(snapshot('ConfigMap'), SPEC, 'e'), undefined);
});

test('nothing that may be secret is written', async () => {
  const home = join(folder, 'secret');
  const store = new RenderStore(home);
  const secret = renderManifests(snapshot('Secret'), SPEC);
  assert.equal(secret.objects.length, 1);
  await store.keep(snapshot('Secret'), SPEC, { environment: '', result: secret });
  const substituted: RenderSpec = {
    ...SPEC,
    substitute: { variables: { p: 'canary' }, strict: false },
  };
  const result = renderManifests(snapshot('ConfigMap'), substituted);
  await store.keep(snapshot('ConfigMap'), substituted, { environment: '', result });
  assert.throws(() => files(home), { code: 'ENOENT' });
});

test('what is old goes', async () => {
  const home = join(folder, 'old');
  const store = new RenderStore(home);
  for (const kind of ['ConfigMap', 'Service']) {
    await store.keep(snapshot(kind), SPEC, {
      environment: kind,
      result: renderManifests(snapshot(kind), SPEC),
    });
  }
  const [first = ''] = files(home);
  utimesSync(first, 1, 1);
  assert.equal(await store.removeUnused(Date.now()), 1);
  assert.equal(files(home).length, 1);
});
