import type { CallExpr, ComprehensionExpr, Expr } from './ast.ts';
import type { Checked } from './check.ts';
import {
  add,
  type CallEstimate,
  type CostNode,
  type CostSizes,
  fixed,
  multiply,
  PATTERN,
  type Range,
  scale,
  TRAVERSAL,
  UNBOUNDED,
  UNKNOWN_SIZE,
  union,
} from './cost-types.ts';
import type { CelLibrary } from './functions.ts';
import { type CelType, DYN } from './types.ts';
import { sizeOf } from './values.ts';

export interface EstimateOptions {
  readonly libraries: readonly CelLibrary[];
  /** How long the value at a path of variables and fields may be. */
  sizeAt(path: readonly string[]): Range | undefined;
}

/**
 * What an expression may cost at most, in cel-go's units and by its rules (checker/cost.go, without cost for presence tests):
 * one for each step, the length of texts where they are gone through, and the length of lists and maps for each loop over them.
 */
export function estimateCost(checked: Checked, options: EstimateOptions): Range {
  return new Estimator(checked, options).cost(checked.expr);
}

/** Of the entries of a list or map. */
interface Entry {
  readonly isList: boolean;
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly path: readonly string[] | undefined;
  readonly size: Range | undefined;
  readonly entry: Entry | undefined;
}

const ONE = fixed(1);
const ZERO = fixed(0);
const LIST_COST = fixed(10);
const MAP_COST = fixed(30);
const STRUCT_COST = fixed(40);

class Estimator implements CostSizes {
  readonly #checked: Checked;
  readonly #options: EstimateOptions;
  readonly #paths = new Map<Expr, readonly string[] | undefined>();
  readonly #sizes = new Map<Expr, Range>();
  readonly #entries = new Map<Expr, Entry>();
  readonly #locals = new Map<string, Local[]>();

  constructor(checked: Checked, options: EstimateOptions) {
    this.#checked = checked;
    this.#options = options;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal':
        return ZERO;
      case 'ident': {
        const local = this.#local(expr.name);
        this.#paths.set(expr, local === undefined ? [expr.name] : local.path);
        return ONE;
      }
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list': {
        const size = { min: expr.elements.length === 0 ? 0 : UNBOUNDED, max: 0 };
        const [sum, value] = this.#sum(expr.elements, size);
        this.#entries.set(expr, { isList: true, key: ONE, value });
        return add(sum, LIST_COST);
      }
      case 'map':
        return this.#map(expr);
      case 'struct': {
        const values = expr.fields.map(({ value }) => value);
        return add(this.#sum(values, ZERO)[0], STRUCT_COST);
      }
      case 'comprehension':
        return isBinding(expr) ? this.#binding(expr) : this.#loop(expr);
    }
  }

  #sum(parts: readonly Expr[], start: Range): readonly [cost: Range, size: Range] {
    let sum: Range = ZERO;
    let size = start;
    for (const part of parts) {
      sum = add(sum, this.cost(part));
      size = union(size, this.#sizeOrUnknown(part));
    }
    return [sum, size];
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #push(name: string, local: Local): void {
    const known = this.#locals.get(name);
    if (known === undefined) this.#locals.set(name, [local]);
    else known.push(local);
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop();
  }

  #type(expr: Expr): CelType {
    return this.#checked.types.get(expr) ?? DYN;
  }

  #path(expr: Expr): readonly string[] | undefined {
    if (expr.kind === 'ident') {
      const local = this.#local(expr.name);
      if (local !== undefined) return local.path;
    }
    return this.#paths.get(expr);
  }

  #below(expr: Expr, ...names: readonly string[]): readonly string[] | undefined {
    return [...(this.#path(expr) ?? []), ...names];
  }

  #select(expr: Expr & { kind: 'select' }): Range {
    const qualified = this.#checked.qualified.get(expr);
    if (qualified !== undefined) {
      this.#paths.set(expr, [qualified]);
      return ONE;
    }
    const operand = this.cost(expr.operand);
    if (expr.testOnly) return operand;
    this.#paths.set(expr, this.#below(expr.operand, expr.field));
    const { kind } = this.#type(expr.operand);
    return kind === 'map' || kind === 'object' || kind === 'param' ? add(operand, ONE) : operand;
  }

  #map(expr: Expr & { kind: 'map' }): Range {
    const start = { min: expr.entries.length === 0 ? 0 : UNBOUNDED, max: 0 };
    let [key, value]: [Range, Range] = [start, start];
    let sum: Range = ZERO;
    for (const entry of expr.entries) {
      sum = add(add(sum, this.cost(entry.key)), this.cost(entry.value));
      key = union(key, this.#sizeOrUnknown(entry.key));
      value = union(value, this.#sizeOrUnknown(entry.value));
    }
    this.#entries.set(expr, { isList: false, key, value });
    return add(sum, MAP_COST);
  }

  #call(expr: CallExpr): Range {
    const [word] = expr.args;
    if (expr.name === 'dyn' && word !== undefined) {
      const cost = this.cost(word);
      this.#copySizes(expr, word);
      return add(ONE, cost);
    }
    const costs = expr.args.map((argument) => this.cost(argument));
    const words = expr.args.map((argument) => this.#node(argument));
    const overloads = this.#checked.overloads.get(expr) ?? [];
    if (overloads.length === 0) return ZERO;
    const qualified = this.#checked.qualified.get(expr);
    const target = qualified === undefined ? expr.target : undefined;
    const own = target === undefined ? ZERO : this.cost(target);
    const node = target === undefined ? undefined : this.#node(target);
    let total: Range = { min: UNBOUNDED, max: 0 };
    let size: Range | undefined;
    for (const overload of overloads) {
      const call = { expr, name: qualified ?? expr.name, overload, target: node, args: words };
      const estimate = this.#estimate(call, costs);
      total = union(total, estimate.cost);
      if (estimate.size !== undefined) {
        size = size === undefined ? estimate.size : union(size, estimate.size);
      }
      const indexed = { index_list: '@items', index_map: '@values' }[overload];
      if (indexed !== undefined && word !== undefined) {
        size = this.#entry(word)?.value;
        this.#paths.set(expr, this.#below(word, indexed));
      }
      size ??= this.#size(expr);
    }
    if (size !== undefined) this.#sizes.set(expr, size);
    return add(own, total);
  }

  #estimate(call: EstimatedCall, costs: readonly Range[]): CallEstimate {
    const sum = costs.reduce(add, ZERO);
    for (const library of this.#options.libraries) {
      const found = library.estimate?.(call, this);
      if (found !== undefined) return { ...found, cost: add(found.cost, sum) };
    }
    return this.#standard(call, costs, sum);
  }

  #standard(call: EstimatedCall, costs: readonly Range[], sum: Range): CallEstimate {
    const { overload, target, args, expr } = call;
    const [first, second] = args;
    const size = (node: CostNode | undefined): Range => node?.size ?? UNKNOWN_SIZE;
    switch (overload) {
      case 'logical_or':
      case 'logical_and': {
        const [left = ZERO, right = ZERO] = costs;
        return { cost: { min: left.min, max: add(left, right).max } };
      }
      case 'conditional': {
        const [condition = ZERO, yes = ZERO, no = ZERO] = costs;
        this.#joinEntries(expr, expr.args[1], expr.args[2]);
        return {
          cost: add(condition, union(yes, no)),
          size: union(size(second), size(args[2])),
        };
      }
      case 'starts_with_string':
      case 'ends_with_string':
        return { cost: add(scale(size(first), TRAVERSAL), sum) };
      case 'in_list':
        return { cost: add(size(second), sum) };
      case 'string_format':
        return { cost: add(scale(size(target), TRAVERSAL), sum) };
      case 'string_to_bytes': {
        const { min, max } = size(first);
        return { cost: add(scale({ min, max }, TRAVERSAL), sum), size: { min, max: max * 4 } };
      }
      case 'bytes_to_string': {
        const { min, max } = size(first);
        const made = { min: Math.floor(min / 4), max };
        return { cost: add(scale({ min, max }, TRAVERSAL), sum), size: made };
      }
      case 'strings_quote': {
        const { min, max } = size(first);
        const made = { min: min + 2, max: max * 2 + 2 };
        return { cost: add(scale({ min, max }, TRAVERSAL), sum), size: made };
      }
      case 'matches_string': {
        const text = scale(add(size(target), ONE), TRAVERSAL);
        return { cost: add(multiply(text, scale(size(first), PATTERN)), sum) };
      }
      case 'contains_string': {
        const texts = [scale(size(target), TRAVERSAL), scale(size(first), TRAVERSAL)] as const;
        return { cost: add(multiply(...texts), sum) };
      }
      default:
        return this.#operator(call, sum);
    }
  }

  #operator({ overload, args, expr }: EstimatedCall, sum: Range): CallEstimate {
    const [first, second] = args;
    const [left, right] = [first?.size ?? UNKNOWN_SIZE, second?.size ?? UNKNOWN_SIZE];
    if (/^add_(string|bytes|list)$/.test(overload)) {
      const size = add(left, right);
      this.#joinEntries(expr, expr.args[0], expr.args[1]);
      const cost = overload === 'add_list' ? ONE : scale(size, TRAVERSAL);
      return { cost: add(cost, sum), size };
    }
    if (/^(not_)?equals$|^(less|greater)(_equals)?_(string|bytes)$/.test(overload)) {
      const max = Math.min(left.max, right.max);
      return { cost: add(scale({ min: max > 0 ? 1 : 0, max }, TRAVERSAL), sum) };
    }
    return { cost: add(ONE, sum) };
  }

  #joinEntries(expr: Expr, a: Expr | undefined, b: Expr | undefined): void {
    const left = a === undefined ? undefined : this.#entry(a);
    const right = b === undefined ? undefined : this.#entry(b);
    if (left === undefined || right === undefined) return;
    this.#entries.set(expr, {
      isList: left.isList,
      key: union(left.key, right.key),
      value: union(left.value, right.value),
    });
  }

  #loop(expr: ComprehensionExpr): Range {
    const { range, init, condition, step, result } = expr;
    let sum = add(this.cost(range), this.cost(init));
    this.#push(expr.accumulator, this.#localOf(init));
    this.#pushVariables(expr);
    const each = add(this.cost(condition), this.cost(step));
    this.#pop(expr.variable);
    if (expr.variable2 !== undefined) this.#pop(expr.variable2);
    sum = add(sum, this.cost(result));
    this.#pop(expr.accumulator);
    const count = this.#sizeOrUnknown(range);
    sum = add(sum, multiply(count, each));
    if (init.kind === 'literal') {
      const size = this.#size(init);
      if (size !== undefined) this.#sizes.set(expr, size);
    } else if (init.kind === 'list' || init.kind === 'map') {
      this.#sizes.set(expr, count);
      const entry = this.#entry(step);
      if (entry !== undefined) this.#entries.set(expr, entry);
    }
    return sum;
  }

  #localOf(expr: Expr): Local {
    return { path: this.#path(expr), size: this.#size(expr), entry: this.#entry(expr) };
  }

  #pushVariables({ range, variable, variable2 }: ComprehensionExpr): void {
    const entry = this.#entry(range);
    const isList = entry?.isList ?? this.#type(range).kind === 'list';
    const key = (name: string): void =>
      this.#push(name, {
        path: this.#below(range, isList ? '@indices' : '@keys'),
        size: entry?.key,
        entry: undefined,
      });
    const value = (name: string): void =>
      this.#push(name, {
        path: this.#below(range, isList ? '@items' : '@values'),
        size: entry?.value,
        entry: undefined,
      });
    if (variable2 !== undefined) {
      key(variable);
      value(variable2);
    } else if (isList) value(variable);
    else key(variable);
  }

  #binding(expr: ComprehensionExpr): Range {
    const sum = add(this.cost(expr.range), this.cost(expr.init));
    this.#push(expr.accumulator, this.#localOf(expr.init));
    const total = add(sum, this.cost(expr.result));
    this.#pop(expr.accumulator);
    this.#copySizes(expr, expr.result);
    return total;
  }

  #copySizes(to: Expr, from: Expr): void {
    const size = this.#size(from);
    if (size !== undefined) this.#sizes.set(to, size);
    const entry = this.#entry(from);
    if (entry !== undefined) this.#entries.set(to, entry);
  }

  #node(expr: Expr): CostNode {
    const path = this.#path(expr);
    const isAccumulator = path?.[0]?.startsWith('@result') === true;
    return {
      expr,
      type: this.#type(expr),
      path: isAccumulator ? undefined : path,
      size: this.#size(expr),
    };
  }

  #sizeOrUnknown(expr: Expr): Range {
    return this.#size(expr) ?? UNKNOWN_SIZE;
  }

  #size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr) ?? literalSize(expr);
    if (known !== undefined) return known;
    const found = this.#sizeAt(this.#path(expr));
    if (found !== undefined) {
      this.#sizes.set(expr, found);
      return found;
    }
    if (isScalar(this.#type(expr))) return ONE;
    return expr.kind === 'ident' ? this.#local(expr.name)?.size : undefined;
  }

  #sizeAt(path: readonly string[] | undefined): Range | undefined {
    return path === undefined || path.length === 0 ? undefined : this.#options.sizeAt(path);
  }

  #entry(expr: Expr): Entry | undefined {
    const known = this.#entries.get(expr);
    if (known !== undefined) return known;
    return expr.kind === 'ident' ? this.#local(expr.name)?.entry : undefined;
  }

  of(node: CostNode): Range {
    return node.size ?? this.#sizeAt(node.path) ?? UNKNOWN_SIZE;
  }

  elementOf({ type, path }: CostNode): CostNode | undefined {
    const element =
      type.kind === 'list' ? type.element : type.kind === 'map' ? type.key : undefined;
    if (element === undefined) return undefined;
    const below = path === undefined ? undefined : [...path, '@items'];
    return { expr: undefined, type: element, path: below, size: undefined };
  }
}

interface EstimatedCall {
  readonly expr: CallExpr;
  readonly name: string;
  readonly overload: string;
  readonly target: CostNode | undefined;
  readonly args: readonly CostNode[];
}

function isBinding({ range, condition, accumulator }: ComprehensionExpr): boolean {
  return (
    range.kind === 'list' &&
    range.elements.length === 0 &&
    condition.kind === 'literal' &&
    condition.value === false &&
    accumulator !== '@result'
  );
}

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === 'literal') return fixed(sizeOf(expr.value) ?? 1);
  if (expr.kind === 'list') return fixed(expr.elements.length);
  if (expr.kind === 'map') return fixed(expr.entries.length);
  return undefined;
}

const SCALARS = /^(bool|double|int|uint|google\.protobuf\.(Timestamp|Duration))$/;

function isScalar(type: CelType): boolean {
  if (type.kind === 'named') return SCALARS.test(type.name);
  if (type.kind === 'opaque' && type.name === 'optional_type') {
    return isScalar(type.params[0] ?? DYN);
  }
  return false;
}
