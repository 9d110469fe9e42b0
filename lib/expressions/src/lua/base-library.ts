import { type LibraryFunction, makeLibrary } from './arguments.ts';
import { compileLua } from './compile.ts';
import { LuaSyntaxError } from './lexer.ts';
import type { Machine } from './machine.ts';
import { parseLua } from './parser.ts';
import { isTruthy, LuaError, LuaTable, type LuaValue, typeOf } from './value.ts';

/**
 * Lua's basic functions, without those that read files. `require` finds the libraries of `modules` only; `print` says
 * nothing.
 */
export function baseLibrary(machine: Machine, modules: ReadonlyMap<string, LuaTable>): LuaTable {
  const { globals } = machine;
  const library = makeLibrary(machine, {
    ...metatables(machine),
    ...protectedCalls(machine),
    assert: (args) => {
      if (!isTruthy(args.at(1))) machine.raise(args.optionalText(2, 'assertion failed!'));
      return args.values;
    },
    collectgarbage: () => [],
    print: () => [],
    tostring: (args) => [machine.textOf(args.any(1))],
    tonumber: (args) => [readNumber(args.any(1), args.at(2), args.optionalInteger(2, 10))],
    type: (args) => [typeOf(args.any(1))],
    next: (args) => args.table(1).next(args.at(2)) ?? [undefined],
    unpack: (args) => {
      const table = args.table(1);
      const from = args.optionalInteger(2, 1);
      const to = args.optionalInteger(3, table.length);
      machine.allocate(Math.max(0, to - from) * 16);
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => table.get(from + i));
    },
    select: (args) => {
      const first = args.at(1);
      if (first === '#') return [args.count - 1];
      const index = args.integer(1);
      const start = index < 0 ? args.count + index : Math.min(index, args.count);
      if (start < 1) args.fail(1, 'index out of range');
      return args.values.slice(start);
    },
    require: (args) => {
      const name = args.text(1);
      const module = modules.get(name);
      return [
        module ??
          machine.raise(`module ${name} not found:\n\tno field package.preload['${name}'], `),
      ];
    },
    loadstring: (args) => {
      try {
        machine.step(args.text(1).length);
        return [compileLua(machine, parseLua(args.text(1)))];
      } catch (error) {
        if (error instanceof LuaSyntaxError) return [undefined, error.message];
        throw error;
      }
    },
  });
  library.set('pairs', iterator(machine, 'pairs'));
  library.set('ipairs', iterator(machine, 'ipairs'));
  for (let entry = library.next(undefined); entry !== undefined; entry = library.next(entry[0])) {
    globals.set(entry[0], entry[1]);
  }
  globals.set('_G', globals);
  globals.set('_VERSION', 'Lua 5.1');
  return library;
}

function iterator(machine: Machine, name: 'pairs' | 'ipairs'): LuaValue {
  const step: LibraryFunction =
    name === 'pairs'
      ? (args) => args.table(1).next(args.at(2)) ?? []
      : (args) => {
          const index = args.integer(2) + 1;
          const value = args.table(1).get(index);
          return value === undefined ? [] : [index, value];
        };
  const library = makeLibrary(machine, {
    step,
    [name]: (args) => [library.get('step'), args.table(1), name === 'pairs' ? undefined : 0],
  });
  return library.get(name);
}

function metatables(machine: Machine): { readonly [name: string]: LibraryFunction } {
  return {
    getmetatable: (args) => {
      const metatable = machine.metatableOf(args.any(1));
      const shown = metatable?.get('__metatable');
      return [shown === undefined ? metatable : shown];
    },
    setmetatable: (args) => {
      const metatable = args.at(2);
      if (metatable !== undefined && !(metatable instanceof LuaTable)) {
        args.fail(2, `nil or table expected, got ${typeOf(metatable)}`);
      }
      const table = args.table(1);
      if (table.metatable?.get('__metatable') !== undefined) {
        machine.raise('cannot change a protected metatable');
      }
      table.metatable = metatable === undefined ? undefined : args.table(2);
      return [table];
    },
    rawequal: (args) => [args.any(1) === args.any(2)],
    rawget: (args) => [args.table(1).get(args.any(2))],
    rawset: (args) => {
      machine.rawSet(args.table(1), args.any(2), { value: args.any(3) });
      return [];
    },
  };
}

function protectedCalls(machine: Machine): { readonly [name: string]: LibraryFunction } {
  return {
    error: (args) => {
      const value = args.any(1);
      const level = args.optionalInteger(2, 1);
      if (typeof value === 'string' && level > 0) return machine.raise(value);
      machine.step(50);
      throw new LuaError(value);
    },
    pcall: (args) => attempt(() => machine.call(args.any(1), args.values.slice(1)), [false]),
    xpcall: (args) => {
      const [succeeded, ...rest] = attempt(() => machine.call(args.fn(1), []), [false]);
      return succeeded === true ? [true, ...rest] : [false, ...machine.call(args.fn(2), rest)];
    },
  };
}

/** Limits are not caught: only what a script or a library raised. */
function attempt(run: () => readonly LuaValue[], failed: readonly LuaValue[]): readonly LuaValue[] {
  try {
    return [true, ...run()];
  } catch (error) {
    if (error instanceof LuaError) return [...failed, error.value];
    throw error;
  }
}

/** Floats only with a point; else an integer of this base, which `0x` changes when none is named. */
function readNumber(value: LuaValue, named: LuaValue, base: number): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const text = value.replace(/^[ \n\t]+|[ \n\t]+$/g, '');
  if (text.includes('.')) {
    return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
  }
  const isHex = named === undefined && /^0x/i.test(text);
  const radix = isHex ? 16 : base;
  const digits = (isHex ? text.slice(2) : text).toLowerCase();
  if (radix < 2 || radix > 36 || !/^[+-]?[0-9a-z]+$/.test(digits)) return undefined;
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, radix);
  const unsigned = digits.replace(/^[+-]/, '');
  if (![...unsigned].every((digit) => alphabet.includes(digit))) return undefined;
  return Number.parseInt(digits, radix);
}
