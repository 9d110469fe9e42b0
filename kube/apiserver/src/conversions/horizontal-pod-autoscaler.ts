import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { isObject, listAt, objectAt, textAt, valueAt } from '../json.ts';

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';

/**
 * A HorizontalPodAutoscaler between autoscaling/v1 and v2: v1 knows one CPU percentage by name and keeps every other
 * metric in an annotation.
 */
export function convertAutoscaler(object: KubeObject, apiVersion: string): KubeObject {
  if (object.apiVersion === apiVersion) return object;
  return apiVersion === 'autoscaling/v1' ? toV1(object) : toV2(object);
}

function isCpu(metric: Json): boolean {
  return (
    textAt(metric, 'type') === 'Resource' &&
    textAt(metric, 'resource', 'name') === 'cpu' &&
    valueAt(metric, 'resource', 'target', 'averageUtilization') !== undefined
  );
}

function toV1(object: KubeObject): KubeObject {
  const { metrics: _m, behavior: _b, ...spec } = objectAt(object, 'spec');
  const { currentMetrics: _c, conditions: _o, ...status } = objectAt(object, 'status');
  const metrics = listAt(object, 'spec', 'metrics');
  const cpu = metrics.find(isCpu);
  const others = metrics.filter((metric) => metric !== cpu);
  const target = valueAt(cpu, 'resource', 'target', 'averageUtilization');
  const annotations: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(object.metadata.annotations ?? {})) {
    annotations[key] = value;
  }
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others);
  const converted: JsonObject = {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...object.metadata,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: { currentReplicas: 0, desiredReplicas: 0, ...status },
  };
  return converted as unknown as KubeObject;
}

function toV2(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: target, ...spec } = objectAt(object, 'spec');
  const { [METRICS]: kept, ...annotations } = objectAt(object, 'metadata', 'annotations');
  const metrics: Json[] = parseMetrics(kept);
  if (target !== undefined) {
    metrics.unshift({
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } },
    });
  }
  const { annotations: _a, ...metadata } = object.metadata;
  const { currentCPUUtilizationPercentage: _p, ...status } = objectAt(object, 'status');
  const converted: JsonObject = {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: {
      ...metadata,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: { ...spec, ...(metrics.length === 0 ? {} : { metrics }) },
    status,
  };
  return converted as unknown as KubeObject;
}

function parseMetrics(text: unknown): Json[] {
  if (typeof text !== 'string') return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.filter(isObject) : [];
  } catch {
    return [];
  }
}
