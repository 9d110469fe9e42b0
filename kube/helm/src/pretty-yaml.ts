import {
  DURATION,
  formatDuration,
  GoInt,
  GoNil,
  GoPointer,
  GoScalar,
  GoStruct,
  type GoValue,
  isTime,
  mapGet,
  sortedKeys,
  stringMapOf,
  toBytes,
} from '@capstan/lib-gotemplate';
import {
  compareKeys,
  createNode,
  emitDocument,
  mappingNode,
  sequenceNode,
  valueToNode,
  type YamlNode,
} from '@capstan/lib-yaml';

/**
 * toYamlPretty: what yaml.v3 makes of the Go values themselves, where toYaml goes by way of JSON. Lists are indented below
 * their key, structs have their fields in order and in lower case, bytes are numbers, nil maps and lists are empty ones.
 */
export function prettyYaml(value: GoValue): string {
  const text = emitDocument(node(value), { indent: 2, compactSequences: false });
  return text.replace(/\n$/, '');
}

function node(value: GoValue): YamlNode {
  if (value === null || value === undefined) return valueToNode(null);
  if (typeof value === 'string') return textNode(value);
  if (typeof value !== 'object') return valueToNode(value);
  if (value instanceof GoNil) return nilNode(value);
  if (value instanceof GoPointer) return node(value.elem);
  if (value instanceof GoScalar) return node(value.value);
  if (value instanceof GoInt) {
    const isDuration = value.type === DURATION;
    return valueToNode(isDuration ? formatDuration(BigInt(value.value)) : BigInt(value.value));
  }
  if (value instanceof Uint8Array) return sequenceNode([...value].map((byte) => node(byte)));
  if (Array.isArray(value)) return sequenceNode(value.map(node));
  if (value instanceof GoStruct) return structNode(value);
  const map = stringMapOf(value);
  if (map === undefined) return valueToNode(null);
  const keys = [...sortedKeys(map)].sort((a, b) => compareKeys(a, b, true));
  return mappingNode(keys.flatMap((key) => [textNode(key), node(mapGet(map, key))]));
}

function nilNode({ type }: GoNil): YamlNode {
  if (type.kind === 'map') return mappingNode([]);
  return type.kind === 'slice' ? sequenceNode([]) : valueToNode(null);
}

/** Text that is no UTF-8 is told by its bytes. */
function textNode(text: string): YamlNode {
  if (text.isWellFormed()) return valueToNode(text);
  return createNode('scalar', '!!binary', Buffer.from(toBytes(text)).toString('base64'));
}

function structNode(value: GoStruct): YamlNode {
  const { textMarshaler, fields = [] } = value.type;
  if (textMarshaler !== undefined) {
    const text = textMarshaler(value);
    return isTime(value) ? createNode('scalar', '', text) : valueToNode(text);
  }
  const exported = fields.filter(({ name }) => /^\p{Lu}/u.test(name));
  return mappingNode(
    exported.flatMap(({ name }) => [textNode(name.toLowerCase()), node(value.values[name])]),
  );
}
