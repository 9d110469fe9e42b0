import {
  childDraft,
  cloneJson,
  type DraftObject,
  flagAt,
  listAt,
  objectAt,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';
import type { ControllerClient } from './control-loop.ts';

/** The objects of a resource that a workload controls. */
export function ownedBy(client: ControllerClient, path: string, owner: KubeObject): KubeObject[] {
  return client.owned(path, owner);
}

export function isPodReady(pod: KubeObject): boolean {
  return readyCondition(pod)?.status === 'True';
}

export function readyCondition(
  pod: KubeObject,
): { readonly status: string; readonly since: string } | undefined {
  const condition = listAt(pod, 'status', 'conditions').find(
    (item) => textAt(item, 'type') === 'Ready',
  );
  if (condition === undefined) return undefined;
  return { status: textAt(condition, 'status'), since: textAt(condition, 'lastTransitionTime') };
}

/** Ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: KubeObject, minReadySeconds: number, nowMs: number): boolean {
  const ready = readyCondition(pod);
  if (ready?.status !== 'True') return false;
  return minReadySeconds === 0 || nowMs - Date.parse(ready.since) >= minReadySeconds * 1000;
}

export function isTerminating(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** Neither finished nor going away. */
export function isActive(pod: KubeObject): boolean {
  const phase = textAt(pod, 'status', 'phase');
  return phase !== 'Succeeded' && phase !== 'Failed' && !isTerminating(pod);
}

export function ownerReference(owner: KubeObject): DraftObject {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** A pod from a template, owned by its workload; named by `generateName` unless a name is given. */
export function podFromTemplate(
  owner: KubeObject,
  template: Json | undefined,
  extra: {
    readonly name?: string;
    readonly labels?: { readonly [key: string]: string };
    readonly annotations?: { readonly [key: string]: string };
  } = {},
): DraftObject {
  const source = cloneJson(objectAt(template));
  const metadata = childDraft(source, 'metadata');
  const merged = (key: 'labels' | 'annotations'): DraftObject => ({
    ...cloneJson(objectAt(metadata, key)),
    ...extra[key],
  });
  const labels = merged('labels');
  const annotations = merged('annotations');
  const finalizers = metadata['finalizers'];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(extra.name === undefined
        ? { generateName: `${owner.metadata.name ?? ''}-` }
        : { name: extra.name }),
      namespace: owner.metadata.namespace ?? '',
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [ownerReference(owner)],
    },
    spec: childDraft(source, 'spec'),
  };
}

/** A condition list with one condition set; its transition time changes only with its status. */
export function withCondition(
  conditions: readonly Json[],
  condition: DraftObject,
  now: string,
  options: { readonly updateTime?: boolean } = {},
): DraftObject[] {
  const old = conditions.find((item) => textAt(item, 'type') === condition['type']);
  const same = old !== undefined && textAt(old, 'status') === condition['status'];
  const unchanged = same && textAt(old, 'reason') === (condition['reason'] ?? '');
  const made: DraftObject = {
    ...condition,
    lastTransitionTime: same ? textAt(old, 'lastTransitionTime') : now,
  };
  if (options.updateTime === true) {
    made['lastUpdateTime'] = unchanged ? textAt(old, 'lastUpdateTime') : now;
  }
  const copied = conditions.map((item) => cloneJson(objectAt(item)));
  const at = conditions.findIndex((item) => textAt(item, 'type') === condition['type']);
  if (at < 0) return [...copied, made];
  copied[at] = made;
  return copied;
}

/** A count that may be a percentage of a whole: `25%` of 4 is 1. */
export function countOrShare(value: Json | undefined, whole: number, up: boolean): number {
  if (typeof value === 'string' && value.endsWith('%')) {
    const share = (Number(value.slice(0, -1)) * whole) / 100;
    return up ? Math.ceil(share) : Math.floor(share);
  }
  const count = Number(value ?? 0);
  return Number.isFinite(count) ? count : 0;
}

export function isPaused(object: KubeObject): boolean {
  return flagAt(object, 'spec', 'paused');
}

export function templateOf(object: KubeObject): Json | undefined {
  return valueAt(object, 'spec', 'template');
}
