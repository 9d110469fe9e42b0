import { jsonnetError, limitError } from './jsonnet-error.ts';
import type {
  Argument,
  Assertion,
  BinaryOperator,
  Bind,
  Clause,
  Expression,
  Field,
  Parameter,
  Place,
  UnaryOperator,
  Visibility,
} from './syntax.ts';
import { type Token, tokenize } from './tokens.ts';

const KEYWORDS = new Set(
  'assert else error false for function if import importstr importbin in local null tailstrict then self super true'.split(
    ' ',
  ),
);

const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ['*', 10],
  ['/', 10],
  ['%', 10],
  ['+', 9],
  ['-', 9],
  ['<<', 8],
  ['>>', 8],
  ['<', 7],
  ['>', 7],
  ['<=', 7],
  ['>=', 7],
  ['in', 7],
  ['==', 6],
  ['!=', 6],
  ['&', 5],
  ['^', 4],
  ['|', 3],
  ['&&', 2],
  ['||', 1],
]);
const UNARY = 11;
const DEPTH_MAX = 500;

/** Parses a program. Throws JSONNET_FAILED with file, line and column. */
export function parseJsonnet(source: string, file: string): Expression {
  return new Parser(tokenize(source, file)).program();
}

class Parser {
  readonly #tokens: readonly Token[];
  #i = 0;
  #depth = 0;
  /** Within an object; the outermost one is `$`. */
  #inObject = false;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  program(): Expression {
    const result = this.#expression();
    if (this.#peek().kind !== 'end') throw this.#unexpected('did not expect');
    return result;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#i + ahead, this.#tokens.length - 1)]!;
  }

  #take(): Token {
    const token = this.#peek();
    if (this.#i < this.#tokens.length - 1) this.#i++;
    return token;
  }

  #is(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return (token.kind === 'operator' || token.kind === 'name') && token.text === text;
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#take();
    return true;
  }

  #expect(text: string): Token {
    if (!this.#is(text)) throw this.#unexpected(`expected token ${text} but got`);
    return this.#take();
  }

  #unexpected(what: string) {
    const token = this.#peek();
    const shown = token.kind === 'end' ? 'end of file' : JSON.stringify(token.text);
    return jsonnetError(`${what} ${shown}`, token.at);
  }

  #name(): string {
    const token = this.#peek();
    if (token.kind !== 'name' || KEYWORDS.has(token.text))
      throw this.#unexpected('expected an identifier but got');
    return this.#take().text;
  }

  #expression(precedence = 0): Expression {
    if (++this.#depth > DEPTH_MAX) throw limitError('the program is nested too deeply');
    try {
      return this.#statement() ?? this.#binary(precedence);
    } finally {
      this.#depth--;
    }
  }

  /** What reaches as far to the right as it can. */
  #statement(): Expression | undefined {
    const { at, kind, text } = this.#peek();
    if (kind !== 'name') return undefined;
    switch (text) {
      case 'assert':
        return this.#assertion(at);
      case 'error':
        this.#take();
        return { kind: 'error', at, message: this.#expression() };
      case 'if':
        return this.#condition(at);
      case 'function':
        this.#take();
        return this.#functionAfterName(at);
      case 'local':
        this.#take();
        return this.#local(at);
      case 'import':
      case 'importstr':
      case 'importbin':
        return this.#import(at, text);
      default:
        return undefined;
    }
  }

  #import(at: Place, word: string): Expression {
    this.#take();
    const path = this.#expression(UNARY + 1);
    if (path.kind !== 'literal' || typeof path.value !== 'string')
      throw jsonnetError('computed imports are not allowed', at);
    const form = word === 'import' ? 'code' : word === 'importstr' ? 'text' : 'bytes';
    return { kind: 'import', at, form, path: path.value };
  }

  #assertion(at: Place): Expression {
    const assertion = this.#assertionHead();
    this.#expect(';');
    return { kind: 'assert', at, assertion, body: this.#expression() };
  }

  #assertionHead(): Assertion {
    this.#expect('assert');
    const condition = this.#expression();
    return this.#accept(':') ? { condition, message: this.#expression() } : { condition };
  }

  #condition(at: Place): Expression {
    this.#take();
    const condition = this.#expression();
    this.#expect('then');
    const then = this.#expression();
    if (!this.#accept('else')) return { kind: 'if', at, condition, then };
    return { kind: 'if', at, condition, then, otherwise: this.#expression() };
  }

  #functionAfterName(at: Place): Expression {
    this.#expect('(');
    const parameters = this.#parameters();
    return { kind: 'function', at, parameters, body: this.#expression() };
  }

  /** After the opening parenthesis. */
  #parameters(): readonly Parameter[] {
    const parameters: Parameter[] = [];
    while (!this.#accept(')')) {
      if (parameters.length > 0) {
        this.#expect(',');
        if (this.#accept(')')) break;
      }
      const at = this.#peek().at;
      const name = this.#name();
      if (parameters.some((one) => one.name === name))
        throw jsonnetError(`duplicate function parameter: ${name}`, at);
      parameters.push(this.#accept('=') ? { name, fallback: this.#expression() } : { name });
    }
    return parameters;
  }

  #local(at: Place): Expression {
    const binds = [this.#bind()];
    while (this.#accept(',')) binds.push(this.#bind());
    this.#expect(';');
    return { kind: 'local', at, binds, body: this.#expression() };
  }

  #bind(): Bind {
    const { at } = this.#peek();
    const name = this.#name();
    if (!this.#accept('(')) {
      this.#expect('=');
      return { name, body: this.#expression() };
    }
    const parameters = this.#parameters();
    this.#expect('=');
    return { name, body: { kind: 'function', at, parameters, body: this.#expression() } };
  }

  #binary(precedence: number): Expression {
    let left = this.#unary();
    for (;;) {
      const { text, kind, at } = this.#peek();
      const own = kind === 'operator' || text === 'in' ? PRECEDENCE.get(text) : undefined;
      // `in super` needs no operand; a colon after `in` belongs to a comprehension's caller.
      if (own === undefined || own <= precedence) return left;
      this.#take();
      if (text === 'in' && this.#is('super') && !this.#is('.', 1) && !this.#is('[', 1)) {
        this.#take();
        left = { kind: 'in-super', at, name: left };
        continue;
      }
      const right = this.#statement() ?? this.#binary(own);
      left = { kind: 'binary', at, operator: text as BinaryOperator, left, right };
    }
  }

  #unary(): Expression {
    const { text, kind, at } = this.#peek();
    if (kind === 'operator' && ['-', '+', '!', '~'].includes(text)) {
      this.#take();
      if (++this.#depth > DEPTH_MAX) throw limitError('the program is nested too deeply');
      const operand = this.#statement() ?? this.#unary();
      this.#depth--;
      return { kind: 'unary', at, operator: text as UnaryOperator, operand };
    }
    return this.#postfix(this.#primary());
  }

  #postfix(start: Expression): Expression {
    let target = start;
    for (;;) {
      const { at } = this.#peek();
      if (this.#accept('.')) {
        const name: Expression = { kind: 'literal', at, value: this.#name() };
        target = { kind: 'index', at, target, name };
      } else if (this.#is('[')) {
        target = this.#indexOrSlice(target);
      } else if (this.#accept('(')) {
        const args = this.#arguments();
        target = { kind: 'call', at, target, args, strict: this.#accept('tailstrict') };
      } else if (this.#is('{')) {
        const right = this.#primary();
        target = { kind: 'binary', at, operator: '+', left: target, right };
      } else return target;
    }
  }

  #indexOrSlice(target: Expression): Expression {
    const { at } = this.#expect('[');
    const parts: (Expression | undefined)[] = [];
    let colons = 0;
    let current: Expression | undefined;
    while (!this.#accept(']')) {
      if (this.#accept('::')) {
        parts.push(current, undefined);
        current = undefined;
        colons += 2;
      } else if (this.#accept(':')) {
        parts.push(current);
        current = undefined;
        colons++;
      } else if (current === undefined) current = this.#expression();
      else throw this.#unexpected('did not expect');
      if (colons > 2) throw jsonnetError('invalid slice: too many colons', at);
    }
    parts.push(current);
    if (colons > 0) return { kind: 'slice', at, target, parts };
    if (current === undefined) throw jsonnetError('an index requires an expression', at);
    return { kind: 'index', at, target, name: current };
  }

  #arguments(): readonly Argument[] {
    const args: Argument[] = [];
    while (!this.#accept(')')) {
      if (args.length > 0) {
        this.#expect(',');
        if (this.#accept(')')) break;
      }
      const { at } = this.#peek();
      const isNamed = this.#peek().kind === 'name' && this.#is('=', 1);
      if (isNamed) {
        const name = this.#name();
        this.#take();
        args.push({ name, value: this.#expression() });
      } else {
        if (args.some(({ name }) => name !== undefined))
          throw jsonnetError('positional argument after a named argument is not allowed', at);
        args.push({ value: this.#expression() });
      }
    }
    return args;
  }

  #primary(): Expression {
    const { kind, text, at } = this.#take();
    if (kind === 'number') return { kind: 'literal', at, value: Number(text) };
    if (kind === 'string') return { kind: 'literal', at, value: text };
    switch (text) {
      case '(': {
        const inner = this.#expression();
        this.#expect(')');
        return inner;
      }
      case '[':
        return this.#array(at);
      case '{':
        return this.#object(at);
      case '$':
        return { kind: 'variable', at, name: '$' };
      case 'null':
        return { kind: 'literal', at, value: null };
      case 'true':
      case 'false':
        return { kind: 'literal', at, value: text === 'true' };
      case 'self':
        return { kind: 'self', at };
      case 'super':
        return this.#super(at);
      default:
        if (kind === 'name' && !KEYWORDS.has(text)) return { kind: 'variable', at, name: text };
        if (kind !== 'end') this.#i--;
        throw this.#unexpected('unexpected');
    }
  }

  #super(at: Place): Expression {
    if (this.#accept('.')) {
      return { kind: 'super', at, name: { kind: 'literal', at, value: this.#name() } };
    }
    if (!this.#accept('[')) throw this.#unexpected('expected . or [ after super but got');
    const name = this.#expression();
    this.#expect(']');
    return { kind: 'super', at, name };
  }

  #array(at: Place): Expression {
    const items: Expression[] = [];
    while (!this.#accept(']')) {
      if (items.length > 0) {
        this.#expect(',');
        if (this.#accept(']')) break;
      }
      items.push(this.#expression());
      if (items.length > 1) continue;
      const hasComma = this.#is(',') && this.#is('for', 1);
      if (hasComma) this.#take();
      if (!this.#is('for')) continue;
      const clauses = this.#clauses();
      this.#expect(']');
      return { kind: 'array-for', at, item: items[0]!, clauses };
    }
    return { kind: 'array', at, items };
  }

  #clauses(): readonly Clause[] {
    const clauses: Clause[] = [];
    for (;;) {
      if (this.#accept('for')) {
        const name = this.#name();
        this.#expect('in');
        clauses.push({ kind: 'for', name, list: this.#expression() });
      } else if (this.#accept('if')) {
        clauses.push({ kind: 'if', condition: this.#expression() });
      } else return clauses;
    }
  }

  #object(at: Place): Expression {
    const isOutermost = !this.#inObject;
    this.#inObject = true;
    try {
      const members = this.#members(at);
      const dollar: readonly Bind[] = isOutermost
        ? [{ name: '$', body: { kind: 'self', at } }]
        : [];
      const locals = [...dollar, ...members.locals];
      const { clauses, fields, assertions } = members;
      if (clauses === undefined) return { kind: 'object', at, fields, locals, assertions };
      const [field, ...more] = fields;
      if (field === undefined || more.length > 0 || assertions.length > 0)
        throw jsonnetError('object comprehension must have one field', at);
      return { kind: 'object-for', at, field, locals, clauses };
    } finally {
      this.#inObject = !isOutermost;
    }
  }

  #members(at: Place) {
    const fields: Field[] = [];
    const locals: Bind[] = [];
    const assertions: Assertion[] = [];
    let clauses: readonly Clause[] | undefined;
    for (let isFirst = true; !this.#accept('}'); isFirst = false) {
      if (!isFirst) {
        if (this.#is('for')) {
          clauses = this.#clauses();
          this.#expect('}');
          break;
        }
        this.#expect(',');
        if (this.#is('for')) continue;
        if (this.#accept('}')) break;
      }
      if (this.#accept('local')) locals.push(this.#bind());
      else if (this.#is('assert')) assertions.push(this.#assertionHead());
      else fields.push(this.#field());
    }
    checkDuplicates(fields, at);
    return { fields, locals, assertions, clauses };
  }

  #field(): Field {
    const token = this.#take();
    const { at } = token;
    let name: Expression;
    if (token.kind === 'string' || (token.kind === 'name' && !KEYWORDS.has(token.text)))
      name = { kind: 'literal', at, value: token.text };
    else if (token.kind === 'operator' && token.text === '[') {
      // A name is evaluated outside of its object.
      name = this.#expression();
      this.#expect(']');
    } else {
      if (token.kind !== 'end') this.#i--;
      throw this.#unexpected('expected a field but got');
    }
    const parameters = this.#accept('(') ? this.#parameters() : undefined;
    const { plus, visibility } = this.#colons();
    const body = this.#expression();
    if (parameters === undefined) return { name, plus, visibility, body };
    return { name, plus: false, visibility, body: { kind: 'function', at, parameters, body } };
  }

  #colons(): { readonly plus: boolean; readonly visibility: Visibility } {
    const plus = this.#accept('+');
    const { text } = this.#peek();
    const isPlus = plus || text.startsWith('+');
    const colons = text.replace(/^\+/, '');
    const visibility = VISIBILITY.get(colons);
    if (visibility === undefined) throw this.#unexpected('expected : but got');
    this.#take();
    return { plus: isPlus, visibility };
  }
}

const VISIBILITY: ReadonlyMap<string, Visibility> = new Map([
  [':', 'inherit'],
  ['::', 'hidden'],
  [':::', 'visible'],
]);

function checkDuplicates(fields: readonly Field[], at: Place): void {
  const seen = new Set<unknown>();
  for (const { name } of fields) {
    if (name.kind !== 'literal') continue;
    if (seen.has(name.value)) throw jsonnetError(`duplicate field: ${String(name.value)}`, at);
    seen.add(name.value);
  }
}
