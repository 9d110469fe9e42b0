import { badRequest } from '../api-error.ts';
import { type Draft, type DraftObject, isDraftObject, setOwn } from '../json.ts';
import type { Messages } from './messages.ts';
import { kindOf, MAGIC, TYPE_META } from './messages.ts';

const DEPTH_MAX = 200;
const EMPTY = new Uint8Array(0);

/** Reads Kubernetes' protobuf encoding of a built-in kind into JSON. Throws ApiError when it is none. */
export function decodeProtobuf(
  body: Uint8Array,
  messages: Messages,
  expected: string,
): DraftObject {
  const unrecognized = (why: string): Error =>
    badRequest(`the object provided is unrecognized (must be of type ${expected}): ${why}`);
  if (body.length === 0) throw unrecognized('empty data');
  if (MAGIC.some((byte, i) => body[i] !== byte)) {
    throw unrecognized(
      `provided data does not appear to be a protobuf message, expected prefix [${MAGIC.join(' ')}] (${hexadecimal(body)})`,
    );
  }
  const fields = new Map<number, Uint8Array>();
  let meta: DraftObject;
  try {
    for (const field of readFields(body.subarray(MAGIC.length))) {
      if (field.bytes !== undefined) fields.set(field.number, field.bytes);
    }
    meta = decodeMessage(TYPE_META, fields.get(1) ?? EMPTY, messages, 0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw unrecognized(`${error.message} (${hexadecimal(body)})`);
  }
  const apiVersion = String(meta['apiVersion'] ?? '');
  const kind = String(meta['kind'] ?? '');
  const unhandled = (why: string): Error =>
    badRequest(
      `${kind} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${expected}: ${why}`,
    );
  const message = messages.ofKind(kindOf(apiVersion, kind));
  if (message === undefined) {
    throw unhandled(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    );
  }
  try {
    return { ...decodeMessage(message, fields.get(2) ?? EMPTY, messages, 0), apiVersion, kind };
  } catch (error) {
    if (error instanceof RangeError) throw unhandled(error.message);
    throw error;
  }
}

function hexadecimal(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 1024)).toString('hex');
}

interface WireField {
  readonly number: number;
  readonly varint?: bigint;
  readonly bytes?: Uint8Array;
}

function* readFields(bytes: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('unexpected EOF');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number is too long');
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError('unexpected EOF');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    switch (tag & 7) {
      case 0:
        yield { number, varint: BigInt.asIntN(64, varint()) };
        break;
      case 1:
        yield { number, bytes: take(8) };
        break;
      case 2:
        yield { number, bytes: take(Number(varint())) };
        break;
      case 5:
        yield { number, bytes: take(4) };
        break;
      default:
        throw new RangeError(`unknown wire type ${tag & 7}`);
    }
  }
}

function decodeMessage(
  message: string,
  bytes: Uint8Array,
  messages: Messages,
  depth: number,
): DraftObject {
  if (depth > DEPTH_MAX) throw new RangeError('nested too deeply');
  const object: DraftObject = {};
  for (const wire of readFields(bytes)) {
    const field = messages.fieldByNumber(message, wire.number);
    if (field === undefined) continue;
    const { name, type, mark } = field;
    if (mark === '%') {
      const map = object[name];
      const target: DraftObject = isDraftObject(map) ? map : {};
      const [key, value] = decodeEntry(type, wire.bytes ?? EMPTY, messages, depth);
      setOwn(target, key, value);
      object[name] = target;
    } else if (mark === '^') {
      Object.assign(object, decodeMessage(type, wire.bytes ?? EMPTY, messages, depth + 1));
    } else {
      const value = decodeField(type, wire, messages, depth);
      const list = object[name];
      if (mark === '') object[name] = value;
      else if (Array.isArray(list)) list.push(value);
      else object[name] = [value];
    }
  }
  return object;
}

function decodeEntry(
  type: string,
  bytes: Uint8Array,
  messages: Messages,
  depth: number,
): [string, Draft] {
  let key = '';
  let value: Draft | undefined;
  for (const wire of readFields(bytes)) {
    if (wire.number === 1) key = text(wire.bytes);
    else value = decodeField(type, wire, messages, depth);
  }
  return [key, value ?? (type === 's' || type === 'y' ? '' : {})];
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes ?? EMPTY);
}

function decodeField(type: string, wire: WireField, messages: Messages, depth: number): Draft {
  switch (type) {
    case 's':
      return text(wire.bytes);
    case 'b':
      return (wire.varint ?? 0n) !== 0n;
    case 'i':
      return integer(wire.varint ?? 0n);
    case 'y':
      return Buffer.from(wire.bytes ?? EMPTY).toString('base64');
    case 'd':
      return Buffer.from(wire.bytes ?? new Uint8Array(8)).readDoubleLE();
    default:
      return special(type, wire.bytes ?? EMPTY, messages, depth);
  }
}

function integer(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Messages whose JSON form is not an object of their fields. */
function special(type: string, bytes: Uint8Array, messages: Messages, depth: number): Draft {
  const object = decodeMessage(type, bytes, messages, depth + 1);
  switch (type.slice(type.lastIndexOf('.') + 1)) {
    case 'Time':
    case 'MicroTime':
      return time(object, type.endsWith('MicroTime'));
    case 'Quantity':
      return String(object['string'] ?? '0');
    case 'IntOrString':
      return object['type'] === 1 ? String(object['strVal'] ?? '') : (object['intVal'] ?? 0);
    case 'Duration':
      return `${Number(object['duration'] ?? 0) / 1e9}s`;
    case 'ExtraValue':
    case 'Verbs':
      return object['items'] ?? [];
    case 'RawExtension':
    case 'JSON':
    case 'FieldsV1':
      return raw(object['-']);
    case 'JSONSchemaPropsOrBool':
      return isDraftObject(object['schema']) ? object['schema'] : (object['allows'] ?? false);
    case 'JSONSchemaPropsOrArray':
      return object['schema'] ?? object['jSONSchemas'] ?? [];
    case 'JSONSchemaPropsOrStringArray':
      return object['schema'] ?? object['property'] ?? [];
    case 'JSONSchemaProps':
      return withoutUnset(object);
    default:
      return object;
  }
}

/** Fields of a schema that are no pointers in Go, and hence written when nobody set them, too. */
const PLAIN_SCHEMA_FIELDS: readonly string[] = [
  'id',
  '$schema',
  'description',
  'type',
  'format',
  'title',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'pattern',
  'uniqueItems',
  'nullable',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
];

function withoutUnset(schema: DraftObject): DraftObject {
  for (const key of PLAIN_SCHEMA_FIELDS) {
    if (schema[key] === '' || schema[key] === false) delete schema[key];
  }
  return schema;
}

/** The zero time, which Go writes as year 1, is none. */
function time(object: DraftObject, micro: boolean): Draft {
  const seconds = Number(object['seconds'] ?? 0);
  if (object['seconds'] === undefined && object['nanos'] === undefined) return null;
  const moment = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (!micro) return `${moment}Z`;
  const micros = Math.floor(Number(object['nanos'] ?? 0) / 1000);
  return `${moment}.${String(micros).padStart(6, '0')}Z`;
}

function raw(base64: Draft | undefined): Draft {
  if (typeof base64 !== 'string' || base64 === '') return null;
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString()) as Draft;
  } catch {
    throw badRequest('a raw field does not hold JSON');
  }
}
