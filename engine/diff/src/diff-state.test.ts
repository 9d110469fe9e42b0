import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  type Json,
  type JsonObject,
  type KubeObject,
  keyString,
  type ObjectKey,
} from '@capstan/kube-object';
import { type Catalogue, loadCatalogue } from '@capstan/kube-schema';
import { diffState } from './diff-state.ts';
import type { CompareOptions, IgnoreRule } from './types.ts';

let catalogue: Catalogue;
before(async () => {
  catalogue = await loadCatalogue();
});

interface Row {
  readonly title: string;
  readonly kind: string;
  readonly desired: { readonly [key: string]: Json };
  readonly live: { readonly [key: string]: Json };
  readonly ignore?: readonly IgnoreRule[];
  /** One line for each difference: `path: desired <- live (manager)`. */
  readonly expect: readonly string[];
}

const container = (extra: Json) => ({
  spec: { template: { spec: { containers: [{ name: 'web', ...(extra as object) }] } } },
});
const env = (more: { readonly [name: string]: string }) => ({
  name: 'E',
  valueFrom: { fieldRef: { fieldPath: 'metadata.name', ...more } },
});
const rule = (
  part: Partial<IgnoreRule>,
  target: IgnoreRule['target'] = { syntax: 'glob' },
): IgnoreRule => ({
  target,
  jsonPointers: [],
  pathExpressions: [],
  managers: [],
  ...part,
});
const applied = (fields: Json, manager = 'capstan', apiVersion = 'v1') => ({
  metadata: {
    managedFields: [
      {
        manager,
        operation: 'Apply',
        apiVersion,
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: fields,
      },
    ],
  },
});

const ROWS: readonly Row[] = [
  {
    title: 'fields that only live has are no differences',
    kind: 'v1 Service',
    desired: { spec: { ports: [{ port: 80 }] } },
    live: {
      spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }] },
      status: {},
    },
    expect: [],
  },
  {
    title: 'quantities are compared by amount',
    kind: 'apps/v1 Deployment',
    desired: container({
      resources: { limits: { cpu: 1, memory: '1024Mi' }, requests: { cpu: '0.5' } },
    }),
    live: container({
      resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
    }),
    expect: [],
  },
  {
    title: 'another amount is told',
    kind: 'apps/v1 Deployment',
    desired: container({ resources: { limits: { cpu: '2' } } }),
    live: container({ resources: { limits: { cpu: '1' } } }),
    expect: ['spec.template.spec.containers[name=web].resources.limits.cpu: "2" <- "1"'],
  },
  {
    title: 'keyed lists are compared by key, whatever their order',
    kind: 'v1 Pod',
    desired: {
      spec: {
        containers: [
          { name: 'a', image: 'a:1' },
          { name: 'b', image: 'b:2' },
        ],
      },
    },
    live: {
      spec: {
        containers: [{ name: 'b', image: 'b:1' }, { name: 'sidecar' }, { name: 'a', image: 'a:1' }],
      },
    },
    expect: ['spec.containers[name=b].image: "b:2" <- "b:1"'],
  },
  {
    title: 'a port without protocol is the TCP one',
    kind: 'v1 Service',
    desired: {
      spec: {
        ports: [
          { port: 53, targetPort: 5353 },
          { port: 53, protocol: 'UDP' },
        ],
      },
    },
    live: {
      spec: {
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP', targetPort: 53 },
        ],
      },
    },
    expect: ['spec.ports[port=53,protocol=TCP].targetPort: 5353 <- 53'],
  },
  {
    title: 'atomic lists are compared as a whole',
    kind: 'v1 Pod',
    desired: { spec: { containers: [{ name: 'a', args: ['x'] }] } },
    live: { spec: { containers: [{ name: 'a', args: ['x', 'y'] }] } },
    expect: ['spec.containers[name=a].args: ["x"] <- ["x","y"]'],
  },
  {
    title: 'elements of atomic lists may hold what the server fills in and nothing else',
    kind: 'networking.k8s.io/v1 NetworkPolicy',
    desired: { spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] } },
    live: { spec: { podSelector: {}, ingress: [{ ports: [{ port: 80, protocol: 'UDP' }] }] } },
    expect: ['spec.ingress[0].ports[0].protocol: - <- "UDP"'],
  },
  {
    title: 'zero values that the server does not keep are no differences',
    kind: 'apps/v1 Deployment',
    desired: {
      spec: {
        minReadySeconds: 0,
        paused: false,
        template: { spec: { hostNetwork: false, volumes: [] } },
      },
      status: { replicas: 3 },
    },
    live: { spec: { template: { spec: {} } } },
    expect: [],
  },
  {
    title: 'a pointer set to zero is kept, so its absence is told',
    kind: 'apps/v1 Deployment',
    desired: { spec: { replicas: 0 } },
    live: { spec: {} },
    expect: ['spec.replicas: 0 <- -'],
  },
  {
    title: 'a custom resource keeps zero values',
    kind: 'example.io/v1 Thing',
    desired: { spec: { enabled: false, list: [] } },
    live: { spec: {} },
    expect: ['spec.enabled: false <- -', 'spec.list: [] <- -'],
  },
  {
    title: 'stringData is compared as data, and values of Secrets are masked',
    kind: 'v1 Secret',
    desired: { stringData: { same: 'hällo', other: 'new' }, data: { third: 'YQ==' } },
    live: { data: { same: 'aMOkbGxv', other: 'b2xk', third: 'Yg==' } },
    expect: ['data.other: "++++++++" <- "+++++++++"', 'data.third: "++++++++" <- "+++++++++"'],
  },
  {
    title: 'what our manager owns and desired no longer sets is told, with who wrote it',
    kind: 'v1 ConfigMap',
    desired: { data: { a: '1' } },
    live: {
      ...applied({ 'f:data': { '.': {}, 'f:a': {}, 'f:b': {}, 'f:gone': {} } }),
      data: { a: '1', b: '2', c: '3' },
    },
    expect: ['data.b: - <- "2" (capstan)'],
  },
  {
    title: 'an element of a keyed list that desired dropped is told once',
    kind: 'apps/v1 Deployment',
    desired: container({ image: 'x' }),
    live: {
      ...applied(
        {
          'f:spec': {
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"web"}': { '.': {}, 'f:name': {}, 'f:image': {} },
                  'k:{"name":"old"}': { '.': {}, 'f:name': {}, 'f:image': {} },
                },
              },
            },
          },
        },
        'capstan',
        'apps/v1',
      ),
      spec: {
        template: {
          spec: {
            containers: [
              { name: 'web', image: 'x' },
              { name: 'old', image: 'y' },
            ],
          },
        },
      },
    },
    expect: ['spec.template.spec.containers[name=old]: - <- {"name":"old","image":"y"} (capstan)'],
  },
  {
    title:
      'fields of other managers are none of our business, and their changes to ours are told with their name',
    kind: 'apps/v1 Deployment',
    desired: { spec: { replicas: 2 } },
    live: {
      ...applied({ 'f:spec': { 'f:replicas': {}, 'f:paused': {} } }, 'kubectl-edit', 'apps/v1'),
      spec: { replicas: 5, paused: true },
    },
    expect: ['spec.replicas: 2 <- 5 (kubectl-edit)'],
  },
  {
    title: 'what kubectl applied before and desired no longer sets is told',
    kind: 'v1 ConfigMap',
    desired: { data: { a: '1' } },
    live: {
      metadata: {
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration':
            '{"apiVersion":"v1","data":{"a":"1","b":"2"},"kind":"ConfigMap","metadata":{"name":"x","namespace":"n"}}',
        },
      },
      data: { a: '1', b: '2', c: '3' },
    },
    expect: ['data.b: - <- "2"'],
  },
  {
    title:
      'the note of kubectl in a manifest that was read from a cluster is not given up by being sent',
    kind: 'v1 ConfigMap',
    desired: {
      metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
      data: { a: '1' },
    },
    live: {
      metadata: {
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{}}' },
        ...applied({
          'f:metadata': {
            'f:annotations': { 'f:kubectl.kubernetes.io/last-applied-configuration': {} },
          },
          'f:data': { 'f:a': {} },
        }).metadata,
      },
      data: { a: '1' },
    },
    expect: [],
  },
  {
    title: 'what kubectl noted as empty, or what is a default, is nothing that was given up',
    kind: 'v1 Pod',
    desired: { spec: { containers: [{ name: 'a', env: [env({})] }] } },
    live: {
      metadata: {
        annotations: {
          note: 'of somebody else',
          'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
            metadata: { annotations: {}, name: 'x' },
            spec: { priority: 5, containers: [{ name: 'a', env: [env({ apiVersion: 'v1' })] }] },
          }),
        },
      },
      spec: { priority: 5, containers: [{ name: 'a', env: [env({ apiVersion: 'v1' })] }] },
    },
    expect: ['spec.priority: - <- 5'],
  },
  {
    title: 'JSON pointers leave fields out on both sides',
    kind: 'apps/v1 Deployment',
    desired: { spec: { replicas: 2, paused: true } },
    live: { spec: { replicas: 5 } },
    ignore: [
      rule(
        { jsonPointers: ['/spec/replicas', '/spec/paused'] },
        { group: 'apps', kind: 'Deployment', syntax: 'glob' },
      ),
    ],
    expect: [],
  },
  {
    title: 'a rule for another kind or name does not speak',
    kind: 'apps/v1 Deployment',
    desired: { spec: { replicas: 2 } },
    live: { spec: { replicas: 5 } },
    ignore: [
      rule(
        { jsonPointers: ['/spec/replicas'] },
        { group: 'apps', kind: 'StatefulSet', syntax: 'glob' },
      ),
      rule({ jsonPointers: ['/spec/replicas'] }, { group: '', kind: 'Deployment', syntax: 'glob' }),
      rule({ jsonPointers: ['/spec/replicas'] }, { name: 'other', syntax: 'glob' }),
    ],
    expect: ['spec.replicas: 2 <- 5'],
  },
  {
    title: 'a plain jq path reaches into lists',
    kind: 'apps/v1 Deployment',
    desired: container({ image: 'a', args: ['1'] }),
    live: container({ image: 'b', args: ['2'] }),
    ignore: [
      rule({
        pathExpressions: [
          '.spec.template.spec.containers[] | select(.name == "web") | .image',
          '.spec["template"].spec.containers[0].args',
        ],
      }),
    ],
    expect: [],
  },
  {
    title: 'fields of a trusted manager are left out',
    kind: 'apps/v1 Deployment',
    desired: { spec: { replicas: 2, paused: true } },
    live: {
      ...applied({ 'f:spec': { 'f:replicas': {} } }, 'kube-controller-manager', 'apps/v1'),
      spec: { replicas: 5, paused: false },
    },
    ignore: [
      rule({ managers: ['kube-controller-manager'] }, { group: '*', kind: '*', syntax: 'glob' }),
    ],
    expect: ['spec.paused: true <- false'],
  },
  {
    title: 'no bytes in a Secret are no bytes',
    kind: 'v1 Secret',
    desired: { data: { a: '', b: '' } },
    live: { data: { a: null } },
    expect: ['data.b: "++++++++" <- -'],
  },
  {
    title: 'an object names what is not compared of itself',
    kind: 'apps/v1 Deployment',
    desired: {
      metadata: { annotations: { 'example/ignore': 'jsonPointers: [/spec/replicas]' } },
      spec: { replicas: 2, paused: true },
    },
    live: {
      metadata: { annotations: { 'example/ignore': 'jsonPointers: [/spec/replicas]' } },
      spec: { replicas: 5, paused: false },
    },
    expect: ['spec.paused: true <- false'],
  },
  {
    title: 'what an object names in no words of ours is compared',
    kind: 'apps/v1 Deployment',
    desired: {
      metadata: { annotations: { 'example/ignore': 'replicas: [' } },
      spec: { replicas: 2 },
    },
    live: { metadata: { annotations: { 'example/ignore': 'replicas: [' } }, spec: { replicas: 5 } },
    expect: ['spec.replicas: 2 <- 5'],
  },
  {
    title: 'labels and annotations count, other bookkeeping does not',
    kind: 'v1 Namespace',
    desired: {
      metadata: { labels: { team: 'a' }, creationTimestamp: null, resourceVersion: '1', uid: 'x' },
    },
    live: { metadata: { labels: { team: 'b', 'kubernetes.io/metadata.name': 'x' }, uid: 'y' } },
    expect: ['metadata.labels.team: "a" <- "b"'],
  },
];

for (const row of ROWS) {
  test(row.title, () => {
    const [result] = check(row).diff.entries;
    const lines = (result?.differences ?? []).map((difference) => {
      const { path, desired, live, manager } = difference;
      const values = `${JSON.stringify(desired) ?? '-'} <- ${JSON.stringify(live) ?? '-'}`;
      return `${path}: ${values}${manager === undefined ? '' : ` (${manager})`}`;
    });
    assert.deepEqual(lines.sort(), [...row.expect].sort());
    assert.equal(result?.verdict, row.expect.length === 0 ? 'same' : 'different');
  });
}

test('an expression that needs a real jq is left out with a warning', () => {
  const { diagnostics } = check({
    title: '',
    kind: 'apps/v1 Deployment',
    desired: { spec: { replicas: 1 } },
    live: { spec: { replicas: 1 } },
    ignore: [rule({ pathExpressions: ['..|.image?'] })],
    expect: [],
  });
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ['IGNORE_RULE_INVALID'],
  );
});

test('fields of custom resources that hold built-in types are compared as Go writes them', () => {
  const schema = catalogue.definition('io.k8s.api.core.v1.PodSpec');
  assert.ok(schema);
  const pod = (cpu: string, extra: JsonObject = {}) => ({
    containers: [{ name: 'a', resources: { requests: { cpu } }, ...extra }],
  });
  const path = ['spec', 'parts', 'pod'];
  const knownTypes = [{ group: 'example.com', kind: 'App', path, schema }];
  const verdict = (desired: JsonObject, live: JsonObject, types = knownTypes) => {
    const of = (spec: JsonObject) => build('example.com/v1 App', { spec });
    const lives = { ...view([of({ parts: [{ pod: live }] })]), owned: [] };
    const compare = { ...options([]), knownTypes: types };
    return diffState([{ object: of({ parts: [{ pod: desired }] }) }], lives, compare).diff
      .entries[0]?.verdict;
  };
  assert.equal(verdict(pod('1000m', { command: [] }), pod('1')), 'same');
  assert.equal(verdict(pod('1000m'), pod('2')), 'different');
  assert.equal(verdict(pod('1000m'), pod('1'), []), 'different');
});

test('status is compared where it is asked for', () => {
  const of = (phase: string) => build('example.com/v1 App', { spec: {}, status: { phase } });
  const verdict = (comparesStatus?: CompareOptions['comparesStatus']) =>
    diffState(
      [{ object: of('a') }],
      { ...view([of('b')]), owned: [] },
      { ...options([]), ...(comparesStatus === undefined ? {} : { comparesStatus }) },
    ).diff.entries[0]?.verdict;
  assert.equal(verdict(), 'same');
  assert.equal(
    verdict(({ kind }) => kind === 'App'),
    'different',
  );
  assert.equal(
    verdict(() => false),
    'same',
  );
});

test('missing, extra and incomparable objects have their own verdicts', () => {
  const object = (apiVersion: string, name: string): KubeObject => ({
    apiVersion,
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace: 'n' },
  });
  const lives = [object('autoscaling/v2', 'b'), object('autoscaling/v2', 'c')];
  const { diff } = diffState(
    [{ object: object('autoscaling/v1', 'a') }, { object: object('autoscaling/v1', 'b') }],
    { ...view(lives), owned: lives },
    options([]),
  );
  const told = diff.entries.map(({ key, verdict, reason }) =>
    `${key.name} ${verdict} ${reason ?? ''}`.trim(),
  );
  assert.deepEqual(told, [
    'a missing',
    'b unknown live is known as autoscaling/v2 only, desired is autoscaling/v1',
    'c extra',
  ]);
});

function check(row: Row) {
  const desired = build(row.kind, row.desired);
  return diffState(
    [{ object: desired }],
    { ...view([build(row.kind, row.live)]), owned: [] },
    options(row.ignore ?? []),
  );
}

function options(ignore: readonly IgnoreRule[]): CompareOptions {
  return {
    fieldManager: 'capstan',
    ignore,
    ignoreAnnotation: 'example/ignore',
    schemaOf: (kind) => catalogue.kind(kind),
  };
}

function view(objects: readonly KubeObject[]) {
  const byKey = new Map(objects.map((object) => [keyString(keyFor(object)), object]));
  return { get: (key: ObjectKey) => byKey.get(keyString(key)) };
}

function keyFor(object: KubeObject): ObjectKey {
  const slash = object.apiVersion.indexOf('/');
  const { name = '', namespace = '' } = object.metadata;
  return {
    group: slash < 0 ? '' : object.apiVersion.slice(0, slash),
    kind: object.kind,
    namespace,
    name,
  };
}

function build(kind: string, content: { readonly [key: string]: Json }): KubeObject {
  const [apiVersion = '', name = ''] = kind.split(' ');
  const metadata = { name: 'x', namespace: 'n', ...(content['metadata'] as object | undefined) };
  return { ...content, apiVersion, kind: name, metadata };
}
