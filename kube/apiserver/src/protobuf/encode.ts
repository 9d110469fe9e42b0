import { type Json, type JsonObject, parseDurationNanos } from '@capstan/kube-object';
import { isObject, objectAt, stringifyJson, textAt } from '../json.ts';
import type { KeptEncodings } from '../object-texts.ts';
import { BackwardWriter } from './backward-writer.ts';
import { type Field, kindOf, MAGIC, type Messages } from './messages.ts';

/** An object in Kubernetes' envelope; undefined when its kind has no message. */
export function encodeProtobuf(object: JsonObject, messages: Messages): Uint8Array | undefined {
  const apiVersion = textAt(object, 'apiVersion');
  const kind = textAt(object, 'kind');
  const message = messages.ofKind(kindOf(apiVersion, kind));
  if (message === undefined) return undefined;
  const writer = new BackwardWriter();
  closeEnvelope(writer, { apiVersion, kind }, () => {
    encodeMessage(writer, message, object, messages);
  });
  return writer.take();
}

/** A list whose items are encoded once for all who ask. */
export function encodeProtobufList(
  list: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: JsonObject;
    readonly items: readonly JsonObject[];
    /** The message of one item. */
    readonly message: string;
  },
  messages: Messages,
  known: KeptEncodings<Uint8Array>,
): Uint8Array {
  const writer = new BackwardWriter();
  closeEnvelope(writer, list, () => {
    for (let i = list.items.length - 1; i >= 0; i--) {
      const bytes = known.get(list.items[i]!, (item) => encodeBody(item, list.message, messages));
      const end = writer.length;
      writer.bytes(bytes);
      writer.close(2, end);
    }
    const end = writer.length;
    encodeMessage(writer, LIST_META, list.metadata, messages);
    writer.close(1, end);
  });
  return writer.take();
}

const LIST_META = 'k8s.io.apimachinery.pkg.apis.meta.v1.ListMeta';

function encodeBody(object: JsonObject, message: string, messages: Messages): Uint8Array {
  const writer = new BackwardWriter();
  encodeMessage(writer, message, object, messages);
  return writer.take();
}

/** One event of a watch, behind its length in four bytes; its object stands in an envelope of its own. */
export function encodeWatchFrame(
  type: string,
  object: JsonObject,
  messages: Messages,
  known: KeptEncodings<Uint8Array>,
): Uint8Array {
  const apiVersion = textAt(object, 'apiVersion');
  const kind = textAt(object, 'kind');
  const message = messages.ofKind(kindOf(apiVersion, kind)) ?? '';
  const writer = new BackwardWriter();
  closeEnvelope(writer, { apiVersion, kind }, () => {
    writer.bytes(known.get(object, (value) => encodeBody(value, message, messages)));
  });
  writer.close(1, 0);
  writer.close(2, 0);
  const end = writer.length;
  writer.text(type);
  writer.close(1, end);
  const frame = Buffer.alloc(4 + writer.length);
  frame.writeUInt32BE(writer.length);
  frame.set(writer.take(), 4);
  return frame;
}

/** runtime.Unknown around what `write` writes: type, content, and an empty encoding and content type, as Go writes them. */
function closeEnvelope(
  writer: BackwardWriter,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  write: () => void,
): void {
  writer.close(4, writer.length);
  writer.close(3, writer.length);
  const contentEnd = writer.length;
  write();
  writer.close(2, contentEnd);
  const metaEnd = writer.length;
  for (const [number, value] of [
    [2, kind],
    [1, apiVersion],
  ] as const) {
    const end = writer.length;
    writer.text(value);
    writer.close(number, end);
  }
  writer.close(1, metaEnd);
  writer.bytes(MAGIC);
}

function encodeMessage(
  writer: BackwardWriter,
  message: string,
  object: JsonObject,
  messages: Messages,
): void {
  const fields = messages.fieldsOf(message);
  for (let i = fields.length - 1; i >= 0; i--) {
    const field = fields[i]!;
    if (field.mark === '^') encodeEmbedded(writer, field, object, messages);
    else {
      const value = Object.hasOwn(object, field.name) ? object[field.name] : undefined;
      if (value !== undefined && value !== null) encodeField(writer, field, value, messages);
    }
  }
}

function encodeEmbedded(
  writer: BackwardWriter,
  field: Field,
  object: JsonObject,
  messages: Messages,
): void {
  const end = writer.length;
  encodeMessage(writer, field.type, object, messages);
  if (writer.length > end) writer.close(field.number, end);
}

function encodeField(writer: BackwardWriter, field: Field, value: Json, messages: Messages): void {
  if (field.mark === '%') {
    const keys = Object.keys(objectAt(value)).sort();
    for (const key of keys.reverse()) {
      const end = writer.length;
      const item = objectAt(value)[key];
      if (item !== undefined && item !== null) {
        encodeValue(writer, { number: 2, type: field.type }, item, messages);
      }
      const keyEnd = writer.length;
      writer.text(key);
      writer.close(1, keyEnd);
      writer.close(field.number, end);
    }
  } else if (field.mark === '*') {
    const items: readonly Json[] = Array.isArray(value) ? value : [];
    for (let i = items.length - 1; i >= 0; i--) encodeValue(writer, field, items[i]!, messages);
  } else encodeValue(writer, field, value, messages);
}

function encodeValue(
  writer: BackwardWriter,
  { number, type }: Pick<Field, 'number' | 'type'>,
  value: Json,
  messages: Messages,
): void {
  if (type === 'b' || type === 'i') {
    writer.varint(typeof value === 'bigint' ? value : Math.trunc(Number(value)));
    writer.key(number, 0);
  } else if (type === 'd') {
    writer.double(Number(value));
    writer.key(number, 1);
  } else {
    const end = writer.length;
    if (type === 's') writer.text(typeof value === 'string' ? value : String(value));
    else if (type === 'y') writer.bytes(Buffer.from(String(value), 'base64'));
    else encodeMessage(writer, type, messageValue(type, value), messages);
    writer.close(number, end);
  }
}

/** The fields of messages whose JSON form is not an object of them: the counterpart of `special` in decode.ts. */
function messageValue(type: string, value: Json): JsonObject {
  switch (type.slice(type.lastIndexOf('.') + 1)) {
    case 'Time':
    case 'MicroTime':
      return time(String(value));
    case 'Quantity':
      return { string: String(value) };
    case 'IntOrString':
      return typeof value === 'string' ? { type: 1, strVal: value } : { type: 0, intVal: value };
    case 'Duration':
      return { duration: parseDurationNanos(String(value)) ?? 0n };
    case 'ExtraValue':
    case 'Verbs':
      return { items: value };
    case 'RawExtension':
    case 'JSON':
    case 'FieldsV1':
      return { '-': Buffer.from(stringifyJson(value)).toString('base64') };
    case 'JSONSchemaPropsOrBool':
      return isObject(value) ? { allows: true, schema: value } : { allows: value };
    case 'JSONSchemaPropsOrArray':
      return isObject(value) ? { schema: value } : { jSONSchemas: value };
    case 'JSONSchemaPropsOrStringArray':
      return isObject(value) ? { schema: value } : { property: value };
    default:
      return objectAt(value);
  }
}

/** Seconds, and the fraction in nanoseconds: `2026-01-02T03:04:05.000006Z`. */
function time(text: string): JsonObject {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  return {
    seconds: Math.floor(Date.parse(text) / 1000),
    nanos: Number(fraction.slice(0, 9).padEnd(9, '0')),
  };
}
