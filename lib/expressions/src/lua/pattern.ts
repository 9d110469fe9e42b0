import type { Machine } from './machine.ts';

/** One place where a pattern matched. `end` is after it. A capture without an end is a position. */
export interface PatternMatch {
  readonly start: number;
  readonly end: number;
  readonly captures: readonly (string | number)[];
}

interface State {
  readonly text: string;
  readonly pattern: string;
  readonly machine: Machine;
  captures: { start: number; length: number }[];
  depth: number;
}

const OPEN = -1;
const POSITION = -2;
const CAPTURES_MAX = 32;
const DEPTH_MAX = 200;

/** The first match at or after `from`; undefined when there is none. Each attempt costs a step. */
export function findPattern(
  machine: Machine,
  { text, pattern, from }: { text: string; pattern: string; from: number },
): PatternMatch | undefined {
  const isAnchored = pattern.startsWith('^');
  for (let start = from; start <= text.length; start++) {
    const state: State = { text, pattern, machine, captures: [], depth: 0 };
    const end = match(state, start, isAnchored ? 1 : 0);
    if (end !== undefined) return { start, end, captures: readCaptures(state) };
    if (isAnchored) return undefined;
  }
  return undefined;
}

/** All matches from left to right that do not overlap, at most `limit`. */
export function findAll(
  machine: Machine,
  { text, pattern, limit = Infinity }: { text: string; pattern: string; limit?: number },
): readonly PatternMatch[] {
  const found: PatternMatch[] = [];
  let from = 0;
  while (found.length < limit && from <= text.length) {
    const next = findPattern(machine, { text, pattern, from });
    if (next === undefined) break;
    found.push(next);
    machine.allocate(64);
    if (pattern.startsWith('^')) break;
    from = next.end > next.start ? next.end : next.end + 1;
  }
  return found;
}

function readCaptures({ text, captures }: State): readonly (string | number)[] {
  return captures.map(({ start, length }) =>
    length === POSITION ? start + 1 : text.slice(start, start + length),
  );
}

/** Where the rest of the pattern from `at` ends when it matches at `place`. */
function match(state: State, place: number, at: number): number | undefined {
  if (++state.depth > DEPTH_MAX) state.machine.raise('pattern too complex');
  const result = matchHere(state, place, at);
  state.depth--;
  return result;
}

function matchHere(state: State, startPlace: number, startAt: number): number | undefined {
  const { pattern, text, machine } = state;
  let place = startPlace;
  let at = startAt;
  for (;;) {
    machine.step();
    if (at >= pattern.length) return place;
    const char = pattern[at]!;
    if (char === '(') {
      const isPosition = pattern[at + 1] === ')';
      return openCapture(state, place, { at: at + (isPosition ? 2 : 1), isPosition });
    }
    if (char === ')') return closeCapture(state, place, at + 1);
    if (char === '$' && at + 1 === pattern.length) return place === text.length ? place : undefined;
    const escaped = char === '%' ? pattern[at + 1] : undefined;
    if (escaped === 'b') {
      const end = matchBalance(state, place, at + 2);
      if (end === undefined) return undefined;
      place = end;
      at += 4;
      continue;
    }
    if (escaped !== undefined && /[0-9]/.test(escaped)) {
      const end = matchBack(state, place, Number(escaped));
      if (end === undefined) return undefined;
      place = end;
      at += 2;
      continue;
    }
    const next = classEnd(state, at);
    const suffix = pattern[next];
    if (suffix === '*' || suffix === '+') return matchMost(state, place, { at, next, suffix });
    if (suffix === '-') return matchLeast(state, place, { at, next });
    const fits = place < text.length && matchesOne(state, place, { at, next });
    if (suffix === '?') {
      const end = fits ? match(state, place + 1, next + 1) : undefined;
      if (end !== undefined) return end;
      at = next + 1;
      continue;
    }
    if (!fits) return undefined;
    place++;
    at = next;
  }
}

function matchMost(
  state: State,
  place: number,
  { at, next, suffix }: { at: number; next: number; suffix: string },
): number | undefined {
  let count = 0;
  while (place + count < state.text.length && matchesOne(state, place + count, { at, next })) {
    state.machine.step();
    count++;
  }
  for (const least = suffix === '+' ? 1 : 0; count >= least; count--) {
    const end = match(state, place + count, next + 1);
    if (end !== undefined) return end;
  }
  return undefined;
}

function matchLeast(
  state: State,
  start: number,
  { at, next }: { at: number; next: number },
): number | undefined {
  for (let place = start; ; place++) {
    const end = match(state, place, next + 1);
    if (end !== undefined) return end;
    if (place >= state.text.length || !matchesOne(state, place, { at, next })) return undefined;
  }
}

function openCapture(
  state: State,
  place: number,
  { at, isPosition }: { at: number; isPosition: boolean },
): number | undefined {
  if (state.captures.length >= CAPTURES_MAX) state.machine.raise('too many captures');
  const before = state.captures;
  state.captures = [...before, { start: place, length: isPosition ? POSITION : OPEN }];
  const end = match(state, place, at);
  if (end === undefined) state.captures = before;
  return end;
}

function closeCapture(state: State, place: number, at: number): number | undefined {
  const index = state.captures.findLastIndex(({ length }) => length === OPEN);
  const open = state.captures[index];
  if (open === undefined) return state.machine.raise("invalid ')'");
  const before = state.captures;
  state.captures = before.with(index, { start: open.start, length: place - open.start });
  const end = match(state, place, at);
  if (end === undefined) state.captures = before;
  return end;
}

function matchBalance({ text, pattern, machine }: State, place: number, at: number) {
  const open = pattern[at];
  const close = pattern[at + 1];
  if (close === undefined) return machine.raise('unexpected EOS at EOS');
  if (text[place] !== open) return undefined;
  let level = 1;
  for (let i = place + 1; i < text.length; i++) {
    machine.step();
    if (text[i] === close) {
      if (--level === 0) return i + 1;
    } else if (text[i] === open) level++;
  }
  return undefined;
}

function matchBack({ text, captures, machine }: State, place: number, index: number) {
  const capture = captures[index - 1];
  if (capture === undefined || capture.length < 0) return machine.raise('invalid capture index');
  const wanted = text.slice(capture.start, capture.start + capture.length);
  machine.step(wanted.length);
  return text.startsWith(wanted, place) ? place + wanted.length : undefined;
}

/** Where the single-character class that begins at `at` ends. */
function classEnd({ pattern, machine }: State, at: number): number {
  if (pattern[at] === '%') {
    if (at + 1 >= pattern.length) machine.raise('unexpected EOS at EOS');
    return at + 2;
  }
  if (pattern[at] !== '[') return at + 1;
  let i = pattern[at + 1] === '^' ? at + 2 : at + 1;
  do {
    if (i >= pattern.length) machine.raise('unexpected EOS at EOS');
    i += pattern[i] === '%' ? 2 : 1;
  } while (pattern[i] !== ']');
  return i + 1;
}

function matchesOne(
  { text, pattern }: State,
  place: number,
  { at, next }: { at: number; next: number },
): boolean {
  const char = text[place]!;
  switch (pattern[at]) {
    case '.':
      return true;
    case '%':
      return isOfClass(char, pattern[at + 1]!);
    case '[':
      return isInSet(char, pattern.slice(at + 1, next - 1));
    default:
      return char === pattern[at];
  }
}

function isInSet(char: string, set: string): boolean {
  const isNot = set.startsWith('^');
  for (let i = isNot ? 1 : 0; i < set.length; i++) {
    if (set[i] === '%') {
      if (isOfClass(char, set[++i] ?? '')) return !isNot;
    } else if (set[i + 1] === '-' && i + 2 < set.length) {
      if (set[i]! <= char && char <= set[i + 2]!) return !isNot;
      i += 2;
    } else if (set[i] === char) return !isNot;
  }
  return isNot;
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  a: /[A-Za-z]/,
  c: /[\x00-\x1f\x7f]/,
  d: /[0-9]/,
  l: /[a-z]/,
  p: /[!-/:-@[-`{-~]/,
  s: /[ \f\n\r\t\v]/,
  u: /[A-Z]/,
  w: /[A-Za-z0-9]/,
  x: /[0-9A-Fa-f]/,
  z: /\0/,
};

function isOfClass(char: string, name: string): boolean {
  const pattern = CLASSES[name.toLowerCase()];
  if (pattern === undefined) return char === name;
  return pattern.test(char) === (name === name.toLowerCase());
}
