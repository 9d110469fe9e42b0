import type { LiveState } from '@capstan/kube-client';
import type { GroupVersionKind, KubeObject } from '@capstan/kube-object';
import { type Catalogue, type KindSchema, readCustomResource } from '@capstan/kube-schema';
import { BoundedCache } from '@capstan/lib-std';
import { textAt } from './views/fields.ts';

const DEFINITION = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' } as const;
const DEFINITIONS_MAX = 2_000;

/**
 * Schemas of all kinds of a cluster: the built-in ones from the catalogue, the others from the definitions that the watch
 * cache holds. Definitions are read when a kind is first asked for, and again when they changed.
 */
export function clusterSchemas(
  catalogue: Catalogue,
  live: () => Pick<LiveState, 'list'>,
): (kind: GroupVersionKind) => KindSchema | undefined {
  const read = new BoundedCache<string, readonly KindSchema[]>(DEFINITIONS_MAX);
  const schemasOf = (uid: string, resourceVersion: string, definition: () => KubeObject) => {
    const key = `${uid} ${resourceVersion}`;
    let schemas = read.get(key);
    if (schemas === undefined) {
      schemas = readCustomResource(definition(), catalogue).map(({ kind }) => kind);
      read.set(key, schemas);
    }
    return schemas;
  };
  return (wanted) => {
    const builtIn = catalogue.kind(wanted);
    if (builtIn !== undefined) return builtIn;
    for (const held of live().list(DEFINITION)) {
      if (!held.whole || !held.key.name.endsWith(`.${wanted.group}`)) continue;
      const definition = held.read();
      if (textAt(definition, 'spec', 'names', 'kind') !== wanted.kind) continue;
      const schemas = schemasOf(held.uid, held.resourceVersion, () => definition);
      return schemas.find(({ kind }) => kind.version === wanted.version);
    }
    return undefined;
  };
}
