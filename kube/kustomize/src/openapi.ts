import type { Json } from '@capstan/kube-object';
import { parseJson } from '@capstan/lib-yaml';
import { failure } from './failure.ts';
import builtin from './generated/kubernetes-schema.json' with { type: 'json' };
import { yamlToJson } from './yaml-value.ts';

/** What a merge needs to know of a place in an object. Compare by identity. */
export interface SchemaNode {
  /** 'merge', 'replace', 'retainKeys' or several of them by comma; '' for none. */
  readonly strategy: string;
  /** The keys by which a list's elements are told apart. */
  readonly keys: readonly string[];
  field(name: string): SchemaNode | undefined;
  elements(): SchemaNode | undefined;
}

/** Whether kinds are namespaced. */
export interface Scopes {
  isCertainlyClusterScoped(apiVersion: string, kind: string): boolean;
}

interface CompactNode {
  readonly f?: Readonly<Record<string, number>>;
  readonly a?: number;
  readonly e?: number;
  readonly s?: string;
  readonly k?: readonly string[];
}

interface BuiltinSchema {
  readonly kinds: ReadonlyMap<string, SchemaNode>;
  readonly definitions: ReadonlyMap<string, SchemaNode>;
  readonly cluster: ReadonlySet<string>;
  readonly namespaced: ReadonlySet<string>;
}

const BUILTIN_VERSION = 'v1.21.2';

function loadBuiltin(): BuiltinSchema {
  const nodes: readonly CompactNode[] = builtin.nodes;
  const made = new Array<SchemaNode | undefined>(nodes.length);
  const at = (index: number | undefined): SchemaNode | undefined => {
    if (index === undefined || index === 0) return undefined;
    made[index] ??= compactNode(nodes[index]!, at);
    return made[index];
  };
  const table = (entries: Readonly<Record<string, number>>) =>
    new Map(Object.entries(entries).map(([name, index]) => [name, at(index)!]));
  return {
    kinds: table(builtin.kinds),
    definitions: table(builtin.definitions),
    cluster: new Set(builtin.cluster),
    namespaced: new Set(builtin.namespaced),
  };
}

function compactNode(
  node: CompactNode,
  at: (index: number | undefined) => SchemaNode | undefined,
): SchemaNode {
  const fields = new Map(Object.entries(node.f ?? {}));
  return {
    strategy: node.s ?? '',
    keys: node.k ?? [],
    field: (name) => at(fields.get(name) ?? node.a),
    elements: () => at(node.e),
  };
}

/** The schema that is part of the program. Read once by whoever holds it; immutable. */
export class BuiltinOpenApi {
  #schema: BuiltinSchema | undefined;

  get schema(): BuiltinSchema {
    this.#schema ??= loadBuiltin();
    return this.#schema;
  }
}

/**
 * The schema of one build, with the original's way of choosing it: the first `openapi` field met decides, unless the
 * outermost kustomization has one; with an own schema the built-in one serves only when it was needed before.
 */
export class OpenApi implements Scopes {
  readonly #builtin: BuiltinSchema;
  /** By `apiVersion`, then by kind. */
  readonly #scopeCache = new Map<string, Map<string, boolean>>();
  readonly #kinds = new Map<string, SchemaNode>();
  readonly #scopes = new Map<string, boolean>();
  #version = '';
  #custom: string | undefined;
  #loaded = false;
  #builtinLoaded = false;
  #builtinDelayed = false;
  /** Whether the own schema was read after the built-in one: what is read last wins. */
  #customLast = false;

  constructor(builtinSchema: BuiltinOpenApi) {
    this.#builtin = builtinSchema.schema;
  }

  /** Takes over the `openapi` field of a kustomization; `schema` is the content of its `path`. */
  choose(
    field: Readonly<Record<string, string>>,
    schema: string | undefined,
    reset: boolean,
  ): void {
    if ((this.#version !== '' || this.#custom !== undefined) && !reset) return;
    if (schema !== undefined) {
      if (field['version'] !== undefined) {
        throw failure('builtin version and custom schema provided, cannot use both');
      }
      this.#custom = schema;
      this.#version = 'custom';
      this.#loaded = false;
      this.#scopeCache.clear();
      return;
    }
    this.#version = field['version'] ?? '';
    if (this.#version === '') return;
    if (this.#version !== BUILTIN_VERSION) {
      throw failure('the specified OpenAPI version is not built in');
    }
    this.#custom = undefined;
    this.#loaded = false;
  }

  schemaFor(apiVersion: string, kind: string): SchemaNode | undefined {
    this.#load();
    const key = `${apiVersion}/${kind}`;
    const own = this.#kinds.get(key);
    const known = this.#builtinLoaded ? this.#builtin.kinds.get(key) : undefined;
    return this.#customLast ? (own ?? known) : (known ?? own);
  }

  isCertainlyClusterScoped(apiVersion: string, kind: string): boolean {
    let kinds = this.#scopeCache.get(apiVersion);
    if (kinds === undefined) {
      kinds = new Map();
      this.#scopeCache.set(apiVersion, kinds);
    }
    let known = kinds.get(kind);
    if (known === undefined) {
      known = this.#isCluster(`${apiVersion}/${kind}`);
      kinds.set(kind, known);
    }
    return known;
  }

  #isCluster(key: string): boolean {
    if (this.#builtin.cluster.has(key)) return true;
    if (this.#builtin.namespaced.has(key)) return false;
    if (!this.#loaded) {
      if (this.#custom !== undefined) this.#load();
      else this.#builtinDelayed = true;
    }
    return this.#scopes.get(key) === false;
  }

  #load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    if (this.#custom === undefined) {
      this.#builtinLoaded = true;
    } else {
      this.#customLast = this.#builtinLoaded;
      this.#parse(this.#custom);
    }
    if (this.#builtinDelayed) this.#builtinLoaded = true;
  }

  #parse(text: string): void {
    let swagger: Json;
    try {
      swagger =
        text === '' || text.startsWith('{') ? parseJson(text) : JSON.parse(yamlToJson(text));
    } catch (error) {
      throw failure(`invalid schema file: ${error instanceof Error ? error.message : error}`);
    }
    const known = (name: string) =>
      this.#builtinLoaded ? this.#builtin.definitions.get(name) : undefined;
    readSwagger(swagger, { kinds: this.#kinds, scopes: this.#scopes, known });
  }
}

function record(value: Json | undefined): Readonly<Record<string, Json | undefined>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json | undefined>>)
    : {};
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function kindKey(value: Json | undefined): string {
  const { group, version, kind } = record(value);
  const prefix = textOf(group) === '' ? '' : `${textOf(group)}/`;
  return `${prefix}${textOf(version)}/${textOf(kind)}`;
}

const KIND_EXTENSION = 'x-kubernetes-group-version-kind';

interface Reading {
  readonly kinds: Map<string, SchemaNode>;
  readonly scopes: Map<string, boolean>;
  /** Definitions that are there beside those of the document. */
  known(name: string): SchemaNode | undefined;
}

/** Reads definitions and scopes of a swagger document. */
function readSwagger(swagger: Json, { kinds, scopes, known }: Reading): void {
  const definitions = record(record(swagger)['definitions']);
  const made = new Map<string, SchemaNode>();
  const resolve = (ref: string): SchemaNode | undefined => {
    const name = ref
      .replace(/^#\/definitions\//, '')
      .replaceAll('~1', '/')
      .replaceAll('~0', '~');
    const definition = definitions[name];
    if (definition === undefined) return known(name);
    let node = made.get(name);
    if (node === undefined) {
      node = swaggerNode(record(definition), resolve);
      made.set(name, node);
    }
    return node;
  };
  for (const [name, definition] of Object.entries(definitions)) {
    const list = record(definition)[KIND_EXTENSION];
    if (!Array.isArray(list)) continue;
    for (const entry of list) kinds.set(kindKey(entry), resolve(`#/definitions/${name}`)!);
  }
  for (const [path, info] of Object.entries(record(record(swagger)['paths']))) {
    const entry = record(record(info)['get'])[KIND_EXTENSION];
    if (entry === undefined) continue;
    const key = kindKey(entry);
    if (path.includes('namespaces/{namespace}')) scopes.set(key, true);
    else if (!scopes.has(key)) scopes.set(key, false);
  }
}

type Resolve = (ref: string) => SchemaNode | undefined;

function swaggerNode(
  schema: Readonly<Record<string, Json | undefined>>,
  resolve: Resolve,
): SchemaNode {
  const properties = record(schema['properties']);
  const additional = schema['additionalProperties'];
  const isArray = schema['type'] === 'array' || JSON.stringify(schema['type']) === '["array"]';
  const mapKeys = schema['x-kubernetes-list-map-keys'];
  const mergeKey = textOf(schema['x-kubernetes-patch-merge-key']);
  const strategy = textOf(schema['x-kubernetes-patch-strategy']);
  const keys = Array.isArray(mapKeys) ? mapKeys.map(textOf) : mergeKey === '' ? [] : [mergeKey];
  const child = (value: Json | undefined): SchemaNode | undefined => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const ref = textOf(record(value)['$ref']);
    return ref === '' ? swaggerNode(record(value), resolve) : resolve(ref);
  };
  return {
    strategy,
    keys: strategy === '' ? [] : keys,
    field: (name) => child(Object.hasOwn(properties, name) ? properties[name] : additional),
    elements: () => (isArray ? child(schema['items']) : undefined),
  };
}
