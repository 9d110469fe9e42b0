import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, before, test } from 'node:test';
import { assessHealth, popularRules, rollUpHealth } from '@capstan/engine-health';
import {
  createKubeClient,
  createLiveState,
  type KubeClient,
  type LiveState,
} from '@capstan/kube-client';
import { systemClock } from '@capstan/kube-controller';
import type { Json } from '@capstan/kube-object';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { textAt } from '../views/fields.ts';
import { createProbeController } from './probe-controller.ts';
import { capstanCrds } from './probe-crd.ts';

const HOST = '127.0.0.1';
const KIND = { group: 'capstan.dev', kind: 'HealthProbe' };
let sandbox: Sandbox;
let client: KubeClient;
let live: LiveState;
let port: number;
const stop = new AbortController();
const server = createHttpServer((_request, response) => response.end());
const closed = createTcpServer();

before(async () => {
  sandbox = await startSandbox();
  client = createKubeClient(sandbox.transport);
  for (const crd of capstanCrds) await client.create(crd);
  server.listen(0, HOST);
  closed.listen(0, HOST);
  await Promise.all([once(server, 'listening'), once(closed, 'listening')]);
  ({ port } = server.address() as AddressInfo);
  live = createLiveState({ client, isManaged: () => true });
  await live.ensure([KIND]);
  const controller = createProbeController({ client, live, clock: systemClock() });
  void controller.run({ signal: stop.signal }).catch(() => undefined);
});
after(async () => {
  stop.abort(new Error('over'));
  server.closeAllConnections();
  server.close();
  await live[Symbol.asyncDispose]();
  await sandbox.close();
});

async function judged(name: string, spec: { readonly [field: string]: Json }) {
  await client.create({
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'HealthProbe',
    metadata: { name, namespace: 'default' },
    spec: { interval: '1s', timeout: '2s', failureThreshold: 1, ...spec },
  });
  for (let i = 0; i < 400; i++) {
    const object = live.get({ ...KIND, namespace: 'default', name })?.read();
    if (textAt(object, 'status', 'health', 'status') !== '' && object !== undefined) {
      const rules = { base: 'workload', custom: popularRules() } as const;
      const health = assessHealth(object, rules, { nowMs: 0 });
      assert.ok(health);
      return rollUpHealth([{ status: 'Healthy' }, health]);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`${name} was not judged`);
}

test('each kind of probe counts into the health of the app whose object it is', async () => {
  await client.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'db', namespace: 'default' },
    stringData: { username: 'app', password: 'canary' },
  });
  const nobody = (closed.address() as AddressInfo).port;
  await new Promise((resolve) => closed.close(resolve));
  const secretRef = { name: 'db' };
  const rows: readonly (readonly [string, { readonly [field: string]: Json }, string, RegExp])[] = [
    ['http-up', { http: { url: `http://${HOST}:${port}/` } }, 'Healthy', /answered 200/],
    ['http-down', { http: { url: `http://${HOST}:${nobody}/` } }, 'Degraded', /ECONNREFUSED/],
    ['tcp-up', { tcp: { host: HOST, port } }, 'Healthy', /connected/],
    ['tcp-down', { tcp: { host: HOST, port: nobody } }, 'Degraded', /ECONNREFUSED/],
    ['grpc-down', { grpc: { host: HOST, port: nobody } }, 'Degraded', /grpc/],
    ['dns-down', { dns: { name: 'x.invalid', server: `${HOST}:${nobody}` } }, 'Degraded', /./],
    [
      'sql-down',
      { sql: { engine: 'postgres', host: HOST, port: nobody, secretRef } },
      'Degraded',
      /ECONNREFUSED/,
    ],
    [
      'sql-bare',
      { sql: { engine: 'mysql', host: HOST, port: nobody, secretRef: { name: 'none' } } },
      'Degraded',
      /Secret none has no keys/,
    ],
  ];
  await Promise.all(
    rows.map(async ([name, spec, status, message]) => {
      const rolled = await judged(name, spec);
      assert.equal(rolled.status, status, name);
      const object = live.get({ ...KIND, namespace: 'default', name })?.read();
      const told = textAt(object, 'status', 'health', 'message');
      assert.match(told, message, name);
      assert.doesNotMatch(told, /canary/);
    }),
  );
});
