import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type HelmRelease, parseHelmRelease } from '@capstan/flux-api';
import { specFields } from '@capstan/flux-api/testing';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { chartFromTemplate } from './chart-template.ts';
import { commonMetadataDigest, postRenderersDigest } from './digests.ts';
import { ignoredPaths } from './drift.ts';
import { releaseName, releaseNamespace, sourceOf, storageNamespace } from './names.ts';
import {
  activeRemediation,
  detectsDrift,
  remediationOf,
  retryIntervalMs,
  timeoutMs,
} from './policies.ts';
import { releaseExpressions } from './release-expressions.ts';
import { createWorld } from './testing/world.ts';
import {
  toInstallOptions,
  toRollbackOptions,
  toTestOptions,
  toUninstallOptions,
  toUpgradeOptions,
} from './to-release-options.ts';

/** What is read with the help of others than the pure parts, and the test that shows that it counts. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'dependsOn[].name': 'scenarios.test.ts: a release waits for those that it depends on',
  'dependsOn[].namespace': 'release-fields.test.ts: a dependency may be of another namespace',
  'dependsOn[].readyExpr': 'scenarios.test.ts: a release waits for those that it depends on',
  'healthCheckExprs[].apiVersion':
    'release-fields.test.ts: expressions judge the kinds that they name',
  interval: 'scenarios.test.ts: writes nothing and asks for nothing while nothing changes',
  'kubeConfig.configMapRef.name':
    '../../controllers/src/kubeconfig-map.test.ts: a ConfigMap leads to a cluster with a token',
  'kubeConfig.secretRef.key':
    '../../controllers/src/kustomization-fields.test.ts: a kubeconfig from the key that is named',
  'kubeConfig.secretRef.name':
    '../../controllers/src/destination.test.ts: a kubeconfig in a Secret leads to another cluster',
  serviceAccountName:
    '../../../conformance/flux-helm/releases.test.ts: act as the service account that they name',
  suspend: 'scenarios.test.ts: is left alone while suspended',
  'test.enable': 'scenarios.test.ts: by its tests is not ready, unless failures are ignored',
  'upgrade.chartNameChangeStrategy':
    'release-fields.test.ts: a chart of another name is installed anew',
  values: 'scenarios.test.ts: is installed, upgraded by values and chart',
  'valuesFrom[].kind': 'scenarios.test.ts: values come from ConfigMaps and Secrets, in their order',
  'valuesFrom[].literal':
    'scenarios.test.ts: values come from ConfigMaps and Secrets, in their order',
  'valuesFrom[].name': 'scenarios.test.ts: values come from ConfigMaps and Secrets, in their order',
  'valuesFrom[].optional':
    'scenarios.test.ts: values come from ConfigMaps and Secrets, in their order',
  'valuesFrom[].targetPath':
    'scenarios.test.ts: values come from ConfigMaps and Secrets, in their order',
  'valuesFrom[].valuesKey':
    'scenarios.test.ts: values come from ConfigMaps and Secrets, in their order',
};

/** What changes nothing here, with the reason. */
const WITHOUT_MEANING: Readonly<Record<string, string>> = {
  'chart.spec.sourceRef.apiVersion': 'the original does not read it',
  'chartRef.apiVersion': 'the original does not read it',
  'install.disableOpenAPIValidation': 'the server validates: Helm asks for it only where it cannot',
  'upgrade.disableOpenAPIValidation': 'the server validates: Helm asks for it only where it cannot',
  persistentClient: 'no client is kept for one release',
  'rollback.recreate': 'Helm 4 has no such option any more',
  'waitStrategy.name': 'one set of rules, see docs/differences/flux-helm.md',
};

const ENOUGH: JsonObject = {
  interval: '10m',
  targetNamespace: 'shop',
  install: { strategy: { name: 'RetryOnFailure' } },
  upgrade: { strategy: { name: 'RetryOnFailure' } },
  healthCheckExprs: [{ apiVersion: 'v1', kind: 'sample0', current: 'true' }],
  driftDetection: { ignore: [{ paths: ['/data'], target: {} }] },
};

test('every field of a HelmRelease changes what is done, or names the test that shows what it changes', () => {
  const unread: string[] = [];
  for (const { path, samples } of specFields('HelmRelease', 'v2', ENOUGH)) {
    const [a, b] = samples.map(lower);
    if (a === b) unread.push(path);
  }
  const known = [...Object.keys(ELSEWHERE), ...Object.keys(WITHOUT_MEANING)];
  assert.deepEqual(unread.toSorted(), known.toSorted());
});

test('each test that is named for a field exists', () => {
  for (const [path, where] of Object.entries(ELSEWHERE)) {
    const [file = '', ...name] = where.split(': ');
    const text = readFileSync(join(import.meta.dirname, file), 'utf8');
    assert.ok(text.includes(name.join(': ')), `${path}: ${where}`);
  }
});

test('expressions judge the kinds that they name, or all of their group', () => {
  const { healthCheck } = releaseExpressions();
  const judge = (check: JsonObject) => healthCheck([{ current: 'true', ...check }])(SAMPLE)?.status;
  assert.equal(judge({ apiVersion: 'sample0/v1', kind: 'sample0' }), 'Current');
  assert.equal(judge({ apiVersion: 'sample0/v9' }), 'Current');
  assert.equal(judge({ apiVersion: 'other/v1', kind: 'sample0' }), undefined);
});

const chart = (name: string) => ({
  'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`,
  'templates/c.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`,
});
const release = (spec: string, place = 'name: web, namespace: apps') => `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {${place}}
spec: {interval: 10m, ${spec}}
`;
const of = (name: string) =>
  `chart: {spec: {chart: ${name}, sourceRef: {kind: HelmRepository, name: charts, namespace: apps}}}`;

test('a dependency may be of another namespace, a chart of another name is installed anew', async () => {
  await using world = await createWorld();
  for (const name of ['one', 'two']) world.charts.publish(chart(name));
  await world.apply(`
apiVersion: v1
kind: Namespace
metadata: {name: base}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: apps}
spec: {url: "${world.charts.url}", interval: 10m}
`);
  const dependsOn = 'dependsOn: [{name: web, namespace: base}]';
  await world.apply(release(`${of('one')}, ${dependsOn}`));
  const told = await world.condition('HelmRelease', 'apps/web', 'Ready=False DependencyNotReady');
  assert.match(told, /'base\/web'/);
  await world.apply(release(of('two'), 'name: web, namespace: base'));
  await world.condition('HelmRelease', 'apps/web', 'Ready=True InstallSucceeded');

  const strategy = (name: string) => `upgrade: {chartNameChangeStrategy: ${name}}`;
  await world.apply(release(`${of('two')}, ${strategy('InPlaceUpdate')}`));
  await world.condition('HelmRelease', 'apps/web', 'Ready=True UpgradeSucceeded');
  await world.apply(release(`${of('one')}, ${strategy('Reinstall')}`));
  await world.condition('HelmRelease', 'apps/web', 'Ready=True InstallSucceeded');
});

function lower(spec: JsonObject): string {
  const parsed = parseHelmRelease({
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'app', namespace: 'apps', generation: 1 },
    spec,
  });
  if (parsed.kind !== 'ok') return JSON.stringify(parsed);
  try {
    return JSON.stringify(decisions(parsed.value));
  } catch (error) {
    return String(error);
  }
}

const SAMPLE: KubeObject = {
  apiVersion: 'sample0/sample0',
  kind: 'sample0',
  metadata: {
    name: 'sample0',
    namespace: 'sample0',
    labels: { sample0: '' },
    annotations: { sample0: '' },
  },
  sample0: true,
};

function decisions(release: HelmRelease) {
  const { spec } = release;
  const place = { namespace: 'apps', storageNamespace: 'apps' };
  const actions = ['install', 'upgrade'] as const;
  const timed = ['install', 'upgrade', 'test', 'rollback', 'uninstall'] as const;
  return [
    [releaseName(release), releaseNamespace(release), storageNamespace(release), sourceOf(release)],
    chartFromTemplate(release),
    [toInstallOptions(release), toUpgradeOptions(release, undefined), toTestOptions(release)],
    toRollbackOptions(release, { revision: 1, record: undefined }),
    toUninstallOptions(release, place),
    [detectsDrift(release), spec.driftDetection?.mode, activeRemediation(release)],
    ignoredPaths(SAMPLE, spec.driftDetection?.ignore ?? []),
    releaseExpressions().healthCheck(spec.healthCheckExprs ?? [])({ ...SAMPLE, apiVersion: 'v1' }),
    actions.map((action) => [remediationOf(release, action), retryIntervalMs(release, action)]),
    timed.map((action) => timeoutMs(release, action)),
    postRenderersDigest(spec.postRenderers ?? []),
    spec.commonMetadata && commonMetadataDigest(spec.commonMetadata),
  ];
}
