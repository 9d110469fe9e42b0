import { fitValue, isAssignable } from './arguments.ts';
import { equalsAny, isLess, isLessOrEqual } from './compare.ts';
import { printable } from './compile.ts';
import { escapeHtml, escapeQuery, escapeScript } from './escape.ts';
import { indirect } from './fields.ts';
import { sprint, sprintf, sprintln } from './fmt.ts';
import { listOf, mapIndex, mapLength } from './map.ts';
import { byteLength, byteSlice, toBytes } from './text.ts';
import { isTrue } from './truth.ts';
import {
  ANY,
  type CallContext,
  GoError,
  GoFunc,
  type GoImplementation,
  GoInt,
  GoNil,
  GoScalar,
  type GoType,
  type GoValue,
  int,
  isIntKind,
  isUintKind,
  normalInt,
  REFLECT,
  STRING,
  sliceType,
  typedSlice,
  typeOf,
  UINT8,
  zeroOf,
} from './value.ts';

/** The functions of the template language itself. */
export function builtinFunctions(): ReadonlyMap<string, GoFunc> {
  const many = { params: [], rest: ANY };
  const reflected = { params: [REFLECT], rest: REFLECT };
  const pair = { params: [REFLECT, REFLECT] };
  const entries: [string, GoFunc][] = [
    ['and', new GoFunc(reflected, shortCircuit)],
    ['or', new GoFunc(reflected, shortCircuit)],
    ['not', new GoFunc({ params: [REFLECT] }, (_context, [value]) => !isTrue(value))],
    ['call', new GoFunc(reflected, call)],
    ['html', new GoFunc(many, (_context, args) => escapeHtml(argumentText(args)))],
    ['js', new GoFunc(many, (_context, args) => escapeScript(argumentText(args)))],
    ['urlquery', new GoFunc(many, (_context, args) => escapeQuery(argumentText(args)))],
    ['index', new GoFunc(reflected, (_context, [item, ...keys]) => index(item, keys))],
    ['slice', new GoFunc(reflected, (_context, [item, ...bounds]) => slice(item, bounds))],
    ['len', new GoFunc({ params: [REFLECT] }, (_context, [item]) => int(lengthOf(item)))],
    ['print', new GoFunc(many, (_context, args) => sprint(args))],
    ['printf', new GoFunc({ params: [STRING], rest: ANY }, printFormatted)],
    ['println', new GoFunc(many, (_context, args) => sprintln(args))],
    ['eq', new GoFunc(reflected, (_context, [first, ...others]) => equalsAny(first, others))],
    ['ne', new GoFunc(pair, (_context, [a, b]) => !equalsAny(a, [b]))],
    ['lt', new GoFunc(pair, (_context, [a, b]) => isLess(a, b))],
    ['le', new GoFunc(pair, (_context, [a, b]) => isLessOrEqual(a, b))],
    ['gt', new GoFunc(pair, (_context, [a, b]) => !isLessOrEqual(a, b))],
    ['ge', new GoFunc(pair, (_context, [a, b]) => !isLess(a, b))],
  ];
  return new Map(entries);
}

/** `and` and `or` are compiled; through `call` they cannot be reached. */
const shortCircuit: GoImplementation = () => {
  throw new GoError('unreachable');
};

const printFormatted: GoImplementation = (_context, [format, ...args]) =>
  sprintf(typeof format === 'string' ? format : '', args);

/** What html, js and urlquery take of their arguments. */
function argumentText(args: readonly GoValue[]): string {
  const [only] = args;
  if (args.length === 1 && typeof only === 'string') return only;
  return sprint(args.map((arg) => printableOrNoValue(arg)));
}

function printableOrNoValue(arg: GoValue): GoValue {
  return arg === undefined || arg === null ? '<no value>' : printable(arg);
}

// index, slice, len -------------------------------------------------------------------------------------------------

function index(item: GoValue, keys: readonly GoValue[]): GoValue {
  if (item === undefined || item === null) throw new GoError('index of untyped nil');
  let current: GoValue = item;
  for (const key of keys) {
    current = indirect(current);
    if (current === null || current === undefined) throw new GoError('index of nil pointer');
    if (current instanceof GoNil && current.type.kind === 'ptr') {
      throw new GoError('index of nil pointer');
    }
    current = indexOnce(current, key);
  }
  return current;
}

function indexOnce(item: GoValue, key: GoValue): GoValue {
  const type = typeOf(item);
  if (type.kind === 'map') {
    const prepared = prepareArgument(key, type.key ?? ANY);
    return mapIndex(item, prepared) ?? zeroOf(type.elem ?? ANY);
  }
  if (type.kind === 'string') {
    const text = item instanceof GoScalar ? String(item.value) : String(item);
    const at = indexArgument(key, byteLength(text));
    const byte = toBytes(text)[at];
    if (byte === undefined) throw outOfRange('string index out of range');
    return new GoInt(UINT8, byte);
  }
  const items = listOf(item);
  if (items === undefined) throw new GoError(`can't index item of type ${type.text}`);
  const at = indexArgument(key, items.length);
  if (at >= items.length) throw outOfRange(`${type.kind} index out of range`);
  return items[at];
}

/** reflect's own panic, which Go's safeCall turns into an error. */
function outOfRange(problem: string): GoError {
  return new GoError(`reflect: ${problem}`);
}

function prepareArgument(value: GoValue, type: GoType): GoValue {
  if (value === undefined || value === null) {
    const fitting = fitValue(undefined, type);
    if (typeof fitting !== 'string') return fitting.fits;
    throw new GoError(`value is nil; should be of type ${type.text}`);
  }
  const actual = typeOf(value);
  if (isAssignable(actual, type)) return value;
  if (isIntLike(actual) && isIntLike(type)) {
    return new GoInt(type, normalInt(type, integerOf(value)));
  }
  throw new GoError(`value has type ${actual.text}; should be ${type.text}`);
}

function isIntLike(type: GoType): boolean {
  return isIntKind(type.kind) || isUintKind(type.kind);
}

function integerOf(value: GoValue): number | bigint {
  if (value instanceof GoInt) return value.value;
  return typeof value === 'bigint' ? value : 0;
}

function indexArgument(key: GoValue, capacity: number): number {
  if (key === undefined || key === null) {
    throw new GoError('cannot index slice/array with nil');
  }
  const type = typeOf(key);
  if (!isIntLike(type)) throw new GoError(`cannot index slice/array with type ${type.text}`);
  const at = integerOf(key);
  if (at < 0 || at > capacity) throw new GoError(`index out of range: ${at}`);
  return Number(at);
}

function slice(given: GoValue, bounds: readonly GoValue[]): GoValue {
  if (given === undefined || given === null) throw new GoError('slice of untyped nil');
  const item = indirect(given);
  if (item instanceof GoNil && item.type.kind === 'ptr') throw new GoError('slice of nil pointer');
  if (bounds.length > 3) throw new GoError(`too many slice indexes: ${bounds.length}`);
  const type = typeOf(item);
  if (type.kind === 'string') {
    if (bounds.length === 3) throw new GoError('cannot 3-index slice a string');
    const text = item instanceof GoScalar ? String(item.value) : String(item);
    const [start, end] = sliceBounds(bounds, byteLength(text));
    return byteSlice(text, start, end);
  }
  const items = listOf(item);
  if (items === undefined) throw new GoError(`can't slice item of type ${type.text}`);
  const [start, end] = sliceBounds(bounds, items.length);
  if (item instanceof Uint8Array) return item.slice(start, end);
  return Array.isArray(item) ? typedSlice(sliceType(item), items.slice(start, end)) : item;
}

function sliceBounds(bounds: readonly GoValue[], length: number): [number, number] {
  const given = bounds.map((bound) => indexArgument(bound, length));
  const [start = 0, end = length, limit] = given;
  if (start > end) throw new GoError(`invalid slice index: ${start} > ${end}`);
  if (limit !== undefined && end > limit) {
    throw new GoError(`invalid slice index: ${end} > ${limit}`);
  }
  return [start, end];
}

/** Bytes of a string, items of a list, entries of a map. */
export function lengthOf(given: GoValue): number {
  const item = indirect(given);
  if (typeof item === 'string') return byteLength(item);
  if (item === null || (item instanceof GoNil && item.type.kind === 'ptr')) {
    throw new GoError('len of nil pointer');
  }
  if (item === undefined) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  if (item instanceof GoScalar && typeof item.value === 'string') return byteLength(item.value);
  const length = listOf(item)?.length ?? mapLength(item);
  if (length === undefined) throw new GoError(`len of type ${typeOf(item).text}`);
  return length;
}

// call --------------------------------------------------------------------------------------------------------------

/** The first argument is the text of the callee, which the compiler adds. */
function call(context: CallContext, [name, func, ...args]: GoValue[]): GoValue {
  if (func === undefined || func === null) throw new GoError('call of nil');
  const callee = String(name);
  if (!(func instanceof GoFunc)) {
    throw new GoError(`non-function ${callee} of type ${typeOf(func).text}`);
  }
  const { params, rest } = func.signature;
  if (rest !== undefined ? args.length < params.length : args.length !== params.length) {
    const least = rest === undefined ? '' : ' at least';
    throw new GoError(
      `wrong number of args for ${callee}: got ${args.length} want${least} ${params.length}`,
    );
  }
  const prepared = args.map((arg, position) =>
    prepareCallArgument(arg, params[position] ?? rest ?? ANY, position),
  );
  return func.call(context, prepared);
}

function prepareCallArgument(arg: GoValue, type: GoType, position: number): GoValue {
  try {
    return prepareArgument(arg, type);
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`arg ${position}: ${error.message}`);
    throw error;
  }
}
