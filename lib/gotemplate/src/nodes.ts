import { quote } from './quote.ts';

/** Where a node stands: the offset in the text that was parsed, in UTF-16 units. */
interface Positioned {
  readonly position: number;
}

export interface TextNode extends Positioned {
  readonly kind: 'text';
  readonly text: string;
}

export interface ActionNode extends Positioned {
  readonly kind: 'action';
  readonly pipe: PipeNode;
}

export interface BranchNode extends Positioned {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipe: PipeNode;
  readonly list: ListNode;
  readonly elseList: ListNode | undefined;
}

export interface TemplateNode extends Positioned {
  readonly kind: 'template';
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}

export interface JumpNode extends Positioned {
  readonly kind: 'break' | 'continue';
}

export interface ListNode extends Positioned {
  readonly kind: 'list';
  readonly nodes: readonly StatementNode[];
}

export type StatementNode = TextNode | ActionNode | BranchNode | TemplateNode | JumpNode;

export interface PipeNode extends Positioned {
  readonly kind: 'pipe';
  readonly isAssign: boolean;
  readonly declarations: readonly VariableNode[];
  readonly commands: readonly CommandNode[];
}

export interface CommandNode extends Positioned {
  readonly kind: 'command';
  readonly args: readonly OperandNode[];
}

export interface IdentifierNode extends Positioned {
  readonly kind: 'identifier';
  readonly name: string;
}

export interface FieldNode extends Positioned {
  readonly kind: 'field';
  readonly names: readonly string[];
}

/** `$x.a.b`: the name of the variable, then fields. */
export interface VariableNode extends Positioned {
  readonly kind: 'variable';
  readonly names: readonly string[];
}

/** `(pipe).a.b`, `f.a` */
export interface ChainNode extends Positioned {
  readonly kind: 'chain';
  readonly node: OperandNode;
  readonly names: readonly string[];
}

export interface DotNode extends Positioned {
  readonly kind: 'dot';
}

export interface NilNode extends Positioned {
  readonly kind: 'nil';
}

export interface BoolNode extends Positioned {
  readonly kind: 'bool';
  readonly value: boolean;
}

export interface StringNode extends Positioned {
  readonly kind: 'string';
  readonly quoted: string;
  readonly value: string;
}

/** A number under every kind of Go that can hold it. */
export interface NumberNode extends Positioned {
  readonly kind: 'number';
  readonly text: string;
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: { readonly real: number; readonly imaginary: number };
}

export type OperandNode =
  | PipeNode
  | IdentifierNode
  | FieldNode
  | VariableNode
  | ChainNode
  | DotNode
  | NilNode
  | BoolNode
  | StringNode
  | NumberNode;

export type AnyNode = StatementNode | ListNode | CommandNode | OperandNode;

/** The text of a node as Go's error messages quote it. */
export function nodeText(node: AnyNode): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'action':
      return `{{${nodeText(node.pipe)}}}`;
    case 'if':
    case 'with':
    case 'range': {
      const otherwise = node.elseList === undefined ? '' : `{{else}}${nodeText(node.elseList)}`;
      return `{{${node.kind} ${nodeText(node.pipe)}}}${nodeText(node.list)}${otherwise}{{end}}`;
    }
    case 'template': {
      const pipe = node.pipe === undefined ? '' : ` ${nodeText(node.pipe)}`;
      return `{{template ${quote(node.name)}${pipe}}}`;
    }
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'list':
      return node.nodes.map(nodeText).join('');
    case 'command':
      return node.args.map(argumentText).join(' ');
    case 'pipe':
      return pipeText(node);
    default:
      return operandText(node);
  }
}

function pipeText(node: PipeNode): string {
  const commands = node.commands.map(nodeText).join(' | ');
  if (node.declarations.length === 0) return commands;
  const names = node.declarations.map(nodeText).join(', ');
  return `${names} ${node.isAssign ? '=' : ':='} ${commands}`;
}

function argumentText(node: OperandNode): string {
  return node.kind === 'pipe' ? `(${nodeText(node)})` : nodeText(node);
}

function operandText(node: Exclude<OperandNode, PipeNode>): string {
  switch (node.kind) {
    case 'identifier':
      return node.name;
    case 'field':
      return `.${node.names.join('.')}`;
    case 'variable':
      return node.names.join('.');
    case 'chain':
      return `${argumentText(node.node)}.${node.names.join('.')}`;
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'string':
      return node.quoted;
    case 'number':
      return node.text;
  }
}

/** Whether a template has nothing but space: such a definition does not replace another one. */
export function isEmptyTree(list: ListNode | undefined): boolean {
  if (list === undefined) return true;
  return list.nodes.every((node) => node.kind === 'text' && /^[\s\u0085]*$/.test(node.text));
}
