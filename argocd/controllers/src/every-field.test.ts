/** Each field of Application and AppProject changes what is done, or is listed with the reason why it does not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type Application,
  type AppProject,
  parseApplication,
  parseAppProject,
} from '@capstan/argocd-api';
import { type CrdField, fieldsOf, withField } from '@capstan/argocd-api/testing';
import type { DeliveryStatus } from '@capstan/engine-delivery';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import { buildEnvironment } from './build-environment.ts';
import { IN_CLUSTER } from './clusters.ts';
import { hydrationKey } from './hydrate.ts';
import { DEFAULT_PROJECT_SPEC, isNamespacePermitted } from './project-guard.ts';
import { readSettings } from './settings.ts';
import { operationOf } from './testing/fixtures.ts';
import { toApplicationStatus } from './to-application-status.ts';
import {
  accountFor,
  type LoweringContext,
  renderContext,
  toDelivery,
  toDeliverySources,
} from './to-delivery.ts';
import { toOperationRequest } from './to-operation-request.ts';
import { type ApplicationDeliverySource, toRenderSpec } from './to-sources.ts';

const NOW_MS = Date.parse('2024-05-06T12:30:00Z');
const EAST = { name: 'east', server: 'https://east.example.com', project: 'team' };
const REPO = 'https://git.example.com/a.git';
const COMMIT = 'a'.repeat(40);
const KEY = '4AEE18F83AFDEB23';

/** Values that are understood where others would be refused, or that mean something beside what the base says. */
const VALUES: { readonly [end: string]: Json } = {
  'destination.name': 'east',
  'destination.server': EAST.server,
  repoURL: 'https://git.example.com/b.git',
  'backoff.duration': '9s',
  'backoff.maxDuration': '9m',
  'replicas[].count': 7,
  'kustomize.images': ['nginx:7'],
  'kustomize.version': 'v7',
  'kustomize.commonAnnotations': { of: '$ARGOCD_APP_NAME' },
  'syncPolicy.syncOptions': ['Replace=true'],
  'automated.enabled': false,
  'sync.syncOptions': ['Replace=true'],
  'syncWindows[].kind': 'allow',
  'syncWindows[].schedule': '0 12 * * *',
  'syncWindows[].duration': '1h',
  'syncWindows[].timeZone': 'Asia/Tokyo',
  'syncWindows[].applications': ['web'],
  'syncWindows[].namespaces': ['web'],
  'syncWindows[].clusters': [IN_CLUSTER.server],
  'git.policies[].repos[].url': '*',
  'gpg.mode': 'strict',
  'gpg.keys': [KEY],
  'signatureKeys[].keyID': KEY,
  'destinationServiceAccounts[].server': '*',
  'destinationServiceAccounts[].namespace': 'web',
  sourceNamespaces: ['other'],
  sourceRepos: ['*'],
  'destinations[].server': IN_CLUSTER.server,
  'destinations[].name': IN_CLUSTER.name,
  'destinations[].namespace': 'web',
  'Blacklist[].group': '',
};

const OPTIONS = { values: VALUES, opaque: (path: string) => path.endsWith('.valuesObject') };

const APPLICATION: JsonObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'web', namespace: 'argocd', uid: 'u' },
  spec: {
    project: 'default',
    destination: { server: IN_CLUSTER.server, namespace: 'web' },
    source: { repoURL: REPO, path: 'app' },
  },
  status: {
    operationState: {
      phase: 'Running',
      message: '',
      startedAt: '2024-05-06T11:55:00Z',
      operation: {},
    },
    history: Array.from({ length: 10 }, (_, id) => ({
      id,
      deployedAt: '2024-05-05T12:30:00Z',
      revision: COMMIT,
    })),
  },
};
const PROJECT: JsonObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'default', namespace: 'argocd' },
  spec: { ...DEFAULT_PROJECT_SPEC },
};

const SETTINGS = readSettings({
  'kustomize.version.v7': '/x',
  'kustomize.buildOptions.v7': '--enable-helm',
});
const IMPERSONATING = readSettings({ 'application.sync.impersonation.enabled': 'true' });

function contextWith(project: AppProject, impersonates: boolean): LoweringContext {
  return {
    controlNamespace: 'argocd',
    project,
    credentials: [],
    clusters: [IN_CLUSTER, EAST],
    settings: impersonates ? IMPERSONATING : SETTINGS,
    nowMs: NOW_MS,
    keys: { [KEY]: 'armored' },
  };
}

function parse<T>(
  parsed: { readonly kind: 'ok'; readonly value: T } | { readonly kind: string },
): T {
  if (parsed.kind === 'ok' && 'value' in parsed) return parsed.value;
  throw new Error(`refused: ${JSON.stringify(parsed)}`);
}

/** All that an Application leads to, as text. */
function effectOfApplication(object: JsonObject): string {
  return tell(() => {
    const app = parse<Application>(parseApplication(object as KubeObject));
    const context = contextWith(parse(parseAppProject(PROJECT as KubeObject)), false);
    const delivery = toDelivery(app, context);
    const { sourceHydrator } = app.spec;
    const request = toOperationRequest(app, undefined, context);
    const dry = sourceHydrator && toDeliverySources([sourceHydrator.drySource], app, context);
    const sources = [
      ...(delivery.sources as readonly ApplicationDeliverySource[]),
      ...((request?.sources ?? []) as readonly ApplicationDeliverySource[]),
      ...(dry ?? []),
    ];
    const rendered = sources.flatMap(({ origin }) => origin ?? []);
    const renders = rendered.map((origin) =>
      toRenderSpec(origin, {
        ...renderContext(app, context, 'spec.source'),
        environment: buildEnvironment(
          origin,
          { instance: 'web', namespace: 'web', project: 'default' },
          COMMIT,
        ),
      }),
    );
    return [
      delivery,
      renders,
      request && { ...request, id: '' },
      dry,
      sourceHydrator && hydrationKey(sourceHydrator),
      toApplicationStatus(app, DONE, {
        nowMs: NOW_MS,
        controlNamespace: 'argocd',
        operation: app.operation,
      }).history?.length,
    ];
  });
}

function effectOfProject(object: JsonObject): string {
  return tell(() => {
    const project = parse<AppProject>(parseAppProject(object as KubeObject));
    const app = parse<Application>(parseApplication(APPLICATION as KubeObject));
    const context = contextWith(project, true);
    return [
      toDelivery(app, context),
      accountFor(app, context),
      isNamespacePermitted(project, 'other', 'argocd'),
      project.spec.orphanedResources,
    ];
  });
}

function tell(run: () => unknown): string {
  try {
    return JSON.stringify(run(), (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  } catch (error) {
    return `refused: ${messageOf(error)}`;
  }
}

/** A sync that is over, for the history. */
const DONE: DeliveryStatus = {
  revisions: [{ id: COMMIT, name: 'main' }],
  desiredDigest: '',
  sync: 'Synced',
  health: { status: 'Healthy' },
  objects: [],
  problems: [],
  inventory: [],
  renderKinds: ['directory'],
  observedAtMs: NOW_MS,
  operation: operationOf({ startedAtMs: NOW_MS, finishedAtMs: NOW_MS, revisions: [COMMIT] }),
};

/** Lines of `path — reason`; a path may end in `*`. */
function readExceptions(file: string): ReadonlyMap<string, string> {
  const text = readFileSync(new URL(`../testdata/${file}`, import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, string] => {
      const [path = '', reason = ''] = line.split(' — ');
      return [path.trim(), reason.trim()];
    }),
  );
}

function withoutEffect(
  kind: string,
  fields: readonly CrdField[],
  { base, effect }: { readonly base: JsonObject; readonly effect: (object: JsonObject) => string },
): readonly string[] {
  return fields
    .filter((field) => {
      const start = baseFor(base, field);
      const [set, unset] = [true, false].map((isSet) =>
        effect(withField(start, field, { ...OPTIONS, kind, isSet })),
      );
      return set === unset;
    })
    .map(({ path }) => path);
}

const SOURCE = { repoURL: REPO, path: 'app' };
/** Some fields of kustomize mean something beside others only. */
const KUSTOMIZED = {
  ...SOURCE,
  kustomize: {
    namePrefix: 'p-',
    commonLabels: { a: 'b' },
    commonAnnotations: { of: '$ARGOCD_APP_NAME' },
  },
};
const WINDOW = { kind: 'deny', schedule: '0 12 * * *', duration: '1h', namespaces: ['web'] };
/** What has to stand around a field for it to mean something, by the beginning of its path. */
const SURROUNDINGS: readonly (readonly [
  start: string,
  spec: JsonObject,
  operation?: JsonObject,
])[] = [
  ['spec.source.kustomize', { source: KUSTOMIZED }],
  ['spec.sources[].kustomize', { source: null, sources: [KUSTOMIZED] }],
  ['spec.sources', { source: null, sources: [SOURCE] }],
  [
    'spec.sourceHydrator.drySource.kustomize',
    {
      source: null,
      sourceHydrator: {
        drySource: { ...KUSTOMIZED, targetRevision: 'HEAD' },
        syncSource: { targetBranch: 'env', path: 'out' },
      },
    },
  ],
  [
    'spec.sourceHydrator',
    {
      source: null,
      sourceHydrator: {
        drySource: { ...SOURCE, targetRevision: 'HEAD' },
        syncSource: { targetBranch: 'env', path: 'out' },
      },
    },
  ],
  ['spec.destinations[].namespace', { destinations: [{ server: IN_CLUSTER.server }] }],
  ['spec.destinations', { destinations: [{ namespace: 'web' }] }],
  [
    'spec.destinationServiceAccounts',
    {
      destinationServiceAccounts: [
        { server: '*', namespace: 'web', defaultServiceAccount: 'deployer' },
      ],
    },
  ],
  [
    'spec.sourceIntegrity',
    {
      sourceIntegrity: {
        git: { policies: [{ repos: [{ url: '*' }], gpg: { mode: 'head', keys: [KEY] } }] },
      },
    },
  ],
  ['spec.syncWindows[].andOperator', { syncWindows: [{ ...WINDOW, applications: ['other'] }] }],
  [
    'spec.syncWindows[].(?:applications|clusters|namespaces)',
    { syncWindows: [{ ...WINDOW, namespaces: [] }] },
  ],
  ['spec.syncWindows', { syncWindows: [WINDOW] }],
  ['spec.destination.name', { destination: { namespace: 'web' } }],
  ['spec.syncPolicy', { syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'] } }],
  ['operation.sync.sources[].kustomize', {}, { sync: { sources: [KUSTOMIZED] } }],
  ['operation.sync.source.kustomize', {}, { sync: { source: KUSTOMIZED } }],
  ['operation.sync.sources', {}, { sync: { sources: [SOURCE] } }],
  ['operation.sync.source', {}, { sync: { source: SOURCE } }],
  ['operation.retry', {}, { sync: { revision: COMMIT } }],
  ['operation', {}, { sync: {} }],
];

function baseFor(base: JsonObject, { path }: CrdField): JsonObject {
  const found = SURROUNDINGS.find(([start]) =>
    new RegExp(`^${start.replaceAll('[]', '\\[\\]')}(?![a-zA-Z])`).test(path),
  );
  if (found === undefined) return base;
  const [, spec, operation] = found;
  const all = Object.entries({ ...(base['spec'] as JsonObject), ...spec });
  return {
    ...base,
    spec: Object.fromEntries(all.filter(([, value]) => value !== null)),
    ...(operation === undefined ? {} : { operation }),
  };
}

function check(
  kind: string,
  roots: readonly string[],
  given: Parameters<typeof withoutEffect>[2],
  file: string,
): void {
  const exceptions = readExceptions(file);
  const fields = roots.flatMap((root) => fieldsOf(kind, root, OPTIONS));
  assert.ok(fields.length > 40, `${fields.length} fields`);
  const idle = withoutEffect(kind, fields, given);
  const isListed = (path: string) =>
    [...exceptions.keys()].some((one) =>
      one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : path === one,
    );
  assert.deepEqual(
    idle.filter((path) => !isListed(path)),
    [],
    'fields without effect and without a reason',
  );
  const unused = [...exceptions].filter(
    ([one, reason]) =>
      reason === '' ||
      !idle.some((path) => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : path === one)),
  );
  assert.deepEqual(unused, [], 'exceptions that are none, or without a reason');
}

test('every field of an Application counts', () =>
  check(
    'Application',
    ['spec', 'operation'],
    { base: APPLICATION, effect: effectOfApplication },
    'application-fields.txt',
  ));

test('every field of an AppProject counts', () =>
  check('AppProject', ['spec'], { base: PROJECT, effect: effectOfProject }, 'project-fields.txt'));
