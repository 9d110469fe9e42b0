import { Choice } from '../tools/choice.ts';
import type { Json } from './data.ts';
import { askOracle, type Question } from './oracle.ts';
import { answerOf, languages } from './ours.ts';

const KEYS: [string, ...string[]] = ['a', 'b', 'c', 'name', 'list', 'map', 'missing'];
const TEXTS: [string, ...string[]] = [
  '',
  'x',
  'hello',
  'a b',
  'é',
  '1',
  '0x1f',
  '3.50',
  'true',
  'A-b_c',
  '{"k":1}',
  '1.2.3',
  '%d',
  'x\ny',
];

/** Random data: what a values file may hold, and some typed values. */
function randomValue(choice: Choice, depth: number): Json {
  const kind = choice.below(depth > 3 ? 7 : 11);
  switch (kind) {
    case 0:
      return choice.of(TEXTS);
    case 1:
      return choice.below(2000) - 1000;
    case 2:
      return choice.of([0.5, 1e6, 1e21, -0.001, 123456789, 3]);
    case 3:
      return choice.chance(50);
    case 4:
      return choice.chance(30) ? null : choice.of(TEXTS);
    case 5:
      return { [choice.of(['$int', '$int64', '$uint8', '$int32'])]: choice.below(100) };
    case 6:
      return choice.of<Json>([
        { $strings: ['p', 'q'] },
        { $ints: [1, 2] },
        { $stringMap: { k: 'v' } },
        { $duration: '90000000000' },
      ]);
    case 7:
    case 8:
      return Array.from({ length: choice.below(4) }, () => randomValue(choice, depth + 1));
    default: {
      const out: Record<string, Json> = {};
      for (let i = choice.below(5); i > 0; i--)
        out[choice.of(KEYS)] = randomValue(choice, depth + 1);
      return out;
    }
  }
}

const UNARY: [string, ...string[]] = [
  'quote',
  'squote',
  'upper',
  'lower',
  'title',
  'trim',
  'toString',
  'int',
  'int64',
  'float64',
  'len',
  'not',
  'empty',
  'kindOf',
  'typeOf',
  'toJson',
  'toPrettyJson',
  'first',
  'last',
  'rest',
  'initial',
  'reverse',
  'uniq',
  'compact',
  'sortAlpha',
  'toStrings',
  'floor',
  'ceil',
  'add1',
  'b64enc',
  'sha256sum',
  'html',
  'js',
  'urlquery',
  'print',
  'println',
  'list',
  'snakecase',
  'kebabcase',
  'camelcase',
  'nospace',
  'initials',
  'swapcase',
  'untitle',
  'atoi',
  'toDecimal',
  'fromJson',
  'base',
  'dir',
  'clean',
  'ext',
  'deepCopy',
  'regexQuoteMeta',
  'urlParse',
  'semver',
  'duration',
  'durationRound',
  'toRawJson',
  'mustToJson',
  'b32enc',
  'adler32sum',
  'until',
];
const BINARY: [string, ...string[]] = [
  'default',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'add',
  'sub',
  'mul',
  'div',
  'mod',
  'max',
  'min',
  'append',
  'prepend',
  'concat',
  'has',
  'join',
  'splitList',
  'split',
  'contains',
  'hasPrefix',
  'hasSuffix',
  'trimSuffix',
  'trimPrefix',
  'trimAll',
  'indent',
  'nindent',
  'trunc',
  'repeat',
  'abbrev',
  'index',
  'and',
  'or',
  'coalesce',
  'cat',
  'dict',
  'hasKey',
  'get',
  'pick',
  'omit',
  'merge',
  'mergeOverwrite',
  'addf',
  'mulf',
  'subf',
  'divf',
  'deepEqual',
  'regexMatch',
  'regexFind',
  'without',
  'wrap',
  'chunk',
  'slice',
  'typeIs',
  'kindIs',
  'semverCompare',
  'unset',
  'round',
  'printf',
  'maxf',
  'minf',
  'tuple',
  'any',
  'all',
  'pluck',
  'mustHas',
  'set',
];
const FORMATS: [string, ...string[]] = [
  '%v',
  '%s',
  '%d',
  '%q',
  '%5.2f',
  '%x',
  '%T',
  '%+v',
  '%#v',
  '%-8v|',
  '%08d',
  '%t',
  '%e',
  '%g',
  '%c',
  '%U',
  '%6s|',
  '%.3v',
];

const VERBS: [string, ...string[]] = [
  'v',
  'T',
  't',
  'b',
  'c',
  'd',
  'o',
  'O',
  'q',
  'x',
  'X',
  'U',
  'e',
  'E',
  'f',
  'F',
  'g',
  'G',
  's',
  'z',
];
const FORMAT_VALUES: [string, ...string[]] = [
  '.',
  '.a',
  '.b',
  '.c',
  '.list',
  '.map',
  '.name',
  '0',
  '-7',
  '255',
  '1.5',
  '-0.000123',
  '1e21',
  '123456789.5',
  '2.5',
  '"héllo"',
  '""',
  '"a\\"b\\n"',
  'true',
  'nil',
  "'é'",
  '1+2i',
  '65',
  '1e6',
  '.missing',
  '(list 1 "x" nil)',
  '(dict "k" 1.5)',
  '(int64 -5)',
  '(list)',
  '9223372036854775807',
];

/** A format string of random flags, widths, precisions, indexes and verbs, some of them wrong. */
function randomFormat(choice: Choice): { readonly format: string; readonly args: string } {
  let format = '';
  const directives = 1 + choice.below(3);
  for (let i = 0; i < directives; i++) {
    format += choice.of(['', 'x', ' ', '%%', 'é']);
    format += '%';
    while (choice.chance(35)) format += choice.of(['+', '-', '#', ' ', '0']);
    if (choice.chance(8)) format += choice.of(['[1]', '[2]', '[9]', '[x]', '[']);
    if (choice.chance(35))
      format += choice.of(['*', String(choice.below(12)), String(choice.below(30))]);
    if (choice.chance(30))
      format += choice.of(['.', '.*', `.${choice.below(8)}`, `.${choice.below(20)}`]);
    format += choice.of(VERBS);
  }
  const count = choice.chance(80) ? directives : choice.below(5);
  const args = Array.from({ length: count }, () => choice.of(FORMAT_VALUES));
  return { format, args: args.join(' ') };
}

class Writer {
  readonly #choice: Choice;
  #variables = ['$'];

  constructor(choice: Choice) {
    this.#choice = choice;
  }

  operand(depth: number): string {
    const choice = this.#choice;
    switch (choice.below(depth > 3 ? 7 : 9)) {
      case 0:
        return '.';
      case 1:
      case 2:
        return this.#field('');
      case 3:
        return choice.of([
          JSON.stringify(choice.of(TEXTS)),
          String(choice.below(20) - 5),
          '1.5',
          'true',
          'nil',
          '0',
          '1e3',
          "'a'",
        ]);
      case 4: {
        const variable = this.#variables[choice.below(this.#variables.length)] ?? '$';
        return choice.chance(40) ? this.#field(variable) : variable;
      }
      case 5:
        return '(list)';
      case 6:
        return '(dict "a" 1 "b" "x")';
      case 7:
        return choice.chance(15)
          ? `(${this.pipeline(depth + 1)})${this.#field('')}`
          : `(${this.pipeline(depth + 1)})`;
      default:
        return `(${this.call(depth + 1)})`;
    }
  }

  #field(start: string): string {
    let out = `${start}.${this.#choice.of(KEYS)}`;
    while (this.#choice.chance(30)) out += `.${this.#choice.of(KEYS)}`;
    return out;
  }

  call(depth: number): string {
    const choice = this.#choice;
    if (choice.chance(10)) {
      return `printf ${JSON.stringify(choice.of(FORMATS))} ${this.operand(depth)}`;
    }
    if (choice.chance(10)) {
      const { format, args } = randomFormat(choice);
      return `printf ${JSON.stringify(format)} ${args}`;
    }
    if (choice.chance(50)) return `${choice.of(UNARY)} ${this.operand(depth)}`;
    if (choice.chance(12)) {
      return `ternary ${this.operand(depth)} ${this.operand(depth)} (${choice.of(['true', 'false', 'eq 1 1'])})`;
    }
    return `${choice.of(BINARY)} ${this.operand(depth)} ${this.operand(depth)}`;
  }

  pipeline(depth: number): string {
    const choice = this.#choice;
    let out = choice.chance(50) ? this.operand(depth) : this.call(depth);
    while (choice.chance(35)) {
      out += ` | ${choice.of([choice.of(UNARY), `${choice.of(BINARY)} ${this.operand(depth)}`, `printf ${JSON.stringify(choice.of(FORMATS))}`])}`;
    }
    return out;
  }

  statements(depth: number): string {
    let out = '';
    for (let i = 1 + this.#choice.below(3); i > 0; i--) out += this.statement(depth);
    return out;
  }

  statement(depth: number): string {
    const choice = this.#choice;
    const kind = choice.below(depth > 2 ? 4 : 10);
    const marks = choice.of<readonly [string, string]>([
      ['', ''],
      ['- ', ' -'],
      ['- ', ''],
      ['', ' -'],
    ]);
    const action = (body: string): string => `{{${marks[0]}${body}${marks[1]}}}`;
    const scope = this.#variables.length;
    const inner = (): string => {
      const text = this.statements(depth + 1);
      this.#variables.length = scope;
      return text;
    };
    switch (kind) {
      case 0:
        return choice.of(['text', ' ', '\n', 'a: b\n  ', '- x\n']);
      case 1:
      case 2:
        return action(this.pipeline(0));
      case 3: {
        const name = `$v${choice.below(3)}`;
        const text = action(`${name} := ${this.pipeline(0)}`);
        this.#variables.push(name);
        return text;
      }
      case 4:
      case 5: {
        const otherwise = choice.chance(40) ? `{{else}}${inner()}` : '';
        return `${action(`if ${this.pipeline(0)}`)}${inner()}${otherwise}{{end}}`;
      }
      case 6:
        return `${action(`with ${this.pipeline(0)}`)}${inner()}{{else}}${inner()}{{end}}`;
      case 7: {
        const pipe = this.pipeline(0);
        this.#variables.push('$i', '$e');
        const body = `${action(`range $i, $e := ${pipe}`)}${this.statements(depth + 1)}`;
        this.#variables.length = scope;
        return `${body}{{end}}`;
      }
      case 8:
        return `${action(`range ${this.pipeline(0)}`)}${inner()}${choice.chance(20) ? '{{break}}' : ''}{{end}}`;
      default:
        return `${action(`template "named" ${this.operand(1)}`)}${action(`include "named" ${this.operand(1)} | ${choice.of(UNARY)}`)}`;
    }
  }
}

/** The question of a seed: a template over random data, sometimes with a missingkey option. */
export function randomQuestion(seed: number): Question {
  const choice = new Choice(seed + 1);
  const data: Record<string, Json> = {};
  for (const key of KEYS.slice(0, -1)) data[key] = randomValue(choice, 0);
  const writer = new Writer(choice);
  const missingKey = choice.of(['', '', 'zero', 'error']);
  return {
    // Most long templates end in an error: every other seed is one action alone.
    template: seed % 2 === 0 ? writer.statements(0) : `{{${writer.pipeline(2)}}}`,
    templates: { named: '<{{.}}{{if .}}!{{end}}>' },
    data,
    missingKey,
  };
}

export interface Comparison {
  readonly seed: number;
  readonly question: Question;
  readonly expected: string;
  readonly actual: string;
}

/** Renders the template of every seed here and by the oracle; leaves out those that the oracle does not survive. */
export async function compareSeeds(
  program: string,
  seeds: readonly number[],
): Promise<Comparison[]> {
  const questions = seeds.map(randomQuestion);
  const answers = await askOracle(program, questions);
  const known = languages();
  return questions.flatMap((question, index) => {
    const answer = answers[index];
    if (answer?.crashed === true) return [];
    const actual = JSON.stringify(answerOf(question, known));
    return [{ seed: seeds[index] ?? -1, question, expected: JSON.stringify(answer), actual }];
  });
}
