import {
  add,
  type CallEstimate,
  type CostNode,
  fixed,
  multiply,
  type Range,
  scale,
  TRAVERSAL,
  UNBOUNDED,
} from './cost-types.ts';
import type { CelFunction, CelLibrary } from './functions.ts';
import {
  ArrayList,
  CelError,
  CelList,
  CelMap,
  type CelValue,
  compare,
  isEqual,
  noSuchOverload,
  Optional,
  Timestamp,
  typeNameOf,
} from './values.ts';

function listOf(value: CelValue | undefined): CelList {
  if (value instanceof CelList) return value;
  throw noSuchOverload();
}

function intOf(value: CelValue | undefined): number {
  if (typeof value === 'bigint') return Number(value);
  throw noSuchOverload();
}

const SORTABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];

/** cel-go's `lists` extension in version 3. */
export const LISTS: CelLibrary = {
  functions: {
    slice: {
      overloads: ['list_slice: list(T).(int, int) -> list(T)'],
      call: ([list, from, to]) => slice(listOf(list), intOf(from), intOf(to)),
    },
    flatten: {
      overloads: [
        'list_flatten: list(list(T)).() -> list(T)',
        'list_flatten_int: list(dyn).(int) -> list(dyn)',
      ],
      call: ([list, depth]) => {
        const levels = depth === undefined ? 1 : intOf(depth);
        if (levels < 0) throw new CelError('level must be non-negative');
        return new ArrayList(flatten(listOf(list), levels));
      },
    },
    sort: {
      overloads: SORTABLE.map((type) => `list_${type}_sort: list(${type}).() -> list(${type})`),
      call: ([list]) => new ArrayList(sorted([...listOf(list)], [...listOf(list)])),
    },
    '@sortByAssociatedKeys': {
      overloads: SORTABLE.map(
        (type) => `list_${type}_sortByAssociatedKeys: list(T).(list(${type})) -> list(T)`,
      ),
      call: ([list, keys]) => new ArrayList(sorted([...listOf(list)], [...listOf(keys)])),
    },
    'lists.range': {
      overloads: ['lists_range: (int) -> list(int)'],
      call: ([count]) => {
        const length = Math.max(0, intOf(count));
        if (length > RANGE_MAX) throw new CelError('range is too large');
        return new ArrayList(Array.from({ length }, (_, i) => BigInt(i)));
      },
    },
    distinct: {
      overloads: ['list_distinct: list(T).() -> list(T)'],
      call: ([list]) => {
        const kept: CelValue[] = [];
        for (const item of listOf(list)) {
          if (!kept.some((other) => isEqual(item, other))) kept.push(item);
        }
        return new ArrayList(kept);
      },
    },
    reverse: {
      overloads: ['list_reverse: list(T).() -> list(T)'],
      call: ([list]) => new ArrayList([...listOf(list)].reverse()),
    },
  },
  estimate: (call, sizes) => estimateLists(call, sizes),
  cost: (call, args, result) => costOfLists(call, args, result),
};

const RANGE_MAX = 1_000_000;
const ALLOCATION = 10;

/** A call that makes a list: one for the call, ten for the list, and what its size makes it cost. */
function allocating(size: Range, factor: number): CallEstimate {
  return { cost: add(scale(size, factor), fixed(1 + ALLOCATION)), size };
}

function literalOf(node: CostNode | undefined, otherwise: number): number {
  const value = node?.expr?.kind === 'literal' ? node.expr.value : undefined;
  return typeof value === 'bigint' ? Math.max(0, Number(value)) : otherwise;
}

const estimateLists: NonNullable<CelLibrary['estimate']> = ({ overload, target, args }, sizes) => {
  const size = target === undefined ? fixed(0) : sizes.of(target);
  const [first] = args;
  switch (overload) {
    case 'list_slice': {
      const length = literalOf(args[1], size.max) - literalOf(first, 0);
      return allocating(fixed(length < 0 ? UNBOUNDED : length), 1);
    }
    case 'list_flatten':
      return allocating(size, 1);
    case 'list_flatten_int':
      return allocating(size, literalOf(first, UNBOUNDED));
    case 'lists_range':
      return allocating(fixed(literalOf(first, UNBOUNDED)), 1);
    case 'list_reverse':
      return allocating(size, 1);
    case 'list_distinct':
      return allocating(multiply(size, size), 2);
    default: {
      const sort = /^list_(\w+)_sort(ByAssociatedKeys)?$/.exec(overload);
      if (sort === null || (first === undefined) !== (sort[2] === undefined)) return undefined;
      const keys = first === undefined ? size : sizes.of(first);
      const isText = sort[1] === 'string' || sort[1] === 'bytes';
      return allocating(multiply(keys, keys), isText ? 2 + TRAVERSAL : 2);
    }
  }
};

const costOfLists: NonNullable<CelLibrary['cost']> = (
  { overload },
  [list = null, keys],
  result,
) => {
  const length = (value: CelValue | undefined): number =>
    value instanceof CelList ? value.size : 1;
  switch (overload) {
    case 'list_slice':
    case 'lists_range':
    case 'list_reverse':
      return length(result) + 1 + ALLOCATION;
    case 'list_flatten':
      return length(list) + 1 + ALLOCATION;
    case 'list_flatten_int':
      return length(list) * Number(keys ?? 1n) + 1 + ALLOCATION;
    default: {
      if (!/^list_(distinct|\w+_sort(ByAssociatedKeys)?)$/.test(overload)) return undefined;
      const compared = overload.endsWith('Keys') ? keys : list;
      const size = length(compared);
      const first = compared instanceof CelList && size > 0 ? compared.at(0) : null;
      const isText = typeof first === 'string' || first instanceof Uint8Array;
      return Math.floor(size * size * (isText ? 2 + TRAVERSAL : 2)) + 1 + ALLOCATION;
    }
  }
};

function slice(list: CelList, from: number, to: number): CelValue {
  if (from < 0 || to < 0) {
    throw new CelError(`cannot slice(${from}, ${to}), negative indexes not supported`);
  }
  if (from > to) {
    throw new CelError(
      `cannot slice(${from}, ${to}), start index must be less than or equal to end index`,
    );
  }
  if (to > list.size) {
    throw new CelError(`cannot slice(${from}, ${to}), list is length ${list.size}`);
  }
  return new ArrayList([...list].slice(from, to));
}

function flatten(list: CelList, depth: number): CelValue[] {
  return [...list].flatMap((item) =>
    item instanceof CelList && depth > 0 ? flatten(item, depth - 1) : [item],
  );
}

function sorted(items: readonly CelValue[], keys: readonly CelValue[]): CelValue[] {
  if (items.length !== keys.length) throw noSuchOverload();
  const types = new Set(keys.map(typeNameOf));
  if (types.size > 1) throw new CelError('list elements must have the same type');
  const order = items.map((_, i) => i);
  order.sort((a, b) => compare(keys[a] ?? null, keys[b] ?? null));
  return order.map((i) => items[i] ?? null);
}

/** cel-go's `sets` extension. */
export const SETS: CelLibrary = {
  functions: {
    'sets.contains': setTest('list_sets_contains_list', contains),
    'sets.equivalent': setTest(
      'list_sets_equivalent_list',
      (a, b) => contains(a, b) && contains(b, a),
    ),
    'sets.intersects': setTest('list_sets_intersects_list', (a, b) =>
      b.some((item) => a.some((other) => isEqual(item, other))),
    ),
  },
  estimate({ overload, args }, sizes) {
    const [a, b] = args;
    if (!overload.startsWith('list_sets_') || a === undefined || b === undefined) return undefined;
    const factor = overload === 'list_sets_equivalent_list' ? 2 : 1;
    return { cost: add(scale(multiply(sizes.of(a), sizes.of(b)), factor), fixed(1)) };
  },
  cost({ name }, [a, b]) {
    if (!name.startsWith('sets.')) return undefined;
    const sizes = [a, b].map((list) => (list instanceof CelList ? list.size : 1));
    const product = (sizes[0] ?? 1) * (sizes[1] ?? 1);
    return 1 + product * (name === 'sets.equivalent' ? 2 : 1);
  },
};

function contains(list: readonly CelValue[], others: readonly CelValue[]): boolean {
  return others.every((item) => list.some((other) => isEqual(item, other)));
}

function setTest(
  id: string,
  run: (a: readonly CelValue[], b: readonly CelValue[]) => boolean,
): CelFunction {
  return {
    overloads: [`${id}: (list(T), list(T)) -> bool`],
    call: ([a, b]) => run([...listOf(a)], [...listOf(b)]),
  };
}

function optionalOf(value: CelValue | undefined): Optional {
  if (value instanceof Optional) return value;
  throw noSuchOverload();
}

/** Optional types: values that may be absent. `or` and `orValue` are evaluated by the interpreter. */
export const OPTIONALS: CelLibrary = {
  functions: {
    'optional.of': {
      overloads: ['optional_of: (V) -> optional(V)'],
      call: ([value]) => new Optional(value),
    },
    'optional.ofNonZeroValue': {
      overloads: ['optional_ofNonZeroValue: (V) -> optional(V)'],
      call: ([value = null]) => new Optional(isZero(value) ? undefined : value),
    },
    'optional.none': {
      overloads: ['optional_none: () -> optional(V)'],
      call: () => new Optional(),
    },
    'optional.unwrap': unwrap('optional_unwrap: (list(optional(V))) -> list(V)'),
    unwrapOpt: unwrap('optional_unwrapOpt: list(optional(V)).() -> list(V)'),
    value: {
      overloads: ['optional_value: optional(V).() -> V'],
      call: ([given]) => {
        const { value } = optionalOf(given);
        if (value === undefined) throw new CelError('optional.none() dereference');
        return value;
      },
    },
    hasValue: {
      overloads: ['optional_hasValue: optional(V).() -> bool'],
      call: ([given]) => optionalOf(given).value !== undefined,
    },
    or: {
      overloads: ['optional_or_optional: optional(V).(optional(V)) -> optional(V)'],
      call: () => {
        throw noSuchOverload();
      },
    },
    orValue: {
      overloads: ['optional_orValue_value: optional(V).(V) -> V'],
      call: () => {
        throw noSuchOverload();
      },
    },
    '_?._': { overloads: ['select_optional_field: (dyn, string) -> optional(V)'], call: never },
    '_[?_]': {
      overloads: [
        'list_optindex_optional_int: (list(V), int) -> optional(V)',
        'optional_list_optindex_optional_int: (optional(list(V)), int) -> optional(V)',
        'map_optindex_optional_value: (map(K, V), K) -> optional(V)',
        'optional_map_optindex_optional_value: (optional(map(K, V)), K) -> optional(V)',
      ],
      call: never,
    },
    '_[_]': {
      overloads: [
        'optional_list_index_int: (optional(list(V)), int) -> optional(V)',
        'optional_map_index_value: (optional(map(K, V)), K) -> optional(V)',
      ],
      call: never,
    },
    first: end('first', (list) => list.at(0)),
    last: end('last', (list) => list.at(list.size - 1)),
  },
};

function never(): never {
  throw noSuchOverload();
}

function end(name: string, of: (list: CelList) => CelValue): CelFunction {
  return {
    overloads: [`list_${name}: list(V).() -> optional(V)`],
    call: ([given]) => {
      const list = listOf(given);
      return new Optional(list.size === 0 ? undefined : of(list));
    },
  };
}

function unwrap(overload: string): CelFunction {
  return {
    overloads: [overload],
    call: ([list]) =>
      new ArrayList(
        [...listOf(list)].flatMap((item) => {
          const { value } = optionalOf(item);
          return value === undefined ? [] : [value];
        }),
      ),
  };
}

/** The first moment of the year 1. */
const ZERO_TIME = -62_135_596_800_000_000_000n;

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true;
  if (typeof value !== 'object') return false;
  if (value instanceof Timestamp) return value.nanos === ZERO_TIME;
  if ('nanos' in value) return value.nanos === 0n;
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  return 'value' in value && value.value === 0n;
}

/** cel-go's `encoders` extension. */
export const ENCODERS: CelLibrary = {
  functions: {
    'base64.encode': {
      overloads: ['base64_encode_bytes: (bytes) -> string'],
      call: ([bytes]) => {
        if (!(bytes instanceof Uint8Array)) throw noSuchOverload();
        return btoa(String.fromCharCode(...bytes));
      },
    },
    'base64.decode': {
      overloads: ['base64_decode_string: (string) -> bytes'],
      call: ([text]) => {
        if (typeof text !== 'string') throw noSuchOverload();
        try {
          return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
        } catch {
          throw new CelError('illegal base64 data at input byte 0');
        }
      },
    },
  },
};
