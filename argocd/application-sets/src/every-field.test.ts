/** Each field of an ApplicationSet changes what is asked for, generated or planned, or is listed with the reason why not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CrdField, fieldsOf, withField } from '@capstan/argocd-api/testing';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { memoryTree } from '@capstan/lib-files';
import { messageOf } from '@capstan/lib-std';
import { generateApplications } from './generate-applications.ts';
import { outsideIntervalMs } from './look-interval.ts';
import type { Outside } from './observation.ts';
import { planApplications, policyOf } from './plan-applications.ts';
import { isReversed, stepsOf } from './rolling-sync.ts';
import { assignSteps } from './rollout-steps.ts';
import { parseSet } from './set-state.ts';
import { applicationSetLanguage } from './template-functions.ts';
import { surroundingsOf } from './testing/generate.ts';
import { HOSTED, standInHttp } from './testing/hosted.ts';

const VALUES: { readonly [end: string]: Json } = {
  'git.repoURL': 'https://git.example.com/other.git',
  'git.revision': 'other',
  'azuredevops.repo': 'api',
  'gitlab.includeSharedProjects': false,
  'directories[].path': '*',
  'files[].path': '*.yaml',
  'list.elements': [{ name: 'a' }],
  'list.elementsYaml': '[{"name": "b"}]',
  'matrix.generators': [{ list: { elements: [{ a: 1 }] } }, { list: { elements: [{ b: 1 }] } }],
  'merge.generators': [{ list: { elements: [{ a: 1 }] } }, { list: { elements: [{ a: 1 }] } }],
  'merge.mergeKeys': ['a'],
  'selector.matchLabels': { no: 'such' },
  'selector.matchExpressions[].operator': 'Exists',
  'selector.matchExpressions[].values': ['x'],
  'labelSelector.matchExpressions[].operator': 'Exists',
  api: 'https://hoster.example.com',
  'filters[].repositoryMatch': '^none$',
  'filters[].branchMatch': '^none$',
  'filters[].labelMatch': '^none$',
  'filters[].targetBranchMatch': '^none$',
  'filters[].titleMatch': '^none$',
  'scmProvider.cloneProtocol': 'https',
  'awsCodeCommit.region': 'eu-north-1',
  labels: ['none'],
  template: { metadata: { labels: { own: 'yes' } }, spec: {} },
  goTemplate: true,
  goTemplateOptions: ['missingkey=error'],
  templatePatch: '{"metadata": {"labels": {"patched": "yes"}}}',
  'preservedFields.annotations': ['kept'],
  'preservedFields.labels': ['kept'],
  'ignoreApplicationDifferences[].jsonPointers': ['/spec/source/targetRevision'],
  'ignoreApplicationDifferences[].jqPathExpressions': ['.spec.source.targetRevision'],
  'ignoreApplicationDifferences[].name': 'other',
  'strategy.type': 'RollingSync',
  'strategy.deletionOrder': 'Reverse',
  'matchExpressions[].operator': 'In',
  'matchExpressions[].key': 'kept',
  'matchExpressions[].values': ['live'],
  'syncPolicy.applicationsSync': 'create-only',
};

const isOpaque = (path: string) =>
  /(?:template|matrix\.generators|merge\.generators)$/.test(path) || path.endsWith('elements');
const OPTIONS = { values: VALUES, opaque: isOpaque };

const TEMPLATE: JsonObject = {
  metadata: { name: 'app', annotations: { text: '{{ toJson . }}' } },
  spec: {
    project: 'default',
    source: { repoURL: 'https://git.example.com/a.git', path: '.', targetRevision: 'main' },
    destination: { server: 'https://kubernetes.default.svc', namespace: 'a' },
  },
};

/** Owned by the set; somebody changed its revision, and gave it a label and an annotation. */
const LIVE: KubeObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: {
    name: 'app',
    namespace: 'argocd',
    labels: { kept: 'live' },
    annotations: { kept: 'live', text: '' },
    finalizers: ['resources-finalizer.argocd.argoproj.io'],
    ownerReferences: [
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'ApplicationSet',
        name: 'set',
        uid: 'u',
        controller: true,
      },
    ],
  },
  spec: { ...(TEMPLATE['spec'] as JsonObject), source: { repoURL: 'x', targetRevision: 'live' } },
};

function baseOf(generator: JsonObject, spec: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'set', namespace: 'argocd', uid: 'u' },
    spec: { goTemplate: true, generators: [generator], template: TEMPLATE, ...spec },
  };
}

const GIT = { repoURL: 'https://git.example.com/a.git', revision: 'HEAD' };
const OCI = { repoURL: 'oci://registry.example.com/a', revision: '1.0.0' };
const LIST = { list: { elements: [{ name: 'a' }] } };
const STEPS = [{ matchExpressions: [{ key: 'kept', operator: 'In', values: ['live'] }] }];

/** What has to stand around a field, by the beginning of its path. */
const SURROUNDINGS: readonly (readonly [start: RegExp, base: JsonObject])[] = [
  [/\.oci\.files/, baseOf({ oci: { ...OCI, files: [{ path: '*.yaml' }] } })],
  [/\.oci\./, baseOf({ oci: { ...OCI, directories: [{ path: '*' }] } })],
  [/\.git\.files/, baseOf({ git: { ...GIT, files: [{ path: '*.yaml' }] } })],
  [/\.git\./, baseOf({ git: { ...GIT, directories: [{ path: '*' }] } })],
  [/\.list\.elements$/, baseOf({ list: {} })],
  [/\.(?:list\.|selector)/, baseOf(LIST)],
  [/\.clusters\./, baseOf({ clusters: {} })],
  [/\.matrix\.template/, baseOf({ matrix: { generators: VALUES['matrix.generators'] ?? [] } })],
  [/\.matrix\./, baseOf({ matrix: {} })],
  [
    /\.merge\.template/,
    baseOf({ merge: { mergeKeys: ['a'], generators: VALUES['merge.generators'] ?? [] } }),
  ],
  [/\.merge\.generators/, baseOf({ merge: { mergeKeys: ['a'] } })],
  [/\.merge\.mergeKeys/, baseOf({ merge: { generators: VALUES['merge.generators'] ?? [] } })],
  [/\.plugin\./, baseOf({ plugin: { configMapRef: { name: 'plugin' } } })],
  [
    /\.clusterDecisionResource\.labelSelector/,
    baseOf({ clusterDecisionResource: { configMapRef: 'duck' } }),
  ],
  [
    /\.clusterDecisionResource\./,
    baseOf({ clusterDecisionResource: { configMapRef: 'duck', name: 'd' } }),
  ],
  [
    /matchExpressions\[\]\.(?:key|operator|values)/,
    baseOf(LIST, { strategy: { type: 'RollingSync', rollingSync: { steps: STEPS } } }),
  ],
  [/\.strategy\.rollingSync/, baseOf(LIST, { strategy: { type: 'RollingSync' } })],
  [
    /\.strategy/,
    baseOf(LIST, { strategy: { type: 'RollingSync', rollingSync: { steps: STEPS } } }),
  ],
  [
    /\.ignoreApplicationDifferences\[\]\.name/,
    baseOf(LIST, {
      ignoreApplicationDifferences: [{ jsonPointers: ['/spec/source/targetRevision'] }],
    }),
  ],
  [
    /\.goTemplateOptions/,
    baseOf(LIST, {
      template: { ...TEMPLATE, metadata: { name: 'app', annotations: { text: '{{ .none }}' } } },
    }),
  ],
];

const TREE = memoryTree({
  'a/x.yaml': 'p: 1',
  'b/x.yaml': 'p: 2',
  'c.yaml': 'p: 3',
  'd.yaml': 'p: 4',
});

function surroundingOf({ path }: CrdField): JsonObject {
  if (path === 'spec.goTemplate') return baseOf(LIST, { goTemplate: false });
  if (path.endsWith('continueOnRepoNotFoundError'))
    return baseOf({ pullRequest: { github: { owner: 'org', repo: 'missing' } } });
  const hosted = /\.(scmProvider|pullRequest)\.(\w+)/.exec(path);
  if (hosted !== null) {
    const [, kind = '', name = ''] = hosted;
    const hoster = HOSTED[kind]?.[name] === undefined ? 'github' : name;
    return baseOf({ [kind]: { [hoster]: HOSTED[kind]?.[hoster] ?? {} } });
  }
  const found = SURROUNDINGS.find(([start]) => start.test(path));
  return found?.[1] ?? baseOf(LIST);
}

async function effectOf(object: JsonObject): Promise<string> {
  const asked: string[] = [];
  try {
    const set = parseSet(object as KubeObject);
    const generation = await generateApplications(set, {
      surroundings: {
        ...surroundingsOf({
          clusters: [
            {
              name: 'one',
              server: 'https://one',
              project: '',
              labels: { env: 'a' },
              annotations: {},
            },
            {
              name: 'two',
              server: 'https://two',
              project: '',
              labels: { env: 'b' },
              annotations: {},
            },
          ],
        }),
        outside: outsideWorld(asked),
        readRepository: async (repository) => {
          asked.push(JSON.stringify(repository));
          return TREE;
        },
      },
      language: applicationSetLanguage(),
      now: () => 0,
    });
    const applications = generation.kind === 'generated' ? generation.applications : [];
    const plan = planApplications({
      applicationSet: set,
      wanted: applications.slice(0, 1),
      names: new Set(),
      existing: [LIVE],
      clusters: [],
    });
    const steps = assignSteps(stepsOf(set), [LIVE]);
    return JSON.stringify([
      asked,
      generation.kind === 'failed' ? generation.error.message : applications,
      plan,
      policyOf(set),
      [isReversed(set), steps.steps, stepsOf(set).map(({ maxUpdate }) => maxUpdate)],
      outsideIntervalMs(set.spec),
      JSON.stringify(set.spec.generators).match(/"requeueAfterSeconds":\d+/)?.[0],
    ]);
  } catch (error) {
    return `refused: ${messageOf(error)} ${asked.join()}`;
  }
}

function outsideWorld(asked: string[]): Outside {
  const value = async (kind: string, ref: JsonObject) => {
    asked.push(`${kind} ${JSON.stringify(ref)}`);
    return `${kind}-value`;
  };
  return {
    http: standInHttp(asked),
    pluginHttp: standInHttp(asked),
    scm: { enabled: true, allowedProviders: [] },
    aws: {
      region: 'eu-west-1',
      credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' }),
    },
    now: () => 0,
    secretValue: (ref) => value('secret', { ...ref }),
    configMapValue: (ref) => value('map', { ...ref }),
    controlConfigMap: async (name) => {
      asked.push(`map ${name}`);
      return {
        baseUrl: 'https://plugin.example.com',
        token: '$plugin:token',
        apiVersion: 'example.com/v1',
        kind: 'decisions',
        statusListKey: 'decisions',
        matchKey: 'name',
      };
    },
    controlSecretValue: (ref) => value('control', { ...ref }),
    rootCertificates: async () => '',
    githubApp: async (name) => {
      asked.push(`app ${name}`);
      throw new Error('no app');
    },
    listResources: async (resource, selection) => {
      asked.push(JSON.stringify([resource, selection]));
      return [
        {
          apiVersion: 'example.com/v1',
          kind: 'Decision',
          metadata: { name: 'd' },
          status: { decisions: [{ name: 'one' }] },
        },
      ];
    },
  };
}

const LINE = / — /;

test('every field of an ApplicationSet counts', async () => {
  const text = readFileSync(new URL('../testdata/set-fields.txt', import.meta.url), 'utf8');
  const exceptions = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(LINE));
  const fields = fieldsOf('ApplicationSet', 'spec', OPTIONS);
  assert.ok(fields.length > 150, `${fields.length} fields`);
  const idle: string[] = [];
  for (const field of fields) {
    const base = surroundingOf(field);
    const [set, unset] = await Promise.all(
      [true, false].map((isSet) =>
        effectOf(withField(base, field, { ...OPTIONS, kind: 'ApplicationSet', isSet })),
      ),
    );
    if (set === unset) idle.push(field.path);
  }
  const fits = (pattern: string, path: string) =>
    pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
  assert.deepEqual(
    idle.filter((path) => !exceptions.some(([pattern = '']) => fits(pattern, path))),
    [],
    'fields without effect and without a reason',
  );
  assert.deepEqual(
    exceptions.filter(
      ([pattern = '', reason = '']) => reason === '' || !idle.some((path) => fits(pattern, path)),
    ),
    [],
    'exceptions that are none, or without a reason',
  );
});
