import type { KubeObject } from '@capstan/kube-object';
import { at, type Condition, conditionsOf, listAt, numberAt, numberOf, textAt } from './read.ts';
import type { Health } from './types.ts';

/**
 * Judges any object as kstatus does (the library by which Flux waits): deletion, generation, then the kind's own rule,
 * then the standard conditions Reconciling and Stalled and, beyond kstatus for objects without a rule, Ready. InProgress
 * is told as Progressing, Failed as Degraded, Current as Healthy, Terminating as Progressing.
 */
export function judgeByConditions(
  object: KubeObject,
  { nowMs }: { readonly nowMs: number },
): Health {
  if (object.metadata.deletionTimestamp !== undefined) {
    return { status: 'Progressing', message: 'Resource scheduled for deletion' };
  }
  return judgeGeneration(object) ?? judgeStandard(object) ?? judgeKind(object, nowMs);
}

function judgeGeneration(object: KubeObject): Health | undefined {
  const observed = numberOf(at(object, 'status', 'observedGeneration'));
  const generation = object.metadata.generation;
  if (observed === undefined || generation === undefined || observed === generation)
    return undefined;
  const kind = object.kind;
  return progressing(
    `${kind} generation is ${generation}, but latest observed generation is ${observed}`,
  );
}

function judgeStandard(object: KubeObject): Health | undefined {
  for (const condition of conditionsOf(object)) {
    if (condition.status !== 'True') continue;
    if (condition.type === 'Reconciling') return progressing(condition.message);
    if (condition.type === 'Stalled') return { status: 'Degraded', message: condition.message };
  }
  return undefined;
}

function judgeKind(object: KubeObject, nowMs: number): Health {
  const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : '';
  const rule = KIND_RULES.get(`${group}/${object.kind}`);
  return rule === undefined ? judgeReady(object) : rule(object, nowMs);
}

function judgeReady(object: KubeObject): Health {
  const ready = conditionsOf(object).find((condition) => condition.type === 'Ready');
  if (ready === undefined || ready.status === 'True')
    return { status: 'Healthy', message: 'Resource is current' };
  return progressing(ready.message === '' ? `Ready condition is ${ready.status}` : ready.message);
}

const KIND_RULES: ReadonlyMap<string, (object: KubeObject, nowMs: number) => Health> = new Map([
  ['apps/Deployment', currentDeployment],
  ['apps/ReplicaSet', currentReplicaSet],
  ['apps/StatefulSet', currentStatefulSet],
  ['apps/DaemonSet', currentDaemonSet],
  ['/Pod', currentPod],
  ['/PersistentVolumeClaim', currentVolumeClaim],
  ['/Service', currentService],
  ['batch/Job', currentJob],
  ['policy/PodDisruptionBudget', currentBudget],
  ['apiextensions.k8s.io/CustomResourceDefinition', currentDefinition],
]);

function currentDeployment(object: KubeObject): Health {
  const find = conditionFinder(object);
  const progress = find('Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') {
    return { status: 'Degraded', message: 'Progress deadline exceeded' };
  }
  const wanted = replicasWanted(object);
  const has = (name: string) => numberAt(object, 'status', name);
  const total = has('replicas');
  const updated = has('updatedReplicas');
  if (total < wanted) return progressing(`Replicas: ${total}/${wanted}`);
  if (updated < wanted) return progressing(`Updated: ${updated}/${wanted}`);
  if (total > wanted) return progressing(`Pending termination: ${total - wanted}`);
  const available = has('availableReplicas');
  if (available < updated) return progressing(`Available: ${available}/${updated}`);
  if (has('readyReplicas') < wanted) return progressing(`Ready: ${has('readyReplicas')}/${wanted}`);
  // Without a deadline the controller sets no condition Progressing.
  const deadline = numberOf(at(object, 'spec', 'progressDeadlineSeconds')) ?? NO_DEADLINE;
  const isNew = progress?.status === 'True' && progress.reason === 'NewReplicaSetAvailable';
  if (!isNew && deadline !== NO_DEADLINE) return progressing('ReplicaSet not Available');
  if (find('Available')?.status !== 'True') return progressing('Deployment not Available');
  return { status: 'Healthy', message: `Deployment is available. Replicas: ${total}` };
}

const NO_DEADLINE = 2 ** 31 - 1;

function currentReplicaSet(object: KubeObject): Health {
  const failure = conditionFinder(object)('ReplicaFailure');
  if (failure?.status === 'True') return progressing('Replica Failure condition. Check Pods');
  const wanted = replicasWanted(object);
  for (const [name, label] of [
    ['fullyLabeledReplicas', 'Labelled'],
    ['availableReplicas', 'Available'],
    ['readyReplicas', 'Ready'],
  ] as const) {
    const has = numberAt(object, 'status', name);
    if (has < wanted) return progressing(`${label}: ${has}/${wanted}`);
  }
  const total = numberAt(object, 'status', 'replicas');
  if (total > wanted) return progressing(`Pending termination: ${total - wanted}`);
  return { status: 'Healthy', message: `ReplicaSet is available. Replicas: ${total}` };
}

function currentStatefulSet(object: KubeObject): Health {
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') {
    return { status: 'Healthy', message: 'StatefulSet is using the ondelete update strategy' };
  }
  const wanted = replicasWanted(object);
  const has = (name: string) => numberAt(object, 'status', name);
  if (has('replicas') < wanted) return progressing(`Replicas: ${has('replicas')}/${wanted}`);
  if (has('readyReplicas') < wanted) return progressing(`Ready: ${has('readyReplicas')}/${wanted}`);
  if (has('replicas') > wanted)
    return progressing(`Pending termination: ${has('replicas') - wanted}`);
  const partition = numberOf(at(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition'));
  if (partition !== undefined && partition !== 0) {
    if (has('updatedReplicas') < wanted - partition) {
      return progressing(`updated: ${has('updatedReplicas')}/${wanted - partition}`);
    }
    return {
      status: 'Healthy',
      message: `Partition rollout complete. updated: ${has('updatedReplicas')}`,
    };
  }
  if (has('currentReplicas') < wanted)
    return progressing(`current: ${has('currentReplicas')}/${wanted}`);
  if (textAt(object, 'status', 'currentRevision') !== textAt(object, 'status', 'updateRevision')) {
    return progressing('Waiting for updated revision to match current');
  }
  return {
    status: 'Healthy',
    message: `All replicas scheduled as expected. Replicas: ${has('replicas')}`,
  };
}

function currentDaemonSet(object: KubeObject): Health {
  if (object.metadata.generation === undefined) {
    return progressing('DaemonSet metadata.generation not found');
  }
  if (at(object, 'status', 'observedGeneration') === undefined) {
    return progressing('DaemonSet status.observedGeneration not found');
  }
  const wanted = numberOf(at(object, 'status', 'desiredNumberScheduled'));
  if (wanted === undefined) return progressing('Missing .status.desiredNumberScheduled');
  for (const [name, label] of [
    ['currentNumberScheduled', 'Current'],
    ['updatedNumberScheduled', 'Updated'],
    ['numberAvailable', 'Available'],
    ['numberReady', 'Ready'],
  ] as const) {
    const has = numberAt(object, 'status', name);
    if (has < wanted) return progressing(`${label}: ${has}/${wanted}`);
  }
  return { status: 'Healthy', message: `All replicas scheduled as expected. Replicas: ${wanted}` };
}

function currentPod(object: KubeObject, nowMs: number): Health {
  const ready = conditionFinder(object)('Ready');
  switch (textAt(object, 'status', 'phase')) {
    case 'Succeeded':
      return { status: 'Healthy', message: 'Pod has completed successfully' };
    case 'Failed':
      return { status: 'Healthy', message: 'Pod has completed, but not successfully' };
    case 'Running': {
      if (ready?.status === 'True') return { status: 'Healthy', message: 'Pod is Ready' };
      const crashing = listAt(object, 'status', 'containerStatuses').filter(
        (status) => textAt(status, 'state', 'waiting', 'reason') === 'CrashLoopBackOff',
      );
      if (crashing.length === 0) return progressing('Pod is running but is not Ready');
      const names = crashing.map((status) => textAt(status, 'name')).join(',');
      return { status: 'Degraded', message: `Containers in CrashLoop state: ${names}` };
    }
    case 'Pending': {
      const scheduled = conditionFinder(object)('PodScheduled');
      if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
        return judgeUnschedulable(object, nowMs);
      }
      return progressing('Pod is in the Pending phase');
    }
    default:
      return progressing('Pod phase not available');
  }
}

/** The time that a Pod has to find its node. */
const SCHEDULE_WINDOW_MS = 15_000;

function judgeUnschedulable({ metadata }: KubeObject, nowMs: number): Health {
  const endsAtMs = Date.parse(metadata.creationTimestamp ?? '') + SCHEDULE_WINDOW_MS;
  return nowMs < endsAtMs
    ? { ...progressing('Pod has not been scheduled'), changesAtMs: endsAtMs }
    : { status: 'Degraded', message: 'Pod could not be scheduled' };
}

function currentVolumeClaim(object: KubeObject): Health {
  const phase = textAt(object, 'status', 'phase');
  if (phase !== 'Bound')
    return progressing(`PVC is not Bound. phase: ${phase === '' ? 'unknown' : phase}`);
  return { status: 'Healthy', message: 'PVC is Bound' };
}

function currentService(object: KubeObject): Health {
  const type = textAt(object, 'spec', 'type');
  const noAddress = textAt(object, 'spec', 'clusterIP') === '';
  if (type === 'LoadBalancer' && noAddress)
    return progressing('ClusterIP not set. Service type: LoadBalancer');
  return { status: 'Healthy', message: 'Service is ready' };
}

function currentJob(object: KubeObject): Health {
  const find = conditionFinder(object);
  const succeeded = numberAt(object, 'status', 'succeeded');
  const failed = numberAt(object, 'status', 'failed');
  const parallelism = numberOf(at(object, 'spec', 'parallelism')) ?? 1;
  const wanted = numberOf(at(object, 'spec', 'completions')) ?? parallelism;
  if (find('Complete')?.status === 'True') {
    return {
      status: 'Healthy',
      message: `Job Completed. succeeded: ${succeeded}/${wanted}`,
    };
  }
  if (find('Failed')?.status === 'True') {
    return {
      status: 'Degraded',
      message: `Job Failed. failed: ${failed}/${wanted}`,
    };
  }
  if (textAt(object, 'status', 'startTime') === '') return progressing('Job not started');
  return {
    status: 'Healthy',
    message: `Job in progress. success:${succeeded}, active: ${numberAt(object, 'status', 'active')}, failed: ${failed}`,
  };
}

/** The disruption controller has seen this generation: there is no more to wait for. */
function currentBudget(): Health {
  return { status: 'Healthy', message: 'AllowedDisruptions has been computed.' };
}

function currentDefinition(object: KubeObject): Health {
  const find = conditionFinder(object);
  const names = find('NamesAccepted');
  if (names?.status === 'False') return { status: 'Degraded', message: names.message };
  const established = find('Established');
  if (established?.status === 'True') return { status: 'Healthy', message: 'CRD is established' };
  if (established?.status === 'False' && established.reason !== 'Installing') {
    return { status: 'Degraded', message: established.message };
  }
  return progressing('Install in progress');
}

function conditionFinder(object: KubeObject): (type: string) => Condition | undefined {
  const conditions = conditionsOf(object);
  return (type) => conditions.find((condition) => condition.type === type);
}

function replicasWanted(object: KubeObject): number {
  return numberOf(at(object, 'spec', 'replicas')) ?? 1;
}

function progressing(message: string): Health {
  return { status: 'Progressing', message };
}
