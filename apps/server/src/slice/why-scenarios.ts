import assert from 'node:assert/strict';
import {
  type ExplanationView,
  type FieldExplanation,
  type PlanView,
  whyPath,
} from '@capstan/apps-contract';
import { textAt } from '../views/fields.ts';
import { findCondition } from '../views/kustomization-summary.ts';
import { type Scenario, untilSynced } from './application-scenarios.ts';
import { application, configMap, deployment, until, type World } from './world.ts';

const FLUX = 'flux-system';
const PATIENCE_MS = 20_000;

async function why(
  world: World,
  target: string,
  field: string,
  namespace: string,
): Promise<FieldExplanation> {
  const [kind = '', name = ''] = target.split('/');
  const answer = await world.ask(whyPath({ kind, name, namespace, field, app: '' }));
  assert.ok(typeof answer === 'object' && answer !== null && 'sources' in answer, `${answer}`);
  return answer as FieldExplanation;
}

/** Each line as `file:line (role) commit author`, with the commit's own name for people. */
function tell({ sources }: FieldExplanation, names: Readonly<Record<string, string>>) {
  return sources.map(({ file, line, role, commit }) => {
    const what = role === '' ? '' : ` (${role})`;
    const who = commit === null ? '' : ` ${names[commit.sha] ?? commit.sha}, ${commit.author}`;
    return `${file ?? 'the app'}:${line ?? ''}${what}${who}`;
  });
}

async function untilReady(world: World, kind: string, name: string): Promise<void> {
  const group = kind === 'HelmRelease' ? 'helm.toolkit.fluxcd.io' : 'kustomize.toolkit.fluxcd.io';
  await until(`${kind} ${name}`, PATIENCE_MS, async () => {
    const object = await world.get({ group, kind, namespace: FLUX, name });
    if (object === undefined) return false;
    const ready = findCondition(object, 'Ready');
    if (textAt(ready, 'status') !== 'True') throw new Error(textAt(ready, 'message'));
    return true;
  });
}

async function deliverByFlux(world: World, name: string, url: string): Promise<void> {
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: FLUX } });
  await world.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name, namespace: FLUX },
    spec: { interval: '1m', url, ref: { branch: 'main' } },
  });
  await world.apply({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: FLUX },
    spec: {
      interval: '10m',
      path: './app',
      prune: true,
      targetNamespace: FLUX,
      sourceRef: { kind: 'GitRepository', name },
    },
  });
}

const RELEASE = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: why-release
spec:
  interval: 10m
  chart:
    spec:
      chart: ./chart
      sourceRef:
        kind: GitRepository
        name: why-release
  values:
    greeting: hello
`;

/** An Application that says what its chart gets in each of the three ways. */
function inlineApplication(url: string): string {
  return `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: why-inline
  namespace: argocd
spec:
  project: default
  sources:
  - repoURL: ${url}
    path: chart
    targetRevision: main
    helm:
      values: |
        # of production

        text: hello
      parameters:
      - name: other
        value: unused
      - name: parameter
        value: named
  - repoURL: ${url}
    path: chart
    targetRevision: main
    helm:
      releaseName: second
      valuesObject:
        text: object
  destination:
    server: https://kubernetes.default.svc
    namespace: why-inline
  syncPolicy:
    automated: {}
    syncOptions: [CreateNamespace=true]
`;
}

export const WHY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a field of a live object leads to file, line, commit and author, and to who wrote the live value',
    run: async (world) => {
      const repository = await world.repository('why-kustomized');
      const base = await repository.push({
        'base/web.yaml': deployment('web', 2),
        'base/kustomization.yaml': 'resources: [web.yaml]\n',
        'app/kustomization.yaml':
          'resources: [../base]\nimages:\n- name: nginx\n  newTag: "1.26"\n',
      });
      const bump = await repository.push({
        'app/kustomization.yaml':
          'resources: [../base]\nimages:\n- name: nginx\n  newTag: "1.28"\n',
      });
      const names = { [base]: 'base', [bump]: 'bump' };
      const manual = { syncOptions: ['CreateNamespace=true'] };
      const place = { url: repository.url, path: 'app' };
      const app = application('why-kustomized', place, { sync: manual });
      await world.apply({ ...app, operation: { sync: manual } });
      await untilSynced(world, 'why-kustomized', bump);
      const image = await why(
        world,
        'deployments/web',
        'spec.template.spec.containers[0].image',
        'why-kustomized',
      );
      assert.deepEqual(
        [image.app.name, image.live, image.desired],
        ['why-kustomized', '"nginx:1.28"', '"nginx:1.28"'],
      );
      assert.deepEqual(tell(image, names), [
        'app/kustomization.yaml:4 (images[0]) bump, Ann <ann@example.com>',
      ]);
      assert.equal(image.sources[0]?.repo, repository.url);
      assert.deepEqual(
        image.writers.map(({ manager, operation }) => `${manager} ${operation}`),
        ['argocd-controller Apply'],
      );
      await world.client.patch(
        { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'why-kustomized', name: 'web' },
        { spec: { replicas: 3 } },
        { type: 'merge', fieldManager: 'kubectl-edit' },
      );
      const replicas = await why(world, 'Deployment/web', 'spec.replicas', 'why-kustomized');
      assert.deepEqual([replicas.live, replicas.desired], ['3', '2']);
      assert.deepEqual(tell(replicas, names), ['base/web.yaml:6 base, Ann <ann@example.com>']);
      assert.equal(replicas.writers[0]?.manager, 'kubectl-edit');
      return undefined;
    },
  },
  {
    name: 'a field of a chart leads to the template, and to values of another repository and of the app itself',
    run: async (world) => {
      const charts = await world.repository('why-chart');
      const values = await world.repository('why-values');
      const chart = await charts.push({
        'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
        'chart/values.yaml': 'greeting: default\nfrom: chart\n',
        'chart/templates/cm.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  value: {{ .Values.greeting | quote }}
  from: {{ .Values.from }}
`,
      });
      const greeting = await values.push({ 'prod.yaml': '# of production\ngreeting: hello\n' });
      const { spec, ...app } = application('why-chart', { url: '', path: '' });
      const { source: _, ...rest } = spec as { readonly source: unknown };
      await world.apply({
        ...app,
        spec: {
          ...rest,
          sources: [
            {
              repoURL: charts.url,
              path: 'chart',
              targetRevision: 'main',
              helm: {
                valueFiles: ['$values/prod.yaml'],
                parameters: [{ name: 'from', value: 'parameter' }],
              },
            },
            { repoURL: values.url, targetRevision: 'main', ref: 'values' },
          ],
        },
      } as typeof app);
      const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'why-chart', name: 'web' };
      await until('the chart', PATIENCE_MS, () => world.get(ref));
      const names = { [chart]: 'chart', [greeting]: 'greeting' };
      const ask = (field: string) =>
        until(field, PATIENCE_MS, () => why(world, 'ConfigMap/web', field, 'why-chart'));
      const { value } = await ask('data.value');
      assert.deepEqual(tell(value, names), [
        'chart/templates/cm.yaml:6 (template) chart, Ann <ann@example.com>',
        'prod.yaml:2 (value greeting) greeting, Ann <ann@example.com>',
      ]);
      assert.deepEqual(
        value.sources.map(({ repo }) => repo),
        [charts.url, values.url],
      );
      assert.deepEqual(tell((await ask('data.from')).value, names), [
        'chart/templates/cm.yaml:7 (template) chart, Ann <ann@example.com>',
        'the app: (value from in helm.parameters)',
      ]);
      return undefined;
    },
  },
  {
    name: 'values that an Application writes itself lead to their lines in the file that brought it',
    run: async (world) => {
      const repository = await world.repository('why-inline');
      const commit = await repository.push({
        'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
        'chart/templates/cm.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  text: {{ .Values.text }}
  parameter: {{ .Values.parameter | default "none" }}
`,
        'apps/web.yaml': inlineApplication(repository.url),
      });
      const parent = { url: repository.url, path: 'apps' };
      await world.apply(application('why-inline-parent', parent, { namespace: 'argocd' }));
      const names = { [commit]: 'first' };
      const line = async (name: string, field: string) => {
        const ask = () => why(world, `ConfigMap/${name}`, field, 'why-inline');
        const { value } = await until(field, PATIENCE_MS, ask);
        return tell(value, names)[1];
      };
      assert.deepEqual(
        [
          await line('why-inline', 'data.text'),
          await line('why-inline', 'data.parameter'),
          await line('second', 'data.text'),
        ],
        [
          'apps/web.yaml:16 (value text in helm.values) first, Ann <ann@example.com>',
          'apps/web.yaml:21 (value parameter in helm.parameters) first, Ann <ann@example.com>',
          'apps/web.yaml:28 (value text in helm.values) first, Ann <ann@example.com>',
        ],
      );
      return undefined;
    },
  },
  {
    name: 'Flux: a Kustomization tells its plan, why it waits, and where a field comes from',
    run: async (world) => {
      const repository = await world.repository('why-flux');
      const first = await repository.push({ 'app/cm.yaml': configMap('why-flux', 'one') });
      await deliverByFlux(world, 'why-flux', repository.url);
      await untilReady(world, 'Kustomization', 'why-flux');
      const path = `/api/apps/Kustomization/${FLUX}/why-flux`;
      assert.deepEqual(await world.ask(`${path}/explain`), []);
      const value = await why(world, 'configmap/why-flux', 'data.value', FLUX);
      assert.deepEqual(tell(value, { [first]: 'first' }), [
        'app/cm.yaml:6 first, Ann <ann@example.com>',
      ]);
      assert.deepEqual(
        value.writers.map(({ manager }) => manager),
        ['kustomize-controller'],
      );
      await world.client.patch(
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: FLUX, name: 'why-flux' },
        { metadata: { annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } } },
        { type: 'merge' },
      );
      const plan = (await world.ask(`${path}/plan`)) as PlanView;
      assert.deepEqual(plan.revisions, [first]);
      assert.deepEqual(plan.problems, []);
      await repository.push({ 'app/cm.yaml': 'kind: ConfigMap\n' });
      const told = await until('the explanation', PATIENCE_MS, async () => {
        const read = (await world.ask(`${path}/explain`)) as readonly ExplanationView[];
        return read.length > 0 && read;
      });
      assert.match(told.value[0]?.sentence ?? '', /BuildFailed|failed to/);
      assert.notEqual(told.value[0]?.next, '');
      return undefined;
    },
  },
  {
    name: 'Flux: a field of a release leads to the template, and through spec.values to the file that brought the release',
    run: async (world) => {
      const repository = await world.repository('why-release');
      const commit = await repository.push({
        'app/release.yaml': RELEASE,
        'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
        'chart/values.yaml': 'greeting: default\n',
        'chart/templates/cm.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-cm
data:
  value: {{ .Values.greeting }}
`,
      });
      await deliverByFlux(world, 'why-release', repository.url);
      await untilReady(world, 'Kustomization', 'why-release');
      await untilReady(world, 'HelmRelease', 'why-release');
      const value = await why(world, 'ConfigMap/why-release-cm', 'data.value', FLUX);
      assert.equal(value.app.kind, 'HelmRelease');
      assert.deepEqual(tell(value, { [commit]: 'first' }), [
        'chart/templates/cm.yaml:6 (template) first, Ann <ann@example.com>',
        'app/release.yaml:14 (value greeting in spec.values) first, Ann <ann@example.com>',
      ]);
      assert.equal(value.writers[0]?.manager, 'helm-controller');
      return undefined;
    },
  },
];
