import {
  ApiError,
  childDraft,
  cloneJson,
  type DraftObject,
  type LocalClient,
} from '@capstan/kube-apiserver';
import type { KubeObject, OwnerReference } from '@capstan/kube-object';
import type { Controller, Surroundings } from '../control-loop.ts';
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
  keysFor({ bucket, object, removed }, client) {
    const { namespace = '', name = '', uid = '', ownerReferences = [] } = object.metadata;
    if (removed) {
      // A foreground owner waits for its dependents.
      const owners = ownerReferences.map((owner) => `owner|${namespace}|${JSON.stringify(owner)}`);
      return [...client.dependents(uid).map(address), ...owners];
    }
    const isConcerned =
      ownerReferences.length > 0 || object.metadata.deletionTimestamp !== undefined;
    return isConcerned ? [address({ path: pathOf(bucket, object), namespace, name })] : [];
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

/** Deletes an object whose owners are all gone; drops references to those that are. */
function checkOwners(path: string, object: KubeObject, client: LocalClient): void {
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
    else if ((found.object.metadata.finalizers ?? []).includes('foregroundDeletion'))
      waiting = true;
    else alive.push(owner);
  }
  if (dangling === 0 && !waiting) return;
  if (alive.length > 0) {
    if (dangling === 0) return;
    const draft = cloneJson(object);
    childDraft(draft, 'metadata')['ownerReferences'] = alive.map(
      (owner) => ({ ...owner }) as DraftObject,
    );
    client.update(path, draft);
    return;
  }
  client.remove(path, namespace, name, {
    propagation: waiting ? 'Foreground' : 'Background',
    ...(object.metadata.uid === undefined ? {} : { uid: object.metadata.uid }),
  });
}

/** An owner on its way out: sets its dependents free, or takes them with it. */
function collect(path: string, owner: KubeObject, { client }: Surroundings): void {
  const finalizers = owner.metadata.finalizers ?? [];
  const orphans = finalizers.includes('orphan');
  if (!orphans && !finalizers.includes('foregroundDeletion')) return;
  let blocked = false;
  const dependents = (): readonly Dependent[] => client.dependents(owner.metadata.uid ?? '');
  for (const { path: childPath, namespace, name } of dependents()) {
    const child = client.get(childPath, namespace, name);
    if (child === undefined) continue;
    if (orphans) release(childPath, child, owner, client);
    else {
      const reference = child.metadata.ownerReferences?.find((o) => o.uid === owner.metadata.uid);
      if (reference?.blockOwnerDeletion === true) blocked = true;
      if (child.metadata.deletionTimestamp === undefined) removeQuietly(client, childPath, child);
    }
  }
  if (blocked) {
    const isLeft = ({ path: childPath, namespace, name }: Dependent): boolean =>
      client.get(childPath, namespace, name) !== undefined;
    if (dependents().some(isLeft)) return;
  }
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

function removeQuietly(client: LocalClient, path: string, child: KubeObject): void {
  try {
    client.remove(path, child.metadata.namespace ?? '', child.metadata.name ?? '', {
      propagation: 'Foreground',
    });
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 404)) throw error;
  }
}
