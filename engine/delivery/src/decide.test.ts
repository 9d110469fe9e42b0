import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, decideRetry, type Situation } from './decide.ts';
import type { Automation, OperationRequest, OperationState } from './types.ts';

const RETRY = { limit: 2, backoff: { baseMs: 5000, factor: 2, maxMs: 8000, jitter: 0 } };
const AUTOMATIC: Automation = {
  kind: 'automatic',
  selfHeal: true,
  allowEmpty: false,
  retry: RETRY,
  healBackoff: { baseMs: 2000, factor: 3, maxMs: 300_000, jitter: 0 },
};
const REQUEST: OperationRequest = {
  id: 'by hand',
  initiatedBy: { kind: 'person', name: 'ann' },
  policy: {},
  retry: RETRY,
  healAttempt: 0,
};
const NOW = 1_000_000;

const operation = (part: Partial<OperationState>): OperationState => ({
  request: { ...REQUEST, id: 'auto', initiatedBy: { kind: 'automation' } },
  phase: 'Succeeded',
  message: 'm',
  startedAtMs: NOW - 2000,
  finishedAtMs: NOW - 1000,
  retryCount: 0,
  revisions: ['r1'],
  desiredDigest: 'd1',
  results: [],
  ...part,
});
const running = (part: Partial<OperationState> = {}) => {
  const { finishedAtMs: _over, ...rest } = operation({ phase: 'Running', ...part });
  return rest;
};
const healed = (healAttempt: number) => {
  const done = operation({});
  return { ...done, request: { ...done.request, healAttempt } };
};

const BASE: Situation = {
  automation: AUTOMATIC,
  preempt: 'afterHook',
  prune: true,
  request: undefined,
  operation: undefined,
  hookRuns: false,
  sync: 'OutOfSync',
  revisions: ['r1'],
  desiredDigest: 'd1',
  onlyExtra: false,
  wouldWipe: false,
};

const ROWS: readonly (readonly [title: string, change: Partial<Situation>, expected: string])[] = [
  ['the first state is applied', {}, 'start automation heal=0'],
  ['in sync, it rests', { sync: 'Synced' }, 'rest'],
  ['what is unknown is not touched', { sync: 'Unknown' }, 'rest'],
  ['without automation it rests', { automation: { kind: 'manual' } }, 'rest'],
  [
    'a request is performed at once',
    { automation: { kind: 'manual' }, request: REQUEST },
    'start person heal=0',
  ],
  [
    'a request is performed once',
    {
      automation: { kind: 'manual' },
      request: REQUEST,
      operation: operation({ request: REQUEST }),
    },
    'rest',
  ],
  ['a request ends what runs', { request: REQUEST, operation: running() }, 'start person heal=0'],
  ['what runs goes on', { operation: running() }, 'continue'],
  [
    'a newer state pre-empts what waits',
    { operation: running(), desiredDigest: 'd2' },
    'start automation heal=0',
  ],
  [
    'a newer state pre-empts what waits for its next attempt',
    { operation: running({ nextAttemptAtMs: NOW + 9 }), desiredDigest: 'd2' },
    'start automation heal=0',
  ],
  [
    'a hook that runs is awaited',
    { operation: running(), desiredDigest: 'd2', hookRuns: true },
    'continue',
  ],
  [
    'a hook that runs is not awaited when told so',
    { operation: running(), desiredDigest: 'd2', hookRuns: true, preempt: 'immediately' },
    'start automation heal=0',
  ],
  [
    'nothing is pre-empted when told so',
    { operation: running(), desiredDigest: 'd2', preempt: 'never' },
    'continue',
  ],
  [
    'a request by hand is not pre-empted',
    { operation: running({ request: REQUEST }), desiredDigest: 'd2' },
    'continue',
  ],
  [
    'the next attempt waits for its time',
    { operation: running({ nextAttemptAtMs: NOW + 500 }) },
    'wait 500',
  ],
  [
    'the next attempt begins at its time',
    { operation: running({ nextAttemptAtMs: NOW }) },
    'continue',
  ],
  [
    'another state after a success is applied',
    { operation: operation({}), desiredDigest: 'd2' },
    'start automation heal=0',
  ],
  [
    'another state after a failure is applied',
    { operation: operation({ phase: 'Failed' }), desiredDigest: 'd2' },
    'start automation heal=0',
  ],
  [
    'the same state after a failure is not',
    { operation: operation({ phase: 'Failed' }) },
    'rest SYNC_FAILED',
  ],
  ['drift is healed at once', { operation: operation({}) }, 'start automation heal=1'],
  [
    'drift is left without self-heal',
    { operation: operation({}), automation: { ...AUTOMATIC, selfHeal: false } },
    'rest',
  ],
  ['a few heals go without delay', { operation: healed(4) }, 'start automation heal=5'],
  ['a fight is slowed down', { operation: healed(5) }, 'wait 1000'],
  ['a long fight is slowed down more', { operation: healed(7) }, 'wait 17000'],
  [
    'after a pause it is no fight',
    { operation: { ...healed(9), finishedAtMs: NOW - 700_000 } },
    'start automation heal=1',
  ],
  ['what is only left over stays without pruning', { onlyExtra: true, prune: false }, 'rest'],
  ['nothing is wiped out', { wouldWipe: true, onlyExtra: true }, 'rest WOULD_WIPE'],
  [
    'unless that is allowed',
    { wouldWipe: true, onlyExtra: true, automation: { ...AUTOMATIC, allowEmpty: true } },
    'start automation heal=0',
  ],
  [
    'after a restart the revision tells what was attempted',
    { operation: operation({ desiredDigest: '', phase: 'Failed' }) },
    'rest SYNC_FAILED',
  ],
  [
    'and another revision is applied',
    { operation: operation({ desiredDigest: '', phase: 'Failed' }), revisions: ['r2'] },
    'start automation heal=0',
  ],
  [
    'automation that is held waits until that may change',
    {
      hold: { automation: true, requests: false, running: false, message: 'm', untilMs: NOW + 60 },
    },
    'wait 60',
  ],
  [
    'a request that is held is taken up',
    {
      request: REQUEST,
      hold: { automation: true, requests: true, running: true, message: 'm' },
    },
    'hold by hand',
  ],
  [
    'a person may do what automation may not',
    {
      request: REQUEST,
      hold: { automation: true, requests: false, running: false, message: 'm' },
    },
    'start person heal=0',
  ],
  [
    'an operation that runs is held',
    {
      operation: running(),
      hold: { automation: true, requests: true, running: true, message: 'm' },
    },
    'hold the running one',
  ],
];

for (const [title, change, expected] of ROWS) {
  test(title, () => assert.equal(print({ ...BASE, ...change }), expected));
}

test('retries back off up to their limit', () => {
  const failed = (retryCount: number) =>
    decideRetry(running({ retryCount, request: REQUEST }), { retryable: true, nowMs: NOW });
  assert.deepEqual(failed(0), { kind: 'again', atMs: NOW + 5000 });
  assert.deepEqual(failed(1), { kind: 'again', atMs: NOW + 8000 });
  assert.deepEqual(failed(2), { kind: 'end' });
  assert.deepEqual(decideRetry(running({}), { retryable: false, nowMs: NOW }), { kind: 'end' });
});

function print(situation: Situation): string {
  const decision = decide(situation, NOW);
  switch (decision.kind) {
    case 'start':
      return `start ${decision.request.initiatedBy.kind} heal=${decision.request.healAttempt}`;
    case 'wait':
      return `wait ${decision.untilMs - NOW}`;
    case 'rest':
      return decision.problem === undefined ? 'rest' : `rest ${decision.problem.code}`;
    case 'continue':
      return 'continue';
    case 'hold':
      return `hold ${decision.request?.id ?? 'the running one'}`;
  }
}
