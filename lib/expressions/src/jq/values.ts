/** JSON values as jq orders, names, reads and changes them. */
export type JqValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JqValue[]
  | { readonly [key: string]: JqValue | undefined };
export type JqRecord = { readonly [key: string]: JqValue | undefined };

/** Raised by a query; `try` catches it. No `Error`: a trace of our own stack would cost much and say nothing. */
export class JqError {
  readonly value: JqValue;
  constructor(value: JqValue) {
    this.value = value;
  }

  get message(): string {
    const { value } = this;
    return typeof value === 'string' ? value : JSON.stringify(value, plainNumbers);
  }
}

export function plainNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

export function isList(value: JqValue | undefined): value is readonly JqValue[] {
  return Array.isArray(value);
}

export function isRecord(value: JqValue | undefined): value is JqRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isNumber(value: JqValue | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

export function typeName(value: JqValue): string {
  if (value === null) return 'null';
  if (isList(value)) return 'array';
  if (isNumber(value)) return 'number';
  return typeof value === 'object' ? 'object' : typeof value;
}

export function isTrue(value: JqValue): boolean {
  return value !== null && value !== false;
}

/** Keys in order of their code points, as jq visits them. */
export function sortedKeys(record: JqRecord): string[] {
  return Object.keys(record)
    .filter((key) => record[key] !== undefined)
    .sort(compareText);
}

export function compareText(a: string, b: string): number {
  for (let i = 0; ; i++) {
    const x = a.codePointAt(i);
    const y = b.codePointAt(i);
    if (x !== y) return (x ?? -1) - (y ?? -1);
    if (x === undefined) return 0;
  }
}

const RANKS = ['null', 'boolean', 'number', 'string', 'array', 'object'];

/** null < false < true < numbers < strings < arrays < objects. */
export function compare(a: JqValue, b: JqValue): number {
  const type = typeName(a);
  const rank = RANKS.indexOf(type) - RANKS.indexOf(typeName(b));
  if (rank !== 0) return rank;
  if (isNumber(a) && isNumber(b)) return a < b || Number.isNaN(a) ? -1 : a > b ? 1 : 0;
  if (typeof a === 'boolean') return Number(a) - Number(b);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (isList(a) && isList(b)) return compareLists(a, b);
  if (isRecord(a) && isRecord(b)) {
    const keys = sortedKeys(a);
    const byKeys = compareLists(keys, sortedKeys(b));
    if (byKeys !== 0) return byKeys;
    return compareLists(
      keys.map((key) => a[key] ?? null),
      keys.map((key) => b[key] ?? null),
    );
  }
  return 0;
}

function compareLists(a: readonly JqValue[], b: readonly JqValue[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compare(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** For messages: the type and the beginning of the value. */
export function describe(value: JqValue): string {
  if (value === null) return 'null';
  const text = JSON.stringify(value, plainNumbers);
  return `${typeName(value)} (${text.length > 30 ? `${text.slice(0, 27)} ...` : text})`;
}

/** What `.[key]` gives; null where there is nothing. */
export function readKey(value: JqValue, key: JqValue): JqValue {
  if (typeof key === 'string') {
    if (value === null) return null;
    if (!isRecord(value)) throw new JqError(`expected an object but got: ${describe(value)}`);
    return Object.hasOwn(value, key) ? (value[key] ?? null) : null;
  }
  if (isNumber(key)) {
    if (value === null) return null;
    if (!isList(value)) throw new JqError(`expected an array but got: ${describe(value)}`);
    const index = Math.floor(Number(key));
    return value[index < 0 ? value.length + index : index] ?? null;
  }
  if (isRecord(key)) return slice(value, key['start'] ?? null, key['end'] ?? null);
  if (isList(key) && (isList(value) || value === null)) return indicesOf(value ?? [], key);
  throw new JqError(`expected a string for object key but got: ${describe(key)}`);
}

export function slice(value: JqValue, from: JqValue, to: JqValue): JqValue {
  if (value === null) return null;
  if (!isList(value) && typeof value !== 'string') {
    throw new JqError(`expected an array but got: ${describe(value)}`);
  }
  for (const bound of [from, to]) {
    if (bound !== null && !isNumber(bound)) {
      throw new JqError(`expected an integer but got: ${describe(bound)}`);
    }
  }
  const items = typeof value === 'string' ? [...value] : value;
  const [start, end] = bounds(items.length, from, to);
  const part = items.slice(start, end);
  return typeof value === 'string' ? part.join('') : part;
}

function bounds(length: number, from: JqValue, to: JqValue): readonly [number, number] {
  const place = (bound: JqValue, otherwise: number, round: (x: number) => number) => {
    if (bound === null) return otherwise;
    const index = round(Number(bound));
    return Math.min(length, Math.max(0, index < 0 ? length + index : index));
  };
  const start = place(from, 0, Math.floor);
  return [start, Math.max(start, place(to, length, Math.ceil))];
}

export function indicesOf(value: readonly JqValue[], part: readonly JqValue[]): JqValue {
  if (part.length === 0) return null;
  return value.flatMap((_, at) =>
    part.every((item, i) => at + i < value.length && compare(value[at + i] ?? null, item) === 0)
      ? [at]
      : [],
  );
}

export type JqPath = readonly JqValue[];
const LIST_MAX = 1_000_000;

export function getPath(value: JqValue, path: JqPath): JqValue {
  let current = value;
  for (const key of path) current = current === null ? null : readKey(current, key);
  return current;
}

/**
 * A copy with another value at the path; what is missing on the way is made. Containers in `owned` are changed in place,
 * and those that are made are added to it: many changes of one value copy it once.
 */
export function setPath(
  value: JqValue,
  path: JqPath,
  replacement: JqValue,
  owned: Set<object> = new Set(),
): JqValue {
  const [key, ...rest] = path;
  if (key === undefined) return replacement;
  if (typeof key === 'string') {
    if (value !== null && !isRecord(value)) {
      throw new JqError(`expected an object but got: ${describe(value)}`);
    }
    const copy = own(value ?? {}, owned, (record) => ({ ...record }));
    const inner = Object.hasOwn(copy, key) ? (copy[key] ?? null) : null;
    copy[key] = setPath(inner, rest, replacement, owned);
    return copy;
  }
  if (value !== null && !isList(value)) {
    throw new JqError(`expected an array but got: ${describe(value)}`);
  }
  const list = value ?? [];
  if (isRecord(key)) {
    const [start, end] = bounds(list.length, key['start'] ?? null, key['end'] ?? null);
    const part = setPath(list.slice(start, end), rest, replacement);
    if (!isList(part)) throw new JqError(`expected an array but got: ${describe(part)}`);
    return [...list.slice(0, start), ...part, ...list.slice(end)];
  }
  if (!isNumber(key)) throw new JqError(`expected an array index but got: ${describe(key)}`);
  const asked = Math.floor(Number(key));
  const index = asked < 0 ? list.length + asked : asked;
  if (index < 0) throw new JqError(`array index should not be negative: ${asked}`);
  if (index > LIST_MAX) throw new JqError(`array index too large: ${index}`);
  const copy = own(list, owned, (items) => [...items]);
  while (copy.length < index) copy.push(null);
  copy[index] = setPath(copy[index] ?? null, rest, replacement, owned);
  return copy;
}

function own<T extends object, M extends T>(
  value: T,
  owned: Set<object>,
  copy: (value: T) => M,
): M {
  if (owned.has(value)) return value as M;
  const made = copy(value);
  owned.add(made);
  return made;
}

/** A copy without these paths. What is removed from one list is removed together: indices mean those of before. */
export function deletePaths(value: JqValue, paths: readonly JqPath[]): JqValue {
  if (paths.some((path) => path.length === 0)) return null;
  if (value === null || paths.length === 0) return value;
  const byKey = new Map<JqValue, JqPath[]>();
  for (const [key = null, ...rest] of paths) {
    for (const one of placesOf(value, key, rest.length > 0)) {
      const known = byKey.get(one);
      if (known === undefined) byKey.set(one, [rest]);
      else known.push(rest);
    }
  }
  const edit = (key: JqValue, inner: JqValue): JqValue | undefined => {
    const rests = byKey.get(key);
    if (rests === undefined) return inner;
    return rests.some((rest) => rest.length === 0) ? undefined : deletePaths(inner, rests);
  };
  if (isList(value)) {
    return value.flatMap((item, index) => {
      const kept = edit(index, item);
      return kept === undefined ? [] : [kept];
    });
  }
  if (!isRecord(value)) return value;
  const copy: { [key: string]: JqValue } = {};
  for (const [key, inner] of Object.entries(value)) {
    const kept = inner === undefined ? undefined : edit(key, inner);
    if (kept !== undefined) copy[key] = kept;
  }
  return copy;
}

/** The keys that exist of what a step of a path names. */
function placesOf(value: JqValue, key: JqValue, isInner: boolean): readonly JqValue[] {
  if (typeof key === 'string') {
    if (!isRecord(value)) throw new JqError(`expected an object but got: ${describe(value)}`);
    return Object.hasOwn(value, key) ? [key] : [];
  }
  if (!isList(value)) throw new JqError(`expected an array but got: ${describe(value)}`);
  if (isNumber(key)) {
    const asked = Math.floor(Number(key));
    const index = asked < 0 ? value.length + asked : asked;
    return index >= 0 && index < value.length ? [index] : [];
  }
  if (!isRecord(key) || isInner) {
    throw new JqError(`expected an array index but got: ${describe(key)}`);
  }
  const [start, end] = bounds(value.length, key['start'] ?? null, key['end'] ?? null);
  return Array.from({ length: end - start }, (_, i) => start + i);
}
