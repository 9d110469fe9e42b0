/**
 * The node model of go.yaml.in/yaml/v3, which kyaml and hence kustomize work on. Nodes are plain mutable objects: a
 * transformer edits them in place, and `emitDocument` prints them.
 */
export type NodeKind = 'document' | 'mapping' | 'sequence' | 'scalar' | 'alias';

/** Style flags, with the values that go.yaml.in/yaml/v3 gives them. `0` lets the emitter choose. */
export const Style = {
  tagged: 1,
  double: 2,
  single: 4,
  literal: 8,
  folded: 16,
  flow: 32,
} as const;

export interface YamlNode {
  kind: NodeKind;
  /** A sum of `Style` flags. */
  style: number;
  /** The short tag (`!!str`), resolved even where the text does not spell it; empty for documents and aliases. */
  tag: string;
  /** A scalar's text after unquoting; an alias's name. */
  value: string;
  anchor: string;
  /** For an alias: the node it stands for. */
  alias?: YamlNode;
  /** A mapping holds key, value, key, value, …; a document holds its root. */
  content: YamlNode[];
  headComment: string;
  lineComment: string;
  footComment: string;
  /** One-based position of the node's first character; 0 for nodes that were made, not read. Column counts code points. */
  line: number;
  column: number;
}

/** A node of `kind` with everything else empty. */
export function createNode(kind: NodeKind, tag = '', value = ''): YamlNode {
  return {
    kind,
    style: 0,
    tag,
    value,
    anchor: '',
    content: [],
    headComment: '',
    lineComment: '',
    footComment: '',
    line: 0,
    column: 0,
  };
}

/** A string scalar that the emitter quotes only where it must. */
export function stringNode(value: string): YamlNode {
  return createNode('scalar', '!!str', value);
}

export function mappingNode(content: YamlNode[] = []): YamlNode {
  const node = createNode('mapping', '!!map');
  node.content = content;
  return node;
}

export function sequenceNode(content: YamlNode[] = []): YamlNode {
  const node = createNode('sequence', '!!seq');
  node.content = content;
  return node;
}

export function documentNode(root: YamlNode): YamlNode {
  const node = createNode('document');
  node.content = [root];
  return node;
}

/**
 * A deep copy; an alias inside the copied tree points to the copied anchor when that lies inside the tree too, and to
 * the original otherwise.
 */
export function copyNode(node: YamlNode): YamlNode {
  const copies = new Map<YamlNode, YamlNode>();
  const copy = copyInto(node, copies);
  for (const made of copies.values()) {
    if (made.alias !== undefined) made.alias = copies.get(made.alias) ?? made.alias;
  }
  return copy;
}

function copyInto(node: YamlNode, copies: Map<YamlNode, YamlNode>): YamlNode {
  const content = new Array<YamlNode>(node.content.length);
  for (let i = 0; i < content.length; i++) content[i] = copyInto(node.content[i]!, copies);
  const copy: YamlNode = { ...node, content };
  if (node.anchor !== '' || node.alias !== undefined) copies.set(node, copy);
  return copy;
}

const LONG_PREFIX = 'tag:yaml.org,2002:';

/** `tag:yaml.org,2002:str` → `!!str`; other tags stay. */
export function shortTag(tag: string): string {
  return tag.startsWith(LONG_PREFIX) ? `!!${tag.slice(LONG_PREFIX.length)}` : tag;
}

/** `!!str` → `tag:yaml.org,2002:str`; other tags stay. */
export function longTag(tag: string): string {
  return tag.startsWith('!!') ? LONG_PREFIX + tag.slice(2) : tag;
}
