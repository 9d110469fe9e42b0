// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such texts are the language that is read here
import { compileGlob } from '@capstan/lib-files';

/**
 * Shell-like variables in a text, as the Flux project's fork of drone/envsubst (v1.8) reads them: `${var}`, defaults
 * (`${var:=text}`, `:-`, `=`; texts may hold variables), length, case, parts, trims by glob, replacements, `$$` for a dollar
 * sign. Plain `$var` is left alone. A text that this language cannot read is an error with its place.
 */
export function substituteText(text: string, options: SubstituteTextOptions): string {
  const nodes = new Parser(text).parse();
  let out = '';
  for (const node of nodes) {
    out += evaluate(node, options);
    if (out.length > OUTPUT_CHARACTERS_MAX)
      throw new SubstitutionError('the result is too long', 0);
  }
  return out;
}

export interface SubstituteTextOptions {
  readonly variables: { readonly [name: string]: string };
  /** A variable that is not set, used without a default, is an error instead of ''. */
  readonly strict: boolean;
}

/** `offset` counts characters from the start of the text. */
export class SubstitutionError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const OUTPUT_CHARACTERS_MAX = 64 * 1024 * 1024;
const NESTING_MAX = 100;
const DEFAULTS = new Set([':=', ':-', '=', ':+', ':?']);

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'variable';
      readonly name: string;
      /** '' for the plain value. */
      readonly operator: string;
      readonly parameters: readonly Node[];
      readonly offset: number;
    };

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    // A NUL ends the text in the original.
    const end = text.indexOf('\0');
    this.#text = end < 0 ? text : text.slice(0, end);
  }

  parse(): readonly Node[] {
    const nodes: Node[] = [];
    let from = this.#at;
    let plain = '';
    while (this.#at < this.#text.length) {
      const dollar = this.#text.indexOf('$', this.#at);
      if (dollar < 0) break;
      const next = this.#text[dollar + 1];
      this.#at = dollar + 1;
      if (next === '$') {
        plain += this.#text.slice(from, dollar + 1);
        this.#at = dollar + 2;
        from = this.#at;
      } else if (next === '{') {
        plain += this.#text.slice(from, dollar);
        if (plain !== '') nodes.push({ kind: 'text', text: plain });
        plain = '';
        nodes.push(this.#variable());
        from = this.#at;
      }
    }
    plain += this.#text.slice(from);
    return plain === '' ? nodes : [...nodes, { kind: 'text', text: plain }];
  }

  /** At the brace of `${`; leaves after the closing one. */
  #variable(): Node {
    const offset = this.#at - 1;
    if (++this.#depth > NESTING_MAX) throw new SubstitutionError('too many levels', offset);
    this.#at++;
    const isLength = this.#text[this.#at] === '#';
    if (isLength) this.#at++;
    const name = this.#name(
      isLength ? 'bad substitution' : 'unable to parse variable name',
      offset,
    );
    const make = (operator: string, parameters: readonly Node[]): Node => {
      this.#close(operator === '' ? 'missing closing brace' : 'bad substitution', offset);
      this.#depth--;
      return { kind: 'variable', name, operator, parameters, offset };
    };
    if (isLength) return make('length', []);
    const rest = this.#text.slice(this.#at, this.#at + 2);
    if (/^(?::[=\-?+]|=)/.test(rest)) {
      const operator = rest.startsWith('=') ? '=' : rest;
      this.#at += operator.length;
      return make(operator, this.#defaultParts(offset));
    }
    if (rest.startsWith(':')) return make(':', this.#substringParts(offset));
    if (rest.startsWith('/')) return this.#replacement(rest, make, offset);
    const operator = /^(?:##?|%%?|[,^]{1,2})/.exec(rest)?.[0] ?? '';
    this.#at += operator.length;
    const isTrim = operator.startsWith('#') || operator.startsWith('%');
    return make(operator, isTrim ? [this.#parameter((c) => c !== '}', offset)] : []);
  }

  #name(message: string, offset: number): string {
    const found = /[\p{L}\p{Nd}_]+/uy;
    found.lastIndex = this.#at;
    const name = found.exec(this.#text)?.[0];
    if (name === undefined) throw new SubstitutionError(message, offset);
    this.#at += name.length;
    return name;
  }

  #close(message: string, offset: number): void {
    if (this.#text[this.#at] !== '}') throw new SubstitutionError(message, offset);
    this.#at++;
  }

  #defaultParts(offset: number): readonly Node[] {
    const parts: Node[] = [];
    while (this.#text[this.#at] !== '}') parts.push(this.#parameter((c) => c !== '}', offset));
    return parts;
  }

  #substringParts(offset: number): readonly Node[] {
    this.#at++;
    // The original steps back by the width of what it peeked at, and past the colon with it; at the end it does not step back.
    if ((this.#text.codePointAt(this.#at) ?? 0x80) > 0x7f) {
      throw new SubstitutionError('bad substitution', offset);
    }
    const first = this.#parameter((c) => c !== ':' && c !== '}', offset);
    if (this.#text[this.#at] !== ':') return [first];
    while (this.#text[this.#at] === ':') this.#at++;
    return [first, this.#parameter((c) => c !== '}', offset)];
  }

  #replacement(
    rest: string,
    make: (operator: string, parameters: readonly Node[]) => Node,
    offset: number,
  ): Node {
    const operator = /^\/[/#%]?/.exec(rest)![0];
    this.#at += operator.length;
    const pattern = this.#parameter((c) => c !== '/', offset, true);
    if (this.#text[this.#at] !== '/') throw new SubstitutionError('bad substitution', offset);
    while (this.#text[this.#at] === '/') this.#at++;
    if (this.#text[this.#at] === '}') return make(operator, [pattern]);
    return make(operator, [pattern, this.#parameter((c) => c !== '}', offset, true)]);
  }

  /** One variable, or the text up to the next variable or to what `accepts` refuses. */
  #parameter(accepts: (character: string) => boolean, offset: number, escapes = false): Node {
    if (this.#text.startsWith('${', this.#at)) {
      this.#at++;
      return this.#variable();
    }
    let text = '';
    const start = this.#at;
    while (this.#at < this.#text.length && !this.#text.startsWith('${', this.#at)) {
      const two = this.#text.slice(this.#at, this.#at + 2);
      if (escapes && (two === '$$' || two === '\\/' || two === '\\\\')) {
        text += two[1];
        this.#at += 2;
      } else if (accepts(two[0]!)) {
        text += two[0];
        this.#at++;
      } else break;
    }
    if (this.#at > start) return { kind: 'text', text };
    throw new SubstitutionError('unable to parse substitution within function', offset);
  }
}

function evaluate(node: Node, options: SubstituteTextOptions): string {
  if (node.kind === 'text') return node.text;
  const parameters = node.parameters.map((parameter) => evaluate(parameter, options));
  const isSet = Object.hasOwn(options.variables, node.name);
  if (!isSet && options.strict && !DEFAULTS.has(node.operator)) {
    throw new SubstitutionError(`variable not set (strict mode): "${node.name}"`, node.offset);
  }
  return operate(node.operator, isSet ? options.variables[node.name]! : '', parameters);
}

function operate(operator: string, value: string, parameters: readonly string[]): string {
  const [first = '', second] = parameters;
  switch (operator) {
    case 'length':
      return String(new TextEncoder().encode(value).length);
    case ',':
    case ',,':
    case '^':
    case '^^':
      return changeCase(operator, value);
    case ':':
      return substring(value, first, second);
    case '/':
      return value.replace(first, () => second ?? '');
    case '//':
      return value.replaceAll(first, () => second ?? '');
    case '/#':
      return second !== undefined && value.startsWith(first)
        ? second + value.slice(first.length)
        : value;
    case '/%':
      return second !== undefined && value.endsWith(first)
        ? value.slice(0, value.length - first.length) + second
        : value;
    case '#':
    case '##':
      return trimStart(value, first, operator === '##');
    case '%':
    case '%%':
      return reverse(trimStart(reverse(value), reverse(first), operator === '%%'));
    default:
      return value === '' ? parameters.join('') : value;
  }
}

/** One character becomes one character, as Go's unicode tables say: `ß` stays. */
function changeCase(operator: string, value: string): string {
  const isUpper = operator.startsWith('^');
  const characters = [...value].map((character, index) => {
    if (operator.length === 1 && index > 0) return character;
    const changed = isUpper ? character.toUpperCase() : character.toLowerCase();
    return [...changed].length === 1 ? changed : character;
  });
  return characters.join('');
}

/** Positions count bytes of UTF-8. What is no whole number leaves the value as it is. */
function substring(value: string, from: string, length: string | undefined): string {
  const bytes = new TextEncoder().encode(value);
  const cut = (start: number, end: number) => new TextDecoder().decode(bytes.subarray(start, end));
  let start = parseWhole(from);
  if (start === undefined) return value;
  if (start < 0) start = Math.max(0, bytes.length + start);
  if (length === undefined) return cut(Math.min(start, bytes.length), bytes.length);
  const count = parseWhole(length);
  if (count === undefined) return value;
  const end = count < 0 ? bytes.length + count : start + count;
  return end < start ? '' : cut(Math.min(start, bytes.length), Math.min(end, bytes.length));
}

function parseWhole(text: string): number | undefined {
  return /^[+-]?\d{1,18}$/.test(text) ? Number(text) : undefined;
}

/** Removes the longest or shortest start (never an empty one) that the glob matches. A broken glob removes nothing. */
function trimStart(value: string, glob: string, longest: boolean): string {
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(glob) || isUnclosedSet(glob)) return value;
  // Only `^` turns a set around here.
  const matches = compileGlob(glob.replace(/\\.|\[!/gs, (part) => (part === '[!' ? '[\\!' : part)));
  const ends: number[] = [];
  let end = 0;
  for (const character of value) {
    end += character.length;
    ends.push(end);
  }
  const found = (longest ? ends.reverse() : ends).find((at) => matches(value.slice(0, at)));
  return found === undefined ? value : value.slice(found);
}

function isUnclosedSet(glob: string): boolean {
  const plain = glob.replace(/\\./g, '').replace(/\[\^?[^\]]+\]/g, '');
  return plain.includes('[');
}

function reverse(text: string): string {
  return [...text].reverse().join('');
}
