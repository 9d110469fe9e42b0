import type { Json, KubeObject } from '@capstan/kube-object';

/** What stands at a path; undefined where nothing does. */
export function at(
  value: Json | KubeObject | undefined,
  ...path: readonly (string | number)[]
): Json | undefined {
  let current: Json | undefined = value;
  for (const part of path) {
    current =
      typeof current === 'object' && current !== null
        ? (current as { readonly [key: string]: Json })[part]
        : undefined;
  }
  return current;
}
