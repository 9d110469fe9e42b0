import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePlan, isDryRun, isIdle } from './dry-run.ts';
import type { ApplicationPlan } from './plan-applications.ts';
import { makeSet } from './testing/generate.ts';

const NOTHING: ApplicationPlan = {
  create: [],
  update: [],
  remove: [],
  refused: [],
  overBudget: undefined,
};
const named = (name: string) => ({ apiVersion: 'v1', kind: 'Application', metadata: { name } });

test('a plan is told down to fields and numbers of resources', () => {
  const plan: ApplicationPlan = {
    ...NOTHING,
    create: [named('a'), named('b')],
    update: [{ name: 'c', patch: { spec: { source: { targetRevision: 'x' }, syncPolicy: null } } }],
    remove: [{ name: 'd', uid: '', dropsFinalizer: false, finalizers: [] }],
    refused: [{ name: 'e', message: 'e is owned by another' }],
  };
  const existing = [{ ...named('d'), status: { resources: [{}, {}, {}] } }];
  assert.equal(
    describePlan(plan, existing),
    'dry run: 2 to create (a, b), 1 to change (c: spec.source.targetRevision spec.syncPolicy), 1 to delete (d with 3 resources); e is owned by another',
  );
  assert.equal(isIdle(plan), false);
});

test('nothing to do is told as well, and long lists are cut', () => {
  const idle = 'dry run: 0 to create, 0 to change, 0 to delete';
  assert.equal(describePlan(NOTHING, []), idle);
  assert.equal(isIdle(NOTHING), true);
  const many = { ...NOTHING, create: Array.from({ length: 12 }, (_, i) => named(`a${i}`)) };
  assert.match(describePlan(many, []), /^dry run: 12 to create \(a0, .* and 2 more\), 0 to change/);
});

test('only the word true asks for it', () => {
  const asked = (value: string) =>
    isDryRun(makeSet({}, { annotations: { 'capstan.dev/dry-run': value } }));
  assert.deepEqual([asked('true'), asked('false'), isDryRun(makeSet({}))], [true, false, false]);
});
