import { messageOf } from '@capstan/lib-std';
import {
  nodeToValue,
  parseDocuments,
  resolveTag,
  Style,
  type YamlObject,
  type YamlValue,
} from '@capstan/lib-yaml';
import { failure } from './failure.ts';
import { type KNode, makeNode, mapping, nodeText, stringScalar } from './node.ts';
import { compareText } from './res-id.ts';

const QUOTED = Style.double | Style.single | Style.literal | Style.folded;

const BLANK_LINE_START = /\n[ \t\n]/;

// A plain scalar of these letters that starts like no number, boolean or null is a string.
const PLAIN_STRING = /^[A-EG-MP-SU-XZa-eg-mp-su-xz/][A-Za-z0-9_./:@-]*$/;

/**
 * The JSON value of a resource as the original writes it out and reads it back: quoted scalars are strings whatever
 * their tag, plain ones without a tag mean what they look like.
 */
export function toValue(node: KNode, isInFlow = false): YamlValue {
  switch (node.kind) {
    case 'scalar':
      // An empty null is printed as an empty text where braces or brackets stand around it.
      return isInFlow && isEmptyNull(node) ? '' : scalarValue(node);
    case 'sequence': {
      const { content } = node;
      const isFlow = isInFlow || (node.style & Style.flow) !== 0;
      const items = new Array<YamlValue>(content.length);
      for (let i = 0; i < content.length; i++) items[i] = toValue(content[i]!, isFlow);
      return items;
    }
    case 'mapping':
      return mappingValue(node, isInFlow || (node.style & Style.flow) !== 0);
    default:
      // Aliases are gone by now, but for trees that were read to be looked at only.
      return decode(node);
  }
}

function decode(node: KNode): YamlValue {
  try {
    return nodeToValue(node);
  } catch (error) {
    throw failure(messageOf(error).replace(/^yaml: json: /, 'json: '));
  }
}

function scalarValue(node: KNode): YamlValue {
  const { tag, value } = node;
  if ((node.style & Style.folded) !== 0 && BLANK_LINE_START.test(value)) return refolded(node);
  if (tag === '!!str') return value;
  if ((node.style & Style.tagged) !== 0) return decode(node);
  const quoted = (node.style & QUOTED) !== 0 || value.includes('\n');
  if (quoted && (tag === '' || resolveTag(value) === tag)) return value;
  if (tag === '' && PLAIN_STRING.test(value)) return value;
  if (tag === '!!int' && value.length < 16 && /^(?:0|[1-9][0-9]*)$/.test(value))
    return Number(value);
  if (tag === '!!bool' && value === 'true') return true;
  if (tag === '!!bool' && value === 'false') return false;
  return decode(node);
}

/**
 * A folded block with indented or empty lines, printed and read back: Go's printer writes one break too many before
 * them, so that the text grows.
 */
function refolded({ value, style }: KNode): YamlValue {
  const block = { ...makeNode('scalar', '!!str', value), style };
  const text = nodeText({ ...mapping(), content: [stringScalar('text'), block] });
  return parseDocuments(text)[0]?.content[0]?.content[1]?.value ?? value;
}

function isEmptyNull({ value, tag, style }: KNode): boolean {
  return value === '' && tag === '!!null' && style === 0;
}

function mappingValue(node: KNode, isFlow: boolean): YamlObject {
  const { content } = node;
  const result: YamlObject = {};
  for (let i = 0; i + 1 < content.length; i += 2) {
    const key = content[i]!;
    if (!isPlainKey(key) || Object.hasOwn(result, key.value)) return unusualMapping(node);
    result[key.value] = toValue(content[i + 1]!, isFlow);
  }
  return result;
}

function isPlainKey(key: KNode): boolean {
  if (key.kind !== 'scalar' || key.value === '__proto__' || key.value === '<<') return false;
  return key.tag === '!!str' || isStringKey(key) || isEmptyNull(key);
}

function isStringKey(key: KNode): boolean {
  if (key.tag !== '') return false;
  return (
    PLAIN_STRING.test(key.value) || (key.style & QUOTED) !== 0 || resolveTag(key.value) === '!!str'
  );
}

/** Merge keys, equal keys and keys that are no strings: left to the decoder, with the tags made explicit. */
function unusualMapping(node: KNode): YamlObject {
  const value = decode(withTags(node));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw failure('a mapping is no object');
  }
  return value;
}

function withTags(node: KNode): KNode {
  const copy = { ...node, content: node.content.map(withTags) };
  if (copy.kind !== 'scalar' || copy.tag !== '') return copy;
  const quoted = (node.style & QUOTED) !== 0 || node.value.includes('\n');
  copy.tag = quoted ? '!!str' : resolveTag(node.value);
  return copy;
}

/** The mapping with the keys at its top as strings: what Go makes of it when it is asked for a map by strings. */
export function withTextKeys(node: KNode): KNode {
  if (node.content.every((child, i) => i % 2 === 1 || hasTextKey(child))) return node;
  const content = node.content.map((child, i) =>
    i % 2 === 0 && child.kind === 'scalar' ? { ...child, tag: '!!str' } : child,
  );
  return { ...node, content };
}

function hasTextKey(key: KNode): boolean {
  return key.kind !== 'scalar' || key.tag === '!!str';
}

/** A value as Go prints it with `%#v`, mappings with keys that are no strings included. */
export function goSyntaxOf(node: KNode, isRoot = true): string {
  if (node.kind === 'sequence') {
    return `[]interface {}{${node.content.map((item) => goSyntaxOf(item, false)).join(', ')}}`;
  }
  if (node.kind !== 'mapping') return goScalar(node);
  const keys: [YamlValue, KNode][] = [];
  for (let i = 0; i + 1 < node.content.length; i += 2) {
    const key = node.content[i]!;
    keys.push([isRoot ? key.value : scalarValue(key), node.content[i + 1]!]);
  }
  const odd = keys.some(([key]) => typeof key !== 'string');
  const entries = keys
    .sort(([a], [b]) => compareKeys(a, b))
    .map(([key, value]) => `${goText(key)}:${goSyntaxOf(value, false)}`);
  return `map[${odd ? 'interface {}' : 'string'}]interface {}{${entries.join(', ')}}`;
}

/** Keys of several types stand in the order of their types: strings, numbers, booleans. */
function compareKeys(a: YamlValue, b: YamlValue): number {
  const rank = (key: YamlValue) => ['string', 'number', 'bigint', 'boolean'].indexOf(typeof key);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return rank(a) - rank(b) || Number(a) - Number(b);
}

function goScalar(node: KNode): string {
  if (node.tag === '!!float' && /^[-+]?\.inf$/i.test(node.value)) {
    return node.value.startsWith('-') ? '-Inf' : '+Inf';
  }
  return node.tag === '!!float' && /^\.nan$/i.test(node.value) ? 'NaN' : goText(scalarValue(node));
}

function goText(value: YamlValue): string {
  if (value === null) return 'interface {}(nil)';
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
