/** Every generator of ApplicationSets, against services on this machine that speak the hosters' REST. */
import assert from 'node:assert/strict';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { textAt } from '../views/fields.ts';
import type { Scenario } from './application-scenarios.ts';
import { applicationSet } from './application-set-scenarios.ts';
import { startHoster } from './testing/hoster.ts';
import { configMap, until, type World } from './world.ts';

const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' } as const;
const OWN = 'https://kubernetes.default.svc';
const PATIENCE_MS = 60_000;
const REF = { secretName: 'every-token', key: 'token' };
const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Row {
  readonly name: string;
  readonly generator: JsonObject;
  /** What the parameters are rendered into, and what comes of it. */
  readonly text: string;
  readonly gives: string;
}

const BRANCH = '{{.organization}}/{{.repository}} {{.branch}} {{.short_sha}}';
const PULL = '{{.number}} {{.branch}} {{.target_branch}} {{.author}}';
const CHANGE = '1 change main dev';

function rows(api: string, url: string): readonly Row[] {
  const scm = (name: string, provider: JsonObject, gives = 'org/api api aaaaaaaa'): Row => ({
    name: `scm-${name.toLowerCase()}`,
    generator: { scmProvider: { [name]: provider } },
    text: BRANCH,
    gives,
  });
  const pull = (name: string, provider: JsonObject): Row => ({
    name: `pull-${name.toLowerCase()}`,
    generator: { pullRequest: { [name]: provider } },
    text: PULL,
    gives: CHANGE,
  });
  const list = (...elements: readonly JsonObject[]) => ({ list: { elements } });
  return [
    { name: 'list', generator: list({ a: 'x' }), text: '{{.a}}', gives: 'x' },
    {
      name: 'clusters',
      generator: { clusters: { selector: { matchLabels: { every: 'yes' } } } },
      text: '{{.name}} {{.server}}',
      gives: `every ${OWN}`,
    },
    {
      name: 'files',
      generator: { git: { repoURL: url, revision: 'main', files: [{ path: 'params/*.yaml' }] } },
      text: '{{.of.file}} {{.path.basename}}',
      gives: 'yes params',
    },
    {
      name: 'matrix',
      generator: { matrix: { generators: [list({ a: 'x' }), list({ b: '{{.a}}y' })] } },
      text: '{{.a}} {{.b}}',
      gives: 'x xy',
    },
    {
      name: 'merge',
      generator: {
        merge: {
          mergeKeys: ['a'],
          generators: [list({ a: 'x', b: 'old' }), list({ a: 'x', b: 'new' })],
        },
      },
      text: '{{.a}} {{.b}}',
      gives: 'x new',
    },
    {
      name: 'plugin',
      generator: {
        plugin: { configMapRef: { name: 'every-plugin' }, values: { v: '{{.name}}!' } },
      },
      text: '{{.name}} {{.values.v}}',
      gives: 'p p!',
    },
    {
      name: 'decision',
      generator: { clusterDecisionResource: { configMapRef: 'every-decision', name: 'chosen' } },
      text: '{{.name}} {{.reason}}',
      gives: 'every near',
    },
    scm('github', { organization: 'org', api }),
    scm('gitlab', { group: 'org', api }),
    scm('gitea', { owner: 'org', api }),
    scm('bitbucketServer', { project: 'P', api }, 'P/api main aaaaaaaa'),
    scm('azureDevOps', { organization: 'org', teamProject: 'team', api, accessTokenRef: REF }),
    pull('github', { owner: 'org', repo: 'api', api }),
    pull('gitlab', { project: 'org/api', api }),
    pull('gitea', { owner: 'org', repo: 'api', api }),
    pull('bitbucket', { owner: 'org', repo: 'api', api: `${api}/2.0` }),
    pull('bitbucketServer', { project: 'P', repo: 'api', api }),
    pull('azuredevops', { organization: 'org', project: 'team', repo: 'api', api }),
  ];
}

function setOf({ name, generator, text }: Row, url: string): KubeObject {
  return applicationSet(`every-${name}`, {
    goTemplate: true,
    goTemplateOptions: ['missingkey=error'],
    generators: [generator],
    template: {
      metadata: { name: `every-${name}` },
      spec: {
        project: 'default',
        source: {
          repoURL: url,
          path: '.',
          targetRevision: 'main',
          kustomize: { nameSuffix: `-${name}`, commonAnnotations: { text } },
        },
        destination: { server: OWN, namespace: 'every' },
        syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'] },
      },
    },
  });
}

/** What generators refer to: a cluster's Secret, a plugin, and a decision with its kind. */
async function prepare(world: World, api: string): Promise<void> {
  const object = (kind: string, name: string, rest: JsonObject, labels: JsonObject = {}) => ({
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace: 'argocd', labels: labels as { readonly [key: string]: string } },
    ...rest,
  });
  const cluster = { name: base64('every'), server: base64(OWN), config: base64('{}') };
  const secretType = { 'argocd.argoproj.io/secret-type': 'cluster', every: 'yes' };
  await world.apply(object('Secret', 'every-cluster', { data: cluster }, secretType));
  await world.apply(object('Secret', 'every-token', { data: { token: base64('t') } }));
  const plugin = { baseUrl: api, token: '$every-token:token' };
  await world.apply(object('ConfigMap', 'every-plugin', { data: plugin }));
  const decision = {
    apiVersion: 'every.example.com/v1',
    kind: 'decisions',
    statusListKey: 'decisions',
    matchKey: 'clusterName',
  };
  await world.apply(object('ConfigMap', 'every-decision', { data: decision }));
  await world.apply(DEFINITION);
  await until('the kind of decisions is served', PATIENCE_MS, async () => {
    const made = await world.apply({
      apiVersion: 'every.example.com/v1',
      kind: 'Decision',
      metadata: { name: 'chosen', namespace: 'argocd' },
      status: { decisions: [{ clusterName: 'every', reason: 'near' }] },
    });
    return made !== undefined;
  });
}

const DEFINITION: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'decisions.every.example.com' },
  spec: {
    group: 'every.example.com',
    scope: 'Namespaced',
    names: {
      kind: 'Decision',
      plural: 'decisions',
      singular: 'decision',
      listKind: 'DecisionList',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
};

async function everyGenerator(world: World): Promise<undefined> {
  const serving = await startHoster();
  try {
    const repository = await world.repository('every-generator');
    await repository.push({
      'kustomization.yaml': 'resources: [a.yaml]\n',
      'a.yaml': configMap('a', 'one'),
      'params/one.yaml': 'of: {file: "yes"}\n',
    });
    await prepare(world, serving.url);
    const all = rows(serving.url, repository.url);
    for (const row of all) await world.apply(setOf(row, repository.url));
    for (const { name, gives } of all) {
      await until(`what the ${name} generator gave`, PATIENCE_MS, async () => {
        const found = await world.get({ ...CONFIG, namespace: 'every', name: `a-${name}` });
        assert.equal(found?.metadata.annotations?.['text'], gives);
        return true;
      });
    }
    for (const { name } of all) {
      const set = { group: 'argoproj.io', kind: 'ApplicationSet', namespace: 'argocd' };
      const found = await world.get({ ...set, name: `every-${name}` });
      assert.equal(textAt(found, 'status', 'health', 'status'), 'Healthy', name);
      await world.client.delete({ ...set, name: `every-${name}` });
    }
    await world.client.delete({
      apiVersion: 'v1',
      kind: 'Secret',
      namespace: 'argocd',
      name: 'every-cluster',
    });
  } finally {
    await serving.close();
  }
  return undefined;
}

export const GENERATOR_SCENARIOS: readonly Scenario[] = [
  { name: 'every generator of ApplicationSets gives what is delivered', run: everyGenerator },
];
