import type { Json, JsonObject } from '@capstan/kube-object';
import {
  type Catalogue,
  type OpenApiFlavour,
  openApiDefinition,
  openApiSchema,
  type Schema,
} from '@capstan/kube-schema';
import { type DraftObject, objectAt } from './json.ts';
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
  const schemas = new SchemaWriter(catalogue, describe, 'v3');
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
  const schemas = new SchemaWriter(catalogue, describe, 'v2');
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
  readonly #flavour: OpenApiFlavour;
  readonly #prefix: string;
  readonly #written = new Map<string, JsonObject>();
  readonly #waiting: string[] = [];

  constructor(catalogue: Catalogue, describe: Describe, flavour: OpenApiFlavour) {
    this.#catalogue = catalogue;
    this.#describe = describe;
    this.#flavour = flavour;
    this.#prefix = flavour === 'v3' ? COMPONENTS : '#/definitions/';
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
    this.#write(name, {
      ...this.#customSchema(schema),
      'x-kubernetes-group-version-kind': [kind],
    });
    this.#write(`${name}List`, {
      description: `${resource.listKind} is a list of ${resource.kind}`,
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: this.#described(LIST_META, 'apiVersion'),
        items: {
          description: `List of ${resource.name}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
          type: 'array',
          items: { $ref: this.#prefix + name },
        },
        kind: this.#described(LIST_META, 'kind'),
        metadata: this.#reference(LIST_META, this.#describe(POD_LIST, 'metadata')),
      },
      'x-kubernetes-group-version-kind': [{ ...kind, kind: resource.listKind }],
    });
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
      const descriptionOf = (definition: string, property?: string): string =>
        this.#describe(definition, property) ?? '';
      this.#write(name, {
        ...openApiDefinition(schema, { flavour: this.#flavour, descriptionOf }),
        ...(kinds.length === 0 ? {} : { 'x-kubernetes-group-version-kind': kinds }),
      });
    }
    return Object.fromEntries([...this.#written].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A custom resource's schema with what every object has. */
  #customSchema(schema: Schema | undefined): JsonObject {
    // In v2 even the fields that every object has would be taken for all that there are.
    const isOpen = this.#flavour === 'v2' && schema?.preserveUnknownFields === true;
    if (schema === undefined || isOpen) return { type: 'object' };
    const written = openApiSchema(schema, this.#flavour);
    return {
      ...written,
      properties: {
        ...objectAt(written, 'properties'),
        apiVersion: this.#described(POD, 'apiVersion'),
        kind: this.#described(POD, 'kind'),
        metadata: this.#reference(OBJECT_META, this.#describe(POD, 'metadata')),
      },
    };
  }

  #described(definition: string, field: string): JsonObject {
    const description = this.#describe(definition === LIST_META ? POD_LIST : definition, field);
    return { ...(description === undefined ? {} : { description }), type: 'string' };
  }

  #reference(definition: string, description: string | undefined): JsonObject {
    const ref = { $ref: this.#prefix + definition };
    if (description === undefined) return ref;
    return this.#flavour === 'v3' ? { description, allOf: [ref] } : { description, ...ref };
  }

  /** Notes a schema, and what it refers to as still to be written. */
  #write(name: string, schema: JsonObject): void {
    this.#written.set(name, schema);
    for (const [, needed] of JSON.stringify(schema).matchAll(
      /"\$ref":"#\/(?:components\/schemas|definitions)\/([^"]+)"/g,
    )) {
      if (needed !== undefined) this.need(needed);
    }
  }
}

const POD = 'io.k8s.api.core.v1.Pod';
const POD_LIST = 'io.k8s.api.core.v1.PodList';
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const LIST_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';
