import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ApiError, connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts';
import { startHttpProxy, startSocksProxy } from './proxies.ts';
import { type AnyCluster, startSandboxCluster } from './sandbox-cluster.ts';
import { at, clientOf, codeOf, configMap, eventually, makeNamespace, pod } from './support.ts';

for (const isReal of [true, false]) {
  const server = isReal ? 'a real API server' : 'the sandbox';
  describe(`the client against ${server}`, { skip: whyNoCluster() }, () => clientTests(isReal));
}

function clientTests(isReal: boolean): void {
  let cluster: AnyCluster;
  /** For what only a process of its own can be asked. */
  let real: Cluster | undefined;
  let client: KubeClient;
  const ns = 'client';

  before(async () => {
    real = isReal ? await startCluster() : undefined;
    cluster = real ?? (await startSandboxCluster());
    client = await clientOf(cluster);
    await makeNamespace(client, ns);
  });
  after(async () => {
    await client.close();
    await cluster.stop();
  });

  if (isReal) {
    test('discovery finds what kubectl finds', async () => {
      const { stdout = '' } = real?.kubectl(['api-resources', '--no-headers', '-o', 'name']) ?? {};
      const ours = (await client.discovery.kinds()).map(({ resource, group }) =>
        group === '' ? resource : `${resource}.${group}`,
      );
      assert.deepEqual(ours.sort(), stdout.trim().split('\n').sort());
      const deployment = await client.discovery.resolve({ group: 'apps', kind: 'Deployment' });
      assert.equal(deployment.version, 'v1');
      assert.ok(deployment.namespaced);
      assert.deepEqual(deployment.shortNames, ['deploy']);
      assert.deepEqual([...deployment.subresources].sort(), ['scale', 'status']);
      assert.equal((await client.discovery.version()).gitVersion, 'v1.36.3');
    });
  }

  test('an unknown kind is found as soon as its CRD is there', async () => {
    const ref = { apiVersion: 'example.com/v1', kind: 'Widget', namespace: ns, name: 'w' };
    assert.equal(await codeOf(client.get(ref)), 'KIND_NOT_SERVED');
    await client.apply(widgetDefinition, { fieldManager: 'test' });
    await eventually(
      async () => (await codeOf(client.get(ref))) === 'NOT_FOUND',
      'the CRD to be served',
    );
  });

  test('what the client does not know passes without loss', async () => {
    const widget = {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { namespace: ns, name: 'lossless' },
      spec: {
        big: 9223372036854775807n,
        negative: -9007199254740993n,
        half: 0.5,
        when: '2026-01-02T03:04:05.123456789Z',
        nested: { list: [1, [2n ** 60n, null, true], {}] },
      },
    };
    const made = await client.create(widget);
    const read = await client.get(ref(made));
    assert.deepEqual(read['spec'], {
      ...widget.spec,
      nested: { list: [1, [1152921504606846976n, null, true], {}] },
    });
    const lease = await client.create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: ns, name: 'micro' },
      spec: { renewTime: '2026-01-02T03:04:05.123456Z' },
    });
    const micro = await client.get(ref(lease));
    assert.equal(at(micro, 'spec', 'renewTime'), '2026-01-02T03:04:05.123456Z');
  });

  test('server-side apply names the manager and the field of a conflict, and force takes over', async () => {
    const statuses: number[] = [];
    const onAnswer = ({ status }: { status: number }) => statuses.push(status);
    await client.apply(configMap(ns, 'ssa', { a: '1', b: '1' }), {
      fieldManager: 'first',
      onAnswer,
    });
    await client.apply(configMap(ns, 'ssa', { a: '1', b: '2' }), {
      fieldManager: 'first',
      onAnswer,
    });
    assert.deepEqual(statuses, [201, 200]);
    const conflict = await client
      .apply(configMap(ns, 'ssa', { a: '9', c: '1' }), { fieldManager: 'second' })
      .catch((error: unknown) => error);
    assert.ok(conflict instanceof ApiError);
    assert.equal(conflict.code, 'APPLY_CONFLICT');
    assert.equal(conflict.kind, 'stalled');
    assert.deepEqual(conflict.status.causes, [
      { reason: 'FieldManagerConflict', message: 'conflict with "first"', field: '.data.a' },
    ]);
    const forced = await client.apply(configMap(ns, 'ssa', { a: '9', c: '1' }), {
      fieldManager: 'second',
      force: true,
    });
    assert.deepEqual(forced['data'], { a: '9', b: '2', c: '1' });
  });

  test('a dry run changes nothing; strict validation refuses an unknown field; warnings are heard', async () => {
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: ns, name: 'dry' };
    await client.apply(configMap(ns, 'dry', { a: '1' }), { fieldManager: 'test', dryRun: true });
    assert.equal(await client.find(key), undefined);
    const wrong = { ...configMap(ns, 'strict', {}), dta: {} };
    assert.equal(await codeOf(client.create(wrong, { fieldValidation: 'Strict' })), 'BAD_REQUEST');
    const warnings: string[] = [];
    await client.create(wrong, {
      fieldValidation: 'Warn',
      onAnswer: (answer) => warnings.push(...answer.warnings),
    });
    assert.deepEqual(warnings, ['unknown field "dta"']);
  });

  test('each patch type does what it says', async () => {
    const made = await client.create(pod(ns, 'patched', { a: '1' }));
    const target = ref(made);
    await client.patch(target, { metadata: { labels: { b: '2' } } }, { type: 'merge' });
    await client.patch(target, [{ op: 'remove', path: '/metadata/labels/a' }], { type: 'json' });
    const strategic = await client.patch(
      target,
      { spec: { containers: [{ name: 'main', image: 'example.com/app:2' }] } },
      { type: 'strategic' },
    );
    assert.deepEqual(strategic.metadata.labels, { b: '2' });
    assert.equal(at(strategic, 'spec', 'containers', '0', 'image'), 'example.com/app:2');
    const missing = [{ op: 'test', path: '/metadata/name', value: 'other' }];
    assert.equal(await codeOf(client.patch(target, missing, { type: 'json' })), 'INVALID');
  });

  test('an update on an old version is a conflict to be tried again', async () => {
    const made = await client.create(configMap(ns, 'stale', { a: '1' }));
    await client.update({ ...made, data: { a: '2' } });
    const error = await client.update({ ...made, data: { a: '3' } }).catch((e: unknown) => e);
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.code, error.kind], ['CONFLICT', 'retry']);
    assert.match(
      error.message,
      /^cannot update ConfigMap client\/stale: Operation cannot be fulfilled/,
    );
    assert.equal(await codeOf(client.create(configMap(ns, 'stale', {}))), 'ALREADY_EXISTS');
  });

  test('delete honours preconditions, finalizers and propagation', async () => {
    const made = await client.create({
      ...configMap(ns, 'doomed', {}),
      metadata: { namespace: ns, name: 'doomed', finalizers: ['example.com/wait'] },
    });
    const target = ref(made);
    assert.equal(
      await codeOf(client.delete(target, { preconditions: { uid: 'other' } })),
      'CONFLICT',
    );
    const staying = await client.delete(target, {
      preconditions: { uid: made.metadata.uid ?? '' },
    });
    assert.ok(staying?.metadata.deletionTimestamp);
    await client.patch(target, { metadata: { finalizers: null } }, { type: 'merge' });
    assert.equal(await client.find(target), undefined);
    assert.equal(await codeOf(client.delete(target)), 'NOT_FOUND');
    const plain = await client.create(configMap(ns, 'plain', {}));
    assert.equal(
      await client.delete(ref(plain), { propagation: 'Foreground' }).then((o) => o?.kind),
      'ConfigMap',
    );
    await eventually(
      async () => (await client.find(ref(plain))) === undefined,
      'foreground deletion',
    );
  });

  test('lists come in pages, by selector, as metadata only, and whole collections go', async () => {
    const names = Array.from({ length: 25 }, (_, i) => `page-${String(i).padStart(2, '0')}`);
    for (const name of names) {
      await client.create({
        ...configMap(ns, name, { text: 'x'.repeat(100) }),
        metadata: { namespace: ns, name, labels: { paged: 'yes' } },
      });
    }
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
    const options = { namespace: ns, labelSelector: 'paged=yes', pageSize: 10 };
    const sizes: number[] = [];
    for await (const page of client.listPages(kind, options)) sizes.push(page.items.length);
    assert.deepEqual(sizes, [10, 10, 5]);
    const { items } = await client.list(kind, { ...options, metadataOnly: true });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      names,
    );
    assert.deepEqual(
      [items[0]?.apiVersion, items[0]?.kind, items[0]?.['data']],
      ['v1', 'ConfigMap', undefined],
    );
    await client.deleteCollection(kind, options);
    assert.equal((await client.list(kind, options)).items.length, 0);
  });

  test('status and scale are subresources of their own', async () => {
    const labels = { app: 'scaled' };
    const deployment = await client.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace: ns, name: 'scaled' },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'm', image: 'i:1' }] } },
      },
    });
    const target = ref(deployment);
    const scale = await client.patch(
      target,
      { spec: { replicas: 3 } },
      { type: 'merge', subresource: 'scale' },
    );
    assert.deepEqual([scale.kind, at(scale, 'spec', 'replicas')], ['Scale', 3]);
    assert.equal(at(await client.get(target), 'spec', 'replicas'), 3);
    await eventually(
      async () => at(await client.get(target), 'status', 'readyReplicas') === 3,
      'three pods',
    );
    const status = { ...(await client.get(target, { subresource: 'status' })) };
    assert.equal(status.kind, 'Deployment');
  });

  test('an eviction that a budget forbids is refused at once, not waited for', async () => {
    await client.create({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { namespace: ns, name: 'all' },
      spec: { minAvailable: 3, selector: { matchLabels: { app: 'scaled' } } },
    });
    const pods = await client.list(
      { apiVersion: 'v1', kind: 'Pod' },
      { namespace: ns, labelSelector: 'app=scaled' },
    );
    const name = pods.items[0]?.metadata.name ?? '';
    await eventually(async () => {
      const budget = await client.get({
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        namespace: ns,
        name: 'all',
      });
      return at(budget, 'status', 'currentHealthy') === 3;
    }, 'the budget to be counted');
    const started = Date.now();
    assert.equal(await codeOf(client.evict({ namespace: ns, name })), 'TOO_MANY_REQUESTS');
    assert.ok(Date.now() - started < 2_000);
    await client.evict({ namespace: ns, name: 'patched' });
  });

  test('what one may do is asked; acting as someone else gives their rights; an empty identity is refused', async () => {
    const ann = client.as({
      user: 'ann',
      groups: ['dev', 'ops'],
      extra: { 'example.com/Team': ['a b'] },
    });
    const who = await ann
      .create({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'SelfSubjectReview',
        metadata: {},
      })
      .catch((error: unknown) => error);
    assert.deepEqual(at(who as never, 'status', 'userInfo'), {
      username: 'ann',
      groups: ['dev', 'ops', 'system:authenticated'],
      extra: { 'example.com/team': ['a b'] },
    });
    assert.equal(
      (await client.canI({ verb: 'create', resource: 'pods', namespace: ns })).allowed,
      true,
    );
    assert.equal(
      (await ann.canI({ verb: 'create', resource: 'pods', namespace: ns })).allowed,
      false,
    );
    const denied = await ann
      .get({ apiVersion: 'v1', kind: 'Secret', namespace: ns, name: 'x' })
      .catch((e: unknown) => e);
    assert.ok(denied instanceof ApiError);
    assert.deepEqual([denied.code, denied.kind], ['FORBIDDEN', 'stalled']);
    for (const identity of [
      { user: '' },
      { user: ' ' },
      { user: 'a', groups: [''] },
      { user: 'a', uid: '' },
    ]) {
      assert.throws(() => client.as(identity), { code: 'IDENTITY_EMPTY' });
    }
  });

  test('tokens and credential plugins are accepted, and a refused credential is asked for anew', async () => {
    const byToken = await clientOf(cluster, 'kubebox-token');
    assert.equal((await byToken.list({ apiVersion: 'v1', kind: 'Node' })).items.length, 1);
    await byToken.close();
    const calls = join(cluster.directory, 'plugin-calls');
    const plugin = join(cluster.directory, 'plugin.sh');
    // The first token is wrong: the server's 401 must lead to a second call.
    writeFileSync(
      plugin,
      `#!/bin/sh\necho x >> '${calls}'\n[ $(wc -l < '${calls}') -gt 1 ] && token=${cluster.token} || token=wrong\n` +
        `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$token'"}}'\n`,
    );
    chmodSync(plugin, 0o755);
    const file = join(cluster.directory, 'exec.kubeconfig');
    writeFileSync(
      file,
      `apiVersion: v1
kind: Config
current-context: c
clusters:
- name: k
  cluster: {server: '${cluster.server}', certificate-authority: pki/ca.crt}
users:
- name: u
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin.sh, interactiveMode: Never}
contexts:
- name: c
  context: {cluster: k, user: u}
`,
    );
    const byPlugin = connect(await loadKubeconfig({ file }));
    for (let i = 0; i < 3; i++)
      await byPlugin.get({ apiVersion: 'v1', kind: 'Namespace', name: ns });
    await byPlugin.close();
    const { length } = readFileSync(calls, 'utf8').trim().split('\n');
    assert.equal(length, 2);
  });

  test('a namespace that is being deleted is something to wait for', async () => {
    await makeNamespace(client, 'leaving');
    await client.create({
      ...configMap('leaving', 'held', {}),
      metadata: { namespace: 'leaving', name: 'held', finalizers: ['example.com/hold'] },
    });
    await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: 'leaving' });
    const error = await client.create(configMap('leaving', 'late', {})).catch((e: unknown) => e);
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.code, error.kind], ['NAMESPACE_TERMINATING', 'wait']);
    await client.patch(
      { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'leaving', name: 'held' },
      { metadata: { finalizers: null } },
      { type: 'merge' },
    );
  });

  if (isReal) {
    test('a server that hangs is given up in time, and works again when it comes back', async () => {
      const node = { apiVersion: 'v1', kind: 'Node', name: 'node-0' };
      await client.get(node);
      await real?.freeze();
      const started = Date.now();
      const error = await codeOf(client.get(node, { timeoutMs: 500 }));
      const aborted = AbortSignal.timeout(200);
      const reason = await client.get(node, { signal: aborted }).catch((e: unknown) => e);
      real?.thaw();
      assert.equal(error, 'TIMEOUT');
      assert.equal(reason, aborted.reason);
      assert.ok(Date.now() - started < 3_000);
      assert.equal((await client.get(node)).kind, 'Node');
    });
  }

  for (const [name, start] of [
    ['an HTTP', startHttpProxy],
    ['a SOCKS5', startSocksProxy],
  ] as const) {
    test(`requests and watches go through ${name} proxy of the kubeconfig`, async () => {
      await using proxy = await start();
      const connection = await loadKubeconfig({ file: cluster.kubeconfig });
      const proxied = connect({ ...connection, proxyUrl: proxy.url });
      const kind = { apiVersion: 'v1', kind: 'Namespace' };
      assert.ok(await proxied.find({ ...kind, name: ns }));
      for await (const event of proxied.follow(kind)) {
        assert.equal(event.type, 'STATE');
        break;
      }
      await proxied.close();
      const { host } = new URL(cluster.server);
      assert.ok(proxy.asked.length >= 2);
      assert.deepEqual([...new Set(proxy.asked)], [host]);
    });
  }

  test('certificates that do not fit are said to be that', async () => {
    const connection = await loadKubeconfig({ file: cluster.kubeconfig });
    const { certificateAuthority: _ca, ...untrusted } = connection;
    const stranger = connect(untrusted);
    const error = await stranger.discovery.version().catch((e: unknown) => e);
    await stranger.close();
    assert.match(String(error), /cannot reach the API server https:.*(self-signed|unable to)/i);
    assert.equal(at(error as never, 'code'), 'TLS_UNTRUSTED');
    const named = connect({ ...connection, tlsServerName: 'elsewhere.example' });
    assert.equal(await codeOf(named.discovery.version()), 'TLS_UNTRUSTED');
    await named.close();
  });
}

function ref(object: {
  apiVersion: string;
  kind: string;
  metadata: { namespace?: string; name?: string };
}) {
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

const widgetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    names: { kind: 'Widget', plural: 'widgets' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
      },
    ],
  },
};
