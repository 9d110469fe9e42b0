import { messageOf } from '@capstan/lib-std';
import { parseDocument, type YamlNode, type YamlObject, type YamlValue } from '@capstan/lib-yaml';
import type { ParsedResources } from './cache.ts';
import type { BuildContext } from './context.ts';
import { BuildFailure, failure, within } from './failure.ts';
import { fromJson } from './json-node.ts';
import type { LoadedFile } from './loader.ts';
import { metaText } from './meta-text.ts';
import {
  addContent,
  copyTree,
  fieldOf,
  isMissingOrNull,
  isNilOrEmpty,
  type KNode,
  makeNode,
  nodeText,
  overwrite,
} from './node.ts';
import { toValue } from './node-value.ts';
import { Resource } from './resource.ts';
import { decodeText } from './utf8.ts';

/** The resources in a file. Fails as the original does for text that is no YAML, and for objects without a name. */
export function resourcesFromFile(
  context: BuildContext,
  file: LoadedFile,
  path: string,
): Resource[] {
  try {
    return resourcesFromText(context, () => decodeText(file.bytes), {
      cacheKey: file.id,
      file: context.sources.file(file.path),
    });
  } catch (error) {
    throw inFile(error, path);
  }
}

/** Says in which file malformed YAML was found. */
export function inFile(error: unknown, path: string): unknown {
  if (!(error instanceof BuildFailure)) return error;
  const { message } = error;
  if (
    message.includes('error converting YAML to JSON') ||
    message.includes('error unmarshaling JSON')
  ) {
    return failure(`YAML file [${path}] encounters a format error.\n${message}\n`, error.facts);
  }
  return error.facts.malformed === true
    ? failure(`${message} in File: ${path}`, error.facts)
    : error;
}

/** The resources in a text; what was read before under the same key is taken from the cache. */
export function resourcesFromText(
  context: BuildContext,
  text: () => string,
  from: { readonly cacheKey: string; readonly file: number; readonly line?: number },
): Resource[] {
  const key = from.cacheKey;
  let parsed = key === '' ? undefined : context.cache.resources.get(key);
  if (parsed === undefined) {
    parsed = readAll(context, text);
    if (key !== '') context.cache.resources.set(key, parsed);
  }
  if (parsed.kind === 'failed') throw parsed.error;
  const { file, line = 0 } = from;
  return parsed.nodes.map((node) => new Resource(copyTree(node, file, line), context.openApi));
}

function readAll(context: BuildContext, text: () => string): ParsedResources {
  try {
    const nodes = readNodes(
      context,
      within(() => 'MalformedYAMLError', text),
    );
    return { kind: 'nodes', nodes: expandLists(context, dropBad(nodes)) };
  } catch (error) {
    if (error instanceof BuildFailure) {
      const malformed = error.message.startsWith('MalformedYAMLError: ');
      return { kind: 'failed', error: malformed ? failure(error.message, { malformed }) : error };
    }
    throw error;
  }
}

/** Splits at lines that begin with `---`; anything but a comment after it is an error. */
function splitDocuments(text: string): string[] {
  if (text === '') return [];
  const documents: string[] = [];
  let from = 0;
  for (let at = text.indexOf('\n---'); at >= 0; at = text.indexOf('\n---', at)) {
    const end = text.indexOf('\n', at + 4);
    if (end < 0) break;
    const after = text.slice(at + 4, end).trim();
    if (after !== '' && !after.startsWith('#')) {
      throw failure(`invalid document separator: ${text.slice(at, end).trim()}`);
    }
    documents.push(text.slice(from, at));
    from = end + 1;
    // The line end that closed this separator cannot open the next one.
    at = end + 1 > at ? end + 1 : at + 1;
  }
  documents.push(text.slice(from));
  return documents;
}

/** The documents of a text as nodes without aliases; a List that stands alone is its items. */
export function readNodes(context: BuildContext, text: string): KNode[] {
  const parts = splitDocuments(text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text);
  const result: KNode[] = [];
  let line = 0;
  parts.forEach((part, i) => {
    const root = parseFirst(context, i === parts.length - 1 ? part : `${part}\n`, line);
    line += countLines(part) + 2;
    if (root === undefined || root.tag === '!!null') return;
    const kind = fieldOf(root, 'kind');
    const items = fieldOf(root, 'items');
    const isList = kind?.value === 'List' || kind?.value === 'ResourceList';
    const config = fieldOf(root, 'functionConfig');
    if (parts.length === 1 && isList && (items !== undefined || config !== undefined)) {
      if (items !== undefined) result.push(...items.content);
      return;
    }
    result.push(root);
  });
  const anchors: Anchors = { open: new Set(), left: context.limits.aliasNodesMax };
  return result.map((node) => deAnchor(node, anchors));
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function parseFirst(context: BuildContext, text: string, line: number): KNode | undefined {
  try {
    return parseRoot(context, text, line);
  } catch (error) {
    throw failure(`MalformedYAMLError: ${messageOf(error)}`, { malformed: true });
  }
}

function parseRoot(context: BuildContext, text: string, line: number): KNode | undefined {
  const root = parseDocument(text, {
    depthMax: context.limits.yamlDepthMax,
    aliasNodesMax: context.limits.aliasNodesMax,
  })?.content[0];
  return root === undefined ? undefined : convert(root, line, new Map());
}

/** The tree of the first document of a text; fails as Go's decoder does when there is none. */
export function readTree(context: BuildContext, text: string): KNode {
  let root: KNode | undefined;
  try {
    root = parseRoot(context, text, 0);
  } catch (error) {
    throw failure(messageOf(error));
  }
  if (root === undefined) throw failure('EOF');
  return root;
}

/** The parser's nodes as ours. Aliases point to the converted anchors. */
function convert(node: YamlNode, line: number, made: Map<YamlNode, KNode>): KNode {
  const result = makeNode(node.kind, node.tag, node.value);
  result.style = node.style;
  result.anchor = node.anchor;
  result.headComment = node.headComment;
  result.lineComment = node.lineComment;
  result.footComment = node.footComment;
  result.line = node.line + line;
  result.column = node.column;
  if (node.anchor !== '') made.set(node, result);
  if (node.alias !== undefined) {
    const target = made.get(node.alias);
    if (target !== undefined) result.alias = target;
  }
  const { content } = node;
  if (content.length > 0) result.content = new Array<KNode>(content.length);
  for (let i = 0; i < content.length; i++) result.content[i] = convert(content[i]!, line, made);
  return result;
}

interface Anchors {
  /** Anchors whose content is being looked at: an alias to one of them would never end. */
  readonly open: Set<KNode>;
  /** How many nodes aliases may still add. */
  left: number;
}

/** Puts what aliases stand for in their place, and merges what `<<` names. */
function deAnchor(node: KNode, anchors: Anchors): KNode {
  if (node.anchor !== '' && node.kind === 'alias') {
    throw failure(`anchor "${node.anchor}" defined using alias`);
  }
  switch (node.kind) {
    case 'scalar':
      node.anchor = '';
      return node;
    case 'alias':
      return expand(node, anchors);
    case 'mapping':
      mergeTagged(node, anchors);
      break;
    default:
      break;
  }
  const isAnchor = node.anchor !== '';
  node.anchor = '';
  if (isAnchor) anchors.open.add(node);
  for (let i = 0; i < node.content.length; i++) {
    node.content[i] = deAnchor(node.content[i]!, anchors);
  }
  if (isAnchor) anchors.open.delete(node);
  return node;
}

function expand(alias: KNode, anchors: Anchors): KNode {
  const target = aliased(alias);
  if (anchors.open.has(target)) throw failure(`anchor '${alias.value}' value contains itself`);
  const expanded = deAnchor(target, anchors);
  spend(expanded, anchors);
  return copyTree(expanded);
}

function spend(node: KNode, anchors: Anchors): void {
  anchors.left--;
  if (anchors.left < 0) {
    throw failure('yaml: aliases expand to more nodes than are allowed', {
      hint: 'repeat less of the document by aliases',
    });
  }
  for (const child of node.content) spend(child, anchors);
}

function aliased(node: KNode): KNode {
  const target = node.alias;
  if (target === undefined) throw failure(`anchor '${node.value}' value contains itself`);
  return target as KNode;
}

function mergeTagged(node: KNode, anchors: Anchors): void {
  const { content } = node;
  let merge: KNode | undefined;
  for (let i = 0; i < content.length; i += 2) {
    if (content[i]!.tag !== '!!merge') continue;
    if (merge !== undefined) throw failure('duplicate merge key');
    merge = content[i + 1];
  }
  if (merge === undefined) return;
  const sources = mergeSources(merge);
  for (const source of sources) spend(source, anchors);
  const at = content.findIndex((key, i) => i % 2 === 0 && key.value === '<<');
  if (at >= 0) content.splice(at, 2);
  const own = copyTree(node);
  const result = copyTree(node);
  for (const source of [...sources, own]) {
    const copy = copyTree(source);
    for (let i = 0; i + 1 < copy.content.length; i += 2) {
      setEntry(result, copy.content[i]!, fieldOf(copy, copy.content[i]!.value)!);
    }
  }
  overwrite(node, result);
}

function setEntry(node: KNode, key: KNode, value: KNode): void {
  for (let i = 0; i < node.content.length; i += 2) {
    if (node.content[i]!.value !== key.value) continue;
    node.content[i] = key;
    node.content[i + 1] = value;
    return;
  }
  addContent(node, key, value);
}

function mergeSources(value: KNode): KNode[] {
  switch (value.kind) {
    case 'mapping':
      return [value];
    case 'alias': {
      const target = aliased(value);
      if (target.kind !== 'mapping') {
        throw failure('invalid map merge: received alias for a non-map value');
      }
      return [target];
    }
    case 'sequence': {
      const result: KNode[] = [];
      for (const item of value.content) {
        if (item.kind === 'sequence') {
          throw failure('invalid map merge: received a nested sequence');
        }
        result.unshift(...mergeSources(item));
      }
      return result;
    }
    default:
      throw failure('map merge requires map or sequence of maps as the value');
  }
}

function dropBad(nodes: readonly KNode[]): KNode[] {
  return nodes.filter((node) => {
    if (isNilOrEmpty(node)) return false;
    requireMetadata(node);
    return true;
  });
}

/** Fails unless the object has a kind and, lists aside, a name. */
export function requireMetadata(node: KNode): void {
  const kind = textField(node, 'kind');
  const metadata = fieldOf(node, 'metadata');
  const name = textField(isNilOrEmpty(metadata) ? undefined : metadata, 'name');
  const hasAny =
    kind !== '' || textField(node, 'apiVersion') !== '' || !isMissingMetadata(metadata);
  if (!hasAny) throw failure('missing Resource metadata');
  if (kind === '') throw failure(`missing kind in object ${metaText(node)}`);
  if (!kind.endsWith('List') && name === '') {
    throw failure(`missing metadata.name in object ${metaText(node)}`);
  }
}

function isMissingMetadata(metadata: KNode | undefined): boolean {
  if (isNilOrEmpty(metadata)) return true;
  return ['name', 'namespace', 'labels', 'annotations'].every((field) =>
    isNilOrEmpty(fieldOf(metadata, field)),
  );
}

function textField(node: KNode | undefined, name: string): string {
  const field = fieldOf(node, name);
  return isMissingOrNull(field) ? '' : field.value;
}

/** Objects whose kind ends in List, with items, are replaced by their items, which go to the end. */
function expandLists(context: BuildContext, nodes: readonly KNode[]): KNode[] {
  const queue = nodes.slice();
  const result: KNode[] = [];
  for (let i = 0; i < queue.length; i++) {
    const node = queue[i]!;
    const kind = fieldOf(node, 'kind')?.value ?? '';
    const items = kind.endsWith('List') ? listItems(node, kind) : 'none';
    if (items === 'none') {
      result.push(node);
      continue;
    }
    const inner = items.flatMap((item) => itemNodes(context, item));
    queue.push(...dropBad(inner));
    context.countResources(queue.length);
  }
  return result;
}

interface Item {
  readonly value: YamlValue;
  readonly node: KNode;
}

/** The items of a list, as values, with the nodes that they come from. */
function listItems(node: KNode, kind: string): readonly Item[] | 'none' {
  let value: YamlValue;
  try {
    value = toValue(node);
  } catch (error) {
    const text = `received error ${messageOf(error)} for the following resource:\n${nodeText(node)}`;
    throw failure(`trouble expanding list of ${kind}; ${text}`);
  }
  const nodes = fieldOf(node, 'items');
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  const items = isMapping ? (value as YamlObject)['items'] : undefined;
  if (nodes === undefined || items === undefined) return 'none';
  if (items === null) return [];
  if (Array.isArray(items))
    return items.map((item, i) => ({ value: item, node: nodes.content[i]! }));
  throw failure(`expected array in ${kind}/items, but found ${goType(items)}`);
}

/** An item goes through JSON, and may itself be a List. */
function itemNodes(context: BuildContext, { value, node }: Item): KNode[] {
  const made = fromJson(value, node, 0);
  context.checkTime();
  if (fieldOf(made, 'kind')?.value !== 'List') return [made];
  return fieldOf(made, 'items')?.content ?? [made];
}

function goType(value: YamlValue): string {
  if (typeof value === 'object') return 'map[string]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return 'string';
}
