import type { Json, JsonObject } from '@capstan/kube-object';
import type { Catalogue, Schema } from '@capstan/kube-schema';
import type { DraftObject } from './json.ts';
import type { ServedResource } from './served-resource.ts';

/** Gives the texts of a definition's fields; without one the documents carry none. */
export type Describe = (definition: string, field: string | undefined) => string | undefined;

const DELETE_OPTIONS = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
const STATUS = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status';
const PATCH = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';

/** The OpenAPI v3 document of one group and version: its paths and the schemas that they need. */
export function openApiV3(
  catalogue: Catalogue,
  groupVersion: { readonly group: string; readonly version: string },
  resources: readonly ServedResource[],
  describe: Describe,
): JsonObject {
  const { group, version } = groupVersion;
  const schemas = new SchemaWriter(catalogue, describe, '#/components/schemas/');
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const paths: DraftObject = {};
  for (const resource of resources) {
    const root = schemas.root(resource);
    schemas.need(DELETE_OPTIONS);
    schemas.need(STATUS);
    for (const [path, operations] of pathsOf(base, resource, root)) {
      paths[path] = operations as DraftObject;
    }
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: catalogue.gitVersion },
    paths,
    components: { schemas: { ...schemas.done(), [PATCH]: PATCH_SCHEMA } },
  };
}

/** The OpenAPI v2 document of everything that is served. */
export function openApiV2(
  catalogue: Catalogue,
  resources: readonly ServedResource[],
  describe: Describe,
): JsonObject {
  const schemas = new SchemaWriter(catalogue, describe, '#/definitions/');
  const paths: DraftObject = {};
  for (const resource of resources) {
    const root = schemas.root(resource);
    const base =
      resource.group === ''
        ? `/api/${resource.version}`
        : `/apis/${resource.group}/${resource.version}`;
    for (const [path, operations] of pathsOf(base, resource, root)) {
      paths[path] = toV2(operations) as DraftObject;
    }
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: catalogue.gitVersion },
    paths,
    definitions: { ...schemas.done(), [PATCH]: PATCH_SCHEMA },
  };
}

const PATCH_SCHEMA: JsonObject = {
  description: 'A patch in the format that the content type names.',
  type: 'object',
};

const ACTIONS: Readonly<Record<string, readonly [string, string]>> = {
  create: ['post', 'post'],
  get: ['get', 'get'],
  list: ['get', 'list'],
  update: ['put', 'put'],
  patch: ['patch', 'patch'],
  delete: ['delete', 'delete'],
  deletecollection: ['delete', 'deletecollection'],
};
const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'];

function pathsOf(
  base: string,
  resource: ServedResource,
  root: string,
): (readonly [string, JsonObject])[] {
  const scope = resource.namespaced ? '/namespaces/{namespace}' : '';
  const collection = `${base}${scope}/${resource.name}`;
  const own = (verbs: readonly string[], kind: JsonObject, ref: string): JsonObject =>
    Object.fromEntries(
      verbs
        .filter((verb) => ACTIONS[verb] !== undefined)
        .map((verb) => [
          ACTIONS[verb]![0],
          operation(verb, kind, ref, resource.custom !== undefined),
        ]),
    );
  const kind = { group: resource.group, kind: resource.kind, version: resource.version };
  const has = (...verbs: string[]): string[] => verbs.filter((v) => resource.verbs.includes(v));
  const found: (readonly [string, JsonObject])[] = [
    [collection, own(has('list', 'create', 'deletecollection'), kind, root)],
    [`${collection}/{name}`, own(has('get', 'update', 'patch', 'delete'), kind, root)],
  ];
  for (const sub of resource.subresources) {
    found.push([`${collection}/{name}/${sub.name}`, own(sub.verbs, { ...sub.kind }, root)]);
  }
  return found.filter(([, operations]) => Object.keys(operations).length > 0);
}

function operation(verb: string, kind: JsonObject, ref: string, custom: boolean): JsonObject {
  const writes = verb === 'create' || verb === 'update' || verb === 'patch';
  const names = writes ? [...WRITE_PARAMETERS, ...(verb === 'patch' ? ['force'] : [])] : [];
  const types = [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
    ...(custom ? [] : ['application/strategic-merge-patch+json']),
  ];
  const content = (schema: string, media: readonly string[]): JsonObject =>
    Object.fromEntries(media.map((type) => [type, { schema: { $ref: `${COMPONENTS}${schema}` } }]));
  return {
    operationId: `${verb}${String(kind['version'])}${String(kind['kind'])}`,
    parameters: names.map((name) => ({
      name,
      in: 'query',
      schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true },
    })),
    ...(writes
      ? {
          requestBody: {
            content: verb === 'patch' ? content(PATCH, types) : content(ref, ['*/*']),
          },
        }
      : {}),
    responses: { '200': { description: 'OK', content: content(ref, ['application/json']) } },
    'x-kubernetes-action': ACTIONS[verb]![1],
    'x-kubernetes-group-version-kind': kind,
  };
}

const COMPONENTS = '#/components/schemas/';

/** A v3 path item in the words of v2: media types beside the operation, the body as a parameter. */
function toV2(operations: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(operations).map(([method, value]) => {
      const { requestBody, responses: _r, parameters, ...rest } = value as JsonObject;
      const content = (requestBody as JsonObject | undefined)?.['content'] as
        | JsonObject
        | undefined;
      const media = Object.keys(content ?? {});
      const first = content?.[media[0] ?? ''] as JsonObject | undefined;
      const flat = ((parameters ?? []) as readonly JsonObject[]).map(
        ({ name, schema, ...other }) =>
          ({ ...other, name, ...(schema as JsonObject) }) as JsonObject,
      );
      const body =
        first === undefined
          ? []
          : [
              {
                name: 'body',
                in: 'body',
                required: true,
                schema: renameRefs(first['schema'] ?? {}),
              },
            ];
      return [
        method,
        {
          ...rest,
          ...(media.length === 0 ? {} : { consumes: media }),
          produces: ['application/json'],
          parameters: [...flat, ...body],
          responses: { '200': { description: 'OK' } },
        } as JsonObject,
      ];
    }),
  );
}

function renameRefs(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll(COMPONENTS, '#/definitions/')) as Json;
}

/** Writes schemas out as OpenAPI, each definition once, with whatever they refer to. */
class SchemaWriter {
  readonly #catalogue: Catalogue;
  readonly #describe: Describe;
  readonly #prefix: string;
  readonly #written = new Map<string, JsonObject>();
  readonly #waiting: string[] = [];
  readonly #gvks = new Map<string, JsonObject[]>();

  constructor(catalogue: Catalogue, describe: Describe, prefix: string) {
    this.#catalogue = catalogue;
    this.#describe = describe;
    this.#prefix = prefix;
  }

  /** The definition of a resource's kind, and of its list. */
  root(resource: ServedResource): string {
    const kind = { group: resource.group, kind: resource.kind, version: resource.version };
    const schema = resource.schema?.schema;
    const builtIn = resource.custom === undefined ? schema?.definition : undefined;
    if (builtIn !== undefined) {
      this.need(builtIn);
      const list = this.#catalogue.kind({ ...kind, kind: resource.listKind })?.schema.definition;
      if (list !== undefined) this.need(list);
      return builtIn;
    }
    const reversed = resource.group.split('.').reverse().join('.');
    const name = `${reversed}.${resource.version}.${resource.kind}`;
    this.#gvks.set(name, [kind]);
    this.#written.set(name, {
      ...(schema === undefined ? { type: 'object' } : this.#inline(schema, name)),
      'x-kubernetes-group-version-kind': [kind],
    });
    this.#writeList(resource, name);
    return name;
  }

  need(name: string): void {
    if (!this.#written.has(name) && !this.#waiting.includes(name)) this.#waiting.push(name);
  }

  done(): JsonObject {
    for (let name = this.#waiting.pop(); name !== undefined; name = this.#waiting.pop()) {
      const schema = this.#catalogue.definition(name);
      if (schema === undefined) continue;
      const kinds = this.#catalogue.kindsOf(name).map((kind) => ({ ...kind }));
      this.#written.set(name, {});
      this.#written.set(name, {
        ...this.#inline(schema, name),
        ...(kinds.length === 0 ? {} : { 'x-kubernetes-group-version-kind': kinds }),
      });
    }
    return Object.fromEntries([...this.#written].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #writeList(resource: ServedResource, item: string): void {
    const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';
    this.need(meta);
    this.#written.set(`${item}List`, {
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: { $ref: this.#prefix + meta },
        items: { type: 'array', items: { $ref: this.#prefix + item } },
      },
      'x-kubernetes-group-version-kind': [
        { group: resource.group, kind: resource.listKind, version: resource.version },
      ],
    });
  }

  /** A place that refers to a definition, with what the place itself adds. */
  #place(schema: Schema, owner: string, field: string): JsonObject {
    const text = schema.description ?? this.#describe(owner, field);
    const described = text === undefined ? {} : { description: text };
    if (schema.definition === undefined) return { ...this.#inline(schema, owner), ...described };
    this.need(schema.definition);
    const ref = { $ref: `${this.#prefix}${schema.definition}` };
    const extra = { ...described, ...this.#patchRules(schema) };
    if (this.#prefix === '#/definitions/') return { ...ref, ...extra };
    const byDefault = schema.default === undefined ? {} : { default: schema.default };
    if (Object.keys(extra).length === 0 && schema.default === undefined) return ref;
    return { ...extra, ...byDefault, allOf: [ref] };
  }

  #inline(schema: Schema, owner: string): JsonObject {
    const text = schema.description ?? this.#describe(owner, undefined);
    const properties: DraftObject = {};
    for (const [field, value] of schema.properties ?? []) {
      properties[field] = this.#place(value, owner, field) as DraftObject;
    }
    const { additionalProperties: additional } = schema;
    return {
      ...(text === undefined ? {} : { description: text }),
      ...(schema.intOrString === true && schema.type === 'string'
        ? { type: 'string' }
        : schema.type === ''
          ? {}
          : { type: schema.type }),
      ...(schema.format === undefined ? {} : { format: schema.format }),
      ...(schema.default === undefined ? {} : { default: schema.default }),
      ...(schema.enum === undefined ? {} : { enum: [...schema.enum] }),
      ...(schema.nullable === true ? { nullable: true } : {}),
      ...(schema.required === undefined ? {} : { required: [...schema.required] }),
      ...(schema.properties === undefined || schema.properties.size === 0 ? {} : { properties }),
      ...(additional === undefined
        ? {}
        : {
            additionalProperties:
              typeof additional === 'boolean' ? additional : this.#place(additional, owner, '*'),
          }),
      ...(schema.items === undefined ? {} : { items: this.#place(schema.items, owner, '[]') }),
      ...this.#patchRules(schema),
      ...this.#limits(schema),
    };
  }

  #patchRules(schema: Schema): JsonObject {
    return {
      ...(schema.listType === undefined ? {} : { 'x-kubernetes-list-type': schema.listType }),
      ...(schema.listMapKeys === undefined
        ? {}
        : { 'x-kubernetes-list-map-keys': [...schema.listMapKeys] }),
      ...(schema.mapType === undefined ? {} : { 'x-kubernetes-map-type': schema.mapType }),
      ...(schema.patchStrategy === undefined
        ? {}
        : { 'x-kubernetes-patch-strategy': schema.patchStrategy }),
      ...(schema.patchMergeKey === undefined
        ? {}
        : { 'x-kubernetes-patch-merge-key': schema.patchMergeKey }),
    };
  }

  #limits(schema: Schema): JsonObject {
    const rules = schema.validations?.map((rule) => ({ ...rule }));
    return {
      ...(schema.preserveUnknownFields === true
        ? { 'x-kubernetes-preserve-unknown-fields': true }
        : {}),
      ...(schema.embeddedResource === true ? { 'x-kubernetes-embedded-resource': true } : {}),
      ...(schema.minimum === undefined ? {} : { minimum: schema.minimum }),
      ...(schema.maximum === undefined ? {} : { maximum: schema.maximum }),
      ...(schema.minLength === undefined ? {} : { minLength: schema.minLength }),
      ...(schema.maxLength === undefined ? {} : { maxLength: schema.maxLength }),
      ...(schema.pattern === undefined ? {} : { pattern: schema.pattern }),
      ...(schema.minItems === undefined ? {} : { minItems: schema.minItems }),
      ...(schema.maxItems === undefined ? {} : { maxItems: schema.maxItems }),
      ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
    };
  }
}
