import {
  childDraft,
  cloneJson,
  type Draft,
  type DraftObject,
  draftObjects,
  equalJson,
  listAt,
  numberAt,
  objectAt,
  safeEncode,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { claimantKeys, claimed } from '../claim.ts';
import { type Controller, controllerKey, type Surroundings, splitKey } from '../control-loop.ts';
import { hash } from '../events.ts';
import {
  isActive,
  isPodAvailable,
  isPodReady,
  isTerminating,
  ownedBy,
  ownerReference,
  podFromTemplate,
  templateOf,
} from '../pods.ts';

const SETS = 'apps/v1/statefulsets';
const REVISIONS = 'apps/v1/controllerrevisions';
const REVISION_LABEL = 'controller-revision-hash';

/** StatefulSets: pods with stable names, made in order and replaced from the last to the first. */
export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  keysFor(event, client) {
    if (event.bucket === 'apps/statefulsets') return event.removed ? [] : [event.key];
    if (event.bucket !== '/pods') return [];
    return [...controllerKey(event, 'StatefulSet'), ...claimantKeys(event, client, SETS)];
  },
  reconcile(key, surroundings) {
    const { client } = surroundings;
    const set = client.get(SETS, ...splitKey(key));
    if (set === undefined) return;
    const revision = takeRevision(set, surroundings);
    if (!isTerminating(set)) step(set, revision, surroundings);
    const latest = client.get(SETS, ...splitKey(key));
    if (latest !== undefined) report(latest, revision, key, surroundings);
  },
};

/**
 * The ControllerRevision of the present template, made when it is new. Found by its content, because other controllers than
 * this one name theirs by other hashes; a template that comes back takes its old revision to the front.
 */
export function takeRevision(owner: KubeObject, { client }: Surroundings): string {
  const template = objectAt(templateOf(owner));
  const known = ownedBy(client, REVISIONS, owner);
  const newest = Math.max(0, ...known.map((item) => numberAt(item, 'revision') ?? 0));
  const same = known.find((item) => equalJson(templateIn(item), template));
  if (same !== undefined) {
    if ((numberAt(same, 'revision') ?? 0) < newest) {
      client.update(REVISIONS, { ...cloneJson(same), revision: newest + 1 });
    }
    return same.metadata.name ?? '';
  }
  const digest = digestOf(template);
  const name = `${owner.metadata.name}-${digest}`;
  const namespace = owner.metadata.namespace ?? '';
  client.create(REVISIONS, {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name,
      namespace,
      labels: {
        ...cloneJson(objectAt(template, 'metadata', 'labels')),
        [REVISION_LABEL]: digest,
      },
      ownerReferences: [ownerReference(owner)],
    },
    data: sorted({ spec: { template: { ...template, $patch: 'replace' } } }),
    revision: newest + 1,
  });
  return name;
}

/** Its keys in order, at every depth: whoever compares revisions by their bytes has them so. */
function sorted(value: Json): Draft {
  if (Array.isArray(value)) return value.map((item: Json) => sorted(item));
  if (typeof value !== 'object' || value === null) return value as Draft;
  const entries = Object.entries(value as JsonObject).map(([key, item]): [string, Draft] => [
    key,
    sorted(item ?? null),
  ]);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function digestOf(template: JsonObject): string {
  const number = BigInt(`0x${hash(JSON.stringify(template))}`).toString(10);
  return safeEncode(number.slice(0, 10));
}

/** The Pod template that a revision holds, as the object's own would stand: without the patch's word for all of it. */
function templateIn(revision: KubeObject): JsonObject {
  const { $patch: _, ...template } = objectAt(revision, 'data', 'spec', 'template');
  const { creationTimestamp: _time, ...metadata } = objectAt(template, 'metadata');
  return { ...template, metadata };
}

function ordinalOf(pod: KubeObject): number {
  const name = pod.metadata.name ?? '';
  return Number(name.slice(name.lastIndexOf('-') + 1));
}

function step(set: KubeObject, revision: string, surroundings: Surroundings): void {
  const { client, record } = surroundings;
  const replicas = numberAt(set, 'spec', 'replicas') ?? 1;
  const first = numberAt(set, 'spec', 'ordinals', 'start') ?? 0;
  const parallel = textAt(set, 'spec', 'podManagementPolicy') === 'Parallel';
  const isMember = ({ metadata: { name = '' } }: KubeObject): boolean =>
    /^\d+$/.test(name.slice(`${set.metadata.name}-`.length)) &&
    name.startsWith(`${set.metadata.name}-`);
  const pods = claimed(client, { path: 'v1/pods', owner: set, accepts: isMember });
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(pod), pod]));
  for (let ordinal = first; ordinal < first + replicas; ordinal++) {
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined) {
      makeClaims(set, ordinal, surroundings);
      const name = `${set.metadata.name}-${ordinal}`;
      client.create('v1/pods', statefulPod(set, ordinal, revisionFor(set, ordinal, revision)));
      record(
        set,
        'Normal',
        'SuccessfulCreate',
        `create Pod ${name} in StatefulSet ${set.metadata.name} successful`,
      );
      if (!parallel) return;
      continue;
    }
    const phase = textAt(pod, 'status', 'phase');
    if ((phase === 'Failed' || phase === 'Succeeded') && !isTerminating(pod)) {
      client.remove('v1/pods', pod.metadata.namespace ?? '', pod.metadata.name ?? '');
      return;
    }
    if (!parallel && (isTerminating(pod) || !isPodReady(pod))) {
      // A broken pod of an older revision may be replaced all the same, see below.
      if (isTerminating(pod) || !isOutdated(set, pod, revision)) return;
    }
  }
  const surplus = [...byOrdinal.keys()].filter((n) => n < first || n >= first + replicas);
  for (const ordinal of surplus.sort((a, b) => b - a)) {
    const pod = byOrdinal.get(ordinal)!;
    if (isTerminating(pod)) return;
    client.remove('v1/pods', pod.metadata.namespace ?? '', pod.metadata.name ?? '');
    record(
      set,
      'Normal',
      'SuccessfulDelete',
      `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`,
    );
    if (!parallel) return;
  }
  replaceOutdated(set, revision, byOrdinal, surroundings);
}

function replaceOutdated(
  set: KubeObject,
  revision: string,
  pods: ReadonlyMap<number, KubeObject>,
  { client }: Surroundings,
): void {
  if (textAt(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return;
  for (const ordinal of [...pods.keys()].sort((a, b) => b - a)) {
    const pod = pods.get(ordinal)!;
    if (isTerminating(pod)) return;
    if (isOutdated(set, pod, revision)) {
      client.remove('v1/pods', pod.metadata.namespace ?? '', pod.metadata.name ?? '');
      return;
    }
    if (!isPodReady(pod)) return;
  }
}

function isOutdated(set: KubeObject, pod: KubeObject, revision: string): boolean {
  return pod.metadata.labels?.[REVISION_LABEL] !== revisionFor(set, ordinalOf(pod), revision);
}

/** Ordinals below the partition stay with the revision that was current before. */
function revisionFor(set: KubeObject, ordinal: number, revision: string): string {
  const partition = numberAt(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  return ordinal < partition ? textAt(set, 'status', 'currentRevision') || revision : revision;
}

function statefulPod(set: KubeObject, ordinal: number, revision: string): DraftObject {
  const name = `${set.metadata.name}-${ordinal}`;
  const pod = podFromTemplate(set, templateOf(set), {
    name,
    labels: {
      [REVISION_LABEL]: revision,
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(ordinal),
    },
  });
  const spec = childDraft(pod, 'spec');
  spec['hostname'] = name;
  spec['subdomain'] = textAt(set, 'spec', 'serviceName');
  const claims = listAt(set, 'spec', 'volumeClaimTemplates').map((claim) =>
    textAt(claim, 'metadata', 'name'),
  );
  const others = draftObjects(spec, 'volumes').filter((v) => !claims.includes(textAt(v, 'name')));
  const volumes = claims.map((claim) => ({
    name: claim,
    persistentVolumeClaim: { claimName: `${claim}-${name}` },
  }));
  if (volumes.length + others.length > 0) spec['volumes'] = [...volumes, ...others];
  return pod;
}

function makeClaims(set: KubeObject, ordinal: number, { client }: Surroundings): void {
  const namespace = set.metadata.namespace ?? '';
  for (const template of listAt(set, 'spec', 'volumeClaimTemplates')) {
    const name = `${textAt(template, 'metadata', 'name')}-${set.metadata.name}-${ordinal}`;
    if (client.get('v1/persistentvolumeclaims', namespace, name) !== undefined) continue;
    client.create('v1/persistentvolumeclaims', {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name,
        namespace,
        labels: cloneJson(objectAt(set, 'spec', 'selector', 'matchLabels')),
      },
      spec: cloneJson(objectAt(template, 'spec')),
    });
  }
}

function report(
  set: KubeObject,
  revision: string,
  key: string,
  { client, clock, again }: Surroundings,
): void {
  const pods = ownedBy(client, 'v1/pods', set);
  const active = pods.filter(isActive);
  const minReady = numberAt(set, 'spec', 'minReadySeconds') ?? 0;
  const ready = active.filter(isPodReady);
  const available = ready.filter((pod) => isPodAvailable(pod, minReady, clock.now()));
  if (available.length < ready.length) again(key, 1000);
  const updated = active.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === revision);
  const replicas = numberAt(set, 'spec', 'replicas') ?? 1;
  const partition = numberAt(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const before = textAt(set, 'status', 'currentRevision') || revision;
  const done =
    updated.length === replicas &&
    ready.length === replicas &&
    pods.length === replicas &&
    partition === 0;
  const current = done ? revision : before;
  const currentPods = active.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === current);
  const status: DraftObject = {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    ...(ready.length > 0 ? { readyReplicas: ready.length } : {}),
    ...(currentPods.length > 0 ? { currentReplicas: currentPods.length } : {}),
    ...(updated.length > 0 ? { updatedReplicas: updated.length } : {}),
    currentRevision: current,
    updateRevision: revision,
    collisionCount: 0,
    availableReplicas: available.length,
  };
  if (equalJson(status, valueAt(set, 'status'))) return;
  client.updateStatus(SETS, { ...cloneJson(set), status });
}
