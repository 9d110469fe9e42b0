import type { Definition, Node, Pattern } from './syntax.ts';

type PatternField = Extract<Pattern, { kind: 'record' }>['fields'][number];

/** Thrown for text that is not jq. */
export class JqSyntaxError extends Error {}

const DEPTH_MAX = 200;
const TOKEN =
  /\s+|#[^\n]*|(?<field>\.[A-Za-z_][A-Za-z0-9_]*)|(?<variable>\$[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_]\w*)*)|(?<format>@[A-Za-z0-9_]+)|(?<name>[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_]\w*)*)|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<symbol>\?\/\/|\/\/=|\|=|\+=|-=|\*=|\/=|%=|==|!=|<=|>=|\/\/|\.\.|[-+*/%|,=<>()[\]{}:;.?"])/y;

interface Token {
  readonly kind: 'field' | 'variable' | 'format' | 'name' | 'number' | 'symbol' | 'end';
  readonly text: string;
  readonly at: number;
  readonly end: number;
}

/** Parses a query, with the definitions before it. */
export function parseJq(source: string): Node {
  const parser = new Parser(source, 0);
  const node = parser.pipe();
  parser.expectEnd();
  return node;
}

/** Parses definitions alone. */
export function parseDefinitions(source: string): readonly Definition[] {
  const parser = new Parser(source, 0);
  const found: Definition[] = [];
  while (parser.is('def')) found.push(parser.definition());
  parser.expectEnd();
  return found;
}

const UPDATES: ReadonlySet<string> = new Set(['=', '|=', '+=', '-=', '*=', '/=', '%=', '//=']);
const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const RESERVED: ReadonlySet<string> = new Set([
  'or',
  'and',
  'def',
  'if',
  'then',
  'elif',
  'else',
  'end',
  'as',
  'try',
  'catch',
  'reduce',
  'foreach',
  'label',
  'import',
  'include',
  'module',
  '__loc__',
]);

class Parser {
  private readonly source: string;
  private token: Token;
  private depth = 0;

  constructor(source: string, at: number) {
    this.source = source;
    this.token = this.read(at);
  }

  /** `def f: …; a | b`, `a as $x | b` and `label $x | b` reach as far to the right as they can. */
  pipe(): Node {
    if (++this.depth > DEPTH_MAX) throw this.unexpected('nested too deeply');
    const node = this.pipeAt();
    this.depth--;
    return node;
  }

  private pipeAt(): Node {
    if (this.is('def')) {
      const definition = this.definition();
      return { kind: 'define', definition, body: this.pipe() };
    }
    if (this.is('label')) {
      this.next();
      const name = this.variableName();
      this.expect('|');
      return { kind: 'label', name, body: this.pipe() };
    }
    const left = this.comma();
    if (!this.eat('|')) return left;
    return { kind: 'pipe', left, right: this.pipe() };
  }

  private comma(): Node {
    let left = this.operand();
    while (this.eat(',')) left = { kind: 'comma', left, right: this.operand() };
    return left;
  }

  private alternative(): Node {
    const left = this.update();
    if (!this.eat('//')) return left;
    return { kind: 'alternative', left, right: this.alternative() };
  }

  private update(): Node {
    const left = this.or();
    const { kind, text } = this.token;
    if (kind !== 'symbol' || !UPDATES.has(text)) return left;
    this.next();
    return { kind: 'update', operator: text, left, right: this.alternative() };
  }

  private or(): Node {
    let left = this.and();
    while (this.eat('or')) left = { kind: 'or', left, right: this.and() };
    return left;
  }

  private and(): Node {
    let left = this.comparison();
    while (this.eat('and')) left = { kind: 'and', left, right: this.comparison() };
    return left;
  }

  private comparison(): Node {
    const left = this.sum();
    const { kind, text } = this.token;
    if (kind !== 'symbol' || !COMPARISONS.has(text)) return left;
    this.next();
    return { kind: 'binary', operator: text, left, right: this.sum() };
  }

  private sum(): Node {
    let left = this.product();
    while (this.is('+') || this.is('-')) {
      const operator = this.next().text;
      left = { kind: 'binary', operator, left, right: this.product() };
    }
    return left;
  }

  private product(): Node {
    let left = this.postfix();
    while (this.is('*') || this.is('/') || this.is('%')) {
      const operator = this.next().text;
      left = { kind: 'binary', operator, left, right: this.postfix() };
    }
    return left;
  }

  /** `a as $x | b`: the body reaches as far as it can. */
  private operand(): Node {
    const source = this.alternative();
    if (!this.eat('as')) return source;
    const pattern = this.pattern();
    if (this.is('?//')) throw this.unexpected('alternatives of patterns are not supported');
    this.expect('|');
    return { kind: 'bind', source, pattern, body: this.pipe() };
  }

  private postfix(): Node {
    if (this.eat('-')) return { kind: 'negate', body: this.postfix() };
    if (this.eat('+')) return this.postfix();
    let node = this.term();
    for (;;) {
      const { kind, text } = this.token;
      if (kind === 'field') {
        this.next();
        node = { kind: 'index', target: node, key: literal(text.slice(1)) };
      } else if (this.is('[')) node = this.brackets(node);
      else if (this.eat('?')) node = optional(node);
      else if (this.is('.') && this.isSuffix()) {
        this.next();
        node = this.is('[')
          ? this.brackets(node)
          : { kind: 'index', target: node, key: this.string(undefined) };
      } else return node;
    }
  }

  /** `."name"` or `.[` after a term. */
  private isSuffix(): boolean {
    const next = this.source[this.token.end];
    return next === '"' || next === '[';
  }

  private brackets(target: Node): Node {
    this.expect('[');
    if (this.eat(']')) return { kind: 'iterate', target };
    if (this.eat(':')) {
      const to = this.pipe();
      this.expect(']');
      return { kind: 'slice', target, from: undefined, to };
    }
    const key = this.pipe();
    if (this.eat(']')) return { kind: 'index', target, key };
    this.expect(':');
    const to = this.is(']') ? undefined : this.pipe();
    this.expect(']');
    return { kind: 'slice', target, from: key, to };
  }

  private term(): Node {
    const { kind, text } = this.token;
    switch (kind) {
      case 'number':
        this.next();
        return literal(Number(text));
      case 'field':
        this.next();
        return { kind: 'index', target: { kind: 'identity' }, key: literal(text.slice(1)) };
      case 'variable':
        this.next();
        if (text === '$__loc__') return { kind: 'object', entries: [] };
        return { kind: 'variable', name: text.slice(1) };
      case 'format':
        this.next();
        return this.is('"') ? this.string(text) : { kind: 'format', name: text };
      case 'name':
        return this.named();
      case 'symbol':
        return this.symbol();
      default:
        throw this.unexpected();
    }
  }

  private symbol(): Node {
    const { text } = this.token;
    if (text === '"') return this.string(undefined);
    if (this.eat('..')) return { kind: 'recurse' };
    if (this.eat('.')) {
      if (this.is('"')) {
        return { kind: 'index', target: { kind: 'identity' }, key: this.string(undefined) };
      }
      return { kind: 'identity' };
    }
    if (this.eat('(')) {
      const node = this.pipe();
      this.expect(')');
      return node;
    }
    if (this.eat('[')) {
      if (this.eat(']')) return { kind: 'array', body: undefined };
      const body = this.pipe();
      this.expect(']');
      return { kind: 'array', body };
    }
    if (this.is('{')) return this.object();
    throw this.unexpected();
  }

  private named(): Node {
    const { text } = this.token;
    switch (text) {
      case 'if':
        return this.conditional();
      case 'try': {
        this.next();
        const body = this.postfix();
        const handler = this.eat('catch') ? this.postfix() : undefined;
        return { kind: 'try', body, handler };
      }
      case 'reduce':
      case 'foreach':
        return this.fold();
      case 'break':
        this.next();
        return { kind: 'break', label: this.variableName() };
      case 'def': {
        const definition = this.definition();
        return { kind: 'define', definition, body: this.pipe() };
      }
      case 'label':
        return this.pipe();
      default:
        if (RESERVED.has(text)) throw this.unexpected();
        return this.call();
    }
  }

  private call(): Node {
    const name = this.next().text;
    if (name === 'null') return literal(null);
    if (name === 'true' || name === 'false') return literal(name === 'true');
    const args: Node[] = [];
    if (this.eat('(')) {
      do args.push(this.pipe());
      while (this.eat(';'));
      this.expect(')');
    }
    return { kind: 'call', name, args };
  }

  /** From `if` or `elif` on; without `else` the input passes through. */
  private conditional(): Node {
    this.next();
    const condition = this.pipe();
    this.expect('then');
    const then = this.pipe();
    let otherwise: Node | undefined;
    if (this.is('elif')) return { kind: 'if', condition, then, otherwise: this.conditional() };
    if (this.eat('else')) otherwise = this.pipe();
    this.expect('end');
    return { kind: 'if', condition, then, otherwise };
  }

  private fold(): Node {
    const kind = this.next().text === 'reduce' ? 'reduce' : 'foreach';
    const source = this.alternative();
    this.expect('as');
    const pattern = this.pattern();
    this.expect('(');
    const start = this.pipe();
    this.expect(';');
    const update = this.pipe();
    const extract = kind === 'foreach' && this.eat(';') ? this.pipe() : undefined;
    this.expect(')');
    if (kind === 'reduce') return { kind, source, pattern, start, update };
    return { kind, source, pattern, start, update, extract };
  }

  definition(): Definition {
    this.expect('def');
    const name = this.identifier();
    const parameters: string[] = [];
    if (this.eat('(')) {
      do {
        parameters.push(this.token.kind === 'variable' ? this.next().text : this.identifier());
      } while (this.eat(';'));
      this.expect(')');
    }
    this.expect(':');
    const body = this.pipe();
    this.expect(';');
    return { name, parameters, body };
  }

  private object(): Node {
    this.expect('{');
    const entries: (readonly [Node, Node])[] = [];
    while (!this.is('}')) {
      entries.push(this.entry());
      if (!this.eat(',')) break;
    }
    this.expect('}');
    return { kind: 'object', entries };
  }

  private entry(): readonly [Node, Node] {
    const { kind, text } = this.token;
    if (kind === 'variable') {
      this.next();
      if (this.eat(':')) return [{ kind: 'variable', name: text.slice(1) }, this.entryValue()];
      return [literal(text.slice(1)), { kind: 'variable', name: text.slice(1) }];
    }
    let key: Node;
    if (kind === 'name' || kind === 'number') {
      this.next();
      key = literal(text);
    } else if (kind === 'format') {
      this.next();
      key = this.string(text);
    } else if (this.is('"')) key = this.string(undefined);
    else {
      this.expect('(');
      key = this.pipe();
      this.expect(')');
      this.expect(':');
      return [key, this.entryValue()];
    }
    if (this.eat(':')) return [key, this.entryValue()];
    return [key, { kind: 'index', target: { kind: 'identity' }, key }];
  }

  /** No commas and no definitions; pipes join. */
  private entryValue(): Node {
    const left = this.alternative();
    if (!this.eat('|')) return left;
    return { kind: 'pipe', left, right: this.entryValue() };
  }

  private pattern(): Pattern {
    if (this.token.kind === 'variable') return { kind: 'variable', name: this.variableName() };
    if (this.eat('[')) {
      const items: Pattern[] = [];
      do items.push(this.pattern());
      while (this.eat(','));
      this.expect(']');
      return { kind: 'list', items };
    }
    this.expect('{');
    const fields: PatternField[] = [];
    do fields.push(this.patternField());
    while (this.eat(','));
    this.expect('}');
    return { kind: 'record', fields };
  }

  private patternField(): PatternField {
    const { kind, text } = this.token;
    const inner = () => (this.eat(':') ? this.pattern() : undefined);
    if (kind === 'variable') {
      const variable = this.variableName();
      return { key: literal(variable), variable, pattern: inner() };
    }
    let key: Node;
    if (kind === 'name') {
      this.next();
      key = literal(text);
    } else if (this.is('"')) key = this.string(undefined);
    else {
      this.expect('(');
      key = this.pipe();
      this.expect(')');
    }
    return { key, variable: undefined, pattern: inner() };
  }

  /** From the opening quote on; `\(…)` is a query inside. */
  private string(format: string | undefined): Node {
    if (!this.is('"')) throw this.unexpected();
    const parts: Node[] = [];
    let text = '';
    let at = this.token.end;
    for (;;) {
      const char = this.source[at];
      if (char === undefined) throw new JqSyntaxError('unterminated string literal');
      at++;
      if (char === '"') break;
      if (char !== '\\') {
        text += char;
        continue;
      }
      if (this.source[at] === '(') {
        parts.push(literal(text));
        text = '';
        const inner = new Parser(this.source, at + 1);
        // A literal inside is a value, not text: the format applies to it.
        parts.push({ kind: 'pipe', left: { kind: 'identity' }, right: inner.pipe() });
        if (!inner.is(')')) throw inner.unexpected();
        at = inner.token.end;
        continue;
      }
      const escaped = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;
      escaped.lastIndex = at;
      const [code] = escaped.exec(this.source) ?? [];
      if (code === undefined)
        throw new JqSyntaxError(`invalid escape sequence "\\${this.source[at] ?? ''}"`);
      text += JSON.parse(`"\\${code}"`);
      at += code.length;
    }
    this.token = this.read(at);
    if (parts.length === 0) return literal(text);
    parts.push(literal(text));
    return { kind: 'text', format, parts };
  }

  private identifier(): string {
    if (this.token.kind !== 'name') throw this.unexpected();
    return this.next().text;
  }

  private variableName(): string {
    if (this.token.kind !== 'variable') throw this.unexpected();
    return this.next().text.slice(1);
  }

  is(text: string): boolean {
    const { kind, text: actual } = this.token;
    return (kind === 'symbol' || kind === 'name') && actual === text;
  }

  private eat(text: string): boolean {
    if (!this.is(text)) return false;
    this.next();
    return true;
  }

  private expect(text: string): void {
    if (!this.eat(text)) throw this.unexpected();
  }

  expectEnd(): void {
    if (this.token.kind !== 'end') throw this.unexpected();
  }

  private next(): Token {
    const { token } = this;
    this.token = this.read(token.end);
    return token;
  }

  private read(from: number): Token {
    let at = from;
    while (at < this.source.length) {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(this.source);
      if (match === null) throw new JqSyntaxError(`unexpected token "${this.source[at]}"`);
      const end = at + match[0].length;
      for (const [kind, text] of Object.entries(match.groups ?? {})) {
        if (text !== undefined) return { kind: kind as Token['kind'], text, at, end };
      }
      at = end;
    }
    return { kind: 'end', text: '', at, end: at };
  }

  private unexpected(message?: string): JqSyntaxError {
    if (message !== undefined) return new JqSyntaxError(message);
    if (this.token.kind === 'end') return new JqSyntaxError('unexpected EOF');
    return new JqSyntaxError(`unexpected token ${JSON.stringify(this.token.text)}`);
  }
}

/** `?` after a step forgives that step alone. */
function optional(node: Node): Node {
  if (node.kind === 'index' || node.kind === 'slice' || node.kind === 'iterate') {
    return { ...node, isOptional: true };
  }
  return { kind: 'try', body: node, handler: undefined };
}

function literal(value: null | boolean | number | string): Node {
  return { kind: 'literal', value };
}
