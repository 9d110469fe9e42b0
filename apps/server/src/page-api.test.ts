import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type {
  AppDetail,
  AppSummary,
  ExplanationView,
  ResourceDetail,
  StreamEvent,
} from '@capstan/apps-contract';
import {
  createKubeClient,
  createLiveState,
  type KubeClient,
  type LiveState,
} from '@capstan/kube-client';
import { systemClock } from '@capstan/kube-controller';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { guardRequests } from './http/guard.ts';
import { createPageApi } from './page-api.ts';
import { AppActions } from './views/app-actions.ts';
import { AppViews } from './views/app-views.ts';

const ORIGIN = 'http://127.0.0.1:7400';
const COMMIT = 'abcdef0123456789abcdef0123456789abcdef01';
let sandbox: Sandbox;
let client: KubeClient;
let live: LiveState;
let api: (request: Request) => Promise<Response>;

const APPLICATION: KubeObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'web', namespace: 'argocd' },
  spec: {
    project: 'default',
    source: { repoURL: 'https://git.example.com/a.git', path: 'apps/web', targetRevision: 'main' },
    destination: { server: 'https://kubernetes.default.svc', namespace: 'prod' },
    syncPolicy: { automated: { prune: true }, syncOptions: ['CreateNamespace=true'] },
  },
  status: {
    sync: { status: 'OutOfSync', revision: COMMIT },
    health: { status: 'Healthy' },
    resources: [
      {
        group: 'apps',
        version: 'v1',
        kind: 'Deployment',
        namespace: 'prod',
        name: 'web',
        status: 'OutOfSync',
      },
      { version: 'v1', kind: 'Secret', namespace: 'prod', name: 'key', status: 'Synced' },
      { version: 'v1', kind: 'Service', namespace: 'prod', name: 'gone', status: 'OutOfSync' },
    ],
    history: [
      {
        id: 3,
        revision: 'one',
        deployedAt: '2026-01-01T00:00:00Z',
        initiatedBy: { automated: true },
      },
      {
        id: 4,
        revision: COMMIT,
        deployedAt: '2026-01-02T00:00:00Z',
        initiatedBy: { username: 'ann' },
      },
    ],
  },
};

const KUSTOMIZATION: KubeObject = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'my-app', namespace: 'flux-system' },
  spec: { path: './deploy', sourceRef: { kind: 'GitRepository', name: 'my-app' } },
  status: {
    lastAppliedRevision: `main@sha1:${COMMIT}`,
    lastAttemptedRevision: `main@sha1:${COMMIT}`,
    conditions: [
      { type: 'Ready', status: 'False', reason: 'HealthCheckFailed', message: 'timeout' },
    ],
    inventory: { entries: [{ id: 'prod_key__Secret', v: 'v1' }] },
  },
};

const HELM_RELEASE: KubeObject = {
  apiVersion: 'helm.toolkit.fluxcd.io/v2',
  kind: 'HelmRelease',
  metadata: { name: 'db', namespace: 'flux-system' },
  spec: {
    chart: {
      spec: {
        chart: 'postgres',
        version: '1.x',
        sourceRef: { kind: 'GitRepository', name: 'my-app' },
      },
    },
  },
  status: {
    conditions: [{ type: 'Ready', status: 'True', reason: 'UpgradeSucceeded', message: 'done' }],
    history: [
      { version: 2, chartVersion: '1.4.0', lastDeployed: '2026-01-02T00:00:00Z' },
      { version: 1, chartVersion: '1.3.0', lastDeployed: '2026-01-01T00:00:00Z' },
    ],
    inventory: { entries: [{ id: 'prod_key__Secret', v: 'v1' }] },
  },
};

const GIT_REPOSITORY: KubeObject = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: { name: 'my-app', namespace: 'flux-system' },
  spec: { url: 'https://git.example.com/b.git', ref: { branch: 'main' } },
};

before(async () => {
  sandbox = await startSandbox();
  client = createKubeClient(sandbox.transport);
  for (const kind of [APPLICATION, KUSTOMIZATION, HELM_RELEASE, GIT_REPOSITORY])
    await create(definitionOf(kind));
  for (const name of ['argocd', 'flux-system', 'prod']) {
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  await create(GIT_REPOSITORY);
  await create(KUSTOMIZATION);
  await create(HELM_RELEASE);
  await create(APPLICATION);
  await createWorkload();
  live = createLiveState({ client, isManaged: () => true });
  await live.ensureAll();
  const clock = systemClock();
  const views = new AppViews({
    live,
    findCommit: () => null,
    healthRules: () => ({ base: 'workload', custom: [] }),
    clock,
  });
  const router = createPageApi({
    client,
    live,
    views,
    clock,
    actions: new AppActions({ client, views, clock, user: 'ann' }),
    inspect: async () => undefined,
    preview: async () => undefined,
    traceField: async () => undefined,
    sensitiveAnnotations: () => ['example.com/copy'],
    info: { version: '0', cluster: 'test', gitUrl: null },
  });
  api = guardRequests(router, { hosts: [] });
});
after(async () => {
  await live[Symbol.asyncDispose]();
  await sandbox.close();
});

async function create(object: KubeObject): Promise<KubeObject> {
  return await client.apply(object, { fieldManager: 'test' });
}

function definitionOf(object: KubeObject): KubeObject {
  const [group, version] = object.apiVersion.split('/') as [string, string];
  const plural = `${object.kind.toLowerCase()}s`;
  const names = { kind: object.kind, plural, singular: object.kind.toLowerCase() };
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names,
      scope: 'Namespaced',
      versions: [
        { name: version, served: true, storage: true, schema: { openAPIV3Schema: schema } },
      ],
    },
  };
}

async function createWorkload(): Promise<void> {
  const labels = { app: 'web' };
  const pod = { containers: [{ name: 'web', image: 'nginx:1' }] };
  const deployment = await create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'prod' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
  });
  await create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'web-child',
      namespace: 'prod',
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: deployment.metadata.uid! },
      ],
    },
  });
  await create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'key',
      namespace: 'prod',
      annotations: { 'example.com/copy': 'canary', 'example.com/open': 'seen' },
    },
    stringData: { password: 'canary' },
  });
}

async function get<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
  const response = await api(new Request(ORIGIN + path, { headers }));
  assert.equal(response.status, 200, path);
  return (await response.json()) as T;
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await api(
    new Request(ORIGIN + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  );
  return { status: response.status, body: (await response.json()) as JsonObject };
}

test('apps of both families are rows of one list', async () => {
  const apps = await get<AppSummary[]>('/api/apps');
  assert.deepEqual(
    apps.map((app) => [app.kind, app.name, app.sync, app.health, app.repo, app.targetRevision]),
    [
      ['Application', 'web', 'OutOfSync', 'Healthy', 'https://git.example.com/a.git', 'main'],
      ['HelmRelease', 'db', 'Synced', 'Healthy', 'https://git.example.com/b.git', '1.x'],
      ['Kustomization', 'my-app', 'Synced', 'Degraded', 'https://git.example.com/b.git', 'main'],
    ],
  );
  assert.equal(apps[1]?.revision, '1.4.0');
  assert.equal(apps[2]?.revision, COMMIT);
  assert.equal(apps[2]?.message, 'timeout');
});

test('a detail holds the tree below what is managed, and the history newest first', async () => {
  const detail = await get<AppDetail>('/api/apps/Application/argocd/web');
  const nodes = detail.resources.map(
    (node) => `${node.kind} ${node.name} ${node.sync} ${node.health} < ${node.parent}`,
  );
  assert.ok(
    nodes.includes('ConfigMap web-child null null < apps/Deployment/prod/web'),
    nodes.join('\n'),
  );
  assert.ok(nodes.includes('Service gone OutOfSync Missing < null'), nodes.join('\n'));
  assert.deepEqual(
    detail.history.map(({ id, initiatedBy }) => `${id} ${initiatedBy}`),
    ['4 ann', '3 automated'],
  );
  const flux = await get<AppDetail>('/api/apps/Kustomization/flux-system/my-app');
  assert.deepEqual(
    flux.resources.map(({ id }) => id),
    ['/Secret/prod/key'],
  );
  const release = await get<AppDetail>('/api/apps/HelmRelease/flux-system/db');
  assert.deepEqual(
    release.history.map(({ id, revision }) => `${id} ${revision}`),
    ['2 1.4.0', '1 1.3.0'],
  );
  assert.deepEqual(
    release.resources.map(({ id }) => id),
    ['/Secret/prod/key'],
  );
});

test('apps of all kinds are explained: what is wrong, in a sentence, and the next step', async () => {
  const explain = (app: string) => get<ExplanationView[]>(`/api/apps/${app}/explain`);
  assert.deepEqual(await explain('Application/argocd/web'), [
    {
      about: 'sync',
      sentence: 'of 3 objects 2 differ from Git (Deployment/web, Service/gone)',
      next: 'it syncs with the next commit; for changes in the cluster set spec.syncPolicy.automated.selfHeal',
    },
  ]);
  assert.deepEqual(await explain('Kustomization/flux-system/my-app'), [
    {
      about: 'health',
      sentence: 'HealthCheckFailed: timeout',
      next: 'see the objects that the message names',
    },
  ]);
  assert.deepEqual(await explain('HelmRelease/flux-system/db'), []);
  const none = await api(new Request(`${ORIGIN}/api/apps/Application/argocd/none/explain`));
  assert.equal(none.status, 404);
});

test('values of Secrets never leave the server, nor objects that are not the app’s own', async () => {
  const path = '/api/apps/Application/argocd/web/resource';
  const detail = await get<ResourceDetail>(
    `${path}?group=&version=v1&kind=Secret&namespace=prod&name=key`,
  );
  assert.match(detail.live ?? '', /password: \+\+\+/);
  assert.match(detail.live ?? '', /example.com\/open: seen/);
  assert.doesNotMatch(JSON.stringify(detail), /canary|Y2FuYXJ5/);
  const other = await api(
    new Request(`${ORIGIN}${path}?group=&version=v1&kind=Namespace&namespace=&name=prod`),
  );
  assert.equal(other.status, 404);
});

test('buttons write what the official commands write', async () => {
  const app = '/api/apps/Application/argocd/web';
  const read = () => client.get({ ...APPLICATION, namespace: 'argocd', name: 'web' });
  assert.equal((await post(`${app}/refresh`, { hard: true })).status, 202);
  assert.equal((await read()).metadata.annotations?.['argocd.argoproj.io/refresh'], 'hard');
  assert.equal((await post(`${app}/sync`, { prune: true })).status, 202);
  assert.deepEqual((await read())['operation'], {
    initiatedBy: { username: 'ann' },
    sync: { prune: true, syncOptions: ['CreateNamespace=true'] },
  });
  await waitFor(() => post(`${app}/sync`, {}).then(({ status }) => status === 409));
  await client.patch(
    { ...APPLICATION, namespace: 'argocd', name: 'web' },
    { operation: null },
    { type: 'merge' },
  );
  await waitFor(() => post(`${app}/rollback`, { id: 3 }).then(({ status }) => status === 202));
  const rolledBack = await read();
  assert.equal((rolledBack['operation'] as { sync: JsonObject }).sync['revision'], 'one');
  assert.equal(
    (rolledBack['spec'] as { syncPolicy: JsonObject }).syncPolicy['automated'],
    undefined,
  );
  const flux = '/api/apps/Kustomization/flux-system/my-app';
  assert.equal((await post(`${flux}/sync`, {})).status, 202);
  const source = await client.get({ ...GIT_REPOSITORY, namespace: 'flux-system', name: 'my-app' });
  assert.match(source.metadata.annotations?.['reconcile.fluxcd.io/requestedAt'] ?? '', /^20/);
  assert.deepEqual((await post(`${flux}/rollback`, { id: 1 })).body, {
    code: 'NOT_FOR_FLUX',
    message: 'Flux has no rollback',
    hint: 'revert the commit in Git',
  });
});

test('the stream begins with all apps and goes on with what changes', async () => {
  const response = await api(new Request(`${ORIGIN}/api/stream?app=Application/argocd/web`));
  const events = readEvents(response);
  assert.equal((await events.next()).value?.type, 'apps');
  assert.equal((await events.next()).value?.type, 'detail');
  await client.patch(
    { ...APPLICATION, namespace: 'argocd', name: 'web' },
    { status: { sync: { status: 'Synced' } } },
    { type: 'merge' },
  );
  const changed = await events.next();
  assert.ok(changed.value?.type === 'app' && changed.value.app.sync === 'Synced');
  assert.equal((await events.next()).value?.type, 'detail');
  await client.delete({ ...KUSTOMIZATION, namespace: 'flux-system', name: 'my-app' });
  assert.deepEqual((await events.next()).value, {
    type: 'removed',
    ref: { kind: 'Kustomization', namespace: 'flux-system', name: 'my-app' },
  });
  await events.return(undefined);
});

async function* readEvents(response: Response): AsyncGenerator<StreamEvent> {
  let text = '';
  for await (const chunk of response.body!) {
    text += new TextDecoder().decode(chunk);
    const messages = text.split('\n\n');
    text = messages.pop()!;
    for (const message of messages) {
      const data = /^data: (.*)$/m.exec(message)?.[1];
      if (data !== undefined) yield JSON.parse(data) as StreamEvent;
    }
  }
}

test('wrong names, other sites and other content types are refused, and every answer carries the headers', async () => {
  const rebound = await api(new Request('http://evil.example.com:7400/api/apps'));
  assert.equal(rebound.status, 421);
  assert.match(rebound.headers.get('content-security-policy') ?? '', /default-src 'self'/);
  const path = '/api/apps/Application/argocd/web/refresh';
  assert.equal((await post(path, {}, { origin: 'https://evil.example.com' })).status, 403);
  assert.equal((await post(path, {}, { 'sec-fetch-site': 'cross-site' })).status, 403);
  assert.equal((await post(path, {}, { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await post(path, { hard: 'yes' })).status, 400);
  assert.equal((await post('/api/apps/Application/argocd/none/refresh', {})).status, 404);
  assert.equal((await api(new Request(`${ORIGIN}/api/none`))).status, 404);
  assert.equal((await api(new Request(ORIGIN + path))).status, 405);
  const huge = await post(path, { text: 'x'.repeat(2 * 1024 * 1024) });
  assert.equal(huge.status, 413);
});

async function waitFor(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not happen');
}
