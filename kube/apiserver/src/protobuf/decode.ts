import { readFileSync } from 'node:fs';
import type { Catalogue, Schema } from '@capstan/kube-schema';
import { badRequest } from '../api-error.ts';
import { type Draft, type DraftObject, isDraftObject, setOwn } from '../json.ts';

/** Reads Kubernetes' protobuf encoding of built-in kinds into JSON. Answers are always JSON: all clients take that. */
export type DecodeProtobuf = (body: Uint8Array) => DraftObject;

const MAGIC = [0x6b, 0x38, 0x73, 0x00];
const DEPTH_MAX = 200;

/** `fieldNumber → [name, type, mark]`; the type is a scalar's letter or a message's name. */
type Fields = ReadonlyMap<
  number,
  { readonly name: string; readonly type: string; readonly mark: string }
>;

/** The table of messages is read when the first protobuf body comes. */
export function createProtobufDecoder(catalogue: Catalogue): DecodeProtobuf {
  let table: Readonly<Record<string, string>> | undefined;
  const parsed = new Map<string, Fields>();
  const fieldsOf = (message: string): Fields => {
    const known = parsed.get(message);
    if (known !== undefined) return known;
    table ??= JSON.parse(
      readFileSync(new URL('../generated/protobuf.json', import.meta.url), 'utf8'),
    ) as Readonly<Record<string, string>>;
    const fields = parseFields(table[message] ?? '');
    parsed.set(message, fields);
    return fields;
  };
  return (body) => decodeEnvelope(body, { fieldsOf, catalogue });
}

function parseFields(text: string): Fields {
  const fields = new Map<number, { name: string; type: string; mark: string }>();
  for (const entry of text === '' ? [] : text.split(',')) {
    const [number = '', name = '', type = ''] = entry.split(' ');
    const mark = type.startsWith('*') || type.startsWith('%') ? type[0]! : '';
    fields.set(Number(number), { name, type: type.slice(mark.length), mark });
  }
  return fields;
}

interface Context {
  readonly fieldsOf: (message: string) => Fields;
  readonly catalogue: Catalogue;
}

const UNKNOWN = 'k8s.io.apimachinery.pkg.runtime.Unknown';

function decodeEnvelope(body: Uint8Array, context: Context): DraftObject {
  if (MAGIC.some((byte, i) => body[i] !== byte)) {
    throw badRequest('the body is not a protobuf object: its first four bytes are not k8s\\0');
  }
  try {
    const fields = new Map<number, Uint8Array>();
    for (const field of readFields(body.subarray(MAGIC.length))) {
      if (field.bytes !== undefined) fields.set(field.number, field.bytes);
    }
    const meta = decodeMessage(
      'k8s.io.apimachinery.pkg.runtime.TypeMeta',
      fields.get(1) ?? EMPTY,
      undefined,
      context,
      0,
    );
    const apiVersion = String(meta['apiVersion'] ?? '');
    const kind = String(meta['kind'] ?? '');
    const slash = apiVersion.indexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    const schema = context.catalogue.kind({
      group,
      version: apiVersion.slice(slash + 1),
      kind,
    })?.schema;
    const message = messageName(schema?.definition) ?? `${UNKNOWN}`;
    if (schema === undefined)
      throw badRequest(
        `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`,
      );
    const object = decodeMessage(message, fields.get(2) ?? EMPTY, schema, context, 0);
    return { ...object, apiVersion, kind };
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(`malformed protobuf: ${error.message}`);
    throw error;
  }
}

const EMPTY = new Uint8Array(0);

/** OpenAPI writes the package's domain backwards: io.k8s.api.core.v1.Pod is k8s.io.api.core.v1.Pod. */
function messageName(definition: string | undefined): string | undefined {
  return definition?.replace(/^io\.k8s\./, 'k8s.io.').replaceAll('-', '_');
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
      if (byte === undefined) throw new RangeError('unexpected end');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number is too long');
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError('unexpected end');
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
  schema: Schema | undefined,
  context: Context,
  depth: number,
): DraftObject {
  if (depth > DEPTH_MAX) throw new RangeError('nested too deeply');
  const object: DraftObject = {};
  const fields = context.fieldsOf(message);
  for (const wire of readFields(bytes)) {
    const field = fields.get(wire.number);
    if (field === undefined) continue;
    const property = schema?.properties?.get(field.name);
    if (field.mark === '%') {
      const [key, value] = decodeEntry(
        field.type,
        wire.bytes ?? EMPTY,
        valueSchema(property),
        context,
        depth,
      );
      const map = object[field.name];
      const target: DraftObject = isDraftObject(map) ? map : {};
      setOwn(target, key, value);
      object[field.name] = target;
      continue;
    }
    const inner = field.mark === '*' ? property?.items : property;
    const value = decodeField(field.type, wire, inner, context, depth);
    if (field.mark === '*') {
      const list = object[field.name];
      if (Array.isArray(list)) list.push(value);
      else object[field.name] = [value];
    } else if (property === undefined && schema?.properties !== undefined && isDraftObject(value)) {
      // A Go struct that is embedded: in JSON its fields stand beside the others.
      const embedded = decodeMessage(field.type, wire.bytes ?? EMPTY, schema, context, depth + 1);
      Object.assign(object, embedded);
    } else object[field.name] = value;
  }
  return object;
}

function valueSchema(property: Schema | undefined): Schema | undefined {
  const element = property?.additionalProperties;
  return typeof element === 'object' ? element : undefined;
}

function decodeEntry(
  type: string,
  bytes: Uint8Array,
  schema: Schema | undefined,
  context: Context,
  depth: number,
): [string, Draft] {
  let key = '';
  let value: Draft | undefined;
  for (const wire of readFields(bytes)) {
    if (wire.number === 1) key = text(wire.bytes);
    else value = decodeField(type, wire, schema, context, depth);
  }
  return [key, value ?? (type === 's' || type === 'y' ? '' : {})];
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes ?? EMPTY);
}

function decodeField(
  type: string,
  wire: WireField,
  schema: Schema | undefined,
  context: Context,
  depth: number,
): Draft {
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
      return special(type, wire.bytes ?? EMPTY, schema, context, depth);
  }
}

function integer(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Messages whose JSON form is not an object of their fields. */
function special(
  type: string,
  bytes: Uint8Array,
  schema: Schema | undefined,
  context: Context,
  depth: number,
): Draft {
  const object = decodeMessage(type, bytes, schema, context, depth + 1);
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
      return raw(object['raw'] ?? object['Raw']);
    case 'JSONSchemaPropsOrBool':
      return object['schema'] ?? object['allows'] ?? false;
    case 'JSONSchemaPropsOrArray':
      return object['schema'] ?? object['jSONSchemas'] ?? [];
    case 'JSONSchemaPropsOrStringArray':
      return object['schema'] ?? object['property'] ?? [];
    default:
      return object;
  }
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
