import {
  type FieldError,
  formatFieldError,
  type Json,
  type JsonObject,
  supportedValues,
} from '@capstan/kube-object';
import { RE2JS } from 're2js';
import { matchesFormat } from './formats.ts';
import type { Schema } from './schema.ts';

/**
 * Checks a custom resource against its schema, with the words of the API server (kube-openapi's validator as of Kubernetes
 * 1.36). With `old`, what was wrong before and has not changed is let pass, as the server does on updates.
 * Patterns run in linear time (RE2).
 */
export function validateCustomResource(
  schema: Schema,
  object: JsonObject,
  old?: JsonObject,
): readonly FieldError[] {
  return validate(schema, object, '', old).errors;
}

/** As validateCustomResource, for a value of any type. */
export function validateValue(schema: Schema, value: Json, old?: Json): readonly FieldError[] {
  return validate(schema, value, '', old).errors;
}

interface Result {
  readonly errors: readonly FieldError[];
  /** How many checks were made: of several alternatives the one that went furthest explains the failure. */
  readonly count: number;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function problem(
  reason: FieldError['reason'],
  path: string,
  detail: string,
  value?: Json,
): FieldError {
  const trimmed = path.startsWith('.') ? path.slice(1) : path;
  const field = trimmed === '' ? '<nil>' : trimmed;
  return value === undefined ? { reason, field, detail } : { reason, field, detail, value };
}

function invalid(path: string, text: string, value: Json = ''): FieldError {
  return problem('FieldValueInvalid', path, `${path} in body ${text}`, value);
}

function validate(schema: Schema, value: Json, path: string, old: Json | undefined): Result {
  const checks: Result[] = [];
  const type = checkType(schema, value, path);
  if (value === null) return join([{ errors: type, count: 1 }, checkEnum(schema, value, path)], 0);
  if (schema.type !== '' || schema.format !== undefined || schema.intOrString === true)
    checks.push({ errors: type, count: 1 });
  checks.push(checkJunctors(schema, value, path, old));
  if (typeof value === 'string') {
    checks.push({ errors: checkString(schema, value, path), count: 0 });
    const formatErrors = checkFormat(schema, value, path);
    if (formatErrors !== undefined) checks.push({ errors: formatErrors, count: 0 });
  }
  if (typeof value === 'number' || typeof value === 'bigint')
    checks.push({ errors: checkNumber(schema, value, path), count: 1 });
  if (isArray(value)) checks.push(checkArray(schema, value, path, old));
  checks.push(checkEnum(schema, value, path));
  if (isObject(value)) checks.push(checkObject(schema, value, path, old));
  const result = join(checks, checks.length + 1);
  const isRatcheted = old !== undefined && result.errors.length > 0 && sameJson(value, old);
  return isRatcheted ? { errors: [], count: result.count } : result;
}

function join(results: readonly Result[], extra: number): Result {
  return {
    errors: distinct(results.flatMap(({ errors }) => errors)),
    count: results.reduce((total, { count }) => total + count, extra),
  };
}

/** The same is told once, though several parts of a schema may say it. */
function distinct(errors: readonly FieldError[]): readonly FieldError[] {
  if (errors.length < 2) return errors;
  return [...new Map(errors.map((error) => [formatFieldError(error), error])).values()];
}

const INT64_MAX = 2n ** 63n - 1n;

/** What a value is to Go: its type, and the name of its representation if it is a number. */
function typeOf(value: Json): readonly [type: string, format: string] {
  if (isArray(value)) return ['array', ''];
  if (isObject(value)) return ['object', ''];
  if (typeof value === 'boolean') return ['boolean', ''];
  if (typeof value === 'string') return ['string', ''];
  const isInteger =
    typeof value === 'bigint'
      ? value <= INT64_MAX && value >= -INT64_MAX - 1n
      : Number.isSafeInteger(value);
  return isInteger ? ['integer', 'int64'] : ['number', 'float64'];
}

/** As kube-openapi has it: where a format is named, it is the format that a value of another type misses. */
function checkType(schema: Schema, value: Json, path: string): readonly FieldError[] {
  const types =
    schema.intOrString === true ? ['integer', 'string'] : schema.type === '' ? [] : [schema.type];
  if (value === null) {
    const refused = types.length > 0 && schema.nullable !== true;
    return refused ? [wrongType(path, types.join(','), 'null')] : [];
  }
  const [actual, represented] = typeOf(value);
  const format = supportedFormat(schema);
  const isNumeric = types.includes('number') || types.includes('integer');
  const fits = types.includes(actual) || (actual === 'integer' && types.includes('number'));
  if (format !== '' && actual !== 'string' && actual !== 'array') {
    return fits || represented === format ? [] : [wrongType(path, format, represented)];
  }
  if (!isNumeric && format !== '') return [];
  if (types.length === 0) return [];
  return fits ? [] : [wrongType(path, types.join(','), actual)];
}

function wrongType(path: string, expected: string, actual: string): FieldError {
  const detail = `${path} in body must be of type ${expected}: ${JSON.stringify(actual)}`;
  return problem('FieldValueTypeInvalid', path, detail, actual);
}

function supportedFormat({ type, format = '' }: Schema): string {
  if (format === '') return '';
  if (type === 'integer') return format === 'int32' || format === 'int64' ? format : '';
  if (type === 'number') return format === 'float' || format === 'double' ? format : '';
  if (type !== '' && type !== 'string') return '';
  return matchesFormat(format, '') === undefined ? '' : format;
}

function checkFormat(
  schema: Schema,
  value: string,
  path: string,
): readonly FieldError[] | undefined {
  const format = supportedFormat(schema);
  if (format === '') return undefined;
  const matches = matchesFormat(format, value);
  if (matches !== false) return matches === undefined ? undefined : [];
  const detail = `${path} in body must be of type ${format}: ${JSON.stringify(value)}`;
  return [problem('FieldValueTypeInvalid', path, detail, value)];
}

function checkString(schema: Schema, value: string, path: string): readonly FieldError[] {
  const { maxLength, minLength, pattern } = schema;
  if (maxLength !== undefined && codePoints(value) > maxLength) {
    const unit = maxLength === 1 ? 'byte' : 'bytes';
    return [problem('FieldValueTooLong', path, `may not be more than ${maxLength} ${unit}`)];
  }
  if (minLength !== undefined && codePoints(value) < minLength)
    return [invalid(path, `should be at least ${minLength} chars long`, value)];
  if (pattern === undefined) return [];
  const mismatch = mismatchOf(pattern, value);
  return mismatch === undefined ? [] : [invalid(path, `should match '${mismatch}'`, value)];
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function mismatchOf(pattern: string, value: string): string | undefined {
  try {
    return RE2JS.compile(pattern).matcher(value).find() ? undefined : pattern;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `${pattern}, but pattern is invalid: ${reason}`;
  }
}

function checkNumber(schema: Schema, given: number | bigint, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const value = Number(given);
  const { multipleOf, maximum, minimum } = schema;
  const within = (number: number | bigint, name: string): void => {
    const range = rangeProblem(schema, number, `${name} value`, path);
    if (range !== undefined) errors.push(problem('FieldValueInvalid', '', range, ''));
  };
  within(given, 'Checked');
  if (multipleOf !== undefined) {
    within(multipleOf, 'MultipleOf');
    if (!isMultiple(value, multipleOf)) {
      errors.push(invalid(path, `should be a multiple of ${multipleOf}`, value));
    }
  }
  if (minimum !== undefined) {
    within(minimum, 'Minimum boundary');
    const exclusive = schema.exclusiveMinimum === true;
    if (value < minimum || (exclusive && value === minimum))
      errors.push(
        invalid(path, `should be greater than ${exclusive ? '' : 'or equal to '}${minimum}`, value),
      );
  }
  if (maximum !== undefined) {
    within(maximum, 'Maximum boundary');
    const exclusive = schema.exclusiveMaximum === true;
    if (value > maximum || (exclusive && value === maximum))
      errors.push(
        invalid(path, `should be less than ${exclusive ? '' : 'or equal to '}${maximum}`, value),
      );
  }
  return errors;
}

const EPSILON = 1e-9;

/** A quotient that is nearly a whole number counts as one: 0.3 is a multiple of 0.1. */
function isMultiple(value: number, factor: number): boolean {
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  if (!Number.isFinite(quotient) || Math.abs(quotient) > Number.MAX_SAFE_INTEGER) return false;
  const whole = Math.trunc(quotient);
  const off = Math.abs(quotient - whole);
  return off === 0 || off / (Math.abs(quotient) + Math.abs(whole)) < EPSILON;
}

function rangeProblem(
  schema: Schema,
  value: number | bigint,
  what: string,
  path: string,
): string | undefined {
  const format = supportedFormat(schema);
  const { type } = schema;
  const isMisfit =
    type === 'integer'
      ? !fitsInteger(value, format === 'int32' ? 32n : 64n)
      : format === 'float' &&
        Number.isFinite(Number(value)) &&
        !Number.isFinite(Math.fround(Number(value)));
  if (!isMisfit) return undefined;
  const name = format === '' ? `${type} (default format)` : `${type} with format ${format}`;
  return `${what} must be of type ${name} in ${path}`;
}

function fitsInteger(value: number | bigint, bits: bigint): boolean {
  if (typeof value === 'number' && !Number.isInteger(value)) return false;
  const bound = 2n ** (bits - 1n);
  return BigInt(value) < bound && BigInt(value) >= -bound;
}

function checkEnum(schema: Schema, value: Json, path: string): Result {
  const allowed = schema.enum;
  if (allowed === undefined || allowed.length === 0) return { errors: [], count: 0 };
  if (allowed.some((item) => item !== null && sameJson(item, value)))
    return { errors: [], count: 0 };
  const names = allowed.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
  const error = problem('FieldValueNotSupported', path, supportedValues(names), value);
  return { errors: [error], count: 0 };
}

function checkArray(
  schema: Schema,
  value: readonly Json[],
  path: string,
  old: Json | undefined,
): Result {
  const results: Result[] = [];
  const { items, minItems, maxItems } = schema;
  if (items !== undefined)
    for (const [index, item] of value.entries())
      results.push(validate(items, item, `${path}[${index}]`, oldItem(schema, item, old)));
  const errors: FieldError[] = [];
  if (minItems !== undefined && value.length < minItems)
    errors.push(invalid(path, `should have at least ${minItems} items`, value.length));
  if (maxItems !== undefined && value.length > maxItems)
    errors.push(tooMany(path, value.length, maxItems));
  if (schema.uniqueItems === true && hasDuplicates(value))
    errors.push(invalid(path, "shouldn't contain duplicates"));
  return join([...results, { errors, count: 1 }], 0);
}

function tooMany(path: string, actual: number, limit: number): FieldError {
  const unit = limit === 1 ? 'item' : 'items';
  return problem('FieldValueTooMany', path, `must have at most ${limit} ${unit}`, actual);
}

/** Items of lists with keys can be found again in the old object; others count as new. */
function oldItem(schema: Schema, item: Json, old: Json | undefined): Json | undefined {
  if (schema.listType !== 'map' || !isArray(old) || !isObject(item)) return undefined;
  const keys = schema.listMapKeys ?? [];
  return old.find(
    (other) =>
      isObject(other) && keys.every((key) => sameJson(other[key] ?? null, item[key] ?? null)),
  );
}

function hasDuplicates(values: readonly Json[]): boolean {
  return new Set(values.map(canonical)).size < values.length;
}

function checkObject(
  schema: Schema,
  value: JsonObject,
  path: string,
  old: Json | undefined,
): Result {
  const results: Result[] = [];
  const errors: FieldError[] = [];
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  const { minProperties, maxProperties, properties, additionalProperties } = schema;
  if (minProperties !== undefined && keys.length < minProperties)
    errors.push(invalid(path, `should have at least ${minProperties} properties`, keys.length));
  if (maxProperties !== undefined && keys.length > maxProperties)
    errors.push(tooMany(path, keys.length, maxProperties));
  const before = isObject(old) ? old : undefined;
  for (const key of keys) {
    const property = properties?.get(key);
    const inner =
      property ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    const place = property !== undefined && path === '' ? key : `${path}.${key}`;
    if (inner !== undefined) results.push(validate(inner, value[key]!, place, before?.[key]));
    else if (additionalProperties === false)
      errors.push(
        problem('FieldValueInvalid', path, `${path}.${key} in body is a forbidden property`, key),
      );
  }
  for (const key of schema.required ?? [])
    if (!Object.hasOwn(value, key) || value[key] === undefined)
      errors.push(problem('FieldValueRequired', `${path}.${key}`, ''));
  return join([...results, { errors, count: 0 }], 0);
}

function checkJunctors(schema: Schema, value: Json, path: string, old: Json | undefined): Result {
  const results: Result[] = [];
  const name = JSON.stringify(path);
  const fail = (text: string): Result => ({
    errors: [problem('FieldValueInvalid', '', `${name} ${text}`, '')],
    count: 0,
  });
  const run = (inner: Schema): Result => validate(inner, value, path, old);
  if (schema.anyOf !== undefined && schema.anyOf.length > 0) {
    const tried = schema.anyOf.map(run);
    const success = tried.find(({ errors }) => errors.length === 0);
    if (success === undefined)
      results.push(fail('must validate at least one schema (anyOf)'), furthest(tried));
    else results.push(success);
  }
  if (schema.oneOf !== undefined && schema.oneOf.length > 0) {
    const tried = schema.oneOf.map(run);
    const valid = tried.filter(({ errors }) => errors.length === 0);
    const found =
      valid.length === 0 ? 'Found none valid' : `Found ${valid.length} valid alternatives`;
    if (valid.length === 1) results.push(valid[0]!);
    else results.push(fail(`must validate one and only one schema (oneOf). ${found}`));
    if (valid.length === 0) results.push(furthest(tried));
  }
  if (schema.allOf !== undefined && schema.allOf.length > 0) {
    const tried = schema.allOf.map(run);
    const valid = tried.filter(({ errors }) => errors.length === 0).length;
    results.push(...tried);
    if (valid !== tried.length)
      results.push(
        fail(`must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`),
      );
  }
  if (schema.not !== undefined && run(schema.not).errors.length === 0)
    results.push(fail('must not validate the schema (not)'));
  return join(results, 1);
}

function furthest(results: readonly Result[]): Result {
  return results.reduce((best, result) => (result.count > best.count ? result : best));
}

export function sameJson(left: Json, right: Json): boolean {
  return left === right || canonical(left) === canonical(right);
}

/** JSON with sorted keys: equal texts are equal values. */
export function canonical(value: Json): string {
  if (typeof value === 'bigint') return value.toString();
  if (isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (isObject(value))
    return `{${Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`)
      .join(',')}}`;
  return JSON.stringify(value);
}
