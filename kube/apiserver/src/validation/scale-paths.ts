import type { FieldError, JsonObject } from '@capstan/kube-object';
import type { CustomResourceVersion } from '@capstan/kube-schema';
import { isObject } from '../json.ts';

type Scale = CustomResourceVersion['scale'];
const INT32_MAX = 2 ** 31 - 1;

/** What a custom resource has at the paths of its `scale` subresource (apiextensions-apiserver's ValidateScaleSpec). */
export function scaleSpecErrors(object: JsonObject, scale: Scale): readonly FieldError[] {
  return scale === undefined ? [] : countErrors(object, scale.specReplicasPath);
}

export function scaleStatusErrors(object: JsonObject, scale: Scale): readonly FieldError[] {
  if (scale === undefined) return [];
  const errors = countErrors(object, scale.statusReplicasPath);
  const path = scale.labelSelectorPath;
  if (path === undefined) return errors;
  const found = lookUp(object, path, 'string', (value) => typeof value === 'string');
  return found.problem === undefined ? errors : [...errors, invalid(path, '', found.problem)];
}

function countErrors(object: JsonObject, path: string): readonly FieldError[] {
  const found = lookUp(object, path, 'int64', isInt64);
  if (found.problem !== undefined) return [invalid(path, 0, found.problem)];
  const count = Number(found.value ?? 0);
  if (count < 0) return [invalid(path, count, 'should be a non-negative integer')];
  if (count <= INT32_MAX) return [];
  return [invalid(path, count, `should be less than or equal to ${INT32_MAX}`)];
}

function invalid(field: string, value: number | string, detail: string): FieldError {
  return { reason: 'FieldValueInvalid', field, value, detail };
}

interface Found {
  readonly value?: unknown;
  readonly problem?: string;
}

function lookUp(
  object: JsonObject,
  path: string,
  wanted: string,
  isWanted: (value: unknown) => boolean,
): Found {
  const steps = path.replace(/^\./, '').split('.');
  const wrong = (count: number, value: unknown, type: string): Found => ({
    problem: `.${steps.slice(0, count).join('.')} accessor error: ${goText(value)} is of the type ${goType(value)}, expected ${type}`,
  });
  let at: unknown = object;
  for (const [i, step] of steps.entries()) {
    if (at === null) return {};
    if (!isObject(at)) return wrong(i + 1, at, 'map[string]interface{}');
    if (!Object.hasOwn(at, step) || at[step] === undefined) return {};
    at = at[step];
  }
  return isWanted(at) ? { value: at } : wrong(steps.length, at, wanted);
}

/** What is no whole number, or too large for one, is read as a fraction. */
function isInt64(value: unknown): boolean {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value;
  return Number.isSafeInteger(value);
}

function goText(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (!isObject(value)) return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${goText(item)}`).join(' ')}]`;
}

function goType(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (isInt64(value)) return 'int64';
  if (typeof value === 'number' || typeof value === 'bigint') return 'float64';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}
