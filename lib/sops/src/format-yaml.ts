import { messageOf } from '@capstan/lib-std';
import {
  createNode,
  documentNode,
  emitDocuments,
  formatFloat,
  nodeToValue,
  parseDocuments,
  stringNode,
  valueToNode,
  type YamlNode,
} from '@capstan/lib-yaml';
import { positionalFloat } from './go-text.ts';
import { sopsError } from './sops-error.ts';
import type { SopsBranch, SopsComment, SopsItem, SopsLeaf, SopsValue } from './sops-tree.ts';

/** One branch for each document. Comments are kept where sops keeps them. */
export function loadYaml(text: string): readonly SopsBranch[] {
  let documents: readonly YamlNode[];
  try {
    documents = parseDocuments(text);
  } catch (error) {
    // Go's messages name a line, and quote nothing of it.
    throw sopsError('SOPS_SYNTAX', `the YAML cannot be read: ${messageOf(error).split('\n')[0]}`);
  }
  return documents.map((document) => ({ kind: 'branch', items: branchItems(document, false) }));
}

function comments(text: string, inline = false): readonly SopsComment[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ kind: 'comment', text: line.slice(1), inline }));
}

function branchItems(node: YamlNode, handled: boolean): readonly SopsItem[] {
  const around = (items: readonly SopsItem[]): readonly SopsItem[] =>
    handled
      ? items
      : [
          ...comments(node.headComment),
          ...comments(node.lineComment),
          ...items,
          ...comments(node.footComment),
        ];
  switch (node.kind) {
    case 'document':
      return around(node.content.flatMap((item) => branchItems(item, false)));
    case 'mapping':
      return around(mappingItems(node));
    case 'alias':
      return around(node.alias === undefined ? [] : branchItems(node.alias, false));
    case 'scalar':
      if (node.tag === '!!null') return around([]);
      throw sopsError('SOPS_SYNTAX', 'a YAML document must be a mapping');
    default:
      throw sopsError('SOPS_SYNTAX', 'a YAML document must be a mapping');
  }
}

function mappingItems({ content }: YamlNode): readonly SopsItem[] {
  const items: SopsItem[] = [];
  for (let at = 0; at + 1 < content.length; at += 2) {
    const key = content[at]!;
    const value = content[at + 1]!;
    const isPlain = value.kind === 'scalar' || value.kind === 'alias';
    items.push(...comments(key.headComment), ...comments(key.lineComment));
    if (isPlain) items.push(...comments(value.headComment), ...comments(value.lineComment, true));
    if (key.kind !== 'scalar' || key.tag !== '!!str') {
      throw sopsError('SOPS_SYNTAX', `line ${key.line}: only texts may be keys`);
    }
    items.push({ kind: 'item', key: key.value, value: treeValue(value, isPlain) });
    if (isPlain) items.push(...comments(value.footComment));
    items.push(...comments(key.footComment));
  }
  return items;
}

function treeValue(node: YamlNode, handled: boolean): SopsValue {
  switch (node.kind) {
    case 'mapping':
      return { kind: 'branch', items: branchItems(node, handled) };
    case 'sequence': {
      const items = node.content.flatMap((item) => [
        ...comments(item.headComment),
        ...comments(item.lineComment, true),
        treeValue(item, true),
        ...comments(item.footComment),
      ]);
      const before = handled ? [] : [...comments(node.headComment), ...comments(node.lineComment)];
      return {
        kind: 'list',
        items: [...before, ...items, ...(handled ? [] : comments(node.footComment))],
      };
    }
    case 'alias':
      if (node.alias === undefined) throw sopsError('SOPS_SYNTAX', 'an alias leads nowhere');
      return treeValue(node.alias, false);
    default:
      return leafOf(node);
  }
}

function leafOf(node: YamlNode): SopsLeaf {
  switch (node.tag) {
    case '!!null':
      return { kind: 'leaf', type: 'null', text: '' };
    case '!!bool':
      return { kind: 'leaf', type: 'bool', text: nodeToValue(node) === true ? 'True' : 'False' };
    case '!!int':
      return { kind: 'leaf', type: 'int', text: String(nodeToValue(node, { numbers: 'json' })) };
    case '!!float':
      return { kind: 'leaf', type: 'float', text: positionalFloat(floatOf(node.value)) };
    case '!!timestamp':
      return { kind: 'leaf', type: 'time', text: String(nodeToValue(node)) };
    default:
      return { kind: 'leaf', type: 'str', text: node.value };
  }
}

function floatOf(text: string): number {
  const plain = text.replaceAll('_', '').toLowerCase();
  if (plain.endsWith('.inf')) return plain.startsWith('-') ? -Infinity : Infinity;
  return plain === '.nan' ? Number.NaN : Number(plain);
}

export function emitYaml(branches: readonly SopsBranch[]): string {
  return emitDocuments(
    branches.map((branch) => documentNode(branchNode(branch))),
    {
      indent: 4,
      compactSequences: false,
    },
  );
}

function head(node: YamlNode, texts: readonly string[]): void {
  if (texts.length === 0) return;
  const text = `#${texts.join('\n#')}`;
  node.headComment = node.headComment === '' ? text : `${text}\n${node.headComment}`;
}

function foot(node: YamlNode, texts: readonly string[]): void {
  const text = `#${texts.join('\n#')}`;
  node.footComment = node.footComment === '' ? text : `${node.footComment}\n${text}`;
}

/** Comments go with what comes after them; those at the end with what came before. */
function branchNode({ items }: SopsBranch): YamlNode {
  const mapping = createNode('mapping', '!!map');
  let heads: string[] = [];
  let inlines: string[] = [];
  for (const item of items) {
    if (item.kind === 'comment') {
      (item.inline ? inlines : heads).push(item.text);
      continue;
    }
    if (mapping.content.length === 0) {
      head(mapping, heads);
      heads = [];
    }
    const key = stringNode(item.key);
    head(key, heads);
    const value = valueNode(item.value);
    if (inlines.length > 0) value.lineComment = `#${inlines.join('\n#')}`;
    heads = [];
    inlines = [];
    mapping.content.push(key, value);
  }
  const rest = [...heads, ...inlines];
  const last = mapping.content.at(-2);
  if (rest.length > 0) last === undefined ? head(mapping, rest) : foot(last, rest);
  return mapping;
}

function valueNode(value: SopsValue): YamlNode {
  if (value.kind === 'branch') return branchNode(value);
  if (value.kind === 'leaf') return leafNode(value);
  const sequence = createNode('sequence', '!!seq');
  let heads: string[] = [];
  let inlines: string[] = [];
  for (const item of value.items) {
    if (item.kind === 'comment') {
      (item.inline ? inlines : heads).push(item.text);
      continue;
    }
    if (sequence.content.length === 0) {
      head(sequence, heads);
      heads = [];
    }
    const node = valueNode(item);
    head(node, heads);
    if (inlines.length > 0) node.lineComment = `#${inlines.join('\n#')}`;
    heads = [];
    inlines = [];
    sequence.content.push(node);
  }
  const rest = [...heads, ...inlines];
  const last = sequence.content.at(-1);
  if (rest.length > 0) last === undefined ? head(sequence, rest) : foot(last, rest);
  return sequence;
}

function leafNode({ type, text }: SopsLeaf): YamlNode {
  switch (type) {
    case 'null':
      return createNode('scalar', '', 'null');
    case 'bool':
      return createNode('scalar', '', text.toLowerCase());
    case 'int':
      return createNode('scalar', '', text);
    case 'float':
      return createNode('scalar', '', yamlFloat(Number(text)));
    case 'time':
      return createNode('scalar', '', text);
    case 'bytes':
      return valueToNode(Buffer.from(text, 'latin1').toString('utf8'));
    default:
      return valueToNode(text);
  }
}

function yamlFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  return Number.isFinite(value) ? formatFloat(value) : value > 0 ? '.inf' : '-.inf';
}
