import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApiServer } from './api-server.ts';
import { createLocalClient } from './local-client.ts';
import { SYSTEM } from './user.ts';

/** A server, and a way to ask it that gives the status and the answer read as JSON, or as text where it is none. */
async function start() {
  const server = await createApiServer();
  return async (
    method: string,
    path: string,
    options: { readonly accept?: string; readonly body?: object } = {},
  ): Promise<{ status: number; text: string; answer: Record<string, unknown> }> => {
    const response = await server.transport.request({
      method,
      path,
      headers: { 'content-type': 'application/json', accept: options.accept ?? '*/*' },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const isStream = path.includes('watch=1');
    const isJson = (response.headers['content-type'] ?? '').includes('json') && !isStream;
    const answer = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, text, answer };
  };
}

test('a timeout that is no duration is refused, in the words of Go', async () => {
  const ask = await start();
  const refused = async (timeout: string): Promise<unknown> =>
    (await ask('GET', `/version?timeout=${timeout}`)).answer['message'];
  const prefix = 'invalid timeout specified in the request URL - time: ';
  assert.equal(await refused('invalid'), `${prefix}invalid duration "invalid"`);
  assert.equal(await refused('10'), `${prefix}missing unit in duration "10"`);
  assert.equal(await refused('1h5x'), `${prefix}unknown unit "x" in duration "1h5x"`);
  for (const fine of ['3m', '0s', '']) {
    assert.equal((await ask('GET', `/version?timeout=${fine}`)).status, 200);
  }
  const watched = await ask('GET', '/api/v1/pods?watch=1&timeoutSeconds=1&timeout=x');
  assert.equal(watched.status, 200);
});

test('each check of its health stands under its name', async () => {
  const ask = await start();
  const { text } = await ask('GET', '/readyz?verbose');
  assert.match(text, /^\[\+\]ping ok\n\[\+\]log ok\n\[\+\]etcd ok\n\[\+\]etcd-readiness ok\n/);
  assert.match(text, /\[\+\]poststarthook\/apiservice-openapi-controller ok\n/);
  assert.match(text, /\[\+\]shutdown ok\nreadyz check passed\n$/);
  const live = (await ask('GET', '/livez?verbose')).text;
  assert.match(live, /loopback-serving-certificate/);
  assert.doesNotMatch(live, /shutdown|\]informer-sync/);
  assert.equal((await ask('GET', '/readyz/informer-sync')).text, 'ok');
  assert.equal((await ask('GET', '/livez/informer-sync')).status, 404);
});

test('a review is no table', async () => {
  const ask = await start();
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { nonResourceAttributes: { path: '/', verb: 'get' } },
  };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  assert.equal((await ask('POST', path, { accept: table, body })).status, 406);
  const either = await ask('POST', path, { accept: `${table},application/json`, body });
  assert.equal(either.answer['kind'], 'SelfSubjectAccessReview');
});

test('a watch of tables names its columns once, and ends its beginning with a row', async () => {
  const ask = await start();
  const { text } = await ask(
    'GET',
    '/api/v1/namespaces?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1',
    { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  );
  interface Event {
    readonly type: string;
    readonly object: {
      readonly columnDefinitions: unknown;
      readonly rows: readonly {
        readonly object: { readonly metadata: { readonly annotations?: object } };
      }[];
    };
  }
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  const [first, second] = events;
  assert.ok(Array.isArray(first?.object.columnDefinitions));
  assert.equal(second?.object.columnDefinitions, null);
  const end = events.find(({ type }) => type === 'BOOKMARK');
  assert.equal(end?.object.rows.length, 1);
  assert.deepEqual(end?.object.rows[0]?.object.metadata.annotations, {
    'k8s.io/initial-events-end': 'true',
  });
});

test('the range of service addresses is there from the start', async () => {
  const ask = await start();
  const { answer } = await ask('GET', '/apis/networking.k8s.io/v1/servicecidrs/kubernetes');
  assert.deepEqual(answer['spec'], { cidrs: ['10.0.0.0/16'] });
});

test('an address is an object of its own name', async () => {
  const ask = await start();
  const make = async (name: string) => {
    const parentRef = { resource: 'services', namespace: 'default', name: 'kubernetes' };
    const body = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: { name },
      spec: { parentRef },
    };
    return ask('POST', '/apis/networking.k8s.io/v1/ipaddresses', { body });
  };
  assert.equal((await make('fe80::42:1dff:fe84:f9e2')).status, 201);
  const refused = await make('web');
  assert.match(String(refused.answer['message']), /metadata.name: .*must be a valid IP address/);
});

const OPEN = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

function definition(kind: string, versions: readonly object[]): object {
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.com` },
    spec: { group: 'example.com', scope: 'Namespaced', names: { plural, kind }, versions },
  };
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

test('in OpenAPI v2 what may hold more than is named has no parts', async () => {
  const ask = await start();
  const schema = {
    type: 'object',
    required: ['maybe', 'sure'],
    properties: {
      maybe: { type: 'string', nullable: true },
      sure: { type: 'string' },
      list: { type: 'array', items: OPEN },
      open: { ...OPEN, properties: { a: { type: 'string' } } },
    },
  };
  const version = { name: 'v1', served: true, storage: true };
  await ask('POST', DEFINITIONS, {
    body: definition('Open', [{ ...version, schema: { openAPIV3Schema: OPEN } }]),
  });
  await ask('POST', DEFINITIONS, {
    body: definition('Closed', [{ ...version, schema: { openAPIV3Schema: schema } }]),
  });
  const { answer } = await ask('GET', '/openapi/v2', { accept: 'application/json' });
  const definitions = answer['definitions'] as Record<string, Record<string, unknown>>;
  const { 'x-kubernetes-group-version-kind': _, ...open } = definitions['com.example.v1.Open']!;
  assert.deepEqual(open, { type: 'object' });
  const closed = definitions['com.example.v1.Closed']!;
  assert.deepEqual(closed['required'], ['sure']);
  const { maybe, list, open: part } = closed['properties'] as Record<string, unknown>;
  assert.deepEqual(maybe, {});
  assert.deepEqual(list, {
    type: 'array',
    items: { 'x-kubernetes-preserve-unknown-fields': true },
  });
  assert.deepEqual(part, { 'x-kubernetes-preserve-unknown-fields': true });
});

test('custom resources are selected by the fields of the version that is asked for', async () => {
  const ask = await start();
  const properties = {
    color: { type: 'string' },
    size: { type: 'integer' },
    on: { type: 'boolean' },
  };
  const spec = { type: 'object', properties };
  const version = (name: string, storage: boolean, fields: readonly string[]): object => ({
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
    selectableFields: fields.map((jsonPath) => ({ jsonPath })),
  });
  await ask('POST', DEFINITIONS, {
    body: definition('Host', [
      version('v1', true, ['.spec.color', '.spec.size', '.spec.on']),
      version('v2', false, ['.spec.size']),
    ]),
  });
  const path = '/apis/example.com/v1/namespaces/default/hosts';
  for (const [name, given] of Object.entries({
    a: { color: 'blue', size: 3, on: true },
    b: { color: 'red', size: 3 },
    c: { size: 4, on: false },
  })) {
    const body = { apiVersion: 'example.com/v1', kind: 'Host', metadata: { name }, spec: given };
    assert.equal((await ask('POST', path, { body })).status, 201);
  }
  const names = async (selector: string, at = path): Promise<string[]> => {
    const { answer } = await ask('GET', `${at}?fieldSelector=${encodeURIComponent(selector)}`);
    const items = answer['items'] as { readonly metadata: { readonly name: string } }[];
    return items.map(({ metadata }) => metadata.name);
  };
  assert.deepEqual(await names('spec.color=blue'), ['a']);
  assert.deepEqual(await names('spec.color!=blue'), ['b', 'c']);
  assert.deepEqual(await names('spec.color='), ['c']);
  assert.deepEqual(await names('spec.size=3,spec.on=true'), ['a']);
  assert.deepEqual(await names('spec.size=4', path.replace('v1', 'v2')), ['c']);
  const refused = await ask('GET', `${path.replace('v1', 'v2')}?fieldSelector=spec.color=blue`);
  assert.equal(refused.status, 400);
  assert.match(String(refused.answer['message']), /field label not supported: spec.color/);
  const watched = await ask('GET', `${path}?watch=1&timeoutSeconds=1&fieldSelector=spec.color=red`);
  assert.equal(watched.text.trim().split('\n').length, 1);
  assert.match(watched.text, /"name":"b"/);
});

test('fields that stand twice are told, in JSON where they stand among unknown ones, in YAML by their lines', async () => {
  const server = await createApiServer();
  const told = async (method: string, path: string, type: string, body: string) => {
    const headers = { 'content-type': type, accept: 'application/json' };
    const response = await server.transport.request({ method, path, headers, body });
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    const { message } = JSON.parse(Buffer.concat(chunks).toString()) as { message?: string };
    return message ?? response.headers['warning'] ?? '';
  };
  const maps = '/api/v1/namespaces/default/configmaps';
  const strict = 'fieldValidation=Strict&fieldManager=test';
  const json =
    '{"apiVersion":"v1","kind":"ConfigMap","x":1,"metadata":{"name":"a"},"data":{},"data":{},"y":2}';
  const decoding =
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error';
  assert.equal(
    await told('POST', `${maps}?${strict}`, 'application/json', json),
    `${decoding}: unknown field "x", duplicate field "data", unknown field "y"`,
  );
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: a\n  k: b\n';
  const lines = 'yaml: unmarshal errors:\n  line 6: key "k" already set in map';
  assert.equal(
    await told('POST', `${maps}?${strict}`, 'application/yaml', yaml),
    `${decoding}: ${lines}`,
  );
  const apply = 'application/apply-patch+yaml';
  assert.equal(
    await told('PATCH', `${maps}/a?${strict}`, apply, yaml),
    `error strict decoding YAML: error converting YAML to JSON: ${lines}`,
  );
  const warned = await told(
    'PATCH',
    `${maps}/a?fieldManager=test&fieldValidation=Warn`,
    apply,
    yaml,
  );
  assert.match(warned, /already set in map/);
});

/** Pods are admitted: the account that they name by default is there. */
async function serverForPods() {
  const server = await createApiServer();
  const client = createLocalClient(server.core, SYSTEM, 'test');
  client.create('v1/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  return { server, client };
}

test('an eviction asks the budget for pods that are ready, and takes those that are not as it says', async () => {
  const { server, client } = await serverForPods();
  const pod = (name: string, ready: string): void => {
    const made = client.create('v1/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'a' }] },
    });
    const conditions = [{ type: 'Ready', status: ready }];
    client.updateStatus('v1/pods', { ...made, status: { phase: 'Running', conditions } } as never);
  };
  for (const name of ['unready-1', 'unready-2']) pod(name, 'False');
  pod('ready', 'True');
  const budget = (name: string, policy: object): void => {
    client.create('policy/v1/poddisruptionbudgets', {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace: 'default' },
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } }, ...policy },
    } as never);
  };
  budget('first', {});
  const evict = async (name: string): Promise<string> => {
    const response = await server.transport.request({
      method: 'POST',
      path: `/api/v1/namespaces/default/pods/${name}/eviction`,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } }),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    return `${response.status} ${String(JSON.parse(Buffer.concat(chunks).toString()).message ?? '')}`;
  };
  const refused = "429 Cannot evict pod as it would violate the pod's disruption budget.";
  assert.equal(await evict('unready-1'), refused);
  budget('second', {});
  assert.match(await evict('unready-1'), /^500 .*more than one PodDisruptionBudget/);
  client.remove('policy/v1/poddisruptionbudgets', 'default', 'first');
  client.remove('policy/v1/poddisruptionbudgets', 'default', 'second');
  budget('third', { unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  assert.equal(await evict('unready-1'), '201 ');
  assert.equal(await evict('ready'), refused);
});

test('finalizers of a namespace are set by its own subresource', async () => {
  const ask = await start();
  const body = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default' },
    spec: { finalizers: ['kubernetes', 'example.com/hold'] },
  };
  const { answer } = await ask('PUT', '/api/v1/namespaces/default/finalize', { body });
  assert.deepEqual(answer['spec'], body.spec);
});

test('a pod of a runtime class has its overhead, selector and tolerations', async () => {
  const { client } = await serverForPods();
  client.create('node.k8s.io/v1/runtimeclasses', {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'boxed' },
    handler: 'box',
    overhead: { podFixed: { cpu: '10m' } },
    scheduling: {
      nodeSelector: { boxes: 'yes' },
      tolerations: [{ key: 'boxes', operator: 'Exists' }],
    },
  });
  const make = (name: string, spec: object) =>
    client.create('v1/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'a' }], ...spec },
    } as never)['spec'] as Record<string, unknown>;
  const made = make('a', { runtimeClassName: 'boxed', nodeSelector: { zone: 'b' } });
  assert.deepEqual(made['overhead'], { cpu: '10m' });
  assert.deepEqual(made['nodeSelector'], { zone: 'b', boxes: 'yes' });
  assert.deepEqual((made['tolerations'] as object[]).at(-1), { key: 'boxes', operator: 'Exists' });
  assert.throws(
    () => make('b', { runtimeClassName: 'boxed', nodeSelector: { boxes: 'no' } }),
    /pods "b" is forbidden: conflict: runtimeClass.scheduling.nodeSelector\[boxes\] = yes; pod.spec/,
  );
  assert.throws(
    () => make('c', { runtimeClassName: 'gone' }),
    /pods "c" is forbidden: pod rejected: RuntimeClass "gone" not found/,
  );
  assert.throws(() => make('d', { overhead: { cpu: '1m' } }), /Pod Overhead set without/);
});

test('events are selected by their source, in the old API and in the new', async () => {
  const ask = await start();
  const event = (name: string, more: object): object => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'default' },
    involvedObject: { namespace: 'default' },
    ...more,
  });
  const path = '/api/v1/namespaces/default/events';
  await ask('POST', path, { body: event('old', { source: { component: 'tester' } }) });
  await ask('POST', path, {
    body: event('new', {
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingComponent: 'tester',
      reportingInstance: 'tester-1',
      action: 'Test',
      reason: 'Test',
      type: 'Normal',
    }),
  });
  const { answer } = await ask('GET', `${path}?fieldSelector=source=tester`);
  const items = answer['items'] as { readonly metadata: { readonly name: string } }[];
  assert.deepEqual(items.map(({ metadata }) => metadata.name).toSorted(), ['new', 'old']);
  const newer = '/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=';
  const found = await ask('GET', `${newer}reportingController=tester,regarding.namespace=default`);
  assert.equal((found.answer['items'] as unknown[]).length, 1);
  assert.equal((await ask('GET', `${newer}source=tester`)).status, 400);
});
