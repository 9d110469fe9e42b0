import { Lexer, type Token, type TokenKind, tokenText } from './lexer.ts';
import { numberNode } from './literal.ts';
import {
  type BranchNode,
  type ChainNode,
  type CommandNode,
  isEmptyTree,
  type ListNode,
  nodeText,
  type OperandNode,
  type PipeNode,
  type StatementNode,
  type VariableNode,
} from './nodes.ts';
import { quote, unquote } from './quote.ts';
import { GoError, messageOfError } from './value.ts';

/** A template as parsed. Definitions inside one text share its source. */
export interface ParsedTemplate {
  readonly name: string;
  readonly source: TemplateSource;
  readonly root: ListNode;
}

/** The text a node comes from, for locations in errors. */
export interface TemplateSource {
  readonly name: string;
  readonly text: string;
}

export interface ParseOptions {
  readonly left?: string;
  readonly right?: string;
  /** Whether a function of that name exists; undefined accepts every name. */
  readonly hasFunction?: (name: string) => boolean;
}

/**
 * Parses a text as Go's text/template/parse does and returns the templates it defines, the text's own last. Throws
 * GoError with Go's message.
 */
export function parseText(
  name: string,
  text: string,
  options: ParseOptions = {},
): ParsedTemplate[] {
  const hasFunction = options.hasFunction ?? (() => true);
  const lexer = new Lexer(text, {
    left: options.left === undefined || options.left === '' ? '{{' : options.left,
    right: options.right === undefined || options.right === '' ? '}}' : options.right,
    breakIsKeyword: options.hasFunction === undefined || !hasFunction('break'),
    continueIsKeyword: options.hasFunction === undefined || !hasFunction('continue'),
  });
  const shared: SharedState = { lexer, source: { name, text }, hasFunction, trees: new Map() };
  new Parser(name, shared).parseAll();
  return [...shared.trees.values()];
}

interface SharedState {
  readonly lexer: Lexer;
  readonly source: TemplateSource;
  readonly hasFunction: (name: string) => boolean;
  readonly trees: Map<string, ParsedTemplate>;
}

function addTree(
  shared: SharedState,
  tree: ParsedTemplate,
  failure: (message: string) => GoError,
): void {
  const existing = shared.trees.get(tree.name);
  if (existing === undefined || isEmptyTree(existing.root)) {
    shared.trees.delete(tree.name);
    shared.trees.set(tree.name, tree);
  } else if (!isEmptyTree(tree.root)) {
    throw failure(`template: multiple definition of template ${quote(tree.name)}`);
  }
}

/** How a list of statements ended. */
type ListEnd =
  | { readonly kind: 'end'; readonly position: number }
  | { readonly kind: 'else'; readonly position: number };

type ListItem = StatementNode | ListEnd | undefined;

const PAREN_DEPTH_MAX = 1000;
const OPERAND_STARTS: ReadonlySet<TokenKind> = new Set([
  'bool',
  'charConstant',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParen',
]);

class Parser {
  readonly #shared: SharedState;
  #name: string;
  /** The last token read from the lexer first, then those pushed back: three tokens of lookahead. */
  readonly #tokens: Token[] = [];
  #pushedBack = 0;
  #variables: string[] = ['$'];
  #actionLine = 0;
  #rangeDepth = 0;
  #parenDepth = 0;

  constructor(name: string, shared: SharedState) {
    this.#name = name;
    this.#shared = shared;
  }

  // Lists ---------------------------------------------------------------------------------------------------------

  parseAll(): void {
    const nodes: StatementNode[] = [];
    const { position } = this.#peek();
    while (this.#peek().kind !== 'eof') {
      if (this.#peek().kind === 'leftDelim') {
        const delimiter = this.#next();
        if (this.#nextNonSpace().kind === 'define') {
          new Parser('definition', this.#shared).#parseDefinition();
          continue;
        }
        this.#backup2(delimiter);
      }
      const node = this.#textOrAction();
      if (node === undefined) continue;
      if (node.kind === 'end' || node.kind === 'else')
        throw this.#failure(`unexpected ${endText(node)}`);
      nodes.push(node);
    }
    this.#add({ kind: 'list', position, nodes });
  }

  #add(root: ListNode): void {
    const tree = { name: this.#name, source: this.#shared.source, root };
    addTree(this.#shared, tree, (message) => this.#failure(message));
  }

  #parseDefinition(): void {
    const context = 'define clause';
    const name = this.#nextNonSpace();
    if (name.kind !== 'string' && name.kind !== 'rawString') throw this.#unexpected(name, context);
    this.#name = this.#unquoted(name.text);
    this.#expect('rightDelim', context);
    this.#finishDefinition(context);
  }

  #finishDefinition(context: string): void {
    const { list, end } = this.#itemList();
    if (end.kind !== 'end') throw this.#failure(`unexpected ${endText(end)} in ${context}`);
    this.#add(list);
  }

  #itemList(): { readonly list: ListNode; readonly end: ListEnd } {
    const nodes: StatementNode[] = [];
    const { position } = this.#peekNonSpace();
    while (this.#peekNonSpace().kind !== 'eof') {
      const node = this.#textOrAction();
      if (node === undefined) continue;
      if (node.kind === 'end' || node.kind === 'else') {
        return { list: { kind: 'list', position, nodes }, end: node };
      }
      nodes.push(node);
    }
    throw this.#failure('unexpected EOF');
  }

  #textOrAction(): ListItem {
    const token = this.#nextNonSpace();
    if (token.kind === 'text') {
      return { kind: 'text', position: token.position, text: token.text };
    }
    if (token.kind !== 'leftDelim') throw this.#unexpected(token, 'input');
    this.#actionLine = token.line;
    const node = this.#action();
    this.#actionLine = 0;
    return node;
  }

  #action(): ListItem {
    const token = this.#nextNonSpace();
    switch (token.kind) {
      case 'block':
        return this.#block();
      case 'break':
      case 'continue':
        return this.#jump(token, token.kind);
      case 'else':
        return this.#else();
      case 'end':
        return { kind: 'end', position: this.#expect('rightDelim', 'end').position };
      case 'if':
      case 'range':
      case 'with':
        return this.#branch(token.kind);
      case 'template':
        return this.#template();
      default:
    }
    this.#backup();
    const { position } = this.#peek();
    return { kind: 'action', position, pipe: this.#pipeline('command', 'rightDelim') };
  }

  #jump(token: Token, kind: 'break' | 'continue'): ListItem {
    const after = this.#nextNonSpace();
    if (after.kind !== 'rightDelim') throw this.#unexpected(after, `{{${kind}}}`);
    if (this.#rangeDepth === 0) throw this.#failure(`{{${kind}}} outside {{range}}`);
    return { kind, position: token.position };
  }

  #else(): ListEnd {
    const next = this.#peekNonSpace();
    if (next.kind === 'if' || next.kind === 'with')
      return { kind: 'else', position: next.position };
    return { kind: 'else', position: this.#expect('rightDelim', 'else').position };
  }

  #branch(kind: BranchNode['kind']): BranchNode {
    const visible = this.#variables.length;
    const pipe = this.#pipeline(kind, 'rightDelim');
    if (kind === 'range') this.#rangeDepth++;
    const { list, end } = this.#itemList();
    if (kind === 'range') this.#rangeDepth--;
    const elseList = end.kind === 'else' ? this.#elseList(kind, end) : undefined;
    this.#variables.length = visible;
    return { kind, position: pipe.position, pipe, list, elseList };
  }

  /** `{{else if}}` and `{{else with}}` nest: their end closes both. */
  #elseList(kind: BranchNode['kind'], end: ListEnd): ListNode {
    const next = this.#peek();
    if ((kind === 'if' || kind === 'with') && next.kind === kind) {
      this.#next();
      return { kind: 'list', position: end.position, nodes: [this.#branch(kind)] };
    }
    const { list, end: last } = this.#itemList();
    if (last.kind !== 'end') throw this.#failure(`expected end; found ${endText(last)}`);
    return list;
  }

  #block(): StatementNode {
    const context = 'block clause';
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipeline(context, 'rightDelim');
    const inner = new Parser(name, this.#shared);
    inner.#finishDefinition(context);
    return { kind: 'template', position: token.position, name, pipe };
  }

  #template(): StatementNode {
    const context = 'template clause';
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, context);
    if (this.#nextNonSpace().kind === 'rightDelim') {
      return { kind: 'template', position: token.position, name, pipe: undefined };
    }
    this.#backup();
    const pipe = this.#pipeline(context, 'rightDelim');
    return { kind: 'template', position: token.position, name, pipe };
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'rawString')
      throw this.#unexpected(token, context);
    return this.#unquoted(token.text);
  }

  // Pipelines -----------------------------------------------------------------------------------------------------

  #pipeline(context: string, end: TokenKind): PipeNode {
    const { position } = this.#peekNonSpace();
    const { declarations, isAssign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#nextNonSpace();
      if (token.kind === end) break;
      if (!OPERAND_STARTS.has(token.kind)) throw this.#unexpected(token, context);
      this.#backup();
      commands.push(this.#command());
    }
    this.#checkPipeline(commands, context);
    return { kind: 'pipe', position, isAssign, declarations, commands };
  }

  #declarations(context: string): {
    readonly declarations: readonly VariableNode[];
    readonly isAssign: boolean;
  } {
    const declarations: VariableNode[] = [];
    for (;;) {
      const variable = this.#peekNonSpace();
      if (variable.kind !== 'variable') return { declarations, isAssign: false };
      this.#next();
      // Space is a token: `$x foo` needs what follows pushed back in the right order.
      const adjacent = this.#peek();
      const next = this.#peekNonSpace();
      if (next.kind === 'assign' || next.kind === 'declare') {
        this.#nextNonSpace();
        declarations.push(variableNode(variable));
        this.#variables.push(variable.text);
        return { declarations, isAssign: next.kind === 'assign' };
      }
      if (next.kind !== 'char' || next.text !== ',') {
        if (adjacent.kind === 'space') this.#backup3(variable, adjacent);
        else this.#backup2(variable);
        return { declarations, isAssign: false };
      }
      this.#nextNonSpace();
      declarations.push(variableNode(variable));
      this.#variables.push(variable.text);
      if (context !== 'range' || declarations.length >= 2) {
        throw this.#failure(`too many declarations in ${context}`);
      }
      const { kind } = this.#peekNonSpace();
      if (kind !== 'variable' && kind !== 'rightDelim' && kind !== 'rightParen') {
        throw this.#failure('range can only initialize variables');
      }
    }
  }

  #checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) throw this.#failure(`missing value for ${context}`);
    for (const [index, command] of commands.entries()) {
      const kind = command.args[0]?.kind;
      const constant = kind === 'bool' || kind === 'nil' || kind === 'number' || kind === 'string';
      if (index > 0 && (constant || kind === 'dot')) {
        throw this.#failure(`non executable command in pipeline stage ${index + 1}`);
      }
    }
  }

  #command(): CommandNode {
    const { position } = this.#peekNonSpace();
    const args: OperandNode[] = [];
    for (;;) {
      this.#peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#next();
      if (token.kind === 'space') continue;
      if (token.kind === 'rightDelim' || token.kind === 'rightParen') this.#backup();
      else if (token.kind !== 'pipe') throw this.#unexpected(token, 'operand');
      break;
    }
    if (args.length === 0) throw this.#failure('empty command');
    return { kind: 'command', position, args };
  }

  #operand(): OperandNode | undefined {
    const node = this.#term();
    if (node === undefined || this.#peek().kind !== 'field') return node;
    const { position } = this.#peek();
    const names: string[] = [];
    while (this.#peek().kind === 'field') names.push(this.#next().text.slice(1));
    switch (node.kind) {
      case 'field':
        return { kind: 'field', position, names: [...node.names, ...names] };
      case 'variable':
        return { kind: 'variable', position, names: [...node.names, ...names] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        throw this.#failure(`unexpected . after term ${quote(nodeText(node))}`);
      default: {
        const chain: ChainNode = { kind: 'chain', position, node, names };
        return chain;
      }
    }
  }

  #term(): OperandNode | undefined {
    const token = this.#nextNonSpace();
    const { position, text } = token;
    switch (token.kind) {
      case 'identifier':
        if (!this.#shared.hasFunction(text)) {
          throw this.#failure(`function ${quote(text)} not defined`);
        }
        return { kind: 'identifier', position, name: text };
      case 'dot':
      case 'nil':
        return { kind: token.kind, position };
      case 'variable':
        return this.#useVariable(token);
      case 'field':
        return { kind: 'field', position, names: [text.slice(1)] };
      case 'bool':
        return { kind: 'bool', position, value: text === 'true' };
      case 'charConstant':
      case 'complex':
      case 'number':
        return this.#attempt(() => numberNode(position, text, token.kind));
      case 'leftParen':
        return this.#parenthesized();
      case 'string':
      case 'rawString':
        return { kind: 'string', position, quoted: text, value: this.#unquoted(text) };
      default:
        this.#backup();
        return undefined;
    }
  }

  #parenthesized(): PipeNode {
    if (this.#parenDepth >= PAREN_DEPTH_MAX) throw this.#failure('max expression depth exceeded');
    this.#parenDepth++;
    const pipe = this.#pipeline('parenthesized pipeline', 'rightParen');
    this.#parenDepth--;
    return pipe;
  }

  #useVariable(token: Token): VariableNode {
    if (!this.#variables.includes(token.text)) {
      throw this.#failure(`undefined variable ${quote(token.text)}`);
    }
    return variableNode(token);
  }

  #unquoted(text: string): string {
    return this.#attempt(() => unquote(text));
  }

  #attempt<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#failure(messageOfError(error));
    }
  }

  // Tokens --------------------------------------------------------------------------------------------------------

  #next(): Token {
    if (this.#pushedBack > 0) this.#pushedBack--;
    else this.#tokens[0] = this.#shared.lexer.next();
    return this.#tokenAt(this.#pushedBack);
  }

  #peek(): Token {
    if (this.#pushedBack > 0) return this.#tokenAt(this.#pushedBack - 1);
    this.#pushedBack = 1;
    const token = this.#shared.lexer.next();
    this.#tokens[0] = token;
    return token;
  }

  #tokenAt(index: number): Token {
    return this.#tokens[index] ?? { kind: 'eof', position: 0, text: 'EOF', line: 1 };
  }

  #backup(): void {
    this.#pushedBack++;
  }

  #backup2(earlier: Token): void {
    this.#tokens[1] = earlier;
    this.#pushedBack = 2;
  }

  #backup3(earliest: Token, earlier: Token): void {
    this.#tokens[1] = earlier;
    this.#tokens[2] = earliest;
    this.#pushedBack = 3;
  }

  #nextNonSpace(): Token {
    let token = this.#next();
    while (token.kind === 'space') token = this.#next();
    return token;
  }

  #peekNonSpace(): Token {
    const token = this.#nextNonSpace();
    this.#backup();
    return token;
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#nextNonSpace();
    if (token.kind !== kind) throw this.#unexpected(token, context);
    return token;
  }

  // Errors --------------------------------------------------------------------------------------------------------

  #unexpected(token: Token, context: string): GoError {
    if (token.kind !== 'error')
      return this.#failure(`unexpected ${tokenText(token)} in ${context}`);
    let extra = '';
    if (this.#actionLine !== 0 && this.#actionLine !== token.line) {
      const place = `started at ${this.#shared.source.name}:${this.#actionLine}`;
      extra = token.text.endsWith(' action') ? ` ${place}` : ` in action ${place}`;
    }
    return this.#failure(token.text + extra);
  }

  /** The line is that of the last token read, as Go has it. */
  #failure(message: string): GoError {
    const line = this.#tokens[0]?.line ?? 0;
    return new GoError(`template: ${this.#shared.source.name}:${line}: ${message}`);
  }
}

function variableNode(token: Token): VariableNode {
  return { kind: 'variable', position: token.position, names: [token.text] };
}

function endText(end: ListEnd): string {
  return end.kind === 'end' ? '{{end}}' : '{{else}}';
}
