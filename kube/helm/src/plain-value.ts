import {
  GoInt,
  GoMap,
  GoNil,
  GoPointer,
  GoScalar,
  GoStruct,
  type GoValue,
  jsonFields,
} from '@capstan/lib-gotemplate';

/** A JSON value as YAML and JSON writers take it. */
export type PlainValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | PlainValue[]
  | { [key: string]: PlainValue };

/** A template value as JSON would hold it; []byte as base64, what JSON cannot hold as null. */
export function plainValue(value: GoValue): PlainValue {
  if (value === undefined || value === null || value instanceof GoNil) return null;
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(plainValue);
  if (value instanceof GoInt || value instanceof GoScalar) return value.value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof GoPointer) return plainValue(value.elem);
  if (value instanceof GoStruct) return plainStruct(value);
  if (value instanceof GoMap) return plainEntries(value.data);
  if (value instanceof Map) return plainEntries(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return null;
  return plainEntries(value as { [key: string]: GoValue });
}

/** Text as JSON holds it: U+FFFD for each byte that is no UTF-8 (see lib/gotemplate, text.ts). */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.replaceAll(/[\udc80-\udcff]/gu, '\ufffd');
}

function plainEntries(data: { [key: string]: GoValue } | Map<string, GoValue>): PlainValue {
  const entries = data instanceof Map ? [...data] : Object.entries(data);
  return Object.fromEntries(
    entries.flatMap(([key, item]) => (item === undefined ? [] : [[key, plainValue(item)]])),
  );
}

function plainStruct(value: GoStruct): PlainValue {
  const { textMarshaler } = value.type;
  if (textMarshaler !== undefined) return textMarshaler(value);
  return Object.fromEntries(jsonFields(value).map(([name, item]) => [name, plainValue(item)]));
}
