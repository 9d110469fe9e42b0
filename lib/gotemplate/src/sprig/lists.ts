import { deepEqual } from '../compare.ts';
import { listOf } from '../map.ts';
import {
  type CallContext,
  GoError,
  type GoFunc,
  GoNil,
  type GoValue,
  INTS,
  int,
  LIST,
  LISTS,
  sliceType,
  typedSlice,
  typeOf,
} from '../value.ts';
import { toInt64 } from './convert.ts';
import { isEmpty } from './defaults.ts';
import {
  anything,
  boundItems,
  count,
  type Functions,
  fixed,
  nilDereference,
  runtimeError,
  variadic,
} from './define.ts';

/** Sprig's lists. Each function has its must form, which differs in nothing that a template sees. */
export function listFunctions(): Functions {
  const list = variadic([], anything, (items) => [...items]);
  const concat = variadic([], anything, concatenate);
  const push = fixed([anything, anything], (value, item, context) => {
    const items = itemsOf(value, 'Cannot push on type');
    boundItems(items.length, 'append', context);
    return [...items, item];
  });
  return [
    ['list', list],
    ['tuple', list],
    ['concat', concat],
    ...both('append', push),
    ...both('push', push),
    ...both('prepend', fixed([anything, anything], prepend)),
    ...both(
      'first',
      fixed([anything], (value) => itemsOf(value, 'Cannot find first on type')[0] ?? null),
    ),
    ...both(
      'last',
      fixed([anything], (value) => itemsOf(value, 'Cannot find last on type').at(-1) ?? null),
    ),
    ...both(
      'rest',
      fixed([anything], (value) => part(value, 'rest', 1)),
    ),
    ...both(
      'initial',
      fixed([anything], (value) => part(value, 'initial', 0, -1)),
    ),
    ...both('reverse', fixed([anything], reverse)),
    ...both('compact', fixed([anything], compact)),
    ...both('uniq', fixed([anything], unique)),
    ...both('without', variadic([anything], anything, without)),
    ...both('has', fixed([anything, anything], has)),
    ...both('slice', variadic([anything], anything, sliceList)),
    ...both('chunk', fixed([count, anything], chunk)),
    ['until', fixed([count], (end, context) => intList(0, end, end < 0 ? -1 : 1, context))],
    ['untilStep', fixed([count, count, count], intList)],
  ];
}

function both(name: string, func: GoFunc): Functions {
  const must = `must${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return [
    [name, func],
    [must, func],
  ];
}

/** The items of a slice or array. Go panics on nil and names the kind of anything else. */
function itemsOf(value: GoValue, problem: string): readonly GoValue[] {
  if (value === null || value === undefined) throw nilDereference();
  const items = listOf(value);
  if (items === undefined) throw new GoError(`${problem} ${typeOf(value).kind}`);
  return items;
}

function prepend(value: GoValue, item: GoValue, context: CallContext): GoValue {
  const items = itemsOf(value, 'Cannot prepend on type');
  boundItems(items.length, 'prepend', context);
  return [item, ...items];
}

/** rest and initial of an empty list are a nil slice. */
function part(value: GoValue, name: string, start: number, end?: number): GoValue {
  const items = itemsOf(value, `Cannot find ${name} on type`);
  return items.length === 0 ? new GoNil(LIST) : items.slice(start, end);
}

function reverse(value: GoValue): GoValue {
  return [...itemsOf(value, 'Cannot find reverse on type')].reverse();
}

function compact(value: GoValue): GoValue {
  return itemsOf(value, 'Cannot compact on type').filter((item) => !isEmpty(item));
}

function unique(value: GoValue, context: CallContext): GoValue {
  const seen = new Set<GoValue>();
  const others: GoValue[] = [];
  return itemsOf(value, 'Cannot find uniq on type').filter((item) => {
    if (typeof item !== 'object') {
      if (seen.has(item)) return false;
      seen.add(item);
      return true;
    }
    context.spend(others.length);
    if (isIn(others, item)) return false;
    others.push(item);
    return true;
  });
}

function isIn(items: readonly GoValue[], wanted: GoValue): boolean {
  return items.some((item) => deepEqual(wanted, item));
}

function without(value: GoValue, omitted: readonly GoValue[]): GoValue {
  const items = itemsOf(value, 'Cannot find without on type');
  return items.filter((item) => !isIn(omitted, item));
}

function has(needle: GoValue, haystack: GoValue): boolean {
  if (haystack === null || haystack === undefined) return false;
  return isIn(itemsOf(haystack, 'Cannot find has on type'), needle);
}

function sliceList(value: GoValue, bounds: readonly GoValue[]): GoValue {
  const items = itemsOf(value, 'list should be type of slice or array but');
  if (items.length === 0) return null;
  const start = bounds.length > 0 ? Number(toInt64(bounds[0])) : 0;
  const end = bounds.length > 1 ? Number(toInt64(bounds[1])) : items.length;
  if (start < 0 || start > end || end > items.length) {
    throw new GoError('reflect.Value.Slice: slice index out of bounds');
  }
  if (value instanceof Uint8Array) return value.slice(start, end);
  const type = Array.isArray(value) ? sliceType(value) : LIST;
  return typedSlice(type, items.slice(start, end));
}

function concatenate(lists: readonly GoValue[], context: CallContext): GoValue {
  const out: GoValue[] = [];
  for (const list of lists) {
    if (list === null || list === undefined) throw nilDereference();
    const items = listOf(list);
    if (items === undefined) {
      throw new GoError(`Cannot concat type ${typeOf(list).kind} as list`);
    }
    boundItems(out.length + items.length, 'concat', context);
    for (const item of items) out.push(item);
  }
  return out.length === 0 ? new GoNil(LIST) : out;
}

function chunk(size: number, value: GoValue, context: CallContext): GoValue {
  const items = itemsOf(value, 'Cannot chunk type');
  if (size <= 0) throw runtimeError('makeslice: len out of range');
  boundItems(items.length, 'chunk', context);
  const chunks: GoValue[] = [];
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
  return typedSlice(LISTS, chunks);
}

function intList(start: number, stop: number, step: number, context: CallContext): GoValue {
  return typedSlice(INTS, range(start, stop, step, context).map(int));
}

/** Sprig's untilStep: a step in the wrong direction gives nothing. */
export function range(start: number, stop: number, step: number, context: CallContext): number[] {
  const down = stop < start;
  if (down ? step >= 0 : step <= 0) return [];
  boundItems(Math.ceil((stop - start) / step), 'untilStep', context);
  const out: number[] = [];
  for (let i = start; down ? i > stop : i < stop; i += step) out.push(i);
  return out;
}
