import type { Machine } from './machine.ts';
import { LuaFunction, LuaTable, type LuaValue, toNumber, toText, typeOf } from './value.ts';

/** The arguments of a library function, read with the complaints of GopherLua. Positions begin at 1. */
export class Arguments {
  readonly values: readonly LuaValue[];
  private readonly machine: Machine;
  private readonly name: string;

  constructor(machine: Machine, name: string, values: readonly LuaValue[]) {
    this.machine = machine;
    this.name = name;
    this.values = values;
  }

  get count(): number {
    return this.values.length;
  }

  at(position: number): LuaValue {
    return this.values[position - 1];
  }

  any(position: number): LuaValue {
    if (position > this.values.length) this.fail(position, 'value expected');
    return this.at(position);
  }

  table(position: number): LuaTable {
    const value = this.at(position);
    return value instanceof LuaTable ? value : this.wrongType(position, 'table');
  }

  fn(position: number): LuaFunction {
    const value = this.at(position);
    return value instanceof LuaFunction ? value : this.wrongType(position, 'function');
  }

  text(position: number): string {
    const value = this.at(position);
    if (typeof value === 'string' || typeof value === 'number') return toText(value);
    return this.wrongType(position, 'string');
  }

  optionalText(position: number, otherwise: string): string {
    return this.at(position) === undefined ? otherwise : this.text(position);
  }

  number(position: number): number {
    return toNumber(this.at(position)) ?? this.wrongType(position, 'number');
  }

  integer(position: number): number {
    const value = this.at(position);
    return typeof value === 'number' ? Math.trunc(value) : this.wrongType(position, 'number');
  }

  optionalInteger(position: number, otherwise: number): number {
    return this.at(position) === undefined ? otherwise : this.integer(position);
  }

  fail(position: number, message: string): never {
    return this.machine.raise(`bad argument #${position} to ${this.name} (${message})`);
  }

  private wrongType(position: number, wanted: string): never {
    return this.fail(position, `${wanted} expected, got ${typeOf(this.at(position))}`);
  }
}

export type LibraryFunction = (args: Arguments) => readonly LuaValue[];

/** A table of these functions. */
export function makeLibrary(
  machine: Machine,
  functions: { readonly [name: string]: LibraryFunction },
): LuaTable {
  const table = new LuaTable();
  for (const [name, run] of Object.entries(functions)) {
    const call = (values: readonly LuaValue[]) => run(new Arguments(machine, name, values));
    table.set(name, new LuaFunction(call));
  }
  return table;
}
