import { makeLibrary } from './arguments.ts';
import { type Machine, modulo } from './machine.ts';
import type { LuaTable } from './value.ts';

const PLAIN = {
  abs: Math.abs,
  acos: Math.acos,
  asin: Math.asin,
  atan: Math.atan,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  deg: (x: number) => (x * 180) / Math.PI,
  exp: Math.exp,
  floor: Math.floor,
  log: Math.log,
  log10: Math.log10,
  rad: (x: number) => (x * Math.PI) / 180,
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
} as const;

/** Lua's math library, without random numbers: a verdict must not depend on chance. */
export function mathLibrary(machine: Machine): LuaTable {
  const plain = Object.fromEntries(
    Object.entries(PLAIN).map(
      ([name, compute]) =>
        [name, (args: { number(position: number): number }) => [compute(args.number(1))]] as const,
    ),
  );
  const library = makeLibrary(machine, {
    ...plain,
    atan2: (args) => [Math.atan2(args.number(1), args.number(2))],
    fmod: (args) => [args.number(1) % args.number(2)],
    mod: (args) => [modulo(args.number(1), args.number(2))],
    modf: (args) => [Math.trunc(args.number(1)), args.number(1) - Math.trunc(args.number(1))],
    pow: (args) => [args.number(1) ** args.number(2)],
    max: (args) => [Math.max(...args.values.map((_, i) => args.number(i + 1)))],
    min: (args) => [Math.min(...args.values.map((_, i) => args.number(i + 1)))],
  });
  library.set('pi', Math.PI);
  library.set('huge', Number.MAX_VALUE);
  return library;
}
