/** What Argo CD's door does beyond one Application on one cluster: from resources and pushes to the cluster. */
import assert from 'node:assert/strict';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { startSandbox } from '@capstan/kube-sandbox';
import { listAt, textAt } from '../views/fields.ts';
import { type Scenario, untilSynced } from './application-scenarios.ts';
import { startChartRegistry } from './testing/chart-registry.ts';
import { APPLICATION, application, configMap, until, type World } from './world.ts';

const PATIENCE_MS = 30_000;
const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

async function value(client: Pick<KubeClient, 'find'>, namespace: string, name: string) {
  return textAt(await client.find({ ...CONFIG, namespace, name }), 'data', 'value');
}

async function untilValue(
  client: Pick<KubeClient, 'find'>,
  place: { readonly namespace: string; readonly name: string; readonly value: string },
): Promise<void> {
  await until(`${place.namespace}/${place.name} is ${place.value}`, PATIENCE_MS, async () => {
    const found = await value(client, place.namespace, place.name);
    assert.equal(found, place.value);
    return true;
  });
}

function conditions(app: KubeObject | undefined): string {
  return listAt(app, 'status', 'conditions')
    .map((one) => `${textAt(one, 'type')}: ${textAt(one, 'message')}`)
    .join('\n');
}

function project(name: string, spec: JsonObject): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name, namespace: 'argocd' },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      ...spec,
    },
  };
}

const DENIED = { kind: 'deny', schedule: '* * * * *', duration: '1h', applications: ['*'] };

/** What the official command writes: with the options of the application. */
function byAnn(sync: JsonObject): JsonObject {
  return {
    initiatedBy: { username: 'ann' },
    sync: { ...sync, syncOptions: ['CreateNamespace=true'] },
  };
}

async function windows(world: World): Promise<undefined> {
  const repository = await world.repository('windowed');
  const commit = await repository.push({ 'a.yaml': configMap('a', 'one') });
  await world.apply(project('windowed', { syncWindows: [DENIED] }));
  const source = { url: repository.url, path: '.' };
  const app = application('windowed', source, { project: 'windowed' });
  await world.apply(app);
  const read = () => world.get({ ...APPLICATION, name: 'windowed' });
  await until(
    'it is compared',
    PATIENCE_MS,
    async () => textAt(await read(), 'status', 'sync', 'status') === 'OutOfSync',
  );
  assert.equal(await value(world.client, 'windowed', 'a'), '');
  const operation = byAnn({ revision: commit });
  await world.client.patch({ ...APPLICATION, name: 'windowed' }, { operation }, { type: 'merge' });
  await until(
    'a sync by hand waits',
    PATIENCE_MS,
    async () =>
      textAt(await read(), 'status', 'operationState', 'message') ===
      'Sync operation blocked by sync window',
  );
  assert.equal(await value(world.client, 'windowed', 'a'), '');
  await world.apply(project('windowed', { syncWindows: [] }));
  await untilSynced(world, 'windowed', commit);
  await untilValue(world.client, { namespace: 'windowed', name: 'a', value: 'one' });
  return undefined;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

function clusterSecret(name: string, server: string, config: JsonObject): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `cluster-${name}`,
      namespace: 'argocd',
      labels: { 'argocd.argoproj.io/secret-type': 'cluster' },
    },
    data: { name: base64(name), server: base64(server), config: base64(JSON.stringify(config)) },
  };
}

async function clusters(world: World): Promise<undefined> {
  const repository = await world.repository('many');
  await repository.push({ 'a.yaml': configMap('a', 'one') });
  const others = await Promise.all(['east', 'west'].map((name) => openOther(name)));
  try {
    for (const { name, secret } of others) {
      await world.apply(secret);
      const app = application(
        `many-${name}`,
        { url: repository.url, path: '.' },
        { namespace: 'many' },
      );
      const spec = { ...(app['spec'] as JsonObject), destination: { name, namespace: 'many' } };
      await world.apply({ ...app, spec });
    }
    for (const { client } of others)
      await untilValue(client, { namespace: 'many', name: 'a', value: 'one' });
    await repository.push({ 'a.yaml': configMap('a', 'two') });
    for (const { client } of others)
      await untilValue(client, { namespace: 'many', name: 'a', value: 'two' });
    assert.equal(await value(world.client, 'many', 'a'), '', 'nothing on the own cluster');
    await others[0]?.client.delete({ ...CONFIG, namespace: 'many', name: 'a' });
    for (const { client } of others)
      await untilValue(client, { namespace: 'many', name: 'a', value: 'two' });
    await world.client.delete({
      apiVersion: 'v1',
      kind: 'Secret',
      namespace: 'argocd',
      name: 'cluster-west',
    });
    await until('a cluster that is gone is named', PATIENCE_MS, async () =>
      /no clusters with this name: west/.test(
        conditions(await world.get({ ...APPLICATION, name: 'many-west' })),
      ),
    );
    await repository.push({ 'a.yaml': configMap('a', 'three') });
    const [east] = others;
    if (east !== undefined)
      await untilValue(east.client, { namespace: 'many', name: 'a', value: 'three' });
  } finally {
    for (const other of others) await other.close();
  }
  return undefined;
}

/** Another cluster in this process, reached over TLS with what its kubeconfig says. */
async function openOther(name: string) {
  const sandbox = await startSandbox({ port: 0 });
  const connection = await loadKubeconfig({ file: sandbox.kubeconfigPath });
  const client = connect(connection);
  const { headers, clientCertificate } = await connection.credentials.current({});
  const bearer = String(headers['authorization'] ?? '').replace(/^Bearer /, '');
  const secret = clusterSecret(name, connection.server, {
    ...(bearer === '' ? {} : { bearerToken: bearer }),
    tlsClientConfig: {
      ...(connection.certificateAuthority === undefined
        ? {}
        : { caData: base64(connection.certificateAuthority) }),
      ...(clientCertificate === undefined
        ? {}
        : {
            certData: base64(clientCertificate.certificate),
            keyData: base64(clientCertificate.key),
          }),
    },
  });
  return {
    name,
    client,
    secret,
    close: async () => {
      await client.close();
      await sandbox.close();
    },
  };
}

async function jsonnet(world: World): Promise<undefined> {
  const repository = await world.repository('jsonnet');
  const program = `function(env) [(import 'make.libsonnet')('a', env), (import 'make.libsonnet')('b', std.extVar('b'))]`;
  await repository.push({
    'app/main.jsonnet': program,
    'vendor/make.libsonnet': `function(name, value) { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name }, data: { value: value } }`,
    'app/.argocd-source.yaml': 'directory: {jsonnet: {extVars: [{name: b, value: overridden}]}}',
  });
  const app = application('jsonnet', { url: repository.url, path: 'app' });
  const spec = app['spec'] as JsonObject;
  const directory = {
    jsonnet: {
      libs: ['vendor'],
      tlas: [{ name: 'env', value: '$ARGOCD_APP_NAME' }],
      extVars: [{ name: 'b', value: 'own' }],
    },
  };
  await world.apply({
    ...app,
    spec: { ...spec, source: { ...(spec['source'] as JsonObject), directory } },
  });
  await untilValue(world.client, { namespace: 'jsonnet', name: 'a', value: 'jsonnet' });
  await untilValue(world.client, { namespace: 'jsonnet', name: 'b', value: 'overridden' });
  await repository.push({
    'app/.argocd-source-jsonnet.yaml': 'directory: {jsonnet: {extVars: [{name: b, value: mine}]}}',
  });
  await untilValue(world.client, { namespace: 'jsonnet', name: 'b', value: 'mine' });
  return undefined;
}

async function charts(world: World): Promise<undefined> {
  const registry = await startChartRegistry();
  try {
    const values = await world.repository('chart-values');
    await values.push({ 'prod.yaml': 'value: first\n' });
    const app = application('from-registry', { url: '', path: '' });
    const { source: _source, ...spec } = app['spec'] as JsonObject;
    const chart = {
      repoURL: registry.url,
      chart: 'web',
      targetRevision: '1.x',
      helm: { valueFiles: ['$values/prod.yaml'] },
    };
    const sources = [chart, { repoURL: values.url, targetRevision: 'main', ref: 'values' }];
    await world.apply({ ...app, spec: { ...spec, sources } });
    await untilValue(world.client, { namespace: 'from-registry', name: 'a', value: 'first 1.1.0' });
    await values.push({ 'prod.yaml': 'value: second\n' });
    await untilValue(world.client, {
      namespace: 'from-registry',
      name: 'a',
      value: 'second 1.1.0',
    });
  } finally {
    await registry.close();
  }
  return undefined;
}

async function hydrated(world: World): Promise<undefined> {
  const repository = await world.repository('hydrated');
  const dry = await repository.push({ 'dry/a.yaml': configMap('a', 'one') });
  const app = application('hydrated', { url: '', path: '' });
  const { source: _source, ...spec } = app['spec'] as JsonObject;
  const sourceHydrator = {
    drySource: { repoURL: repository.url, path: 'dry', targetRevision: 'main' },
    syncSource: { targetBranch: 'env/prod', path: 'prod' },
  };
  await world.apply({ ...app, spec: { ...spec, sourceHydrator } });
  await untilValue(world.client, { namespace: 'hydrated', name: 'a', value: 'one' });
  const read = async () => world.get({ ...APPLICATION, name: 'hydrated' });
  const told = async () =>
    textAt(await read(), 'status', 'sourceHydrator', 'lastSuccessfulOperation', 'drySHA');
  assert.equal(await told(), dry);
  const next = await repository.push({ 'dry/a.yaml': configMap('a', 'two') });
  await untilValue(world.client, { namespace: 'hydrated', name: 'a', value: 'two' });
  await until('the status names the commit', PATIENCE_MS, async () => (await told()) === next);
  return undefined;
}

async function impersonation(world: World): Promise<undefined> {
  const settings = (data: JsonObject): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd' },
    data,
  });
  const repository = await world.repository('impersonated');
  const commit = await repository.push({ 'a.yaml': configMap('a', 'one') });
  await world.apply(project('unaccounted', {}));
  await world.apply(settings({ 'application.sync.impersonation.enabled': 'true' }));
  try {
    const source = { url: repository.url, path: '.' };
    await world.apply(application('impersonated', source, { project: 'unaccounted' }));
    const read = () => world.get({ ...APPLICATION, name: 'impersonated' });
    await until('nothing is applied without an account', PATIENCE_MS, async () =>
      /no matching service account found/.test(
        textAt(await read(), 'status', 'operationState', 'message'),
      ),
    );
    assert.equal(await value(world.client, 'impersonated', 'a'), '');
  } finally {
    await world.apply(settings({ 'application.sync.impersonation.enabled': 'false' }));
  }
  const operation = byAnn({ revision: commit });
  await world.client.patch(
    { ...APPLICATION, name: 'impersonated' },
    { operation },
    { type: 'merge' },
  );
  await untilValue(world.client, { namespace: 'impersonated', name: 'a', value: 'one' });
  return undefined;
}

async function retracked(world: World): Promise<undefined> {
  const repository = await world.repository('retracked');
  const first = await repository.push({
    'a.yaml': configMap('a', 'one'),
    'b.yaml': configMap('b', 'one'),
  });
  await world.apply(application('retracked', { url: repository.url, path: '.' }));
  await untilSynced(world, 'retracked', first);
  const metadata = { name: 'argocd-cm', namespace: 'argocd' };
  const trackBy = (method: string) =>
    world.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { 'application.resourceTrackingMethod': method },
    });
  const read = () => world.get({ ...CONFIG, namespace: 'retracked', name: 'a' });
  try {
    await trackBy('label');
    await until('the label', PATIENCE_MS, async () => {
      const { labels, annotations } = (await read())?.metadata ?? {};
      const isMarked = labels?.['app.kubernetes.io/instance'] === 'retracked';
      return isMarked && annotations?.['argocd.argoproj.io/tracking-id'] === undefined;
    });
    const second = await repository.push({ 'b.yaml': null });
    await untilSynced(world, 'retracked', second);
    await until('b is pruned', PATIENCE_MS, async () => {
      return (await world.get({ ...CONFIG, namespace: 'retracked', name: 'b' })) === undefined;
    });
  } finally {
    await trackBy('annotation');
  }
  await until('the annotation', PATIENCE_MS, async () => {
    const { annotations } = (await read())?.metadata ?? {};
    return annotations?.['argocd.argoproj.io/tracking-id'] !== undefined;
  });
  return undefined;
}

/** What Git no longer holds and is to stay all the same: the namespace of the application, and what says so itself. */
async function kept(world: World): Promise<undefined> {
  const repository = await world.repository('kept');
  const spared = configMap('spared', 'one').replace(
    '  name: spared\n',
    '  name: spared\n  annotations: {argocd.argoproj.io/compare-options: IgnoreExtraneous, argocd.argoproj.io/sync-options: Prune=false}\n',
  );
  const skipped = configMap('skipped', 'two').replace(
    '  name: skipped\n',
    '  name: skipped\n  annotations: {argocd.argoproj.io/hook: Skip}\n',
  );
  const first = await repository.push({
    'skipped.yaml': configMap('skipped', 'one'),
    'namespace.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: kept}\n',
    'a.yaml': configMap('a', 'one'),
    'spared.yaml': spared,
  });
  const sync = { automated: { prune: true } };
  const app = application('kept', { url: repository.url, path: '.' }, { sync });
  await world.apply(app);
  await untilSynced(world, 'kept', first);
  const managed = { ...sync, managedNamespaceMetadata: { labels: { team: 'a' } } };
  await world.client.patch(
    { ...APPLICATION, name: 'kept' },
    { spec: { syncPolicy: managed } },
    { type: 'merge' },
  );
  const second = await repository.push({
    'namespace.yaml': null,
    'spared.yaml': null,
    'skipped.yaml': skipped,
    'a.yaml': configMap('a', 'two'),
  });
  await untilSynced(world, 'kept', second);
  await untilValue(world.client, { namespace: 'kept', name: 'a', value: 'two' });
  assert.equal(await value(world.client, 'kept', 'spared'), 'one');
  assert.equal(await value(world.client, 'kept', 'skipped'), 'one');
  const namespace = await world.get({ apiVersion: 'v1', kind: 'Namespace', name: 'kept' });
  assert.ok(namespace !== undefined && namespace.metadata.deletionTimestamp === undefined);
  return undefined;
}

/** What is applied after its definition is of a kind that nobody watches yet. */
async function defined(world: World): Promise<undefined> {
  const repository = await world.repository('defined');
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'defineds.slice.example.com' },
    spec: {
      group: 'slice.example.com',
      names: { kind: 'Defined', listKind: 'DefinedList', plural: 'defineds', singular: 'defined' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
  const object = { apiVersion: 'slice.example.com/v1', kind: 'Defined', metadata: { name: 'a' } };
  const commit = await repository.push({
    'definition.json': JSON.stringify(definition),
    'object.json': JSON.stringify(object),
  });
  // Nothing but the definition keeps a rehearsal from asking about the object.
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'defined' } });
  const sync = { automated: {}, retry: { limit: 0 } };
  await world.apply(application('defined', { url: repository.url, path: '.' }, { sync }));
  await untilSynced(world, 'defined', commit);
  return undefined;
}

export const ARGOCD_SCENARIOS: readonly Scenario[] = [
  { name: 'a sync window holds automation and people until it is gone', run: windows },
  { name: 'clusters are added by Secrets, delivered to, healed and taken away', run: clusters },
  { name: 'Jsonnet with libraries, arguments and what its folder overrides', run: jsonnet },
  {
    name: 'a chart of a chart repository takes its values from Git, and follows them',
    run: charts,
  },
  { name: 'a dry source is hydrated to a branch and synced from there', run: hydrated },
  { name: 'with enforced service accounts nothing is applied without one', run: impersonation },
  { name: 'a changed tracking method counts at once, for pruning too', run: retracked },
  {
    name: 'a definition and an object of it arrive in one sync, at the first attempt',
    run: defined,
  },
  { name: 'what Git no longer holds stays where it is said to', run: kept },
];
