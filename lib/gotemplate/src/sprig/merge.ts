import { isEmptyMap, mapGet, mapKeys, mapSet, type StringMap, stringMapOf } from '../map.ts';
import { typeOf } from '../value.ts';
import { isEmpty } from './defaults.ts';

/**
 * mergo.Merge (MergeWithOverwrite) of one map into another, in place. Without overwrite only what the target lacks or has
 * empty is taken; maps are merged key by key, lists never. Values are shared with the source, as in Go.
 */
export function merge(target: StringMap, source: StringMap, overwrite: boolean): void {
  const targetWasEmpty = isEmptyMap(target);
  for (const key of mapKeys(source)) {
    const value = mapGet(source, key);
    const existing = mapGet(target, key);
    if (value === null) {
      if (overwrite) mapSet(target, key, null);
      continue;
    }
    const kind = typeOf(value).kind;
    const inner = stringMapOf(value);
    const existingMap = stringMapOf(existing);
    if (inner !== undefined && existingMap !== undefined) merge(existingMap, inner, overwrite);
    if (kind === 'slice' && (overwrite || targetWasEmpty)) mapSet(target, key, value);
    if (existing !== undefined && !isEmpty(existing)) {
      if (kind === 'slice') continue;
      if (kind === 'map' && typeOf(existing).kind === 'map') continue;
    }
    if (overwrite || existing === undefined || isEmpty(existing)) mapSet(target, key, value);
  }
}
