import { LuaSyntaxError, type Token, tokenize } from './lexer.ts';
import type {
  BinaryOperator,
  Block,
  Call,
  Expression,
  FunctionBody,
  FunctionScope,
  Statement,
  Variable,
} from './syntax.ts';

/** Nesting beyond this is refused, so that no script can exhaust the stack. */
const DEPTH_MAX = 150;

/** Parses a chunk: the body of a function that takes any arguments. The characters of `source` are its bytes. */
export function parseLua(source: string): FunctionBody {
  const parser = new Parser(tokenize(source));
  return parser.parseChunk();
}

/** Operators from weak to strong with their power to the left and to the right (right-associative: the right is weaker). */
const POWERS: ReadonlyMap<string, readonly [number, number]> = new Map<
  string,
  readonly [number, number]
>([
  ['or', [1, 1]],
  ['and', [2, 2]],
  ['<', [3, 3]],
  ['>', [3, 3]],
  ['<=', [3, 3]],
  ['>=', [3, 3]],
  ['~=', [3, 3]],
  ['==', [3, 3]],
  ['..', [9, 8]],
  ['+', [10, 10]],
  ['-', [10, 10]],
  ['*', [11, 11]],
  ['/', [11, 11]],
  ['%', [11, 11]],
  ['^', [14, 13]],
]);
const UNARY_POWER = 12;

/** Names in scope, innermost last; a block cuts the list back to where it began. */
interface Scope {
  readonly fn: FunctionScope;
  readonly names: { readonly name: string; readonly variable: Variable }[];
}

class Parser {
  private at = 0;
  private depth = 0;
  private readonly scopes: Scope[] = [];
  private readonly tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  parseChunk(): FunctionBody {
    const scope = this.openFunction(true);
    const block = this.block();
    if (this.peek().kind !== 'end') throw this.unexpected();
    this.scopes.pop();
    return { scope, parameters: [], block };
  }

  private peek(): Token {
    return this.tokens[this.at]!;
  }

  private next(): Token {
    return this.tokens[this.at++]!;
  }

  private is(text: string): boolean {
    const { kind, text: actual } = this.peek();
    return (kind === 'keyword' || kind === 'symbol') && actual === text;
  }

  private eat(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  private expect(text: string): Token {
    if (!this.is(text)) throw this.unexpected();
    return this.next();
  }

  private name(): string {
    if (this.peek().kind !== 'name') throw this.unexpected();
    return this.next().text;
  }

  private unexpected(message = 'syntax error'): LuaSyntaxError {
    const { kind, text, line, column } = this.peek();
    if (kind === 'end') return new LuaSyntaxError(`<string> at EOF:   ${message}\n`);
    const place = `line:${line}(column:${column})`;
    return new LuaSyntaxError(`<string> ${place} near '${text}':   ${message}\n`);
  }

  private openFunction(isVariadic: boolean): FunctionScope {
    const parent = this.scopes.at(-1)?.fn;
    const fn: FunctionScope = { parent, slotCount: 0, captures: [], isVariadic };
    this.scopes.push({ fn, names: [] });
    return fn;
  }

  private scope(): Scope {
    return this.scopes.at(-1)!;
  }

  private addLocal(name: string): Variable {
    const { fn, names } = this.scope();
    const variable: Variable = { slot: fn.slotCount++, owner: fn, isCaptured: false };
    names.push({ name, variable });
    return variable;
  }

  /** Runs `inside` with a scope of its own. */
  private nested<T>(inside: () => T): T {
    if (++this.depth > DEPTH_MAX) throw this.unexpected('nested too deeply');
    const { names } = this.scope();
    const length = names.length;
    const result = inside();
    names.length = length;
    this.depth--;
    return result;
  }

  private block(): Block {
    return this.nested(() => this.statements());
  }

  private statements(): Statement[] {
    const statements: Statement[] = [];
    for (;;) {
      if (this.eat(';')) continue;
      if (this.isBlockEnd()) return statements;
      if (this.is('return')) {
        this.next();
        const values = this.isBlockEnd() || this.is(';') ? [] : this.expressions();
        this.eat(';');
        statements.push({ kind: 'return', values });
        if (!this.isBlockEnd()) throw this.unexpected();
        return statements;
      }
      statements.push(this.statement());
    }
  }

  private isBlockEnd(): boolean {
    const { kind, text } = this.peek();
    if (kind === 'end') return true;
    return (
      kind === 'keyword' &&
      (text === 'end' || text === 'else' || text === 'elseif' || text === 'until')
    );
  }

  private statement(): Statement {
    const { kind, text } = this.peek();
    if (kind === 'keyword') {
      switch (text) {
        case 'if':
          return this.ifStatement();
        case 'while':
          return this.whileStatement();
        case 'do': {
          this.next();
          const block = this.block();
          this.expect('end');
          return { kind: 'do', block };
        }
        case 'for':
          return this.forStatement();
        case 'repeat':
          return this.repeatStatement();
        case 'function':
          return this.functionStatement();
        case 'local':
          return this.localStatement();
        case 'break':
          this.next();
          return { kind: 'break' };
        case 'goto':
          this.next();
          return { kind: 'goto', label: this.name() };
        default:
          throw this.unexpected();
      }
    }
    if (this.eat('::')) {
      const label = this.name();
      this.expect('::');
      return { kind: 'label', label };
    }
    return this.expressionStatement();
  }

  private ifStatement(): Statement {
    const branches: { condition: Expression; block: Block }[] = [];
    do {
      this.next();
      const condition = this.expression();
      this.expect('then');
      branches.push({ condition, block: this.block() });
    } while (this.is('elseif'));
    const otherwise = this.eat('else') ? this.block() : undefined;
    this.expect('end');
    return { kind: 'if', branches, otherwise };
  }

  private whileStatement(): Statement {
    this.next();
    const condition = this.expression();
    this.expect('do');
    const block = this.block();
    this.expect('end');
    return { kind: 'while', condition, block };
  }

  private repeatStatement(): Statement {
    this.next();
    // The condition sees the locals of the block.
    return this.nested((): Statement => {
      const block = this.statements();
      this.expect('until');
      return { kind: 'repeat', condition: this.expression(), block };
    });
  }

  private forStatement(): Statement {
    const { line } = this.next();
    const names = [this.name()];
    if (this.eat('=')) {
      const from = this.expression();
      this.expect(',');
      const to = this.expression();
      const step = this.eat(',') ? this.expression() : undefined;
      return this.nested((): Statement => {
        const variable = this.addLocal(names[0]!);
        const block = this.loopBody();
        return { kind: 'numeric for', variable, from, to, step, block, line };
      });
    }
    while (this.eat(',')) names.push(this.name());
    this.expect('in');
    const values = this.expressions();
    return this.nested((): Statement => {
      const variables = names.map((name) => this.addLocal(name));
      return { kind: 'generic for', variables, values, block: this.loopBody(), line };
    });
  }

  private loopBody(): Block {
    this.expect('do');
    const block = this.block();
    this.expect('end');
    return block;
  }

  private functionStatement(): Statement {
    const { line } = this.next();
    let target = this.variable(this.name(), line);
    let isMethod = false;
    while (this.is('.') || this.is(':')) {
      isMethod = this.next().text === ':';
      const key: Expression = { kind: 'constant', value: this.name() };
      target = { kind: 'index', object: target, key, line };
      if (isMethod) break;
    }
    const body = this.functionBody(isMethod);
    return { kind: 'assign', targets: [target], values: [{ kind: 'function', body }] };
  }

  private localStatement(): Statement {
    this.next();
    if (this.eat('function')) {
      const variable = this.addLocal(this.name());
      return { kind: 'local function', variable, body: this.functionBody(false) };
    }
    const names = [this.name()];
    while (this.eat(',')) names.push(this.name());
    const values = this.eat('=') ? this.expressions() : [];
    return { kind: 'local', variables: names.map((name) => this.addLocal(name)), values };
  }

  private expressionStatement(): Statement {
    const first = this.suffixed();
    if (!this.is('=') && !this.is(',')) {
      if (first.kind !== 'call') throw this.unexpected();
      return { kind: 'call', call: first };
    }
    const targets = [first];
    while (this.eat(',')) targets.push(this.suffixed());
    this.expect('=');
    const assignable = ['local', 'upvalue', 'global', 'index'];
    if (targets.some(({ kind }) => !assignable.includes(kind))) throw this.unexpected();
    return { kind: 'assign', targets, values: this.expressions() };
  }

  private expressions(): Expression[] {
    const list = [this.expression()];
    while (this.eat(',')) list.push(this.expression());
    return list;
  }

  private expression(power = 0): Expression {
    if (++this.depth > DEPTH_MAX) throw this.unexpected('nested too deeply');
    let left = this.unary();
    for (;;) {
      const { kind, text, line } = this.peek();
      const powers = kind === 'symbol' || kind === 'keyword' ? POWERS.get(text) : undefined;
      if (powers === undefined || powers[0] <= power) break;
      this.next();
      const right = this.expression(powers[1]);
      left =
        text === 'and' || text === 'or'
          ? { kind: text, left, right }
          : { kind: 'binary', operator: text as BinaryOperator, left, right, line };
    }
    this.depth--;
    return left;
  }

  private unary(): Expression {
    const { line } = this.peek();
    for (const operator of ['not', '-', '#'] as const) {
      if (!this.eat(operator)) continue;
      const operand = this.expression(UNARY_POWER);
      if (operator === '-' && operand.kind === 'constant' && typeof operand.value === 'number') {
        return { kind: 'constant', value: -operand.value };
      }
      return { kind: 'unary', operator, operand, line };
    }
    return this.simple();
  }

  private simple(): Expression {
    const { kind, text, number } = this.peek();
    if (kind === 'number') {
      this.next();
      return { kind: 'constant', value: number ?? 0 };
    }
    if (kind === 'string') {
      this.next();
      return { kind: 'constant', value: text };
    }
    if (this.eat('nil')) return { kind: 'nil' };
    if (this.eat('true')) return { kind: 'constant', value: true };
    if (this.eat('false')) return { kind: 'constant', value: false };
    if (this.is('...')) {
      if (!this.scope().fn.isVariadic) {
        throw this.unexpected("cannot use '...' outside a vararg function");
      }
      this.next();
      return { kind: 'varargs' };
    }
    if (this.eat('function')) return { kind: 'function', body: this.functionBody(false) };
    if (this.is('{')) return this.table();
    return this.suffixed();
  }

  private suffixed(): Expression {
    const { kind, line } = this.peek();
    let value: Expression;
    if (kind === 'name') value = this.variable(this.next().text, line);
    else if (this.eat('(')) {
      value = { kind: 'parenthesis', inner: this.expression() };
      this.expect(')');
    } else throw this.unexpected();
    for (;;) {
      const { line: here, kind: what } = this.peek();
      if (this.eat('.')) {
        const key: Expression = { kind: 'constant', value: this.name() };
        value = { kind: 'index', object: value, key, line: here };
      } else if (this.eat('[')) {
        value = { kind: 'index', object: value, key: this.expression(), line: here };
        this.expect(']');
      } else if (this.eat(':')) {
        const method = this.name();
        value = { kind: 'call', callee: value, method, args: this.args(), line: here };
      } else if (this.is('(') || this.is('{') || what === 'string') {
        const call: Call = { kind: 'call', callee: value, args: this.args(), line: here };
        value = call;
      } else return value;
    }
  }

  private args(): readonly Expression[] {
    if (this.peek().kind === 'string') return [{ kind: 'constant', value: this.next().text }];
    if (this.is('{')) return [this.table()];
    this.expect('(');
    const args = this.is(')') ? [] : this.expressions();
    this.expect(')');
    return args;
  }

  private table(): Expression {
    const { line } = this.expect('{');
    const items: Expression[] = [];
    const fields: (readonly [Expression, Expression])[] = [];
    while (!this.is('}')) {
      if (this.eat('[')) {
        const key = this.expression();
        this.expect(']');
        this.expect('=');
        fields.push([key, this.expression()]);
      } else if (this.peek().kind === 'name' && this.tokens[this.at + 1]?.text === '=') {
        const key: Expression = { kind: 'constant', value: this.name() };
        this.expect('=');
        fields.push([key, this.expression()]);
      } else items.push(this.expression());
      if (!this.eat(',') && !this.eat(';')) break;
    }
    this.expect('}');
    return { kind: 'table', items, fields, line };
  }

  private functionBody(isMethod: boolean): FunctionBody {
    this.expect('(');
    const names = isMethod ? ['self'] : [];
    let isVariadic = false;
    while (!this.is(')')) {
      if (this.eat('...')) {
        isVariadic = true;
        break;
      }
      names.push(this.name());
      if (!this.eat(',')) break;
    }
    this.expect(')');
    const scope = this.openFunction(isVariadic);
    const parameters = names.map((name) => this.addLocal(name));
    const block = this.block();
    this.expect('end');
    this.scopes.pop();
    return { scope, parameters, block };
  }

  /** A name: a local of this function, one of a function around it, or a global. */
  private variable(name: string, line: number): Expression {
    for (let level = this.scopes.length - 1; level >= 0; level--) {
      const found = this.scopes[level]!.names.findLast((entry) => entry.name === name)?.variable;
      if (found === undefined) continue;
      if (level === this.scopes.length - 1) return { kind: 'local', variable: found };
      found.isCaptured = true;
      for (const { fn } of this.scopes.slice(level + 1)) {
        if (!fn.captures.includes(found)) fn.captures.push(found);
      }
      return { kind: 'upvalue', index: this.scope().fn.captures.indexOf(found) };
    }
    return { kind: 'global', name, line };
  }
}
