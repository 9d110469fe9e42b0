import { RE2JS } from 're2js';
import {
  type Builtin,
  type BuiltinCall,
  evaluate,
  type Item,
  JqLimitError,
  made,
  pathsOf,
  sizeOf,
  spend,
  values,
} from './evaluate.ts';
import { applyOperator, contains, formatText, toJsonText } from './operators.ts';
import type { Node } from './syntax.ts';
import {
  compare,
  deletePaths,
  describe,
  getPath,
  indicesOf,
  isList,
  isNumber,
  isRecord,
  isTrue,
  JqError,
  type JqPath,
  type JqValue,
  readKey,
  setPath,
  sortedKeys,
  typeName,
} from './values.ts';

/** What is short in jq itself. */
export const PRELUDE = `
def map(f): [.[] | f];
def map_values(f): .[] |= f;
def recurse: ..;
def recurse(f): def r: ., (f | r); r;
def recurse(f; keep): recurse(f | select(keep));
def select(f): if f then . else empty end;
def not: if . then false else true end;
def in(container): . as $key | container | has($key);
def inside(whole): . as $part | whole | contains($part);
def values: select(. != null);
def nulls: select(. == null);
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type == "array" or type == "object");
def scalars: select(type != "array" and type != "object");
def to_entries: [keys[] as $k | {key: $k, value: .[$k]}];
def with_entries(f): to_entries | [.[] | f] | from_entries;
def add(f): [f] | add;
def range($to): range(0; $to; 1);
def range($from; $to): range($from; $to; 1);
def first: .[0];
def last: .[-1];
def first(f): label $out | (f | ., break $out);
def last(f): reduce f as $x ([]; [$x]) | .[];
def isempty(f): label $out | ((f | false, break $out), true);
def nth($n): .[$n];
def nth($n; f): if $n < 0 then error("nth doesn't support negative index") else first(skip($n; f)) end;
def limit($n; f): if $n < 0 then error("limit doesn't support negative count") elif $n == 0 then empty else label $out | foreach f as $x (0; . + 1; $x, if . >= $n then break $out else empty end) end;
def skip($n; f): if $n < 0 then error("skip doesn't support negative count") else foreach f as $x (0; . + 1; if . > $n then $x else empty end) end;
def all: all(.[]; .);
def all(f): all(.[]; f);
def all(g; f): isempty(g | if f then empty else . end);
def any: any(.[]; .);
def any(f): any(.[]; f);
def any(g; f): isempty(g | if f then . else empty end) | not;
def paths: path(..) | select(length > 0);
def paths(f): path(.. | select(f)) | select(length > 0);
def leaf_paths: paths(scalars);
def pick(f): . as $top | reduce path(f) as $p (null; setpath($p; $top | getpath($p)));
def del(f): delpaths([path(f)]);
def walk(f): def w: if type == "array" then [.[] | w] elif type == "object" then (.[] |= w) else . end | f; w;
def combinations: if length == 0 then [] else .[0][] as $x | [$x] + (.[1:] | combinations) end;
def combinations($n): . as $all | [range($n) | $all] | combinations;
def match($re): match($re; null);
def test($re): test($re; null);
def capture($re): capture($re; null);
def capture($re; $flags): match($re; $flags) | [.captures[] | select(.name != null) | {key: .name, value: .string}] | from_entries;
def scan($re): scan($re; null);
def scan($re; $flags): match($re; "g" + $flags) | if .captures == [] then .string else [.captures[].string] end;
def sub($re; f): sub($re; f; null);
def gsub($re; f): sub($re; f; "g");
def gsub($re; f; $flags): sub($re; f; "g" + $flags);
def sub($re; f; $flags): . as $text | reduce match($re; $flags) as $m ({at: 0, done: ""};
  ($m | [.captures[] | select(.name != null) | {key: .name, value: .string}] | from_entries | f) as $new
  | .done += $text[.at:$m.offset] + $new | .at = $m.offset + $m.length) | .done + $text[.at:];
def splits($re): splits($re; null);
def splits($re; $flags): split($re; $flags)[];
def split($re; $flags): . as $text | reduce match($re; "g" + $flags) as $m ({at: 0, parts: []};
  .parts += [$text[.at:$m.offset]] | .at = $m.offset + $m.length) | .parts + [$text[.at:]];
def ascii: [.] | implode;
def todate: todateiso8601;
def fromdate: fromdateiso8601;
def tostream: path(def r: (.[]? | r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(f): INDEX(.[]; f);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] = $row);
def env: {};
def debug: .;
def debug(f): .;
def input_line_number: 0;
`;

/** Functions of the input alone. */
const PLAIN: { readonly [name: string]: (value: JqValue) => JqValue } = {
  length: (value) => lengthOf(value),
  utf8bytelength: (value) => new TextEncoder().encode(text(value)).length,
  keys: (value) => keysOf(value),
  keys_unsorted: (value) => keysOf(value),
  type: typeName,
  reverse: (value) =>
    typeof value === 'string' ? [...value].reverse().join('') : [...list(value ?? [])].reverse(),
  tostring: (value) => (typeof value === 'string' ? value : toJsonText(value)),
  tojson: toJsonText,
  fromjson: (value) => parseJson(text(value)),
  tonumber: (value) => toNumber(value),
  toboolean: (value) => {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw new JqError(`toboolean cannot be applied to: ${describe(value)}`);
  },
  ascii_downcase: (value) => text(value).replace(/[A-Z]/g, (char) => char.toLowerCase()),
  ascii_upcase: (value) => text(value).replace(/[a-z]/g, (char) => char.toUpperCase()),
  trim: (value) => text(value).trim(),
  ltrim: (value) => text(value).trimStart(),
  rtrim: (value) => text(value).trimEnd(),
  explode: (value) => Array.from(text(value), (char) => char.codePointAt(0) ?? 0),
  implode: (value) =>
    list(value)
      .map((code) => String.fromCodePoint(Number(code)))
      .join(''),
  sort: (value) => [...list(value)].sort(compare),
  unique: (value) => unique([...list(value)].sort(compare)),
  min: (value) =>
    list(value).reduce<JqValue>((a, b) => (a === null || compare(b, a) < 0 ? b : a), null),
  max: (value) =>
    list(value).reduce<JqValue>((a, b) => (a === null || compare(b, a) >= 0 ? b : a), null),
  flatten: (value) => flatten(list(value), Infinity),
  floor: (value) => Math.floor(number(value)),
  ceil: (value) => Math.ceil(number(value)),
  round: (value) => Math.round(number(value)),
  trunc: (value) => Math.trunc(number(value)),
  sqrt: (value) => Math.sqrt(number(value)),
  fabs: (value) => Math.abs(number(value)),
  abs: (value) => Math.abs(number(value)),
  log: (value) => Math.log(number(value)),
  log2: (value) => Math.log2(number(value)),
  log10: (value) => Math.log10(number(value)),
  exp: (value) => Math.exp(number(value)),
  isnan: (value) => Number.isNaN(number(value)),
  isinfinite: (value) => Math.abs(number(value)) === Infinity,
  isnormal: (value) => Number.isFinite(number(value)) && number(value) !== 0,
  infinite: () => Infinity,
  nan: () => Number.NaN,
  transpose: (value) => transpose(list(value)),
  from_entries: (value) => fromEntries(list(value)),
  todateiso8601: (value) => new Date(number(value) * 1000).toISOString().replace(/\.\d+Z$/, 'Z'),
  fromdateiso8601: (value) => {
    const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text(value))
      ? Date.parse(text(value))
      : Number.NaN;
    if (Number.isNaN(ms))
      throw new JqError(`strptime/1: date ${JSON.stringify(value)} does not match format`);
    return Math.floor(ms / 1000);
  },
};

/** Functions of the input and one value. */
const WITH_VALUE: { readonly [name: string]: (value: JqValue, argument: JqValue) => JqValue } = {
  has: (value, key) => {
    if (isRecord(value) && typeof key === 'string') {
      return Object.hasOwn(value, key) && value[key] !== undefined;
    }
    if (value === null) return false;
    if (isList(value) && isNumber(key)) return key >= 0 && key < value.length;
    throw new JqError(`has(${toJsonText(key)}) cannot be applied to: ${describe(value)}`);
  },
  contains,
  startswith: (value, part) => text(value).startsWith(text(part)),
  endswith: (value, part) => text(value).endsWith(text(part)),
  ltrimstr: (value, part) => trimmed(value, part, 'start'),
  rtrimstr: (value, part) => trimmed(value, part, 'end'),
  trimstr: (value, part) => trimmed(trimmed(value, part, 'start'), part, 'end'),
  split: (value, separator) => split(text(value), text(separator)),
  join: (value, separator) =>
    list(value)
      .map((item) => {
        if (isList(item) || isRecord(item)) throw new JqError(`cannot join: ${describe(item)}`);
        return item === null ? '' : typeof item === 'string' ? item : toJsonText(item);
      })
      .join(list(value).length === 0 ? '' : text(separator)),
  flatten: (value, depth) => flatten(list(value), number(depth)),
  indices: (value, part) => indices(value, part),
  index: (value, part) => at(indices(value, part), 0),
  rindex: (value, part) => at(indices(value, part), -1),
  delpaths: (value, paths) =>
    deletePaths(
      value,
      list(paths).map((path) => list(path)),
    ),
  getpath: (value, path) => getPath(value, list(path)),
  format: (value, name) => formatText(value, `@${text(name)}`),
  error: (_value, message) => {
    throw new JqError(message);
  },
  pow10: (value) => 10 ** number(value),
};

export function makeBuiltins(): ReadonlyMap<string, Builtin> {
  const builtins = new Map<string, Builtin>();
  for (const [name, run] of Object.entries(PLAIN)) {
    builtins.set(`${name}/0`, ({ item, context }) => {
      spend(context, sizeOf(item.value));
      return [made(run(item.value), item)];
    });
  }
  for (const [name, run] of Object.entries(WITH_VALUE)) {
    builtins.set(`${name}/1`, function* ({ item, args, scope, context }) {
      for (const argument of values(args[0]!, item, scope, context)) {
        spend(context, sizeOf(item.value));
        yield made(run(item.value, argument), item);
      }
    });
  }
  for (const [id, run] of Object.entries(SPECIAL)) builtins.set(id, run);
  return builtins;
}

const SPECIAL: { readonly [id: string]: Builtin } = {
  'empty/0': () => [],
  'error/0': ({ item }) => {
    throw new JqError(item.value);
  },
  'add/0': ({ item, context }) => {
    const { value } = item;
    const items = isRecord(value)
      ? sortedKeys(value).map((key) => value[key] ?? null)
      : list(value);
    let sum: JqValue = null;
    for (const one of items) {
      spend(context, 1 + sizeOf(sum));
      sum = applyOperator('+', sum, one);
    }
    return [made(sum, item)];
  },
  *'path/1'({ item, args, scope, context }) {
    for (const path of pathsOf(args[0]!, item.value, scope, context)) yield made(path, item);
  },
  *'getpath/1'({ item, args, scope, context }) {
    for (const path of values(args[0]!, item, scope, context)) {
      const keys = list(path);
      if (item.path === null) throw new JqError(`invalid path against: ${describe(item.value)}`);
      const joined: JqPath | undefined = item.path && [...item.path, ...keys];
      yield { value: readOrNull(item.value, keys), path: joined };
    }
  },
  *'setpath/2'({ item, args, scope, context }) {
    for (const value of values(args[1]!, item, scope, context)) {
      for (const path of values(args[0]!, item, scope, context)) {
        spend(context, 1);
        yield made(setPath(item.value, list(path), value), item);
      }
    }
  },
  *'range/3'({ item, args, scope, context }) {
    for (const step of values(args[2]!, item, scope, context)) {
      for (const to of values(args[1]!, item, scope, context)) {
        for (const from of values(args[0]!, item, scope, context)) {
          const by = number(step);
          for (let i = number(from); by > 0 ? i < number(to) : by < 0 && i > number(to); i += by) {
            spend(context, 1);
            yield made(i, item);
          }
        }
      }
    }
  },
  *'pow/2'({ item, args, scope, context }) {
    for (const exponent of values(args[1]!, item, scope, context)) {
      for (const base of values(args[0]!, item, scope, context)) {
        yield made(number(base) ** number(exponent), item);
      }
    }
  },
  'sort_by/1': byKey((entries) => entries.map(({ value }) => value)),
  'group_by/1': byKey((entries) => groups(entries).map((group) => group.map(({ value }) => value))),
  'unique_by/1': byKey((entries) => groups(entries).map(([first]) => first?.value ?? null)),
  'min_by/1': byKey((entries) => entries[0]?.value ?? null),
  'max_by/1': byKey((entries) => groups(entries).at(-1)?.at(-1)?.value ?? null),
  'until/2': ({ item, args: [until, next], scope, context }) =>
    unfold(item, context, function* (at) {
      for (const done of values(until!, at, scope, context)) {
        if (isTrue(done)) yield { result: at };
        else for (const after of evaluate(next!, at, scope, context)) yield { after };
      }
    }),
  'while/2': ({ item, args: [test, next], scope, context }) =>
    unfold(item, context, function* (at) {
      for (const holds of values(test!, at, scope, context)) {
        if (!isTrue(holds)) continue;
        yield { result: at };
        for (const after of evaluate(next!, at, scope, context)) yield { after };
      }
    }),
  *'repeat/1'({ item, args, scope, context }) {
    for (;;) {
      spend(context, 1);
      yield* evaluate(args[0]!, item, scope, context);
    }
  },
  *'match/2'(call) {
    for (const match of matches(call)) yield made(match, call.item);
  },
  *'test/2'(call) {
    yield made(matches(call).next().done !== true, call.item);
  },
};

const DEPTH_MAX = 50_000;

type Unfolding = { readonly result: Item } | { readonly after: Item };

/** A recursion at the end of a query, without the stack: depth first, in the order of its results. */
function* unfold(
  start: Item,
  context: BuiltinCall['context'],
  expand: (item: Item) => Iterator<Unfolding>,
): Generator<Item> {
  const open = [expand(start)];
  for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
    spend(context, 1);
    const { done, value } = last.next();
    if (done === true) open.pop();
    else if ('result' in value) yield value.result;
    else if (open.length < DEPTH_MAX) open.push(expand(value.after));
    else throw new JqLimitError('the query recurses too deeply');
  }
}

interface Entry {
  readonly key: JqValue;
  readonly value: JqValue;
}

/** Sorted by what the argument gives for each element; equal ones keep their order. */
function byKey(pick: (entries: readonly Entry[]) => JqValue): Builtin {
  return ({ item, args, scope, context }) => {
    const entries = list(item.value).map(
      (value): Entry => ({
        key: [...values(args[0]!, { value, path: undefined }, scope, context)],
        value,
      }),
    );
    entries.sort((a, b) => {
      spend(context, 1);
      return compare(a.key, b.key);
    });
    return [made(pick(entries), item)];
  };
}

function groups(entries: readonly Entry[]): Entry[][] {
  const all: Entry[][] = [];
  for (const entry of entries) {
    const group = all.at(-1);
    if (group?.[0] !== undefined && compare(group[0].key, entry.key) === 0) group.push(entry);
    else all.push([entry]);
  }
  return all;
}

/** Matches of RE2, which cost no more than the text is long. */
function* matches({ item, args, scope, context }: BuiltinCall): Generator<JqValue> {
  const subject = text(item.value);
  for (const given of values(args[0]!, item, scope, context)) {
    for (const flagsGiven of values(args[1] as Node, item, scope, context)) {
      const [source, flags] = isList(given)
        ? [text(given[0] ?? null), given[1] === undefined ? '' : text(given[1])]
        : [text(given), flagsGiven === null ? '' : text(flagsGiven)];
      const matcher = compilePattern(source, flags).matcher(subject);
      const names = [...source.matchAll(/\((?:\?P?<([A-Za-z_]\w*)>|(?!\?))/g)].map(
        ([, name]) => name,
      );
      while (matcher.find()) {
        spend(context, 1 + (subject.length >> 6));
        const place = (group: number): JqValue => {
          const string = matcher.group(group) ?? null;
          const offset = string === null ? -1 : [...subject.slice(0, matcher.start(group))].length;
          return { offset, length: [...(string ?? '')].length, string };
        };
        const captures = names.map((name, i): JqValue => {
          const found = place(i + 1);
          return { ...(isRecord(found) ? found : {}), name: name ?? null };
        });
        const whole = place(0);
        yield { ...(isRecord(whole) ? whole : {}), captures };
        if (!flags.includes('g')) break;
      }
    }
  }
}

function compilePattern(source: string, flags: string): RE2JS {
  let bits = 0;
  for (const flag of flags) {
    if (flag === 'i') bits |= RE2JS.CASE_INSENSITIVE;
    else if (flag === 's') bits |= RE2JS.DOTALL;
    else if (!'gnxl'.includes(flag))
      throw new JqError(`unsupported regular expression flag: "${flags}"`);
  }
  try {
    return RE2JS.compile(source, bits);
  } catch (error) {
    throw new JqError(
      `invalid regular expression ${JSON.stringify(source)}: ${error instanceof Error ? error.message : ''}`,
    );
  }
}

function readOrNull(value: JqValue, keys: JqPath): JqValue {
  try {
    return getPath(value, keys);
  } catch (error) {
    if (error instanceof JqError) {
      throw new JqError(`getpath(${toJsonText(keys)}) cannot be applied to ${describe(value)}`);
    }
    throw error;
  }
}

function text(value: JqValue): string {
  if (typeof value === 'string') return value;
  throw new JqError(`expected a string but got: ${describe(value)}`);
}

function list(value: JqValue): readonly JqValue[] {
  if (isList(value)) return value;
  throw new JqError(`expected an array but got: ${describe(value)}`);
}

function number(value: JqValue): number {
  if (isNumber(value)) return Number(value);
  throw new JqError(`expected a number but got: ${describe(value)}`);
}

function lengthOf(value: JqValue): JqValue {
  if (value === null) return 0;
  if (typeof value === 'string') return [...value].length;
  if (isNumber(value)) return Math.abs(Number(value));
  if (isList(value)) return value.length;
  if (isRecord(value)) return sortedKeys(value).length;
  throw new JqError(`length cannot be applied to: ${describe(value)}`);
}

function keysOf(value: JqValue): JqValue {
  if (isList(value)) return [...value.keys()];
  if (isRecord(value)) return sortedKeys(value);
  throw new JqError(`keys cannot be applied to: ${describe(value)}`);
}

function toNumber(value: JqValue): JqValue {
  if (isNumber(value)) return value;
  if (typeof value === 'string' && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)) {
    return Number(value);
  }
  throw new JqError(`tonumber cannot be applied to: ${describe(value)}`);
}

function parseJson(source: string): JqValue {
  try {
    const value: JqValue = JSON.parse(source);
    return value;
  } catch {
    throw new JqError(`fromjson cannot be applied to ${JSON.stringify(source.slice(0, 30))}`);
  }
}

function unique(sorted: readonly JqValue[]): JqValue {
  return sorted.filter((value, i) => i === 0 || compare(sorted[i - 1] ?? null, value) !== 0);
}

function flatten(items: readonly JqValue[], depth: number): readonly JqValue[] {
  return items.flatMap((item) => (isList(item) && depth > 0 ? flatten(item, depth - 1) : [item]));
}

function trimmed(value: JqValue, part: JqValue, side: 'start' | 'end'): JqValue {
  if (typeof value !== 'string' || typeof part !== 'string' || part === '') return value;
  if (side === 'start') return value.startsWith(part) ? value.slice(part.length) : value;
  return value.endsWith(part) ? value.slice(0, -part.length) : value;
}

function split(value: string, separator: string): JqValue {
  return value === '' ? [] : value.split(separator);
}

function indices(value: JqValue, part: JqValue): JqValue {
  if (value === null) return null;
  if (typeof value === 'string') {
    const wanted = text(part);
    if (wanted === '') return null;
    const chars = [...value];
    return indicesOf(chars, [...wanted]);
  }
  return indicesOf(list(value), isList(part) ? part : [part]);
}

function at(found: JqValue, index: number): JqValue {
  return isList(found) ? (found.at(index) ?? null) : null;
}

function transpose(rows: readonly JqValue[]): JqValue {
  const width = Math.max(0, ...rows.map((row) => list(row).length));
  return Array.from({ length: width }, (_, i) => rows.map((row) => list(row)[i] ?? null));
}

function fromEntries(entries: readonly JqValue[]): JqValue {
  return Object.fromEntries(
    entries.map((entry) => {
      const pick = (...names: readonly string[]): JqValue => {
        for (const name of names) {
          const value = readKey(entry, name);
          if (value !== null && value !== false) return value;
        }
        return null;
      };
      const key = pick('key', 'Key', 'name', 'Name', 'k', 'K');
      const hasValue = isRecord(entry) && Object.hasOwn(entry, 'value');
      const value = hasValue ? readKey(entry, 'value') : pick('Value', 'v', 'V');
      if (typeof key !== 'string') {
        throw new JqError(`expected a string for object key but got: ${describe(key)}`);
      }
      return [key, value];
    }),
  );
}
