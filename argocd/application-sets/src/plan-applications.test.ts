import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonObject, type KubeObject, ownerReferenceTo } from '@capstan/kube-object';
import { planApplications } from './plan-applications.ts';
import { makeSet } from './testing/generate.ts';

const SPEC = {
  project: 'default',
  source: { repoURL: 'https://git.example.com/a.git', path: 'a' },
  destination: { server: 'https://kubernetes.default.svc' },
};

function app(name: string, fields: { metadata?: JsonObject; spec?: JsonObject } = {}): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd', ...fields.metadata },
    spec: fields.spec ?? SPEC,
  };
}

const owner = ownerReferenceTo(makeSet({}), { controller: true });

function owned(name: string, fields: { metadata?: JsonObject; spec?: JsonObject } = {}) {
  return app(name, {
    ...fields,
    metadata: { uid: `u-${name}`, ownerReferences: [owner], ...fields.metadata },
  });
}

interface Situation {
  readonly wanted?: readonly KubeObject[];
  readonly names?: readonly string[];
  readonly existing?: readonly KubeObject[];
  readonly spec?: JsonObject;
  readonly annotations?: { readonly [key: string]: string };
}

function plan({ wanted = [], names, existing = [], spec = {}, annotations }: Situation) {
  return planApplications({
    applicationSet: makeSet(spec, annotations === undefined ? {} : { annotations }),
    wanted,
    names: new Set(names ?? wanted.map(({ metadata }) => metadata.name ?? '')),
    existing,
    clusters: [],
  });
}

/** The plan in a line: +created ~updated -deleted !refused. */
function outline(situation: Situation): string {
  const { create, update, remove, refused } = plan(situation);
  return [
    ...create.map(({ metadata }) => `+${metadata.name}`),
    ...update.map(({ name }) => `~${name}`),
    ...remove.map(({ name }) => `-${name}`),
    ...refused.map(({ name }) => `!${name}`),
  ].join(' ');
}

const changed = { spec: { ...SPEC, project: 'other' } };
const policy = (applicationsSync: string) => ({ syncPolicy: { applicationsSync } });
const situation = {
  wanted: [app('new'), app('changed', changed), app('same')],
  existing: [owned('changed'), owned('same'), owned('gone')],
};
const stranger = { ...owner, name: 'another' };

const TABLE: readonly (readonly [title: string, situation: Situation, plan: string])[] = [
  ['by default all is done', situation, '+new ~changed -gone'],
  ['sync', { ...situation, spec: policy('sync') }, '+new ~changed -gone'],
  ['create-only', { ...situation, spec: policy('create-only') }, '+new'],
  ['create-update', { ...situation, spec: policy('create-update') }, '+new ~changed'],
  ['create-delete', { ...situation, spec: policy('create-delete') }, '+new -gone'],
  [
    'what is generated but invalid is not deleted',
    { names: ['gone'], existing: [owned('gone')] },
    '',
  ],
  [
    'others are left alone',
    { existing: [app('free'), owned('x', { metadata: { ownerReferences: [stranger] } })] },
    '',
  ],
  ['what nobody owns is adopted', { wanted: [app('free')], existing: [app('free')] }, '~free'],
  [
    'what another set owns is refused',
    { wanted: [app('x')], existing: [owned('x', { metadata: { ownerReferences: [stranger] } })] },
    '!x',
  ],
  [
    'what is being deleted is not deleted again',
    { existing: [owned('x', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })] },
    '',
  ],
  [
    'zero values are no difference',
    {
      wanted: [
        app('x', { spec: { ...SPEC, syncPolicy: {}, source: { ...SPEC.source, chart: '' } } }),
      ],
      existing: [owned('x')],
    },
    '',
  ],
  [
    'an automated policy without content is one',
    {
      wanted: [app('x', { spec: { ...SPEC, syncPolicy: { automated: {} } } })],
      existing: [owned('x')],
    },
    '~x',
  ],
  [
    'status and operation of the live one do not matter',
    {
      wanted: [app('x')],
      existing: [{ ...owned('x'), status: { health: {} }, operation: { sync: {} } }],
    },
    '',
  ],
  [
    'annotations of notifications and refresh are kept',
    {
      wanted: [app('x')],
      existing: [
        owned('x', {
          metadata: {
            annotations: {
              'argocd.argoproj.io/refresh': 'normal',
              'notified.notifications.argoproj.io': '{}',
            },
          },
        }),
      ],
    },
    '',
  ],
  [
    'other annotations are taken away',
    { wanted: [app('x')], existing: [owned('x', { metadata: { annotations: { mine: 'y' } } })] },
    '~x',
  ],
  [
    'unless they are preserved',
    {
      spec: { preservedFields: { annotations: ['mine'], labels: ['l'] } },
      wanted: [app('x')],
      existing: [owned('x', { metadata: { annotations: { mine: 'y' }, labels: { l: '1' } } })],
    },
    '',
  ],
  [
    'finalizers of hooks are kept',
    {
      wanted: [app('x')],
      existing: [
        owned('x', {
          metadata: { finalizers: ['post-delete-finalizer.argocd.argoproj.io/cleanup'] },
        }),
      ],
    },
    '',
  ],
  [
    'ignored fields are left to others',
    {
      spec: { ignoreApplicationDifferences: [{ jsonPointers: ['/spec/source/targetRevision'] }] },
      wanted: [app('x')],
      existing: [
        owned('x', { spec: { ...SPEC, source: { ...SPEC.source, targetRevision: 'v2' } } }),
      ],
    },
    '',
  ],
  [
    'by jq path too',
    {
      spec: {
        ignoreApplicationDifferences: [{ jqPathExpressions: ['.spec.source.targetRevision'] }],
      },
      wanted: [app('x')],
      existing: [
        owned('x', { spec: { ...SPEC, source: { ...SPEC.source, targetRevision: 'v2' } } }),
      ],
    },
    '',
  ],
  [
    'of the application named alone',
    {
      spec: {
        ignoreApplicationDifferences: [
          { name: 'y', jsonPointers: ['/spec/source/targetRevision'] },
        ],
      },
      wanted: [app('x')],
      existing: [
        owned('x', { spec: { ...SPEC, source: { ...SPEC.source, targetRevision: 'v2' } } }),
      ],
    },
    '~x',
  ],
];
for (const [title, given, expected] of TABLE) {
  test(`plans: ${title}`, () => assert.equal(outline(given), expected));
}

test('an update says only what changes', () => {
  const { update } = plan({ wanted: [app('x', changed)], existing: [owned('x')] });
  assert.deepEqual(update, [{ name: 'x', patch: { spec: { project: 'other' } } }]);
});

test('an application whose cluster is gone loses the finalizer that could never be served', () => {
  const finalizers = ['resources-finalizer.argocd.argoproj.io', 'x.io/y'];
  const spec = { ...SPEC, destination: { server: 'https://gone' } };
  const { remove } = plan({ existing: [owned('x', { metadata: { finalizers }, spec })] });
  assert.equal(remove[0]?.dropsFinalizer, true);
});

const BUDGETS: readonly (readonly [budget: string, gone: number, isOver: boolean])[] = [
  ['0', 1, true],
  ['2', 2, false],
  ['2', 3, true],
  ['20%', 2, false],
  ['20%', 3, true],
  ['5%', 1, true],
  ['100%', 10, false],
];
for (const [budget, gone, isOver] of BUDGETS) {
  test(`a deletion budget of ${budget} ${isOver ? 'stops' : 'allows'} ${gone} of 10`, () => {
    const existing = Array.from({ length: 10 }, (_none, index) => owned(`a${index}`));
    const { overBudget, remove } = plan({
      existing,
      names: existing.slice(gone).map(({ metadata }) => metadata.name ?? ''),
      annotations: { 'capstan.dev/deletion-budget': budget },
    });
    assert.equal(remove.length, gone);
    assert.equal(overBudget !== undefined, isOver);
    if (overBudget !== undefined) {
      assert.match(overBudget.message, new RegExp(`${gone} of 10 applications would be deleted`));
      assert.match(overBudget.message, /nothing was changed.*capstan\.dev\/deletion-budget/);
    }
  });
}

test('a budget that is no number is an error, not no budget', () => {
  const annotations = { 'capstan.dev/deletion-budget': 'some' };
  assert.throws(() => plan({ annotations }), /"some" is neither a number nor a percentage/);
});
