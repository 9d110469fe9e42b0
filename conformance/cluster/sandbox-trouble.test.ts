/** What throttling.test.ts and watch.test.ts ask of a real control plane, of the sandbox: to be busy, and to be gone for a while. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  connect,
  createHttpTransport,
  createKubeClient,
  createLiveState,
  loadKubeconfig,
  type Transport,
} from '@capstan/kube-client';
import { startSandbox } from '@capstan/kube-sandbox';
import { clientOf, configMap, eventually, makeNamespace } from './support.ts';

const kind = { apiVersion: 'v1', kind: 'ConfigMap' };

test('a sandbox that takes two writes at a time, and says when to come back, gets all of them', async () => {
  const sandbox = await startSandbox();
  const file = sandbox.kubeconfigPath;
  const busy = busyTransport(createHttpTransport(await loadKubeconfig({ file })), 2);
  const client = createKubeClient(busy.transport);
  const namespace = await makeNamespace(client, 'busy');
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      client.apply(configMap(namespace, `c-${i}`, { a: '1' }), { fieldManager: 'busy' }),
    ),
  );
  const { items } = await client.list(kind, { namespace });
  assert.equal(items.filter(({ metadata }) => metadata.name?.startsWith('c-')).length, 60);
  assert.ok(busy.refused() > 0, 'some were refused');
  assert.ok(busy.refused() < 60, `and not asked in vain too often: ${busy.refused()}`);
  assert.ok(
    performance.now() - startedMs >= 1_000,
    'the time that the server named was waited for',
  );
  await client.close();
  await sandbox.close();
});

test('a cache over a sandbox that restarts on what it kept misses nothing and keeps nothing too long', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'capstan-sandbox-restart-'));
  let sandbox = await startSandbox({ dataDir });
  const port = Number(new URL(sandbox.url).port);
  const client = await clientOf({ kubeconfig: sandbox.kubeconfigPath });
  const namespace = await makeNamespace(client, 'restart');
  const watching = connect(await loadKubeconfig({ file: sandbox.kubeconfigPath }));
  const live = createLiveState({ client: watching, isManaged: () => true });
  await live.ensure([kind]);
  const isInStep = async () => {
    const { items } = await client.list(kind, { namespace });
    const held = live.list({ group: '', kind: 'ConfigMap' }, namespace);
    const wanted = items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
    const known = held.map(({ key, resourceVersion }) => `${key.name} ${resourceVersion}`);
    return wanted.sort().join() === known.sort().join();
  };
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 10; i++) {
      const object = configMap(namespace, `c-${i}`, { round: String(round) });
      await client.apply(object, { fieldManager: 'test' });
    }
    await sandbox.close();
    await eventually(
      () => live.watched().every(({ state }) => state.kind === 'stale'),
      'the cache to notice',
    );
    sandbox = await startSandbox({ dataDir, port });
    await client.delete({ ...kind, namespace, name: `c-${round}` });
    await eventually(
      () => live.watched().every(({ state }) => state.kind === 'synced'),
      'the cache to be synced',
    );
    await eventually(isInStep, `round ${round} to be in step`);
  }
  await live[Symbol.asyncDispose]();
  await watching.close();
  await client.close();
  await sandbox.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Lets so many writes through at a time; to more it answers as a real server that has no place for them. */
function busyTransport(inner: Transport, writesMax: number) {
  let underWay = 0;
  let refused = 0;
  const transport: Transport = {
    server: inner.server,
    close: () => inner.close(),
    async request(request) {
      if (request.method !== 'PATCH') return inner.request(request);
      if (underWay >= writesMax) {
        refused++;
        const text = JSON.stringify({ kind: 'Status', code: 429, reason: 'TooManyRequests' });
        const body = (async function* () {
          yield new TextEncoder().encode(text);
        })();
        return { status: 429, headers: { 'retry-after': '1' }, body };
      }
      underWay++;
      try {
        return await inner.request(request);
      } finally {
        underWay--;
      }
    },
  };
  return { transport, refused: () => refused };
}
