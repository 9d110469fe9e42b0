import type { Json } from '@capstan/kube-object';
import type { MergeList, MergeMap, MergeType, ScalarKind } from '@capstan/kube-schema';
import { goJson, goJsonString, goPlain, goQuote, goSyntax, goTypeName } from './go-text.ts';
import { formatElement, type PathElement, valueElement } from './path-element.ts';
import { compareText, isList, isMap, own, type Value } from './value.ts';

/** What a value of a type is treated as. A null or absent value does not decide, so `shapeOf` may leave several. */
export type Shape = 'map' | 'scalar' | 'list' | 'none';

/** The shapes still possible for a value: only one if the value decides and the type allows it. */
export function shapesOf(type: MergeType, value: Value): readonly Shape[] {
  if (value !== undefined && value !== null) {
    if (isList(value)) {
      if (type.list !== undefined) return onlyList;
    } else if (isMap(value)) {
      if (type.map !== undefined) return onlyMap;
    } else if (type.scalar !== undefined) return onlyScalar;
  }
  return allShapes(type);
}

const onlyMap: readonly Shape[] = ['map'];
const onlyScalar: readonly Shape[] = ['scalar'];
const onlyList: readonly Shape[] = ['list'];
const none: readonly Shape[] = [];
const mapAndScalar: readonly Shape[] = ['map', 'scalar'];
const mapAndList: readonly Shape[] = ['map', 'list'];
const scalarAndList: readonly Shape[] = ['scalar', 'list'];
const every: readonly Shape[] = ['map', 'scalar', 'list'];

/** Interned, so that two equal answers are identical; a map goes before a scalar, a scalar before a list. */
function allShapes(type: MergeType): readonly Shape[] {
  if (type.map !== undefined) {
    if (type.scalar !== undefined) return type.list === undefined ? mapAndScalar : every;
    return type.list === undefined ? onlyMap : mapAndList;
  }
  if (type.scalar !== undefined) return type.list === undefined ? onlyScalar : scalarAndList;
  return type.list === undefined ? none : onlyList;
}

export function firstShape(shapes: readonly Shape[]): Shape {
  return shapes[0] ?? 'none';
}

export interface TypeProblem {
  readonly path: string;
  readonly message: string;
}

/** Problems as the official library joins them into one text. */
export function formatProblems(problems: readonly TypeProblem[]): string {
  const lines = problems.map(({ path, message }) =>
    path === '' ? message : `${path}: ${message}`,
  );
  return lines.length === 1
    ? lines[0]!
    : ['errors:', ...lines.map((line) => `  ${line}`)].join('\n');
}

export function scalarProblem(kind: ScalarKind, value: Value): string | undefined {
  if (value === undefined || value === null) return undefined;
  const actual = typeof value;
  switch (kind) {
    case 'numeric':
      return actual === 'number' || actual === 'bigint'
        ? undefined
        : `expected numeric (int or float), got ${goTypeName(value)}`;
    case 'string':
      return actual === 'string'
        ? undefined
        : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case 'boolean':
      return actual === 'boolean' ? undefined : `expected boolean, got &{${goPlain(value)}}`;
    case 'untyped':
      return actual === 'object' ? `expected any scalar, got &{${goPlain(value)}}` : undefined;
    default:
      return kind satisfies never;
  }
}

/** The element that identifies an item of an associative list, or why it has none. */
export function itemElement(
  list: MergeList,
  item: Json,
): { readonly element: PathElement } | { readonly problem: string } {
  if (list.atomic) return { problem: 'invalid indexing of non-associative list' };
  return list.keys.length > 0 ? keyedElement(list, item) : setElement(item);
}

function keyedElement(
  list: MergeList,
  item: Json,
): { readonly element: PathElement } | { readonly problem: string } {
  if (item === null) return { problem: 'associative list with keys may not have a null element' };
  if (!isMap(item)) return { problem: 'associative list with keys may not have non-map elements' };
  let text = '';
  for (const key of sortedKeys(list.keys)) {
    // A key that is given as null is given: only an absent one has its default.
    const given = own(item, key);
    const value = given === undefined ? keyDefault(list.element.map, key) : given;
    if (value === undefined) continue;
    text += `${text === '' ? '' : ','}${goJsonString(key)}:${goJson(value)}`;
  }
  if (text === '') {
    const names = `[${list.keys.map(goQuote).join(' ')}]`;
    return {
      problem: `associative list with keys has an element that omits all key fields ${names} (and doesn't have default values for any key fields)`,
    };
  }
  return { element: `k:{${text}}` };
}

function sortedKeys(keys: readonly string[]): readonly string[] {
  return keys.length < 2 ? keys : [...keys].sort(compareText);
}

function keyDefault(map: MergeMap | undefined, key: string): Json | undefined {
  return map?.fields.get(key)?.default ?? undefined;
}

function setElement(item: Json): { readonly element: PathElement } | { readonly problem: string } {
  if (isMap(item))
    return { problem: "associative list without keys has an element that's a map type" };
  if (isList(item)) return { problem: 'not supported: associative list with lists as elements' };
  if (item === null)
    return { problem: "associative list without keys has an element that's an explicit null" };
  return { element: valueElement(item) };
}

export function fieldType(map: MergeMap, name: string): MergeType | undefined {
  return map.fields.get(name)?.type ?? map.element;
}

export function duplicateProblem(element: PathElement): string {
  return `duplicate entries for key ${formatElement(element)}`;
}
