import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SyncStep } from '@capstan/engine-sync';
import { createApiServer } from '@capstan/kube-apiserver';
import { createKubeClient } from '@capstan/kube-client';
import { type Json, type KubeObject, keyOf } from '@capstan/kube-object';
import { applyStep, askServer } from './index.ts';

const MANAGER = 'capstan-test';
const REF = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' };

interface Variable {
  readonly name: string;
  readonly value: string;
}

const variables = (text: string): Variable[] =>
  text.split(' ').map((one) => {
    const [name = '', value = ''] = one.split('=');
    return { name, value };
  });

function deployment(env: string, image = 'nginx:1'): KubeObject {
  const container = {
    name: 'web',
    image,
    env: variables(env) as unknown as Json,
    ports: [
      { containerPort: 80, name: 'http' },
      { containerPort: 80, name: 'metrics' },
    ],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } },
    },
  };
}

async function start() {
  const server = await createApiServer();
  const client = createKubeClient(server.transport);
  const clock = { now: () => Date.now(), after: () => () => undefined };
  const find = async () => client.find(REF);
  return {
    client,
    async apply(object: KubeObject, sendsRepeated = true, dryRun = false) {
      const live = await find();
      const step: SyncStep = {
        id: 'step',
        verb: 'apply',
        phase: 'Sync',
        wave: 0,
        key: keyOf(object),
        apiVersion: object.apiVersion,
        object,
        goal: 'applied',
        options: {
          replace: false,
          force: false,
          validate: true,
          dryRun,
          propagation: 'Background',
          takeOverFrom: [{ manager: MANAGER }],
          recreate: false,
          createOnly: false,
          leavesOutUnknown: false,
          sendsRepeated,
        },
        hookDeletePolicies: [],
        inSync: false,
        ...(live === undefined ? {} : { live }),
      };
      const ports = { client, clock, observeWrite: () => undefined };
      const mark = { annotations: {}, labels: {} };
      const { outcome, message } = await applyStep(step, ports, { fieldManager: MANAGER, mark });
      return outcome === 'failed' ? message : outcome;
    },
    async ask(object: KubeObject) {
      const live = (await find()) ?? object;
      const options = { client, fieldManager: MANAGER, sendsRepeated: true };
      return (await askServer(object, live, options)).kind;
    },
    async env(): Promise<string> {
      const live = JSON.parse(JSON.stringify(await find()));
      const { env } = live.spec.template.spec.containers[0] as { readonly env: Variable[] };
      return env.map(({ name, value }) => `${name}=${value}`).join(' ');
    },
    async ports(): Promise<string> {
      const live = JSON.parse(JSON.stringify(await find()));
      const [{ ports }] = live.spec.template.spec.containers;
      return ports.map(({ name }: Variable) => name).join(' ');
    },
  };
}

test('a list that names a key twice is stored as it is, changed and merged with what others have in it', async () => {
  const world = await start();
  assert.equal(await world.apply(deployment('A=1 B=2 A=3'), true, true), 'created');
  assert.equal(await world.client.find(REF), undefined, 'a dry run writes nothing');
  assert.equal(await world.apply(deployment('A=1 B=2 A=3')), 'created');
  assert.equal(await world.env(), 'A=1 B=2 A=3');
  assert.equal(await world.ports(), 'http metrics');
  assert.equal(await world.ask(deployment('A=1 B=2 A=3')), 'same');
  assert.equal(await world.ask(deployment('A=1 B=2 A=4')), 'different');
  assert.equal(
    await world.apply(deployment('A=1 B=2 A=3')),
    'configured',
    'owned as what is applied',
  );
  assert.equal(await world.apply(deployment('A=1 B=2 A=3')), 'unchanged');
  assert.equal(await world.apply(deployment('A=1 A=4', 'nginx:2')), 'configured');
  assert.equal(await world.env(), 'A=1 A=4');
  await world.client.apply(withEnv('OTHERS=5'), { fieldManager: 'other', force: true });
  assert.equal(await world.apply(deployment('A=1 C=6 A=7')), 'configured');
  assert.equal(await world.env(), 'A=1 C=6 A=7 OTHERS=5');
  assert.equal(await world.ask(deployment('A=1 C=6 A=7')), 'same');
  assert.equal(await world.apply(deployment('A=8 C=6')), 'configured');
  assert.equal(await world.env(), 'A=8 C=6 OTHERS=5');
});

test('who asks for a merge by the server is told what it refuses', async () => {
  const world = await start();
  assert.match(
    await world.apply(deployment('A=1 A=3'), false),
    /duplicate entries for key \[name="A"\]/,
  );
});

/** What another manager applies: variables alone. */
function withEnv(env: string): KubeObject {
  const containers = [{ name: 'web', env: variables(env) as unknown as Json }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: { template: { spec: { containers } } },
  };
}
