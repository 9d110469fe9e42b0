/**
 * How Go's values are held in JavaScript. What JSON and YAML give needs no wrapping:
 *
 *   undefined            an invalid reflect.Value: a missing map key, the result of a nil pipeline
 *   null                 a nil interface{}
 *   boolean, string      bool, string
 *   number               float64 (as every JSON number is in Helm)
 *   bigint               int64, for integers that a double cannot hold
 *   array                []interface{}, or a typed slice when tagged by `typedSlice`
 *   Uint8Array           []byte
 *   plain object, Map    map[string]interface{}
 *
 * Everything else is an instance of GoObject that carries its Go type. Strings are sequences of bytes in Go: a byte that
 * is not part of valid UTF-8 is held as the lone surrogate U+DC00 + byte (see text.ts).
 */
export type GoValue =
  | undefined
  | null
  | boolean
  | string
  | number
  | bigint
  | Uint8Array
  | GoList
  | GoDict
  | Map<string, GoValue>
  | GoObject;

/** A slice. Untagged it is []interface{}. */
export interface GoList extends Array<GoValue> {
  [SLICE_TYPE]?: GoType;
}

/** map[string]interface{}. An own property that holds undefined counts as absent. */
export interface GoDict {
  [key: string]: GoValue;
}

export type Kind =
  | 'invalid'
  | 'bool'
  | 'int'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'uintptr'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128'
  | 'string'
  | 'slice'
  | 'array'
  | 'map'
  | 'struct'
  | 'ptr'
  | 'func'
  | 'interface'
  | 'chan';

export interface GoField {
  readonly name: string;
  readonly type: GoType;
  /** The name in JSON, when the field has a tag for it. */
  readonly json?: string;
  /** Left out of JSON when it is a zero value. */
  readonly omitEmpty?: boolean;
  /** An embedded struct: its fields are fields of the struct around it too. */
  readonly embedded?: boolean;
}

/** A method: the receiver comes first. */
export type GoMethod = (receiver: GoValue) => GoFunc;

/** A Go type. Two types are the same when they print the same. */
export interface GoType {
  readonly kind: Kind;
  /** As %T prints it. */
  readonly text: string;
  /** Declared by name: a value of it is not assignable to another named type of the same shape. */
  readonly named?: boolean;
  readonly key?: GoType;
  readonly elem?: GoType;
  readonly length?: number;
  readonly fields?: readonly GoField[];
  readonly methods?: ReadonlyMap<string, GoMethod>;
  /** The String or Error method as fmt calls it. */
  readonly stringer?: (value: GoValue) => string;
  /** A String method of the pointer: an action prints by it what can be addressed (a field), fmt does not. */
  readonly pointerStringer?: (value: GoValue) => string;
  /** The MarshalText method: how encoders of JSON, YAML and TOML write a value. */
  readonly textMarshaler?: (value: GoValue) => string;
}

const SLICE_TYPE: unique symbol = Symbol('go.sliceType');

/** The base of every value that is not plain JSON. */
export abstract class GoObject {
  abstract readonly type: GoType;
}

/** An integer of any Go integer type. `value` is a bigint only when a double cannot hold it. */
export class GoInt extends GoObject {
  readonly type: GoType;
  readonly value: number | bigint;

  constructor(type: GoType, value: number | bigint) {
    super();
    this.type = type;
    this.value = value;
  }
}

/** A named bool, string or float type, and float32. */
export class GoScalar extends GoObject {
  readonly type: GoType;
  readonly value: boolean | string | number;

  constructor(type: GoType, value: boolean | string | number) {
    super();
    this.type = type;
    this.value = value;
  }
}

export class GoComplex extends GoObject {
  readonly type: GoType;
  readonly real: number;
  readonly imaginary: number;

  constructor(real: number, imaginary: number, type: GoType = COMPLEX128) {
    super();
    this.type = type;
    this.real = real;
    this.imaginary = imaginary;
  }
}

/** A nil slice, map, pointer or func: nil, but with a type. */
export class GoNil extends GoObject {
  readonly type: GoType;

  constructor(type: GoType) {
    super();
    this.type = type;
  }
}

/** A map of a type other than map[string]interface{}, with string keys: a named type (Values), or map[string]string. */
export class GoMap extends GoObject {
  readonly type: GoType;
  readonly data: GoDict | Map<string, GoValue>;

  constructor(type: GoType, data: GoDict | Map<string, GoValue>) {
    super();
    this.type = type;
    this.data = data;
  }
}

/** A map whose keys are not strings. Entries are found by the printed key. */
export class GoKeyedMap extends GoObject {
  readonly type: GoType;
  readonly entries: Map<string, readonly [GoValue, GoValue]>;

  constructor(type: GoType, entries: Iterable<readonly [GoValue, GoValue]>) {
    super();
    this.type = type;
    this.entries = new Map([...entries].map((entry) => [mapKey(entry[0]), entry]));
  }
}

/** A struct. Fields are named in `type.fields`; what only the host knows may be kept in `hidden`. */
export class GoStruct extends GoObject {
  readonly type: GoType;
  readonly values: GoDict;
  readonly hidden: unknown;

  constructor(type: GoType, values: GoDict, hidden?: unknown) {
    super();
    this.type = type;
    this.values = values;
    this.hidden = hidden;
  }
}

/** A pointer that is not nil. */
export class GoPointer extends GoObject {
  readonly type: GoType;
  readonly elem: GoValue;

  constructor(elem: GoValue, type: GoType = pointerTo(typeOf(elem))) {
    super();
    this.type = type;
    this.elem = elem;
  }
}

/** What a function may ask of the run it is called from. `host` is whatever the caller of execute passed. */
export interface CallContext {
  readonly host: unknown;
  /** Renders a named template of the same set within the same bounds. */
  render(name: string, data: GoValue): string;
  /** Parses text as an anonymous extension of the set (templates it defines are seen by it alone), and renders it. */
  renderText(name: string, text: string, data: GoValue): string;
  hasTemplate(name: string): boolean;
  /** Milliseconds since the epoch by the injected clock. */
  now(): number;
  /** Counts work that a function does in bulk, so that the bound on steps holds for it. */
  spend(steps: number): void;
}

export type GoImplementation = (context: CallContext, args: GoValue[]) => GoValue;

export interface GoSignature {
  readonly params: readonly GoType[];
  /** The type of the elements of the variadic parameter. */
  readonly rest?: GoType;
  /** As printed in the type of the function. */
  readonly results?: string;
}

/** A function with its Go signature, by which arguments are checked before it is called. */
export class GoFunc extends GoObject {
  readonly signature: GoSignature;
  readonly call: GoImplementation;

  constructor(signature: GoSignature, call: GoImplementation) {
    super();
    this.signature = signature;
    this.call = call;
  }

  get type(): GoType {
    const { params, rest, results } = this.signature;
    const parts = params.map((param) => param.text);
    if (rest !== undefined) parts.push(`...${rest.text}`);
    const text = `func(${parts.join(', ')}) ${results ?? 'interface {}'}`.trimEnd();
    return { kind: 'func', text };
  }
}

/** An error that a function gives; execution adds where it happened. */
export class GoError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GoError';
  }
}

function basic(kind: Kind): GoType {
  return { kind, text: kind };
}

export const ANY: GoType = { kind: 'interface', text: 'interface {}' };
/** A parameter of type reflect.Value: takes everything, invalid values too. */
export const REFLECT: GoType = { kind: 'struct', text: 'reflect.Value', named: true };
export const BOOL = basic('bool');
export const STRING = basic('string');
export const INT = basic('int');
export const INT8 = basic('int8');
export const INT16 = basic('int16');
export const INT32 = basic('int32');
export const INT64 = basic('int64');
export const UINT = basic('uint');
export const UINT8 = basic('uint8');
export const UINT16 = basic('uint16');
export const UINT32 = basic('uint32');
export const UINT64 = basic('uint64');
export const UINTPTR = basic('uintptr');
export const FLOAT32 = basic('float32');
export const FLOAT64 = basic('float64');
export const COMPLEX64 = basic('complex64');
export const COMPLEX128 = basic('complex128');
export const INVALID: GoType = { kind: 'invalid', text: '<nil>' };
export const LIST: GoType = sliceOf(ANY);
export const STRINGS: GoType = sliceOf(STRING);
export const INTS: GoType = sliceOf(INT);
export const BYTES: GoType = sliceOf(UINT8);
export const LISTS: GoType = sliceOf(LIST);
export const DICT: GoType = mapOf(STRING, ANY);
export const STRING_MAP: GoType = mapOf(STRING, STRING);
const POINTER_ERROR: GoType = { kind: 'ptr', text: '*errors.errorString' };
export const ERROR: GoType = { kind: 'interface', text: 'error', named: true };

export function sliceOf(elem: GoType): GoType {
  return { kind: 'slice', text: `[]${elem.text}`, elem };
}

export function arrayOf(length: number, elem: GoType): GoType {
  return { kind: 'array', text: `[${length}]${elem.text}`, elem, length };
}

export function mapOf(key: GoType, elem: GoType): GoType {
  return { kind: 'map', text: `map[${key.text}]${elem.text}`, key, elem };
}

export function pointerTo(elem: GoType): GoType {
  const base: GoType = { kind: 'ptr', text: `*${elem.text}`, elem };
  const withMethods = elem.methods === undefined ? base : { ...base, methods: elem.methods };
  return elem.stringer === undefined ? withMethods : { ...withMethods, stringer: elem.stringer };
}

/** Tags an array as a slice of another type than []interface{}. The array itself is returned. */
export function typedSlice(type: GoType, items: GoValue[]): GoList {
  const list: GoList = items;
  if (type.text !== LIST.text) list[SLICE_TYPE] = type;
  return list;
}

export function sliceType(list: GoList): GoType {
  return list[SLICE_TYPE] ?? LIST;
}

export function strings(items: readonly string[]): GoList {
  return typedSlice(STRINGS, [...items]);
}

/** Go's int of a JavaScript number that is a safe integer. */
export function int(value: number): GoInt {
  return new GoInt(INT, value);
}

/** An int64 that wraps around as Go's does. */
export function int64(value: number | bigint): GoInt {
  return new GoInt(INT64, normalInt(INT64, value));
}

/** The value wrapped to the width of an integer type; a number when a double holds it. */
export function normalInt(type: GoType, value: number | bigint): number | bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value) && type.kind.endsWith('64')) {
    if (type.kind === 'int64' || value >= 0) return value;
  }
  if (typeof value === 'number' && Number.isSafeInteger(value) && type.kind === 'int') return value;
  const bits = intBits(type.kind);
  const big = BigInt(value);
  const wrapped = type.kind.startsWith('u') ? BigInt.asUintN(bits, big) : BigInt.asIntN(bits, big);
  const narrow = Number(wrapped);
  return Number.isSafeInteger(narrow) ? narrow : wrapped;
}

function intBits(kind: Kind): number {
  const digits = /\d+$/.exec(kind);
  return digits === null ? 64 : Number(digits[0]);
}

export function isIntKind(kind: Kind): boolean {
  return kind.startsWith('int') && kind !== 'interface';
}

export function isUintKind(kind: Kind): boolean {
  return kind.startsWith('uint');
}

const PLAIN_PROTOTYPE: unknown = Object.prototype;

/** A plain object, that is a map[string]interface{}. */
export function isPlainDict(value: GoValue): value is GoDict {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === PLAIN_PROTOTYPE || prototype === null;
}

/** The dynamic type of a value. An invalid value and a nil interface have type INVALID. */
export function typeOf(value: GoValue): GoType {
  switch (typeof value) {
    case 'string':
      return STRING;
    case 'number':
      return FLOAT64;
    case 'boolean':
      return BOOL;
    case 'bigint':
      return INT64;
    case 'undefined':
      return INVALID;
    default:
  }
  if (value === null || value === undefined) return INVALID;
  if (value instanceof GoObject) return value.type;
  if (Array.isArray(value)) return sliceType(value);
  if (value instanceof Uint8Array) return BYTES;
  return DICT;
}

/** The canonical text of a map key, under which GoKeyedMap finds it. */
export function mapKey(key: GoValue): string {
  if (typeof key === 'bigint') return `int64:${key}`;
  if (key instanceof GoInt) return `${key.type.text}:${key.value}`;
  if (key instanceof GoScalar) return `${key.type.text}:${String(key.value)}`;
  if (key instanceof GoComplex) return `${key.type.text}:${key.real}:${key.imaginary}`;
  if (typeof key === 'object' && key !== null) return `object:${typeOf(key).text}`;
  return `${typeof key}:${String(key)}`;
}

/** An error value, as a method that returns one gives it to a template. */
export function errorValue(message: string): GoPointer {
  const type: GoType = { ...POINTER_ERROR, stringer: () => message };
  return new GoPointer(new GoStruct({ kind: 'struct', text: 'errors.errorString' }, {}), type);
}

export function messageOfError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A function of Go's iterator kinds (iter.Seq, iter.Seq2), over which a template may range. */
export class GoSequence extends GoObject {
  readonly type: GoType;
  /** Two values at a time (Seq2). */
  readonly pairs: boolean;
  readonly iterate: () => Iterable<readonly [GoValue, GoValue]>;

  constructor(type: GoType, pairs: boolean, iterate: () => Iterable<readonly [GoValue, GoValue]>) {
    super();
    this.type = type;
    this.pairs = pairs;
    this.iterate = iterate;
  }
}

/** The zero value of a type, as `missingkey=zero` and index of an absent key give it. */
export function zeroOf(type: GoType): GoValue {
  const { kind } = type;
  if (kind === 'interface' || kind === 'invalid') return null;
  if (isIntKind(kind) || isUintKind(kind)) return new GoInt(type, 0);
  if (kind === 'string') return type.named === true ? new GoScalar(type, '') : '';
  if (kind === 'bool') return type.named === true ? new GoScalar(type, false) : false;
  if (kind === 'float64' && type.named !== true) return 0;
  if (kind === 'float32' || kind === 'float64') return new GoScalar(type, 0);
  if (kind === 'complex64' || kind === 'complex128') return new GoComplex(0, 0, type);
  if (kind === 'array') {
    const elem = type.elem ?? ANY;
    return typedSlice(
      type,
      Array.from({ length: type.length ?? 0 }, () => zeroOf(elem)),
    );
  }
  if (kind === 'struct') {
    const fields = type.fields ?? [];
    return new GoStruct(type, Object.fromEntries(fields.map((f) => [f.name, zeroOf(f.type)])));
  }
  return new GoNil(type);
}
