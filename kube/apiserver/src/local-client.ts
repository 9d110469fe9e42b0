import type { KubeObject } from '@capstan/kube-object';
import { ApiError } from './api-error.ts';
import { type Core, keyFor, listBucket } from './core.ts';
import { bindPod, finalizeNamespace } from './internal-writes.ts';
import { cloneJson, type DraftObject } from './json.ts';
import { type Propagation, removeObject } from './remove-object.ts';
import type { ServedResource } from './served-resource.ts';
import type { UserInfo } from './user.ts';
import { fromStorage } from './version-conversion.ts';
import { createObject, updateObject, type WriteOptions } from './write-object.ts';

/** A resource by its path: `v1/pods`, `apps/v1/deployments`. */
export type ResourcePath = string;

/**
 * Direct, synchronous access for controllers that live in the server's process. Every write takes the same way as one
 * over HTTP: defaults, admission, validation, managed fields. Throws ApiError, and WebhookPending while a webhook is asked.
 */
export interface LocalClient {
  resource(path: ResourcePath): ServedResource | undefined;
  get(path: ResourcePath, namespace: string, name: string): KubeObject | undefined;
  list(path: ResourcePath, namespace?: string): KubeObject[];
  create(path: ResourcePath, object: DraftObject): KubeObject;
  update(path: ResourcePath, object: KubeObject | DraftObject): KubeObject;
  updateStatus(path: ResourcePath, object: KubeObject | DraftObject): KubeObject;
  remove(
    path: ResourcePath,
    namespace: string,
    name: string,
    options?: {
      readonly propagation?: Propagation;
      readonly gracePeriodSeconds?: number;
      readonly uid?: string;
    },
  ): void;
  /** Puts a pod on a node, as a scheduler's binding does. */
  bind(namespace: string, name: string, node: string): KubeObject;
  /** Ends a namespace that is empty. */
  finalize(namespace: string): void;
  /** The path of a kind in a version: `apps/v1`, `Deployment` → `apps/v1/deployments`. */
  pathOfKind(apiVersion: string, kind: string): ResourcePath | undefined;
  /** Every namespaced resource that can be listed, each kept object once. */
  namespacedResources(): readonly {
    readonly path: ResourcePath;
    readonly group: string;
    readonly name: string;
  }[];
}

export function createLocalClient(core: Core, user: UserInfo, fieldManager: string): LocalClient {
  const options: WriteOptions = {
    user,
    dryRun: false,
    fieldManager,
    fieldValidation: 'Ignore',
    warn: () => undefined,
  };
  const find = (path: ResourcePath): ServedResource | undefined => {
    const parts = path.split('/');
    return parts.length === 2
      ? core.registry.find('', parts[0]!, parts[1]!)
      : core.registry.find(parts[0]!, parts[1]!, parts[2]!);
  };
  const need = (path: ResourcePath): ServedResource => {
    const resource = find(path);
    if (resource === undefined) throw new ApiError(404, 'NotFound', `${path} is not served`);
    return resource;
  };
  const write = (
    path: string,
    object: KubeObject | DraftObject,
    subresource: string,
  ): KubeObject => {
    const resource = need(path);
    const draft = cloneJson(object as KubeObject);
    const { namespace = '', name = '' } = (object as KubeObject).metadata;
    return waiting(core, ['update', fieldManager, path, namespace, name, subresource], () =>
      updateObject(core, { resource, namespace, name }, draft, { ...options, subresource }),
    ).object;
  };
  return {
    resource: find,
    get(path, namespace, name) {
      const resource = find(path);
      if (resource === undefined) return undefined;
      const object = core.store.get(resource.bucket, keyFor(resource, namespace, name));
      return object === undefined ? undefined : fromStorage(object, resource);
    },
    list(path, namespace) {
      const resource = find(path);
      if (resource === undefined) return [];
      const objects = listBucket(core.store, resource.bucket, namespace);
      return objects.map((object) => fromStorage(object, resource));
    },
    create(path, object) {
      const resource = need(path);
      const {
        namespace = '',
        name = '',
        generateName = '',
      } = (object as unknown as KubeObject).metadata;
      const key = ['create', fieldManager, path, namespace, name, generateName];
      return waiting(core, key, () =>
        createObject(core, { resource, namespace, name }, object, options),
      ).object;
    },
    update: (path, object) => write(path, object, ''),
    updateStatus: (path, object) => write(path, object, 'status'),
    remove(path, namespace, name, how = {}) {
      const resource = need(path);
      waiting(core, ['delete', fieldManager, path, namespace, name], () =>
        removeObject(
          core,
          { resource, namespace, name },
          { user, dryRun: false, warn: () => undefined, ...how },
        ),
      );
    },
    ...internals(core),
  };
}

/** A write that throws while webhooks have not answered; the same one finds the answers when it is tried again. */
function waiting<T>(core: Core, key: readonly string[], write: () => T): T {
  return core.admission.sessions.runNow(JSON.stringify(key), write);
}

/** What a controller of the server's own may do beside the verbs. */
function internals(
  core: Core,
): Pick<LocalClient, 'bind' | 'finalize' | 'pathOfKind' | 'namespacedResources'> {
  return {
    bind: (namespace, name, node) => bindPod(core, namespace, name, node),
    finalize: (namespace) => finalizeNamespace(core, namespace),
    pathOfKind(apiVersion, kind) {
      const slash = apiVersion.indexOf('/');
      const group = slash < 0 ? '' : apiVersion.slice(0, slash);
      const resource = core.registry.findKind(group, apiVersion.slice(slash + 1), kind);
      return resource === undefined ? undefined : `${apiVersion}/${resource.name}`;
    },
    namespacedResources: () =>
      core.registry
        .stored()
        .filter((resource) => resource.namespaced)
        .map(({ group, version, name }) => ({
          group,
          name,
          path: group === '' ? `${version}/${name}` : `${group}/${version}/${name}`,
        })),
  };
}
