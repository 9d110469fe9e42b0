import { messageOf } from '@capstan/lib-std';
import { parseDocuments, type YamlNode } from '@capstan/lib-yaml';
import type { KustomizeCache } from './cache.ts';
import { failure, within } from './failure.ts';
import { isListIndex, kindForNext, parseInteger, splitListIndex } from './field-path.ts';
import {
  addContent,
  fieldOf,
  getField,
  type KNode,
  makeNode,
  nodeText,
  requireKind,
  scalar,
  setField,
} from './node.ts';
import { compilePattern } from './pattern.ts';

export interface MatchOptions {
  /** What a missing last part is created as; without it nothing is created. */
  readonly create: { readonly kind: YamlNode['kind']; readonly file: number } | undefined;
  readonly cache: KustomizeCache;
}

/**
 * All nodes that a path means: `*` every element of a list, `[name=pattern]` those whose field matches, a number one
 * element, anything else a field. A scalar in the middle of a path is looked into as YAML of its own.
 */
export function matchPath(node: KNode, path: readonly string[], options: MatchOptions): KNode[] {
  const part = path[0];
  if (part === undefined) return [node];
  const index = parseInteger(part);
  if (index !== undefined && index >= 0) return matchIndex(node, index, path, options);
  if (isListIndex(part)) return matchElements(node, path, options);
  if (part === '*') {
    requireKind(node, 'sequence');
    return elementsOf(node).flatMap((element) => matchPath(element, path.slice(1), options));
  }
  return matchField(node, path, options);
}

function elementsOf(node: KNode): readonly KNode[] {
  requireKind(node, 'sequence');
  return node.content.slice();
}

function matchField(node: KNode, path: readonly string[], options: MatchOptions): KNode[] {
  const name = path[0]!;
  let field = getField(node, name);
  if (field === undefined) {
    if (options.create === undefined) return [];
    const kind = kindForNext(path[1], options.create.kind);
    field = makeNode(kind, '', '', options.create.file);
    setField(node, name, field);
  }
  if (field.kind === 'scalar' && path.length > 1) {
    return matchPath(parseStructured(field.value), path.slice(1), options);
  }
  return matchPath(field, path.slice(1), options);
}

/** The text of a scalar as a tree of its own. */
export function parseStructured(text: string): KNode {
  let document: YamlNode | undefined;
  try {
    document = parseDocuments(text)[0];
  } catch (error) {
    throw failure(messageOf(error));
  }
  const root = document?.content[0];
  return root === undefined ? makeNode('scalar', '!!null', '') : adopt(root);
}

/** Parsed nodes as ours, comments and styles kept. */
function adopt(node: YamlNode): KNode {
  const result: KNode = { ...node, content: node.content.map(adopt), file: 0 };
  return result;
}

function matchIndex(
  node: KNode,
  index: number,
  path: readonly string[],
  options: MatchOptions,
): KNode[] {
  const elements = elementsOf(node).slice();
  const { create } = options;
  if (elements.length === index && create !== undefined) {
    const element = makeNode(kindForNext(path[1], create.kind), '', '', create.file);
    addContent(node, element);
    elements.push(element);
  }
  const element = elements[index];
  if (element === undefined) {
    throw failure(`index ${index} specified but only ${elements.length} elements found`);
  }
  return matchPath(element, path.slice(1), options);
}

function matchElements(node: KNode, path: readonly string[], options: MatchOptions): KNode[] {
  const { name, value } = splitListIndex(path[0]!);
  const rest = path.slice(1);
  const find = () =>
    elementsOf(node).flatMap((element) => {
      const compared = name === '' ? element : fieldOf(element, name);
      if (compared === undefined) return [];
      if (!compilePattern(options.cache, value)(scalarText(compared))) return [];
      return name === '' ? [element] : matchPath(element, rest, options);
    });
  const found = find();
  const { create } = options;
  if (found.length > 0 || create === undefined) return found;
  const element =
    name === '' ? scalar(value, create.file) : makeNode('mapping', '', '', create.file);
  if (name !== '') element.content = [scalar(name, create.file), scalar(value, create.file)];
  within(
    () => `failed to create element for "${path[0]}"`,
    () => requireKind(node, 'sequence'),
  );
  addContent(node, element);
  return find();
}

function scalarText(node: KNode): string {
  if (
    node.kind === 'scalar' &&
    /^[A-Za-z_/][A-Za-z0-9_./-]*$/.test(node.value) &&
    node.tag === '!!str' &&
    node.style === 0
  ) {
    return node.value;
  }
  return nodeText(node).trim();
}
