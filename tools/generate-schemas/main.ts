// Makes kube/schema/src/generated from what Kubernetes publishes: the OpenAPI v3 documents and the discovery documents of each minor,
// and the field tags of its Go types (which say what is left out of an encoded object when it is zero).
//
//   node tools/generate-schemas/main.ts [v1.37.2 v1.36.3 …]
//
// needs the go command and reaches the Go module proxy. The result is committed; nothing else needs Go.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packDescriptions } from './descriptions.ts';
import { addEnums } from './enums.ts';
import { type GoTag, type GoTags, readGoTags } from './go-tags.ts';
import { readResources } from './resources.ts';

const defaultVersions = ['v1.37.2', 'v1.36.3', 'v1.35.4', 'v1.34.4'];
const out = join(import.meta.dirname, '../../kube/schema/src/generated');

type OpenApi = Record<string, unknown>;
interface Packed {
  names: string[];
  nodes: unknown[];
  definitions: unknown[];
  resources: unknown[];
  versions: Record<string, unknown>;
}

/** A table of distinct values: the same value always gets the same index. */
class Interner<T> {
  readonly items: T[] = [];
  readonly #index = new Map<string, number>();

  add(item: T): number {
    const key = JSON.stringify(item);
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    this.#index.set(key, this.items.length);
    this.items.push(item);
    return this.items.length - 1;
  }
}

function main(versions: readonly string[]): void {
  const names = new Interner<string>();
  const nodes = new Interner<unknown>();
  const definitions = new Interner<unknown>();
  const resources = new Interner<unknown>();
  const packed: Record<string, unknown> = {};
  const documents: Record<string, Map<string, OpenApi>> = {};
  for (const version of versions) {
    const directory = moduleDirectory(`k8s.io/kubernetes@${version}`);
    const schemas = readSchemas(join(directory, 'api/openapi-spec/v3'));
    addEnums(schemas, join(directory, 'pkg/generated/openapi/zz_generated.openapi.go'));
    const tags = readTags(version);
    const list = [...schemas.keys()]
      .sort()
      .map((name) => definitions.add(packDefinition(name, schemas.get(name)!, tags, names, nodes)));
    const { groups, items } = readResources(join(directory, 'api/discovery'));
    const minor = version.replace(/^v/, '').split('.').slice(0, 2).join('.');
    packed[minor] = {
      gitVersion: version,
      definitions: list,
      groups,
      resources: items.map((r) => resources.add(r)),
    };
    documents[minor] = schemas;
  }
  write('kubernetes.json', {
    names: names.items,
    nodes: nodes.items,
    definitions: definitions.items,
    resources: resources.items,
    versions: packed,
  } satisfies Packed);
  write('descriptions.json', packDescriptions(documents));
}

function write(name: string, value: unknown): void {
  const text = `${JSON.stringify(value)}\n`;
  writeFileSync(join(out, name), text);
  console.log(`${name}: ${text.length} bytes`);
}

function moduleDirectory(module: string): string {
  const answer: unknown = JSON.parse(
    execFileSync('go', ['mod', 'download', '-json', module], { encoding: 'utf8', cwd: '/' }),
  );
  const { Dir } = answer as { Dir: string };
  return Dir;
}

function readTags(version: string): GoTags {
  const library = version.replace(/^v1\./, 'v0.');
  return readGoTags({
    'io.k8s.api.': join(moduleDirectory(`k8s.io/api@${library}`), ''),
    'io.k8s.apimachinery.': moduleDirectory(`k8s.io/apimachinery@${library}`),
    'io.k8s.apiextensions-apiserver.': moduleDirectory(`k8s.io/apiextensions-apiserver@${library}`),
    'io.k8s.kube-aggregator.': moduleDirectory(`k8s.io/kube-aggregator@${library}`),
  });
}

function readSchemas(directory: string): Map<string, OpenApi> {
  const all = new Map<string, OpenApi>();
  for (const file of readdirSync(directory).sort()) {
    const document = JSON.parse(readFileSync(join(directory, file), 'utf8')) as {
      components?: { schemas?: Record<string, OpenApi> };
    };
    for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
      if (!all.has(name)) all.set(name, schema);
    }
  }
  return all;
}

function packDefinition(
  name: string,
  schema: OpenApi,
  tags: GoTags,
  names: Interner<string>,
  nodes: Interner<unknown>,
): unknown {
  const { properties, ...rest } = schema;
  const packed: Record<string, unknown> = { n: names.add(name), ...packNode(rest, names, nodes) };
  const kinds = schema['x-kubernetes-group-version-kind'] as
    | { group: string; version: string; kind: string }[]
    | undefined;
  // Kinds that every group has (DeleteOptions, WatchEvent) are not what anyone looks up.
  if (kinds !== undefined && kinds.length < 5)
    packed['x'] = kinds.map((k) => [k.group, k.version, k.kind]);
  if (properties !== undefined) {
    const fields = tags.fieldsOf(name);
    packed['p'] = Object.fromEntries(
      Object.entries(properties as Record<string, OpenApi>).map(([field, node]) => [
        field,
        nodes.add(withTag(packNode(node, names, nodes), fields?.get(field))),
      ]),
    );
  }
  return packed;
}

function withTag(node: Record<string, unknown>, tag: GoTag | undefined): Record<string, unknown> {
  if (tag === undefined) return node;
  // OpenAPI gives the default `{}` to structs held by value: those `omitempty` does not leave out.
  const byValue = node['r'] !== undefined && JSON.stringify(node['d']) === '{}';
  const isNamed = tag.typeName !== undefined && node['r'] === undefined;
  return {
    ...node,
    g: byValue && tag.encoding === 'n' ? 'a' : tag.encoding,
    ...(isNamed ? { y: tag.typeName } : {}),
    ...(tag.via === undefined ? {} : { w: tag.via }),
  };
}

const typeCodes: Record<string, string> = {
  object: 'o',
  array: 'a',
  string: 's',
  integer: 'i',
  number: 'n',
  boolean: 'b',
};

function packNode(
  schema: OpenApi,
  names: Interner<string>,
  nodes: Interner<unknown>,
): Record<string, unknown> {
  const node: Record<string, unknown> = {};
  const known = new Set(['description', 'x-kubernetes-group-version-kind', 'x-kubernetes-unions']);
  const take = (key: string): unknown => {
    known.add(key);
    return schema[key];
  };
  const set = (key: string, value: unknown): void => {
    if (value !== undefined) node[key] = value;
  };
  const type = take('type') as string | undefined;
  set('t', type === undefined ? undefined : typeCodes[type]);
  set('f', take('format'));
  set('r', referenceOf(take('$ref'), take('allOf'), names));
  set('q', take('required'));
  set('d', take('default'));
  set('u', take('enum'));
  set('L', (take('x-kubernetes-list-type') as string | undefined)?.[0]);
  set('K', take('x-kubernetes-list-map-keys'));
  set('M', (take('x-kubernetes-map-type') as string | undefined)?.[0]);
  set('s', take('x-kubernetes-patch-strategy'));
  set('k', take('x-kubernetes-patch-merge-key'));
  const items = take('items') as OpenApi | undefined;
  if (items !== undefined) set('e', nodes.add(packNode(items, names, nodes)));
  const additional = take('additionalProperties') as OpenApi | boolean | undefined;
  if (typeof additional === 'object') set('v', nodes.add(packNode(additional, names, nodes)));
  else set('v', additional);
  const oneOf = take('oneOf') as OpenApi[] | undefined;
  set('o', oneOf?.map((branch) => typeCodes[branch['type'] as string]).join(''));
  const extra = Object.keys(schema).filter((key) => !known.has(key));
  if (extra.length > 0) throw new Error(`a schema uses ${extra.join(', ')}: teach the packer`);
  return node;
}

function referenceOf(ref: unknown, allOf: unknown, names: Interner<string>): number | undefined {
  const target = ref ?? (allOf as OpenApi[] | undefined)?.[0]?.['$ref'];
  if (target === undefined) return undefined;
  return names.add((target as string).replace('#/components/schemas/', ''));
}

main(process.argv.length > 2 ? process.argv.slice(2) : defaultVersions);
