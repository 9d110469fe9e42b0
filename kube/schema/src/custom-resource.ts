import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import type { Catalogue } from './catalogue.ts';
import type { KindSchema } from './kind-schema.ts';
import { createMergeTypes } from './merge-type.ts';
import { parseSchema } from './parse-schema.ts';
import type { Schema } from './schema.ts';

/** One version of a custom resource, read from its CRD. */
export interface CustomResourceVersion {
  readonly kind: KindSchema;
  /** The schema as the CRD has it, without what the server adds: prune, default and validate by this one. */
  readonly schema: Schema;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated: boolean;
  readonly deprecationWarning: string | undefined;
  readonly hasStatus: boolean;
  readonly scale: ScaleSubresource | undefined;
  readonly printerColumns: readonly PrinterColumn[];
  /** As selectors name them: `spec.size`. */
  readonly selectableFields: readonly string[];
}

export interface ScaleSubresource {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath: string | undefined;
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
  readonly jsonPath: string;
}

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/**
 * Reads the versions of a CustomResourceDefinition (apiextensions.k8s.io/v1). The schema of `kind` is what the server
 * merges and publishes: `apiVersion`, `kind` and `metadata` are added, also in embedded resources.
 */
export function readCustomResource(
  crd: KubeObject,
  catalogue: Catalogue,
): readonly CustomResourceVersion[] {
  const spec = object(crd['spec']);
  const group = text(spec['group']);
  const kind = text(object(spec['names'])['kind']);
  const metadata = catalogue.definition(objectMeta) ?? { type: 'object' };
  const preserves = spec['preserveUnknownFields'] === true;
  return array(spec['versions']).map((item): CustomResourceVersion => {
    const version = object(item);
    const source = object(version['schema'])['openAPIV3Schema'];
    const parsed = source === undefined ? undefined : parseSchema(object(source));
    const schema: Schema = parsed ?? { type: 'object', preserveUnknownFields: true };
    const published = publish(parsed, metadata, preserves);
    const subresources = object(version['subresources']);
    return {
      kind: {
        kind: { group, version: text(version['name']), kind },
        schema: published,
        mergeType: createMergeTypes().of(published),
        builtIn: false,
      },
      schema,
      served: version['served'] === true,
      storage: version['storage'] === true,
      deprecated: version['deprecated'] === true,
      deprecationWarning: optional(version['deprecationWarning']),
      hasStatus: subresources['status'] !== undefined,
      scale: readScale(subresources['scale']),
      printerColumns: array(version['additionalPrinterColumns']).map(readColumn),
      selectableFields: array(version['selectableFields']).map((field) =>
        text(object(field)['jsonPath']).replace(/^\./, ''),
      ),
    };
  });
}

function publish(schema: Schema | undefined, metadata: Schema, preserves: boolean): Schema {
  if (schema === undefined) return { type: 'object' };
  const withEmbedded = addEmbedded(schema, metadata);
  const root = withIdentity(withEmbedded, metadata);
  return preserves ? { ...root, preserveUnknownFields: true } : root;
}

function withIdentity(schema: Schema, metadata: Schema): Schema {
  const properties = new Map(schema.properties);
  properties.set('apiVersion', { type: 'string' });
  properties.set('kind', { type: 'string' });
  properties.set('metadata', metadata);
  return { ...schema, properties };
}

function addEmbedded(schema: Schema, metadata: Schema): Schema {
  const { properties, items, additionalProperties, ...rest } = schema;
  const copy: Schema = {
    ...rest,
    ...(properties === undefined
      ? {}
      : { properties: new Map([...properties].map(([k, v]) => [k, addEmbedded(v, metadata)])) }),
    ...(items === undefined ? {} : { items: addEmbedded(items, metadata) }),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties:
            typeof additionalProperties === 'object'
              ? addEmbedded(additionalProperties, metadata)
              : additionalProperties,
        }),
  };
  return schema.embeddedResource === true ? withIdentity(copy, metadata) : copy;
}

function readScale(value: Json | undefined): ScaleSubresource | undefined {
  if (value === undefined || value === null) return undefined;
  const scale = object(value);
  return {
    specReplicasPath: text(scale['specReplicasPath']),
    statusReplicasPath: text(scale['statusReplicasPath']),
    labelSelectorPath: optional(scale['labelSelectorPath']),
  };
}

function readColumn(value: Json): PrinterColumn {
  const column = object(value);
  const priority = column['priority'];
  return {
    name: text(column['name']),
    type: text(column['type']),
    format: text(column['format']),
    description: text(column['description']),
    priority: typeof priority === 'number' ? priority : 0,
    jsonPath: text(column['jsonPath']),
  };
}

function object(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}

function array(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function optional(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
