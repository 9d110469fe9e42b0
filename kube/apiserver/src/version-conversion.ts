import type { Json, KubeObject } from '@capstan/kube-object';
import { convertEvent } from './conversions/event.ts';
import { convertAutoscaler } from './conversions/horizontal-pod-autoscaler.ts';
import type { ServedResource } from './served-resource.ts';

/** The object as a resource's version shows it. Custom resources change only their apiVersion (strategy None). */
export function toVersion(object: KubeObject, resource: ServedResource): KubeObject {
  return convert(object, resource, apiVersionOf(resource.group, resource.version));
}

/** The object as it is kept. */
export function toStorageVersion(object: KubeObject, resource: ServedResource): KubeObject {
  const group = resource.bucket.slice(0, resource.bucket.lastIndexOf('/'));
  return convert(object, resource, apiVersionOf(group, resource.storageVersion));
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
