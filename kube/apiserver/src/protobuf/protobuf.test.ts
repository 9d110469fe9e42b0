import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@capstan/kube-object';
import { loadCatalogue } from '@capstan/kube-schema';
import { createApiServer } from '../api-server.ts';
import { toBytes } from '../http-types.ts';
import { decodeProtobuf } from './decode.ts';
import { encodeProtobuf } from './encode.ts';
import { createMessages } from './messages.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const messages = createMessages(await loadCatalogue());

function roundTrip(object: JsonObject): unknown {
  const bytes = encodeProtobuf(object, messages);
  assert.ok(bytes);
  return decodeProtobuf(bytes, messages, String(object['kind']));
}

test('what JSON says survives protobuf: embedded structs, unions, bytes, quantities, times', () => {
  const pod: JsonObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'ünïcode',
      creationTimestamp: '2026-01-02T03:04:05Z',
      generation: 9007199254740993n,
      labels: { b: '', a: '1' },
      managedFields: [{ fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { '.': {} } } }],
    },
    spec: {
      terminationGracePeriodSeconds: 0,
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'b', configMap: { name: 'c', defaultMode: 420, optional: false } },
      ],
      containers: [
        {
          name: 'c',
          args: ['', 'x'],
          resources: { limits: { cpu: '10m', memory: '1Gi' } },
          livenessProbe: { httpGet: { port: 'http' }, periodSeconds: -1 },
          readinessProbe: { tcpSocket: { port: 80 } },
        },
      ],
    },
  };
  assert.deepEqual(roundTrip(pod), pod);
  const secret = { apiVersion: 'v1', kind: 'Secret', data: { k: '/wA=', none: '' } };
  assert.deepEqual(roundTrip(secret), secret);
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    spec: { renewTime: '2026-01-02T03:04:05.000600Z' },
  };
  assert.deepEqual(roundTrip(lease), lease);
});

test('schemas of custom resources keep the names that JSON has for their fields', () => {
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    spec: {
      versions: [
        {
          name: 'v1',
          schema: {
            openAPIV3Schema: {
              $ref: 'x',
              'x-kubernetes-preserve-unknown-fields': true,
              minimum: 0.5,
              default: { a: [1, null] },
              items: { type: 'string' },
              additionalProperties: false,
              properties: {
                any: { additionalProperties: { type: 'integer' } },
                off: { type: 'boolean', default: false },
              },
              'x-kubernetes-validations': [{ rule: 'true' }],
            },
          },
        },
      ],
    },
  };
  assert.deepEqual(roundTrip(definition), definition);
});

test('what Go writes of a schema although nobody set it is not there', () => {
  const schemaOf = (items: JsonObject) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: { items } } }] },
  });
  const unset = { id: '', format: '', nullable: false, exclusiveMinimum: false, pattern: '' };
  const items = { type: 'string', default: '' };
  assert.deepEqual(roundTrip(schemaOf({ ...unset, ...items })), schemaOf(items));
});

async function exchange(path: string, accept: string, body?: JsonObject) {
  const server = await createApiServer();
  const response = await server.transport.request({
    method: body === undefined ? 'GET' : 'POST',
    path,
    headers: { accept },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(toBytes(chunk));
  return { ...response, bytes: Buffer.concat(chunks) };
}

test('lists and errors are told in protobuf to whoever asks, tables are not', async () => {
  const list = await exchange('/api/v1/namespaces', PROTOBUF);
  assert.equal(list.headers['content-type'], PROTOBUF);
  const decoded = decodeProtobuf(list.bytes, messages, 'NamespaceList');
  assert.equal((decoded['items'] as JsonObject[]).length, 4);
  const absent = await exchange('/api/v1/namespaces/none', PROTOBUF);
  assert.equal(absent.status, 404);
  assert.equal(decodeProtobuf(absent.bytes, messages, 'Status')['reason'], 'NotFound');
  const table = await exchange('/api/v1/namespaces', `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1`);
  assert.equal(table.status, 406);
});

test('a body that is no protobuf object is refused in the words of the server', () => {
  const refuse = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(() => decodeProtobuf(bytes, messages, 'ConfigMap'), { code: 400, message });
  refuse(Buffer.from('k8s'), /expected prefix \[107 56 115 0\] \(6b3873\)$/);
  refuse(Buffer.from('k8s\0\n\x0f\n\x02v1'), /unexpected EOF \(6b3873000a0f0a027631\)$/);
  const unknown = encodeProtobuf({ apiVersion: 'v1', kind: 'Status' }, messages)!;
  const renamed = Buffer.from(Buffer.from(unknown).toString('latin1').replace('Status', 'Statut'));
  refuse(renamed, /^Statut in version "v1" cannot be handled as a ConfigMap: no kind "Statut"/);
});
