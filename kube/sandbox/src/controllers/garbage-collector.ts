import {
  childDraft,
  cloneJson,
  type DraftObject,
  type LocalClient,
  type Propagation,
} from '@capstan/kube-apiserver';
import type { KubeObject, OwnerReference } from '@capstan/kube-object';
import type { Controller, ControllerClient, Surroundings } from '../control-loop.ts';
import { type Dependent, pathOf } from '../owner-index.ts';

/** Where an object is, so that it can be found again: `path|namespace|name`. */
function address({ path, namespace, name }: Dependent): string {
  return `${path}|${namespace}|${name}`;
}

/**
 * Owner references: dependents go when their last owner is gone (background), before it (foreground), or are set free
 * (orphan). The work is proportional to what an owner has.
 */
export const garbageCollector: Controller = {
  name: 'garbage-collector',
  keysFor({ bucket, object, previous, removed }, client) {
    const { namespace = '', name = '', uid = '', ownerReferences = [] } = object.metadata;
    // A foreground owner waits for those that name it.
    const ownerKey = (owner: OwnerReference): string =>
      `owner|${namespace}|${JSON.stringify(owner)}`;
    if (removed) return [...client.dependents(uid).map(address), ...ownerReferences.map(ownerKey)];
    const given = (previous?.metadata.ownerReferences ?? []).filter(
      (owner) => !ownerReferences.some((kept) => kept.uid === owner.uid),
    );
    const isConcerned =
      ownerReferences.length > 0 || object.metadata.deletionTimestamp !== undefined;
    const own = isConcerned ? [address({ path: pathOf(bucket, object), namespace, name })] : [];
    return [...own, ...given.map(ownerKey)];
  },
  reconcile(key, surroundings) {
    const { client } = surroundings;
    if (key.startsWith('owner|')) {
      const [, namespace = '', text = ''] = splitIn(key, 3);
      const owner = JSON.parse(text) as OwnerReference;
      const found = findOwner(client, owner, namespace);
      if (found === undefined) return;
      collect(found.path, found.object, surroundings);
      return;
    }
    const [path = '', namespace = '', name = ''] = key.split('|');
    const object = client.get(path, namespace, name);
    if (object === undefined) return;
    if (object.metadata.deletionTimestamp !== undefined) {
      collect(path, object, surroundings);
      return;
    }
    checkOwners(path, object, client);
  },
};

function splitIn(text: string, parts: number): string[] {
  const pieces = text.split('|');
  return [...pieces.slice(0, parts - 1), pieces.slice(parts - 1).join('|')];
}

function pathOfKind(client: LocalClient, apiVersion: string, kind: string): string | undefined {
  return client.pathOfKind(apiVersion, kind);
}

function findOwner(
  client: LocalClient,
  owner: OwnerReference,
  namespace: string,
): { path: string; object: KubeObject } | undefined {
  const path = pathOfKind(client, owner.apiVersion, owner.kind);
  if (path === undefined) return undefined;
  const object = client.get(path, namespace, owner.name);
  return object === undefined || object.metadata.uid !== owner.uid ? undefined : { path, object };
}

/** Deletes an object whose owners are all gone or wait for it; drops the references to those when another one needs it. */
function checkOwners(path: string, object: KubeObject, client: ControllerClient): void {
  const { namespace = '', name = '' } = object.metadata;
  const owners = object.metadata.ownerReferences ?? [];
  const alive: OwnerReference[] = [];
  let dangling = 0;
  let waiting = false;
  for (const owner of owners) {
    const ownerPath = pathOfKind(client, owner.apiVersion, owner.kind);
    // Of a kind that is not served (any more) nothing can be said.
    if (ownerPath === undefined) return;
    const found = findOwner(client, owner, namespace);
    if (found === undefined) dangling++;
    else if (waitsForDependents(found.object)) waiting = true;
    else alive.push(owner);
  }
  if (dangling === 0 && !waiting) return;
  if (alive.length > 0) {
    const draft = cloneJson(object);
    childDraft(draft, 'metadata')['ownerReferences'] = alive.map(
      (owner) => ({ ...owner }) as DraftObject,
    );
    client.update(path, draft);
    return;
  }
  const dependents = client.dependents(object.metadata.uid ?? '');
  if (waiting && dependents.some((one) => isWaiting(one, client)))
    stopBlocking(path, object, client);
  client.remove(path, namespace, name, {
    propagation: waiting && dependents.length > 0 ? 'Foreground' : policyOf(object),
    ...(object.metadata.uid === undefined ? {} : { uid: object.metadata.uid }),
  });
}

function waitsForDependents({ metadata }: KubeObject): boolean {
  const isGoing = metadata.deletionTimestamp !== undefined;
  return isGoing && (metadata.finalizers ?? []).includes('foregroundDeletion');
}

function isWaiting({ path, namespace, name }: Dependent, client: ControllerClient): boolean {
  const object = client.get(path, namespace, name);
  return object !== undefined && waitsForDependents(object);
}

/** Owners that wait for an object do so no more: where one of its dependents waits too, all might wait for each other. */
function stopBlocking(path: string, object: KubeObject, client: ControllerClient): void {
  const draft = cloneJson(object);
  childDraft(draft, 'metadata')['ownerReferences'] = (object.metadata.ownerReferences ?? []).map(
    (owner) => ({ ...owner, blockOwnerDeletion: false }),
  );
  client.update(path, draft);
}

/** What its finalizers ask for when it goes. */
function policyOf({ metadata: { finalizers = [] } }: KubeObject): Propagation {
  if (finalizers.includes('orphan')) return 'Orphan';
  return finalizers.includes('foregroundDeletion') ? 'Foreground' : 'Background';
}

/** An owner on its way out: sets its dependents free, or waits until none is left that blocks it. */
function collect(path: string, owner: KubeObject, { client }: Surroundings): void {
  const finalizers = owner.metadata.finalizers ?? [];
  const orphans = finalizers.includes('orphan');
  if (!orphans && !finalizers.includes('foregroundDeletion')) return;
  for (const { path: childPath, namespace, name } of client.dependents(owner.metadata.uid ?? '')) {
    const child = client.get(childPath, namespace, name);
    if (child === undefined) continue;
    if (orphans) release(childPath, child, owner, client);
    else if (blocks(child, owner) && child.metadata.deletionTimestamp === undefined) {
      checkOwners(childPath, child, client);
    }
  }
  const isLeft = ({ path: childPath, namespace, name }: Dependent): boolean => {
    const child = client.get(childPath, namespace, name);
    return child !== undefined && blocks(child, owner);
  };
  if (!orphans && client.dependents(owner.metadata.uid ?? '').some(isLeft)) return;
  const latest = client.get(path, owner.metadata.namespace ?? '', owner.metadata.name ?? '');
  if (latest === undefined) return;
  const draft = cloneJson(latest);
  childDraft(draft, 'metadata')['finalizers'] = (latest.metadata.finalizers ?? []).filter(
    (name) => name !== (orphans ? 'orphan' : 'foregroundDeletion'),
  );
  client.update(path, draft);
}

function release(path: string, child: KubeObject, owner: KubeObject, client: LocalClient): void {
  const draft = cloneJson(child);
  const kept = (child.metadata.ownerReferences ?? []).filter((o) => o.uid !== owner.metadata.uid);
  const metadata = childDraft(draft, 'metadata');
  if (kept.length === 0) delete metadata['ownerReferences'];
  else metadata['ownerReferences'] = kept.map((reference) => ({ ...reference }) as DraftObject);
  client.update(path, draft);
}

function blocks({ metadata }: KubeObject, owner: KubeObject): boolean {
  const reference = metadata.ownerReferences?.find(({ uid }) => uid === owner.metadata.uid);
  return reference?.blockOwnerDeletion === true;
}
