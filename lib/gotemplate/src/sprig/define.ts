import { valueText } from '../fmt.ts';
import { LimitError } from '../limits.ts';
import type { StringMap } from '../map.ts';
import { stringMapOf } from '../map.ts';
import {
  ANY,
  BOOL,
  type CallContext,
  DICT,
  FLOAT64,
  GoError,
  GoFunc,
  GoInt,
  GoScalar,
  type GoType,
  type GoValue,
  INT,
  INT64,
  STRING,
  UINT32,
} from '../value.ts';

/** A parameter: its Go type, by which execution checks the argument, and how the argument is read after that. */
export interface Param<T> {
  readonly type: GoType;
  readonly read: (value: GoValue) => T;
}

type Values<P extends readonly Param<unknown>[]> = {
  [K in keyof P]: P[K] extends Param<infer T> ? T : never;
};

export const text: Param<string> = { type: STRING, read: readText };
export const count: Param<number> = { type: INT, read: readNumber };
export const count64: Param<number> = { type: INT64, read: readNumber };
export const count32: Param<number> = { type: UINT32, read: readNumber };
export const float: Param<number> = { type: FLOAT64, read: readNumber };
export const flag: Param<boolean> = { type: BOOL, read: (value) => value === true };
export const anything: Param<GoValue> = { type: ANY, read: (value) => value };
export const dictionary: Param<StringMap> = { type: DICT, read: readMap };

function readText(value: GoValue): string {
  if (typeof value === 'string') return value;
  return value instanceof GoScalar ? String(value.value) : valueText(value);
}

function readNumber(value: GoValue): number {
  if (typeof value === 'number') return value;
  if (value instanceof GoInt || value instanceof GoScalar) return Number(value.value);
  return typeof value === 'bigint' ? Number(value) : 0;
}

/** What a nil map reads as: empty, and never written. */
export const NIL_MAP: StringMap = Object.freeze({});

function readMap(value: GoValue): StringMap {
  return stringMapOf(value) ?? NIL_MAP;
}

/** A function of fixed parameters. */
export function fixed<const P extends readonly Param<unknown>[]>(
  params: P,
  run: (...args: [...Values<P>, CallContext]) => GoValue,
): GoFunc {
  const readers = params.map((param) => param.read);
  // The readers give what Values<P> says, which TypeScript cannot follow through the array.
  const call = run as (...args: unknown[]) => GoValue;
  const [first, second, third] = readers;
  const signature = { params: params.map((param) => param.type) };
  if (first !== undefined && second === undefined) {
    return new GoFunc(signature, (context, [a]) => call(first(a), context));
  }
  if (first !== undefined && second !== undefined && third === undefined) {
    return new GoFunc(signature, (context, [a, b]) => call(first(a), second(b), context));
  }
  return new GoFunc(signature, (context, args) =>
    call(...readers.map((read, index) => read(args[index])), context),
  );
}

/** A variadic function: the arguments past the fixed ones come as an array. */
export function variadic<const P extends readonly Param<unknown>[], R>(
  params: P,
  rest: Param<R>,
  run: (...args: [...Values<P>, R[], CallContext]) => GoValue,
): GoFunc {
  const readers = params.map((param) => param.read);
  const call = run as (...args: unknown[]) => GoValue;
  const signature = { params: params.map((param) => param.type), rest: rest.type };
  return new GoFunc(signature, (context, args) => {
    const given: unknown[] = [];
    for (let i = 0; i < readers.length; i++) given.push(readers[i]?.(args[i]));
    const others: R[] = [];
    for (let i = readers.length; i < args.length; i++) others.push(rest.read(args[i]));
    return call(...given, others, context);
  });
}

export type Functions = readonly (readonly [string, GoFunc])[];

/** A runtime panic of Go, which a template sees as an error of the function. */
export function runtimeError(problem: string): GoError {
  return new GoError(`runtime error: ${problem}`);
}

export function nilDereference(): GoError {
  return runtimeError('invalid memory address or nil pointer dereference');
}

const TEXT_MAX = 64 * 1024 * 1024;
const ITEMS_MAX = 1_000_000;

/** Refuses to build a text that is too long, before it is built. */
export function boundText(length: number, what: string): void {
  if (length > TEXT_MAX) throw new LimitError(`${what}: result is longer than ${TEXT_MAX} bytes`);
}

/** Refuses to build a list that is too long, and counts its items as steps. */
export function boundItems(items: number, what: string, context: CallContext): void {
  if (items > ITEMS_MAX) throw new LimitError(`${what}: result has more than ${ITEMS_MAX} items`);
  context.spend(items);
}
