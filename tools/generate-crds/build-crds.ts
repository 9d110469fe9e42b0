import { type JsonSchema, parseFields } from './parse-fields.ts';

interface Kind {
  readonly kind: string;
  readonly group: string;
  readonly plural: string;
  readonly scope: string;
  versions: readonly string[];
  short: readonly string[];
  categories: readonly string[];
  subresources: readonly string[];
  required: string[];
  readonly columns: { type: string; name: string; jsonPath: string; priority?: number }[];
  readonly fields: string[];
  readonly checks: Check[];
  /** Paths of today's status that an older version does not know, by version. */
  readonly hidden: Map<string, readonly string[]>;
}

/** What is added to the schema at these paths (`spec.items[].name`, `.` for the object itself). */
interface Check {
  readonly paths: readonly string[];
  readonly schema: JsonSchema;
}

/** Checks that many fields share, by the name that they have in the text. */
const NAMED_CHECKS: Readonly<Record<string, JsonSchema>> = {
  duration: { pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$' },
  seconds: { pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m))+$' },
  name: { minLength: 1, maxLength: 253 },
  namespace: { minLength: 1, maxLength: 63 },
  time: { format: 'date-time' },
  digest: { pattern: '^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$' },
  unobserved: { default: { observedGeneration: -1 } },
};

const OPEN: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** CustomResourceDefinitions from the text of a crds/*.txt file: the first version is stored, all are served. */
export function buildCrds(text: string): readonly object[] {
  const shapes = text
    .split('\n')
    .filter((line) => line.startsWith(SHAPE))
    .map((line) => line.slice(SHAPE.length));
  return readKinds(text).map((one) => toCrd(one, shapes));
}

const SHAPE = 'shape ';

function readKinds(text: string): readonly Kind[] {
  const kinds: Kind[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#') || line.startsWith(SHAPE)) continue;
    const [word = '', ...rest] = line.trim().split(' ');
    const current = kinds.at(-1);
    if (word === 'kind') kinds.push(startKind(rest));
    else if (current === undefined)
      throw new Error(`a field stands before the first kind: ${line}`);
    else if (line.startsWith('  ')) current.fields.push(line);
    else if (word === 'column') current.columns.push(readColumn(rest));
    else if (word === 'versions') current.versions = rest;
    else if (word === 'short') current.short = rest;
    else if (word === 'categories') current.categories = rest;
    else if (word === 'subresources') current.subresources = rest;
    else if (word === 'requires') current.required = rest;
    else if (word === 'hides') current.hidden.set(rest[0] ?? '', rest.slice(1));
    else if (word === 'check') current.checks.push(readCheck(line.trim()));
    else throw new Error(`not understood: ${line}`);
  }
  return kinds;
}

function startKind([kind = '', group = '', ...rest]: readonly string[]): Kind {
  const options = new Map(rest.map((one) => one.split('=') as [string, string]));
  return {
    kind,
    group,
    plural: options.get('plural') ?? `${kind.toLowerCase()}s`,
    scope: options.get('scope') ?? 'Namespaced',
    versions: [],
    short: [],
    categories: [],
    subresources: [],
    required: [],
    columns: [],
    fields: [],
    checks: [],
    hidden: new Map(),
  };
}

/** `check PATH… NAME` or `check PATH… {schema}`. */
function readCheck(line: string): Check {
  const at = line.indexOf(' {');
  const [, ...words] = (at < 0 ? line : line.slice(0, at)).split(' ');
  if (at >= 0) return { paths: words, schema: JSON.parse(line.slice(at + 1)) as JsonSchema };
  const name = words.at(-1) ?? '';
  const schema = NAMED_CHECKS[name];
  if (schema === undefined) throw new Error(`no check is called ${name}: ${line}`);
  return { paths: words.slice(0, -1), schema };
}

/** The same schema with more at the end of a path; a path that leads nowhere is an error. */
function addCheck(schema: JsonSchema, path: string, added: JsonSchema): JsonSchema {
  if (path === '' || path === '.') return { ...schema, ...added };
  const [, key = '', rest = ''] = /^(\[\]|\{\}|\w+)\.?(.*)$/.exec(path) ?? [];
  const inside = (of: unknown): JsonSchema => {
    if (of === undefined) throw new Error(`no field ${path}`);
    return addCheck(of as JsonSchema, rest, added);
  };
  if (key === '[]') return { ...schema, items: inside(schema['items']) };
  if (key === '{}')
    return { ...schema, additionalProperties: inside(schema['additionalProperties']) };
  const properties = schema['properties'] as Readonly<Record<string, JsonSchema>> | undefined;
  return { ...schema, properties: { ...properties, [key]: inside(properties?.[key]) } };
}

/**
 * A version that the original no longer serves. Its spec is taken as it comes: fields differ from today's, and whoever writes
 * back what they read shall lose nothing. Of the status it shows what it knew.
 */
function olderSchema(today: JsonSchema, hidden: readonly string[]): JsonSchema {
  const { properties } = hidden.reduce(withoutField, today);
  return {
    type: 'object',
    properties: { ...properties, spec: OPEN, status: properties?.['status'] ?? OPEN },
  };
}

/** The same schema without what lies at a path (`status.history[].action`), which must be there. */
function withoutField(schema: JsonSchema, path: string): JsonSchema {
  const [, key = '', isList, rest = ''] = /^(\w+)(\[\])?\.?(.*)$/.exec(path) ?? [];
  const { [key]: inner, ...others } = schema.properties ?? {};
  if (inner === undefined) throw new Error(`no field ${path}`);
  if (rest === '') {
    const { required = [], ...bare } = schema;
    const left = required.filter((name) => name !== key);
    return { ...bare, properties: others, ...(left.length > 0 ? { required: left } : {}) };
  }
  const changed =
    isList === undefined
      ? withoutField(inner, rest)
      : { ...inner, items: withoutField(inner.items ?? {}, rest) };
  return { ...schema, properties: { ...schema.properties, [key]: changed } };
}

function readColumn([type = '', name = '', jsonPath = '', priority]: readonly string[]) {
  const column = { name: name.replaceAll('_', ' '), type, jsonPath };
  return priority === undefined ? column : { ...column, priority: Number(priority.split('=')[1]) };
}

function toCrd(one: Kind, shapes: readonly string[]): object {
  const bare: JsonSchema = parseFields(one.fields, { shapes, required: one.required });
  const checks = one.checks.flatMap(({ paths, schema: added }) =>
    paths.map((path) => ({ path, added })),
  );
  const schema = checks.reduce((current, { path, added }) => addCheck(current, path, added), bare);
  const names = {
    kind: one.kind,
    listKind: `${one.kind}List`,
    plural: one.plural,
    singular: one.kind.toLowerCase(),
    ...(one.short.length > 0 ? { shortNames: one.short } : {}),
    ...(one.categories.length > 0 ? { categories: one.categories } : {}),
  };
  const subresources = Object.fromEntries(one.subresources.map((name) => [name, {}]));
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${one.plural}.${one.group}` },
    spec: {
      group: one.group,
      names,
      scope: one.scope,
      versions: one.versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        ...(index === 0 ? {} : deprecation(one, name)),
        schema: {
          openAPIV3Schema: index === 0 ? schema : olderSchema(schema, one.hidden.get(name) ?? []),
        },
        ...(one.subresources.length > 0 ? { subresources } : {}),
        ...(one.columns.length > 0 ? { additionalPrinterColumns: one.columns } : {}),
      })),
    },
  };
}

/** What the API server says to whoever still uses an older version. */
function deprecation({ kind, versions: [today = ''] }: Kind, version: string): object {
  const deprecationWarning = `${version} ${kind} is deprecated, upgrade to ${today}`;
  return { deprecated: true, deprecationWarning };
}
