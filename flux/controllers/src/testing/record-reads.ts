/** For tests: which fields of objects somebody reads, against those that a definition has. */
import { fluxCrds } from '@capstan/flux-api';
import type { KubeObject } from '@capstan/kube-object';

/** The object, telling `seen` the path of each field below `spec` that is read: `ref.branch`, `include[].toPath`. */
export function recordReads(object: KubeObject, seen: Set<string>): KubeObject {
  const spec = object['spec'];
  return { ...object, spec: watched(spec, '', seen) as NonNullable<typeof spec> };
}

function watched(value: unknown, path: string, seen: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      const found: unknown = Reflect.get(target, key);
      if (typeof key !== 'string' || typeof found === 'function' || key === 'length') return found;
      const isItem = Array.isArray(target);
      const child = isItem ? `${path}[]` : path === '' ? key : `${path}.${key}`;
      if (!isItem) seen.add(child);
      return watched(found, child, seen);
    },
  });
}

/** The paths of all fields below `spec` that the definition of a kind has, in its stored version. */
export function specFields(kind: string): readonly string[] {
  const crd = fluxCrds.find((one) => at(one, 'spec', 'names', 'kind') === kind);
  const versions = at(crd, 'spec', 'versions');
  const stored = Array.isArray(versions)
    ? versions.find((one: unknown) => at(one, 'storage') === true)
    : undefined;
  return fieldsOf(at(stored, 'schema', 'openAPIV3Schema', 'properties', 'spec'), '');
}

function fieldsOf(schema: unknown, path: string): readonly string[] {
  const items = at(schema, 'items');
  if (items !== undefined) return fieldsOf(items, `${path}[]`);
  const properties = at(schema, 'properties');
  if (typeof properties !== 'object' || properties === null) return [];
  return Object.entries(properties).flatMap(([name, child]) => {
    const here = path === '' ? name : `${path}.${name}`;
    return [here, ...fieldsOf(child, here)];
  });
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const part of path) {
    current =
      typeof current === 'object' && current !== null
        ? (current as { readonly [key: string]: unknown })[part]
        : undefined;
  }
  return current;
}
