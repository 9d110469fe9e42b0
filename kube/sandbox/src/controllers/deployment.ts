import {
  childDraft,
  cloneJson,
  type DraftObject,
  equalJson,
  listAt,
  numberAt,
  objectAt,
  safeEncode,
  textAt,
  timestamp,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';
import { claimantKeys, claimed } from '../claim.ts';
import { type Controller, controllerKey, type Surroundings, splitKey } from '../control-loop.ts';
import { hash } from '../events.ts';
import {
  countOrShare,
  isPaused,
  isTerminating,
  ownedBy,
  ownerReference,
  templateOf,
  withCondition,
} from '../pods.ts';

const DEPLOYMENTS = 'apps/v1/deployments';
const SETS = 'apps/v1/replicasets';
const REVISION = 'deployment.kubernetes.io/revision';
const DESIRED = 'deployment.kubernetes.io/desired-replicas';
const MAXIMUM = 'deployment.kubernetes.io/max-replicas';
const HASH_LABEL = 'pod-template-hash';

/** Deployments: one ReplicaSet per template, scaled against each other within maxSurge and maxUnavailable. */
export const deploymentController: Controller = {
  name: 'deployment-controller',
  keysFor(event, client) {
    if (event.bucket === 'apps/deployments') return event.removed ? [] : [event.key];
    if (event.bucket !== 'apps/replicasets') return [];
    return [...controllerKey(event, 'Deployment'), ...claimantKeys(event, client, DEPLOYMENTS)];
  },
  reconcile(key, surroundings) {
    const { client } = surroundings;
    const deployment = client.get(DEPLOYMENTS, ...splitKey(key));
    if (deployment === undefined || isTerminating(deployment)) return;
    const sets = claimed(client, { path: SETS, owner: deployment });
    const current = findCurrent(deployment, sets);
    if (isPaused(deployment)) {
      report(deployment, sets, current, key, surroundings);
      return;
    }
    const fresh = current ?? createSet(deployment, sets, surroundings);
    const all = ownedBy(client, SETS, deployment);
    const newSet =
      client.get(SETS, fresh.metadata.namespace ?? '', fresh.metadata.name ?? '') ?? fresh;
    const latest = takeRevision(deployment, newSet, all, surroundings);
    roll(latest, newSet, surroundings);
    removeOldSets(latest, surroundings);
    const after = client.get(DEPLOYMENTS, ...splitKey(key));
    if (after === undefined) return;
    const setsAfter = ownedBy(client, SETS, after);
    report(after, setsAfter, findCurrent(after, setsAfter), key, surroundings);
  },
};

function withoutHash(template: Json | undefined): Json {
  const copy = cloneJson(objectAt(template));
  const labels = childDraft(childDraft(copy, 'metadata'), 'labels');
  delete labels[HASH_LABEL];
  return copy;
}

function findCurrent(deployment: KubeObject, sets: readonly KubeObject[]): KubeObject | undefined {
  const wanted = withoutHash(templateOf(deployment));
  return [...sets]
    .sort((a, b) => byCreation(a, b))
    .find((set) => equalJson(withoutHash(templateOf(set)), wanted));
}

function byCreation(a: KubeObject, b: KubeObject): number {
  const left = `${a.metadata.creationTimestamp}/${a.metadata.name}`;
  const right = `${b.metadata.creationTimestamp}/${b.metadata.name}`;
  return left < right ? -1 : left > right ? 1 : 0;
}

function createSet(
  deployment: KubeObject,
  sets: readonly KubeObject[],
  { client, record }: Surroundings,
): KubeObject {
  const template = cloneJson(objectAt(templateOf(deployment)));
  const collisions = numberAt(deployment, 'status', 'collisionCount') ?? 0;
  const digest = safeEncode(
    BigInt(`0x${hash(JSON.stringify(template) + (collisions > 0 ? collisions : ''))}`)
      .toString(10)
      .slice(0, 10),
  );
  childDraft(childDraft(template, 'metadata'), 'labels')[HASH_LABEL] = digest;
  const selector = cloneJson(objectAt(deployment, 'spec', 'selector'));
  childDraft(selector, 'matchLabels')[HASH_LABEL] = digest;
  const replicas = initialSize(deployment, sets);
  const minReadySeconds = numberAt(deployment, 'spec', 'minReadySeconds');
  const name = `${deployment.metadata.name ?? ''}-${digest}`;
  const created = client.create(SETS, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: deployment.metadata.namespace ?? '',
      labels: { ...cloneJson(objectAt(template, 'metadata', 'labels')) },
      annotations: {
        ...copiedAnnotations(deployment),
        [REVISION]: String(highestRevision(sets) + 1n),
        [DESIRED]: String(numberAt(deployment, 'spec', 'replicas') ?? 1),
        [MAXIMUM]: String((numberAt(deployment, 'spec', 'replicas') ?? 1) + surge(deployment)),
      },
      ownerReferences: [ownerReference(deployment)],
    },
    spec: {
      replicas,
      selector,
      template,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    },
  });
  if (replicas > 0) {
    record(
      deployment,
      'Normal',
      'ScalingReplicaSet',
      `Scaled up replica set ${name} from 0 to ${replicas}`,
    );
  }
  return created;
}

function copiedAnnotations(deployment: KubeObject): DraftObject {
  const skipped = new Set([
    'kubectl.kubernetes.io/last-applied-configuration',
    REVISION,
    'deployment.kubernetes.io/revision-history',
    DESIRED,
    MAXIMUM,
    'deprecated.deployment.rollback.to',
  ]);
  return Object.fromEntries(
    Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !skipped.has(key)),
  );
}

function surge(deployment: KubeObject): number {
  if (textAt(deployment, 'spec', 'strategy', 'type') === 'Recreate') return 0;
  const rolling = objectAt(deployment, 'spec', 'strategy', 'rollingUpdate');
  return countOrShare(rolling['maxSurge'], numberAt(deployment, 'spec', 'replicas') ?? 1, true);
}

function unavailable(deployment: KubeObject): number {
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const rolling = objectAt(deployment, 'spec', 'strategy', 'rollingUpdate');
  const allowed = countOrShare(rolling['maxUnavailable'], replicas, false);
  // Both zero would be a standstill.
  return Math.min(replicas, allowed === 0 && surge(deployment) === 0 ? 1 : allowed);
}

function initialSize(deployment: KubeObject, sets: readonly KubeObject[]): number {
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const old = sum(sets, (set) => numberAt(set, 'spec', 'replicas') ?? 0);
  const living = sum(sets, (set) => numberAt(set, 'status', 'replicas') ?? 0);
  if (textAt(deployment, 'spec', 'strategy', 'type') === 'Recreate') {
    return living > 0 || old > 0 ? 0 : replicas;
  }
  return Math.max(0, Math.min(replicas, replicas + surge(deployment) - old));
}

function sum(sets: readonly KubeObject[], count: (set: KubeObject) => number): number {
  return sets.reduce((total, set) => total + count(set), 0);
}

/** Whole numbers of 64 bits, which anybody may have set. */
function revisionOf(object: KubeObject): bigint {
  const text = object.metadata.annotations?.[REVISION] ?? '';
  return /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
}

function highestRevision(sets: readonly KubeObject[]): bigint {
  const revisions = sets.map(revisionOf).sort((a, b) => (a < b ? -1 : 1));
  return revisions.at(-1) ?? 0n;
}

/** The current set bears the highest revision, and the deployment shows it; a rollback moves an old set to the top. */
function takeRevision(
  deployment: KubeObject,
  newSet: KubeObject,
  sets: readonly KubeObject[],
  { client }: Surroundings,
): KubeObject {
  const others = sets.filter((set) => set.metadata.uid !== newSet.metadata.uid);
  let revision = revisionOf(newSet);
  if (revision <= highestRevision(others)) {
    const history = newSet.metadata.annotations?.['deployment.kubernetes.io/revision-history'];
    const draft = cloneJson(newSet);
    const annotations = childDraft(childDraft(draft, 'metadata'), 'annotations');
    annotations['deployment.kubernetes.io/revision-history'] =
      history === undefined ? String(revision) : `${history},${revision}`;
    revision = highestRevision(others) + 1n;
    annotations[REVISION] = String(revision);
    client.update(SETS, draft);
  }
  if (deployment.metadata.annotations?.[REVISION] === String(revision)) return deployment;
  const draft = cloneJson(deployment);
  childDraft(childDraft(draft, 'metadata'), 'annotations')[REVISION] = String(revision);
  // By the status, as the real controller does: it is no new generation.
  return client.updateStatus(DEPLOYMENTS, draft);
}

function roll(deployment: KubeObject, newSet: KubeObject, surroundings: Surroundings): void {
  const { client } = surroundings;
  const sets = ownedBy(client, SETS, deployment);
  const fresh = sets.find((set) => set.metadata.uid === newSet.metadata.uid);
  if (fresh === undefined) return;
  const old = sets.filter((set) => set.metadata.uid !== newSet.metadata.uid);
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const size = numberAt(fresh, 'spec', 'replicas') ?? 0;
  if (textAt(deployment, 'spec', 'strategy', 'type') === 'Recreate') {
    for (const set of old) scale(deployment, set, 0, surroundings);
    const living = sum(old, (set) => numberAt(set, 'status', 'replicas') ?? 0);
    if (living === 0) scale(deployment, fresh, replicas, surroundings);
    return;
  }
  const oldSize = sum(old, (set) => numberAt(set, 'spec', 'replicas') ?? 0);
  const room = replicas + surge(deployment) - oldSize;
  if (size > replicas) scale(deployment, fresh, replicas, surroundings);
  else if (size < replicas) {
    scale(deployment, fresh, Math.max(size, Math.min(replicas, room)), surroundings);
  }
  shrinkOld(deployment, fresh, old, surroundings);
}

/** Takes from the old sets what may be missing: first what is not available anyway. */
function shrinkOld(
  deployment: KubeObject,
  fresh: KubeObject,
  old: readonly KubeObject[],
  surroundings: Surroundings,
): void {
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const size = (set: KubeObject): number => numberAt(set, 'spec', 'replicas') ?? 0;
  const available = (set: KubeObject): number => numberAt(set, 'status', 'availableReplicas') ?? 0;
  const freshSize = Math.max(
    size(fresh),
    numberAt(
      surroundings.client.get(SETS, fresh.metadata.namespace ?? '', fresh.metadata.name ?? ''),
      'spec',
      'replicas',
    ) ?? 0,
  );
  const minimum = replicas - unavailable(deployment);
  const newMissing = Math.max(0, freshSize - available(fresh));
  let spare = sum(old, size) + freshSize - minimum - newMissing;
  if (spare <= 0) return;
  const sizes = new Map(old.map((set) => [set, size(set)]));
  for (const set of [...old].sort(byCreation)) {
    const dead = Math.min(spare, Math.max(0, size(set) - available(set)));
    sizes.set(set, size(set) - dead);
    spare -= dead;
  }
  let healthy = sum([...old, fresh], available) - minimum;
  for (const set of [...old].sort(byCreation)) {
    const taken = Math.max(0, Math.min(healthy, sizes.get(set) ?? 0));
    sizes.set(set, (sizes.get(set) ?? 0) - taken);
    healthy -= taken;
  }
  for (const [set, wanted] of sizes) scale(deployment, set, wanted, surroundings);
}

function scale(
  deployment: KubeObject,
  set: KubeObject,
  wanted: number,
  { client, record }: Surroundings,
): void {
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const size = numberAt(set, 'spec', 'replicas') ?? 0;
  const annotations = {
    [DESIRED]: String(replicas),
    [MAXIMUM]: String(replicas + surge(deployment)),
  };
  const known = set.metadata.annotations ?? {};
  const labelled = Object.entries(annotations).every(([key, value]) => known[key] === value);
  if (size === wanted && labelled) return;
  const draft = cloneJson(set);
  childDraft(draft, 'spec')['replicas'] = wanted;
  Object.assign(childDraft(childDraft(draft, 'metadata'), 'annotations'), annotations);
  client.update(SETS, draft);
  if (size === wanted) return;
  const direction = wanted > size ? 'up' : 'down';
  record(
    deployment,
    'Normal',
    'ScalingReplicaSet',
    `Scaled ${direction} replica set ${set.metadata.name} from ${size} to ${wanted}`,
  );
}

function removeOldSets(deployment: KubeObject, { client }: Surroundings): void {
  const sets = ownedBy(client, SETS, deployment);
  const current = findCurrent(deployment, sets);
  const limit = numberAt(deployment, 'spec', 'revisionHistoryLimit') ?? 10;
  const idle = sets
    .filter((set) => set.metadata.uid !== current?.metadata.uid && !isTerminating(set))
    .filter((set) => (numberAt(set, 'spec', 'replicas') ?? 0) === 0)
    .filter((set) => (numberAt(set, 'status', 'replicas') ?? 0) === 0)
    .sort((a, b) => (revisionOf(a) < revisionOf(b) ? -1 : 1));
  for (const set of idle.slice(0, Math.max(0, idle.length - limit))) {
    client.remove(SETS, set.metadata.namespace ?? '', set.metadata.name ?? '');
  }
}

function report(
  deployment: KubeObject,
  sets: readonly KubeObject[],
  current: KubeObject | undefined,
  key: string,
  surroundings: Surroundings,
): void {
  const { client, clock } = surroundings;
  const count = (name: string): number => sum(sets, (set) => numberAt(set, 'status', name) ?? 0);
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const total = count('replicas');
  const available = count('availableReplicas');
  const updated = current === undefined ? 0 : (numberAt(current, 'status', 'replicas') ?? 0);
  const terminating = count('terminatingReplicas');
  const status: DraftObject = {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...positive('replicas', total),
    ...positive('updatedReplicas', updated),
    ...positive('readyReplicas', count('readyReplicas')),
    ...positive('availableReplicas', available),
    ...positive('unavailableReplicas', Math.max(0, Math.max(total, replicas) - available)),
    ...(terminating > 0 ? { terminatingReplicas: terminating } : { terminatingReplicas: 0 }),
  };
  const collisions = valueAt(deployment, 'status', 'collisionCount');
  if (collisions !== undefined) status['collisionCount'] = collisions as number;
  const now = timestamp(clock);
  const enough = available >= replicas - unavailable(deployment);
  let conditions = withCondition(
    listAt(deployment, 'status', 'conditions'),
    enough
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    now,
    { updateTime: true },
  );
  conditions = withProgress(deployment, current, conditions, status, key, surroundings);
  status['conditions'] = conditions;
  if (equalJson(status, valueAt(deployment, 'status'))) return;
  client.updateStatus(DEPLOYMENTS, { ...cloneJson(deployment), status });
}

function positive(name: string, count: number): DraftObject {
  return count > 0 ? { [name]: count } : {};
}

function withProgress(
  deployment: KubeObject,
  current: KubeObject | undefined,
  conditions: DraftObject[],
  status: DraftObject,
  key: string,
  { clock, again }: Surroundings,
): DraftObject[] {
  const now = timestamp(clock);
  const deadline = numberAt(deployment, 'spec', 'progressDeadlineSeconds') ?? 600;
  const set = (state: string, reason: string, message: string): DraftObject[] =>
    withCondition(conditions, { type: 'Progressing', status: state, reason, message }, now, {
      updateTime: true,
    });
  const known = conditions.find((item) => item['type'] === 'Progressing');
  if (isPaused(deployment)) return set('Unknown', 'DeploymentPaused', 'Deployment is paused');
  if (known?.['reason'] === 'DeploymentPaused') {
    return set('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  }
  const name = JSON.stringify(current?.metadata.name ?? '');
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const complete =
    (status['updatedReplicas'] ?? 0) === replicas &&
    (status['replicas'] ?? 0) === replicas &&
    (status['availableReplicas'] ?? 0) === replicas;
  if (complete) {
    return set('True', 'NewReplicaSetAvailable', `ReplicaSet ${name} has successfully progressed.`);
  }
  const fresh = known?.['message'] !== undefined && String(known['message']).includes(name);
  const before = objectAt(deployment, 'status');
  const progressed =
    !fresh ||
    Number(status['updatedReplicas'] ?? 0) > (numberAt(before, 'updatedReplicas') ?? 0) ||
    Number(status['readyReplicas'] ?? 0) > (numberAt(before, 'readyReplicas') ?? 0) ||
    Number(status['availableReplicas'] ?? 0) > (numberAt(before, 'availableReplicas') ?? 0) ||
    Number(status['replicas'] ?? 0) < (numberAt(before, 'replicas') ?? 0);
  if (progressed || known === undefined) {
    again(key, deadline * 1000 + 100);
    const started = set('True', 'ReplicaSetUpdated', `ReplicaSet ${name} is progressing.`);
    for (const item of started) if (item['type'] === 'Progressing') item['lastUpdateTime'] = now;
    return started;
  }
  const since = clock.now() - Date.parse(String(known['lastUpdateTime']));
  if (
    known['reason'] === 'NewReplicaSetAvailable' ||
    known['reason'] === 'ProgressDeadlineExceeded'
  ) {
    return conditions;
  }
  if (since < deadline * 1000) {
    again(key, deadline * 1000 - since + 100);
    return conditions;
  }
  return set('False', 'ProgressDeadlineExceeded', `ReplicaSet ${name} has timed out progressing.`);
}
