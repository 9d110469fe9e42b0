import type { HealthState, ResourceNode, SyncState } from '@capstan/apps-contract';
import { assessHealth, type Health, type HealthRules } from '@capstan/engine-health';
import type { LiveObject, LiveState } from '@capstan/kube-client';
import { type KubeObject, keyString, type ObjectKey, parseApiVersion } from '@capstan/kube-object';
import { toHealthState } from './application-summary.ts';
import { listAt, numberAt, textAt, valueAt } from './fields.ts';
import { inferredChildren } from './inferred-children.ts';

/** An object that an app manages, as its status says. */
export interface ManagedObject {
  readonly key: ObjectKey;
  readonly version: string;
  readonly sync: SyncState | null;
  readonly health: Health | undefined;
  readonly requiresPruning: boolean;
}

export interface Judging {
  readonly rules: HealthRules;
  readonly nowMs: number;
}

type LiveView = Pick<LiveState, 'get' | 'list' | 'ownedBy'>;

const NODES_MAX = 5000;
const DEPTH_MAX = 8;
/** Managed objects with all that they own or that belongs to them, down to Pods. Parents stand before their children. */
export function resourceTree(
  managed: readonly ManagedObject[],
  live: LiveView,
  judging: Judging,
): readonly ResourceNode[] {
  const nodes: ResourceNode[] = [];
  const seen = new Set<string>();
  for (const object of managed) {
    const found = live.get(object.key);
    const node = managedNode(object, found, judging);
    if (seen.has(node.id)) continue;
    seen.add(node.id);
    nodes.push(node);
    if (found !== undefined) addChildren(found, node.id, 1, { nodes, seen, live, judging });
  }
  return nodes;
}

function addChildren(
  owner: LiveObject,
  parent: string,
  depth: number,
  into: {
    readonly nodes: ResourceNode[];
    readonly seen: Set<string>;
    readonly live: LiveView;
    readonly judging: Judging;
  },
): void {
  if (depth > DEPTH_MAX) return;
  const owned = owner.uid === '' ? [] : into.live.ownedBy(owner.uid);
  const children = [...owned, ...inferredChildren(owner, into.live)].toSorted((a, b) =>
    keyString(a.key) < keyString(b.key) ? -1 : 1,
  );
  for (const child of children) {
    const id = keyString(child.key);
    if (into.seen.has(id) || into.nodes.length >= NODES_MAX) continue;
    into.seen.add(id);
    const object = child.read();
    into.nodes.push({
      ...describe(child.key, parseApiVersion(child.apiVersion).version, object),
      parent,
      sync: null,
      ...healthOf(judge(object, into.judging)),
      requiresPruning: false,
    });
    addChildren(child, id, depth + 1, into);
  }
}

function judge(object: KubeObject, { rules, nowMs }: Judging): Health | undefined {
  return assessHealth(object, rules, { nowMs });
}

function managedNode(
  managed: ManagedObject,
  found: LiveObject | undefined,
  judging: Judging,
): ResourceNode {
  const object = found?.read();
  const judged =
    object === undefined
      ? { status: 'Missing' as const }
      : (managed.health ?? judge(object, judging));
  return {
    ...describe(managed.key, managed.version, object),
    parent: null,
    sync: managed.sync,
    ...healthOf(judged),
    requiresPruning: managed.requiresPruning,
  };
}

function healthOf(health: Health | undefined): {
  readonly health: HealthState | null;
  readonly healthMessage: string;
} {
  if (health === undefined) return { health: null, healthMessage: '' };
  return { health: toHealthState(health.status), healthMessage: health.message ?? '' };
}

function describe(key: ObjectKey, version: string, object: KubeObject | undefined) {
  const { group, kind, namespace, name } = key;
  return {
    group,
    version,
    kind,
    namespace,
    name,
    id: keyString(key),
    createdAt: object?.metadata.creationTimestamp ?? '',
    info: object === undefined ? [] : factsOf(object),
  };
}

/** What one wants to see at a glance: replicas, a Pod's phase and readiness, images. */
export function factsOf(object: KubeObject): readonly string[] {
  const facts: string[] = [];
  const replicas = valueAt(object, 'spec', 'replicas');
  if (typeof replicas === 'number' && valueAt(object, 'status') !== undefined) {
    facts.push(`${numberAt(object, 'status', 'readyReplicas')}/${replicas}`);
  }
  if (object.kind === 'Pod') facts.push(...podFacts(object));
  const containers =
    object.kind === 'Pod'
      ? listAt(object, 'spec', 'containers')
      : listAt(object, 'spec', 'template', 'spec', 'containers');
  for (const container of containers.slice(0, 3)) {
    const image = textAt(container, 'image');
    if (image !== '') facts.push(image);
  }
  return facts;
}

function podFacts(pod: KubeObject): readonly string[] {
  const states = listAt(pod, 'status', 'containerStatuses');
  const waiting = states
    .map((state) => textAt(state, 'state', 'waiting', 'reason'))
    .find((reason) => reason !== '');
  const ready = states.filter((state) => valueAt(state, 'ready') === true).length;
  const phase = waiting ?? textAt(pod, 'status', 'phase');
  return [
    ...(phase === '' ? [] : [phase]),
    ...(states.length === 0 ? [] : [`${ready}/${states.length}`]),
  ];
}
