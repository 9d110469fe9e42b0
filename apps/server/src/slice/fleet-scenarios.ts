/** What a team brings along from Argo CD: an app of apps with a project, a set, charts, waves and hooks. */
import assert from 'node:assert/strict';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { listAt, textAt, valueAt } from '../views/fields.ts';
import { type Scenario, untilSynced } from './application-scenarios.ts';
import { applicationSet } from './application-set-scenarios.ts';
import { startChartRegistry } from './testing/chart-registry.ts';
import { APPLICATION, application, configMap, deployment, until, type World } from './world.ts';

const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' } as const;
const OWN = 'https://kubernetes.default.svc';
const PATIENCE_MS = 30_000;
/** A real garbage collector learns of a new kind within half a minute. */
const DELETION_MS = 60_000;
const ENVIRONMENTS = ['dev', 'staging', 'production'] as const;
const LOGIN = { username: 'ann', password: 'p@ss/canary' };
const AUTOMATED: JsonObject = { automated: { prune: true, selfHeal: true } };

/** As Argo CD's documentation gives it for an app of apps whose waves wait for each other. */
const APPLICATION_HEALTH = `hs = {}
hs.status = "Progressing"
hs.message = ""
if obj.status ~= nil then
  if obj.status.health ~= nil then
    hs.status = obj.status.health.status
    if obj.status.health.message ~= nil then
      hs.message = obj.status.health.message
    end
  end
end
return hs
`;

const PROJECT: KubeObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'team-a', namespace: 'argocd' },
  spec: {
    description: 'Team A applications',
    sourceRepos: ['*'],
    destinations: [{ namespace: 'team-a-*', server: OWN }],
    clusterResourceWhitelist: [{ group: '', kind: 'Namespace' }],
    namespaceResourceWhitelist: [
      { group: 'apps', kind: 'Deployment' },
      { group: '', kind: 'Service' },
    ],
  },
};

const WAVES_AND_HOOKS = `apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations:
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/hook-delete-policy: HookSucceeded
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: migrate
        image: example/migrate:1.0.0
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: database
  annotations:
    argocd.argoproj.io/sync-wave: "1"
spec:
  serviceName: database
  selector: {matchLabels: {app: database}}
  template:
    metadata: {labels: {app: database}}
    spec:
      containers:
      - {name: db, image: "postgres:16"}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  annotations:
    argocd.argoproj.io/sync-wave: "2"
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - {name: api, image: "example/api:1.2.3"}
`;

function inWave(wave: string, object: KubeObject): string {
  const annotations = {
    ...object.metadata.annotations,
    'argocd.argoproj.io/sync-wave': wave,
  };
  return JSON.stringify({ ...object, metadata: { ...object.metadata, annotations } });
}

function secret(name: string, type: string, data: Readonly<Record<string, string>>): KubeObject {
  const encoded = Object.entries(data).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'argocd', labels: { 'argocd.argoproj.io/secret-type': type } },
    data: Object.fromEntries(encoded),
  };
}

/** A set in the template language of the first years, for namespaces that nobody creates on the way. */
function environments(url: string): KubeObject {
  return applicationSet('my-app-environments', {
    generators: [
      {
        list: {
          elements: ENVIRONMENTS.map((cluster) => ({ cluster, url: OWN, namespace: cluster })),
        },
      },
    ],
    template: {
      metadata: { name: 'my-app-{{cluster}}' },
      spec: {
        project: 'default',
        source: {
          repoURL: url,
          targetRevision: 'main',
          path: 'apps/my-app/overlays/{{cluster}}',
        },
        destination: { server: '{{url}}', namespace: '{{namespace}}' },
        syncPolicy: AUTOMATED,
      },
    },
  });
}

function files(url: string, registry: string): Readonly<Record<string, string>> {
  const child = (name: string, path: string, options: Parameters<typeof application>[2] = {}) =>
    application(name, { url, path }, options);
  const namespaces = ENVIRONMENTS.map((name) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
  );
  return {
    'clusters/production/project.json': inWave('-1', PROJECT),
    'clusters/production/namespaces.yaml': namespaces.join('\n---\n'),
    'clusters/production/set.json': JSON.stringify(environments(url)),
    'clusters/production/umbrella.json': JSON.stringify(child('umbrella', 'apps/umbrella')),
    'clusters/production/first.json': inWave('1', child('first', 'apps/first')),
    'clusters/production/ordered.json': inWave('2', child('api-stack', 'apps/ordered')),
    'clusters/production/team.json': inWave(
      '3',
      child('team-a-app', 'apps/team', { namespace: 'team-a-web', project: 'team-a' }),
    ),
    'apps/umbrella/Chart.yaml': `apiVersion: v2
name: umbrella
version: 0.1.0
dependencies:
- {name: web, version: 1.x, repository: "${registry}"}
`,
    'apps/umbrella/values.yaml': 'web: {value: umbrella}\n',
    'apps/first/web.yaml': unschedulable(deployment('web', 1)),
    'apps/ordered/all.yaml': WAVES_AND_HOOKS,
    'apps/team/web.yaml': deployment('web', 1),
    'apps/team/a.yaml': configMap('a', 'not permitted'),
    'apps/my-app/base/kustomization.yaml': 'resources: [a.yaml]\n',
    'apps/my-app/base/a.yaml': configMap('a', 'base'),
    ...Object.fromEntries(
      ENVIRONMENTS.map((name) => [
        `apps/my-app/overlays/${name}/kustomization.yaml`,
        `resources: [../../base]\nnamePrefix: ${name}-\n`,
      ]),
    ),
  };
}

function unschedulable(manifest: string): string {
  return manifest.replace(/^( {4}spec:\n)/m, '$1      nodeSelector: {example.com/none: "true"}\n');
}

async function fleet(world: World): Promise<undefined> {
  const registry = await startChartRegistry(LOGIN);
  const settings = (data: JsonObject) =>
    world.apply({ ...CONFIG, metadata: { name: 'argocd-cm', namespace: 'argocd' }, data });
  try {
    const { url, push } = await world.repository('production');
    await push(files(url, registry.url));
    await settings({
      'resource.customizations.health.argoproj.io_Application': APPLICATION_HEALTH,
    });
    await world.apply(
      secret('charts', 'repository', { type: 'helm', url: registry.url, ...LOGIN }),
    );
    await world.apply(
      application(
        'root-app',
        { url, path: 'clusters/production', revision: 'HEAD' },
        { namespace: 'argocd', sync: AUTOMATED },
      ),
    );
    await holdsWave(world);
    const commit = await push({ 'apps/first/web.yaml': deployment('web', 1) });
    for (const name of ['first', 'api-stack']) await untilSynced(world, name, commit);
    // Their status keeps the commit that last changed them.
    for (const name of ['umbrella', ...ENVIRONMENTS.map((one) => `my-app-${one}`)])
      await untilInPlace(world, name);
    await orderedOf(world);
    for (const name of ENVIRONMENTS) {
      assert.ok(await world.get({ ...CONFIG, namespace: name, name: `${name}-a` }), name);
    }
    const rendered = await world.get({ ...CONFIG, namespace: 'umbrella', name: 'a' });
    assert.equal(textAt(rendered, 'data', 'value'), 'umbrella 1.1.0');
    await refused(world);
    const next = await push({ 'apps/team/a.yaml': null });
    await untilSynced(world, 'team-a-app', next);
    await untilInPlace(world, 'root-app');
  } finally {
    await settings({});
    await registry.close();
  }
  return undefined;
}

/** The third wave waits while the Application of the second is not healthy. */
async function holdsWave(world: World): Promise<void> {
  const read = (name: string) => world.get({ ...APPLICATION, name });
  await until('the root waits', PATIENCE_MS, async () => {
    const state = valueAt(await read('root-app'), 'status', 'operationState');
    assert.match(textAt(state, 'message'), /waiting for .*argoproj\.io\/Application\/first/);
    return textAt(await read('first'), 'status', 'health', 'status') === 'Progressing';
  });
  assert.equal(await read('api-stack'), undefined);
}

async function untilInPlace(world: World, name: string): Promise<void> {
  await until(`${name} is in place`, PATIENCE_MS, async () => {
    const app = await world.get({ ...APPLICATION, name });
    assert.equal(textAt(app, 'status', 'operationState', 'phase'), 'Succeeded');
    return textAt(app, 'status', 'sync', 'status') === 'Synced';
  });
}

async function orderedOf(world: World): Promise<void> {
  const namespace = 'api-stack';
  const job = { apiVersion: 'batch/v1', kind: 'Job', namespace, name: 'migrate' };
  await until('a hook that did well is deleted', DELETION_MS, async () => {
    return (await world.get(job)) === undefined;
  });
  const madeAt = async (kind: string, name: string) => {
    const found = await world.get({ apiVersion: 'apps/v1', kind, namespace, name });
    return Date.parse(found?.metadata.creationTimestamp ?? '');
  };
  assert.ok((await madeAt('StatefulSet', 'database')) <= (await madeAt('Deployment', 'api')));
}

async function refused(world: World): Promise<void> {
  await until('the project refuses a kind', PATIENCE_MS, async () => {
    const app = await world.get({ ...APPLICATION, name: 'team-a-app' });
    const results = listAt(app, 'status', 'operationState', 'syncResult', 'resources');
    return results.some((one) =>
      /^resource :ConfigMap is not permitted in project team-a/.test(textAt(one, 'message')),
    );
  });
  assert.equal(await world.get({ ...CONFIG, namespace: 'team-a-web', name: 'a' }), undefined);
}

export const FLEET_SCENARIOS: readonly Scenario[] = [
  {
    name: 'an app of apps brings a project, a set, charts with dependencies, waves and hooks; its waves wait for each other',
    run: fleet,
  },
];
