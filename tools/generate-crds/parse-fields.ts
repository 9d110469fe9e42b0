/**
 * Reads the notation of crds/*.txt: one field a line, nested ones in braces.
 *
 *   spec.ref{branch, commit, tag}      objects by dots and braces
 *   spec.items[]{name*}                list; `*` required
 *   spec.labels{*}  spec.flags{*}:bool maps
 *   spec.count:int  spec.port:int|str  types: int bool num any int|str LabelSelector Condition StatusCondition; text when none is given
 *   spec.mode=a|b(def a)               enum, default
 *   spec.sources[]:<as source>         the shape of an earlier field of that name
 *   spec.at:time  spec.more:object     a date with its time; a map of anything
 *   spec.path(minLength 1)(pattern ^a) bounds of a text
 *   {…}                                left open: any members
 */
export interface JsonSchema {
  type?: string;
  properties?: { [name: string]: JsonSchema };
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema;
  enum?: string[];
  default?: unknown;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  pattern?: string;
  anyOf?: JsonSchema[];
  nullable?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-map-type'?: string;
}

/** The schema of a whole kind from its field lines, and from shapes that they may name. */
export function parseFields(
  lines: readonly string[],
  { shapes: given = [], required = [] }: { shapes?: readonly string[]; required?: string[] } = {},
): JsonSchema {
  const root: JsonSchema = {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
    },
    ...(required.length > 0 ? { required } : {}),
  };
  const shapes = new Map<string, JsonSchema>();
  for (const line of given) readLine(line, shapes);
  for (const line of lines) {
    const { path, ...field } = readLine(line, shapes);
    place(root, path, field);
  }
  return root;
}

function readLine(line: string, shapes: Map<string, JsonSchema>): Field {
  const reader: Reader = { text: line.trim(), at: 0, shapes };
  const field = readField(reader);
  if (reader.at !== reader.text.length) throw fault(reader, 'unexpected text');
  return field;
}

interface Reader {
  readonly text: string;
  at: number;
  readonly shapes: Map<string, JsonSchema>;
}

interface Field {
  readonly path: readonly string[];
  readonly schema: JsonSchema;
  readonly required: boolean;
}

function place(
  root: JsonSchema,
  path: readonly string[],
  { schema, required }: { schema: JsonSchema; required: boolean },
): void {
  let parent = root;
  for (const name of path.slice(0, -1)) {
    parent.properties ??= {};
    parent.properties[name] ??= { type: 'object', properties: {} };
    parent = parent.properties[name];
  }
  const last = path.at(-1) ?? '';
  parent.properties ??= {};
  parent.properties[last] = schema;
  if (required) parent.required = [...(parent.required ?? []), last];
}

function readField(reader: Reader): Field {
  const name = match(reader, /[A-Za-z_$][\w$-]*(?:\.[A-Za-z_$][\w$-]*)*/y);
  if (name === undefined) throw fault(reader, 'a field name is missing');
  const path = name.split('.');
  let required = false;
  const wraps: ('list' | 'map')[] = [];
  let schema: JsonSchema = { type: 'string' };
  for (;;) {
    if (eat(reader, '*')) required = true;
    else if (eat(reader, '[]')) wraps.push('list');
    else if (eat(reader, '{*}')) wraps.push('map');
    else if (eat(reader, '{…}')) schema = openObject();
    else if (eat(reader, '{')) schema = readMembers(reader);
    else if (eat(reader, ':')) schema = readType(reader);
    else if (reader.text[reader.at] === '<') schema = readShape(reader);
    else if (eat(reader, '=')) schema = { ...schema, enum: readEnum(reader) };
    else if (eat(reader, '(def ')) schema = { ...schema, default: readDefault(reader, schema) };
    else if (eat(reader, '(minLength '))
      schema = { ...schema, minLength: Number(readBound(reader)) };
    else if (eat(reader, '(maxLength '))
      schema = { ...schema, maxLength: Number(readBound(reader)) };
    else if (eat(reader, '(pattern ')) schema = { ...schema, pattern: readBound(reader) };
    else break;
  }
  reader.shapes.set(path.at(-1) ?? '', schema);
  const wrapped = wraps
    .reverse()
    .reduce<JsonSchema>(
      (inner, wrap) =>
        wrap === 'list'
          ? { type: 'array', items: inner }
          : { type: 'object', additionalProperties: inner },
      schema,
    );
  return { path, schema: wrapped, required };
}

function readMembers(reader: Reader): JsonSchema {
  const schema: JsonSchema = { type: 'object', properties: {} };
  do {
    skipSpace(reader);
    const field = readField(reader);
    place(schema, field.path, field);
    skipSpace(reader);
  } while (eat(reader, ','));
  if (!eat(reader, '}')) throw fault(reader, 'a brace is not closed');
  return schema;
}

function readType(reader: Reader): JsonSchema {
  if (reader.text[reader.at] === '<') return readShape(reader);
  const name = match(reader, /int\|str|[A-Za-z]+/y) ?? '';
  const type = TYPES[name];
  if (type === undefined) throw fault(reader, `type ${name} is unknown`);
  return structuredClone(type);
}

function readShape(reader: Reader): JsonSchema {
  const name = match(reader, /<as [\w]+\*?>/y);
  if (name === undefined) throw fault(reader, 'a shape is expected');
  const known = reader.shapes.get(name.slice(4, -1).replace('*', ''));
  // A shape inside itself cannot be written down: it is left open.
  return known === undefined || known.type === 'string' ? openObject() : structuredClone(known);
}

function readEnum(reader: Reader): string[] {
  return (match(reader, /[^,{}()\s]*/y) ?? '').split('|');
}

function readDefault(reader: Reader, schema: JsonSchema): unknown {
  const text = readBound(reader);
  if (schema.type === 'boolean') return text.toLowerCase() === 'true';
  return schema.type === 'integer' || schema.type === 'number' ? Number(text) : text;
}

function readBound(reader: Reader): string {
  const text = match(reader, /[^)]*/y) ?? '';
  eat(reader, ')');
  return text;
}

const TYPES: Readonly<Record<string, JsonSchema>> = {
  int: { type: 'integer', format: 'int64' },
  num: { type: 'number' },
  bool: { type: 'boolean' },
  time: { type: 'string', format: 'date-time' },
  object: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  any: { 'x-kubernetes-preserve-unknown-fields': true },
  'int|str': {
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    'x-kubernetes-int-or-string': true,
  },
  LabelSelector: {
    type: 'object',
    properties: {
      matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
      matchExpressions: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            key: { type: 'string' },
            operator: { type: 'string' },
            values: {
              type: 'array',
              items: { type: 'string' },
              'x-kubernetes-list-type': 'atomic',
            },
          },
          required: ['key', 'operator'],
        },
        'x-kubernetes-list-type': 'atomic',
      },
    },
    'x-kubernetes-map-type': 'atomic',
  },
  Condition: {
    type: 'object',
    properties: {
      type: { type: 'string' },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
      reason: { type: 'string' },
      message: { type: 'string' },
      lastTransitionTime: { type: 'string', format: 'date-time' },
      observedGeneration: { type: 'integer', format: 'int64' },
    },
    required: ['type', 'status'],
  },
  // metav1.Condition of apimachinery, with what it checks.
  StatusCondition: {
    type: 'object',
    properties: {
      type: {
        type: 'string',
        pattern:
          '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
        maxLength: 316,
      },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
      reason: {
        type: 'string',
        pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
        minLength: 1,
        maxLength: 1024,
      },
      message: { type: 'string', maxLength: 32_768 },
      lastTransitionTime: { type: 'string', format: 'date-time' },
      observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
    },
    required: ['lastTransitionTime', 'message', 'reason', 'status', 'type'],
  },
};

function openObject(): JsonSchema {
  return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
}

function match(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text);
  if (found === null) return undefined;
  reader.at += found[0].length;
  return found[0];
}

function eat(reader: Reader, token: string): boolean {
  if (!reader.text.startsWith(token, reader.at)) return false;
  reader.at += token.length;
  return true;
}

function skipSpace(reader: Reader): void {
  while (reader.text[reader.at] === ' ') reader.at++;
}

function fault(reader: Reader, what: string): Error {
  return new Error(`${what} at column ${reader.at + 1}: ${reader.text.slice(0, 200)}`);
}
