// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such texts are the language that is compared
/** Random texts in the language of post-build substitution, right and wrong ones, with variables for them. */
import type { Choice } from '../tools/choice.ts';

export interface TextCase {
  readonly text: string;
  readonly variables: { readonly [name: string]: string };
  readonly strict: boolean;
}

type Some = readonly [string, ...string[]];

const NAMES: Some = ['a', 'b', 'missing', '_x1', 'é', '1a', 'a-b', 'a.b', ''];
const DEFAULTS: Some = ['=', ':=', ':-', ':+', ':?', '-', '+', '?'];
const EDITS: Some = ['^', '^^', ',', ',,', '#', '##', '%', '%%', '/', '//', '/#', '/%'];
const PARTS: Some = [':', ':1', ':1:2', ':-2', ':99', ':1:99', ':x', ':1:x'];
const ODD: Some = ['', '@', '!', '/a/', '//a/b', '/#a/b', '/%c/d'];
const OPERATORS: readonly [Some, ...Some[]] = [DEFAULTS, EDITS, PARTS, ODD];
const PLAIN: Some = ['a', 'b', 'c', '1', '2', 'é', '😀', ' ', '\n', '\t', '.', ':', '-', '=', ','];
const SIGNS: Some = ['/', '\\', '\\/', '\\}', '}', '{', '$', '$$', '${', '"', "'", '#', '%', '\\$'];
const GLOBS: Some = ['*', '?', '[ab]', '[', ']', '^', '[!a]', '[^a]', '[a-c]', '!a'];
const BITS: readonly [Some, ...Some[]] = [PLAIN, SIGNS, GLOBS];
const TEXTS: Some = ['abcabc', 'ABC', '', '/home/a/b.c.txt', 'é😀x', 'a*b', '5', '${b}', 'a.b.c'];

export function randomText(choice: Choice): TextCase {
  let text = '';
  for (let parts = 1 + choice.below(3); parts > 0; parts--) {
    text += choice.chance(70) ? expression(choice, 2) : junk(choice, 5);
  }
  return {
    text,
    variables: {
      a: choice.of(TEXTS),
      b: choice.of(['xyz', '', 'B', '1', '*', 'a']),
      ...(choice.chance(50) ? { _x1: 'v' } : {}),
    },
    strict: choice.chance(30),
  };
}

function expression(choice: Choice, depth: number): string {
  const inner = (): string =>
    depth > 0 && choice.chance(30) ? expression(choice, depth - 1) : junk(choice, 4);
  if (choice.chance(10)) return `$\${${choice.of(NAMES)}}`;
  if (choice.chance(8))
    return `\${#${choice.of(NAMES)}${choice.chance(20) ? junk(choice, 2) : ''}}`;
  const operator = choice.of(choice.of(OPERATORS));
  let text = `\${${choice.of(NAMES)}${operator}`;
  if (operator !== '') text += inner();
  if (operator.startsWith('/') && choice.chance(80)) text += `/${inner()}`;
  return choice.chance(95) ? `${text}}` : text;
}

function junk(choice: Choice, limit: number): string {
  return choice.some(limit, () => choice.of(choice.of(BITS))).join('');
}
