import type { Json, JsonObject, KubeObject, ObjectMeta } from '@capstan/kube-object';
import type { ResourceKind } from './kube-client.ts';
import { isJsonObject } from './requester.ts';

/**
 * What is kept of an object that nobody manages: identity, owners, labels, what health and a person's first look need.
 * Never the content of a Secret or ConfigMap. Of `spec` only its own scalars (replicas, paused, type, nodeName …), of a Pod
 * also names and images of its containers; `status` stays, but for the long lists of Nodes.
 */
export function trimObject(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata } = object;
  const trimmed: JsonObject & { apiVersion: string; kind: string; metadata: ObjectMeta } = {
    apiVersion,
    kind,
    metadata: trimMetadata(metadata),
  };
  const spec = isJsonObject(object['spec']) ? trimSpec(kind, object['spec']) : undefined;
  const status = isJsonObject(object['status']) ? trimStatus(kind, object['status']) : undefined;
  return {
    ...trimmed,
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  };
}

/** Kinds of which only metadata is worth a place in memory. */
export function isBulky({ group, kind }: Pick<ResourceKind, 'group' | 'kind'>): boolean {
  return bulky.has(`${group}/${kind}`);
}

/** Kinds that change all the time and are no part of what anyone deploys. */
export function isVolatile({ group, kind }: Pick<ResourceKind, 'group' | 'kind'>): boolean {
  return volatile.has(`${group}/${kind}`) || group === 'metrics.k8s.io';
}

/** Kinds that the cluster makes of others for its own use: watched when somebody asks for them by name. */
export function isDerived({ group, kind }: Pick<ResourceKind, 'group' | 'kind'>): boolean {
  return derived.has(`${group}/${kind}`);
}

const derived = new Set(['/Endpoints', 'networking.k8s.io/IPAddress']);
const bulky = new Set(['discovery.k8s.io/EndpointSlice', '/Endpoints', 'apps/ControllerRevision']);
const volatile = new Set(['/Event', 'events.k8s.io/Event', 'coordination.k8s.io/Lease']);
const annotationCharsMax = 1024;

function trimMetadata(metadata: ObjectMeta): ObjectMeta {
  const { managedFields: _managedFields, annotations, ...rest } = metadata;
  if (annotations === undefined) return rest;
  const kept = Object.entries(annotations).filter(
    ([name, value]) =>
      name !== 'kubectl.kubernetes.io/last-applied-configuration' &&
      value.length <= annotationCharsMax,
  );
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}

function trimSpec(kind: string, spec: JsonObject): JsonObject {
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(spec)) {
    if (value === undefined || typeof value === 'object') continue;
    if (typeof value !== 'string' || value.length <= 256) kept[name] = value;
  }
  if (kind !== 'Pod') return kept;
  for (const list of ['containers', 'initContainers']) {
    const containers = spec[list];
    if (!Array.isArray(containers)) continue;
    kept[list] = containers.filter(isJsonObject).map(trimContainer);
  }
  return kept;
}

function trimContainer({ name, image, restartPolicy }: JsonObject): JsonObject {
  return {
    name,
    image,
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
  };
}

function trimStatus(kind: string, status: JsonObject): JsonObject {
  if (kind !== 'Node') return status;
  const { images: _images, volumesInUse: _inUse, volumesAttached: _attached, ...rest } = status;
  return rest;
}
