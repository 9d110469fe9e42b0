import type { KubeObject } from '@capstan/kube-object';
import {
  at,
  type Condition,
  conditionsOf,
  listAt,
  numberAt,
  numberOf,
  textAt,
  toCondition,
} from './read.ts';
import type { Health } from './types.ts';

interface PodOptions {
  /** A Pod that may end counts as one that must stay. */
  readonly mustStay: boolean;
}

type Judge = (object: KubeObject, options: PodOptions) => Health;

/**
 * The kinds which Argo CD 3.6 judges without a script, with its verdicts and its words (documentation: "Resource
 * Health"). Other kinds have no health. Keys are `group/kind`.
 */
export const WORKLOAD_JUDGES: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ['apps/Deployment', judgeDeployment],
  ['apps/StatefulSet', judgeStatefulSet],
  ['apps/ReplicaSet', judgeReplicaSet],
  ['apps/DaemonSet', judgeDaemonSet],
  ['/Service', judgeService],
  ['/PersistentVolumeClaim', judgeVolumeClaim],
  ['/Pod', judgePod],
  ['batch/Job', judgeJob],
  ['autoscaling/HorizontalPodAutoscaler', judgeAutoscaler],
  ['networking.k8s.io/Ingress', judgeIngress],
  ['extensions/Ingress', judgeIngress],
  ['apiregistration.k8s.io/APIService', judgeApiService],
  ['argoproj.io/Workflow', judgeWorkflow],
]);

function judgeDeployment(object: KubeObject): Health {
  if (at(object, 'spec', 'paused') === true) {
    return { status: 'Suspended', message: 'Deployment is paused' };
  }
  if (!isObserved(object))
    return waiting('observed deployment generation less than desired generation');
  const stuck = conditionsOf(object).find((condition) => condition.type === 'Progressing');
  if (stuck?.reason === 'ProgressDeadlineExceeded') {
    const message = `Deployment "${object.metadata.name}" exceeded its progress deadline`;
    return { status: 'Degraded', message };
  }
  const wanted = numberOf(at(object, 'spec', 'replicas'));
  const updated = numberAt(object, 'status', 'updatedReplicas');
  const total = numberAt(object, 'status', 'replicas');
  const available = numberAt(object, 'status', 'availableReplicas');
  if (wanted !== undefined && updated < wanted) {
    return waiting(`${updated} out of ${wanted} new replicas have been updated...`);
  }
  if (total > updated) {
    return waiting(`${total - updated} old replicas are pending termination...`);
  }
  if (available < updated) {
    return waiting(`${available} of ${updated} updated replicas are available...`);
  }
  return { status: 'Healthy' };
}

function judgeReplicaSet(object: KubeObject): Health {
  if (!isObserved(object))
    return waiting('observed replica set generation less than desired generation');
  const failure = conditionsOf(object).find((condition) => condition.type === 'ReplicaFailure');
  if (failure?.status === 'True') return { status: 'Degraded', message: failure.message };
  const wanted = numberOf(at(object, 'spec', 'replicas'));
  const available = numberAt(object, 'status', 'availableReplicas');
  if (wanted !== undefined && available < wanted) {
    return waiting(`${available} out of ${wanted} new replicas are available...`);
  }
  return { status: 'Healthy' };
}

function judgeDaemonSet(object: KubeObject): Health {
  if (!isObserved(object))
    return waiting('observed daemon set generation less than desired generation');
  const wanted = numberAt(object, 'status', 'desiredNumberScheduled');
  const updated = numberAt(object, 'status', 'updatedNumberScheduled');
  const available = numberAt(object, 'status', 'numberAvailable');
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') {
    const message = `daemon set ${updated} out of ${wanted} new pods have been updated`;
    return { status: 'Healthy', message };
  }
  const start = `Waiting for daemon set "${object.metadata.name}" rollout to finish:`;
  if (updated < wanted) {
    const message = `${start} ${updated} out of ${wanted} new pods have been updated...`;
    return { status: 'Progressing', message };
  }
  if (available < wanted) {
    const message = `${start} ${available} of ${wanted} updated pods are available...`;
    return { status: 'Progressing', message };
  }
  return { status: 'Healthy' };
}

function judgeStatefulSet(object: KubeObject): Health {
  const observed = numberAt(object, 'status', 'observedGeneration');
  if (observed === 0 || !isObserved(object)) {
    return {
      status: 'Progressing',
      message: 'Waiting for statefulset spec update to be observed...',
    };
  }
  const wanted = numberOf(at(object, 'spec', 'replicas'));
  const ready = numberAt(object, 'status', 'readyReplicas');
  const updated = numberAt(object, 'status', 'updatedReplicas');
  if (wanted !== undefined && ready < wanted) {
    return { status: 'Progressing', message: `Waiting for ${wanted - ready} pods to be ready...` };
  }
  const strategy = textAt(object, 'spec', 'updateStrategy', 'type');
  if (
    strategy === 'RollingUpdate' &&
    at(object, 'spec', 'updateStrategy', 'rollingUpdate') != null
  ) {
    return judgePartition(object, wanted, updated);
  }
  if (strategy === 'OnDelete') {
    return { status: 'Healthy', message: `statefulset has ${ready} ready pods` };
  }
  const target = textAt(object, 'status', 'updateRevision');
  const current = textAt(object, 'status', 'currentRevision');
  if (target !== current) {
    const message = `waiting for statefulset rolling update to complete ${updated} pods at revision ${target}...`;
    return { status: 'Progressing', message };
  }
  const done = numberAt(object, 'status', 'currentReplicas');
  return {
    status: 'Healthy',
    message: `statefulset rolling update complete ${done} pods at revision ${current}...`,
  };
}

function judgePartition(object: KubeObject, wanted: number | undefined, updated: number): Health {
  const partition = numberOf(at(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition'));
  if (wanted !== undefined && partition !== undefined && updated < wanted - partition) {
    const message = `Waiting for partitioned roll out to finish: ${updated} out of ${wanted - partition} new pods have been updated...`;
    return { status: 'Progressing', message };
  }
  const message = `partitioned roll out complete: ${updated} new pods have been updated...`;
  return { status: 'Healthy', message };
}

function judgeService(object: KubeObject): Health {
  if (textAt(object, 'spec', 'type') !== 'LoadBalancer') return { status: 'Healthy' };
  return judgeIngress(object);
}

function judgeIngress(object: KubeObject): Health {
  const addresses = listAt(object, 'status', 'loadBalancer', 'ingress');
  return { status: addresses.length > 0 ? 'Healthy' : 'Progressing' };
}

function judgeVolumeClaim(object: KubeObject): Health {
  switch (textAt(object, 'status', 'phase')) {
    case 'Lost':
      return { status: 'Degraded' };
    case 'Pending':
      return { status: 'Progressing' };
    case 'Bound':
      return { status: 'Healthy' };
    default:
      return { status: 'Unknown' };
  }
}

function judgeJob(object: KubeObject): Health {
  // The original looks at a condition's presence, not at its status, except for Suspended; the last one of each wins.
  const byType = new Map(conditionsOf(object).map((condition) => [condition.type, condition]));
  const failed = byType.get('Failed');
  if (failed !== undefined) return withMessage('Degraded', failed.message);
  const suspended = byType.get('Suspended');
  const message = byType.get('Complete')?.message ?? suspended?.message ?? '';
  if (suspended?.status === 'True') return withMessage('Suspended', message);
  if (byType.has('Complete') || suspended !== undefined) return withMessage('Healthy', message);
  return { status: 'Progressing' };
}

function judgePod(object: KubeObject, options: PodOptions): Health {
  const phase = textAt(object, 'status', 'phase');
  const message = textAt(object, 'status', 'message');
  const mustStay = options.mustStay || textAt(object, 'spec', 'restartPolicy') === 'Always';
  const statuses = listAt(object, 'status', 'containerStatuses');
  if (mustStay) {
    const broken = statuses.filter((status) =>
      isBroken(textAt(status, 'state', 'waiting', 'reason')),
    );
    if (broken.length > 0) {
      const messages = broken.map((status) => textAt(status, 'state', 'waiting', 'message'));
      return withMessage('Degraded', messages.join(', '));
    }
  }
  switch (phase) {
    case 'Pending':
      return withMessage('Progressing', message);
    case 'Succeeded':
      return withMessage('Healthy', message);
    case 'Failed':
      return withMessage('Degraded', message === '' ? whyFailed(object) : message);
    case 'Running':
      return judgeRunningPod(object, mustStay, message);
    default:
      return withMessage('Unknown', message);
  }
}

function judgeRunningPod(object: KubeObject, mustStay: boolean, message: string): Health {
  if (!mustStay) return withMessage('Progressing', message);
  const ready = conditionsOf(object).find((condition) => condition.type === 'Ready');
  if (ready?.status === 'True') return withMessage('Healthy', message);
  const crashed = listAt(object, 'status', 'containerStatuses').some(
    (status) => at(status, 'lastState', 'terminated') != null,
  );
  return withMessage(crashed ? 'Degraded' : 'Progressing', message);
}

function isBroken(reason: string): boolean {
  return reason.startsWith('Err') || reason.endsWith('Error') || reason.endsWith('BackOff');
}

function whyFailed(object: KubeObject): string {
  const statuses = [
    ...listAt(object, 'status', 'initContainerStatuses'),
    ...listAt(object, 'status', 'containerStatuses'),
  ];
  for (const status of statuses) {
    const ended = at(status, 'state', 'terminated');
    if (ended == null) continue;
    const told = textAt(ended, 'message');
    if (told !== '') return told;
    if (textAt(ended, 'reason') === 'OOMKilled') return 'OOMKilled';
    const code = numberAt(ended, 'exitCode');
    if (code !== 0) return `container "${textAt(status, 'name')}" failed with exit code ${code}`;
  }
  return '';
}

const AUTOSCALER_FAILURES: ReadonlySet<string> = new Set([
  'AbleToScale/FailedGetScale',
  'AbleToScale/FailedUpdateScale',
  'ScalingActive/FailedGetResourceMetric',
  'ScalingActive/FailedGetObjectMetric',
  'ScalingActive/FailedGetPodsMetric',
  'ScalingActive/FailedGetExternalMetric',
  'ScalingActive/FailedComputeMetricsReplicas',
  'ScalingActive/InvalidSelector',
]);

function judgeAutoscaler(object: KubeObject): Health {
  const conditions = autoscalerConditions(object);
  const failed = conditions.find(({ type, reason }) =>
    AUTOSCALER_FAILURES.has(`${type}/${reason}`),
  );
  if (failed !== undefined) return withMessage('Degraded', failed.message);
  const fine = conditions.find(
    ({ type, status }) =>
      (type === 'AbleToScale' || type === 'ScalingLimited') && status === 'True',
  );
  if (fine !== undefined) return withMessage('Healthy', fine.message);
  return { status: 'Progressing', message: 'Waiting to Autoscale' };
}

/** autoscaling/v1 keeps its conditions in an annotation. */
function autoscalerConditions(object: KubeObject): readonly Condition[] {
  const text = object.metadata.annotations?.['autoscaling.alpha.kubernetes.io/conditions'];
  if (object.apiVersion !== 'autoscaling/v1' || text === undefined) return conditionsOf(object);
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.map(toCondition) : [];
  } catch {
    return [];
  }
}

function judgeApiService(object: KubeObject): Health {
  const available = conditionsOf(object).find((condition) => condition.type === 'Available');
  if (available === undefined) return { status: 'Progressing', message: 'Waiting to be processed' };
  const message = `${available.reason}: ${available.message}`;
  return { status: available.status === 'True' ? 'Healthy' : 'Progressing', message };
}

const WORKFLOW_PHASES: Readonly<Record<string, Health['status']>> = {
  '': 'Progressing',
  Pending: 'Progressing',
  Running: 'Progressing',
  Succeeded: 'Healthy',
  Failed: 'Degraded',
  Error: 'Degraded',
};

function judgeWorkflow(object: KubeObject): Health {
  const phase = textAt(object, 'status', 'phase');
  return withMessage(WORKFLOW_PHASES[phase] ?? 'Unknown', textAt(object, 'status', 'message'));
}

function isObserved(object: KubeObject): boolean {
  return (
    numberAt(object, 'metadata', 'generation') <= numberAt(object, 'status', 'observedGeneration')
  );
}

function waiting(what: string): Health {
  return { status: 'Progressing', message: `Waiting for rollout to finish: ${what}` };
}

function withMessage(status: Health['status'], message: string): Health {
  return message === '' ? { status } : { status, message };
}
