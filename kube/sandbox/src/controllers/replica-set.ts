import {
  cloneJson,
  type DraftObject,
  equalJson,
  fromSelectorObject,
  listAt,
  matchesLabels,
  numberAt,
  objectAt,
  textAt,
  timestamp,
  valueAt,
  WebhookPending,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import { claimantKeys, claimed } from '../claim.ts';
import { type Controller, controllerKey, type Surroundings, splitKey } from '../control-loop.ts';
import {
  isActive,
  isPodAvailable,
  isPodReady,
  isTerminating,
  ownedBy,
  podFromTemplate,
  templateOf,
  withCondition,
} from '../pods.ts';

/** Keeps as many pods of a template as asked for: ReplicaSets, and the older ReplicationControllers alike. */
function replicaController(kind: {
  readonly name: string;
  readonly kind: string;
  readonly bucket: string;
  readonly path: string;
}): Controller {
  return {
    name: kind.name,
    keysFor(event, client) {
      if (event.bucket === kind.bucket) return event.removed ? [] : [event.key];
      if (event.bucket !== '/pods') return [];
      return [...controllerKey(event, kind.kind), ...claimantKeys(event, client, kind.path)];
    },
    reconcile(key, surroundings) {
      const { client, clock } = surroundings;
      const set = client.get(kind.path, ...splitKey(key));
      if (set === undefined) return;
      const failure = isTerminating(set) ? undefined : adjust(set, surroundings);
      const latest = client.get(kind.path, ...splitKey(key));
      if (latest === undefined) return;
      const pods = ownedBy(client, 'v1/pods', latest);
      const minReady = numberAt(latest, 'spec', 'minReadySeconds') ?? 0;
      const active = pods.filter(isActive);
      const ready = active.filter(isPodReady);
      const available = ready.filter((pod) => isPodAvailable(pod, minReady, clock.now()));
      if (available.length < ready.length) surroundings.again(key, 1000);
      const labels = objectAt(latest, 'spec', 'template', 'metadata', 'labels');
      const labelled = active.filter((pod) =>
        matchesLabels(fromSelectorObject({ matchLabels: labels }) ?? [], pod.metadata.labels),
      );
      const conditions = withFailure(latest, failure, timestamp(clock));
      const status: DraftObject = {
        replicas: active.length,
        ...positive('fullyLabeledReplicas', labelled.length),
        ...positive('readyReplicas', ready.length),
        ...positive('availableReplicas', available.length),
        ...(kind.kind === 'ReplicaSet'
          ? { terminatingReplicas: pods.filter(isTerminating).length }
          : {}),
        observedGeneration: latest.metadata.generation ?? 0,
        ...(conditions.length === 0 ? {} : { conditions }),
      };
      if (!equalJson(status, valueAt(latest, 'status'))) {
        client.updateStatus(kind.path, { ...cloneJson(latest), status });
      }
      // To be tried again a little later.
      if (failure !== undefined) throw failure;
    },
  };
}

function positive(name: string, count: number): DraftObject {
  return count > 0 ? { [name]: count } : {};
}

/** Makes pods, or takes surplus ones away; gives why a pod could not be made. */
function adjust(set: KubeObject, surroundings: Surroundings): Error | undefined {
  const { client, record } = surroundings;
  const active = claimed(client, { path: 'v1/pods', owner: set }).filter(isActive);
  const wanted = numberAt(set, 'spec', 'replicas') ?? 1;
  for (let i = active.length; i < wanted; i++) {
    try {
      const pod = client.create('v1/pods', podFromTemplate(set, templateOf(set)));
      record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
    } catch (error) {
      if (error instanceof WebhookPending || !(error instanceof Error)) throw error;
      record(set, 'Warning', 'FailedCreate', `Error creating: ${error.message}`);
      return error;
    }
  }
  const surplus = [...active].sort(byWorth).slice(0, Math.max(0, active.length - wanted));
  for (const pod of surplus) {
    client.remove('v1/pods', pod.metadata.namespace ?? '', pod.metadata.name ?? '');
    record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }
  return undefined;
}

/** A failure is told once, as by the real controller (the next may name another pod), until there is none any more. */
function withFailure(set: KubeObject, failure: Error | undefined, now: string): DraftObject[] {
  const known = listAt(set, 'status', 'conditions').map((item) => cloneJson(objectAt(item)));
  const others = known.filter((item) => textAt(item, 'type') !== 'ReplicaFailure');
  if (failure === undefined) return others;
  if (others.length < known.length) return known;
  const condition = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' };
  return withCondition(known, { ...condition, message: failure.message }, now);
}

/** Which pods go first: not ready before ready, young before old. */
function byWorth(a: KubeObject, b: KubeObject): number {
  const worth = (pod: KubeObject): number =>
    (textAt(pod, 'spec', 'nodeName') === '' ? 0 : 4) +
    (textAt(pod, 'status', 'phase') === 'Running' ? 2 : 0) +
    (isPodReady(pod) ? 1 : 0);
  const difference = worth(a) - worth(b);
  if (difference !== 0) return difference;
  const left = a.metadata.creationTimestamp ?? '';
  const right = b.metadata.creationTimestamp ?? '';
  return left < right ? 1 : left > right ? -1 : 0;
}

export const replicaSetController = replicaController({
  name: 'replicaset-controller',
  kind: 'ReplicaSet',
  bucket: 'apps/replicasets',
  path: 'apps/v1/replicasets',
});

export const replicationController = replicaController({
  name: 'replication-controller',
  kind: 'ReplicationController',
  bucket: '/replicationcontrollers',
  path: 'v1/replicationcontrollers',
});
