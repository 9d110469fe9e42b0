import { jsonnetError, limitError } from './jsonnet-error.ts';
import { toText } from './manifest.ts';
import type { Argument, Clause, Expression, Field, Place } from './syntax.ts';
import {
  type ArrayValue,
  compareValues,
  equalValues,
  type FunctionValue,
  isArray,
  isFunction,
  type Layer,
  type LayerField,
  ObjectValue,
  Scope,
  Thunk,
  typeName,
  type Value,
} from './values.ts';

/** What a program reads beside itself. */
export interface Imports {
  /** The value of an imported program; texts and bytes as they are. */
  load(path: string, form: 'code' | 'text' | 'bytes', from: Place): Value;
}

export interface EvaluationLimits {
  readonly depthMax: number;
  readonly stepsMax: number;
}

/** Evaluates expressions; counts depth and steps, so that every program ends. */
export class Evaluator {
  readonly #imports: Imports;
  readonly #limits: EvaluationLimits;
  /** std.mod and std.format, for the operator %. */
  percent: (left: Value, right: Value) => Value = () => null;
  #depth = 0;
  #steps = 0;

  constructor(imports: Imports, limits: EvaluationLimits) {
    this.#imports = imports;
    this.#limits = limits;
  }

  evaluate(expression: Expression, scope: Scope): Value {
    if (++this.#steps > this.#limits.stepsMax) throw limitError('the program takes too many steps');
    if (++this.#depth > this.#limits.depthMax) throw limitError('max stack frames exceeded.');
    try {
      return this.#evaluate(expression, scope);
    } finally {
      this.#depth--;
    }
  }

  #evaluate(expression: Expression, scope: Scope): Value {
    const { at } = expression;
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'self':
        return this.#self(scope, at);
      case 'variable': {
        const found = scope.find(expression.name);
        if (found === undefined) throw jsonnetError(`Unknown variable: ${expression.name}`, at);
        return found.force();
      }
      case 'index':
        return this.#index(
          this.evaluate(expression.target, scope),
          this.evaluate(expression.name, scope),
          at,
        );
      case 'slice':
        return this.#slice(expression, scope);
      case 'super':
        return this.#super(this.evaluate(expression.name, scope), scope, at);
      case 'in-super': {
        const name = this.evaluate(expression.name, scope);
        return typeof name === 'string' && (scope.self?.has(name, scope.layer) ?? false);
      }
      case 'call':
        return this.#call(expression, scope);
      case 'array':
        return expression.items.map((item) => this.#lazy(item, scope));
      case 'array-for':
        return this.#scopes(expression.clauses, scope).map((inner) =>
          this.#lazy(expression.item, inner),
        );
      default:
        return this.#evaluateMore(expression, scope);
    }
  }

  #evaluateMore(expression: Expression, scope: Scope): Value {
    const { at } = expression;
    switch (expression.kind) {
      case 'object':
        return this.#object(expression, scope);
      case 'object-for':
        return this.#objectFor(expression, scope);
      case 'local':
        return this.evaluate(expression.body, this.#withBinds(expression.binds, scope));
      case 'if':
        if (this.#boolean(this.evaluate(expression.condition, scope), at))
          return this.evaluate(expression.then, scope);
        return expression.otherwise === undefined
          ? null
          : this.evaluate(expression.otherwise, scope);
      case 'function':
        return this.#function(expression, scope);
      case 'assert':
        this.assert(expression.assertion, scope, at);
        return this.evaluate(expression.body, scope);
      case 'error':
        throw jsonnetError(toText(this.evaluate(expression.message, scope)), at);
      case 'import':
        return this.#imports.load(expression.path, expression.form, at);
      case 'binary':
        return this.#binary(expression, scope);
      case 'unary':
        return this.#unary(expression, scope);
      default:
        throw jsonnetError('an unknown expression', at);
    }
  }

  assert(
    { condition, message }: { readonly condition: Expression; readonly message?: Expression },
    scope: Scope,
    at: Place,
  ): void {
    if (this.#boolean(this.evaluate(condition, scope), at)) return;
    const text = message === undefined ? '' : toText(this.evaluate(message, scope));
    throw jsonnetError(text === '' ? 'Object assertion failed.' : text, at);
  }

  #lazy(expression: Expression, scope: Scope): Thunk {
    if (expression.kind === 'literal') return Thunk.of(expression.value);
    return new Thunk(() => this.evaluate(expression, scope));
  }

  #self({ self }: Scope, at: Place): ObjectValue {
    if (self === undefined) throw jsonnetError("Can't use self outside of an object.", at);
    return self;
  }

  #boolean(value: Value, at: Place): boolean {
    if (typeof value === 'boolean') return value;
    throw jsonnetError(`Unexpected type ${typeName(value)}, expected boolean`, at);
  }

  #index(target: Value, name: Value, at: Place): Value {
    if (target instanceof ObjectValue) {
      if (typeof name !== 'string')
        throw jsonnetError(`Unexpected type ${typeName(name)}, expected string`, at);
      target.check();
      const found = target.get(name);
      if (found === undefined) throw jsonnetError(`Field does not exist: ${name}`, at);
      return found;
    }
    if (isArray(target) || typeof target === 'string') {
      if (typeof name !== 'number')
        throw jsonnetError(`Unexpected type ${typeName(name)}, expected number`, at);
      const items = typeof target === 'string' ? [...target] : target;
      const found = items[name];
      if (found === undefined)
        throw jsonnetError(`Index ${name} out of bounds, not within [0, ${items.length})`, at);
      return typeof found === 'string' ? found : found.force();
    }
    throw jsonnetError(`Value non indexable: ${typeName(target)}`, at);
  }

  #slice(expression: Expression & { readonly kind: 'slice' }, scope: Scope): Value {
    const target = this.evaluate(expression.target, scope);
    const parts = expression.parts.map((part) =>
      part === undefined ? null : this.evaluate(part, scope),
    );
    return sliceOf(target, parts, expression.at);
  }

  #super(name: Value, scope: Scope, at: Place): Value {
    const self = this.#self(scope, at);
    if (typeof name !== 'string') throw jsonnetError('super needs the name of a field', at);
    const found = self.find(name, scope.layer);
    if (found === undefined) throw jsonnetError(`Field does not exist: ${name}`, at);
    return found;
  }

  #call(expression: Expression & { readonly kind: 'call' }, scope: Scope): Value {
    const { at, args, strict } = expression;
    const target = this.evaluate(expression.target, scope);
    if (!isFunction(target))
      throw jsonnetError(`Unexpected type ${typeName(target)}, expected function`, at);
    const bound = this.#bindArguments(target, { args, scope, at });
    if (strict) for (const one of bound) one?.force();
    return target.call(bound);
  }

  #bindArguments(
    { parameters }: FunctionValue,
    {
      args,
      scope,
      at,
    }: { readonly args: readonly Argument[]; readonly scope: Scope; readonly at: Place },
  ): readonly (Thunk | undefined)[] {
    const bound: (Thunk | undefined)[] = parameters.map(() => undefined);
    for (const [index, { name, value }] of args.entries()) {
      const place = name === undefined ? index : parameters.findIndex((one) => one.name === name);
      if (place < 0) throw jsonnetError(`function has no parameter ${name}`, at);
      if (place >= parameters.length)
        throw jsonnetError(
          `function expected ${parameters.length} positional argument(s), but got ${args.length}`,
          at,
        );
      if (bound[place] !== undefined)
        throw jsonnetError(`Argument ${parameters[place]?.name} already provided`, at);
      bound[place] = this.#lazy(value, scope);
    }
    for (const [index, parameter] of parameters.entries()) {
      if (bound[index] !== undefined || 'optional' in parameter || 'fallback' in parameter)
        continue;
      throw jsonnetError(`Missing argument: ${parameter.name}`, at);
    }
    return bound;
  }

  /** Calls a function from outside of a program, by position. */
  call(target: FunctionValue, args: readonly Thunk[]): Value {
    if (++this.#depth > this.#limits.depthMax) throw limitError('max stack frames exceeded.');
    try {
      return target.call(target.parameters.map((_, index) => args[index]));
    } finally {
      this.#depth--;
    }
  }

  #function(expression: Expression & { readonly kind: 'function' }, scope: Scope): FunctionValue {
    const { parameters, body } = expression;
    return {
      kind: 'function',
      parameters,
      call: (args) => {
        const names = new Map<string, Thunk>();
        const inner = new Scope(names, scope);
        parameters.forEach(({ name, fallback }, index) => {
          const given = args[index];
          if (given !== undefined) names.set(name, given);
          else if (fallback !== undefined) names.set(name, this.#lazy(fallback, inner));
        });
        return this.evaluate(body, inner);
      },
    };
  }

  #withBinds(
    binds: readonly { readonly name: string; readonly body: Expression }[],
    scope: Scope,
    object?: { readonly self: ObjectValue; readonly layer: number },
  ): Scope {
    const names = new Map<string, Thunk>();
    const inner = new Scope(names, scope, object);
    for (const { name, body } of binds) names.set(name, this.#lazy(body, inner));
    return inner;
  }

  #object(expression: Expression & { readonly kind: 'object' }, scope: Scope): ObjectValue {
    const { fields, locals, assertions, at } = expression;
    const known = new WeakMap<ObjectValue, Map<number, Scope>>();
    const scopeOf = (self: ObjectValue, layer: number): Scope => {
      const scopes = known.get(self) ?? new Map<number, Scope>();
      known.set(self, scopes);
      let found = scopes.get(layer);
      if (found === undefined) {
        found = this.#withBinds(locals, scope, { self, layer });
        scopes.set(layer, found);
      }
      return found;
    };
    const made = new Map<string, LayerField>();
    for (const field of fields) this.#addField(made, field, { scope, scopeOf });
    return new ObjectValue([
      {
        fields: made,
        check: (self, layer) => {
          for (const assertion of assertions) this.assert(assertion, scopeOf(self, layer), at);
        },
      },
    ]);
  }

  #addField(
    made: Map<string, LayerField>,
    { name, plus, visibility, body }: Field,
    {
      scope,
      scopeOf,
    }: {
      readonly scope: Scope;
      readonly scopeOf: (self: ObjectValue, layer: number) => Scope;
    },
  ): void {
    const key = this.evaluate(name, scope);
    if (key === null) return;
    if (typeof key !== 'string')
      throw jsonnetError(`Field name must be string, got ${typeName(key)}`, name.at);
    if (made.has(key)) throw jsonnetError(`Duplicate field name: "${key}"`, name.at);
    made.set(key, {
      visibility,
      plus,
      evaluate: (self, layer) => {
        const value = () => this.evaluate(body, scopeOf(self, layer));
        if (!plus || !self.has(key, layer)) return value();
        return this.add(self.find(key, layer) ?? null, value(), body.at);
      },
    });
  }

  #objectFor(expression: Expression & { readonly kind: 'object-for' }, scope: Scope): ObjectValue {
    const made = new Map<string, LayerField>();
    for (const inner of this.#scopes(expression.clauses, scope)) {
      const scopeOf = (self: ObjectValue, layer: number) =>
        this.#withBinds(expression.locals, inner, { self, layer });
      this.#addField(made, expression.field, { scope: inner, scopeOf });
    }
    return new ObjectValue([{ fields: made, check: () => undefined }]);
  }

  #scopes(clauses: readonly Clause[], scope: Scope): readonly Scope[] {
    let scopes: readonly Scope[] = [scope];
    for (const clause of clauses) {
      scopes = scopes.flatMap((outer) => {
        if (clause.kind === 'if') {
          const { condition } = clause;
          return this.#boolean(this.evaluate(condition, outer), condition.at) ? [outer] : [];
        }
        const list = this.evaluate(clause.list, outer);
        if (!isArray(list))
          throw jsonnetError(`Unexpected type ${typeName(list)}, expected array`, clause.list.at);
        this.#steps += list.length;
        return list.map((item) => new Scope(new Map([[clause.name, item]]), outer));
      });
    }
    return scopes;
  }

  #binary(expression: Expression & { readonly kind: 'binary' }, scope: Scope): Value {
    const { operator, at } = expression;
    const left = this.evaluate(expression.left, scope);
    if (operator === '&&' || operator === '||') {
      const first = this.#boolean(left, at);
      if (first === (operator === '||')) return first;
      return this.#boolean(this.evaluate(expression.right, scope), at);
    }
    const right = this.evaluate(expression.right, scope);
    switch (operator) {
      case '+':
        return this.add(left, right, at);
      case '==':
        return equalValues(left, right);
      case '!=':
        return !equalValues(left, right);
      case '<':
        return compareValues(left, right) < 0;
      case '<=':
        return compareValues(left, right) <= 0;
      case '>':
        return compareValues(left, right) > 0;
      case '>=':
        return compareValues(left, right) >= 0;
      case 'in':
        if (!(right instanceof ObjectValue) || typeof left !== 'string')
          throw jsonnetError('in needs a string and an object', at);
        return right.has(left);
      case '%':
        return this.percent(left, right);
      default:
        return arithmetic(operator, left, right, at);
    }
  }

  add(left: Value, right: Value, at: Place): Value {
    if (typeof left === 'string' || typeof right === 'string') {
      const text = toText(left) + toText(right);
      if (text.length > TEXT_MAX) throw limitError('a text becomes too long');
      return text;
    }
    if (typeof left === 'number' && typeof right === 'number') return finite(left + right, at);
    if (isArray(left) && isArray(right)) {
      this.#steps += left.length + right.length;
      return [...left, ...right];
    }
    if (left instanceof ObjectValue && right instanceof ObjectValue)
      return new ObjectValue([...left.layers, ...right.layers] as readonly Layer[]);
    throw jsonnetError(`Unexpected types for +: ${typeName(left)} and ${typeName(right)}`, at);
  }

  #unary(expression: Expression & { readonly kind: 'unary' }, scope: Scope): Value {
    const { operator, at } = expression;
    const operand = this.evaluate(expression.operand, scope);
    if (operator === '!') return !this.#boolean(operand, at);
    if (typeof operand !== 'number')
      throw jsonnetError(`Unexpected type ${typeName(operand)}, expected number`, at);
    if (operator === '-') return -operand;
    return operator === '~' ? Number(BigInt.asIntN(64, ~BigInt(Math.trunc(operand)))) : operand;
  }
}

const TEXT_MAX = 64 * 1024 * 1024;

function arithmetic(operator: string, left: Value, right: Value, at: Place): number {
  if (typeof left !== 'number' || typeof right !== 'number')
    throw jsonnetError(
      `Unexpected types for ${operator}: ${typeName(left)} and ${typeName(right)}`,
      at,
    );
  switch (operator) {
    case '-':
      return finite(left - right, at);
    case '*':
      return finite(left * right, at);
    case '/':
      if (right === 0) throw jsonnetError('Division by zero.', at);
      return finite(left / right, at);
    default:
      return bitwise(operator, left, right, at);
  }
}

function bitwise(operator: string, left: number, right: number, at: Place): number {
  const [a, b] = [BigInt(Math.trunc(left)), BigInt(Math.trunc(right))];
  const whole = (value: bigint) => Number(BigInt.asIntN(64, value));
  switch (operator) {
    case '&':
      return whole(a & b);
    case '|':
      return whole(a | b);
    case '^':
      return whole(a ^ b);
    default:
      if (b < 0n) throw jsonnetError('Shift by negative exponent.', at);
      return operator === '<<' ? whole(a << (b % 64n)) : whole(a >> (b % 64n));
  }
}

function finite(value: number, at?: Place): number {
  if (Number.isFinite(value)) return value;
  throw jsonnetError(Number.isNaN(value) ? 'Not a number' : 'Overflow', at);
}

/** Part of a text or an array; negative ends count from the end. */
export function sliceOf(target: Value, parts: readonly Value[], at?: Place): Value {
  if (!isArray(target) && typeof target !== 'string')
    throw jsonnetError(`Value non sliceable: ${typeName(target)}`, at);
  const items: readonly (string | Thunk)[] = typeof target === 'string' ? [...target] : target;
  const number = (value: Value | undefined, fallback: number) => {
    if (value === null || value === undefined) return fallback;
    if (typeof value === 'number') return value;
    throw jsonnetError(`Unexpected type ${typeName(value)}, expected number`, at);
  };
  const place = (value: number) => (value < 0 ? Math.max(0, items.length + value) : value);
  const from = place(number(parts[0], 0));
  const to = Math.min(items.length, place(number(parts[1], items.length)));
  const step = number(parts[2], 1);
  if (step <= 0) throw jsonnetError(`got ${step} but step must be greater than 0`, at);
  const chosen: (string | Thunk)[] = [];
  for (let i = from; i < to; i += step) chosen.push(items[i]!);
  return typeof target === 'string' ? chosen.join('') : (chosen as ArrayValue);
}
