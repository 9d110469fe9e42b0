import { emitDocument, Style, type YamlNode } from '@capstan/lib-yaml';
import { failure } from './failure.ts';
import { isNonStringInYaml11 } from './yaml11.ts';

/**
 * A YAML node in the hands of the transformers: the model of go-yaml, plus `file`, the number of the source (see
 * sources.ts) that set it. `line` is the line in that source. Nodes are shared and edited in place exactly where the
 * original shares them: some of its behaviour can only be explained by two fields being one node.
 */
export interface KNode extends YamlNode {
  content: KNode[];
  file: number;
}

/**
 * The content of all that has none: most nodes are scalars, and an array of their own each would be a third of the
 * memory. Frozen; `addContent` gives a node its own array when it gets its first child.
 */
const NO_CONTENT: KNode[] = Object.freeze<KNode[]>([]) as KNode[];

/** Appends children to a mapping or sequence. */
export function addContent(node: KNode, ...children: KNode[]): void {
  if (node.content.length === 0) node.content = children;
  else node.content.push(...children);
}

export function makeNode(kind: YamlNode['kind'], tag: string, value: string, file = 0): KNode {
  return {
    kind,
    style: 0,
    tag,
    value,
    anchor: '',
    content: NO_CONTENT,
    headComment: '',
    lineComment: '',
    footComment: '',
    line: 0,
    column: 0,
    file,
  };
}

/** A scalar whose type is found from its text when it is printed. */
export function scalar(value: string, file = 0): KNode {
  return makeNode('scalar', '', value, file);
}

export function stringScalar(value: string, file = 0): KNode {
  const node = makeNode('scalar', '!!str', value, file);
  if (value.includes('\n')) node.style = Style.literal;
  return node;
}

export function mapping(file = 0): KNode {
  return makeNode('mapping', '', '', file);
}

/**
 * A deep copy. Each node keeps the place it comes from, unless `file` says another one. The names of fields below the
 * root are shared with the original and keep its place: nothing changes a name in place, and they are nearly half of
 * all nodes. The root's own are copied, as `origins.ts` asks for their place.
 */
export function copyTree(node: KNode, file = -1, lineOffset = 0): KNode {
  return copyNode(node, file, lineOffset, false);
}

function copyNode(node: KNode, file: number, lineOffset: number, sharesNames: boolean): KNode {
  const source = node.content;
  const content = source.length === 0 ? NO_CONTENT : new Array<KNode>(source.length);
  const isShared = sharesNames && node.kind === 'mapping';
  for (let i = 0; i < source.length; i++) {
    const child = source[i]!;
    content[i] =
      isShared && (i & 1) === 0 && isPlainName(child)
        ? child
        : copyNode(child, file, lineOffset, true);
  }
  const copy: KNode = {
    kind: node.kind,
    style: node.style,
    tag: node.tag,
    value: node.value,
    anchor: node.anchor,
    content,
    headComment: node.headComment,
    lineComment: node.lineComment,
    footComment: node.footComment,
    line: node.line > 0 ? node.line + lineOffset : 0,
    column: node.column,
    file: file < 0 ? node.file : file,
  };
  if (node.alias !== undefined) copy.alias = node.alias;
  return copy;
}

/** A scalar without an anchor, which would be removed in place. */
function isPlainName(key: KNode): boolean {
  return key.kind === 'scalar' && key.anchor === '';
}

/** Makes `target` what `source` is, so that all who hold `target` see it. */
export function overwrite(target: KNode, source: KNode): void {
  if (target === source) return;
  target.kind = source.kind;
  target.style = source.style;
  target.tag = source.tag;
  target.value = source.value;
  target.anchor = source.anchor;
  if (source.alias === undefined) delete target.alias;
  else target.alias = source.alias;
  target.content = source.content.length === 0 ? NO_CONTENT : source.content.slice();
  target.headComment = source.headComment;
  target.lineComment = source.lineComment;
  target.footComment = source.footComment;
  target.line = source.line;
  target.column = source.column;
  target.file = source.file;
}

export function isMissingOrNull(node: KNode | undefined): node is undefined {
  return node === undefined || node.tag === '!!null';
}

export function isNilOrEmpty(node: KNode | undefined): boolean {
  if (node === undefined || node.tag === '!!null') return true;
  return (node.kind === 'mapping' || node.kind === 'sequence') && node.content.length === 0;
}

export function isStringValue(node: KNode | undefined): boolean {
  return node !== undefined && node.kind === 'scalar' && (node.tag === '!!str' || node.tag === '');
}

/** The text of a scalar; '' for nothing and for null. */
export function scalarText(node: KNode | undefined): string {
  return node === undefined || node.tag === '!!null' ? '' : node.value;
}

const KIND_NAMES: Readonly<Record<YamlNode['kind'], string>> = {
  document: 'DocumentNode',
  mapping: 'MappingNode',
  sequence: 'SequenceNode',
  scalar: 'ScalarNode',
  alias: 'AliasNode',
};

/** Fails unless the node is missing, null, or of `kind`. */
export function requireKind(node: KNode | undefined, kind: YamlNode['kind']): void {
  if (node === undefined || node.tag === '!!null' || node.kind === kind) return;
  throw failure(
    `wrong node kind: expected ${KIND_NAMES[kind]} but got ${KIND_NAMES[node.kind]}: node contents:\n${nodeText(node)}`,
    { wrongKind: node.kind },
  );
}

/** The YAML text of a node, as it appears in messages and in structured data. */
export function nodeText(node: YamlNode): string {
  return emitDocument(node, { indent: 2, compactSequences: true });
}

/** The index of the key `name` in a mapping's content, or -1. The first one counts. */
export function keyIndex(node: KNode, name: string): number {
  const content = node.content;
  for (let i = 0; i < content.length; i += 2) if (content[i]!.value === name) return i;
  return -1;
}

/** The value under `name` when the node is a mapping that has it, null values too. */
export function fieldOf(node: KNode | undefined, name: string): KNode | undefined {
  if (node === undefined || node.kind !== 'mapping') return undefined;
  const content = node.content;
  for (let i = 0; i < content.length; i += 2) if (content[i]!.value === name) return content[i + 1];
  return undefined;
}

/** As `fieldOf`, but looking into something that is neither missing, null nor a mapping is an error. */
export function getField(node: KNode | undefined, name: string): KNode | undefined {
  if (isMissingOrNull(node)) return undefined;
  requireKind(node, 'mapping');
  return fieldOf(node, name);
}

export function clearField(node: KNode | undefined, name: string): void {
  requireKind(node, 'mapping');
  if (node === undefined) return;
  const index = keyIndex(node, name);
  if (index >= 0) node.content.splice(index, 2);
}

/**
 * Sets `name` in a mapping. A null value removes the field unless `keepNull`. The value takes over the style of what
 * it replaces; a text that YAML 1.1 would not read as a string is quoted when it is new.
 */
export function setField(
  node: KNode,
  name: string,
  value: KNode | undefined,
  options: { readonly keyStyle?: number; readonly keepNull?: boolean } = {},
): KNode | undefined {
  quoteIfNeeded(value);
  if (value === undefined || (value.tag === '!!null' && options.keepNull !== true)) {
    clearField(node, name);
    return undefined;
  }
  const field = getField(node, name);
  if (field !== undefined) {
    value.style = field.style;
    overwrite(field, value);
    return field;
  }
  const key = makeNode('scalar', '', name, value.file);
  key.style = options.keyStyle ?? 0;
  addContent(node, key, value);
  return value;
}

/** Overwrites a scalar in place. */
export function setScalar(node: KNode, value: KNode): void {
  quoteIfNeeded(value);
  requireKind(node, 'scalar');
  if (value.tag === '!!null') return;
  value.style = node.style;
  overwrite(node, value);
}

function quoteIfNeeded(value: KNode | undefined): void {
  if (value === undefined || value.style !== 0 || !isStringValue(value)) return;
  if (isNonStringInYaml11(value.value)) value.style = Style.double;
}
