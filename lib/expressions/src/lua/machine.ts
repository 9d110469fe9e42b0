import {
  isTruthy,
  LuaError,
  LuaFunction,
  LuaTable,
  type LuaValue,
  toNumber,
  toText,
  typeOf,
} from './value.ts';

/** Thrown when a script has used up its steps, memory or stack. No script can catch it. */
export class LuaLimitError extends Error {}

export interface LuaLimits {
  /** Statements, calls, and what library functions do in loops. About a second's worth by default. */
  readonly stepsMax: number;
  /** Bytes and cells that the script may make in all, in units of about one byte. */
  readonly memoryMax: number;
  readonly callDepthMax: number;
}

export const LUA_LIMITS: LuaLimits = {
  stepsMax: 5_000_000,
  memoryMax: 32 * 1024 * 1024,
  callDepthMax: 150,
};

const CELL_BYTES = 48;
/** Unwinding costs more than a step. */
const RAISE_STEPS = 50;
const METATABLE_DEPTH_MAX = 100;

/** What one run of a script owns: its budget, its globals, and the line it is at. */
export class Machine {
  readonly globals = new LuaTable();
  /** Where methods of strings are found; undefined when the string library is not open. */
  stringMetatable: LuaTable | undefined;
  /** Of the statement or call in flight, for messages. */
  line = 0;
  private steps: number;
  private memory: number;
  private depth = 0;
  private readonly limits: LuaLimits;

  constructor(limits: LuaLimits) {
    this.limits = limits;
    this.steps = limits.stepsMax;
    this.memory = limits.memoryMax;
  }

  step(count = 1): void {
    this.steps -= count;
    if (this.steps < 0) {
      throw new LuaLimitError(`the script takes more than ${this.limits.stepsMax} steps`);
    }
  }

  allocate(bytes: number): void {
    this.memory -= bytes;
    if (this.memory < 0) {
      throw new LuaLimitError(`the script needs more than ${this.limits.memoryMax} bytes`);
    }
  }

  /** Raises an error with the place of the line in flight before it. */
  raise(message: string, line = this.line): never {
    this.step(RAISE_STEPS);
    throw new LuaError(line > 0 ? `<string>:${line}: ${message}` : message);
  }

  metatableOf(value: LuaValue): LuaTable | undefined {
    if (value instanceof LuaTable) return value.metatable;
    return typeof value === 'string' ? this.stringMetatable : undefined;
  }

  metamethod(value: LuaValue, event: string): LuaValue {
    return this.metatableOf(value)?.get(event);
  }

  call(callee: LuaValue, args: readonly LuaValue[]): readonly LuaValue[] {
    this.step();
    if (++this.depth > this.limits.callDepthMax) {
      this.depth = 0;
      this.raise('stack overflow');
    }
    const depth = this.depth;
    try {
      if (callee instanceof LuaFunction) return callee.call(args);
      const handler = this.metamethod(callee, '__call');
      if (handler instanceof LuaFunction) return handler.call([callee, ...args]);
      return this.raise('attempt to call a non-function object');
    } finally {
      this.depth = depth - 1;
    }
  }

  index(object: LuaValue, key: LuaValue, line: number): LuaValue {
    let current = object;
    for (let i = 0; i < METATABLE_DEPTH_MAX; i++) {
      if (current instanceof LuaTable) {
        const value = current.get(key);
        if (value !== undefined || current.metatable === undefined) return value;
      }
      const handler = this.metamethod(current, '__index');
      if (handler === undefined) {
        if (current instanceof LuaTable) return undefined;
        const what = `attempt to index a non-table object(${typeOf(current)})`;
        return this.raise(`${what} with key '${toText(key)}'`, line);
      }
      if (handler instanceof LuaFunction) return this.call(handler, [current, key])[0];
      current = handler;
    }
    return this.raise('too many recursions in gettable', line);
  }

  setIndex(object: LuaValue, key: LuaValue, { value, line }: { value: LuaValue; line: number }) {
    let current = object;
    for (let i = 0; i < METATABLE_DEPTH_MAX; i++) {
      if (current instanceof LuaTable) {
        const handler =
          current.metatable && current.get(key) === undefined
            ? current.metatable.get('__newindex')
            : undefined;
        if (handler === undefined) {
          this.rawSet(current, key, { value, line });
          return;
        }
        if (handler instanceof LuaFunction) {
          this.call(handler, [current, key, value]);
          return;
        }
        current = handler;
        continue;
      }
      const handler = this.metamethod(current, '__newindex');
      if (handler === undefined) {
        const what = `attempt to index a non-table object(${typeOf(current)})`;
        this.raise(`${what} with key '${toText(key)}'`, line);
      }
      current = handler;
    }
    this.raise('too many recursions in settable', line);
  }

  rawSet(
    table: LuaTable,
    key: LuaValue,
    { value, line = this.line }: { value: LuaValue; line?: number },
  ): void {
    if (key === undefined) this.raise('table index is nil', line);
    if (Number.isNaN(key)) this.raise('table index is NaN', line);
    this.allocate(table.cost(key) * CELL_BYTES);
    table.set(key, value);
  }

  /** Arithmetic on numbers and strings that read as numbers, else by metamethod. */
  arithmetic(event: string, left: LuaValue, right: LuaValue): LuaValue {
    const a = toNumber(left);
    const b = toNumber(right);
    if (a !== undefined && b !== undefined) return compute(event, a, b);
    const handler = this.metamethod(left, `__${event}`) ?? this.metamethod(right, `__${event}`);
    if (handler instanceof LuaFunction) return this.call(handler, [left, right])[0];
    const text = [left, right].some(
      (value) => typeof value === 'string' && toNumber(value) == null,
    );
    if (text)
      this.raise(`cannot perform ${event} operation between ${typeOf(left)} and ${typeOf(right)}`);
    return this.raise(
      `cannot perform ${event} operation between ${typeOf(left)} and ${typeOf(right)}`,
    );
  }

  concat(left: LuaValue, right: LuaValue): LuaValue {
    if (isStringLike(left) && isStringLike(right)) {
      const text = toText(left) + toText(right);
      this.allocate(text.length);
      return text;
    }
    const handler = this.metamethod(left, '__concat') ?? this.metamethod(right, '__concat');
    if (handler instanceof LuaFunction) return this.call(handler, [left, right])[0];
    return this.raise(
      `cannot perform concat operation between ${typeOf(left)} and ${typeOf(right)}`,
    );
  }

  equals(left: LuaValue, right: LuaValue): boolean {
    if (left === right) return true;
    if (!(left instanceof LuaTable) || !(right instanceof LuaTable)) return false;
    const handler = left.metatable?.get('__eq');
    if (handler === undefined || handler !== right.metatable?.get('__eq')) return false;
    return isTruthy(this.call(handler, [left, right])[0]);
  }

  isLess(left: LuaValue, right: LuaValue): boolean {
    if (typeof left === 'number' && typeof right === 'number') return left < right;
    if (typeof left === 'string' && typeof right === 'string') return left < right;
    return this.compareBy('__lt', left, right) ?? this.incomparable(left, right);
  }

  isLessOrEqual(left: LuaValue, right: LuaValue): boolean {
    if (typeof left === 'number' && typeof right === 'number') return left <= right;
    if (typeof left === 'string' && typeof right === 'string') return left <= right;
    const direct = this.compareBy('__le', left, right);
    if (direct !== undefined) return direct;
    const reverse = this.compareBy('__lt', right, left);
    return reverse === undefined ? this.incomparable(left, right) : !reverse;
  }

  private compareBy(event: string, left: LuaValue, right: LuaValue): boolean | undefined {
    if (typeOf(left) !== typeOf(right)) return undefined;
    const handler = this.metamethod(left, event);
    if (handler === undefined || handler !== this.metamethod(right, event)) return undefined;
    return isTruthy(this.call(handler, [left, right])[0]);
  }

  private incomparable(left: LuaValue, right: LuaValue): never {
    return this.raise(`attempt to compare ${typeOf(left)} with ${typeOf(right)}`);
  }

  negate(value: LuaValue): LuaValue {
    const number = toNumber(value);
    if (number !== undefined) return -number;
    const handler = this.metamethod(value, '__unm');
    if (handler instanceof LuaFunction) return this.call(handler, [value])[0];
    return this.raise('__unm undefined');
  }

  lengthOf(value: LuaValue): LuaValue {
    if (typeof value === 'string') return value.length;
    const handler = this.metamethod(value, '__len');
    if (handler instanceof LuaFunction) return this.call(handler, [value])[0];
    if (value instanceof LuaTable) return value.length;
    return this.raise('__len undefined');
  }

  /** `tostring`, with `__tostring`. */
  textOf(value: LuaValue): string {
    const handler = this.metamethod(value, '__tostring');
    if (handler instanceof LuaFunction) return toText(this.call(handler, [value])[0]);
    return toText(value);
  }
}

function isStringLike(value: LuaValue): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function compute(event: string, a: number, b: number): number {
  switch (event) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'div':
      return a / b;
    case 'mod':
      return modulo(a, b);
    default:
      return a ** b;
  }
}

/** The sign of the result is the divisor's. */
export function modulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}
