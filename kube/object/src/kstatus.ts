import { type Condition, conditionsOf } from './conditions.ts';
import { conditionsProblem, generationProblem } from './kstatus-form.ts';
import type { Json, JsonObject, KubeObject } from './object.ts';
import { parseApiVersion } from './object-key.ts';

export type ObjectStatus =
  | 'InProgress'
  | 'Failed'
  | 'Current'
  | 'Terminating'
  | 'NotFound'
  | 'Unknown';

export interface StatusResult {
  readonly status: ObjectStatus;
  readonly message: string;
  /** The reason of the Reconciling or Stalled condition that the result stands for; '' if it stands for none. */
  readonly reason: string;
}

/**
 * What has become of an object, by the rules of kstatus (sigs.k8s.io/cli-utils v0.37): deletion, observed generation and
 * the conditions Reconciling and Stalled come first, then what is known of the kind, then a Ready condition; else it is
 * Current; an object whose status has another form than that is Unknown. `now` is milliseconds since the epoch: a Pod has 15 seconds to be scheduled.
 */
export function computeStatus(object: KubeObject, now: number): StatusResult {
  const generic = genericStatus(object);
  if (generic !== undefined) return generic;
  const { group } = parseApiVersion(object.apiVersion);
  const rule = rules.get(group === '' ? object.kind : `${group}/${object.kind}`);
  if (rule !== undefined) return rule(object, now);
  return readyStatus(object) ?? current('Resource is current');
}

function current(message: string): StatusResult {
  return { status: 'Current', message, reason: '' };
}

function inProgress(reason: string, message: string): StatusResult {
  return { status: 'InProgress', message, reason };
}

function failed(reason: string, message: string): StatusResult {
  return { status: 'Failed', message, reason };
}

function unknown(message: string): StatusResult {
  return { status: 'Unknown', message, reason: '' };
}

function field(object: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = object;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = (value as JsonObject)[name];
  }
  return value;
}

function number(object: KubeObject, path: string, fallback: number): number {
  const value = field(object, path);
  return typeof value === 'number' && Number.isInteger(value) ? value : fallback;
}

function text(object: KubeObject, path: string, fallback: string): string {
  const value = field(object, path);
  return typeof value === 'string' ? value : fallback;
}

function genericStatus(object: KubeObject): StatusResult | undefined {
  if (object.metadata.deletionTimestamp)
    return { status: 'Terminating', message: 'Resource scheduled for deletion', reason: '' };
  const unread = generationProblem(object);
  if (unread !== undefined) return unknown(unread);
  const generation = field(object, 'metadata.generation');
  const observed = field(object, 'status.observedGeneration');
  if (typeof generation === 'number' && typeof observed === 'number' && generation !== observed)
    return inProgress(
      'LatestGenerationNotObserved',
      `${object.kind} generation is ${generation}, but latest observed generation is ${observed}`,
    );
  const problem = conditionsProblem(object);
  if (problem !== undefined) return unknown(problem);
  for (const { type, status, reason = '', message = '' } of conditionsOf(object)) {
    if (status !== 'True') continue;
    if (type === 'Reconciling') return inProgress(reason, message);
    if (type === 'Stalled') return failed(reason, message);
  }
  return undefined;
}

function readyStatus(object: KubeObject): StatusResult | undefined {
  for (const { type, status, reason = '', message = '' } of conditionsOf(object)) {
    if (type !== 'Ready') continue;
    if (status === 'True') return current('Resource is Ready');
    if (status === 'False' || status === 'Unknown') return inProgress(reason, message);
  }
  return undefined;
}

type Rule = (object: KubeObject, now: number) => StatusResult;

const alwaysReady: Rule = () => current('Resource is always ready');

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['Service', serviceStatus],
  ['Pod', podStatus],
  ['Secret', alwaysReady],
  ['ConfigMap', alwaysReady],
  ['PersistentVolumeClaim', claimStatus],
  ['apps/StatefulSet', statefulSetStatus],
  ['apps/DaemonSet', daemonSetStatus],
  ['extensions/DaemonSet', daemonSetStatus],
  ['apps/Deployment', deploymentStatus],
  ['extensions/Deployment', deploymentStatus],
  ['apps/ReplicaSet', replicaSetStatus],
  ['extensions/ReplicaSet', replicaSetStatus],
  ['policy/PodDisruptionBudget', () => current('AllowedDisruptions has been computed.')],
  ['batch/CronJob', alwaysReady],
  ['batch/Job', jobStatus],
  ['apiextensions.k8s.io/CustomResourceDefinition', definitionStatus],
]);

/** `Ready: 1/3` if there are fewer than wanted. */
function fewer(reason: string, name: string, have: number, want: number): StatusResult | undefined {
  return want > have ? inProgress(reason, `${name}: ${have}/${want}`) : undefined;
}

function extra(have: number, want: number): StatusResult | undefined {
  return have > want ? inProgress('ExtraPods', `Pending termination: ${have - want}`) : undefined;
}

function statefulSetStatus(object: KubeObject): StatusResult {
  if (text(object, 'spec.updateStrategy.type', '') === 'OnDelete')
    return current('StatefulSet is using the ondelete update strategy');
  const wanted = number(object, 'spec.replicas', 1);
  const replicas = number(object, 'status.replicas', 0);
  const updated = number(object, 'status.updatedReplicas', 0);
  const early =
    fewer('LessReplicas', 'Replicas', replicas, wanted) ??
    fewer('LessReady', 'Ready', number(object, 'status.readyReplicas', 0), wanted) ??
    extra(replicas, wanted);
  if (early !== undefined) return early;
  const partition = number(object, 'spec.updateStrategy.rollingUpdate.partition', -1);
  if (partition !== -1)
    return (
      fewer('PartitionRollout', 'updated', updated, wanted - partition) ??
      current(`Partition rollout complete. updated: ${updated}`)
    );
  const late = fewer('LessCurrent', 'current', number(object, 'status.currentReplicas', 0), wanted);
  if (late !== undefined) return late;
  if (text(object, 'status.currentRevision', '') !== text(object, 'status.updateRevision', ''))
    return inProgress('RevisionMismatch', 'Waiting for updated revision to match current');
  return current(`All replicas scheduled as expected. Replicas: ${replicas}`);
}

/** The deadline of a Deployment without one: then its controller sets no Progressing condition. */
const noDeadline = 2147483647;

function deploymentStatus(object: KubeObject): StatusResult {
  const conditions = conditionsOf(object);
  const progress = conditions.filter(({ type }) => type === 'Progressing');
  if (progress.some(({ reason }) => reason === 'ProgressDeadlineExceeded'))
    return failed('ProgressDeadlineExceeded', 'Progress deadline exceeded');
  const isProgressing =
    number(object, 'spec.progressDeadlineSeconds', noDeadline) === noDeadline ||
    progress.some((c) => c.status === 'True' && c.reason === 'NewReplicaSetAvailable');
  const isAvailable = conditions.some((c) => c.type === 'Available' && c.status === 'True');
  const wanted = number(object, 'spec.replicas', 1);
  const replicas = number(object, 'status.replicas', 0);
  const updated = number(object, 'status.updatedReplicas', 0);
  const early =
    fewer('LessReplicas', 'Replicas', replicas, wanted) ??
    fewer('LessUpdated', 'Updated', updated, wanted) ??
    extra(replicas, wanted) ??
    fewer('LessAvailable', 'Available', number(object, 'status.availableReplicas', 0), updated) ??
    fewer('LessReady', 'Ready', number(object, 'status.readyReplicas', 0), wanted);
  if (early !== undefined) return early;
  if (!isProgressing) return inProgress('ReplicaSetNotAvailable', 'ReplicaSet not Available');
  if (!isAvailable) return inProgress('DeploymentNotAvailable', 'Deployment not Available');
  return current(`Deployment is available. Replicas: ${replicas}`);
}

function replicaSetStatus(object: KubeObject): StatusResult {
  if (conditionsOf(object).some((c) => c.type === 'ReplicaFailure' && c.status === 'True'))
    return inProgress('ReplicaFailure', 'Replica Failure condition. Check Pods');
  const wanted = number(object, 'spec.replicas', 1);
  const replicas = number(object, 'status.replicas', 0);
  return (
    fewer('LessLabelled', 'Labelled', number(object, 'status.fullyLabeledReplicas', 0), wanted) ??
    fewer('LessAvailable', 'Available', number(object, 'status.availableReplicas', 0), wanted) ??
    fewer('LessReady', 'Ready', number(object, 'status.readyReplicas', 0), wanted) ??
    extra(replicas, wanted) ??
    current(`ReplicaSet is available. Replicas: ${replicas}`)
  );
}

function daemonSetStatus(object: KubeObject): StatusResult {
  if (field(object, 'metadata.generation') === undefined)
    return inProgress('NoGeneration', `${object.kind} metadata.generation not found`);
  if (field(object, 'status.observedGeneration') === undefined)
    return inProgress('NoObservedGeneration', `${object.kind} status.observedGeneration not found`);
  const wanted = number(object, 'status.desiredNumberScheduled', -1);
  if (wanted === -1) return inProgress('NoDesiredNumber', 'Missing .status.desiredNumberScheduled');
  const have = (name: string): number => number(object, `status.${name}`, 0);
  return (
    fewer('LessCurrent', 'Current', have('currentNumberScheduled'), wanted) ??
    fewer('LessUpdated', 'Updated', have('updatedNumberScheduled'), wanted) ??
    fewer('LessAvailable', 'Available', have('numberAvailable'), wanted) ??
    fewer('LessReady', 'Ready', have('numberReady'), wanted) ??
    current(`All replicas scheduled as expected. Replicas: ${wanted}`)
  );
}

function claimStatus(object: KubeObject): StatusResult {
  const phase = text(object, 'status.phase', 'unknown');
  return phase === 'Bound'
    ? current('PVC is Bound')
    : inProgress('NotBound', `PVC is not Bound. phase: ${phase}`);
}

const scheduleWindowMs = 15_000;

function podStatus(object: KubeObject, now: number): StatusResult {
  const phase = text(object, 'status.phase', '');
  const conditions = conditionsOf(object);
  switch (phase) {
    case 'Succeeded':
      return current('Pod has completed successfully');
    case 'Failed':
      return current('Pod has completed, but not successfully');
    case 'Running':
      return runningStatus(object, conditions);
    case 'Pending':
      return pendingStatus(object, conditions, now);
    case '':
      return inProgress('PodNotObserved', 'Pod phase not available');
    default:
      return unknown(`unknown phase ${phase}`);
  }
}

function runningStatus(object: KubeObject, conditions: readonly Condition[]): StatusResult {
  if (conditions.some((c) => c.type === 'Ready' && c.status === 'True'))
    return current('Pod is Ready');
  const statuses = field(object, 'status.containerStatuses');
  const crashing = (Array.isArray(statuses) ? (statuses as readonly JsonObject[]) : [])
    .filter((status) => field(status, 'state.waiting.reason') === 'CrashLoopBackOff')
    .map((status) => String(status['name'] ?? ''));
  return crashing.length > 0
    ? failed('ContainerCrashLooping', `Containers in CrashLoop state: ${crashing.join(',')}`)
    : inProgress('PodRunningNotReady', 'Pod is running but is not Ready');
}

function pendingStatus(
  object: KubeObject,
  conditions: readonly Condition[],
  now: number,
): StatusResult {
  const scheduled = conditions.find((c) => c.type === 'PodScheduled' && c.status === 'False');
  if (scheduled?.reason !== 'Unschedulable')
    return inProgress('PodPending', 'Pod is in the Pending phase');
  const created = Date.parse(object.metadata.creationTimestamp ?? '');
  return now - scheduleWindowMs < created
    ? inProgress('PodNotScheduled', 'Pod has not been scheduled')
    : failed('PodUnschedulable', 'Pod could not be scheduled');
}

function jobStatus(object: KubeObject): StatusResult {
  const completions = number(object, 'spec.completions', number(object, 'spec.parallelism', 1));
  const [succeeded, active, failures] = ['succeeded', 'active', 'failed'].map((name) =>
    number(object, `status.${name}`, 0),
  );
  for (const { type, status } of conditionsOf(object)) {
    if (status !== 'True') continue;
    if (type === 'Complete')
      return current(`Job Completed. succeeded: ${succeeded}/${completions}`);
    if (type === 'Failed')
      return failed('JobFailed', `Job Failed. failed: ${failures}/${completions}`);
  }
  if (text(object, 'status.startTime', '') === '')
    return inProgress('JobNotStarted', 'Job not started');
  return current(`Job in progress. success:${succeeded}, active: ${active}, failed: ${failures}`);
}

function serviceStatus(object: KubeObject): StatusResult {
  const isBalanced = text(object, 'spec.type', 'ClusterIP') === 'LoadBalancer';
  return isBalanced && text(object, 'spec.clusterIP', '') === ''
    ? inProgress('NoIPAssigned', 'ClusterIP not set. Service type: LoadBalancer')
    : current('Service is ready');
}

function definitionStatus(object: KubeObject): StatusResult {
  for (const { type, status, reason = '', message = '' } of conditionsOf(object)) {
    if (type === 'NamesAccepted' && status === 'False') return failed(reason, message);
    if (type !== 'Established') continue;
    if (status === 'False' && reason !== 'Installing') return failed(reason, message);
    if (status === 'True') return current('CRD is established');
  }
  return inProgress('Installing', 'Install in progress');
}
