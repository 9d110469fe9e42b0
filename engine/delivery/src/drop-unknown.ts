import { leavesOutUnknown, readHints } from '@capstan/engine-sync';
import {
  childPath,
  groupVersionKindOf,
  indexPath,
  type Json,
  type KubeObject,
} from '@capstan/kube-object';
import { decodeBuiltIn } from '@capstan/kube-schema';
import type { Cluster } from './cluster.ts';
import type { Delivery } from './types.ts';

/**
 * The object without the fields that its kind does not have, where nobody is to be told of them: a server-side apply refuses
 * such a field whatever is asked of validation, while a client-side one, or one of typed objects, loses it.
 */
export function dropUnknown(
  object: KubeObject,
  { sync }: Delivery,
  cluster: Pick<Cluster, 'schemaOf'>,
): KubeObject {
  const { options } = readHints(object, sync.vocabulary);
  if (!leavesOutUnknown(object, options, sync)) return object;
  const schema = cluster.schemaOf(groupVersionKindOf(object));
  if (schema?.builtIn !== true) return object;
  const unknown = new Set(decodeBuiltIn(schema.schema, object).unknownFields);
  return unknown.size === 0 ? object : (without(object, '', unknown) as KubeObject);
}

function without(value: Json, path: string, dropped: ReadonlySet<string>): Json {
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    return list.map((item, index) => without(item, indexPath(path, index), dropped));
  }
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).flatMap(([name, member]) => {
    const place = childPath(path, name);
    return member === undefined || dropped.has(place)
      ? []
      : [[name, without(member, place, dropped)] as const];
  });
  return Object.fromEntries(kept);
}
