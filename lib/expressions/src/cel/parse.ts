import type { CallExpr, CelIssue, Expr, MapExpr, StructExpr } from './ast.ts';
import { type Token, tokenize, unquote } from './lex.ts';
import { expandMacro } from './macros.ts';
import { Uint } from './values.ts';

export type Parsed =
  | { readonly expr: Expr }
  /** In the order of their places. */
  | { readonly issues: readonly CelIssue[] };

const NESTING_MAX = 250;

/** Reads an expression of the Common Expression Language with optional syntax and the macros of its libraries. */
export function parseCel(source: string): Parsed {
  const { tokens, issues } = tokenize(source);
  const parser = new Parser(tokens);
  try {
    const expr = parser.whole();
    const all = [...issues, ...parser.issues];
    return all.length === 0 ? { expr } : { issues: all };
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    return { issues: [...issues, ...parser.issues, error.issue] };
  }
}

class SyntaxFault extends Error {
  readonly issue: CelIssue;
  constructor(issue: CelIssue) {
    super(issue.message);
    this.issue = issue;
  }
}

const START =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const RESERVED: ReadonlySet<string> = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);
const BINARY: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['<', '<=', '>=', '>', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];

class Parser {
  readonly issues: CelIssue[] = [];
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expr {
    const expr = this.#expression();
    const token = this.#peek();
    if (token.kind !== 'eof') this.#unexpected(token, '<EOF>', this.#peek(1).kind === 'eof');
    return expr;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)] as Token;
  }

  #is(text: string): boolean {
    const { kind, text: found } = this.#peek();
    return found === text && (kind === 'op' || kind === 'ident');
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #takeIf(text: string): Token | undefined {
    return this.#is(text) ? this.#take() : undefined;
  }

  #expect(text: string): Token {
    if (this.#is(text)) return this.#take();
    const token = this.#peek();
    return this.#unexpected(token, `'${text}'`, this.#peek(1).text === text);
  }

  /** As the grammar's recognizer says it: a token too many, or another than those that could stand here. */
  #unexpected(token: Token, wanted: string, isExtra: boolean): never {
    const what = isExtra ? 'extraneous' : 'mismatched';
    const message = `Syntax error: ${what} input '${token.text}' expecting ${wanted}`;
    throw new SyntaxFault({ at: token.at, message });
  }

  #report(at: number, message: string): Expr {
    this.issues.push({ at, message });
    return { kind: 'literal', at, value: null };
  }

  #expression(): Expr {
    if (++this.#depth > NESTING_MAX) {
      const message = `expression recursion limit exceeded: ${NESTING_MAX}`;
      throw new SyntaxFault({ at: this.#peek().at, message });
    }
    const condition = this.#binary(0);
    const mark = this.#takeIf('?');
    let expr = condition;
    if (mark !== undefined) {
      const yes = this.#binary(0);
      this.#expect(':');
      const no = this.#expression();
      expr = { kind: 'call', at: mark.at, name: '_?_:_', args: [condition, yes, no] };
    }
    this.#depth--;
    return expr;
  }

  #binary(level: number): Expr {
    const operators = BINARY[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const token = this.#peek();
      const isOperator =
        operators.includes(token.text) &&
        (token.kind === 'op' || (token.kind === 'ident' && token.text === 'in'));
      if (!isOperator) return left;
      this.#take();
      const right = this.#binary(level + 1);
      const name = token.text === 'in' ? '@in' : `_${token.text}_`;
      left = { kind: 'call', at: token.at, name, args: [left, right] };
    }
  }

  #unary(): Expr {
    const operators: Token[] = [];
    while (this.#is('!') || this.#is('-')) {
      if (operators.length > 0 && operators[0]?.text !== this.#peek().text) break;
      operators.push(this.#take());
    }
    const [first] = operators;
    if (first === undefined) return this.#member();
    const next = this.#peek();
    if (first.text === '-' && operators.length === 1 && /^(int|double)$/.test(next.kind)) {
      this.#take();
      return this.#tail(this.#number(next, true));
    }
    const operand = this.#is('!') || this.#is('-') ? this.#unary() : this.#member();
    if (operators.length % 2 === 0) return operand;
    return { kind: 'call', at: first.at, name: `${first.text}_`, args: [operand] };
  }

  #member(): Expr {
    return this.#tail(this.#primary());
  }

  #tail(start: Expr): Expr {
    let expr = start;
    for (;;) {
      if (this.#is('.')) expr = this.#select(expr);
      else if (this.#is('[')) expr = this.#index(expr);
      else return expr;
    }
  }

  #select(operand: Expr): Expr {
    const dot = this.#take();
    const optional = this.#takeIf('?');
    const name = this.#take();
    if (name.kind === 'ident' && /^(true|false|null|in)$/.test(name.text)) {
      return this.#unexpected(name, 'IDENTIFIER', false);
    }
    if (name.kind !== 'ident' && name.kind !== 'quoted') {
      if (name.kind === 'eof' || !/^(ident|quoted)$/.test(this.#peek().kind)) {
        const message = `Syntax error: no viable alternative at input '.${name.kind === 'eof' ? '' : name.text}'`;
        throw new SyntaxFault({ at: name.at, message });
      }
      return this.#unexpected(name, 'IDENTIFIER', true);
    }
    const field = name.kind === 'quoted' ? name.text.slice(1, -1) : name.text;
    if (optional !== undefined) {
      const key: Expr = { kind: 'literal', at: name.at, value: field };
      return { kind: 'call', at: dot.at, name: '_?._', args: [operand, key] };
    }
    const open = name.kind === 'ident' ? this.#takeIf('(') : undefined;
    if (open === undefined) {
      return { kind: 'select', at: dot.at, operand, field, testOnly: false };
    }
    const args = this.#arguments();
    return this.#call({ kind: 'call', at: open.at, name: field, target: operand, args });
  }

  #index(operand: Expr): Expr {
    const open = this.#take();
    const optional = this.#takeIf('?');
    const key = this.#expression();
    this.#expect(']');
    const name = optional === undefined ? '_[_]' : '_[?_]';
    return { kind: 'call', at: open.at, name, args: [operand, key] };
  }

  #arguments(): Expr[] {
    const args: Expr[] = [];
    if (this.#takeIf(')') !== undefined) return args;
    do args.push(this.#expression());
    while (this.#takeIf(',') !== undefined);
    this.#expect(')');
    return args;
  }

  #call(call: CallExpr): Expr {
    const expanded = expandMacro(call);
    if (expanded === undefined) return call;
    if ('issue' in expanded) return this.#report(expanded.issue.at, expanded.issue.message);
    return expanded.expr;
  }

  #primary(): Expr {
    const token = this.#peek();
    switch (token.kind) {
      case 'int':
      case 'uint':
      case 'double':
        this.#take();
        return this.#number(token, false);
      case 'string':
      case 'bytes': {
        this.#take();
        const value = unquote(token);
        if (value !== undefined) return { kind: 'literal', at: token.at, value };
        return this.#report(token.at, 'unable to unescape string');
      }
      case 'ident':
        return this.#identifier();
      case 'op':
        return this.#bracketed(token);
      default:
        return this.#unexpected(token, START, false);
    }
  }

  #number(token: Token, isNegative: boolean): Expr {
    const { kind, at } = token;
    const sign = isNegative ? -1n : 1n;
    const place = isNegative ? at - 1 : at;
    if (kind === 'double') {
      const value = Number(token.text) * Number(sign);
      if (Number.isFinite(value)) return { kind: 'literal', at: place, value };
      return this.#report(place, 'invalid double literal');
    }
    const digits = BigInt(token.text.replace(/[uU]$/, ''));
    if (kind === 'uint') {
      if (digits < 2n ** 64n) return { kind: 'literal', at, value: new Uint(digits) };
      return this.#report(at, 'invalid uint literal');
    }
    const value = digits * sign;
    if (value >= -(2n ** 63n) && value < 2n ** 63n) return { kind: 'literal', at: place, value };
    return this.#report(place, 'invalid int literal');
  }

  #identifier(): Expr {
    const token = this.#take();
    const { at, text } = token;
    const literal = { true: true, false: false, null: null }[text];
    if (literal !== undefined) return { kind: 'literal', at, value: literal };
    if (text === 'in') return this.#unexpected(token, START, false);
    const open = this.#takeIf('(');
    if (RESERVED.has(text)) {
      if (open !== undefined) this.#arguments();
      return this.#report(at, `reserved identifier: ${text}`);
    }
    if (open !== undefined) {
      return this.#call({ kind: 'call', at: open.at, name: text, args: this.#arguments() });
    }
    const name = this.#messageName(text);
    if (name !== undefined) return this.#message(name);
    return { kind: 'ident', at, name: text };
  }

  /** `Object.spec` when a brace follows: what is made there is an object. */
  #messageName(first: string): string | undefined {
    let name = first;
    let ahead = 0;
    while (this.#peek(ahead).text === '.' && /^(ident|quoted)$/.test(this.#peek(ahead + 1).kind)) {
      const part = this.#peek(ahead + 1).text;
      name += `.${part.replaceAll('`', '')}`;
      ahead += 2;
    }
    if (this.#peek(ahead).text !== '{' || this.#peek(ahead).kind !== 'op') return undefined;
    this.#next += ahead;
    return name;
  }

  #message(name: string): Expr {
    const open = this.#expect('{');
    const fields: StructExpr['fields'][number][] = [];
    while (!this.#is('}')) {
      const optional = this.#takeIf('?') !== undefined;
      const field = this.#take();
      if (field.kind !== 'ident' && field.kind !== 'quoted') {
        this.#unexpected(field, "{'}', ',', IDENTIFIER, ESC_IDENTIFIER}", false);
      }
      const colon = this.#expect(':');
      const value = this.#expression();
      fields.push({ at: colon.at, name: field.text.replaceAll('`', ''), value, optional });
      if (this.#takeIf(',') === undefined) break;
    }
    this.#expect('}');
    return { kind: 'struct', at: open.at, name, fields };
  }

  #bracketed(token: Token): Expr {
    switch (token.text) {
      case '(': {
        this.#take();
        const expr = this.#expression();
        this.#expect(')');
        return expr;
      }
      case '[':
        return this.#list();
      case '{':
        return this.#map();
      case '.': {
        this.#take();
        return this.#peek().kind === 'ident'
          ? this.#identifier()
          : this.#unexpected(this.#peek(), 'IDENTIFIER', false);
      }
      default: {
        const next = this.#peek(1);
        const isExtra = next.kind !== 'eof' && (next.kind !== 'op' || /^[[{(.]$/.test(next.text));
        return this.#unexpected(token, START, isExtra);
      }
    }
  }

  #list(): Expr {
    const { at } = this.#take();
    const elements: Expr[] = [];
    const optional = new Set<number>();
    while (!this.#is(']')) {
      if (this.#takeIf('?') !== undefined) optional.add(elements.length);
      elements.push(this.#expression());
      if (this.#takeIf(',') === undefined) break;
    }
    this.#expect(']');
    return { kind: 'list', at, elements, optional };
  }

  #map(): Expr {
    const { at } = this.#take();
    const entries: MapExpr['entries'][number][] = [];
    while (!this.#is('}')) {
      const optional = this.#takeIf('?') !== undefined;
      const key = this.#expression();
      this.#expect(':');
      entries.push({ key, value: this.#expression(), optional });
      if (this.#takeIf(',') === undefined) break;
    }
    this.#expect('}');
    return { kind: 'map', at, entries };
  }
}
