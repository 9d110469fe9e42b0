import type { CallExpr, ComprehensionExpr, Expr, SelectExpr } from './ast.ts';
import { type Checked, qualifiedName } from './check.ts';
import { constantOf, isConversion } from './constants.ts';
import { PATTERN, TRAVERSAL } from './cost-types.ts';
import type { CelLibrary, Functions } from './functions.ts';
import { noOverload } from './unfit.ts';
import {
  ArrayList,
  CelError,
  CelExtension,
  CelList,
  CelMap,
  type CelValue,
  EntryMap,
  isEqual,
  numeric,
  Optional,
  sizeOf,
  TypeValue,
  typeNameOf,
} from './values.ts';

/** What an expression has cost is more than it may. */
export class CostExceeded extends Error {}

export interface EvaluateOptions {
  readonly functions: Functions;
  readonly libraries: readonly CelLibrary[];
  /** The value of a variable; undefined: there is none. */
  variable(name: string): CelValue | undefined;
  readonly costMax: number;
  /** Makes what `Name{…}` says. */
  makeMessage?(name: string, fields: ReadonlyMap<string, CelValue>): CelValue;
}

export interface Evaluated {
  /** The value, or why there is none. */
  readonly outcome: { readonly value: CelValue } | { readonly error: string };
  /** In cel-go's units. */
  readonly cost: number;
  readonly isCostExceeded?: boolean;
}

/** Runs a checked expression. Each step counts what cel-go's tracker counts (interpreter/runtimecost.go). */
export function evaluateCel(checked: Checked, options: EvaluateOptions): Evaluated {
  const run = new Run(checked, options);
  try {
    return { outcome: { value: run.value(checked.expr) }, cost: run.cost };
  } catch (error) {
    if (error instanceof CostExceeded) {
      const message = 'operation cancelled: actual cost limit exceeded';
      return { outcome: { error: message }, cost: run.cost, isCostExceeded: true };
    }
    if (error instanceof CelError) return { outcome: { error: error.message }, cost: run.cost };
    throw error;
  }
}

const NO_OVERLOAD = 'no such overload';
type Price = (a: number, b: number) => number;

/** By overload, of the sizes of the first two arguments; all others cost 1. */
const PRICES: ReadonlyMap<string, Price> = new Map([
  ...each(
    'starts_with_string ends_with_string string_to_bytes bytes_to_string strings_quote string_format',
    (a) => Math.ceil(a * TRAVERSAL),
  ),
  ...each(
    'equals not_equals less_string less_bytes less_equals_string less_equals_bytes greater_string greater_bytes greater_equals_string greater_equals_bytes',
    (a, b) => Math.ceil(Math.min(a, b) * TRAVERSAL),
  ),
  ...each('add_string add_bytes', (a, b) => Math.ceil((a + b) * TRAVERSAL)),
  ...each('matches_string', (a, b) => Math.ceil((1 + a) * TRAVERSAL) * Math.ceil(b * PATTERN)),
  ...each('contains_string', (a, b) => Math.ceil(a * TRAVERSAL) * Math.ceil(b * TRAVERSAL)),
]);

function each(overloads: string, price: Price): [string, Price][] {
  return overloads.split(' ').map((overload) => [overload, price]);
}

class Run {
  cost = 0;
  readonly #checked: Checked;
  readonly #options: EvaluateOptions;
  readonly #locals = new Map<string, (CelValue | CelError)[]>();
  readonly #constants = new Map<Expr, CelValue | undefined>();
  /** Those of the libraries that say what calls cost. */
  readonly #priced: readonly CelLibrary[];

  constructor(checked: Checked, options: EvaluateOptions) {
    this.#checked = checked;
    this.#options = options;
    this.#priced = options.libraries.filter(({ cost }) => cost !== undefined);
  }

  #spend(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#options.costMax) throw new CostExceeded();
  }

  value(expr: Expr): CelValue {
    switch (expr.kind) {
      case 'literal':
        return expr.value;
      case 'ident':
        return this.#ident(expr.name);
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      case 'comprehension':
        return this.#loop(expr);
    }
  }

  #isType(name: string): boolean {
    return isType(name) || this.#options.functions.types.has(name);
  }

  #ident(name: string): CelValue {
    const local = this.#locals.get(name)?.at(-1);
    const isType = local === undefined && this.#isType(name);
    // The name of a type is a constant.
    if (!isType || this.#options.variable(name) !== undefined) this.#spend(1);
    if (local instanceof CelError) throw local;
    if (local !== undefined) return local;
    const found = this.#options.variable(name);
    if (found !== undefined) return found;
    if (isType) return new TypeValue(name);
    throw new CelError(`no such attribute(s): ${name}`);
  }

  #select(expr: SelectExpr): CelValue {
    const qualified = this.#checked.qualified.get(expr);
    if (qualified !== undefined) return this.#ident(qualified);
    const operand = this.#operand(expr.operand, expr);
    if (operand instanceof Optional) {
      const inner = operand.value;
      if (inner === undefined) return expr.testOnly ? false : operand;
      const found = field(inner, expr.field);
      if (expr.testOnly) return found !== undefined;
      this.#spend(1);
      return new Optional(found);
    }
    if (!expr.testOnly) this.#spend(1);
    const found = field(operand, expr.field);
    if (expr.testOnly) return found !== undefined;
    if (found === undefined) throw new CelError(`no such key: ${expr.field}`);
    return found;
  }

  /** What stands before a field or an index; what is no variable itself costs one more. */
  #operand(expr: Expr, whole: Expr): CelValue {
    const value = this.#named(expr, whole);
    if (!isAttribute(expr) && !(whole.kind === 'select' && whole.testOnly)) this.#spend(1);
    return value;
  }

  /** A variable that is not there is told with the fields that were asked of it. */
  #named(expr: Expr, whole: Expr): CelValue {
    try {
      return this.value(expr);
    } catch (error) {
      // A test counts the fields that it goes through, not the variable, when one of them is missing.
      if (whole.kind === 'select' && whole.testOnly && isAttribute(expr)) this.cost -= 1;
      const path = qualifiedName(expr);
      const isMissing =
        error instanceof CelError && error.message === `no such attribute(s): ${path}`;
      if (!isMissing || whole.kind !== 'select') throw error;
      throw new CelError(`no such attribute(s): ${path}.${whole.field}`);
    }
  }

  #list(expr: Expr & { kind: 'list' }): CelValue {
    const constant = this.#constant(expr);
    if (constant !== undefined) return constant;
    const items: CelValue[] = [];
    for (const [i, element] of expr.elements.entries()) {
      const value = this.#part(element, 10);
      if (!expr.optional.has(i)) items.push(value);
      else if (value instanceof Optional) {
        if (value.value !== undefined) items.push(value.value);
      } else throw new CelError(`cannot initialize optional list element from non-optional value`);
    }
    this.#spend(10);
    return new ArrayList(items);
  }

  /** A part of what is made: that costs the same when a part fails. */
  #part(expr: Expr, cost: number): CelValue {
    try {
      return this.value(expr);
    } catch (error) {
      if (error instanceof CelError) this.#spend(cost);
      throw error;
    }
  }

  /** Lists and maps of literals are made once, and cost nothing. */
  #constant(expr: Expr): CelValue | undefined {
    if (this.#constants.has(expr)) return this.#constants.get(expr);
    const made = constantOf(expr, (name, value) => this.#apply(name, [value], ''));
    this.#constants.set(expr, made);
    return made;
  }

  #map(expr: Expr & { kind: 'map' }): CelValue {
    const constant = this.#constant(expr);
    if (constant !== undefined) return constant;
    const entries: [CelValue, CelValue][] = [];
    for (const { key, value, optional } of expr.entries) {
      const name = this.#part(key, 30);
      const given = this.#part(value, 30);
      if (!optional) entries.push([name, given]);
      else if (given instanceof Optional) {
        if (given.value !== undefined) entries.push([name, given.value]);
      } else throw new CelError(`cannot initialize optional entry from non-optional value`);
    }
    this.#spend(30);
    return new EntryMap(entries);
  }

  #struct(expr: Expr & { kind: 'struct' }): CelValue {
    const fields = new Map<string, CelValue>();
    for (const { name, value, optional } of expr.fields) {
      const given = this.value(value);
      if (optional && given instanceof Optional) {
        if (given.value !== undefined) fields.set(name, given.value);
      } else fields.set(name, given);
    }
    this.#spend(40);
    const made = this.#options.makeMessage?.(expr.name, fields);
    if (made === undefined) throw new CelError(`unknown type: ${expr.name}`);
    return made;
  }

  #call(expr: CallExpr): CelValue {
    switch (expr.name) {
      case '_&&_':
        return this.#logical(expr, false);
      case '_||_':
        return this.#logical(expr, true);
      case '_?_:_':
        return this.#conditional(expr);
      case '@not_strictly_false':
        return this.#notStrictlyFalse(expr);
      case '_[_]':
      case '_[?_]':
      case '_?._':
        return this.#index(expr);
      case '@in':
        return this.#in(expr);
      case 'or':
      case 'orValue':
        return this.#or(expr);
      default:
        return this.#function(expr);
    }
  }

  /** Either side may fail when the other one decides. */
  #logical(expr: CallExpr, decisive: boolean): CelValue {
    let problem: CelError | undefined;
    for (const side of expr.args) {
      const value = this.#attempt(side);
      if (value === decisive) return decisive;
      if (value instanceof CelError) problem ??= value;
      else if (typeof value !== 'boolean') problem ??= new CelError('no such overload');
    }
    if (problem !== undefined) throw problem;
    return !decisive;
  }

  #attempt(expr: Expr): CelValue | CelError {
    try {
      return this.value(expr);
    } catch (error) {
      if (error instanceof CelError) return error;
      throw error;
    }
  }

  #conditional(expr: CallExpr): CelValue {
    const [condition, yes, no] = expr.args;
    const value = this.value(condition as Expr);
    if (typeof value !== 'boolean') throw new CelError('no such overload');
    return this.#branch((value ? yes : no) as Expr);
  }

  /** A variable that is a branch, or an index, is looked up as a part of the whole: its own step is not counted. */
  #branch(expr: Expr): CelValue {
    const value = this.value(expr);
    if (isAttribute(expr) && !isTypeName(expr)) this.cost -= 1;
    return value;
  }

  #notStrictlyFalse(expr: CallExpr): CelValue {
    const value = this.#attempt(expr.args[0] as Expr);
    this.#spend(1);
    return value !== false;
  }

  #index(expr: CallExpr): CelValue {
    const [target, place] = expr.args as readonly [Expr, Expr];
    const operand = this.#operand(target, expr);
    const key = this.#branch(place);
    if (expr.name === '_[_]' && !(operand instanceof Optional)) {
      this.#spend(1);
      return itemOf(operand, key);
    }
    const inner = operand instanceof Optional ? operand.value : operand;
    if (inner === undefined) return new Optional();
    const isField = expr.name === '_?._';
    const found = isField ? field(inner, String(key)) : findItem(inner, key);
    if (found !== undefined) this.#spend(1);
    return new Optional(found);
  }

  #in(expr: CallExpr): CelValue {
    const [item, list] = expr.args as readonly [Expr, Expr];
    const wanted = this.value(item);
    const isSet = list.kind === 'list' && list.elements.every(isPrimitive);
    const found = this.value(list);
    if (found instanceof CelMap) {
      this.#spend(1);
      return found.get(wanted) !== undefined;
    }
    if (!(found instanceof CelList)) throw new CelError('no such overload');
    if (!isSet) {
      const isList = this.#overload(expr) === 'in_list';
      this.#spend(isList ? found.size : 1);
    }
    for (const one of found) if (isEqual(wanted, one)) return true;
    return false;
  }

  #or(expr: CallExpr): CelValue {
    const value = this.value(expr.target as Expr);
    // What is no optional stands for itself.
    if (!(value instanceof Optional)) return value;
    const other = expr.args[0] as Expr;
    if (value.value !== undefined) return expr.name === 'or' ? value : value.value;
    return this.value(other);
  }

  #overload(expr: CallExpr): string {
    const overloads = this.#checked.overloads.get(expr) ?? [];
    return overloads.length === 1 ? (overloads[0] ?? '') : '';
  }

  #function(expr: CallExpr): CelValue {
    const qualified = this.#checked.qualified.get(expr);
    const name = qualified ?? expr.name;
    const words =
      qualified === undefined && expr.target !== undefined
        ? [expr.target, ...expr.args]
        : expr.args;
    const constant = this.#constant(expr);
    if (constant !== undefined) return constant;
    const args: CelValue[] = [];
    let failed: CelError | undefined;
    for (const word of words) {
      const value = this.#attempt(word);
      if (!(value instanceof CelError)) args.push(value);
      else {
        // With three and more the first that fails ends the call; with less the other one is evaluated as well.
        if (words.length > 2) throw value;
        failed ??= value;
        args.push(null);
      }
    }
    if (failed !== undefined) {
      this.#spend(this.#callCost(name, this.#overload(expr), args, null));
      throw failed;
    }
    let result: CelValue | undefined;
    let problem: unknown;
    try {
      result = this.#apply(name, args, this.#overload(expr), words);
    } catch (error) {
      problem = error;
    }
    this.#spend(this.#callCost(name, this.#overload(expr), args, result ?? null));
    if (problem !== undefined) throw problem;
    return result as CelValue;
  }

  #apply(
    name: string,
    args: readonly CelValue[],
    overload: string,
    words: readonly Expr[] = [],
  ): CelValue {
    const calls = this.#options.functions.calls(name);
    for (const [i, call] of calls.entries()) {
      try {
        return call(args, overload);
      } catch (error) {
        // Another library may know the name for these arguments.
        const isOther = error instanceof CelError && error.message === NO_OVERLOAD;
        if (!isOther) throw error;
        if (i === calls.length - 1) break;
      }
    }
    throw noOverload(name, args, { functions: this.#options.functions, words });
  }

  #callCost(name: string, overload: string, args: readonly CelValue[], result: CelValue): number {
    for (const library of this.#priced) {
      const cost = library.cost?.({ name, overload }, args, result);
      if (cost !== undefined) return cost;
    }
    const price = PRICES.get(overload);
    if (price === undefined) return 1;
    const [a = null, b = null] = args;
    return price(actualSize(a), actualSize(b));
  }

  #loop(expr: ComprehensionExpr): CelValue {
    const range = this.value(expr.range);
    const isPair = expr.variable2 !== undefined;
    if (!(range instanceof CelList) && !(range instanceof CelMap)) {
      throw new CelError('no such overload');
    }
    const keys = range instanceof CelMap ? [...range.keys()] : undefined;
    const count = keys?.length ?? range.size;
    let accumulated: CelValue | CelError = this.#attempt(expr.init);
    const result = this.#stackOf(expr.accumulator);
    const first = this.#stackOf(expr.variable);
    const second = expr.variable2 === undefined ? undefined : this.#stackOf(expr.variable2);
    const [atResult, atFirst, atSecond] = [result.length, first.length, second?.length ?? 0];
    try {
      for (let i = 0; i < count; i++) {
        const key = keys?.[i] ?? BigInt(i);
        const value = range instanceof CelMap ? (range.get(key) ?? null) : range.at(i);
        // An error stays in the accumulator until a later element decides.
        result[atResult] = accumulated;
        first[atFirst] = isPair || keys !== undefined ? key : value;
        if (second !== undefined) second[atSecond] = value;
        if (this.#attempt(expr.condition) === false) break;
        accumulated = this.#attempt(expr.step);
      }
    } finally {
      first.length = atFirst;
      if (second !== undefined) second.length = atSecond;
      result.length = atResult;
    }
    result.push(accumulated);
    const made = this.#attempt(expr.result);
    result.length = atResult;
    if (made instanceof CelError) throw made;
    return made;
  }

  /** The values of a local variable, the innermost last. */
  #stackOf(name: string): (CelValue | CelError)[] {
    let stack = this.#locals.get(name);
    if (stack === undefined) {
      stack = [];
      this.#locals.set(name, stack);
    }
    return stack;
  }
}

function isTypeName(expr: Expr): boolean {
  return expr.kind === 'ident' && isType(expr.name);
}

const TYPES: ReadonlySet<string> = new Set([
  'list',
  'map',
  'null_type',
  'optional_type',
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
]);

function isType(name: string): boolean {
  return TYPES.has(name) || isConversion(name);
}

function isAttribute(expr: Expr): boolean {
  if (expr.kind === 'ident') return true;
  if (expr.kind === 'select') return !expr.testOnly && isAttribute(expr.operand);
  if (expr.kind !== 'call') return false;
  const isIndex = expr.name === '_[_]' || expr.name === '_[?_]' || expr.name === '_?._';
  return isIndex && isAttribute(expr.args[0] as Expr);
}

function isPrimitive(expr: Expr): boolean {
  return (
    expr.kind === 'literal' && (typeof expr.value !== 'object' || numeric(expr.value) !== undefined)
  );
}

/** Of an object or a map; `undefined` when it has no such field, as of all that has none. */
function field(value: CelValue, name: string): CelValue | undefined {
  if (value instanceof CelList) throw badIndex(name);
  return value instanceof CelMap ? value.get(name) : undefined;
}

function itemOf(value: CelValue, key: CelValue): CelValue {
  const found = findItem(value, key);
  if (found !== undefined) return found;
  const what = value instanceof CelList ? 'index out of bounds' : 'no such key';
  throw new CelError(`${what}: ${showKey(key)}`);
}

function findItem(value: CelValue, key: CelValue): CelValue | undefined {
  if (value instanceof CelMap) return value.get(key);
  if (!(value instanceof CelList)) return undefined;
  const index = numeric(key);
  if (index === undefined || (typeof index === 'number' && !Number.isInteger(index))) {
    throw badIndex(key);
  }
  return index < 0 || index >= value.size ? undefined : value.at(Number(index));
}

function badIndex(key: CelValue): CelError {
  return typeof key === 'number'
    ? new CelError(`unsupported index value ${key} in list`)
    : new CelError(`unsupported index type '${typeNameOf(key)}' in list`);
}

function showKey(key: CelValue): string {
  const number = numeric(key);
  return number === undefined ? String(key) : String(number);
}

/** The length of a text, list or map, and 1 of all else. */
export function actualSize(value: CelValue): number {
  if (value instanceof Optional) return value.value === undefined ? 1 : actualSize(value.value);
  if (typeof value === 'object' && value !== null && value instanceof CelExtension) {
    return value.size;
  }
  return sizeOf(value) ?? 1;
}
