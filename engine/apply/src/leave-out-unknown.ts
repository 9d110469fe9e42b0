import { ApiError } from '@capstan/kube-client';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';

const ELEMENT = String.raw`\.[^.[\]:\s]+|\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]`;
const UNKNOWN = new RegExp(`((?:${ELEMENT})+): field not declared in schema`, 'g');

/**
 * The object without the fields that an apply was refused for, as the server's merge names them; undefined when it names
 * none. Clients that send whole objects have the server drop such fields; a server-side apply with them is always refused.
 */
export function leaveOutUnknown(object: KubeObject, message: string): KubeObject | undefined {
  const less = structuredClone(object);
  const removed = [...message.matchAll(UNKNOWN)].filter(([, path = '']) => remove(less, path));
  return removed.length === 0 ? undefined : less;
}

function remove(object: KubeObject, path: string): boolean {
  const elements = path.match(new RegExp(ELEMENT, 'g')) ?? [];
  const last = elements.at(-1);
  let place: Json | undefined = object;
  for (const element of elements.slice(0, -1)) place = stepInto(place, element);
  if (last === undefined || !last.startsWith('.') || !isMap(place)) return false;
  return Object.hasOwn(place, last.slice(1)) && Reflect.deleteProperty(place, last.slice(1));
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

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const UNKNOWN_FIELDS = 50;

/** Writes the object less what no schema knows. A server names one unknown field of a map at a time. */
export async function writeKnown(
  object: KubeObject,
  write: (sent: KubeObject) => Promise<KubeObject>,
): Promise<KubeObject> {
  let sent = object;
  for (let attempt = 0; ; attempt++) {
    try {
      return await write(sent);
    } catch (error) {
      const message = error instanceof ApiError ? error.status.message : '';
      const less = attempt < UNKNOWN_FIELDS ? leaveOutUnknown(sent, message) : undefined;
      if (less === undefined) throw error;
      sent = less;
    }
  }
}
