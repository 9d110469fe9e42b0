import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Artifact, SourceStatus } from '@capstan/flux-api';
import type { SourceOutcome } from './source-outcome.ts';
import { toSourceStatus } from './to-source-status.ts';

const ARTIFACT: Artifact = {
  path: 'gitrepository/a/b/1.tar.gz',
  url: 'http://h/gitrepository/a/b/1.tar.gz',
  revision: 'main@sha1:1',
  digest: 'sha256:1',
  lastUpdateTime: '1970-01-01T00:00:00Z',
  size: 1,
};
const stored: SourceOutcome = {
  kind: 'stored',
  artifact: ARTIFACT,
  message: "stored artifact for revision 'main@sha1:1'",
  event: 'e',
  observed: { observedIgnore: '*.md' },
};
const failure = (
  condition: 'FetchFailed' | 'StorageOperationFailed' | 'IncludeUnavailable' | 'SourceVerified',
  response: 'retry' | 'wait' | 'stall',
): SourceOutcome => ({ kind: 'failed', condition, reason: 'Why', message: 'what', response });

interface Row {
  readonly title: string;
  readonly outcome: SourceOutcome;
  readonly status?: SourceStatus;
  readonly generation?: number;
  readonly current?: Artifact;
  readonly conditions: readonly string[];
  readonly observed: number;
}

const afterSuccess = toSourceStatus(
  { status: {}, generation: 2, current: undefined },
  { ...stored, verified: 'verified signature of\n\t- commit' },
  { nowMs: 0, handledReconcileAt: undefined },
);

const rows: readonly Row[] = [
  {
    title: 'a first artifact',
    outcome: stored,
    conditions: [
      "Ready=True Succeeded stored artifact for revision 'main@sha1:1'",
      "ArtifactInStorage=True Succeeded stored artifact for revision 'main@sha1:1'",
    ],
    observed: 2,
  },
  {
    title: 'a first fetch that fails',
    outcome: failure('FetchFailed', 'retry'),
    conditions: [
      'Reconciling=True ProgressingWithRetry building artifact',
      'Ready=False Why what',
      'FetchFailed=True Why what',
    ],
    observed: -1,
  },
  {
    title: 'a later fetch that fails keeps the artifact and that it was verified',
    outcome: failure('FetchFailed', 'retry'),
    status: afterSuccess,
    current: ARTIFACT,
    conditions: [
      'Reconciling=True ProgressingWithRetry reconciliation in progress',
      'Ready=False Why what',
      "ArtifactInStorage=True Succeeded stored artifact for revision 'main@sha1:1'",
      'FetchFailed=True Why what',
      'SourceVerified=True Succeeded verified signature of\n\t- commit',
    ],
    observed: 2,
  },
  {
    title: 'a change that cannot work stalls, and is observed',
    outcome: failure('FetchFailed', 'stall'),
    status: afterSuccess,
    generation: 3,
    current: ARTIFACT,
    conditions: [
      'Stalled=True Why what',
      'Ready=False Why what',
      'FetchFailed=True Why what',
      "ArtifactInStorage=True Succeeded stored artifact for revision 'main@sha1:1'",
      'SourceVerified=True Succeeded verified signature of\n\t- commit',
    ],
    observed: 3,
  },
  {
    title: 'a signature that is not good is the cause of all, and takes the place of the good one',
    outcome: failure('SourceVerified', 'retry'),
    status: afterSuccess,
    generation: 3,
    current: ARTIFACT,
    conditions: [
      'Reconciling=True ProgressingWithRetry processing object: new generation 2 -> 3',
      'Ready=False Why what',
      'SourceVerified=False Why what',
      "ArtifactInStorage=True Succeeded stored artifact for revision 'main@sha1:1'",
    ],
    observed: 2,
  },
  {
    title: 'an artifact that was lost is told no more',
    outcome: failure('IncludeUnavailable', 'wait'),
    status: afterSuccess,
    conditions: [
      'Reconciling=True ProgressingWithRetry building artifact: disappeared from storage',
      'Ready=False Why what',
      'IncludeUnavailable=True Why what',
      'SourceVerified=True Succeeded verified signature of\n\t- commit',
    ],
    observed: 2,
  },
];

test('outcomes become conditions in the order of the original', () => {
  for (const {
    title,
    outcome,
    status = {},
    generation = 2,
    current,
    conditions,
    observed,
  } of rows) {
    const context = { nowMs: 5_000, handledReconcileAt: 'token' };
    const raised = toSourceStatus({ status, generation, current }, outcome, context);
    const told = raised.conditions?.map(
      ({ type, status: is, reason, message }) => `${type}=${is} ${reason} ${message}`,
    );
    assert.deepEqual(told, conditions, title);
    assert.equal(raised.observedGeneration, observed, title);
    assert.equal(raised.lastHandledReconcileAt, 'token');
    assert.deepEqual(raised.artifact, outcome.kind === 'stored' ? ARTIFACT : current, title);
  }
});

test('a failure keeps what the artifact was made with, a success what it was made with now', () => {
  const context = { nowMs: 0, handledReconcileAt: undefined };
  const view = { status: afterSuccess, generation: 2, current: ARTIFACT };
  assert.equal(
    toSourceStatus(view, failure('FetchFailed', 'retry'), context)['observedIgnore'],
    '*.md',
  );
  const bare = toSourceStatus(view, { ...stored, observed: {} }, context);
  assert.equal(bare['observedIgnore'], undefined);
});

test('the same outcome again changes nothing', () => {
  const context = { nowMs: 0, handledReconcileAt: undefined };
  const outcome = failure('FetchFailed', 'retry');
  const first = toSourceStatus({ status: {}, generation: 1, current: undefined }, outcome, context);
  const later = { ...context, nowMs: 60_000 };
  assert.deepEqual(
    toSourceStatus({ status: first, generation: 1, current: undefined }, outcome, later),
    first,
  );
});
