/** A type as the checker knows it. */
export type CelType =
  | { readonly kind: 'dyn' }
  | { readonly kind: 'error' }
  /** int, string, google.protobuf.Timestamp, … */
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'list'; readonly element: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | { readonly kind: 'type'; readonly of: CelType }
  /** With fields that are known, or undefined fields for any. */
  | {
      readonly kind: 'object';
      readonly name: string;
      field(name: string): CelType | undefined;
    }
  /** A library's own, like optional_type(int). */
  | { readonly kind: 'opaque'; readonly name: string; readonly params: readonly CelType[] }
  | { readonly kind: 'param'; readonly name: string };

export const DYN: CelType = { kind: 'dyn' };
export const ERROR: CelType = { kind: 'error' };

export function named(name: string): CelType {
  return { kind: 'named', name };
}

export const BOOL = named('bool');
export const INT = named('int');
export const STRING = named('string');

export function listOf(element: CelType): CelType {
  return { kind: 'list', element };
}

export function mapOf(key: CelType, value: CelType): CelType {
  return { kind: 'map', key, value };
}

export function optionalOf(type: CelType): CelType {
  return { kind: 'opaque', name: 'optional_type', params: [type] };
}

const SHORT: Readonly<Record<string, string>> = {
  'google.protobuf.Timestamp': 'timestamp',
  'google.protobuf.Duration': 'duration',
  null_type: 'null',
};

/** `map(string, list(int))`, as cel-go names types in its messages. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'dyn':
      return 'dyn';
    case 'error':
      return '!error!';
    case 'named':
      return SHORT[type.name] ?? type.name;
    case 'list':
      return `list(${formatType(type.element)})`;
    case 'map':
      return `map(${formatType(type.key)}, ${formatType(type.value)})`;
    case 'type':
      return `type(${formatType(type.of)})`;
    case 'object':
      return type.name;
    case 'opaque':
      return type.params.length === 0
        ? type.name
        : `${type.name}(${type.params.map(formatType).join(', ')})`;
    case 'param':
      return type.name;
  }
}

/** The name of a type as it calls itself: `null_type`, `list(google.protobuf.Timestamp)`. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case 'named':
      return type.name;
    case 'list':
      return `list(${typeName(type.element)})`;
    case 'map':
      return `map(${typeName(type.key)}, ${typeName(type.value)})`;
    case 'type':
      return `type(${typeName(type.of)})`;
    case 'opaque':
      return type.params.length === 0
        ? type.name
        : `${type.name}(${type.params.map(typeName).join(', ')})`;
    default:
      return formatType(type);
  }
}

/** What type parameters stand for so far. */
export type Substitution = ReadonlyMap<string, CelType>;

/** The type with its parameters replaced; those that nothing is known of become dyn on request. */
export function substitute(type: CelType, known: Substitution, toDyn = false): CelType {
  switch (type.kind) {
    case 'param': {
      const found = known.get(type.name);
      if (found !== undefined) return substitute(found, known, toDyn);
      return toDyn ? DYN : type;
    }
    case 'list':
      return listOf(substitute(type.element, known, toDyn));
    case 'map':
      return mapOf(substitute(type.key, known, toDyn), substitute(type.value, known, toDyn));
    case 'type':
      return { kind: 'type', of: substitute(type.of, known, toDyn) };
    case 'opaque':
      return {
        kind: 'opaque',
        name: type.name,
        params: type.params.map((param) => substitute(param, known, toDyn)),
      };
    default:
      return type;
  }
}

/** Whether a value of one type may stand where another is wanted: the parameters that make it so, or undefined. */
export function assign(
  wanted: CelType,
  given: CelType,
  known: Substitution,
): Substitution | undefined {
  const to = resolve(wanted, known);
  const from = resolve(given, known);
  if (to.kind === 'param' || from.kind === 'param') return bind(to, from, known);
  if (isDynOrError(to) || isDynOrError(from)) return known;
  if (from.kind === 'named' && from.name === 'null_type' && isNullable(to)) return known;
  if (to.kind === 'named' && to.name === 'null_type' && isNullable(from)) return known;
  if (to.kind === 'type' && from.kind === 'type') return known;
  if (to.kind === 'list' && from.kind === 'list') return assign(to.element, from.element, known);
  if (to.kind === 'map' && from.kind === 'map') {
    const keys = assign(to.key, from.key, known);
    return keys === undefined ? undefined : assign(to.value, from.value, keys);
  }
  if (to.kind === 'opaque' && from.kind === 'opaque') {
    if (to.name !== from.name || to.params.length !== from.params.length) return undefined;
    return assignAll(to.params, from.params, known);
  }
  if (to.kind === 'named' && from.kind === 'named')
    return to.name === from.name ? known : undefined;
  if (to.kind === 'object' && from.kind === 'object') {
    return to.name === from.name ? known : undefined;
  }
  return undefined;
}

export function assignAll(
  wanted: readonly CelType[],
  given: readonly CelType[],
  known: Substitution,
): Substitution | undefined {
  let now: Substitution | undefined = known;
  for (const [i, type] of wanted.entries()) {
    const other = given[i];
    if (now === undefined || other === undefined) return undefined;
    now = assign(type, other, now);
  }
  return now;
}

function resolve(type: CelType, known: Substitution): CelType {
  let found = type;
  while (found.kind === 'param') {
    const next = known.get(found.name);
    if (next === undefined) return found;
    found = next;
  }
  return found;
}

function bind(to: CelType, from: CelType, known: Substitution): Substitution | undefined {
  if (to.kind === 'param' && from.kind === 'param' && to.name === from.name) return known;
  const [param, type] = to.kind === 'param' ? [to, from] : [from, to];
  if (param.kind !== 'param') return undefined;
  if (mentions(type, param.name, known)) return undefined;
  return new Map(known).set(param.name, type);
}

function mentions(type: CelType, name: string, known: Substitution): boolean {
  const found = resolve(type, known);
  switch (found.kind) {
    case 'param':
      return found.name === name;
    case 'list':
      return mentions(found.element, name, known);
    case 'map':
      return mentions(found.key, name, known) || mentions(found.value, name, known);
    case 'opaque':
      return found.params.some((param) => mentions(param, name, known));
    default:
      return false;
  }
}

export function isDynOrError(type: CelType): boolean {
  return type.kind === 'dyn' || type.kind === 'error';
}

function isNullable(type: CelType): boolean {
  if (type.kind === 'object' || type.kind === 'opaque') return true;
  return type.kind === 'named' && /^(google\.protobuf|null_type)/.test(type.name);
}

/** The more general of two types of which one can be assigned to the other. */
export function moreGeneral(a: CelType, b: CelType, known: Substitution): CelType {
  const [x, y] = [resolve(a, known), resolve(b, known)];
  if (x.kind === 'dyn' || x.kind === 'param') return a;
  if (y.kind === 'dyn' || y.kind === 'param') return b;
  // A list of anything is more general than a list of something.
  return substitute(a, known, true).kind === 'dyn' || isLooser(y, x, known) ? b : a;
}

function isLooser(a: CelType, b: CelType, known: Substitution): boolean {
  if (a.kind === 'list' && b.kind === 'list') {
    return resolve(a.element, known).kind === 'dyn' && resolve(b.element, known).kind !== 'dyn';
  }
  return b.kind === 'named' && b.name === 'null_type' && a.kind !== 'named';
}

/** A type as declarations write it: `map(string, A)`, `optional(int)`, `timestamp`; capitals of one letter are parameters. */
export function parseType(text: string): CelType {
  const open = text.indexOf('(');
  if (open > 0) {
    const name = text.slice(0, open);
    const params = splitTypes(text.slice(open + 1, -1)).map(parseType);
    const [first = DYN, second = DYN] = params;
    if (name === 'list') return listOf(first);
    if (name === 'map') return mapOf(first, second);
    if (name === 'type') return { kind: 'type', of: first };
    return { kind: 'opaque', name: name === 'optional' ? 'optional_type' : name, params };
  }
  if (text === 'dyn') return DYN;
  if (/^[A-Z]$/.test(text)) return { kind: 'param', name: text };
  const long = { timestamp: 'google.protobuf.Timestamp', duration: 'google.protobuf.Duration' };
  return named(long[text as keyof typeof long] ?? text);
}

/** Types between commas, each whole. */
export function splitTypes(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === ',' && depth === 0) {
      found.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start).trim();
  return last === '' ? found : [...found, last];
}
