import type { Json, JsonObject } from '@capstan/kube-object';
import type { JsonPatchOperation } from './drift-report.ts';

/**
 * The JSON patch from one value to another: keys in order, arrays item by item. Where the steps inside a value take more
 * text than the value itself, it is replaced as a whole.
 */
export function jsonDifference(from: Json, to: Json, path = ''): readonly JsonPatchOperation[] {
  if (isList(from) && isList(to)) return shorter(listSteps(from, to, path), to, path);
  if (isDict(from) && isDict(to)) return shorter(dictSteps(from, to, path), to, path);
  return isSame(from, to) ? [] : [{ op: 'replace', path, value: to }];
}

function shorter(
  steps: readonly JsonPatchOperation[],
  to: Json,
  path: string,
): readonly JsonPatchOperation[] {
  if (path === '' || steps.length === 0) return steps;
  const whole: JsonPatchOperation = { op: 'replace', path, value: to };
  const commas = steps.length - 1;
  const length = steps.reduce((sum, step) => sum + lengthOf(step), commas);
  return length > lengthOf(whole) ? [whole] : steps;
}

/** The length of its text as the original measures it: the value of an addition counts for nothing. */
function lengthOf(step: JsonPatchOperation): number {
  const bare = '{"op":"","path":""}'.length + step.op.length + byteLength(step.path);
  if (step.op === 'remove') return bare;
  const value = step.op === 'add' ? 0 : byteLength(goText(step.value));
  return bare + ',"value":'.length + value;
}

/** JSON as Go writes it. */
function goText(value: Json): string {
  return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, '\\u0000');
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function dictSteps(from: JsonObject, to: JsonObject, path: string): readonly JsonPatchOperation[] {
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return keys.flatMap((key): readonly JsonPatchOperation[] => {
    const at = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const [old, wanted] = [from[key], to[key]];
    if (wanted === undefined) return old === undefined ? [] : [{ op: 'remove', path: at }];
    return old === undefined
      ? [{ op: 'add', path: at, value: wanted }]
      : jsonDifference(old, wanted, at);
  });
}

function listSteps(
  from: readonly Json[],
  to: readonly Json[],
  path: string,
): readonly JsonPatchOperation[] {
  const common = Math.min(from.length, to.length);
  const steps: JsonPatchOperation[] = [];
  // Each removal moves the rest to its place.
  for (let at = common; at < from.length; at++) {
    steps.push({ op: 'remove', path: `${path}/${common}` });
  }
  for (let at = 0; at < common; at++) {
    steps.push(...jsonDifference(from[at]!, to[at]!, `${path}/${at}`));
  }
  for (let at = common; at < to.length; at++) {
    steps.push({ op: 'add', path: `${path}/-`, value: to[at]! });
  }
  return steps;
}

function isSame(a: Json, b: Json): boolean {
  return a === b || (typeof a === typeof b && JSON.stringify(a) === JSON.stringify(b));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isDict(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
