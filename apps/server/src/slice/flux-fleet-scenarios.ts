/** Repositories laid out as Flux's users have them: clusters, infrastructure and apps, charts among them. */
import assert from 'node:assert/strict';
import type { KubeObject } from '@capstan/kube-object';
import { parseYaml } from '@capstan/lib-yaml';
import { textAt, valueAt } from '../views/fields.ts';
import { findCondition } from '../views/kustomization-summary.ts';
import type { Scenario } from './application-scenarios.ts';
import { deployment, until, type World } from './world.ts';

const PATIENCE_MS = 60_000;
const SYSTEM = 'flux-system';
const GIT = 'kind: GitRepository, name: fleet, namespace: flux-system';

const kustomization = (name: string, rest: string) => `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: ${SYSTEM}}
spec:
  interval: 1h
  retryInterval: 1m
  timeout: 2m
  prune: true
  sourceRef: {kind: GitRepository, name: fleet}
${rest}
`;

const release = (name: string, rest: string) => `
apiVersion: v1
kind: Namespace
metadata: {name: fleet-${name}, labels: {team: ${name}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ${name}, namespace: fleet-${name}}
spec:
  interval: 30m
  releaseName: ${name}
  chart: {spec: {chart: ./charts/${name}, sourceRef: {${GIT}}, reconcileStrategy: Revision}}
${rest}
`;

const CHARTS = {
  'charts/gateway/Chart.yaml': 'apiVersion: v2\nname: gateway\nversion: 1.0.0\n',
  'charts/gateway/crds/routes.yaml': `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: routes.fleet.example.com}
spec:
  group: fleet.example.com
  names: {kind: Route, plural: routes}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {host: {type: string}}}}}}
`,
  'charts/gateway/templates/web.yaml': deployment('{{ .Release.Name }}', 1),
  'charts/shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 2.1.0\n',
  'charts/shop/values.yaml': 'color: grey\nhost: none\n',
  'charts/shop/templates/config.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data: {color: {{ .Values.color | quote }}, host: {{ .Values.host | quote }}}
`,
};

const FLEET = {
  ...CHARTS,
  'clusters/staging/infrastructure.yaml': `${kustomization(
    'infra-controllers',
    '  path: ./infrastructure/controllers\n  wait: true',
  )}---${kustomization(
    'infra-configs',
    '  path: ./infrastructure/configs\n  dependsOn: [{name: infra-controllers}]\n  postBuild: {substitute: {domain: staging.example.com}}',
  )}`,
  'clusters/staging/apps.yaml': kustomization(
    'apps',
    '  path: ./apps/staging\n  wait: true\n  dependsOn: [{name: infra-configs}]',
  ),
  'infrastructure/controllers/gateway.yaml': release('gateway', '  install: {crds: CreateReplace}'),
  'infrastructure/configs/route.yaml': `apiVersion: fleet.example.com/v1
kind: Route
metadata: {name: main, namespace: fleet-gateway}
spec: {host: "shop.\${domain}"}
`,
  'apps/base/shop/kustomization.yaml': 'resources: [release.yaml]\n',
  'apps/base/shop/release.yaml': release('shop', '  values: {color: blue}'),
  'apps/staging/kustomization.yaml':
    'resources: [../base/shop]\npatches: [{path: shop-values.yaml, target: {kind: HelmRelease}}]\n',
  'apps/staging/shop-values.yaml': values('staging'),
};

function values(color: string): string {
  return `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: fleet-shop}
spec: {values: {color: ${color}, host: shop.staging.example.com}, test: {enable: true}}
`;
}

async function applyAll(world: World, text: string): Promise<void> {
  for (const part of text.split(/^---$/m)) await world.apply(parseYaml(part) as KubeObject);
}

const source = (url: string, name = 'fleet', rest = '') => `apiVersion: v1
kind: Namespace
metadata: {name: ${SYSTEM}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: ${name}, namespace: ${SYSTEM}}
spec: {interval: 1m, url: "${url}", ref: {branch: main}${rest}}
`;

async function readData(world: World, namespace: string, name: string, key: string) {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
  return textAt(await world.get(ref), 'data', key);
}

function untilReady(world: World, kind: string, path: string) {
  const [namespace = '', name = ''] = path.split('/');
  const group = kind === 'HelmRelease' ? 'helm.toolkit.fluxcd.io' : 'kustomize.toolkit.fluxcd.io';
  return until(`${kind} ${path} is ready`, PATIENCE_MS, async () => {
    const object = await world.get({ group, kind, namespace, name });
    const ready = object && findCondition(object, 'Ready');
    if (textAt(ready, 'status') !== 'True') throw new Error(textAt(ready, 'message'));
    return object;
  });
}

async function fleet(world: World) {
  const repository = await world.repository('fleet');
  await repository.push(FLEET);
  await applyAll(world, source(repository.url));
  await applyAll(world, kustomization('fleet', '  path: ./clusters/staging'));
  for (const name of ['infra-controllers', 'infra-configs', 'apps'])
    await untilReady(world, 'Kustomization', `${SYSTEM}/${name}`);
  await untilReady(world, 'HelmRelease', 'fleet-shop/shop');
  assert.equal(await readData(world, 'fleet-shop', 'shop-config', 'color'), 'staging');
  const route = { group: 'fleet.example.com', kind: 'Route', namespace: 'fleet-gateway' };
  const made = await world.get({ ...route, name: 'main' });
  assert.equal(textAt(made, 'spec', 'host'), 'shop.staging.example.com');

  await repository.push({ 'apps/staging/shop-values.yaml': values('green') });
  const changed = await until(
    'the new color',
    PATIENCE_MS,
    async () => (await readData(world, 'fleet-shop', 'shop-config', 'color')) === 'green',
  );
  // All goes in the other order; what is in the namespaces goes with them.
  await repository.push({ 'clusters/staging/apps.yaml': null });
  await until('the release is gone', PATIENCE_MS, async () => {
    const ref = { group: 'helm.toolkit.fluxcd.io', kind: 'HelmRelease', namespace: 'fleet-shop' };
    return (await world.get({ ...ref, name: 'shop' })) === undefined;
  });
  assert.equal(await readData(world, 'fleet-shop', 'shop-config', 'color'), '');
  return { changedMs: changed.tookMs };
}

/** The example of the documentation: an overlay for one environment, its Deployment awaited, a repository with a login. */
async function sample(world: World) {
  const repository = await world.repository('locked-fleet-app');
  const base = `${deployment('my-app', 2)}`;
  await repository.push({
    'deploy/base/app.yaml': base,
    'deploy/base/kustomization.yaml': 'resources: [app.yaml]\n',
    'deploy/overlays/production/kustomization.yaml':
      'resources: [../../base]\nreplicas: [{name: my-app, count: 3}]\n',
  });
  const { username, password } = world.locked;
  await applyAll(world, source(repository.url, 'my-app', ', secretRef: {name: login}'));
  await world.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', namespace: SYSTEM },
    stringData: { username, password },
  });
  await applyAll(
    world,
    `apiVersion: v1
kind: Namespace
metadata: {name: fleet-production}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: my-app, namespace: ${SYSTEM}}
spec:
  interval: 10m
  targetNamespace: fleet-production
  sourceRef: {kind: GitRepository, name: my-app}
  path: ./deploy/overlays/production
  prune: true
  healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: my-app, namespace: fleet-production}]
  timeout: 2m
`,
  );
  await untilReady(world, 'Kustomization', `${SYSTEM}/my-app`);
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'fleet-production' };
  const made = await world.client.get({ ...ref, name: 'my-app' });
  assert.equal(valueAt(made, 'status', 'availableReplicas'), 3);
  return undefined;
}

export const FLUX_FLEET_SCENARIOS: readonly Scenario[] = [
  {
    name: 'Flux: a repository of clusters, infrastructure and apps comes up in its order, and follows each change',
    run: fleet,
  },
  {
    name: 'Flux: an overlay of a repository with a login is applied, and its Deployment awaited',
    run: sample,
  },
];
