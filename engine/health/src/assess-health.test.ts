import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, KubeObject } from '@capstan/kube-object';
import { assessHealth, rollUpHealth } from './assess-health.ts';
import type { HealthRule, HealthRules, JudgeOptions } from './types.ts';

const WORKLOAD: HealthRules = { base: 'workload', custom: [] };
const CONDITION: HealthRules = { base: 'condition', custom: [] };

interface Row {
  readonly title: string;
  readonly kind: string;
  readonly generation?: number;
  readonly metadata?: { readonly [key: string]: Json };
  readonly spec?: Json;
  readonly status?: Json;
  /** `Status: message`, by the rules of Argo CD and of kstatus. */
  readonly argo: string;
  readonly kstatus?: string;
}

const observed = { observedGeneration: 2 };
const ROWS: readonly Row[] = [
  {
    title: 'a Deployment whose new generation nobody has seen',
    kind: 'apps/v1 Deployment',
    generation: 2,
    spec: { replicas: 2 },
    status: { observedGeneration: 1 },
    argo: 'Progressing: Waiting for rollout to finish: observed deployment generation less than desired generation',
    kstatus: 'Progressing: Deployment generation is 2, but latest observed generation is 1',
  },
  {
    title: 'a Deployment half rolled out',
    kind: 'apps/v1 Deployment',
    generation: 2,
    spec: { replicas: 3 },
    status: { ...observed, replicas: 4, updatedReplicas: 2, availableReplicas: 2 },
    argo: 'Progressing: Waiting for rollout to finish: 2 out of 3 new replicas have been updated...',
    kstatus: 'Progressing: Updated: 2/3',
  },
  {
    title: 'a Deployment with old replicas left',
    kind: 'apps/v1 Deployment',
    generation: 2,
    spec: { replicas: 2 },
    status: {
      ...observed,
      replicas: 3,
      updatedReplicas: 2,
      availableReplicas: 2,
      readyReplicas: 2,
    },
    argo: 'Progressing: Waiting for rollout to finish: 1 old replicas are pending termination...',
    kstatus: 'Progressing: Pending termination: 1',
  },
  {
    title: 'a Deployment past its deadline',
    kind: 'apps/v1 Deployment',
    generation: 2,
    spec: { replicas: 2 },
    status: {
      ...observed,
      conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
    },
    argo: 'Degraded: Deployment "x" exceeded its progress deadline',
    kstatus: 'Degraded: Progress deadline exceeded',
  },
  {
    title: 'a paused Deployment',
    kind: 'apps/v1 Deployment',
    spec: { paused: true },
    argo: 'Suspended: Deployment is paused',
  },
  {
    title: 'a Deployment that runs',
    kind: 'apps/v1 Deployment',
    generation: 2,
    spec: { replicas: 1 },
    status: {
      ...observed,
      replicas: 1,
      updatedReplicas: 1,
      availableReplicas: 1,
      readyReplicas: 1,
      conditions: [{ type: 'Available', status: 'True' }],
    },
    argo: 'Healthy',
    kstatus: 'Healthy: Deployment is available. Replicas: 1',
  },
  {
    title: 'a StatefulSet with partition',
    kind: 'apps/v1 StatefulSet',
    generation: 2,
    spec: {
      replicas: 3,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
    },
    status: { ...observed, replicas: 3, readyReplicas: 3, updatedReplicas: 1 },
    argo: 'Progressing: Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...',
    kstatus: 'Progressing: updated: 1/2',
  },
  {
    title: 'a StatefulSet in the midst of its update',
    kind: 'apps/v1 StatefulSet',
    generation: 2,
    spec: { replicas: 1 },
    status: {
      ...observed,
      replicas: 1,
      readyReplicas: 1,
      currentReplicas: 1,
      currentRevision: 'a',
      updateRevision: 'b',
    },
    argo: 'Progressing: waiting for statefulset rolling update to complete 0 pods at revision b...',
    kstatus: 'Progressing: Waiting for updated revision to match current',
  },
  {
    title: 'a DaemonSet with pods missing',
    kind: 'apps/v1 DaemonSet',
    generation: 2,
    status: {
      ...observed,
      desiredNumberScheduled: 3,
      currentNumberScheduled: 3,
      updatedNumberScheduled: 3,
      numberAvailable: 1,
    },
    argo: 'Progressing: Waiting for daemon set "x" rollout to finish: 1 of 3 updated pods are available...',
    kstatus: 'Progressing: Available: 1/3',
  },
  {
    title: 'a Pod that cannot pull its image',
    kind: 'v1 Pod',
    spec: { restartPolicy: 'Always' },
    status: {
      phase: 'Pending',
      containerStatuses: [
        { name: 'c', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
      ],
    },
    argo: 'Degraded: no such image',
    kstatus: 'Progressing: Pod is in the Pending phase',
  },
  {
    title: 'a Pod of a job that cannot pull its image',
    kind: 'v1 Pod',
    spec: { restartPolicy: 'Never' },
    status: {
      phase: 'Pending',
      containerStatuses: [{ name: 'c', state: { waiting: { reason: 'ImagePullBackOff' } } }],
    },
    argo: 'Progressing',
  },
  {
    title: 'a Pod that failed',
    kind: 'v1 Pod',
    spec: { restartPolicy: 'Never' },
    status: {
      phase: 'Failed',
      containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 3 } } }],
    },
    argo: 'Degraded: container "c" failed with exit code 3',
    kstatus: 'Healthy: Pod has completed, but not successfully',
  },
  {
    title: 'a Job that failed',
    kind: 'batch/v1 Job',
    status: {
      conditions: [{ type: 'Failed', status: 'True', message: 'backoff' }],
      failed: 2,
      startTime: 't',
    },
    argo: 'Degraded: backoff',
    kstatus: 'Degraded: Job Failed. failed: 2/1',
  },
  {
    title: 'a Job at work',
    kind: 'batch/v1 Job',
    status: { active: 1, startTime: 't' },
    argo: 'Progressing',
    kstatus: 'Healthy: Job in progress. success:0, active: 1, failed: 0',
  },
  {
    title: 'a suspended Job',
    kind: 'batch/v1 Job',
    status: { conditions: [{ type: 'Suspended', status: 'True', message: 'Job suspended' }] },
    argo: 'Suspended: Job suspended',
  },
  {
    title: 'a claim that waits',
    kind: 'v1 PersistentVolumeClaim',
    status: { phase: 'Pending' },
    argo: 'Progressing',
    kstatus: 'Progressing: PVC is not Bound. phase: Pending',
  },
  {
    title: 'a load balancer without address',
    kind: 'v1 Service',
    spec: { type: 'LoadBalancer' },
    argo: 'Progressing',
    kstatus: 'Progressing: ClusterIP not set. Service type: LoadBalancer',
  },
  {
    title: 'a Service inside the cluster',
    kind: 'v1 Service',
    spec: { type: 'ClusterIP' },
    argo: 'Healthy',
    kstatus: 'Healthy: Service is ready',
  },
  {
    title: 'an Ingress without address',
    kind: 'networking.k8s.io/v1 Ingress',
    argo: 'Progressing',
    kstatus: 'Healthy: Resource is current',
  },
  {
    title: 'an autoscaler without metrics',
    kind: 'autoscaling/v2 HorizontalPodAutoscaler',
    status: {
      conditions: [
        { type: 'AbleToScale', status: 'True' },
        {
          type: 'ScalingActive',
          status: 'False',
          reason: 'FailedGetResourceMetric',
          message: 'no metrics',
        },
      ],
    },
    argo: 'Degraded: no metrics',
  },
  {
    title: 'an APIService that is not there yet',
    kind: 'apiregistration.k8s.io/v1 APIService',
    status: {
      conditions: [
        { type: 'Available', status: 'False', reason: 'MissingEndpoints', message: 'none' },
      ],
    },
    argo: 'Progressing: MissingEndpoints: none',
  },
  {
    title: 'a ConfigMap',
    kind: 'v1 ConfigMap',
    argo: 'none',
    kstatus: 'Healthy: Resource is always ready',
  },
  {
    title: 'a custom resource that is not ready',
    kind: 'example.io/v1 Thing',
    generation: 2,
    status: { ...observed, conditions: [{ type: 'Ready', status: 'False', message: 'no disk' }] },
    argo: 'none',
    kstatus: 'Progressing: no disk',
  },
  {
    title: 'a custom resource that is stalled',
    kind: 'example.io/v1 Thing',
    generation: 2,
    status: { ...observed, conditions: [{ type: 'Stalled', status: 'True', message: 'bad spec' }] },
    argo: 'none',
    kstatus: 'Degraded: bad spec',
  },
  {
    title: 'an object that is being deleted',
    kind: 'v1 ConfigMap',
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    argo: 'Progressing: Pending deletion',
    kstatus: 'Progressing: Resource scheduled for deletion',
  },
  {
    title: 'an object whose deletion others hold back',
    kind: 'v1 ConfigMap',
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/x', 'b/y'] },
    argo: 'Progressing: Pending deletion; blocked by finalizers: a/x, b/y',
    kstatus: 'Progressing: Resource scheduled for deletion',
  },
  {
    title: 'a Workflow that failed',
    kind: 'argoproj.io/v1alpha1 Workflow',
    status: { phase: 'Error', message: 'no such template' },
    argo: 'Degraded: no such template',
  },
];

const NOW = Date.parse('2026-01-01T00:01:00Z');

for (const row of ROWS) {
  test(`${row.title} is judged`, () => {
    const object = build(row);
    assert.equal(print(object, WORKLOAD), row.argo);
    if (row.kstatus !== undefined) assert.equal(print(object, CONDITION), row.kstatus);
  });
}

test('a rule as data comes before the built-in ones and quotes what it finds', () => {
  const rule: HealthRule = {
    group: '*.example.io',
    kind: 'Backup',
    clauses: [
      { when: [{ observed: false }], status: 'Progressing', message: 'not seen yet' },
      {
        when: [{ condition: 'Ready', status: 'False' }],
        status: 'Degraded',
        message: '{condition:Ready} ({status.phase})',
      },
      { when: [{ path: 'status.phase', in: ['Done', 'Idle'] }], status: 'Healthy' },
    ],
    otherwise: 'Unknown',
  };
  const rules: HealthRules = { base: 'workload', custom: [rule] };
  const backup = (status: Json) =>
    build({ title: '', kind: 'db.example.io/v1 Backup', generation: 1, status, argo: '' });
  assert.equal(print(backup({}), rules), 'Progressing: not seen yet');
  const failed = {
    observedGeneration: 1,
    phase: 'Broken',
    conditions: [{ type: 'Ready', status: 'False', message: 'disk' }],
  };
  assert.equal(print(backup(failed), rules), 'Degraded: disk (Broken)');
  assert.equal(print(backup({ observedGeneration: 1, phase: 'Done' }), rules), 'Healthy');
  assert.equal(print(backup({ observedGeneration: 1 }), rules), 'Unknown');
});

test('a Pod has fifteen seconds to find its node', () => {
  const pending = (creationTimestamp: string) =>
    build({
      title: '',
      kind: 'v1 Pod',
      metadata: { creationTimestamp },
      status: {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
      },
      argo: '',
    });
  const young = assessHealth(pending('2026-01-01T00:00:50Z'), CONDITION, { nowMs: NOW });
  assert.deepEqual(young, {
    status: 'Progressing',
    message: 'Pod has not been scheduled',
    changesAtMs: NOW + 5000,
  });
  assert.equal(
    print(pending('2026-01-01T00:00:45Z'), CONDITION),
    'Degraded: Pod could not be scheduled',
  );
});

test('a Pod that may end counts as one that stays where an annotation says so, unless it is a hook', () => {
  const rules: HealthRules = { ...WORKLOAD, ignoreRestartPolicyAnnotation: 'example/stays' };
  const pod = (annotations: Record<string, string>) =>
    build({
      title: '',
      kind: 'v1 Pod',
      metadata: { annotations },
      spec: { restartPolicy: 'Never' },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      argo: '',
    });
  assert.equal(print(pod({ 'example/stays': 'true' }), rules), 'Healthy');
  assert.equal(print(pod({ 'example/stays': 'true' }), rules, { isHook: true }), 'Progressing');
  assert.equal(print(pod({ 'example/stays': 'false' }), rules), 'Progressing');
});

test('a rule may say itself what it means that its object is being deleted', () => {
  const rule: HealthRule = {
    group: 'example.io',
    kind: 'Farm',
    judge: () => ({ status: 'Degraded', message: 'ill', deletionMessage: 'sending animals home' }),
  };
  const rules: HealthRules = { base: 'workload', custom: [rule] };
  const farm = (metadata: { readonly [key: string]: Json }) =>
    build({ title: '', kind: 'example.io/v1 Farm', metadata, argo: '' });
  assert.equal(print(farm({}), rules), 'Degraded: ill');
  const leaving = farm({ deletionTimestamp: '2026-01-01T00:00:00Z' });
  assert.equal(print(leaving, rules), 'Degraded: sending animals home');
  assert.equal(print(leaving, rules, { isHook: true }), 'Degraded: ill');
});

test('many are as bad as the worst of them', () => {
  assert.deepEqual(rollUpHealth([]), { status: 'Healthy' });
  const worst = rollUpHealth([
    { status: 'Progressing' },
    { status: 'Degraded', message: 'x' },
    { status: 'Missing' },
  ]);
  assert.deepEqual(worst, { status: 'Degraded', message: 'x' });
});

function build({ kind, generation, metadata, spec, status }: Row): KubeObject {
  const [apiVersion = '', name = ''] = kind.split(' ');
  return {
    apiVersion,
    kind: name,
    metadata: { name: 'x', ...(generation === undefined ? {} : { generation }), ...metadata },
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  };
}

function print(
  object: KubeObject,
  rules: HealthRules,
  options: Partial<JudgeOptions> = {},
): string {
  const health = assessHealth(object, rules, { nowMs: NOW, ...options });
  if (health === undefined) return 'none';
  return health.message === undefined ? health.status : `${health.status}: ${health.message}`;
}
