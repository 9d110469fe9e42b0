import type { Json, JsonObject } from '@capstan/kube-object';
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelTimestamp,
  type CelType,
  DYN_TYPE,
  formatCelDuration,
  formatCelTimestamp,
  isEqualCel,
  namedType,
  type CelRuntimeValue as Value,
} from '@capstan/lib-expressions';
import { fromCelValue } from './schema-values.ts';

const OBJECT = 'Object';
const PATCH = 'JSONPatch';
const PATCH_TEXTS = ['op', 'path', 'from'];

/** An `Object.spec{…}` or `JSONPatch{…}` that a mutation spells out (k8s.io/apiserver/pkg/cel/mutation). */
export class Message extends CelMap {
  readonly fields: ReadonlyMap<string, Value>;

  constructor(typeName: string, fields: ReadonlyMap<string, Value>) {
    super(typeName);
    this.fields = fields;
  }

  get size(): number {
    return this.fields.size;
  }

  get(key: Value): Value | undefined {
    return typeof key === 'string' ? this.fields.get(key) : undefined;
  }

  keys(): Iterable<Value> {
    return this.fields.keys();
  }

  override equals(other: CelMap): boolean {
    if (!(other instanceof Message) || other.typeName !== this.typeName) return false;
    if (other.size !== this.size) return false;
    return [...this.fields].every(([name, value]) => {
      const its = other.fields.get(name);
      return its !== undefined && isEqualCel(value, its);
    });
  }
}

/**
 * The types that mutations may make objects of: `Object` and those within it (`Object.metadata`), which take any field, and
 * `JSONPatch`, which takes its four.
 */
export function patchType(name: string): CelType | undefined {
  if (name === OBJECT || name.startsWith(`${OBJECT}.`)) {
    return { kind: 'object', name, field: () => DYN_TYPE };
  }
  if (name !== PATCH) return undefined;
  return {
    kind: 'object',
    name,
    field: (field) => {
      if (PATCH_TEXTS.includes(field)) return namedType('string');
      return field === 'value' ? DYN_TYPE : undefined;
    },
  };
}

export function makePatchMessage(name: string, fields: ReadonlyMap<string, Value>): Message {
  for (const [field, value] of fields) {
    if (name !== PATCH || !PATCH_TEXTS.includes(field) || typeof value === 'string') continue;
    throw new CelError(`unexpected type ${goType(value)} for JSONPatchType '${field}' field`);
  }
  return new Message(name, fields);
}

function goType(value: Value): string {
  if (value === null) return 'structpb.NullValue';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof CelList) return '[]interface {}';
  return 'map[string]interface {}';
}

/** What a message says, as JSON. */
export function messageJson(message: Message): JsonObject {
  return Object.fromEntries([...message.fields].map(([name, value]) => [name, plain(value)]));
}

function plain(value: Value): Json {
  if (value instanceof CelTimestamp) return formatCelTimestamp(value);
  if (value instanceof CelDuration) return formatCelDuration(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof CelList) return [...value].map(plain);
  if (value instanceof Message) return messageJson(value);
  if (!(value instanceof CelMap)) return fromCelValue(value);
  const entries = [...value.keys()].map((key): [string, Json] => [
    String(key),
    plain(value.get(key) ?? null),
  ]);
  return Object.fromEntries(entries);
}

/** Types of messages that do not stand where their names say: `Object.spec` at `metadata`. */
export function misplacedTypes(value: Value, path = OBJECT): string[] {
  if (value instanceof CelList) return [...value].flatMap((item) => misplacedTypes(item, path));
  if (value instanceof Message) {
    const wrong = `unexpected type name ${JSON.stringify(value.typeName)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`;
    return [
      ...(value.typeName === path ? [] : [wrong]),
      ...[...value.fields].flatMap(([name, item]) => misplacedTypes(item, `${path}.${name}`)),
    ];
  }
  if (!(value instanceof CelMap)) return [];
  return [...value.keys()].flatMap((key) => misplacedTypes(value.get(key) ?? null, path));
}
