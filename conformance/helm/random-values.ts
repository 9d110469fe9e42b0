/** Random values files: a fixed set of keys of mostly the right kinds, nulls, globals, values for subcharts, odd scalars. */
import type { Choice } from '../tools/choice.ts';

/** A value as YAML text can write it: scalars are source text, so that `007` and `1e3` stay as they are. */
export type Source = string | readonly Source[] | { readonly [key: string]: Source };

type Table = { [key: string]: Source };

const ODD: [string, ...string[]] = [
  '007',
  '0o17',
  '0x1F',
  '1e3',
  '1e21',
  '.5',
  '-0.0',
  '1_000',
  '+5',
  '12345678901234567890',
  '123456789012',
  '9007199254740993',
  '1.10',
  'yes',
  'off',
  'True',
  '~',
  '2001-01-01',
  '2001-12-14T21:59:43Z',
  '12:30:45',
  '"é\\u2028 \\t"',
  '!!str 5',
  '!!int "3"',
  "'it''s'",
  '"a: b"',
  '"<&>"',
  '"#x"',
  '"line\\nbreak\\n"',
  '"  padded "',
  '""',
  'x y',
  '"- a"',
  '"{{ .Chart.Name }}"',
  '"null"',
  '"true"',
  '"1"',
  '🚀',
  '"\\u0001"',
];

const TEXTS: [string, ...string[]] = [
  '"plain"',
  '"{{ .Release.Name }}-{{ .Values.name }}"',
  '"{{ include \\"lib.name\\" . }}"',
  '"{{ tpl .Values.inner . }}"',
  '"{{ range $k, $v := .Values.map }}{{ $k }}={{ $v }};{{ end }}"',
  '"{{ with .Values.global }}{{ toJson . }}{{ end }}"',
  '"{{ define \\"lib.tag\\" }}tpl{{ end }}{{ include \\"lib.tag\\" . }}"',
];

/** The values of one file. */
export function randomValues(choice: Choice): Table {
  const table: Table = {};
  const keys = Object.keys(MAKERS).filter(() => choice.chance(70));
  if (choice.chance(20)) keys.reverse();
  for (const key of keys)
    table[key] = choice.chance(6) ? 'null' : (MAKERS[key]?.(choice) ?? 'null');
  for (const child of ['one', 'two', 'second', 'other', 'renamed']) {
    if (!choice.chance(30)) continue;
    table[child] = choice.chance(5) ? choice.of(['null', '"text"', '{}']) : childValues(choice, 2);
  }
  return table;
}

const MAKERS: Readonly<Record<string, (choice: Choice) => Source>> = {
  name: (choice) => choice.of(['app', 'a-b', '"Quoted Name"', 'é']),
  count: (choice) => choice.of(['1', '3', '0', '10', '1000000', '2.5']),
  flag: (choice) => choice.of(['true', 'false']),
  list: (choice) => choice.some(5, () => choice.of(['a', 'b', '1', '2', '"x y"', 'null', 'true'])),
  map: (choice) => randomTable(choice, 2),
  objects: (choice) =>
    choice.some(4, () => ({ name: choice.of(['p', 'q', '1']), value: randomSource(choice, 1) })),
  odd: (choice) => choice.of(ODD),
  odds: (choice) => choice.some(6, () => choice.of(ODD)),
  text: (choice) => choice.of(TEXTS),
  inner: (choice) => choice.of(['"inner {{ .Chart.Name }}"', '"x"']),
  a: (choice) => randomSource(choice, 2),
  global: (choice) => ({ ...randomTable(choice, 2), flag: choice.of(['true', 'false', '"x"']) }),
  tags: (choice) => ({ front: choice.of(['true', 'false']), back: choice.of(['true', 'false']) }),
  exports: (choice) => ({ data: randomTable(choice, 2) }),
  random: (choice) => randomSource(choice, 3),
};

function childValues(choice: Choice, depth: number): Table {
  const table: Table = {};
  if (choice.chance(50)) table['enabled'] = choice.of(['true', 'false', 'true', '"yes"', 'null']);
  for (const [key, make] of Object.entries(MAKERS)) {
    if (choice.chance(15)) table[key] = choice.chance(15) ? 'null' : make(choice);
  }
  if (depth > 0 && choice.chance(30)) table['one'] = childValues(choice, depth - 1);
  if (depth > 0 && choice.chance(30)) table['two'] = childValues(choice, depth - 1);
  return table;
}

const KEYS: [string, ...string[]] = [
  'a',
  'b',
  'c',
  'deep',
  '1',
  'true',
  'x.y',
  'Key',
  'null',
  'deep',
];

function randomTable(choice: Choice, depth: number): Table {
  const table: Table = {};
  for (let i = choice.below(5); i > 0; i--) {
    const key = choice.of(KEYS);
    table[key] =
      key === 'deep' && depth > 0
        ? randomTable(choice, depth - 1)
        : randomSource(choice, depth - 1);
  }
  return table;
}

function randomSource(choice: Choice, depth: number): Source {
  if (depth > 0 && choice.chance(25)) return randomTable(choice, depth);
  if (depth > 0 && choice.chance(20)) return choice.some(4, () => randomSource(choice, depth - 1));
  if (choice.chance(10)) return 'null';
  return choice.chance(40) ? choice.of(ODD) : choice.of(['x', '1', 'true', '"y"', '2.5', '0']);
}

/** YAML in block style, with flow style, comments, blank lines and an anchor here and there. */
export function toYamlText(choice: Choice, values: Table): string {
  if (choice.chance(2)) return choice.of(['', '# nothing\n', '---\n', '{}\n']);
  const lines = blockTable(choice, values, '');
  if (choice.chance(8)) lines.push('anchored: &anchor {p: 1, q: [x]}', 'again: *anchor');
  if (choice.chance(5)) lines.push('base: &base {p: 1}', 'merged: {<<: *base, r: 2}');
  if (choice.chance(8))
    lines.push('folded: >-', '  one', '  two', '', '  three', 'literal: |', '  a', '   b');
  return `${lines.join(choice.chance(4) ? '\r\n' : '\n')}\n`;
}

function blockTable(choice: Choice, table: Table, indent: string): string[] {
  return Object.entries(table).flatMap(([key, value]) => {
    const name =
      /^[A-Za-z][\w.]*$/.test(key) && key !== 'true' && key !== 'null' ? key : JSON.stringify(key);
    const note = choice.chance(5) ? [`${indent}# about ${key}`, ''] : [];
    return [...note, ...blockEntry(choice, `${indent}${name}:`, { value, indent })];
  });
}

function blockEntry(
  choice: Choice,
  head: string,
  { value, indent }: { readonly value: Source; readonly indent: string },
): string[] {
  if (typeof value === 'string') return [`${head} ${value}`];
  if (Object.keys(value).length === 0 || choice.chance(20)) return [`${head} ${flow(value)}`];
  if (isList(value)) {
    const step = choice.chance(50) ? '' : '  ';
    return [head, ...value.flatMap((item) => blockItem(choice, item, `${indent}${step}`))];
  }
  return [head, ...blockTable(choice, value, `${indent}  `)];
}

function blockItem(choice: Choice, item: Source, indent: string): string[] {
  if (typeof item === 'string' || isList(item) || Object.keys(item).length === 0)
    return [`${indent}- ${flow(item)}`];
  const [first = '', ...rest] = blockTable(choice, item, `${indent}  `).filter(
    (line) => !/^\s*(#|$)/.test(line),
  );
  return [`${indent}- ${first.trimStart()}`, ...rest];
}

function flow(value: Source): string {
  if (typeof value === 'string') return value;
  if (isList(value)) return `[${value.map(flow).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${flow(item)}`)
    .join(', ')}}`;
}

function isList(value: Source): value is readonly Source[] {
  return Array.isArray(value);
}
