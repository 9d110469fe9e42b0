/** Every field of a custom resource by the schema of its definition, for tests that ask whether each of them counts. */
import type { Json, JsonObject } from '@capstan/kube-object';
import { argocdCrds } from '../crds.ts';

/** A field by its way from the root: `spec.sources[].helm.values`. */
export interface CrdField {
  readonly path: string;
  readonly value: Json;
}

interface Options {
  /** Values that mean something, by the end of a path; the longest end counts. */
  readonly values: { readonly [end: string]: Json };
  /** Fields whose inside is not looked into; they count as one. */
  readonly opaque?: (path: string) => boolean;
}

/** The leaves below `root` (`spec`) of a kind, each with a value of its type. */
export function fieldsOf(kind: string, root: string, options: Options): readonly CrdField[] {
  const found: CrdField[] = [];
  collect(schemaOf(kind, root), root, options, (path, value) => found.push({ path, value }));
  return found;
}

/** An object with one field, and what its surroundings require; without the field when `isSet` is false. */
export function withField(
  base: JsonObject,
  { path, value }: CrdField,
  options: Options & { readonly kind: string; readonly isSet: boolean },
): JsonObject {
  const [root = '', ...rest] = path.split('.');
  return setAt(base, [root, ...rest], {
    schema: { properties: { [root.replace('[]', '')]: schemaOf(options.kind, root) } },
    path: '',
    value,
    options,
  });
}

interface Setting {
  readonly schema: JsonObject;
  readonly path: string;
  readonly value: Json;
  readonly options: Options & { readonly isSet: boolean };
}

function setAt(
  object: JsonObject,
  [part = '', ...rest]: readonly string[],
  at: Setting,
): JsonObject {
  const name = part.replace('[]', '');
  const schema = propertyOf(at.schema, name);
  const path = at.path === '' ? name : `${at.path}.${name}`;
  const { [name]: held, ...others } = object;
  if (rest.length === 0) return at.options.isSet ? { ...object, [name]: at.value } : others;
  const isList = part.endsWith('[]');
  const items = isList ? asRecord(schema['items']) : schema;
  const itemPath = isList ? `${path}[]` : path;
  const first = Array.isArray(held) ? held[0] : held;
  const start = { ...required(items, itemPath, at.options), ...asRecord(first as Json) };
  const inner = setAt(start, rest, { ...at, schema: items, path: itemPath });
  return { ...object, [name]: isList ? [inner] : inner };
}

function required(schema: JsonObject, path: string, options: Options): JsonObject {
  const names = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.fromEntries(
    names.map(String).map((name) => {
      const own = propertyOf(schema, name);
      const inner = `${path}.${name}`;
      return [
        name,
        own['type'] === 'object' && own['properties'] !== undefined
          ? required(own, inner, options)
          : sampleOf(own, inner, options),
      ];
    }),
  );
}

function collect(
  schema: JsonObject,
  path: string,
  options: Options,
  add: (path: string, value: Json) => void,
): void {
  const items = asRecord(schema['items']);
  if (options.opaque?.(path) === true) add(path, sampleOf(schema, path, options));
  else if (items['properties'] !== undefined) collect(items, `${path}[]`, options, add);
  else if (schema['properties'] !== undefined)
    for (const [name, own] of Object.entries(asRecord(schema['properties'])))
      collect(asRecord(own), `${path}.${name}`, options, add);
  else add(path, sampleOf(schema, path, options));
}

function sampleOf(schema: JsonObject, path: string, options: Options): Json {
  const ends = Object.keys(options.values)
    .filter((end) => path === end || path.endsWith(`.${end}`))
    .sort((a, b) => b.length - a.length);
  const [end] = ends;
  if (end !== undefined) return options.values[end] ?? null;
  if (Array.isArray(schema['enum'])) return (schema['enum'] as readonly Json[]).at(-1) ?? null;
  switch (schema['type']) {
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return 7;
    case 'array':
      return [sampleOf(asRecord(schema['items']), `${path}[]`, options)];
    case 'string':
      return 'changed';
    default:
      return schema['x-kubernetes-int-or-string'] === true ? 7 : { changed: 'yes' };
  }
}

function schemaOf(kind: string, root: string): JsonObject {
  const definition = argocdCrds.find(
    ({ spec }) => asRecord(asRecord(spec)['names'])['kind'] === kind,
  );
  const versions = asRecord(definition?.['spec'])['versions'];
  const [version] = Array.isArray(versions) ? (versions as readonly Json[]) : [];
  const schema = asRecord(asRecord(version)['schema'])['openAPIV3Schema'];
  return propertyOf(asRecord(schema), root);
}

function propertyOf(schema: JsonObject, name: string): JsonObject {
  return asRecord(asRecord(schema['properties'])[name]);
}

function asRecord(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}
