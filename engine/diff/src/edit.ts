import type { Json, JsonObject } from '@capstan/kube-object';
import { isList, isRecord } from './field-path.ts';
import type { ConcretePath } from './plain-path.ts';

/** A copy without these places; what is not touched is shared. Elements of one list are removed together. */
export function removePlaces(value: Json, places: readonly ConcretePath[]): Json {
  const here = places.filter((place) => place.length > 0);
  if (here.length === 0) return value;
  const byPart = new Map<string | number, ConcretePath[]>();
  for (const [part, ...rest] of here) {
    if (part === undefined) continue;
    byPart.set(part, [...(byPart.get(part) ?? []), rest]);
  }
  const edit = (part: string | number, inner: Json): Json | undefined => {
    const rests = byPart.get(part);
    if (rests === undefined) return inner;
    return rests.some((rest) => rest.length === 0) ? undefined : removePlaces(inner, rests);
  };
  if (isList(value)) {
    return value.flatMap((item, index) => {
      const kept = edit(index, item);
      return kept === undefined ? [] : [kept];
    });
  }
  if (!isRecord(value)) return value;
  const copy: { [key: string]: Json } = {};
  for (const [name, inner] of Object.entries(value)) {
    const kept = inner === undefined ? undefined : edit(name, inner);
    if (kept !== undefined) copy[name] = kept;
  }
  return copy;
}

/** A copy with `replacement` at the place; parents that are missing are made. Places in missing lists are left alone. */
export function setPlace(value: Json | undefined, place: ConcretePath, replacement: Json): Json {
  const [part, ...rest] = place;
  if (part === undefined) return replacement;
  if (typeof part === 'number') {
    if (!isList(value) || part >= value.length) return value ?? null;
    return value.map((item, index) => (index === part ? setPlace(item, rest, replacement) : item));
  }
  const record: JsonObject = isRecord(value) ? value : {};
  return { ...record, [part]: setPlace(record[part], rest, replacement) };
}
