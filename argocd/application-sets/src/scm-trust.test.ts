import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createKubeClient } from '@capstan/kube-client';
import { createOutside } from './create-outside.ts';
import { readTrust } from './scm/scm-access.ts';

const NOWHERE = createKubeClient({
  server: 'nowhere',
  request: async () => assert.fail('nobody is asked'),
  close: async () => undefined,
});

const outsideWith = (rootCaPath: string) =>
  createOutside({
    client: NOWHERE,
    namespace: 'argocd',
    controlNamespace: 'argocd',
    scm: { enabled: true, allowedProviders: [], strictTokens: false, rootCaPath },
    aws: { region: '', credentials: async () => assert.fail() },
    now: () => 0,
    signal: new AbortController().signal,
  });

test('authorities of the administrator are trusted beside those of the generator', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'ca-')), 'ca.crt');
  await writeFile(file, 'ROOT');
  const outside = {
    ...outsideWith(file),
    configMapValue: async () => 'OWN',
  };
  const caRef = { configMapName: 'ca', key: 'ca.crt' };
  assert.deepEqual(await readTrust(outside, {}), { insecure: false, caCertificates: 'ROOT' });
  assert.deepEqual(await readTrust(outside, { caRef, insecure: true }), {
    insecure: true,
    caCertificates: 'ROOT\nOWN',
  });
});

test('without a file, or with one that is not there, nobody else is trusted', async () => {
  for (const path of ['', '/nowhere/ca.crt'])
    assert.deepEqual(await readTrust(outsideWith(path), {}), { insecure: false });
});
