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
      if (!isTerminating(set)) adjust(set, surroundings);
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
      const conditions = listAt(latest, 'status', 'conditions');
      const status: DraftObject = {
        replicas: active.length,
        ...positive('fullyLabeledReplicas', labelled.length),
        ...positive('readyReplicas', ready.length),
        ...positive('availableReplicas', available.length),
        ...(kind.kind === 'ReplicaSet'
          ? { terminatingReplicas: pods.filter(isTerminating).length }
          : {}),
        observedGeneration: latest.metadata.generation ?? 0,
        ...(conditions.length === 0 ? {} : { conditions: cloneJson([...conditions]) }),
      };
      if (equalJson(status, valueAt(latest, 'status'))) return;
      client.updateStatus(kind.path, { ...cloneJson(latest), status });
    },
  };
}

function positive(name: string, count: number): DraftObject {
  return count > 0 ? { [name]: count } : {};
}

function adjust(set: KubeObject, surroundings: Surroundings): void {
  const { client, record } = surroundings;
  const active = claimed(client, { path: 'v1/pods', owner: set }).filter(isActive);
  const wanted = numberAt(set, 'spec', 'replicas') ?? 1;
  for (let i = active.length; i < wanted; i++) {
    try {
      const pod = client.create('v1/pods', podFromTemplate(set, templateOf(set)));
      record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
    } catch (error) {
      if (!(error instanceof WebhookPending)) fail(set, error, surroundings);
      throw error;
    }
  }
  const surplus = [...active].sort(byWorth).slice(0, Math.max(0, active.length - wanted));
  for (const pod of surplus) {
    client.remove('v1/pods', pod.metadata.namespace ?? '', pod.metadata.name ?? '');
    record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }
}

function fail(set: KubeObject, error: unknown, { client, clock, record }: Surroundings): void {
  const message = error instanceof Error ? error.message : String(error);
  record(set, 'Warning', 'FailedCreate', `Error creating: ${message}`);
  // Told once, as by the real controller: the next failure may name another pod.
  const known = listAt(set, 'status', 'conditions').some(
    (c) => textAt(c, 'type') === 'ReplicaFailure',
  );
  if (set.kind !== 'ReplicaSet' || known) return;
  const conditions = withCondition(
    listAt(set, 'status', 'conditions'),
    { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message },
    timestamp(clock),
  );
  const status = { ...cloneJson(objectAt(set, 'status')), conditions };
  client.updateStatus('apps/v1/replicasets', { ...cloneJson(set), status });
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
