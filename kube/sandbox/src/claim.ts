import {
  childDraft,
  cloneJson,
  type DraftObject,
  fromSelectorObject,
  matchesLabels,
  objectAt,
  type StoreEvent,
  valueAt,
} from '@capstan/kube-apiserver';
import type { KubeObject, OwnerReference } from '@capstan/kube-object';
import type { ControllerClient } from './control-loop.ts';
import { isActive, isTerminating, ownerReference } from './pods.ts';

export interface Claim {
  /** Of what is claimed: pods, or replica sets. */
  readonly path: string;
  readonly owner: KubeObject;
  /** What else must be true of what is adopted. */
  readonly accepts?: (object: KubeObject) => boolean;
}

/**
 * What a workload controls, once it has adopted what its selector matches and nobody controls, and has released what its
 * selector does not match any more. A workload on its way out does neither.
 */
export function claimed(client: ControllerClient, claim: Claim): KubeObject[] {
  const { path, owner, accepts = () => true } = claim;
  const owned = client.owned(path, owner);
  if (isTerminating(owner)) return owned;
  const isSelected = selectionOf(owner);
  const kept = owned.filter(isSelected);
  for (const object of owned) if (!kept.includes(object)) release(client, path, object, owner);
  const adopted = client
    .orphans(path, owner.metadata.namespace ?? '')
    .filter((object) => isSelected(object) && isAdoptable(object) && accepts(object))
    .map((object) => adopt(client, path, object, owner));
  return [...kept, ...adopted];
}

/** The workloads that may want what changed and is nobody's: `namespace/name`. */
export function claimantKeys(event: StoreEvent, client: ControllerClient, path: string): string[] {
  const { object, previous, removed } = event;
  if (removed || hasController(object)) return [];
  const isNew = previous === undefined || hasController(previous);
  if (!isNew && JSON.stringify(labelsOf(previous)) === JSON.stringify(labelsOf(object))) return [];
  const { namespace = '' } = object.metadata;
  return client
    .list(path, namespace)
    .filter((owner) => selectionOf(owner)(object))
    .map((owner) => `${namespace}/${owner.metadata.name}`);
}

function isAdoptable(object: KubeObject): boolean {
  return !isTerminating(object) && (object.kind !== 'Pod' || isActive(object));
}

function hasController({ metadata }: KubeObject): boolean {
  return metadata.ownerReferences?.some(({ controller }) => controller === true) === true;
}

function labelsOf({ metadata }: KubeObject): KubeObject['metadata']['labels'] {
  return metadata.labels;
}

function selectionOf(owner: KubeObject): (object: KubeObject) => boolean {
  const given = valueAt(owner, 'spec', 'selector');
  const isPlain = owner.kind === 'ReplicationController';
  const selector =
    given === undefined || given === null
      ? undefined
      : fromSelectorObject(isPlain ? { matchLabels: given } : objectAt(given));
  return ({ metadata }) => selector !== undefined && matchesLabels(selector, metadata.labels);
}

function adopt(
  client: ControllerClient,
  path: string,
  object: KubeObject,
  owner: KubeObject,
): KubeObject {
  const draft = cloneJson(object);
  const references = object.metadata.ownerReferences ?? [];
  childDraft(draft, 'metadata')['ownerReferences'] = [
    ...references.map((reference) => ({ ...reference }) as DraftObject),
    ownerReference(owner),
  ];
  return client.update(path, draft);
}

function release(
  client: ControllerClient,
  path: string,
  object: KubeObject,
  owner: KubeObject,
): void {
  const draft = cloneJson(object);
  const isOther = ({ uid }: OwnerReference): boolean => uid !== owner.metadata.uid;
  childDraft(draft, 'metadata')['ownerReferences'] = (object.metadata.ownerReferences ?? [])
    .filter(isOther)
    .map((reference) => ({ ...reference }) as DraftObject);
  client.update(path, draft);
}
