import { makeLibrary } from './arguments.ts';
import type { Machine } from './machine.ts';
import { isTruthy, type LuaTable, type LuaValue, toText, typeOf } from './value.ts';

/** Lua's table library. */
export function tableLibrary(machine: Machine): LuaTable {
  return makeLibrary(machine, {
    getn: (args) => [args.table(1).length],
    maxn: (args) => [args.table(1).length],
    concat: (args) => {
      const table = args.table(1);
      const separator = args.optionalText(2, '');
      const parts: string[] = [];
      const last = Math.min(args.optionalInteger(4, table.length), table.length);
      for (let i = Math.max(1, args.optionalInteger(3, 1)); i <= last; i++) {
        const value = table.get(i);
        if (typeof value !== 'string' && typeof value !== 'number') {
          machine.raise(`invalid value (${typeOf(value)}) at index ${i} in table for concat`);
        }
        parts.push(toText(value));
        machine.allocate((parts.at(-1)?.length ?? 0) + separator.length);
        machine.step();
      }
      return [parts.join(separator)];
    },
    insert: (args) => {
      const table = args.table(1);
      if (args.count === 1) machine.raise('wrong number of arguments');
      if (args.count === 2) {
        if (args.at(2) !== undefined) {
          machine.rawSet(table, endOf(table) + 1, { value: args.at(2) });
        }
        return [];
      }
      insertAt(machine, table, { position: args.integer(2), value: args.any(3) });
      return [];
    },
    remove: (args) => {
      const { array } = args.table(1);
      const at = (args.count === 1 ? -1 : args.integer(2)) - 1;
      machine.step(array.length >> 4);
      if (at >= array.length) return [undefined];
      return at < 0 ? [array.pop()] : array.splice(at, 1);
    },
    sort: (args) => {
      const { array } = args.table(1);
      const compare = args.count === 1 ? undefined : args.fn(2);
      const isLess = (a: LuaValue, b: LuaValue): boolean => {
        machine.step();
        return compare === undefined
          ? machine.isLess(a, b)
          : isTruthy(machine.call(compare, [a, b])[0]);
      };
      // Array.prototype.sort keeps undefined out of the comparison and puts it last.
      array.sort((a, b) => (isLess(a, b) ? -1 : isLess(b, a) ? 1 : 0));
      return [];
    },
  });
}

/** The last index in use, holes or not. */
function endOf({ array }: LuaTable): number {
  let end = array.length;
  while (end > 0 && array[end - 1] === undefined) end--;
  return end;
}

function insertAt(
  machine: Machine,
  table: LuaTable,
  { position, value }: { position: number; value: LuaValue },
): void {
  if (position <= 0 || position > table.array.length) {
    machine.rawSet(table, position, { value });
    return;
  }
  machine.step(table.array.length >> 4);
  machine.allocate(48);
  table.array.splice(position - 1, 0, value);
}
