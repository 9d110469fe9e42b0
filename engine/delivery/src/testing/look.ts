import type { Json, KubeObject } from '@capstan/kube-object';
import { valueAt } from '@capstan/lib-std';

/** What stands at a path of an object; undefined where nothing does. */
export function at(
  value: Json | KubeObject | undefined,
  ...path: readonly (string | number)[]
): Json | undefined {
  return valueAt(value, ...path) as Json | undefined;
}
