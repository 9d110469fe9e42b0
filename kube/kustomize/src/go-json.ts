import type { Json } from '@capstan/kube-object';
import { compareBytes } from '@capstan/lib-yaml';
import { failure } from './failure.ts';
import { shortestNumber } from './json-node.ts';

/** Where a value is read, for messages: the innermost struct and the fields from the outermost one. */
interface Place {
  readonly struct: string;
  readonly path: readonly string[];
}

interface Reading {
  readonly strict: boolean;
  /** Whether numbers and booleans are taken where text is wanted. */
  readonly lenientText: boolean;
  /** The first thing that was wrong; reading goes on, as in Go. */
  problem: string | undefined;
}

/** How a JSON value becomes a typed one by the rules of Go's encoding/json. */
export interface Shape<T> {
  readonly goType: string;
  /** The structs of which a field is, when they are embedded in the one it is read with. */
  readonly through?: readonly string[];
  read(value: Json, place: Place, reading: Reading): T | undefined;
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Read<F extends Fields> = {
  -readonly [K in keyof F]?: F[K] extends Shape<infer T> ? T : never;
};

export interface DecodeOptions {
  readonly strict?: boolean;
  /**
   * What sigs.k8s.io/yaml does when it knows the type: a number or boolean becomes text where text is wanted. Default
   * true; a kustomization itself is turned into JSON first, and so not read like this.
   */
  readonly lenientText?: boolean;
}

/**
 * Decodes with Go's rules: names match in any case, null leaves a field out, a wrong type is an error that names the
 * field. With `strict` an unknown field is an error too.
 */
export function decodeJson<T>(value: Json, shape: Shape<T>, options: DecodeOptions = {}): T {
  const { strict = false, lenientText = true } = options;
  const reading: Reading = { strict, lenientText, problem: undefined };
  const result = shape.read(value, { struct: '', path: [] }, reading);
  if (reading.problem !== undefined) throw failure(reading.problem);
  return result ?? shape.read({}, { struct: '', path: [] }, reading)!;
}

function mismatch(value: Json, goType: string, place: Place, reading: Reading): undefined {
  if (reading.problem !== undefined) return;
  const where =
    place.struct === '' ? 'Go value' : `Go struct field ${place.struct}.${place.path.join('.')}`;
  reading.problem = `json: cannot unmarshal ${describe(value)} into ${where} of type ${goType}`;
}

function describe(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'object') return 'object';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

function scalarShape<T>(
  goType: string,
  accept: (value: Json) => T | undefined,
  explain?: (value: Json) => string | undefined,
): Shape<T> {
  return {
    goType,
    read: (value, place, reading) => {
      if (value === null) return undefined;
      const accepted = accept(value);
      if (accepted !== undefined) return accepted;
      const detail = explain?.(value);
      if (detail === undefined) return mismatch(value, goType, place, reading);
      const before = reading.problem;
      mismatch(value, goType, place, reading);
      if (before === undefined && reading.problem !== undefined) {
        reading.problem = reading.problem.replace(describe(value), detail);
      }
      return undefined;
    },
  };
}

function textOf(goType: string): Shape<string> {
  const exact = scalarShape(goType, (value) => (typeof value === 'string' ? value : undefined));
  return {
    goType,
    read: (value, place, reading) => {
      if (!reading.lenientText || value === null || typeof value === 'object') {
        return exact.read(value, place, reading);
      }
      if (typeof value !== 'number' || Number.isInteger(value)) return String(value);
      return shortestNumber(value);
    },
  };
}

export const text: Shape<string> = textOf('string');

/** A string of a named Go type. */
export function namedText(goType: string): Shape<string> {
  return textOf(goType);
}

export const bool: Shape<boolean> = scalarShape('bool', (value) =>
  typeof value === 'boolean' ? value : undefined,
);

function integerOf(goType: string): Shape<number> {
  return scalarShape(
    goType,
    (value) =>
      typeof value === 'bigint'
        ? Number(value)
        : typeof value === 'number' && Number.isInteger(value)
          ? value
          : undefined,
    (value) => (typeof value === 'number' ? `number ${value}` : undefined),
  );
}

export const int: Shape<number> = integerOf('int');
export const int64: Shape<number> = integerOf('int64');

export const anything: Shape<Json> = { goType: 'interface {}', read: (value) => value };

export function list<T>(of: Shape<T>, zero?: T, goType = `[]${of.goType}`): Shape<T[]> {
  return {
    goType,
    read: (value, place, reading) => {
      if (value === null) return undefined;
      if (!Array.isArray(value)) return mismatch(value, goType, place, reading);
      return value.map((item: Json) => {
        const read = of.read(item, place, reading);
        // A null element is the zero value of its type.
        return (
          read ??
          zero ??
          of.read({}, place, {
            strict: false,
            lenientText: false,
            problem: 'ignored',
          })!
        );
      });
    },
  };
}

export const texts: Shape<string[]> = list(text, '');

export function dictionary<T>(of: Shape<T>, zero: T): Shape<Record<string, T>> {
  const goType = `map[string]${of.goType}`;
  return {
    goType,
    read: (value, place, reading) => {
      if (value === null) return undefined;
      if (!isObject(value)) return mismatch(value, goType, place, reading);
      const result: Record<string, T> = {};
      for (const key of sortedKeys(value)) {
        result[key] = of.read(value[key] ?? null, place, reading) ?? zero;
      }
      return result;
    },
  };
}

/** The fields of a struct that is embedded in another one: to be spread among its fields. */
export function embedded<F extends Fields>(name: string, fields: F): F {
  const entries = Object.entries(fields).map(([key, shape]) => [
    key,
    { ...shape, through: [name, ...(shape.through ?? [])] },
  ]);
  return Object.fromEntries(entries) as F;
}

/** A struct of Go's package `types`, or of the one that its name says. */
export function struct<F extends Fields>(
  typeName: string,
  fields: F,
): Shape<Read<F>> & { fields: F } {
  const name = typeName.slice(typeName.indexOf('.') + 1);
  const folded = new Map(Object.keys(fields).map((key) => [key.toLowerCase(), key]));
  const goType = typeName.includes('.') ? typeName : `types.${typeName}`;
  return {
    goType,
    fields,
    read: (value, place, reading) => {
      if (value === null) return undefined;
      if (!isObject(value)) return mismatch(value, goType, place, reading);
      const result: Record<string, unknown> = {};
      for (const key of sortedKeys(value)) {
        const known = Object.hasOwn(fields, key) ? key : folded.get(key.toLowerCase());
        if (known === undefined) {
          if (reading.strict) reading.problem ??= `json: unknown field ${JSON.stringify(key)}`;
          continue;
        }
        const field = fields[known]!;
        const inner = { struct: name, path: [...place.path, ...(field.through ?? []), known] };
        const read = field.read(value[key] ?? null, inner, reading);
        if (read !== undefined) result[known] = read;
      }
      return result as Read<F>;
    },
  };
}

/** The order in which Go writes a map as JSON, and so the order in which it is read: the first problem is what is told. */
function sortedKeys(value: { readonly [key: string]: Json | undefined }): string[] {
  return Object.keys(value).sort(compareBytes);
}

function isObject(value: Json): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
