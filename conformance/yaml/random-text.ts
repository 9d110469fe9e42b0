/** A small seeded generator of numbers and of choices made with it; the same seed gives the same sequence everywhere. */
export class Random {
  private state: number;
  /** Whether documents shall be sound, so that large ones come through to the end. */
  tame = false;

  constructor(seed: number) {
    this.state = (seed * 2654435761 + 0x9e3779b9) >>> 0;
  }

  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

const WORDS = [
  'a',
  'b',
  'name',
  'nginx',
  'app.kubernetes.io/name',
  'v1',
  '80',
  '0',
  '-1',
  '1.5',
  '1e3',
  '0x1F',
  '0o17',
  '017',
  '0b101',
  '1_000',
  'true',
  'false',
  'yes',
  'no',
  'on',
  'off',
  'y',
  'n',
  'null',
  '~',
  'Null',
  '.inf',
  '-.inf',
  '.nan',
  '2020-01-01',
  '2020-1-2 3:4:5',
  '2001-12-14t21:59:43.10-05:00',
  '1:30',
  '12:30:45',
  '<<',
  '=',
  '-',
  '--',
  '---x',
  '...',
  '.5',
  '5.',
  '+1',
  '+.5',
  '09',
  '0_7',
  '9007199254740993',
  '18446744073709551615',
  '18446744073709551616',
  '1e400',
  '-0',
  '-0.0',
  '1e-7',
  '123456789012345678901',
  'http://x:80/y',
  'a:b',
  'a#b',
  'a,b',
  'a?b',
  '?a',
  ':a',
  '-a',
  'x y',
  'x  y',
  'long text that goes on and on until it passes the column at which lines are folded by some emitters ok',
  "it's",
  'say "hi"',
  'back\\slash',
  '%d',
  '@at',
  '`tick',
  '!bang',
  '&amp',
  '*star',
  '|pipe',
  '>gt',
  'é',
  '日本',
  '😀',
  '\u00a0x',
  '{{ .Values.x }}',
  '$(VAR)',
  '$[x]',
  '[a]',
  '{a}',
  'a]',
  'a}',
  '~x',
  'tab\tin',
  'end:',
  '#no',
];
const ODD = [
  '\n',
  '\n\n',
  ' ',
  '  ',
  '\t',
  '\r',
  '\u0085',
  '\u2028',
  '\u0007',
  '\u001b',
  '\ufeff',
  '\u007f',
  '\u0000',
  ': ',
  ' #',
  '"',
  "'",
  '\\',
];

const TAME_WORDS = WORDS.filter(
  (word) => /^[-\w.é日😀/$({~+]/u.test(word) && !/^[{(]|^-$|: |:$| #|[\][{},\t]/.test(word),
);

function word(random: Random): string {
  return random.pick(random.tame ? TAME_WORDS : WORDS);
}

/** A string that may hold anything. */
export function randomString(random: Random): string {
  let text = random.chance(8) ? '' : random.pick(WORDS);
  const parts = random.chance(60) ? 0 : random.below(5);
  for (let i = 0; i < parts; i++) text += random.chance(35) ? random.pick(ODD) : random.pick(WORDS);
  return text;
}

/** A JSON value for the writers. */
export function randomValue(random: Random, depth = 0): unknown {
  const kind = random.below(depth > 4 ? 6 : 10);
  if (kind < 3) return randomString(random);
  if (kind === 3)
    return random.pick([
      0,
      1,
      -1,
      80,
      1e6,
      1234567,
      1e20,
      1e21,
      1e-7,
      0.1,
      1.5,
      2 ** 53,
      2 ** 63,
      -(2 ** 63),
      123456.789,
      1e100,
      -0.5,
    ]);
  if (kind === 4) return random.pick([true, false, null]);
  if (kind === 5) return random.chance(50) ? [] : {};
  const size = random.below(5);
  if (kind < 8) return Array.from({ length: size }, () => randomValue(random, depth + 1));
  const out: Record<string, unknown> = {};
  for (let i = 0; i < size; i++) {
    // Go orders keys with numbers beyond int64 by what is left after an overflow, and not the same way each time.
    const text = randomString(random).replace(/[0-9]{19,}/g, '9');
    const key = random.chance(2) ? 'k'.repeat(120 + random.below(20)) : text;
    out[random.chance(20) ? `${key}${random.below(200)}` : key] = randomValue(random, depth + 1);
  }
  return out;
}

/** A document as a person might write it: nested blocks, all styles, comments and empty lines anywhere. */
export function randomDocument(random: Random): string {
  random.tame = random.chance(60);
  const lines: string[] = [];
  const documents = random.chance(85) ? 1 : 1 + random.below(3);
  for (let i = 0; i < documents; i++) {
    if (random.chance(5))
      lines.push(random.pick(['%YAML 1.1', '%TAG !e! tag:example.com,2000:']), '---');
    else if (i > 0 || random.chance(10))
      lines.push(random.pick(['---', '---', '--- # start', '--- |\n  text', '--- a']));
    strayLines(random, lines, 0);
    blockNode(random, lines, 0, 0);
    strayLines(random, lines, 0);
    if (random.chance(5)) lines.push('...');
  }
  const text = lines.join('\n') + (random.chance(90) ? '\n' : '');
  return random.chance(3) ? text.replaceAll('\n', '\r\n') : text;
}

function strayLines(random: Random, lines: string[], indent: number): void {
  if (!random.chance(18)) return;
  const count = 1 + random.below(3);
  for (let i = 0; i < count; i++) {
    if (random.chance(35)) lines.push(random.chance(80) ? '' : '   ');
    else {
      const at = random.chance(75) ? indent : random.below(indent + 4);
      lines.push(
        `${' '.repeat(at)}#${random.pick(['', ' c', ' comment', '## x', ' a: b'])}${random.below(9)}`,
      );
    }
  }
}

function trailing(random: Random): string {
  return random.chance(12)
    ? `${random.pick([' ', '  ', '\t'])}# line${random.below(9)}`
    : random.chance(3)
      ? '  '
      : '';
}

function properties(random: Random): string {
  if (!random.chance(5)) return '';
  if (random.tame) return random.pick(['&a ', '&b ', '!!str ', '!x ', '&a !x ']);
  return random.pick([
    '&a ',
    '&b ',
    '!!str ',
    '!x ',
    '!!int ',
    '! ',
    '&a !!str ',
    '!!binary ',
    '!<tag:x> ',
    '!e!y ',
    '!!set ',
  ]);
}

function blockNode(random: Random, lines: string[], indent: number, depth: number): void {
  const kind = random.below(depth > 4 ? 3 : 10);
  if (kind === 0 && depth > 0)
    lines.push(' '.repeat(indent) + flow(random, indent, 0) + trailing(random));
  else if (kind <= 5) blockMapping(random, lines, indent, depth);
  else if (kind <= 8) blockSequence(random, lines, indent, depth);
  else lines.push(' '.repeat(indent) + scalar(random, indent) + trailing(random));
}

function blockMapping(random: Random, lines: string[], indent: number, depth: number): void {
  const count = 1 + random.below(4);
  for (let i = 0; i < count; i++) {
    strayLines(random, lines, indent);
    const margin = ' '.repeat(indent);
    const key = random.chance(4)
      ? '<<'
      : random.chance(90)
        ? `k${random.below(30)}`
        : flowScalar(random);
    let head = `${margin}${properties(random)}${key}:`;
    if (random.chance(2)) {
      lines.push(`${margin}? ${key}${trailing(random)}`);
      strayLines(random, lines, indent);
      head = `${margin}:`;
    }
    entryValue(random, lines, head, indent, depth);
  }
}

function entryValue(
  random: Random,
  lines: string[],
  head: string,
  indent: number,
  depth: number,
): void {
  const kind = random.below(depth > 4 ? 5 : 10);
  if (kind < 5)
    lines.push(`${head} ${properties(random)}${scalar(random, indent)}${trailing(random)}`);
  else if (kind === 5)
    lines.push(`${head} ${properties(random)}${flow(random, indent, 0)}${trailing(random)}`);
  else if (kind === 6) lines.push(`${head}${trailing(random)}`);
  else {
    lines.push(`${head}${random.chance(6) ? ` ${properties(random)}` : ''}${trailing(random)}`);
    strayLines(random, lines, indent + 2);
    if (random.chance(40))
      blockSequence(random, lines, indent + (random.chance(50) ? 0 : 2), depth + 1);
    else blockNode(random, lines, indent + (random.chance(85) ? 2 : 4), depth + 1);
  }
}

function blockSequence(random: Random, lines: string[], indent: number, depth: number): void {
  const count = 1 + random.below(3);
  for (let i = 0; i < count; i++) {
    strayLines(random, lines, indent);
    const margin = ' '.repeat(indent);
    const kind = random.below(depth > 4 ? 3 : 8);
    const gap = random.pick([' ', ' ', ' ', '   ']);
    if (kind < 3)
      lines.push(
        `${margin}-${gap}${properties(random)}${scalar(random, indent)}${trailing(random)}`,
      );
    else if (kind === 3) lines.push(`${margin}-${trailing(random)}`);
    else {
      const inner: string[] = [];
      blockNode(random, inner, indent + 1 + gap.length, depth + 1);
      const first = inner.findIndex((line) => line.trim() !== '');
      const joins =
        random.chance(85) &&
        first === 0 &&
        inner[0]!.startsWith(' '.repeat(indent + 1 + gap.length));
      if (joins) inner[0] = `${margin}-${gap}${inner[0]!.slice(indent + 1 + gap.length)}`;
      else lines.push(`${margin}-${trailing(random)}`);
      lines.push(...inner);
    }
  }
}

function scalar(random: Random, indent: number): string {
  const kind = random.below(20);
  if (kind < 12) return word(random);
  if (kind < 15) return flowScalar(random);
  if (kind < 18) return blockScalar(random, indent);
  if (kind === 18) return random.tame ? '' : random.pick(['*a', '*b', '']);
  return `${word(random)}\n${' '.repeat(indent + 2)}${word(random)}${random.chance(30) ? `\n\n${' '.repeat(indent + 1)}more` : ''}`;
}

function flowScalar(random: Random): string {
  const kind = random.below(3);
  const content = word(random);
  if (kind === 0) return content;
  if (kind === 1) return `'${content.replaceAll("'", "''")}${random.chance(10) ? '\n   x' : ''}'`;
  const escapes = random.chance(30)
    ? random.pick([
        '\\n',
        '\\t',
        '\\x41',
        '\\u00e9',
        '\\U0001F600',
        '\\N',
        '\\_',
        '\\e',
        '\\\n  ',
        '\n\n  ',
        '\\ ',
      ])
    : '';
  return `"${content.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}${escapes}"`;
}

function blockScalar(random: Random, indent: number): string {
  const header = random.pick(['|', '>', '|-', '>-', '|+', '>+', '|2', '>1-', '|2+']);
  const count = random.below(5);
  const lines: string[] = [header + trailing(random)];
  for (let i = 0; i < count; i++) {
    if (random.chance(20)) lines.push(random.chance(70) ? '' : '     ');
    else
      lines.push(
        `${' '.repeat(indent + 2 + (random.chance(15) ? random.below(3) : 0))}${word(random)}${random.chance(20) ? ` ${word(random)}` : ''}`,
      );
  }
  return lines.join('\n');
}

function flow(random: Random, indent: number, depth: number): string {
  const list = random.chance(50);
  const count = random.below(4);
  const parts: string[] = [];
  const separator = random.pick([
    ', ',
    ',',
    ', ',
    `,\n${' '.repeat(indent + 2)}`,
    ` # c\n${' '.repeat(indent + 3)}, `,
    `, # c\n${' '.repeat(indent + 3)}`,
  ]);
  for (let i = 0; i < count; i++) {
    const value =
      depth < 2 && random.chance(25) ? flow(random, indent, depth + 1) : flowScalar(random);
    if (list && random.chance(90)) parts.push(properties(random) + value);
    else
      parts.push(
        `${random.chance(90) ? `k${random.below(9)}` : flowScalar(random)}${random.pick([': ', ': ', ': ', ':', ''])}${value}`,
      );
  }
  const tail = random.chance(8) ? random.pick([',', ' # end\n  ', '\n  # foot\n']) : '';
  return `${list ? '[' : '{'}${random.chance(6) ? ' # open\n   ' : ''}${parts.join(separator)}${tail}${list ? ']' : '}'}`;
}

const SOUP = [
  'a',
  'b',
  ': ',
  ':',
  '- ',
  '-',
  '? ',
  '[',
  ']',
  '{',
  '}',
  ',',
  '#',
  ' # c',
  '\n',
  '\n  ',
  '\n ',
  '\n\n',
  '  ',
  '\t',
  '"',
  "'",
  '|',
  '>',
  '|\n  x',
  '&a ',
  '*a',
  '!!str ',
  '!x ',
  '%',
  '%YAML 1.1\n',
  '---\n',
  '...\n',
  '\\',
  '@',
  '1',
  '~',
  '\r\n',
  '<<: ',
  '!',
  '|-\n',
  '\u00e9',
  '\ufeff',
];

/** Tokens in any order: mostly errors, and the corners of the grammar. */
export function randomSoup(random: Random): string {
  const count = 1 + random.below(14);
  let text = '';
  for (let i = 0; i < count; i++) text += random.pick(SOUP);
  return text;
}

/** A document with a few characters or lines lost, doubled or put in. */
export function randomMutation(random: Random): string {
  let text = randomDocument(random);
  const count = 1 + random.below(3);
  for (let i = 0; i < count; i++) {
    const at = random.below(text.length + 1);
    const kind = random.below(4);
    if (kind === 0) text = text.slice(0, at) + text.slice(at + 1 + random.below(4));
    else if (kind === 1) text = text.slice(0, at) + random.pick(SOUP) + text.slice(at);
    else {
      const lines = text.split('\n');
      const line = random.below(lines.length);
      if (kind === 2) lines.splice(line, 1);
      else lines.splice(line, 0, random.pick(lines));
      text = lines.join('\n');
    }
  }
  return text;
}
