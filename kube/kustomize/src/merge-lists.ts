import { matchElement } from './field-path.ts';
import {
  addContent,
  fieldOf,
  getField,
  isMissingOrNull,
  type KNode,
  makeNode,
  requireKind,
  scalar,
  setField,
  setScalar,
} from './node.ts';
import {
  directiveOf,
  type MergeContext,
  mergePlace,
  type Place,
  takeComments,
} from './strategic-merge.ts';

/** Merges two lists whose elements are told apart by keys, or by their value where the schema names no keys. */
export function mergeLists(place: Place, context: MergeContext): KNode | undefined {
  const into = startOfList(place);
  if (into === undefined) return undefined;
  const sides = [into, place.patch] as const;
  const keys = place.schema?.keys ?? [];
  const ordered = context.listIncrease === 'prepend' ? [sides[1], sides[0]] : sides;
  return keys.length > 0
    ? mergeElements(sides, into, { keys, wanted: keyedValues(ordered, keys) }, place, context)
    : mergeElements(sides, into, { keys: [''], wanted: scalarValues(ordered) }, place, context);
}

function startOfList({ target, patch }: Place): KNode | undefined {
  takeComments(target, patch);
  if (isMissingOrNull(target)) return patch;
  if (patch?.tag === '!!null') return undefined;
  const directive = directiveOf(patch, false);
  if (directive === 'delete') return undefined;
  return directive === 'replace' ? patch : target;
}

type Sides = readonly [KNode, KNode | undefined];

/** The key values of all elements, each once, in the order of the lists. */
function keyedValues(lists: readonly (KNode | undefined)[], keys: readonly string[]): string[][] {
  const seen = new Set<string>();
  const result: string[][] = [];
  for (const node of lists) {
    if (node === undefined || node.kind !== 'sequence') continue;
    for (const element of node.content) {
      const values = keys.map((key) => keyValue(element, key));
      const text = JSON.stringify(values);
      if (seen.has(text)) continue;
      seen.add(text);
      result.push(values);
    }
  }
  return result;
}

function keyValue(element: KNode, key: string): string {
  const field = fieldOf(element, key);
  if (field === undefined || field.tag === '!!null') return '';
  return field.value;
}

function scalarValues(lists: readonly (KNode | undefined)[]): string[][] {
  const seen = new Set<string>();
  for (const node of lists) for (const element of node?.content ?? []) seen.add(element.value);
  return [...seen].map((value) => [value]);
}

interface Wanted {
  readonly keys: readonly string[];
  readonly wanted: string[][];
}

function mergeElements(
  sides: Sides,
  into: KNode,
  { keys, wanted }: Wanted,
  place: Place,
  context: MergeContext,
): KNode | undefined {
  if (keys.length > 1) fillGaps(wanted);
  const schema = place.schema?.elements();
  const merged = makeNode('sequence', '', '', into.file);
  merged.line = into.line;
  let valid: ValidKeys = { keys: [], values: [] };
  for (const values of wanted) {
    valid = validKeys(wanted, values, keys);
    const element = mergePlace(
      {
        target: findElement(sides[0], valid),
        patch: findElement(sides[1], valid),
        schema,
        path: [],
      },
      context,
    ).node;
    if (isMissingOrNull(element) || (element.kind === 'mapping' && element.content.length === 0)) {
      setElement(into, undefined, valid);
      continue;
    }
    addKeys(element, valid);
    setElement(merged, element, valid);
  }
  if (wanted.length === 0) return isMissingOrNull(into) ? undefined : into;
  return context.listIncrease === 'prepend'
    ? appendElements(merged, into, valid.keys)
    : appendElements(into, merged, valid.keys);
}

function findElement(side: KNode | undefined, valid: ValidKeys): KNode | undefined {
  if (side === undefined || side.kind !== 'sequence' || side.tag === '!!null') return undefined;
  const { keys, values } = validKeys([valid.values], valid.values, valid.keys);
  return matchElement(side, keys, values);
}

/** Gives a merged element the key fields it was found by, should it lack them. */
function addKeys(element: KNode, { keys, values }: ValidKeys): void {
  keys.forEach((key, i) => {
    const value = values[i] ?? '';
    if (value === '' || fieldOf(element, key) !== undefined) return;
    if (key === '') {
      const node = scalar(value, element.file);
      node.line = element.line;
      setScalar(element, node);
    } else {
      setField(element, key, scalar(value, element.file));
    }
  });
}

interface ValidKeys {
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

/** Leaves out the keys that no element has; all of them stay when none has any. */
function validKeys(
  all: readonly (readonly string[])[],
  values: readonly string[],
  keys: readonly string[],
): ValidKeys {
  const used = keys.map((_, i) => all.some((list) => (list[i] ?? '') !== ''));
  if (!used.includes(true)) return { keys, values };
  return {
    keys: keys.filter((_, i) => used[i]),
    values: values.filter((value, i) => value !== '' || used[i]),
  };
}

/** Elements that agree in a key, and differ only in that one of them leaves a key out, are the same element. */
function fillGaps(wanted: string[][]): void {
  for (let i = 0; i < wanted.length; i++) {
    for (let j = 0; j < wanted.length; j++) {
      const common = commonValues(wanted[i]!, wanted[j]!);
      if (common === undefined) continue;
      wanted[i] = common;
      wanted[j] = common;
    }
  }
}

function commonValues(a: readonly string[], b: readonly string[]): string[] | undefined {
  if (a.length !== b.length) return undefined;
  let agree = false;
  const result: string[] = [];
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (x === y) agree = true;
    else if (x !== '' && y !== '') return undefined;
    result.push(x !== '' ? x : y);
  }
  return agree ? result : undefined;
}

/**
 * Puts `element` in the place of those with the key values, or at the end; without an element they are removed. Empty
 * elements of the list are dropped on the way.
 */
export function setElement(
  list: KNode,
  element: KNode | undefined,
  { keys: given, values }: ValidKeys,
): void {
  requireKind(list, 'sequence');
  const keys = given.length === 0 ? [''] : given;
  const keyed = keys[0] !== '' && values.length > 0 && values[0] !== '';
  const content: KNode[] = [];
  let found = false;
  for (const item of list.content) {
    if (item.tag === '!!null' || (item.kind === 'mapping' && item.content.length === 0)) continue;
    if (item.kind !== 'mapping' && keyed) {
      content.push(item);
    } else if (!hasKeyValues(item, keys, values)) {
      if (values.length > 0) content.push(item);
    } else {
      found = true;
      if (element !== undefined) content.push(element);
    }
  }
  list.content = content;
  if (!found && !isMissingOrNull(element)) content.push(element);
}

function hasKeyValues(item: KNode, keys: readonly string[], values: readonly string[]): boolean {
  let matched = false;
  for (let i = 0; i < keys.length; i++) {
    const value = values[i];
    if (value !== undefined) matched = hasKeyValue(item, keys[i]!, value);
    if (!matched) return false;
  }
  return true;
}

function hasKeyValue(item: KNode, key: string, value: string): boolean {
  if (key === '') {
    requireKind(item, 'scalar');
    return item.value === value;
  }
  const field = getField(item, key);
  return field !== undefined && (value === '' || field.value === value);
}

/** Adds the elements of `from` to `list`, each in the place of one with the same keys. */
function appendElements(list: KNode, from: KNode, keys: readonly string[]): KNode {
  for (const element of from.content.slice()) {
    if (keys[0] === '') {
      setElement(list, element, { keys, values: [element.value] });
      continue;
    }
    const values: string[] = [];
    for (const key of keys) {
      const field = getField(element, key);
      if (field === undefined) addContent(list, element);
      else values.push(field.value);
    }
    if (keys.length > 1) setElement(list, undefined, { keys, values });
    setElement(list, element, { keys, values });
  }
  return list;
}
