import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';

const ELEMENT = String.raw`\.[^.[\]:\s]+|\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]`;

export interface Refusal {
  /** `.spec.containers[name="web"].env`. */
  readonly path: string;
  /** What the reason captures. */
  readonly detail: string | undefined;
}

/** Where the server's merge refuses an object for this reason (a regular expression). */
export function refusalsIn(message: string, reason: string): readonly Refusal[] {
  const refused = new RegExp(`((?:${ELEMENT})+): ${reason}`, 'g');
  return [...message.matchAll(refused)].map(([, path = '', detail]) => ({ path, detail }));
}

/** A member that is there, by what holds it. */
export interface Member {
  readonly holder: JsonObject;
  readonly name: string;
}

/** Where a path ends: undefined when it leads nowhere, or to an element of a list. */
export function findMember(object: KubeObject, path: string): Member | undefined {
  const elements = path.match(new RegExp(ELEMENT, 'g')) ?? [];
  const last = elements.at(-1);
  let holder: Json | undefined = object;
  for (const element of elements.slice(0, -1)) holder = stepInto(holder, element);
  if (last === undefined || !last.startsWith('.') || !isMap(holder)) return undefined;
  return { holder, name: last.slice(1) };
}

function stepInto(place: Json | undefined, element: string): Json | undefined {
  if (element.startsWith('.')) return isMap(place) ? place[element.slice(1)] : undefined;
  if (!Array.isArray(place)) return undefined;
  const inside = element.slice(1, -1);
  if (/^\d+$/.test(inside)) return place[Number(inside)];
  const keys = [...inside.matchAll(/([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]+)/g)];
  return place.find(
    (item: Json) =>
      isMap(item) &&
      // What the object leaves out, the schema's default is shown for.
      keys.every(([, key = '', value]) => [undefined, value].includes(written(item[key]))),
  );
}

function written(value: Json | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

export function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
