import type { Json, JsonObject } from '@capstan/kube-object';
import { isObject, objectAt } from '../json.ts';

/** How a field of a message is written: its number, and what its value is. */
type Field = readonly [number, Kind];
type Kind =
  | 'text'
  | 'flag'
  | 'count'
  | 'double'
  | 'any'
  | 'types'
  | 'Items'
  | 'Parameter'
  | MessageName
  | readonly ['many' | 'either', string];

/**
 * The messages of OpenAPI v2 in protobuf, as github.com/google/gnostic-models has them: for each JSON field its number. `named` is a map, as a
 * list of names and values; `either` picks a branch of a union. What is not named and begins with `x-` is an extension.
 */
const MESSAGES = {
  Document: {
    swagger: [1, 'text'],
    info: [2, 'Info'],
    paths: [8, 'Paths'],
    definitions: [9, 'Definitions'],
  },
  Info: { title: [1, 'text'], version: [2, 'text'] },
  Paths: { '*': [2, 'PathItem'] },
  PathItem: {
    get: [2, 'Operation'],
    put: [3, 'Operation'],
    post: [4, 'Operation'],
    delete: [5, 'Operation'],
    patch: [8, 'Operation'],
    'x-': [10, 'any'],
  },
  Operation: {
    description: [3, 'text'],
    operationId: [5, 'text'],
    produces: [6, ['many', 'text']],
    consumes: [7, ['many', 'text']],
    parameters: [8, ['many', 'Parameter']],
    responses: [9, 'Responses'],
    'x-': [13, 'any'],
  },
  Responses: { '*': [1, 'Response'] },
  Response: { description: [1, 'text'] },
  Body: {
    description: [1, 'text'],
    name: [2, 'text'],
    in: [3, 'text'],
    required: [4, 'flag'],
    schema: [5, 'Schema'],
  },
  Query: {
    required: [1, 'flag'],
    in: [2, 'text'],
    description: [3, 'text'],
    name: [4, 'text'],
    type: [6, 'text'],
    uniqueItems: [20, 'flag'],
  },
  Definitions: { '*': [1, 'Schema'] },
  Properties: { '*': [1, 'Schema'] },
  Schema: {
    $ref: [1, 'text'],
    format: [2, 'text'],
    description: [4, 'text'],
    default: [5, 'any'],
    maximum: [7, 'double'],
    minimum: [9, 'double'],
    maxLength: [11, 'count'],
    minLength: [12, 'count'],
    pattern: [13, 'text'],
    maxItems: [14, 'count'],
    minItems: [15, 'count'],
    uniqueItems: [16, 'flag'],
    maxProperties: [17, 'count'],
    minProperties: [18, 'count'],
    required: [19, ['many', 'text']],
    enum: [20, ['many', 'any']],
    additionalProperties: [21, ['either', 'Schema']],
    type: [22, 'types'],
    items: [23, 'Items'],
    allOf: [24, ['many', 'Schema']],
    properties: [25, 'Properties'],
    'x-': [31, 'any'],
  },
} as const satisfies Record<string, Record<string, readonly [number, unknown]>>;

/** An OpenAPI v2 document as `application/com.github.proto-openapi.spec.v2@v1.0+protobuf`: what kubectl asks for. */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  return message('Document', document);
}

type MessageName = keyof typeof MESSAGES;

function message(name: MessageName, value: Json | undefined): Uint8Array {
  const fields: Readonly<Record<string, Field>> = MESSAGES[name] as never;
  const parts: Uint8Array[] = [];
  const all = fields['*'];
  for (const [key, item] of Object.entries(objectAt(value))) {
    if (item === undefined) continue;
    const field = fields[key] ?? (key.startsWith('x-') ? fields['x-'] : undefined);
    if (all !== undefined) parts.push(named(all, key, item));
    else if (field !== undefined && key.startsWith('x-')) parts.push(named(field, key, item));
    else if (field !== undefined) parts.push(...encode(field, item));
  }
  return Buffer.concat(parts);
}

function named([number, kind]: Field, name: string, value: Json): Uint8Array {
  const entry = Buffer.concat([
    bytesField(1, Buffer.from(name)),
    ...(kind === 'Response'
      ? [bytesField(2, bytesField(1, message('Response', value)))]
      : encode([2, kind], value)),
  ]);
  return bytesField(number, entry);
}

function encode([number, kind]: Field, value: Json): Uint8Array[] {
  if (typeof kind !== 'string') {
    if (kind[0] === 'either') return [bytesField(number, schemaOrFlag(value))];
    const items: readonly Json[] = Array.isArray(value) ? value : [];
    return items.flatMap((item) => encode([number, kind[1] as Kind], item));
  }
  switch (kind) {
    case 'text':
      return [bytesField(number, Buffer.from(String(value)))];
    case 'flag':
      return value === true ? [varintField(number, 1n)] : [];
    case 'count':
      return [varintField(number, BigInt(Math.trunc(Number(value))))];
    case 'double':
      return [doubleField(number, Number(value))];
    case 'any':
      return [bytesField(number, bytesField(2, Buffer.from(`${JSON.stringify(value)}\n`)))];
    case 'types':
      return [bytesField(number, bytesField(1, Buffer.from(String(value))))];
    default:
      return [bytesField(number, special(String(kind), value))];
  }
}

/** Messages that wrap another one in a way of their own. */
function special(kind: string, value: Json): Uint8Array {
  if (kind === 'Items') return bytesField(1, message('Schema', value));
  if (kind !== 'Parameter') return message(kind as MessageName, value);
  const isBody = isObject(value) && value['in'] === 'body';
  const parameter = isBody
    ? bytesField(1, message('Body', value))
    : bytesField(2, bytesField(3, message('Query', value)));
  return bytesField(1, parameter);
}

function schemaOrFlag(value: Json): Uint8Array {
  return typeof value === 'boolean'
    ? varintField(2, value ? 1n : 0n)
    : bytesField(1, message('Schema', value));
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function tag(number: number, wire: number): Uint8Array {
  return varint(BigInt((number << 3) | wire));
}

function varintField(number: number, value: bigint): Uint8Array {
  return Buffer.concat([tag(number, 0), varint(value)]);
}

function bytesField(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([tag(number, 2), varint(BigInt(bytes.length)), bytes]);
}

function doubleField(number: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(number, 1), bytes]);
}
