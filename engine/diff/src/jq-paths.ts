import type { KubeObject } from '@capstan/kube-object';
import {
  createJqCompiler,
  type JqPath,
  type JqQuery,
  type JqValue,
} from '@capstan/lib-expressions';
import { BoundedCache } from '@capstan/lib-std';
import type { ConcretePath } from './plain-path.ts';
import type { PathEvaluator } from './types.ts';

/**
 * Finds the places of jq path expressions, each parsed once. As in the original, an expression that fails on an object
 * (`.spec.hosts[]` where there are none) leaves out nothing of it; one that is no jq, or does not end, is told.
 */
export function createPathEvaluator(expressionsMax = 1000): PathEvaluator {
  const compile = createJqCompiler();
  const known = new BoundedCache<string, JqQuery | { readonly error: string }>(expressionsMax);
  const read = (text: string): JqQuery | { readonly error: string } => {
    let query = known.get(text);
    if (query === undefined) {
      query = compile(text);
      known.set(text, query);
    }
    return query;
  };
  return {
    paths(expression, object) {
      const query = read(expression);
      if ('error' in query) return { error: query.error };
      const outcome = query.paths(object as JqValue);
      if (outcome.kind === 'error') {
        return outcome.isLimit ? { error: outcome.message } : { paths: [] };
      }
      return { paths: outcome.values.flatMap((path) => placesOf(path, object)) };
    },
    rewrite(expression, object) {
      const query = read(expression);
      if (!('error' in query)) return undefined;
      const pasted = read(`del(${expression})`);
      if ('error' in pasted) return undefined;
      const outcome = pasted.run(object as JqValue);
      // What fails leaves the object as it is, as in the original.
      const [made] = outcome.kind === 'values' && outcome.values.length === 1 ? outcome.values : [];
      const isObject = typeof made === 'object' && made !== null && !isList(made);
      return isObject ? (made as unknown as KubeObject) : object;
    },
  };
}

/** A value on the way, and how many elements of its list a slice has left out before it. */
interface Spot {
  readonly place: ConcretePath;
  readonly value: JqValue;
  readonly offset?: number;
}

/** Negative indices and slices as the elements that they mean; what is not there is left out. */
function placesOf(path: JqPath, object: KubeObject): readonly ConcretePath[] {
  let spot: Spot | undefined = { place: [], value: object as JqValue };
  for (const key of path) {
    spot = follow(spot, key);
    if (spot === undefined) return [];
  }
  const { place, value, offset } = spot;
  if (offset === undefined || !isList(value)) return [place];
  return value.map((_, index) => [...place, index + offset]);
}

function follow({ place, value, offset = 0 }: Spot, key: JqValue): Spot | undefined {
  if (typeof key === 'string') {
    if (typeof value !== 'object' || value === null || isList(value)) return undefined;
    return Object.hasOwn(value, key)
      ? { place: [...place, key], value: value[key] ?? null }
      : undefined;
  }
  if (!isList(value)) return undefined;
  if (typeof key === 'number') {
    const index = key < 0 ? value.length + key : key;
    if (index < 0 || index >= value.length) return undefined;
    return { place: [...place, index + offset], value: value[index] ?? null };
  }
  if (typeof key !== 'object' || key === null || isList(key)) return undefined;
  const bound = (side: JqValue | undefined, otherwise: number) =>
    typeof side !== 'number' ? otherwise : side < 0 ? value.length + side : side;
  const from = Math.max(0, bound(key['start'], 0));
  const part = value.slice(from, Math.min(value.length, bound(key['end'], value.length)));
  return { place, value: part, offset: offset + from };
}

function isList(value: JqValue): value is readonly JqValue[] {
  return Array.isArray(value);
}
