import { readFileSync } from 'node:fs';
import { formatQuantity, type Json, type JsonObject, parseQuantity } from '@capstan/kube-object';
import { emptiedOf, equalJson, isObject, objectAt } from '../json.ts';
import { unifiedDiff } from './unified-diff.ts';

/**
 * The server validates Go structs of its own ("internal" types), and shows them as such: all fields by their Go names, in
 * their order, also those that nothing stands in. Each field here is its Go name, its type, and where it differs from the
 * name, its key in the API. A field without a name is embedded. Types that have JSON names of their own (metav1) say whether
 * they leave out what is empty.
 */
type Field =
  | readonly [name: string, type: string]
  | readonly [name: string, type: string, key: string]
  | readonly [name: string, type: string, key: string, omit: 'omitempty' | 'omitzero'];

const loadTypes: () => Readonly<Record<string, readonly Field[]>> = (() => {
  let types: Readonly<Record<string, readonly Field[]>> | undefined;
  return () => {
    types ??= JSON.parse(
      readFileSync(new URL('../generated/go-types.json', import.meta.url), 'utf8'),
    ) as Readonly<Record<string, readonly Field[]>>;
    return types;
  };
})();

/** An object of the API as Go's encoding/json prints the internal struct of the given type. */
export function goJson(value: Json | undefined, type: string): string {
  return escapeHtml(JSON.stringify(goValue(value, type)));
}

/** What differs between two objects, as the server appends it to its messages: a unified diff of their indented JSON. */
export function goDiff(before: Json | undefined, after: Json | undefined, type: string): string {
  const lines = (value: Json | undefined): string[] =>
    escapeHtml(JSON.stringify(goValue(value, type), undefined, 1)).split('\n');
  return unifiedDiff(lines(before), lines(after));
}

/** Whether two values are the same to the server: nothing and empty do not differ, quantities are compared by their amount. */
export function isSameGo(a: Json | undefined, b: Json | undefined, type: string): boolean {
  return equalJson(withoutEmpty(goValue(a, type)), withoutEmpty(goValue(b, type)));
}

/** As `equality.Semantic`: empty lists and maps are as good as none. */
function withoutEmpty(value: Json): Json {
  if (Array.isArray(value)) {
    return value.length === 0 ? null : value.map((item: Json) => withoutEmpty(item));
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  if (entries.length === 0) return null;
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutEmpty(item ?? null)]));
}

const ZEROS: Readonly<Record<string, Json>> = { string: '', number: 0, bool: false };

function goValue(value: Json | undefined, type: string): Json {
  if (type.startsWith('*')) {
    return value === undefined || value === null ? null : goValue(value, type.slice(1));
  }
  if (type.startsWith('[]')) {
    if (!Array.isArray(value)) return typeof value === 'string' ? value : null;
    return value.map((item: Json) => goValue(item, type.slice(2)));
  }
  if (type.startsWith('map:')) {
    if (!isObject(value)) return null;
    const keys = Object.keys(value).sort();
    return Object.fromEntries(keys.map((key) => [key, goValue(value[key], type.slice(4))]));
  }
  switch (type) {
    case 'quantity': {
      const parsed = parseQuantity(String(value ?? '0'));
      return parsed === undefined ? '0' : formatQuantity(parsed);
    }
    case 'intOrString':
      return value ?? 0;
    case 'time':
      return value ?? null;
    default:
      return ZEROS[type] === undefined ? goStructOf(value, type) : (value ?? ZEROS[type] ?? null);
  }
}

function goStructOf(value: Json | undefined, type: string): JsonObject {
  const object = type === 'PodSpec' ? withHostFields(objectAt(value)) : objectAt(value);
  const empties = emptiedOf(value);
  const made: Record<string, Json> = {};
  for (const [name, inner, key, omit] of loadTypes()[type] ?? []) {
    if (name === '') {
      const embedded = inner === 'ObjectMeta' ? object['metadata'] : value;
      Object.assign(made, goStructOf(embedded, inner));
      continue;
    }
    const at = key ?? name.charAt(0).toLowerCase() + name.slice(1);
    const found = object[at] ?? empties?.[at];
    const shown = goValue(found, inner);
    if (omit === undefined || !isEmpty(shown)) made[name] = shown;
  }
  return made;
}

function isEmpty(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return value === null || value === '' || value === 0 || value === false;
}

const HOST_FIELDS = ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers'];

/** Some fields of a pod's spec stand in the security context of the internal one, which is always there. */
function withHostFields(spec: JsonObject): JsonObject {
  const moved = Object.fromEntries(
    HOST_FIELDS.filter((key) => spec[key] !== undefined).map((key) => [key, spec[key] ?? null]),
  );
  return { ...spec, securityContext: { ...objectAt(spec['securityContext']), ...moved } };
}

/** encoding/json writes text so that it may stand in HTML. */
function escapeHtml(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
