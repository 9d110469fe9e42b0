import type { Json, JsonObject } from '@capstan/kube-object';
import { goJson, goQuote } from './go-text.ts';
import { compareText, compareValues, isMap, type Value } from './value.ts';

/**
 * One step of a field's path in the encoding of FieldsV1, which is canonical and so serves as its identity:
 * `f:name`, `k:{"containerPort":80,"protocol":"TCP"}` (keys sorted), `v:"finalizer"`, `i:3`.
 */
export type PathElement = string;
export type FieldPath = readonly PathElement[];

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

export function keyElement(keys: JsonObject): PathElement {
  return `k:${goJson(keys)}`;
}

export function valueElement(value: Json): PathElement {
  return `v:${goJson(value)}`;
}

/** The canonical form of an element as found in a managedFields entry; undefined for a kind not known; throws on nonsense. */
export function readElement(text: string): PathElement | undefined {
  if (text.length < 2) throw new Error('key must be 2 characters long:');
  if (text[1] !== ':') throw new Error(`missing colon: ${text}`);
  switch (text[0]) {
    case 'f':
      return text;
    case 'v':
      return valueElement(parseJson(text.slice(2)));
    case 'k': {
      const keys = parseJson(text.slice(2));
      if (!isMap(keys)) throw new Error(`expected an object: ${text}`);
      return keyElement(keys);
    }
    case 'i':
      if (!/^[-+]?\d+$/.test(text.slice(2)))
        throw new Error(`strconv.Atoi: parsing ${goQuote(text.slice(2))}: invalid syntax`);
      return `i:${Number(text.slice(2))}`;
    default:
      return undefined;
  }
}

function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

interface DecodedElement {
  readonly element: PathElement;
  readonly rank: number;
  readonly name: string;
  readonly keys: readonly (readonly [string, Json])[];
  readonly value: Json;
}

const ranks: Readonly<Record<string, number>> = { f: 0, k: 1, v: 2, i: 3 };

function decode(element: PathElement): DecodedElement {
  const rank = ranks[element[0]!] ?? 4;
  const rest = element.slice(2);
  const value = rank === 0 ? null : parseJson(rest);
  const keys =
    rank === 1
      ? Object.entries(value as JsonObject)
          .map(([name, item]): [string, Json] => [name, item ?? null])
          .sort(([a], [b]) => compareText(a, b))
      : [];
  return { element, rank, name: rest, keys, value };
}

/** Elements in the order of FieldsV1: fields, keys, values, indexes. */
export function sortElements(elements: readonly PathElement[]): PathElement[] {
  if (elements.length < 2) return [...elements];
  // Most levels are fields alone: these need no decoding.
  if (elements.every(isField)) return [...elements].sort(compareText);
  return elements
    .map(decode)
    .sort(compareDecoded)
    .map(({ element }) => element);
}

function isField(element: PathElement): boolean {
  return element.charCodeAt(0) === 0x66;
}

function compareDecoded(left: DecodedElement, right: DecodedElement): number {
  if (left.rank !== right.rank) return left.rank - right.rank;
  if (left.rank === 0) return compareText(left.name, right.name);
  if (left.rank === 1) return compareKeys(left.keys, right.keys);
  return compareValues(left.value, right.value);
}

function compareKeys(
  left: readonly (readonly [string, Json])[],
  right: readonly (readonly [string, Json])[],
): number {
  for (let i = 0; i < left.length && i < right.length; i++) {
    const [leftName, leftValue] = left[i]!;
    const [rightName, rightValue] = right[i]!;
    const order = compareText(leftName, rightName) || compareValues(leftValue, rightValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** For people and conflict messages: `.spec.ports[containerPort=80,protocol="TCP"].name`. */
export function formatPath(path: FieldPath): string {
  return path.map(formatElement).join('');
}

export function formatElement(element: PathElement): string {
  const { rank, name, keys, value } = decode(element);
  if (rank === 0) return `.${name}`;
  if (rank === 1) return `[${keys.map(([key, item]) => `${key}=${formatValue(item)}`).join(',')}]`;
  return rank === 2 ? `[=${formatValue(value)}]` : `[${name}]`;
}

function formatValue(value: Value): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return goQuote(value);
  if (Array.isArray(value)) return `[${value.map(formatValue).join(',')}]`;
  if (isMap(value))
    return Object.entries(value)
      .map(([key, item]) => `${key}=${formatValue(item)}`)
      .join('');
  return String(value);
}
