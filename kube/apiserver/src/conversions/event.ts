import type { Json, KubeObject } from '@capstan/kube-object';

/** v1 name → events.k8s.io/v1 name; whatever is not listed has the same name in both. */
const NAMES: readonly (readonly [string, string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];

/** An Event between its two groups, which hold the same under different names. */
export function convertEvent(object: KubeObject, apiVersion: string): KubeObject {
  const toNew = apiVersion.startsWith('events.k8s.io/');
  const renames = new Map(NAMES.map(([old, now]) => (toNew ? [old, now] : [now, old])));
  const converted: { [key: string]: Json | undefined } = {};
  for (const [key, value] of Object.entries(object)) converted[renames.get(key) ?? key] = value;
  converted['apiVersion'] = apiVersion;
  return converted as unknown as KubeObject;
}
