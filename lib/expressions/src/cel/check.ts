import type {
  CallExpr,
  CelIssue,
  ComprehensionExpr,
  Expr,
  ListExpr,
  MapExpr,
  SelectExpr,
  StructExpr,
} from './ast.ts';
import type { Functions, Overload } from './functions.ts';
import {
  assign,
  assignAll,
  BOOL,
  type CelType,
  DYN,
  ERROR,
  formatType,
  INT,
  isDynOrError,
  listOf,
  mapOf,
  moreGeneral,
  named,
  optionalOf,
  STRING,
  type Substitution,
  substitute,
} from './types.ts';
import { type CelValue, typeOf } from './values.ts';

export interface Declarations {
  readonly functions: Functions;
  readonly variables: ReadonlyMap<string, CelType>;
  /** Types that `Name{…}` makes. */
  messageType?(name: string): CelType | undefined;
}

export interface Checked {
  readonly expr: Expr;
  readonly type: CelType;
  readonly types: ReadonlyMap<Expr, CelType>;
  /** The overloads that a call may run. */
  readonly overloads: ReadonlyMap<Expr, readonly string[]>;
  /** Calls of functions whose names have dots, like `sets.contains`: their target is a part of the name. */
  readonly qualified: ReadonlyMap<Expr, string>;
  readonly usedVariables: ReadonlySet<string>;
}

const TYPE_NAMES = new Map<string, CelType>(
  ['bool', 'bytes', 'double', 'int', 'string', 'uint', 'null_type'].map((name) => [
    name,
    named(name),
  ]),
)
  .set('list', listOf(DYN))
  .set('map', mapOf(DYN, DYN))
  .set('type', { kind: 'type', of: DYN })
  .set('google.protobuf.Timestamp', named('google.protobuf.Timestamp'))
  .set('google.protobuf.Duration', named('google.protobuf.Duration'))
  .set('optional_type', optionalOf(DYN));

/** Gives every part of an expression its type, or tells what does not fit, in cel-go's words. */
export function checkCel(
  expr: Expr,
  declarations: Declarations,
): Checked | { readonly issues: readonly CelIssue[] } {
  const checker = new Checker(declarations);
  checker.check(expr);
  if (checker.issues.length > 0) return { issues: checker.issues };
  if (checker.mixed.length > 0) return { issues: checker.mixed };
  return checker.result(expr);
}

class Checker {
  readonly issues: CelIssue[] = [];
  readonly #declarations: Declarations;
  readonly #types = new Map<Expr, CelType>();
  readonly #overloads = new Map<Expr, readonly string[]>();
  readonly #qualified = new Map<Expr, string>();
  readonly #used = new Set<string>();
  readonly #mixed = new Map<Expr, CelIssue>();
  #scopes: readonly ReadonlyMap<string, CelType>[] = [];
  #known: Substitution = new Map();
  #fresh = 0;

  constructor(declarations: Declarations) {
    this.#declarations = declarations;
  }

  result(expr: Expr): Checked {
    const types = new Map<Expr, CelType>();
    for (const [part, type] of this.#types) types.set(part, substitute(type, this.#known, true));
    return {
      expr,
      type: types.get(expr) ?? DYN,
      types,
      overloads: this.#overloads,
      qualified: this.#qualified,
      usedVariables: this.#used,
    };
  }

  check(expr: Expr): CelType {
    const type = this.#typeOf(expr);
    this.#types.set(expr, type);
    return type;
  }

  #fail(at: number, message: string): CelType {
    this.issues.push({ at, message });
    return ERROR;
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value);
      case 'ident':
        return this.#ident(expr.name, expr.at);
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
        return this.#comprehension(expr);
    }
  }

  #lookup(name: string): CelType | undefined {
    for (const scope of this.#scopes) {
      const found = scope.get(name);
      if (found !== undefined) return found;
    }
    const variable = this.#declarations.variables.get(name);
    if (variable !== undefined) {
      this.#used.add(name);
      return variable;
    }
    const isOwn = this.#declarations.functions.types.has(name);
    const type = isOwn
      ? named(name)
      : (TYPE_NAMES.get(name) ?? this.#declarations.messageType?.(name));
    return type === undefined ? undefined : { kind: 'type', of: type };
  }

  #ident(name: string, at: number): CelType {
    const found = this.#lookup(name);
    return found ?? this.#fail(at, `undeclared reference to '${name}' (in container '')`);
  }

  #select(expr: SelectExpr): CelType {
    const dotted = expr.testOnly ? undefined : qualifiedName(expr);
    if (dotted !== undefined && !this.#isLocal(dotted)) {
      const found = this.#lookup(dotted);
      if (found !== undefined) {
        this.#qualified.set(expr, dotted);
        return found;
      }
    }
    const operand = substitute(this.check(expr.operand), this.#known);
    const type = this.#fieldType(expr, operand);
    return expr.testOnly && type.kind !== 'error' ? BOOL : type;
  }

  #isLocal(dotted: string): boolean {
    const first = dotted.split('.')[0] ?? '';
    return this.#scopes.some((scope) => scope.has(first));
  }

  #fieldType(expr: { readonly at: number; readonly field: string }, type: CelType): CelType {
    switch (type.kind) {
      case 'map':
        return type.value;
      case 'object':
        return type.field(expr.field) ?? this.#fail(expr.at, `undefined field '${expr.field}'`);
      case 'param':
        this.#known = assign(type, DYN, this.#known) ?? this.#known;
        return DYN;
      case 'dyn':
      case 'error':
        return type;
      case 'opaque':
        if (type.name === 'optional_type') {
          return optionalOf(this.#fieldType(expr, type.params[0] ?? DYN));
        }
        break;
      case 'named':
        if (this.#declarations.functions.objectTypes.has(type.name)) {
          return this.#fail(expr.at, `unexpected failed resolution of '${type.name}'`);
        }
    }
    const message = `type '${formatType(substitute(type, this.#known, true))}' does not support field selection`;
    return this.#fail(expr.at, message);
  }

  #call(expr: CallExpr): CelType {
    if (expr.name === '_?._') return this.#optionalSelect(expr);
    const { functions } = this.#declarations;
    if (expr.target === undefined) {
      if (functions.overloads(expr.name) === undefined) return this.#undeclared(expr, expr.name);
      return this.#resolve(expr, expr.name, false, expr.args);
    }
    const prefix = qualifiedName(expr.target);
    if (prefix !== undefined && !this.#isLocal(prefix)) {
      const whole = `${prefix}.${expr.name}`;
      if (functions.overloads(whole) !== undefined) {
        this.#qualified.set(expr, whole);
        return this.#resolve(expr, whole, false, expr.args);
      }
    }
    this.check(expr.target);
    if (functions.overloads(expr.name) === undefined) {
      for (const argument of expr.args) this.check(argument);
      return this.#undeclared(expr, expr.name);
    }
    return this.#resolve(expr, expr.name, true, expr.args);
  }

  #undeclared(expr: CallExpr, name: string): CelType {
    if (expr.target === undefined) for (const argument of expr.args) this.check(argument);
    return this.#fail(expr.at, `undeclared reference to '${name}' (in container '')`);
  }

  #optionalSelect(expr: CallExpr): CelType {
    const [operand, field] = expr.args;
    if (operand === undefined || field?.kind !== 'literal') return ERROR;
    const type = substitute(this.check(operand), this.#known);
    this.#types.set(field, STRING);
    this.#overloads.set(expr, ['select_optional_field']);
    const inner = type.kind === 'opaque' && type.name === 'optional_type' ? type.params[0] : type;
    const found = this.#fieldType({ at: expr.at, field: String(field.value) }, inner ?? DYN);
    return found.kind === 'error' ? found : optionalOf(found);
  }

  #resolve(expr: CallExpr, name: string, isMember: boolean, words: readonly Expr[]): CelType {
    const given = words.map((word) => this.#types.get(word) ?? this.check(word));
    const target =
      isMember && expr.target !== undefined ? [this.#types.get(expr.target) ?? DYN] : [];
    const all = [...target, ...given];
    if (name === '_&&_' || name === '_||_') return this.#logical(expr, name, given);
    const matched: string[] = [];
    let result: CelType | undefined;
    for (const overload of this.#declarations.functions.overloads(name) ?? []) {
      if (overload.isMember !== isMember || overload.params.length !== all.length) continue;
      const own = this.#instantiate(overload);
      const next = assignAll(own.params, all, this.#known);
      if (next === undefined) continue;
      this.#known = next;
      matched.push(overload.id);
      const type = substitute(own.result, this.#known);
      if (result === undefined) result = type;
      else if (result.kind !== 'dyn' && formatType(result) !== formatType(type)) result = DYN;
    }
    if (result === undefined) return this.#noOverload(expr, name, isMember, all);
    this.#overloads.set(expr, matched);
    if (matched.includes('string_format')) this.#allowMixed(expr.args[0]);
    return result;
  }

  /** Each side that is no bool is told for itself. */
  #logical(expr: CallExpr, name: string, given: readonly CelType[]): CelType {
    let result = BOOL;
    for (const [i, type] of given.entries()) {
      const known = assign(BOOL, type, this.#known);
      if (known !== undefined) this.#known = known;
      else {
        const shown = formatType(substitute(type, this.#known, true));
        const message = `expected type 'bool' but found '${shown}'`;
        result = this.#fail(expr.args[i]?.at ?? expr.at, message);
      }
    }
    this.#overloads.set(expr, [name === '_&&_' ? 'logical_and' : 'logical_or']);
    return result;
  }

  #allowMixed(expr: Expr | undefined): void {
    if (expr?.kind === 'list') {
      for (const item of expr.elements) {
        this.#mixed.delete(item);
        this.#allowMixed(item);
      }
    } else if (expr?.kind === 'map') {
      for (const { key, value } of expr.entries) {
        for (const part of [key, value]) {
          this.#mixed.delete(part);
          this.#allowMixed(part);
        }
      }
    }
  }

  #noOverload(expr: CallExpr, name: string, isMember: boolean, all: readonly CelType[]): CelType {
    if (all.some((type) => type.kind === 'error')) return ERROR;
    const shown = all.map((type) => formatType(substitute(type, this.#known, true)));
    const [first = '', ...rest] = shown;
    const signature = isMember ? `${first}.(${rest.join(', ')})` : `(${shown.join(', ')})`;
    return this.#fail(
      expr.at,
      `found no matching overload for '${name}' applied to '${signature}'`,
    );
  }

  /** The overload with type parameters of its own. */
  #instantiate({ params, result }: Overload): Pick<Overload, 'params' | 'result'> {
    const number = this.#fresh++;
    const fresh = new Map<string, CelType>();
    for (const name of ['A', 'B', 'T', 'K', 'V', 'O']) {
      fresh.set(name, { kind: 'param', name: `${name}#${number}` });
    }
    return {
      params: params.map((type) => substitute(type, fresh)),
      result: substitute(result, fresh),
    };
  }

  #list(expr: ListExpr): CelType {
    let element: CelType | undefined;
    for (const [i, item] of expr.elements.entries()) {
      const type = this.#unwrapped(this.check(item), item, expr.optional.has(i));
      // The first that does not fit is told.
      if (expr.elements.some((other) => this.#mixed.has(other))) continue;
      element = this.#join(item, element, type);
    }
    if (expr.elements.some((item) => this.#mixed.has(item))) return listOf(DYN);
    return listOf(element ?? { kind: 'param', name: `E#${this.#fresh++}` });
  }

  #unwrapped(type: CelType, expr: Expr, isOptional: boolean): CelType {
    if (!isOptional) return type;
    const found = substitute(type, this.#known);
    if (found.kind === 'opaque' && found.name === 'optional_type') return found.params[0] ?? DYN;
    if (isDynOrError(found)) return found;
    const wanted = formatType(optionalOf(found));
    return this.#fail(expr.at, `expected type '${wanted}' but found '${formatType(found)}'`);
  }

  #join(expr: Expr, before: CelType | undefined, type: CelType): CelType {
    if (before === undefined) return type;
    const known = assign(before, type, this.#known);
    if (known !== undefined) {
      this.#known = known;
      return moreGeneral(before, type, known);
    }
    const [wanted, found] = [before, type].map((one) =>
      formatType(substitute(one, this.#known, true)),
    );
    const message = `expected type '${wanted}' but found '${found}'`;
    this.#mixed.set(expr, { at: expr.at, message });
    return before;
  }

  /** What a list may not hold beside each other is told when all else is well; the words of `format` may be anything. */
  get mixed(): readonly CelIssue[] {
    return [...this.#mixed.values()];
  }

  #map(expr: MapExpr): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of expr.entries) {
      key = this.#join(entry.key, key, this.check(entry.key));
      const type = this.#unwrapped(this.check(entry.value), entry.value, entry.optional);
      value = this.#join(entry.value, value, type);
    }
    const fresh = (): CelType => ({ kind: 'param', name: `E#${this.#fresh++}` });
    if (expr.entries.some((entry) => this.#mixed.has(entry.key))) key = DYN;
    if (expr.entries.some((entry) => this.#mixed.has(entry.value))) value = DYN;
    return mapOf(key ?? fresh(), value ?? fresh());
  }

  #struct(expr: StructExpr): CelType {
    const type = this.#declarations.messageType?.(expr.name);
    if (type === undefined) {
      for (const { value } of expr.fields) this.check(value);
      return this.#fail(expr.at, `undeclared reference to '${expr.name}' (in container '')`);
    }
    for (const { at, name, value, optional } of expr.fields) {
      const given = this.#unwrapped(this.check(value), value, optional);
      const field = type.kind === 'object' ? type.field(name) : DYN;
      if (field === undefined) {
        this.#fail(at, `undefined field '${name}'`);
        continue;
      }
      const known = assign(field, given, this.#known);
      if (known !== undefined) {
        this.#known = known;
        continue;
      }
      const shown = formatType(substitute(given, this.#known, true));
      this.#fail(
        at,
        `expected type of field '${name}' is '${formatType(field)}' but provided type is '${shown}'`,
      );
    }
    return type;
  }

  #comprehension(expr: ComprehensionExpr): CelType {
    const range = substitute(this.check(expr.range), this.#known);
    const init = this.check(expr.init);
    const outer = this.#scopes;
    const [first, second] = this.#variables(expr, range);
    this.#scopes = [new Map([[expr.accumulator, init]]), ...outer];
    const withAccumulator = this.#scopes;
    const variables = new Map([[expr.variable, first]]);
    if (expr.variable2 !== undefined) variables.set(expr.variable2, second);
    this.#scopes = [variables, ...withAccumulator];
    this.check(expr.condition);
    this.#assertAssignable(expr.condition, BOOL);
    this.check(expr.step);
    this.#assertAssignable(expr.step, init);
    this.#scopes = withAccumulator;
    const result = this.check(expr.result);
    this.#scopes = outer;
    return substitute(result, this.#known);
  }

  #assertAssignable(expr: Expr, wanted: CelType): void {
    const given = this.#types.get(expr) ?? DYN;
    const known = assign(wanted, given, this.#known);
    if (known !== undefined) {
      this.#known = known;
      return;
    }
    const [to, from] = [wanted, given].map((one) => formatType(substitute(one, this.#known, true)));
    this.#fail(expr.at, `expected type '${to}' but found '${from}'`);
  }

  #variables(expr: ComprehensionExpr, range: CelType): readonly [CelType, CelType] {
    const isPair = expr.variable2 !== undefined;
    switch (range.kind) {
      case 'list':
        return isPair ? [INT, range.element] : [range.element, DYN];
      case 'map':
        return [range.key, range.value];
      case 'param':
        this.#known = assign(DYN, range, this.#known) ?? this.#known;
        return [DYN, DYN];
      case 'dyn':
      case 'error':
        return [DYN, DYN];
      default: {
        const shown = formatType(substitute(range, this.#known, true));
        const message = `expression of type '${shown}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        this.#fail(expr.range.at, message);
        return [ERROR, ERROR];
      }
    }
  }
}

function literalType(value: CelValue): CelType {
  return typeOf(value);
}

/** `a.b.c` when an expression is names and dots only. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.testOnly) return undefined;
  const before = qualifiedName(expr.operand);
  return before === undefined ? undefined : `${before}.${expr.field}`;
}
