import { type EmitOptions, emitDocument } from './emit-node.ts';
import { entriesOf, type GoValue, isList } from './go-json.ts';
import { formatFloat } from './go-number.ts';
import { compareKeys } from './key-order.ts';
import { createNode, mappingNode, Style, sequenceNode, type YamlNode } from './node.ts';
import { isBase60, isOldBoolean, resolveTag } from './resolve.ts';

/**
 * A value as go.yaml.in/yaml/v3 encodes it: keys in natural order, strings that YAML 1.1 or 1.2 would read as something
 * else in double quotes, text with line breaks as literal blocks. Numbers are floats (`1e+06`), bigints are integers.
 */
export function emitValue(value: GoValue, options: EmitOptions = {}): string {
  return emitDocument(valueToNode(value), options);
}

/** The node that go.yaml.in/yaml/v3 makes of a value; see `emitValue`. */
export function valueToNode(value: GoValue): YamlNode {
  if (typeof value === 'string') return textNode(value);
  if (typeof value === 'number') return createNode('scalar', '', floatText(value));
  if (typeof value === 'bigint') return createNode('scalar', '', String(value));
  if (typeof value === 'boolean') return createNode('scalar', '', String(value));
  if (value === null || value === undefined) return createNode('scalar', '', 'null');
  if (isList(value)) return sequenceNode(value.map(valueToNode));
  const entries = entriesOf(value).sort(([a], [b]) => compareKeys(a, b, true));
  return mappingNode(entries.flatMap(([key, item]) => [textNode(key), valueToNode(item)]));
}

function textNode(text: string): YamlNode {
  const node = createNode('scalar', '!!str', text);
  if (text.includes('\n')) node.style = Style.literal;
  else if (resolveTag(text) !== '!!str' || isBase60(text) || isOldBoolean(text)) {
    node.style = Style.double;
  }
  return node;
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return formatFloat(value);
}
