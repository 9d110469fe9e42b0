import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeStatus } from './kstatus.ts';
import type { JsonObject } from './object.ts';

const now = Date.parse('2024-01-01T00:01:00Z');

function check(kind: string, parts: JsonObject, want: string): void {
  const [apiVersion = '', name = ''] = kind.split(' ');
  const object = { apiVersion, kind: name, metadata: { generation: 1 }, ...parts };
  const { status, message } = computeStatus(object, now);
  assert.equal(`${status}: ${message}`, want);
}

test('deletion, generation and standard conditions come before what is known of the kind', () => {
  check(
    'v1 ConfigMap',
    { metadata: { deletionTimestamp: 'x' } },
    'Terminating: Resource scheduled for deletion',
  );
  check(
    'apps/v1 Deployment',
    { metadata: { generation: 2 }, status: { observedGeneration: 1 } },
    'InProgress: Deployment generation is 2, but latest observed generation is 1',
  );
  check(
    'x/v1 Any',
    { status: { conditions: [{ type: 'Stalled', status: 'True', reason: 'R', message: 'no' }] } },
    'Failed: no',
  );
});

test('a status of another form than kstatus reads is Unknown, and why', () => {
  const cases: readonly (readonly [JsonObject, string])[] = [
    [
      { status: { observedGeneration: '1' } },
      'looking up status.observedGeneration from resource: .status.observedGeneration accessor error: 1 is of the type string, expected int64',
    ],
    [
      { status: [] },
      'looking up status.observedGeneration from resource: .status.observedGeneration accessor error: [] is of the type []interface {}, expected map[string]interface{}',
    ],
    [{ metadata: {}, status: 'x' }, 'cannot restore struct from: string'],
    [{ status: { conditions: {} } }, 'cannot restore slice from map'],
    [{ status: { conditions: ['x'] } }, 'cannot restore struct from: string'],
    [{ status: { conditions: [{ type: 'Ready', status: true }] } }, 'unrecognized type: string'],
    [
      { status: { conditions: [{ type: 'Ready', status: 1 }] } },
      'cannot convert int64 to v1.ConditionStatus',
    ],
  ];
  for (const [parts, message] of cases) check('x/v1 Any', parts, `Unknown: ${message}`);
  check(
    'x/v1 Any',
    { metadata: {}, status: { observedGeneration: '1' } },
    'Current: Resource is current',
  );
  check('x/v1 Any', { status: null }, 'Current: Resource is current');
});

test('a Deployment is Current when its replicas are updated and available', () => {
  const status = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
  const spec = { replicas: 2 };
  check(
    'apps/v1 Deployment',
    { spec, status: { ...status, replicas: 1 } },
    'InProgress: Replicas: 1/2',
  );
  check(
    'apps/v1 Deployment',
    { spec, status: { ...status, replicas: 3 } },
    'InProgress: Pending termination: 1',
  );
  check('apps/v1 Deployment', { spec, status }, 'InProgress: Deployment not Available');
  const conditions = [{ type: 'Available', status: 'True' }];
  check(
    'apps/v1 Deployment',
    { spec, status: { ...status, conditions } },
    'Current: Deployment is available. Replicas: 2',
  );
  const exceeded = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
  check(
    'apps/v1 Deployment',
    { spec, status: { conditions: exceeded } },
    'Failed: Progress deadline exceeded',
  );
});

test('a Pod that cannot be scheduled has fifteen seconds', () => {
  const status = {
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
  };
  const at = (creationTimestamp: string): JsonObject => ({
    metadata: { creationTimestamp },
    status,
  });
  check('v1 Pod', at('2024-01-01T00:00:50Z'), 'InProgress: Pod has not been scheduled');
  check('v1 Pod', at('2024-01-01T00:00:40Z'), 'Failed: Pod could not be scheduled');
});

test('jobs, sets, claims and definitions have rules of their own', () => {
  check('batch/v1 Job', {}, 'InProgress: Job not started');
  check(
    'batch/v1 Job',
    { status: { startTime: 'x', active: 1 } },
    'Current: Job in progress. success:0, active: 1, failed: 0',
  );
  check('v1 PersistentVolumeClaim', {}, 'InProgress: PVC is not Bound. phase: unknown');
  check(
    'apps/v1 DaemonSet',
    { status: {} },
    'InProgress: DaemonSet status.observedGeneration not found',
  );
  check(
    'apps/v1 StatefulSet',
    {
      status: {
        replicas: 1,
        readyReplicas: 1,
        currentReplicas: 1,
        currentRevision: 'a',
        updateRevision: 'b',
      },
    },
    'InProgress: Waiting for updated revision to match current',
  );
  check(
    'x/v1 Any',
    { status: { conditions: [{ type: 'Ready', status: 'Unknown', message: 'soon' }] } },
    'InProgress: soon',
  );
  check('x/v1 Any', {}, 'Current: Resource is current');
});
