import { md5, sha1, sha3, sha256, sha512 } from './digests.ts';
import type { Evaluator } from './evaluate.ts';
import { sliceOf } from './evaluate.ts';
import { formatText } from './format.ts';
import { jsonnetError } from './jsonnet-error.ts';
import { escapeJson, type JsonValue, jsonText, numberText, toText } from './manifest.ts';
import { manifestIni, manifestToml, manifestXml, manifestYaml } from './manifest-texts.ts';
import {
  type ArrayValue,
  byCodePoint,
  compareValues,
  equalValues,
  type FunctionValue,
  isArray,
  isFunction,
  ObjectValue,
  Thunk,
  typeName,
  type Value,
} from './values.ts';

export interface LibraryPorts {
  readonly evaluator: Evaluator;
  readonly externals: ReadonlyMap<string, Thunk>;
  readonly parseYaml: (text: string) => JsonValue;
  readonly trace: (text: string) => void;
  readonly file: string;
}

type Native = (...args: Value[]) => Value;
type Lazy = (...args: (Thunk | undefined)[]) => Value;

/** `std`: the functions of the standard library (jsonnet.org/ref/stdlib). */
export function standardLibrary(ports: LibraryPorts): ObjectValue {
  const call = (target: Value, ...args: readonly Value[]): Value => {
    if (!isFunction(target)) throw wrong(target, 'function');
    return ports.evaluator.call(
      target,
      args.map((value) => Thunk.of(value)),
    );
  };
  const callLazily = (target: Value, ...args: readonly Thunk[]): Value => {
    if (!isFunction(target)) throw wrong(target, 'function');
    return ports.evaluator.call(target, args);
  };
  const groups: readonly Readonly<Record<string, readonly [parameters: string, run: Native]>>[] = [
    types(),
    mathematics(),
    texts(call),
    parsing(ports),
    manifests(),
    arrays(call),
    sets(call),
    objects(call),
  ];
  const entries = groups.flatMap((group) =>
    Object.entries(group).map(
      ([name, [parameters, run]]) => [name, native(parameters, run)] as const,
    ),
  );
  const lazily = Object.entries(lazyFunctions(callLazily, ports)).map(
    ([name, [parameters, run]]) => [name, nativeLazy(parameters, run)] as const,
  );
  const constants: readonly (readonly [string, Value])[] = [
    ['pi', Math.PI],
    ['thisFile', ports.file],
  ];
  const all = [...entries, ...lazily, ...constants];
  const hidden = all.map(
    ([name, value]) =>
      [name, { visibility: 'hidden', plus: false, evaluate: () => value }] as const,
  );
  return new ObjectValue([{ fields: new Map(hidden), check: () => undefined }]);
}

/** `a,b,c?`: a question mark makes a parameter optional; it is null when it is not given. */
function native(parameters: string, run: Native): FunctionValue {
  return nativeLazy(parameters, (...args) => run(...args.map((arg) => arg?.force() ?? null)));
}

function nativeLazy(parameters: string, run: Lazy): FunctionValue {
  const names = parameters === '' ? [] : parameters.split(',');
  return {
    kind: 'function',
    parameters: names.map((name) =>
      name.endsWith('?') ? { name: name.slice(0, -1), optional: true as const } : { name },
    ),
    call: (args) => run(...args),
  };
}

function wrong(value: Value, expected: string) {
  return jsonnetError(`Unexpected type ${typeName(value)}, expected ${expected}`);
}

function text(value: Value): string {
  if (typeof value === 'string') return value;
  throw wrong(value, 'string');
}

function number(value: Value): number {
  if (typeof value === 'number') return value;
  throw wrong(value, 'number');
}

function integer(value: Value): number {
  const found = number(value);
  if (Number.isInteger(found)) return found;
  throw jsonnetError(`Expected an integer, but got ${found}`);
}

function array(value: Value): ArrayValue {
  if (isArray(value)) return value;
  throw wrong(value, 'array');
}

function object(value: Value): ObjectValue {
  if (value instanceof ObjectValue) return value;
  throw wrong(value, 'object');
}

function boolean(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  throw wrong(value, 'boolean');
}

/** The items of an array, or the characters of a text. */
function items(value: Value): readonly Value[] {
  return typeof value === 'string' ? [...value] : array(value).map((item) => item.force());
}

function listOf(values: readonly Value[]): ArrayValue {
  return values.map((value) => Thunk.of(value));
}

type Group = Readonly<Record<string, readonly [parameters: string, run: Native]>>;

function types(): Group {
  const toTextOf: readonly [string, Native] = ['a', (a) => toText(a!)];
  const is = (name: string): readonly [string, Native] => ['v', (v) => typeName(v!) === name];
  return {
    type: ['x', (x) => typeName(x!)],
    isString: is('string'),
    isNumber: is('number'),
    isBoolean: is('boolean'),
    isObject: is('object'),
    isArray: is('array'),
    isFunction: is('function'),
    isNull: is('null'),
    length: [
      'x',
      (x) => {
        const value = x!;
        if (typeof value === 'string') return [...value].length;
        if (isArray(value)) return value.length;
        if (value instanceof ObjectValue) return value.visibleNames().length;
        if (isFunction(value)) return value.parameters.length;
        throw jsonnetError(`Value has no length: ${typeName(value)}`);
      },
    ],
    toString: toTextOf,
    equals: ['a,b', (a, b) => equalValues(a!, b!)],
    primitiveEquals: ['x,y', (x, y) => equalValues(x!, y!)],
    xor: ['x,y', (x, y) => boolean(x!) !== boolean(y!)],
    xnor: ['x,y', (x, y) => boolean(x!) === boolean(y!)],
    __compare: ['a,b', (a, b) => Math.sign(compareValues(a!, b!))],
  };
}

function mathematics(): Group {
  const of = (run: (x: number) => number): readonly [string, Native] => [
    'x',
    (x) => checked(run(number(x!))),
  ];
  return {
    abs: ['n', (n) => Math.abs(number(n!))],
    sign: ['n', (n) => Math.sign(number(n!))],
    max: ['a,b', (a, b) => Math.max(number(a!), number(b!))],
    min: ['a,b', (a, b) => Math.min(number(a!), number(b!))],
    pow: ['x,n', (x, n) => checked(number(x!) ** number(n!))],
    exp: of(Math.exp),
    log: of(Math.log),
    log2: of(Math.log2),
    log10: of(Math.log10),
    floor: of(Math.floor),
    ceil: of(Math.ceil),
    sqrt: of(Math.sqrt),
    sin: of(Math.sin),
    cos: of(Math.cos),
    tan: of(Math.tan),
    asin: of(Math.asin),
    acos: of(Math.acos),
    atan: of(Math.atan),
    atan2: ['y,x', (y, x) => Math.atan2(number(y!), number(x!))],
    hypot: ['a,b', (a, b) => Math.hypot(number(a!), number(b!))],
    deg2rad: of((x) => (x * Math.PI) / 180),
    rad2deg: of((x) => (x * 180) / Math.PI),
    round: of((x) => Math.floor(x + 0.5)),
    isEven: ['x', (x) => Math.trunc(number(x!)) % 2 === 0],
    isOdd: ['x', (x) => Math.abs(Math.trunc(number(x!)) % 2) === 1],
    isInteger: ['x', (x) => Number.isInteger(number(x!))],
    isDecimal: ['x', (x) => !Number.isInteger(number(x!))],
    clamp: [
      'x,minVal,maxVal',
      (x, low, high) => Math.min(Math.max(number(x!), number(low!)), number(high!)),
    ],
    modulo: ['x,y', (x, y) => checked(number(x!) % number(y!))],
    mantissa: ['x', (x) => split(number(x!)).mantissa],
    exponent: ['x', (x) => split(number(x!)).exponent],
    mod: ['a,b', (a, b) => percent(a!, b!)],
  };
}

function split(x: number): { readonly mantissa: number; readonly exponent: number } {
  if (x === 0) return { mantissa: 0, exponent: 0 };
  const exponent = Math.floor(Math.log2(Math.abs(x))) + 1;
  return { mantissa: x / 2 ** exponent, exponent };
}

function checked(value: number): number {
  if (Number.isFinite(value)) return value;
  throw jsonnetError(Number.isNaN(value) ? 'Not a number' : 'Overflow');
}

/** The operator %: a remainder, or printf. */
export function percent(left: Value, right: Value): Value {
  if (typeof left === 'string') return formatText(left, right);
  const [a, b] = [number(left), number(right)];
  if (b === 0) throw jsonnetError('Division by zero.');
  return checked(a % b);
}

type Call = (target: Value, ...args: readonly Value[]) => Value;

function texts(call: Call): Group {
  const strip = (front: boolean, back: boolean): readonly [string, Native] => [
    'str,chars',
    (str, chars) => {
      const set = new Set(items(chars!));
      const letters = [...text(str!)];
      let from = 0;
      let to = letters.length;
      while (front && from < to && set.has(letters[from]!)) from++;
      while (back && to > from && set.has(letters[to - 1]!)) to--;
      return letters.slice(from, to).join('');
    },
  ];
  return {
    codepoint: [
      'str',
      (str) => {
        const letters = [...text(str!)];
        if (letters.length !== 1)
          throw jsonnetError(`codepoint takes a string of length 1, got length ${letters.length}`);
        return letters[0]!.codePointAt(0) ?? 0;
      },
    ],
    char: ['n', (n) => String.fromCodePoint(integer(n!))],
    substr: [
      'str,from,len',
      (str, from, len) =>
        [...text(str!)].slice(integer(from!), integer(from!) + integer(len!)).join(''),
    ],
    startsWith: ['a,b', (a, b) => text(a!).startsWith(text(b!))],
    endsWith: ['a,b', (a, b) => text(a!).endsWith(text(b!))],
    stripChars: strip(true, true),
    lstripChars: strip(true, false),
    rstripChars: strip(false, true),
    trim: [
      'str',
      (str) => text(str!).replace(/^[ \t\n\f\r\u0085\u00a0]+|[ \t\n\f\r\u0085\u00a0]+$/g, ''),
    ],
    split: ['str,c', (str, c) => listOf(text(str!).split(text(c!)))],
    splitLimit: [
      'str,c,maxsplits',
      (str, c, max) => listOf(splitLimit(text(str!), text(c!), integer(max!))),
    ],
    splitLimitR: [
      'str,c,maxsplits',
      (str, c, max) => listOf(splitLimitBack(text(str!), text(c!), integer(max!))),
    ],
    strReplace: [
      'str,from,to',
      (str, from, to) => {
        if (from === '') throw jsonnetError("'from' string must not be zero length.");
        return text(str!).replaceAll(text(from!), () => text(to!));
      },
    ],
    isEmpty: ['str', (str) => text(str!) === ''],
    asciiUpper: ['str', (str) => text(str!).replace(/[a-z]/g, (char) => char.toUpperCase())],
    asciiLower: ['str', (str) => text(str!).replace(/[A-Z]/g, (char) => char.toLowerCase())],
    stringChars: ['str', (str) => listOf([...text(str!)])],
    format: ['str,vals', (str, vals) => formatText(text(str!), vals!)],
    escapeStringJson: ['str_', (str) => escapeJson(toText(str!))],
    escapeStringPython: ['str', (str) => escapeJson(toText(str!))],
    escapeStringBash: ['str_', (str) => `'${toText(str!).replaceAll("'", `'"'"'`)}'`],
    escapeStringDollars: ['str_', (str) => toText(str!).replaceAll('$', '$$$$')],
    escapeStringXML: [
      'str_',
      (str) => toText(str!).replace(/[<>&"']/g, (char) => XML.get(char) ?? char),
    ],
    equalsIgnoreCase: ['str1,str2', (a, b) => text(a!).toLowerCase() === text(b!).toLowerCase()],
    findSubstr: ['pat,str', (pat, str) => listOf(findAll(text(pat!), text(str!)))],
    map: ['func,arr', (func, arr) => items(arr!).map((item) => new Thunk(() => call(func!, item)))],
    base64: ['input', (input) => toBase64(bytesOf(input!))],
    base64DecodeBytes: ['str', (str) => listOf([...fromBase64(text(str!))])],
    base64Decode: ['str', (str) => String.fromCharCode(...fromBase64(text(str!)))],
    encodeUTF8: ['str', (str) => listOf([...new TextEncoder().encode(text(str!))])],
    decodeUTF8: ['arr', (arr) => new TextDecoder().decode(bytesOf(arr!))],
    md5: ['s', (s) => md5(text(s!))],
    sha1: ['str', (s) => sha1(text(s!))],
    sha256: ['str', (s) => sha256(text(s!))],
    sha512: ['str', (s) => sha512(text(s!))],
    sha3: ['str', (s) => sha3(text(s!))],
  };
}

const XML: ReadonlyMap<string, string> = new Map([
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['&', '&amp;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
]);

function splitLimit(str: string, c: string, max: number): readonly string[] {
  const parts = str.split(c);
  if (max < 0 || parts.length <= max + 1) return parts;
  return [...parts.slice(0, max), parts.slice(max).join(c)];
}

function splitLimitBack(str: string, c: string, max: number): readonly string[] {
  const parts = str.split(c);
  if (max < 0 || parts.length <= max + 1) return parts;
  const head = parts.slice(0, parts.length - max).join(c);
  return [head, ...parts.slice(parts.length - max)];
}

function findAll(pattern: string, str: string): readonly number[] {
  if (pattern === '') return [];
  const found: number[] = [];
  for (let at = str.indexOf(pattern); at >= 0; at = str.indexOf(pattern, at + 1))
    found.push([...str.slice(0, at)].length);
  return found;
}

function bytesOf(value: Value): Uint8Array {
  if (typeof value === 'string') return new TextEncoder().encode(value);
  const numbers = array(value).map((item) => integer(item.force()));
  const wrongOne = numbers.find((one) => one < 0 || one > 255);
  if (wrongOne !== undefined)
    throw jsonnetError(
      `base64 encountered invalid codepoint value in the array (must be 0 <= X <= 255), got ${wrongOne}`,
    );
  return Uint8Array.from(numbers);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function toBase64(bytes: Uint8Array): string {
  let result = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = [bytes[i], bytes[i + 1], bytes[i + 2]];
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    const letters = [18, 12, 6, 0].map((shift) => ALPHABET[(bits >> shift) & 63]);
    if (b === undefined) letters[2] = '=';
    if (c === undefined) letters[3] = '=';
    result += letters.join('');
  }
  return result;
}

function fromBase64(source: string): Uint8Array {
  const plain = source.replace(/=+$/, '');
  if (source.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(plain))
    throw jsonnetError(`failed to decode: not a base64 encoded string "${source}"`);
  const bytes: number[] = [];
  for (let i = 0; i < plain.length; i += 4) {
    const part = [...plain.slice(i, i + 4)].map((letter) => ALPHABET.indexOf(letter));
    const bits = part.reduce((sum, value, at) => sum | (value << (18 - at * 6)), 0);
    for (let at = 0; at < part.length - 1; at++) bytes.push((bits >> (16 - at * 8)) & 255);
  }
  return Uint8Array.from(bytes);
}

function parsing({ parseYaml }: LibraryPorts): Group {
  const digits =
    (base: number, name: string): Native =>
    (str) => {
      const given = text(str!);
      const negative = base === 10 && given.startsWith('-');
      const plain = negative ? given.slice(1) : given;
      const pattern = base === 10 ? /^\d+$/ : base === 8 ? /^[0-7]+$/ : /^[0-9a-fA-F]+$/;
      if (!pattern.test(plain)) throw jsonnetError(`${given} is not a ${name} integer`);
      return Number.parseInt(plain, base) * (negative ? -1 : 1);
    };
  return {
    parseInt: ['str', digits(10, 'base 10')],
    parseOctal: ['str', digits(8, 'base 8')],
    parseHex: ['str', digits(16, 'base 16')],
    parseJson: [
      'str',
      (str) => {
        try {
          return fromJson(JSON.parse(text(str!)) as JsonValue);
        } catch (error) {
          throw jsonnetError(`failed to parse JSON: ${(error as Error).message}`);
        }
      },
    ],
    parseYaml: ['str', (str) => fromJson(parseYaml(text(str!)))],
  };
}

/** A value of JSON as a program sees it. */
export function fromJson(value: JsonValue): Value {
  if (Array.isArray(value)) return value.map((item: JsonValue) => Thunk.of(fromJson(item)));
  if (typeof value === 'object' && value !== null)
    return ObjectValue.of(
      Object.entries(value).map(([name, item]) => [name, Thunk.of(fromJson(item))] as const),
    );
  return value as Value;
}

function manifests(): Group {
  return {
    manifestJson: [
      'value',
      (value) => jsonText(value!, { indent: '    ', newline: '\n', colon: ': ' }),
    ],
    manifestJsonMinified: ['value', (value) => minified(value!)],
    manifestJsonEx: [
      'value,indent,newline?,key_val_sep?',
      (value, indent, newline, separator) =>
        jsonText(value!, {
          indent: text(indent!),
          newline: newline === null || newline === undefined ? '\n' : text(newline),
          colon: separator === null || separator === undefined ? ': ' : text(separator),
        }),
    ],
    manifestYamlDoc: [
      'value,indent_array_in_object?,quote_keys?',
      (value, indents, quotes) =>
        manifestYaml(value!, { indentsArrays: indents === true, quotesKeys: quotes !== false }),
    ],
    manifestYamlStream: [
      'value,indent_array_in_object?,c_document_end?,quote_keys?',
      (value, indents, end, quotes) => {
        const style = { indentsArrays: indents === true, quotesKeys: quotes !== false };
        const documents = items(value!).map((item) => manifestYaml(item, style));
        return `---\n${documents.join('\n---\n')}${end === false ? '\n' : '\n...\n'}`;
      },
    ],
    manifestPython: ['v', (v) => python(v!)],
    manifestPythonVars: [
      'conf',
      (conf) => {
        const source = object(conf!);
        const lines = source
          .visibleNames()
          .map((name) => `${name} = ${python(source.get(name) ?? null)}\n`);
        return lines.join('');
      },
    ],
    manifestIni: ['ini', (ini) => manifestIni(object(ini!))],
    manifestToml: ['value', (toml) => manifestToml(object(toml!), '  ')],
    manifestTomlEx: ['value,indent', (toml, indent) => manifestToml(object(toml!), text(indent!))],
    manifestXmlJsonml: ['value', (value) => manifestXml(value!)],
  };
}

function minified(value: Value): string {
  const spaced = jsonText(value, { indent: '', newline: '', colon: ':' });
  return spaced.replaceAll('[ ]', '[]').replaceAll('{ }', '{}');
}

function python(value: Value): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null) return 'None';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return escapeJson(value);
  if (isArray(value)) return `[${value.map((item) => python(item.force())).join(', ')}]`;
  const source = object(value);
  const members = source
    .visibleNames()
    .map((name) => `${escapeJson(name)}: ${python(source.get(name) ?? null)}`);
  return `{${members.join(', ')}}`;
}

function arrays(call: Call): Group {
  const test = (func: Value, item: Value) => boolean(call(func, item));
  return {
    makeArray: [
      'sz,func',
      (sz, func) => Array.from({ length: length(sz!) }, (_, i) => new Thunk(() => call(func!, i))),
    ],
    range: [
      'from,to',
      (from, to) =>
        listOf(
          Array.from(
            { length: length(Math.max(0, integer(to!) - integer(from!) + 1)) },
            (_, i) => integer(from!) + i,
          ),
        ),
    ],
    repeat: [
      'what,count',
      (what, count) =>
        typeof what === 'string'
          ? what.repeat(length(count!))
          : Array.from({ length: length(count!) }, () => array(what!)).flat(),
    ],
    slice: [
      'indexable,index,end,step',
      (target, from, to, step) => sliceOf(target!, [from!, to!, step!]),
    ],
    member: [
      'arr,x',
      (arr, x) =>
        typeof arr === 'string'
          ? arr.includes(text(x!))
          : items(arr!).some((item) => equalValues(item, x!)),
    ],
    contains: ['arr,elem', (arr, x) => items(arr!).some((item) => equalValues(item, x!))],
    count: ['arr,x', (arr, x) => items(arr!).filter((item) => equalValues(item, x!)).length],
    find: [
      'value,arr',
      (value, arr) =>
        listOf(items(arr!).flatMap((item, i) => (equalValues(item, value!) ? [i] : []))),
    ],
    filter: ['func,arr', (func, arr) => array(arr!).filter((item) => test(func!, item.force()))],
    filterMap: [
      'filter_func,map_func,arr',
      (filter, map, arr) =>
        array(arr!)
          .filter((item) => test(filter!, item.force()))
          .map((item) => new Thunk(() => call(map!, item.force()))),
    ],
    flatMap: [
      'func,arr',
      (func, arr) => {
        if (typeof arr === 'string')
          return items(arr)
            .map((item) => text(call(func!, item)))
            .join('');
        return items(arr!).flatMap((item) => array(call(func!, item)) as Thunk[]);
      },
    ],
    mapWithIndex: [
      'func,arr',
      (func, arr) => items(arr!).map((item, i) => new Thunk(() => call(func!, i, item))),
    ],
    foldl: [
      'func,arr,init',
      (func, arr, init) => items(arr!).reduce((sum, item) => call(func!, sum, item), init!),
    ],
    foldr: [
      'func,arr,init',
      (func, arr, init) =>
        [...items(arr!)].reverse().reduce((sum, item) => call(func!, item, sum), init!),
    ],
    reverse: ['arr', (arr) => listOf([...items(arr!)].reverse())],
    join: ['sep,arr', (sep, arr) => joinValues(sep!, items(arr!))],
    lines: ['arr', (arr) => joinValues('\n', [...items(arr!), ''])],
    deepJoin: ['arr', (arr) => deepJoin(arr!)],
    flattenArrays: ['arrs', (arrs) => items(arrs!).flatMap((item) => array(item) as Thunk[])],
    flattenDeepArray: ['value', (value) => listOf(flattenDeep(value!))],
    sum: ['arr', (arr) => items(arr!).reduce<number>((sum, item) => sum + number(item), 0)],
    avg: [
      'arr',
      (arr) => {
        const all = items(arr!);
        if (all.length === 0) throw jsonnetError('Cannot calculate average of an empty array.');
        return all.reduce<number>((sum, item) => sum + number(item), 0) / all.length;
      },
    ],
    all: ['arr', (arr) => items(arr!).every(boolean)],
    any: ['arr', (arr) => items(arr!).some(boolean)],
    remove: [
      'arr,elem',
      (arr, elem) => {
        const at = items(arr!).findIndex((item) => equalValues(item, elem!));
        return at < 0 ? arr! : array(arr!).filter((_, i) => i !== at);
      },
    ],
    removeAt: ['arr,idx', (arr, at) => array(arr!).filter((_, i) => i !== number(at!))],
    minArray: [
      'arr,keyF?,onEmpty?',
      (arr, key, empty) => extreme(arr!, { key: key!, empty: empty!, sign: 1, call }),
    ],
    maxArray: [
      'arr,keyF?,onEmpty?',
      (arr, key, empty) => extreme(arr!, { key: key!, empty: empty!, sign: -1, call }),
    ],
  };
}

const LENGTH_MAX = 1_000_000;

function length(value: Value): number {
  const found = integer(value);
  if (found < 0) throw jsonnetError(`a length of ${found} is not possible`);
  if (found > LENGTH_MAX) throw jsonnetError(`over ${LENGTH_MAX} items`);
  return found;
}

function extreme(
  arr: Value,
  {
    key,
    empty,
    sign,
    call,
  }: { readonly key: Value; readonly empty: Value; readonly sign: number; readonly call: Call },
): Value {
  const all = items(arr);
  const [first, ...rest] = all;
  if (first === undefined) {
    if (empty !== null && empty !== undefined) return empty;
    throw jsonnetError('Expected at least one element in array. Got none');
  }
  const keyOf = (item: Value) => (key === null || key === undefined ? item : call(key, item));
  return rest.reduce(
    (best, item) => (compareValues(keyOf(item), keyOf(best)) * sign < 0 ? item : best),
    first,
  );
}

function joinValues(separator: Value, values: readonly Value[]): Value {
  const present = values.filter((value) => value !== null);
  if (typeof separator === 'string') return present.map(text).join(separator);
  const result: Thunk[] = [];
  for (const [index, value] of present.entries()) {
    if (index > 0) result.push(...array(separator));
    result.push(...array(value));
  }
  return result;
}

function deepJoin(value: Value): string {
  return typeof value === 'string' ? value : items(value).map(deepJoin).join('');
}

function flattenDeep(value: Value): readonly Value[] {
  return isArray(value) ? value.flatMap((item) => flattenDeep(item.force())) : [value];
}

function sets(call: Call): Group {
  const keyOf = (key: Value | undefined, item: Value) =>
    key === null || key === undefined ? item : call(key, item);
  const sorted = (arr: Value, key: Value | undefined): readonly Value[] => {
    const keyed = items(arr).map((item) => ({ item, key: keyOf(key, item) }));
    return keyed.sort((a, b) => compareValues(a.key, b.key)).map(({ item }) => item);
  };
  const unique = (values: readonly Value[], key: Value | undefined) =>
    values.filter(
      (item, i) => i === 0 || compareOrEqual(keyOf(key, item), keyOf(key, values[i - 1]!)) !== 0,
    );
  const has = (value: Value, set: Value, key: Value | undefined) =>
    items(set).some((item) => equalValues(keyOf(key, item), keyOf(key, value)));
  return {
    sort: ['arr,keyF?', (arr, key) => listOf(sorted(arr!, key))],
    uniq: ['arr,keyF?', (arr, key) => listOf(unique(items(arr!), key))],
    set: ['arr,keyF?', (arr, key) => listOf(unique(sorted(arr!, key), key))],
    setMember: ['x,arr,keyF?', (x, arr, key) => has(x!, arr!, key)],
    setUnion: [
      'a,b,keyF?',
      (a, b, key) => {
        const first = items(a!);
        const more = items(b!).filter(
          (item) => !first.some((one) => equalValues(keyOf(key, one), keyOf(key, item))),
        );
        return listOf(sorted(listOf([...first, ...more]), key));
      },
    ],
    setInter: ['a,b,keyF?', (a, b, key) => listOf(items(a!).filter((item) => has(item, b!, key)))],
    setDiff: ['a,b,keyF?', (a, b, key) => listOf(items(a!).filter((item) => !has(item, b!, key)))],
  };
}

function compareOrEqual(left: Value, right: Value): number {
  return equalValues(left, right) ? 0 : 1;
}

function objects(call: Call): Group {
  const names = (value: Value, hidden: boolean) =>
    hidden ? [...object(value).names().keys()].sort(byCodePoint) : object(value).visibleNames();
  const valuesOf = (value: Value, hidden: boolean): ArrayValue =>
    names(value, hidden).map((name) => object(value).thunk(name));
  const pairs = (value: Value, hidden: boolean): ArrayValue =>
    names(value, hidden).map((name) =>
      Thunk.of(
        ObjectValue.of([
          ['key', Thunk.of(name)],
          ['value', object(value).thunk(name)],
        ]),
      ),
    );
  const has = (value: Value, name: Value, hidden: boolean) =>
    object(value).names().get(text(name)) === true || (hidden && object(value).has(text(name)));
  return {
    objectHas: ['o,f', (o, f) => has(o!, f!, false)],
    objectHasAll: ['o,f', (o, f) => has(o!, f!, true)],
    objectHasEx: ['obj,fname,hidden', (o, f, hidden) => has(o!, f!, boolean(hidden!))],
    objectFields: ['o', (o) => listOf(names(o!, false))],
    objectFieldsAll: ['o', (o) => listOf(names(o!, true))],
    objectFieldsEx: ['obj,hidden', (o, hidden) => listOf(names(o!, boolean(hidden!)))],
    objectValues: ['o', (o) => valuesOf(o!, false)],
    objectValuesAll: ['o', (o) => valuesOf(o!, true)],
    objectKeysValues: ['o', (o) => pairs(o!, false)],
    objectKeysValuesAll: ['o', (o) => pairs(o!, true)],
    objectRemoveKey: [
      'obj,key',
      (o, key) => {
        const source = object(o!);
        return ObjectValue.of(
          source
            .visibleNames()
            .filter((name) => name !== key)
            .map((name) => [name, source.thunk(name)] as const),
        );
      },
    ],
    mapWithKey: [
      'func,obj',
      (func, o) => {
        const source = object(o!);
        return ObjectValue.of(
          source
            .visibleNames()
            .map(
              (name) =>
                [name, new Thunk(() => call(func!, name, source.get(name) ?? null))] as const,
            ),
        );
      },
    ],
    prune: ['a', (a) => prune(a!)],
    mergePatch: ['target,patch', (target, patch) => mergePatch(target!, patch!)],
  };
}

function prune(value: Value): Value {
  const isEmpty = (one: Value) =>
    one === null ||
    (isArray(one) && one.length === 0) ||
    (one instanceof ObjectValue && one.visibleNames().length === 0);
  if (isArray(value))
    return listOf(value.map((item) => prune(item.force())).filter((item) => !isEmpty(item)));
  if (!(value instanceof ObjectValue)) return value;
  const kept = value
    .visibleNames()
    .map((name) => [name, prune(value.get(name) ?? null)] as const)
    .filter(([, item]) => !isEmpty(item));
  return ObjectValue.of(kept.map(([name, item]) => [name, Thunk.of(item)] as const));
}

function mergePatch(target: Value, patch: Value): Value {
  if (!(patch instanceof ObjectValue)) return patch;
  const base = target instanceof ObjectValue ? target : ObjectValue.of([]);
  const fields = new Map<string, Thunk>();
  for (const name of base.visibleNames()) fields.set(name, base.thunk(name));
  for (const name of patch.visibleNames()) {
    const value = patch.get(name) ?? null;
    if (value === null) fields.delete(name);
    else
      fields.set(
        name,
        new Thunk(() =>
          mergePatch(base.names().get(name) ? (base.get(name) ?? null) : null, value),
        ),
      );
  }
  return ObjectValue.of(fields);
}

type LazyGroup = Readonly<Record<string, readonly [parameters: string, run: Lazy]>>;

/** Functions that do not look at all that they are given. */
function lazyFunctions(
  call: (target: Value, ...args: readonly Thunk[]) => Value,
  { externals, trace }: LibraryPorts,
): LazyGroup {
  const force = (thunk: Thunk | undefined): Value => thunk?.force() ?? null;
  return {
    extVar: [
      'x',
      (x) => {
        const name = text(force(x));
        const found = externals.get(name);
        if (found === undefined) throw jsonnetError(`Undefined external variable: ${name}`);
        return found.force();
      },
    ],
    get: [
      'o,f,default?,inc_hidden?',
      (o, f, fallback, hidden) => {
        const source = object(force(o));
        const name = text(force(f));
        const isVisible = source.names().get(name);
        const counts = isVisible === true || (isVisible === false && force(hidden) !== false);
        return counts ? (source.get(name) ?? null) : force(fallback);
      },
    ],
    trace: [
      'str,rest',
      (str, rest) => {
        trace(text(force(str)));
        return force(rest);
      },
    ],
    assertEqual: [
      'a,b',
      (a, b) => {
        if (equalValues(force(a), force(b))) return true;
        throw jsonnetError(`Assertion failed. ${toText(force(a))} != ${toText(force(b))}`);
      },
    ],
    map_: [
      'func,arr',
      (func, arr) => array(force(arr)).map((item) => new Thunk(() => call(force(func), item))),
    ],
    native: [
      'x',
      (x) => {
        throw jsonnetError(`Unrecognized native function name: ${text(force(x))}`);
      },
    ],
  };
}
