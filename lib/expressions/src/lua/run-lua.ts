import { BoundedCache } from '@capstan/lib-std';
import { baseLibrary } from './base-library.ts';
import { compileLua } from './compile.ts';
import { fromJson, type LuaJson, toJson } from './json.ts';
import { LuaSyntaxError } from './lexer.ts';
import { LUA_LIMITS, LuaLimitError, type LuaLimits, Machine } from './machine.ts';
import { mathLibrary } from './math-library.ts';
import { osLibrary } from './os-library.ts';
import { parseLua } from './parser.ts';
import { stringLibrary } from './string-library.ts';
import type { FunctionBody } from './syntax.ts';
import { tableLibrary } from './table-library.ts';
import { LuaError, type LuaTable, toBytes, typeOf } from './value.ts';

/** A parsed script; it may be run any number of times, each in a world of its own. */
export interface LuaScript {
  readonly body: FunctionBody;
}

export interface LuaOptions {
  /** Global variables, as JSON. */
  readonly globals: { readonly [name: string]: LuaJson };
  /** Opens string, math and os beside the basic functions and table. No script ever reaches files or programs. */
  readonly openLibraries: boolean;
  readonly nowMs: number;
  readonly limits?: Partial<LuaLimits>;
}

export type LuaOutcome =
  /** What the script returned first; `type` is Lua's name of its type. */
  | { readonly kind: 'value'; readonly value: LuaJson; readonly type: string }
  | { readonly kind: 'error'; readonly message: string; readonly isLimit?: boolean };

/** Reads a script; an error says where it is not Lua. */
export function parseLuaScript(source: string): LuaScript | { readonly error: string } {
  if (source.length > SOURCE_MAX) return { error: `the script is longer than ${SOURCE_MAX} bytes` };
  try {
    return { body: parseLua(toBytes(source)) };
  } catch (error) {
    if (error instanceof LuaSyntaxError) return { error: error.message };
    throw error;
  }
}

/** Parses each script once. */
export function createLuaParser(
  entriesMax = 1024,
): (source: string) => LuaScript | { readonly error: string } {
  const cache = new BoundedCache<string, LuaScript | { readonly error: string }>(entriesMax);
  return (source) => {
    const known = cache.get(source);
    if (known !== undefined) return known;
    const parsed = parseLuaScript(source);
    cache.set(source, parsed);
    return parsed;
  };
}

const SOURCE_MAX = 256 * 1024;

/** Runs a script to its end or to its limits. Never throws for what a script does. */
export function runLua(script: LuaScript, options: LuaOptions): LuaOutcome {
  const machine = new Machine({ ...LUA_LIMITS, ...options.limits });
  try {
    openLibraries(machine, options);
    for (const [name, value] of Object.entries(options.globals)) {
      machine.globals.set(name, fromJson(value));
    }
    const [result] = compileLua(machine, script.body).call([]);
    return { kind: 'value', type: typeOf(result), value: toJson(result) };
  } catch (error) {
    if (error instanceof LuaError) return { kind: 'error', message: error.message };
    if (error instanceof LuaLimitError) {
      return { kind: 'error', message: error.message, isLimit: true };
    }
    if (error instanceof RangeError) {
      return { kind: 'error', message: 'the script nests too deeply', isLimit: true };
    }
    throw error;
  }
}

function openLibraries(machine: Machine, options: LuaOptions): void {
  const modules = new Map<string, LuaTable>();
  const { globals } = machine;
  const open = (name: string, library: LuaTable) => {
    modules.set(name, library);
    globals.set(name, library);
  };
  baseLibrary(machine, modules);
  open('table', tableLibrary(machine));
  // The original lets `require("os")` work everywhere, and the global only with open libraries.
  modules.set('os', osLibrary(machine, options.nowMs));
  if (!options.openLibraries) return;
  globals.set('os', modules.get('os'));
  open('string', stringLibrary(machine));
  open('math', mathLibrary(machine));
}
