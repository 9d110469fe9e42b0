import {
  ArrayList,
  actualSize,
  addRanges,
  type CallEstimate,
  CelDuration,
  CelError,
  CelExtension,
  type CelFunction,
  type CelLibrary,
  CelList,
  CelMap,
  CelOptional,
  CelUint,
  type CostNode,
  type CostRange,
  type CostSizes,
  celPattern,
  compareCel,
  type CelExpr as Expr,
  fixedRange,
  isEqualCel,
  multiplyRanges,
  noSuchOverload,
  scaleRange,
  type CelRuntimeValue as Value,
} from '@capstan/lib-expressions';
import { AUTHORIZATION_TYPES, authorizationFunctions } from './authorization.ts';
import { NamedFormat } from './formats.ts';
import { networkFunctions } from './network.ts';
import { quantityFunctions } from './quantities.ts';
import { urlFunctions } from './urls.ts';
import { semverFunctions } from './versions.ts';

const SUMMABLE = ['int', 'uint', 'double', 'duration'];
const COMPARABLE = [...SUMMABLE, 'bool', 'timestamp', 'string', 'bytes'];

/**
 * The functions that the API server adds to CEL (k8s.io/apiserver/pkg/cel/library, those of a server of 1.36), and what they
 * and some of the standard ones cost.
 */
export const KUBERNETES: readonly CelLibrary[] = [
  {
    functions: { ...listFunctions(), ...patternFunctions(), ...NamedFormat.functions() },
    objectTypes: ['kubernetes.NamedFormat'],
    cost: (call, args, result) => callCost(call, args, result),
    estimate: (call, sizes) => estimateCall(call, sizes),
    validate: (call) => patternOf(call),
  },
  { functions: urlFunctions(), types: ['kubernetes.URL'], objectTypes: ['kubernetes.URL'] },
  {
    functions: quantityFunctions(),
    types: ['kubernetes.Quantity'],
    objectTypes: ['kubernetes.Quantity'],
  },
  { functions: networkFunctions(), types: ['net.IP', 'net.CIDR'] },
  {
    functions: semverFunctions(),
    types: ['kubernetes.Semver'],
    objectTypes: ['kubernetes.Semver'],
  },
  { functions: authorizationFunctions(), objectTypes: AUTHORIZATION_TYPES },
];

function listOf(value: Value | undefined): CelList {
  if (value instanceof CelList) return value;
  throw noSuchOverload();
}

function listFunctions(): Record<string, CelFunction> {
  const extreme = (name: string, sign: 1 | -1): CelFunction => ({
    overloads: COMPARABLE.map(
      (type) => `list_${type}_${name}_${type}: list(${type}).() -> ${type}`,
    ),
    call: ([list]) => {
      const [first, ...rest] = listOf(list);
      if (first === undefined) throw new CelError(`${name} called on empty list`);
      return rest.reduce((best, item) => (compareCel(item, best) * sign > 0 ? item : best), first);
    },
  });
  const place = (name: string, find: (items: readonly Value[], item: Value) => number) => ({
    overloads: [`list_a_${name}_int: list(A).(A) -> int`],
    call: ([list, item = null]: readonly Value[]) => BigInt(find([...listOf(list)], item)),
  });
  return {
    isSorted: {
      overloads: COMPARABLE.map((type) => `list_${type}_is_sorted_bool: list(${type}).() -> bool`),
      call: ([list]) => {
        const items = [...listOf(list)];
        return items.every((item, i) => i === 0 || compareCel(items[i - 1] ?? null, item) <= 0);
      },
    },
    sum: {
      overloads: SUMMABLE.map((type) => `list_${type}_sum_${type}: list(${type}).() -> ${type}`),
      call: ([list], overload) => [...listOf(list)].reduce(plus, zeroOf(overload)),
    },
    max: extreme('max', 1),
    min: extreme('min', -1),
    indexOf: place('index_of', (items, item) => items.findIndex((one) => isEqualCel(one, item))),
    lastIndexOf: place('last_index_of', (items, item) =>
      items.findLastIndex((one) => isEqualCel(one, item)),
    ),
  };
}

function zeroOf(overload: string): Value {
  if (overload.includes('double')) return 0;
  if (overload.includes('uint')) return new CelUint(0n);
  return overload.includes('duration') ? new CelDuration(0n) : 0n;
}

function plus(a: Value, b: Value): Value {
  if (typeof b === 'number') return Number(a) + b;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a + b;
  if (b instanceof CelUint) return new CelUint((a instanceof CelUint ? a.value : 0n) + b.value);
  if (b instanceof CelDuration) {
    return new CelDuration((a instanceof CelDuration ? a.nanos : 0n) + b.nanos);
  }
  throw noSuchOverload();
}

function patternFunctions(): Record<string, CelFunction> {
  const matches = (text: Value | undefined, regex: Value | undefined, limit: number): string[] => {
    if (typeof text !== 'string' || typeof regex !== 'string') throw noSuchOverload();
    const matcher = compiled(regex).matcher(text);
    const found: string[] = [];
    while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '');
    return found;
  };
  return {
    find: {
      overloads: ['string_find_string: string.(string) -> string'],
      call: ([text, regex]) => matches(text, regex, 1)[0] ?? '',
    },
    findAll: {
      overloads: [
        'string_find_all_string: string.(string) -> list(string)',
        'string_find_all_string_int: string.(string, int) -> list(string)',
      ],
      call: ([text, regex, limit]) =>
        new ArrayList(matches(text, regex, typeof limit === 'bigint' ? Number(limit) : -1)),
    },
    'jsonpatch.escapeKey': {
      overloads: ['string_jsonpatch_escapeKey_string: (string) -> string'],
      call: ([key]) => {
        if (typeof key !== 'string') throw noSuchOverload();
        return key.replaceAll('~', '~0').replaceAll('/', '~1');
      },
    },
  };
}

/** A literal pattern is compiled with the expression. */
function patternOf({ name, args }: { readonly name: string; readonly args: readonly Expr[] }) {
  const [regex] = args;
  if ((name !== 'find' && name !== 'findAll') || regex?.kind !== 'literal') return undefined;
  if (typeof regex.value !== 'string') return undefined;
  try {
    celPattern(regex.value);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function compiled(regex: string): ReturnType<typeof celPattern> {
  try {
    return celPattern(regex);
  } catch (error) {
    throw new CelError(`Illegal regex: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const TRAVERSAL = 0.1;
const PATTERN = 0.25;

/** Functions by what they cost when they run. */
const STEPS = new Set(
  'serviceAccount path group resource subresource namespace name allowed reason error errored masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery'.split(
    ' ',
  ),
);
const LIST_WALKS = new Set(['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf']);
const ONCE = new Set(
  'url lowerAscii upperAscii substring trim jsonpatch.escapeKey cidr isIP isCIDR quantity isQuantity semver isSemver'.split(
    ' ',
  ),
);
const TWICE = new Set(['replace', 'split', 'ip.isCanonical']);
const CHECK_COST = 350_000;
/** All that has a price of its own. */
const PRICED: ReadonlySet<string> = new Set([
  ...STEPS,
  ...LIST_WALKS,
  ...ONCE,
  ...TWICE,
  ...'check fieldSelector labelSelector join find findAll ip containsIP containsCIDR validate _==_'.split(
    ' ',
  ),
]);

function callCost(
  { name }: { readonly name: string },
  args: readonly Value[],
  result: Value,
): number | undefined {
  if (!PRICED.has(name)) return undefined;
  const [first = null, second = null] = args;
  if (STEPS.has(name)) return 1;
  const size = actualSize(first);
  if (LIST_WALKS.has(name)) return traversal(first);
  if (ONCE.has(name)) return Math.ceil(size * TRAVERSAL);
  if (TWICE.has(name)) return Math.ceil(size * 2 * TRAVERSAL);
  switch (name) {
    case 'check':
      return CHECK_COST;
    case 'fieldSelector':
    case 'labelSelector':
      return selectorCost(fixedRange(actualSize(second))).max;
    case 'join':
      return Math.ceil(actualSize(result) * 2 * TRAVERSAL);
    case 'find':
    case 'findAll':
      return Math.ceil((1 + size) * TRAVERSAL) * Math.ceil(actualSize(second) * PATTERN);
    case 'ip':
      return typeof first === 'string' ? Math.ceil(size * TRAVERSAL) : 1;
    case 'containsIP':
    case 'containsCIDR':
      return containsCost(name, size, second);
    case 'validate':
      if (!(first instanceof NamedFormat)) return undefined;
      return (
        Math.ceil((1 + actualSize(second)) * TRAVERSAL) * Math.ceil(first.patternSize * PATTERN)
      );
    case '_==_':
      return first instanceof CelExtension ? 1 : undefined;
    default:
      return undefined;
  }
}

function containsCost(name: string, size: number, other: Value): number {
  let cost = Math.ceil((size + size) * TRAVERSAL);
  if (name === 'containsCIDR') cost += Math.ceil(size * TRAVERSAL) + 1;
  if (typeof other === 'string') cost += Math.ceil(actualSize(other) * TRAVERSAL);
  return cost;
}

/** Going through a value once. */
function traversal(value: Value): number {
  if (typeof value === 'string') return Math.floor(Buffer.byteLength(value) * TRAVERSAL);
  if (value instanceof Uint8Array) return Math.floor(value.length * TRAVERSAL);
  if (value instanceof CelList)
    return [...value].reduce((sum: number, item) => sum + traversal(item), 0);
  if (value instanceof CelMap) {
    let sum = 0;
    for (const key of value.keys()) sum += traversal(key) + traversal(value.get(key) ?? null);
    return sum;
  }
  return value instanceof CelOptional ? 1 : 1;
}

/** A selector is read once, and makes a requirement for every two characters. */
function selectorCost(length: CostRange): CostRange {
  const requirements = scaleRange(scaleRange(length, 0.5), 50);
  return addRanges(addRanges(fixedRange(10), scaleRange(length, TRAVERSAL)), requirements);
}

interface Call {
  readonly name: string;
  readonly overload: string;
  readonly target: CostNode | undefined;
  readonly args: readonly CostNode[];
}

const ADDRESS_SIZE: CostRange = { min: 4, max: 16 };
const FORMAT_PATTERN_MAX = 128;

function estimateCall(call: Call, sizes: CostSizes): CallEstimate | undefined {
  const { name, overload, target, args } = call;
  const [first] = args;
  if (STEPS.has(name)) return { cost: fixedRange(1) };
  if (LIST_WALKS.has(name)) return target === undefined ? undefined : walkEstimate(target, sizes);
  const subject = target ?? first;
  if (overload === 'cidr_ip') return { cost: fixedRange(1) };
  if (ONCE.has(name) || name === 'ip') {
    if (subject === undefined) return undefined;
    const size = sizes.of(subject);
    const keeps = /^(url|lowerAscii|upperAscii|substring|trim|jsonpatch\.escapeKey)$/.test(name);
    return { cost: scaleRange(size, TRAVERSAL), ...(keeps ? { size } : {}) };
  }
  switch (name) {
    case 'check':
      return { cost: fixedRange(CHECK_COST) };
    case 'fieldSelector':
    case 'labelSelector':
      return first === undefined ? undefined : { cost: selectorCost(sizes.of(first)) };
    case 'ip.isCanonical':
      return first && { cost: scaleRange(sizes.of(first), 2 * TRAVERSAL) };
    case 'containsIP':
    case 'containsCIDR':
      return first && { cost: containsEstimate(call, sizes) };
    case 'validate':
      return (
        first && {
          cost: scaleRange(scaleRange(sizes.of(first), TRAVERSAL), FORMAT_PATTERN_MAX * PATTERN),
        }
      );
    case '_==_':
      return equalityEstimate(args);
    default:
      return textEstimate(call, sizes);
  }
}

function containsEstimate({ name, overload, args }: Call, sizes: CostSizes): CostRange {
  let cost = scaleRange(addRanges(ADDRESS_SIZE, ADDRESS_SIZE), TRAVERSAL);
  if (name === 'containsCIDR') {
    cost = addRanges(addRanges(cost, scaleRange(ADDRESS_SIZE, TRAVERSAL)), fixedRange(1));
  }
  const [first] = args;
  if (first !== undefined && overload.endsWith('_string')) {
    cost = addRanges(cost, scaleRange(sizes.of(first), TRAVERSAL));
  }
  return cost;
}

const OWN_TYPES =
  /^(net\.(IP|CIDR)|kubernetes\.(Quantity|URL|Semver|NamedFormat|authorization\..*))$/;

function equalityEstimate([left, right]: readonly CostNode[]): CallEstimate | undefined {
  const names = [left, right].map((node) =>
    node !== undefined && 'name' in node.type ? node.type.name : undefined,
  );
  const [name] = names;
  if (name === undefined || name !== names[1] || !OWN_TYPES.test(name)) return undefined;
  const max = name === 'kubernetes.NamedFormat' ? Math.ceil(64 * TRAVERSAL) : 1;
  return { cost: { min: 1, max } };
}

function walkEstimate(target: CostNode, sizes: CostSizes): CallEstimate {
  const element = sizes.elementOf(target);
  if (element === undefined) return { cost: scaleRange(sizes.of(target), TRAVERSAL) };
  const isText =
    element.type.kind === 'named' &&
    (element.type.name === 'string' || element.type.name === 'bytes');
  const each = isText
    ? addRanges(fixedRange(1), scaleRange(sizes.of(element), TRAVERSAL))
    : fixedRange(1);
  return { cost: multiplyRanges(sizes.of(target), each) };
}

function textEstimate({ name, target, args }: Call, sizes: CostSizes): CallEstimate | undefined {
  if (target === undefined) return undefined;
  const size = sizes.of(target);
  const [first, second] = args;
  switch (name) {
    case 'replace': {
      if (first === undefined || second === undefined) return undefined;
      const made = replacedSize(size, sizes.of(first), sizes.of(second));
      return { cost: scaleRange(size, 2 * TRAVERSAL), size: made };
    }
    case 'split': {
      const limit = second?.expr?.kind === 'literal' ? second.expr.value : undefined;
      const max = typeof limit === 'bigint' ? Number(limit) : size.max;
      return { cost: scaleRange(size, 2 * TRAVERSAL), size: { min: 0, max } };
    }
    case 'join': {
      const made = joinedSize(target, first, sizes);
      return { cost: scaleRange(made, TRAVERSAL), size: made };
    }
    case 'find':
    case 'findAll': {
      if (first === undefined) return undefined;
      const text = scaleRange(addRanges(size, fixedRange(1)), TRAVERSAL);
      const cost = multiplyRanges(text, scaleRange(sizes.of(first), PATTERN));
      return { cost, size: { min: 0, max: size.max } };
    }
    default:
      return undefined;
  }
}

function joinedSize(list: CostNode, separator: CostNode | undefined, sizes: CostSizes): CostRange {
  const count = sizes.of(list);
  const element = sizes.elementOf(list);
  const own = element === undefined ? fixedRange(0) : multiplyRanges(count, sizes.of(element));
  if (separator === undefined) return own;
  const between = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) };
  return addRanges(own, multiplyRanges(sizes.of(separator), between));
}

function replacedSize(size: CostRange, from: CostRange, to: CostRange): CostRange {
  const kept = { min: 0, max: 0 };
  const count = { min: 0, max: 0 };
  if (from.min === 0) {
    count.max = size.max + 1;
    kept.max = size.max;
  } else if (to.max <= from.min) kept.max = size.max;
  else count.max = Math.ceil(size.max / from.min);
  if (from.max === 0) {
    count.min = size.min + 1;
    kept.min = size.min;
  } else if (from.max <= to.min) kept.min = size.min;
  else count.min = Math.ceil(size.min / from.max);
  return addRanges(multiplyRanges(count, to), kept);
}
