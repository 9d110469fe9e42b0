import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApiServer } from './api-server.ts';

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    names: { plural: 'things', kind: 'Thing' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        deprecated: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  replicas: { type: 'integer' },
                  names: { type: 'array', items: { type: 'string' } },
                  inner: {
                    type: 'object',
                    'x-kubernetes-embedded-resource': true,
                    properties: { data: { type: 'string' } },
                  },
                },
              },
              status: { type: 'object', properties: { replicas: { type: 'integer' } } },
            },
          },
        },
      },
    ],
  },
};
const PATH = '/apis/example.com/v1/namespaces/default/things';
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

async function serverWithThings() {
  const server = await createApiServer();
  const ask = async (method: string, path: string, body: object, type = 'application/json') => {
    const response = await server.transport.request({
      method,
      path,
      headers: { 'content-type': type, accept: 'application/json' },
      body: JSON.stringify(body),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    const answer = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    return { answer, warning: response.headers['warning'] ?? '', status: response.status };
  };
  await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', DEFINITION);
  return ask;
}

function thing(metadata: object, spec: object, status = {}): object {
  return {
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name: 'a', ...metadata },
    spec,
    status,
  };
}

test('metadata of custom resources, and of resources within them, is what Go reads', async () => {
  const ask = await serverWithThings();
  const message = async (object: object): Promise<unknown> =>
    (await ask('POST', `${PATH}?dryRun=All`, object)).answer['message'];
  const prefix = 'Thing in version "v1" cannot be handled as a Thing: ';
  const labels =
    'json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string';
  assert.equal(await message(thing({ labels: { a: 5 } }, {})), prefix + labels);
  const inner = { apiVersion: 'v1', kind: 'X', metadata: { labels: { a: 5 } } };
  assert.equal(
    await message(thing({}, { inner })),
    `${prefix}spec.inner.metadata: Invalid value: {"labels":{"a":5}}: ${labels}`,
  );
  assert.equal(
    await message(thing({}, { inner: { apiVersion: 'v1', metadata: { name: 'A/B' } } })),
    'Thing.example.com "a" is invalid: [spec.inner.kind: Required value, spec.inner.metadata.name: Invalid value: "A/B": may not contain \'/\']',
  );
  const { answer, warning } = await ask('POST', PATH, thing({ labels: { a: 'b' } }, {}));
  assert.ok(!('message' in answer), String(answer['message']));
  assert.match(warning, /example.com\/v1 Thing is deprecated/);
  const patched = await ask('PATCH', `${PATH}/a`, { metadata: { labels: { a: 5 } } }, MERGE);
  assert.equal(patched.status, 422);
  assert.match(String(patched.answer['message']), /patch: Invalid value: .*ObjectMeta\.labels/);
  const emptied = await ask('PATCH', `${PATH}/a`, { metadata: { labels: { a: null } } }, MERGE);
  assert.ok(!('labels' in (emptied.answer['metadata'] as object)));
});

test('scale paths, a status by itself, and nulls of an apply are judged', async () => {
  const ask = await serverWithThings();
  const message = async (...call: Parameters<typeof ask>): Promise<string> =>
    String((await ask(...call)).answer['message']);
  assert.match(
    await message('POST', PATH, thing({}, { replicas: -1 })),
    /\.spec\.replicas: Invalid value: -1: should be a non-negative integer/,
  );
  assert.match(
    await message('POST', PATH, thing({}, { replicas: 'x' })),
    /\.spec\.replicas accessor error: x is of the type string, expected int64/,
  );
  await ask('POST', PATH, thing({}, { replicas: 1 }));
  assert.match(
    await message('PATCH', `${PATH}/a/status`, { status: { replicas: 'x' } }, MERGE),
    /status\.replicas: Invalid value: "string": replicas in body must be of type integer/,
  );
  assert.match(
    await message('PATCH', `${PATH}/a?fieldManager=m`, thing({}, { names: null }), APPLY),
    /spec\.names: Invalid value: "null": spec\.names in body must be of type array/,
  );
});
