import type { JsonObject } from '@capstan/kube-object';
import type { MergeList, MergeMap, MergeType } from '@capstan/kube-schema';
import {
  duplicateProblem,
  fieldType,
  firstShape,
  itemElement,
  scalarProblem,
  shapesOf,
  type TypeProblem,
} from './atoms.ts';
import { goPlain } from './go-text.ts';
import { formatElement } from './path-element.ts';
import { isList, isMap, type Value } from './value.ts';

/**
 * Checks that a value has the form its type says: what is not so, with its path, in the words of structured-merge-diff.
 * `allowDuplicates` is for live objects, which may hold twice what an applied one may not.
 */
export function typeProblems(
  type: MergeType,
  value: Value,
  options: { readonly allowDuplicates: boolean },
): readonly TypeProblem[] {
  return check(type, value, options.allowDuplicates);
}

const fine: readonly TypeProblem[] = [];

function check(type: MergeType, value: Value, duplicates: boolean): readonly TypeProblem[] {
  switch (firstShape(shapesOf(type, value))) {
    case 'map':
      if (value === undefined || value === null) return fine;
      return isMap(value)
        ? checkMap(type.map!, value, duplicates)
        : [{ path: '', message: `expected map, got &{${goPlain(value)}}` }];
    case 'list':
      if (value === undefined || value === null) return fine;
      return isList(value)
        ? checkList(type.list!, value, duplicates)
        : [{ path: '', message: `expected list, got &{${goPlain(value)}}` }];
    case 'scalar': {
      const message = scalarProblem(type.scalar!, value);
      return message === undefined ? fine : [{ path: '', message }];
    }
    default:
      return [{ path: '', message: 'schema error: invalid atom: inlined' }];
  }
}

function checkMap(map: MergeMap, value: JsonObject, duplicates: boolean): readonly TypeProblem[] {
  let problems: TypeProblem[] | undefined;
  for (const name of Object.keys(value)) {
    const item = value[name];
    if (item === undefined) continue;
    const type = fieldType(map, name);
    if (type === undefined) {
      // The official walk stops at the first unknown field, in random order; all of them are of more use.
      problems ??= [];
      problems.push({ path: `.${name}`, message: 'field not declared in schema' });
      continue;
    }
    const inner = check(type, item, duplicates);
    if (inner.length > 0) {
      problems ??= [];
      problems.push(...inner.map(({ path, message }) => ({ path: `.${name}${path}`, message })));
    }
  }
  return problems ?? fine;
}

function checkList(
  list: MergeList,
  value: readonly Value[],
  duplicates: boolean,
): readonly TypeProblem[] {
  const problems: TypeProblem[] = [];
  const seen = new Set<string>();
  for (const [index, item = null] of value.entries()) {
    let prefix = `[${index}]`;
    if (!list.atomic) {
      const found = itemElement(list, item);
      if ('problem' in found) {
        problems.push({ path: '', message: `element ${index}: ${found.problem}` });
        return problems;
      }
      if (seen.has(found.element) && !duplicates)
        problems.push({ path: '', message: duplicateProblem(found.element) });
      seen.add(found.element);
      prefix = found.element;
    }
    const inner = check(list.element, item, duplicates);
    if (inner.length === 0) continue;
    const shown = list.atomic ? prefix : formatElement(prefix);
    problems.push(...inner.map(({ path, message }) => ({ path: `${shown}${path}`, message })));
  }
  return problems;
}
