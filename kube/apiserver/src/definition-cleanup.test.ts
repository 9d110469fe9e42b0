import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createApiServer } from './api-server.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const GADGETS = '/apis/example.com/v1/namespaces/default/gadgets';

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.example.com' },
  spec: {
    group: 'example.com',
    names: { kind: 'Gadget', plural: 'gadgets' },
    scope: 'Namespaced',
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
};

async function start() {
  const server = await createApiServer();
  const call = async (method: string, path: string, body?: object) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const response = await server.transport.request({
      method,
      path,
      headers: { 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    return { status: response.status, body: JSON.parse(Buffer.concat(chunks).toString()) };
  };
  const make = (name: string, finalizers: readonly string[] = []) =>
    call('POST', GADGETS, {
      apiVersion: 'example.com/v1',
      kind: 'Gadget',
      metadata: { name, finalizers },
    });
  await call('POST', DEFINITIONS, definition);
  return { server, call, make };
}

test('a definition that is deleted takes its objects along, whose watchers hear of each and of the end', async () => {
  const { server, call, make } = await start();
  for (const name of ['a', 'b']) assert.equal((await make(name)).status, 201);
  const watch = await server.transport.request({
    method: 'GET',
    path: `${GADGETS}?watch=1`,
    headers: {},
  });
  let told = '';
  const watching = (async () => {
    for await (const chunk of watch.body) told += Buffer.from(chunk).toString();
  })();
  await turn();
  const { status, body } = await call('DELETE', `${DEFINITIONS}/gadgets.example.com`);
  assert.equal(status, 200);
  assert.deepEqual(body.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io']);
  assert.equal(body.status.conditions.at(-1).reason, 'InstanceDeletionPending');
  await watching;
  const events = told
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ type, object }) => `${type} ${object.metadata.name}`),
    ['ADDED a', 'ADDED b', 'DELETED a', 'DELETED b'],
  );
  assert.equal((await call('GET', `${DEFINITIONS}/gadgets.example.com`)).status, 404);
  await call('POST', DEFINITIONS, definition);
  assert.deepEqual((await call('GET', GADGETS)).body.items, []);
});

test('a definition waits for objects that finalizers hold, and takes no new ones', async () => {
  const { call, make } = await start();
  await make('held', ['example.com/hold']);
  await make('free');
  await call('DELETE', `${DEFINITIONS}/gadgets.example.com`);
  await turn();
  const refused = await make('late');
  assert.deepEqual(
    [refused.status, refused.body.reason, refused.body.message],
    [
      403,
      'Forbidden',
      'gadgets.example.com "late" is forbidden: create not allowed while custom resource definition is terminating',
    ],
  );
  const { items } = (await call('GET', GADGETS)).body;
  assert.deepEqual(
    items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
    ['held'],
  );
  await call('PATCH', `${GADGETS}/held`, { metadata: { finalizers: null } });
  await turn();
  assert.equal((await call('GET', `${DEFINITIONS}/gadgets.example.com`)).status, 404);
});

test('a fork ends its own definitions, and goes on with those that were about to end', async () => {
  const { server, call, make } = await start();
  await make('held', ['example.com/hold']);
  const before = server.fork();
  await call('DELETE', `${DEFINITIONS}/gadgets.example.com`);
  await turn();
  const after = server.fork();
  for (const fork of [before, after]) {
    const request = (method: string, path: string, body = '') =>
      fork.transport.request({
        method,
        path,
        headers: { 'content-type': 'application/merge-patch+json' },
        body,
      });
    if (fork === before) await request('DELETE', `${DEFINITIONS}/gadgets.example.com`);
    await request('PATCH', `${GADGETS}/held`, '{"metadata":{"finalizers":null}}');
    await turn();
    assert.equal((await request('GET', `${DEFINITIONS}/gadgets.example.com`)).status, 404);
  }
  assert.equal((await call('GET', `${DEFINITIONS}/gadgets.example.com`)).status, 200);
});
