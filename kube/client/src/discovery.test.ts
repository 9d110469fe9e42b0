import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '@capstan/kube-object';
import { createKubeClient } from './create-client.ts';
import type { Transport } from './transport.ts';

/** A server that answers each path with what the table says at the time; paths are kept. */
function server(answers: Record<string, Json | number>) {
  const paths: string[] = [];
  const transport: Transport = {
    server: 'test',
    async request({ path }) {
      paths.push(path);
      await new Promise((resolve) => setImmediate(resolve));
      const answer = answers[path] ?? 404;
      const status = typeof answer === 'number' ? answer : 200;
      const body = typeof answer === 'number' ? { kind: 'Status', message: `no ${path}` } : answer;
      const bytes = new TextEncoder().encode(JSON.stringify(body));
      return {
        status,
        headers: {},
        body: (async function* () {
          yield bytes;
        })(),
      };
    },
    close: async () => {},
  };
  return { client: createKubeClient(transport), paths };
}

const resource = (name: string, kind: string, namespaced = true) => ({
  name,
  kind,
  namespaced,
  singularName: kind.toLowerCase(),
  verbs: ['get', 'list', 'watch'],
  shortNames: name === 'deployments' ? ['deploy'] : [],
  categories: [],
});

const legacy = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/api/v1': {
    kind: 'APIResourceList',
    resources: [
      resource('pods', 'Pod'),
      resource('pods/log', 'Pod'),
      resource('nodes', 'Node', false),
    ],
  },
  '/apis': {
    kind: 'APIGroupList',
    groups: [
      {
        name: 'apps',
        versions: [{ groupVersion: 'apps/v1beta1' }, { groupVersion: 'apps/v1' }],
        preferredVersion: { groupVersion: 'apps/v1' },
      },
      {
        name: 'metrics.k8s.io',
        versions: [{ groupVersion: 'metrics.k8s.io/v1' }],
        preferredVersion: { groupVersion: 'metrics.k8s.io/v1' },
      },
    ],
  },
  '/apis/apps/v1': {
    kind: 'APIResourceList',
    resources: [resource('deployments', 'Deployment'), resource('deployments/scale', 'Scale')],
  },
  '/apis/apps/v1beta1': {
    kind: 'APIResourceList',
    resources: [resource('deployments', 'Deployment'), resource('olds', 'Old')],
  },
  '/apis/metrics.k8s.io/v1': 503,
};

test('a server without aggregated discovery is asked group by group; one that is down hides no other', async () => {
  const { client } = server(legacy);
  const kinds = await client.discovery.kinds();
  assert.deepEqual(
    kinds.map(
      ({ group, version, resource: name, namespaced }) =>
        `${group}/${version} ${name} ${namespaced}`,
    ),
    ['/v1 pods true', '/v1 nodes false', 'apps/v1 deployments true', 'apps/v1beta1 olds true'],
  );
  const deployment = await client.discovery.resolve({ apiVersion: 'apps/v1', kind: 'Deployment' });
  assert.deepEqual([deployment.subresources, deployment.shortNames], [['scale'], ['deploy']]);
  assert.equal(
    (await client.discovery.resolve({ apiVersion: 'apps/v1beta1', kind: 'Deployment' })).version,
    'v1beta1',
  );
  const all = await client.discovery.kinds({ allVersions: true });
  assert.equal(all.length, 5);
});

test('many who ask at once cost one look; a kind that is not served costs one more, then is an error', async () => {
  const { client, paths } = server(legacy);
  await Promise.all(
    Array.from({ length: 20 }, () => client.discovery.resolve({ group: '', kind: 'Pod' })),
  );
  const looks = () => paths.filter((path) => path === '/apis').length;
  assert.equal(looks(), 1);
  const unknown = { apiVersion: 'example.com/v1', kind: 'Widget' };
  const failures = await Promise.allSettled(
    Array.from({ length: 20 }, () => client.discovery.resolve(unknown)),
  );
  assert.equal(looks(), 2);
  const [first] = failures;
  assert.ok(first?.status === 'rejected');
  assert.equal(
    first.reason.message,
    'the cluster does not serve Widget (example.com/v1): no matches for kind "Widget"',
  );
  assert.deepEqual([first.reason.code, first.reason.kind], ['KIND_NOT_SERVED', 'wait']);
});

test('a kind is found by its group version before the aggregated form tells of it', async () => {
  const { client } = server({
    '/api': { kind: 'APIGroupDiscoveryList', items: [] },
    '/apis': { kind: 'APIGroupDiscoveryList', items: [] },
    '/apis/example.com/v1': {
      kind: 'APIResourceList',
      resources: [resource('widgets', 'Widget', false)],
    },
  });
  const { resource: name, namespaced } = await client.discovery.resolve({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
  });
  assert.deepEqual([name, namespaced], ['widgets', false]);
});

test('a look that failed is not kept', async () => {
  const answers: Record<string, Json | number> = { ...legacy, '/apis': 500 };
  const { client } = server(answers);
  await assert.rejects(client.discovery.kinds(), { code: 'SERVER_ERROR' });
  answers['/apis'] = legacy['/apis'];
  assert.equal((await client.discovery.kinds()).length, 4);
});

test('one who gives up waiting does not end the look of the others', async () => {
  const { client } = server(legacy);
  const stop = new AbortController();
  const impatient = client.discovery.resolve({ group: '', kind: 'Pod' }, { signal: stop.signal });
  const patient = client.discovery.resolve({ group: '', kind: 'Pod' });
  stop.abort(new Error('enough'));
  await assert.rejects(impatient, /enough/);
  assert.equal((await patient).resource, 'pods');
});
