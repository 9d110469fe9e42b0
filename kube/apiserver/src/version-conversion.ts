import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { applyDefaults, dropNulls, pruneCustomResource, type Schema } from '@capstan/kube-schema';
import { convertEvent } from './conversions/event.ts';
import { convertAutoscaler } from './conversions/horizontal-pod-autoscaler.ts';
import { equalJson } from './json.ts';
import type { ServedResource } from './served-resource.ts';

/** An object of one version in the words of another. Custom resources change only their apiVersion (strategy None). */
export function toVersion(object: KubeObject, resource: ServedResource): KubeObject {
  return convert(object, resource, apiVersionOf(resource.group, resource.version));
}

/** The object as it is kept: a custom resource loses what the version in which it is stored does not know. */
export function toStorageVersion(object: KubeObject, resource: ServedResource): KubeObject {
  const group = resource.bucket.slice(0, resource.bucket.lastIndexOf('/'));
  const apiVersion = apiVersionOf(group, resource.storageVersion);
  const kept = convert(object, resource, apiVersion);
  const schema = resource.customSchemas?.get(apiVersion);
  return kept === object || schema === undefined ? kept : known(schema, kept);
}

/**
 * What is kept, as a resource's version shows it. A custom resource is read by the schema of the version in which it was
 * written, as that is today: it has the defaults that came since, and has lost what is no longer known. Another version then
 * shows of it what that version knows, without defaults of its own (kube-apiserver 1.36).
 */
export function fromStorage(kept: KubeObject, resource: ServedResource): KubeObject {
  const { customSchemas } = resource;
  if (customSchemas === undefined) return toVersion(kept, resource);
  const read = shapeOnce(readings, kept, customSchemas.get(kept.apiVersion), (schema) =>
    unlessEqual(kept, applyDefaults(schema, known(schema, kept) as JsonObject)),
  );
  const apiVersion = apiVersionOf(resource.group, resource.version);
  if (read.apiVersion === apiVersion) return read;
  return shapeOnce(views, read, customSchemas.get(apiVersion), (schema) =>
    known(schema, convert(read, resource, apiVersion)),
  );
}

function known(schema: Schema, object: KubeObject): KubeObject {
  const { object: pruned } = pruneCustomResource(schema, object as JsonObject);
  return dropNulls(schema, pruned) as KubeObject;
}

/** The same object, when it is equal: what is remembered of it (its text) goes on. */
function unlessEqual(object: KubeObject, shaped: JsonObject): KubeObject {
  return equalJson(object as JsonObject, shaped) ? object : (shaped as KubeObject);
}

interface Shaped {
  readonly schema: Schema;
  readonly object: KubeObject;
}

/** By object, which nobody changes once it is kept: lists and watches look at the same ones. */
const readings = new WeakMap<KubeObject, Shaped>();
const views = new WeakMap<KubeObject, Shaped>();

function shapeOnce(
  shapes: WeakMap<KubeObject, Shaped>,
  object: KubeObject,
  schema: Schema | undefined,
  shape: (schema: Schema) => KubeObject,
): KubeObject {
  if (schema === undefined) return object;
  const made = shapes.get(object);
  if (made?.schema === schema) return made.object;
  const shaped = shape(schema);
  shapes.set(object, { schema, object: shaped });
  return shaped;
}

function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

function convert(object: KubeObject, resource: ServedResource, apiVersion: string): KubeObject {
  if (object.apiVersion === apiVersion) return object;
  if (resource.bucket === '/events') return convertEvent(object, apiVersion);
  if (resource.bucket === 'autoscaling/horizontalpodautoscalers') {
    return convertAutoscaler(object, apiVersion);
  }
  const converted: { [key: string]: Json | undefined } = { ...object, apiVersion };
  return converted as unknown as KubeObject;
}
