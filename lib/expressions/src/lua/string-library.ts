import { type Arguments, makeLibrary } from './arguments.ts';
import { formatText } from './format.ts';
import type { Machine } from './machine.ts';
import { findAll, findPattern, type PatternMatch } from './pattern.ts';
import {
  fromBytes,
  isTruthy,
  LuaFunction,
  LuaTable,
  type LuaValue,
  toBytes,
  toText,
  typeOf,
} from './value.ts';

/** Lua's string library, with patterns that cost a step for each attempt. Makes methods of strings work. */
export function stringLibrary(machine: Machine): LuaTable {
  const library = makeLibrary(machine, {
    byte: (args) => {
      const text = args.text(1);
      const from = args.optionalInteger(2, 1);
      const part = cut(text, from, args.optionalInteger(3, from));
      machine.allocate(part.length * 16);
      return Array.from(part, (char) => char.charCodeAt(0));
    },
    char: (args) => [
      String.fromCharCode(...args.values.map((_, index) => args.integer(index + 1) & 0xff)),
    ],
    find: (args) => find(machine, args),
    format: (args) => {
      const text = formatText(machine, args.text(1), args.values.slice(1));
      machine.allocate(text.length);
      return [text];
    },
    gmatch: (args) => {
      const matches = findAll(machine, { text: args.text(1), pattern: args.text(2) });
      let index = 0;
      const next = () => {
        const match = matches[index++];
        return match === undefined ? [undefined] : capturesOf(match, args.text(1));
      };
      return [new LuaFunction(next)];
    },
    gsub: (args) => substitute(machine, args),
    len: (args) => [args.text(1).length],
    lower: (args) => [toBytes(fromBytes(args.text(1)).toLowerCase())],
    upper: (args) => [toBytes(fromBytes(args.text(1)).toUpperCase())],
    match: (args) => {
      const text = args.text(1);
      const from = startOf(text, args.optionalInteger(3, 1));
      const match = findPattern(machine, { text, pattern: args.text(2), from });
      return match === undefined ? [undefined] : capturesOf(match, text);
    },
    rep: (args) => {
      const text = args.text(1);
      const count = Math.max(0, args.integer(2));
      machine.allocate(text.length * count);
      return [text.repeat(count)];
    },
    reverse: (args) => [[...args.text(1)].reverse().join('')],
    sub: (args) => [cut(args.text(1), args.integer(2), args.optionalInteger(3, -1))],
  });
  library.set('gfind', library.get('gmatch'));
  library.set('__index', library);
  machine.stringMetatable = library;
  return library;
}

/** From the first to the last of these positions; negative ones count from the end. */
function cut(text: string, from: number, to: number): string {
  const end = to < 0 ? text.length + to + 1 : to;
  return text.slice(startOf(text, from), Math.max(0, end));
}

function startOf(text: string, position: number): number {
  return Math.max(0, position < 0 ? text.length + position : position - 1);
}

function find(machine: Machine, args: Arguments): readonly LuaValue[] {
  const text = args.text(1);
  const pattern = args.text(2);
  if (pattern === '') return [1, 0];
  const from = startOf(text, args.optionalInteger(3, 1));
  if (isTruthy(args.at(4))) {
    machine.step(text.length >> 4);
    const at = text.indexOf(pattern, from);
    return at < 0 ? [undefined] : [at + 1, at + pattern.length];
  }
  const match = findPattern(machine, { text, pattern, from });
  return match === undefined ? [undefined] : [match.start + 1, match.end, ...match.captures];
}

/** The captures, or the whole match when there are none. */
function capturesOf({ captures, start, end }: PatternMatch, text: string): readonly LuaValue[] {
  return captures.length > 0 ? captures : [text.slice(start, end)];
}

function substitute(machine: Machine, args: Arguments): readonly LuaValue[] {
  const text = args.text(1);
  const replacement = args.any(3);
  if (!['string', 'number', 'table', 'function'].includes(typeOf(replacement))) {
    args.fail(3, `string or table or function expected, got ${typeOf(replacement)}`);
  }
  const limit = args.optionalInteger(4, -1);
  const matches = findAll(machine, {
    text,
    pattern: args.text(2),
    ...(limit < 0 ? {} : { limit }),
  });
  let result = '';
  let last = 0;
  for (const match of matches) {
    const whole = text.slice(match.start, match.end);
    const value = replace(machine, { replacement, match, text });
    const piece = text.slice(last, match.start) + (isTruthy(value) ? toText(value) : whole);
    machine.allocate(piece.length);
    result += piece;
    last = match.end;
  }
  return [result + text.slice(last), matches.length];
}

function replace(
  machine: Machine,
  { replacement, match, text }: { replacement: LuaValue; match: PatternMatch; text: string },
): LuaValue {
  const captures = capturesOf(match, text);
  if (replacement instanceof LuaTable) {
    return machine.index(replacement, captures[0], machine.line);
  }
  if (replacement instanceof LuaFunction) return machine.call(replacement, captures)[0];
  return toText(replacement).replace(/%(.)/gs, (whole, char: string) => {
    if (char === '%') return '%';
    if (!/[0-9]/.test(char)) return whole;
    if (char === '0') return text.slice(match.start, match.end);
    const captured = captures[Number(char) - 1];
    return captured === undefined ? machine.raise('invalid capture index') : toText(captured);
  });
}
