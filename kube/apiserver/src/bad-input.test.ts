import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createApiServer } from './api-server.ts';
import { listen } from './listen.ts';

/** A small linear congruential generator, so that a failure can be run again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state % below;
  };
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'BREW'];
const PATHS = [
  '/api/v1/namespaces/default/configmaps',
  '/api/v1/namespaces/default/pods/x/log',
  '/apis/apps/v1/namespaces/default/deployments/x/scale',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  '/api/v1/namespaces/default/serviceaccounts/default/token',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  '/api/v1/namespaces/default/pods/x/eviction',
  '/%zz/%00/../..',
  '/openapi/v3/apis/x/y',
  '/api/v1/watch/pods',
];
const QUERIES = [
  '',
  '?limit=-1',
  '?continue=%%%',
  '?labelSelector=((((',
  '?fieldSelector=a=b=c',
  '?resourceVersion=1e9',
  '?watch=1&timeoutSeconds=1&resourceVersion=999999',
  '?fieldManager=%00',
];
const TYPES = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/x',
];
const BODIES = [
  '',
  'null',
  '{}',
  '[]',
  '{"__proto__":{"polluted":true},"constructor":1}',
  '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"b"}}',
  '{"apiVersion":"v1","kind":"ConfigMap","metadata":[]}',
  '[{"op":"add","path":"/a/b/c","value":1},{"op":"move","from":"","path":"/x"}]',
  '{"$patch":"replace","spec":{"containers":[{"$patch":"delete"}]}}',
  '&a [*a, *a]',
  'k8s\u0000\u0001\u0002\u0003',
  `${'['.repeat(5000)}`,
  `{"a":${'{"b":'.repeat(900)}1${'}'.repeat(900)}}`,
  '{"metadata":{"name":{"a":1},"labels":5,"annotations":[1],"finalizers":{},"ownerReferences":"x","managedFields":[{"fieldsV1":7}]},"spec":7,"status":[]}',
];

test('whatever comes in, an answer with a status goes out', async () => {
  const { transport } = await createApiServer();
  const alive = setInterval(() => undefined, 60_000);
  const pick = numbers(7);
  for (let i = 0; i < 4000; i++) {
    const path = PATHS[pick(PATHS.length)]! + QUERIES[pick(QUERIES.length)]!;
    const response = await transport.request({
      method: METHODS[pick(METHODS.length)]!,
      path,
      headers: {
        'content-type': TYPES[pick(TYPES.length)]!,
        accept: pick(3) === 0 ? 'x/y' : '*/*',
      },
      body: BODIES[pick(BODIES.length)]!,
      signal: AbortSignal.abort(),
    });
    let text = '';
    for await (const chunk of response.body) text += Buffer.from(chunk).toString();
    assert.ok(response.status >= 200 && response.status < 600, `${path}: ${response.status}`);
    // 500 is for what the real server answers so too; a fault of ours would show its own words.
    assert.doesNotMatch(
      text,
      /Cannot read|is not a function|undefined \(|is not iterable|Maximum call/,
      path,
    );
  }
  clearInterval(alive);
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('bodies over the limit, cut connections and broken HTTP do not harm the server', async () => {
  const server = await createApiServer({ trustAnonymous: true });
  const listener = await listen((request) => server.handle(request));
  try {
    const big = await new Promise<number>((resolve, reject) => {
      const call = httpRequest(
        `${listener.url}/api/v1/namespaces`,
        { method: 'POST', headers: { 'content-type': 'application/json' } },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      call.on('error', reject);
      call.end('x'.repeat(3_200_000));
    });
    assert.equal(big, 413);
    for (const text of [
      'POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"a',
      'NONSENSE\r\n\r\n',
      'GET /api/v1/pods?watch=1 HTTP/1.1\r\nhost: x\r\n\r\n',
    ]) {
      const socket = connect(listener.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(text);
      await new Promise((resolve) => setTimeout(resolve, 30));
      socket.destroy();
    }
    const response = await fetch(`${listener.url}/readyz`);
    assert.equal(await response.text(), 'ok');
  } finally {
    await listener.close();
  }
});
