import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { chartOfFiles } from '../load-chart.ts';
import type { ReleasePorts } from './cluster-port.ts';
import { installRelease } from './install-release.ts';
import { LEASE_MS } from './operation.ts';
import { readRelease } from './read-releases.ts';
import { releaseStore } from './release-store.ts';
import { uninstallRelease } from './uninstall-release.ts';
import { unlockRelease } from './unlock-release.ts';
import { upgradeRelease } from './upgrade-release.ts';

const encoder = new TextEncoder();
const chart = chartOfFiles([
  { name: 'Chart.yaml', data: encoder.encode('apiVersion: v2\nname: shop\nversion: 1.0.0\n') },
  {
    name: 'templates/a.yaml',
    data: encoder.encode('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'),
  },
]);

let sandbox: Sandbox;
let client: KubeClient;

before(async () => {
  sandbox = await startSandbox();
  client = createKubeClient(sandbox.transport);
  for (const name of ['apps', 'records', 'locked']) {
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
});

after(async () => {
  await client.close();
  await sandbox.close();
});

function portsAt(shiftMs: number, observe?: ReleasePorts['observe']): ReleasePorts {
  const clock = {
    now: () => Date.now() + shiftMs,
    after: (delayMs: number, run: () => void) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  };
  return { cluster: client, clock, ...(observe === undefined ? {} : { observe }) };
}

describe('records', () => {
  test('are kept apart from the objects when asked, and each that is written is told', async () => {
    const seen: string[] = [];
    const ports = portsAt(0, ({ revision, status }) => seen.push(`${revision} ${status}`));
    const options = { name: 'web', namespace: 'apps', storageNamespace: 'records' };
    await installRelease(chart, {}, options, ports);
    await upgradeRelease(chart, { a: 1 }, { ...options, maxHistory: 1 }, ports);
    const { manifest } = await readRelease('web', { namespace: 'records' }, ports);
    assert.match(manifest, /kind: ConfigMap/);
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a' };
    assert.ok(await client.find({ ...ref, namespace: 'apps' }));
    await assert.rejects(readRelease('web', { namespace: 'apps' }, ports), {
      code: 'RELEASE_NOT_FOUND',
    });
    await uninstallRelease('web', options, ports);
    assert.equal(await client.find({ ...ref, namespace: 'apps' }), undefined);
    assert.deepEqual(seen, [
      '1 pending-install',
      '1 deployed',
      '2 pending-upgrade',
      '1 superseded',
      '2 deployed',
      '2 uninstalling',
      '1 superseded',
      '2 uninstalling',
    ]);
  });

  test('that were left pending are unlocked, but not under a holder who is alive', async () => {
    const ports = portsAt(0);
    const release = await installRelease(chart, {}, { name: 'web', namespace: 'locked' }, ports);
    assert.equal(await unlockRelease('web', { namespace: 'locked' }, ports), undefined);
    const store = releaseStore(ports, 'locked');
    await store.update({ ...release, status: 'pending-upgrade' }, { holder: 'me' });
    await assert.rejects(unlockRelease('web', { namespace: 'locked' }, ports), {
      code: 'RELEASE_PENDING',
      kind: 'wait',
    });
    const later = portsAt(LEASE_MS + 1_000);
    const before = await unlockRelease('web', { namespace: 'locked' }, later);
    assert.equal(before?.status, 'pending-upgrade');
    await store.update({ ...release, status: 'pending-install' });
    await unlockRelease('web', { namespace: 'locked' }, ports);
    const { status, description } = await readRelease('web', { namespace: 'locked' }, ports);
    assert.equal(status, 'failed');
    assert.equal(description, "Release unlocked from stale 'pending-install' state");
  });
});
