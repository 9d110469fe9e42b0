import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApiServer } from './api-server.ts';

async function get(path: string): Promise<{ status: number; text: string }> {
  const server = await createApiServer({
    runtime: {
      logs: () => '',
      exec: async () => 0,
      attach: async () => 0,
      usage: (_pod, container) => ({ cpu: container === 'a' ? '250m' : '1', memory: '64Mi' }),
      connect: async () => undefined,
      request: () => ({ status: 200, headers: {}, body: '' }),
    },
  });
  const status = {
    phase: 'Running',
    containerStatuses: [
      { name: 'a', state: { running: {} } },
      { name: 'b', state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ],
  };
  const metadata = { name: 'web', namespace: 'default', labels: { app: 'web' } };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'one' }, status };
  server.core.store.put('/pods', 'default/web', pod);
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'one' } };
  server.core.store.put('/nodes', 'one', node);
  const response = await server.transport.request({ method: 'GET', path, headers: {} });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return { status: response.status, text: Buffer.concat(chunks).toString() };
}

test('metrics of pods and nodes are computed from what running containers use', async () => {
  const pods = JSON.parse(
    (await get('/apis/metrics.k8s.io/v1beta1/pods?labelSelector=app%3Dweb')).text,
  );
  assert.equal(pods.kind, 'PodMetricsList');
  const usage = { cpu: '250m', memory: '64Mi' };
  assert.deepEqual(pods.items[0].containers, [{ name: 'a', usage }]);
  const node = JSON.parse((await get('/apis/metrics.k8s.io/v1beta1/nodes/one')).text);
  assert.deepEqual(node.usage, { cpu: '350m', memory: '320Mi' });
  assert.equal((await get('/apis/metrics.k8s.io/v1beta1/nodes/two')).status, 404);
  const discovered = JSON.parse((await get('/apis')).text);
  assert.ok(discovered.groups.some(({ name }: { name: string }) => name === 'metrics.k8s.io'));
});

test('health is told check by check, and the server counts its requests', async () => {
  assert.equal((await get('/livez')).text, 'ok');
  assert.match(
    (await get('/readyz?verbose')).text,
    /^\[\+\]ping ok\n[\s\S]*readyz check passed\n$/,
  );
  assert.match((await get('/healthz?verbose&exclude=etcd')).text, /^\[\+\]etcd excluded: ok$/m);
  assert.equal((await get('/livez/ping')).text, 'ok');
  assert.equal((await get('/livez/nothing')).status, 404);
  assert.match((await get('/metrics')).text, /^apiserver_storage_objects\{resource="pods"\} 1$/m);
});
