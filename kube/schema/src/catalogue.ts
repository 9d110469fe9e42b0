import type { GroupVersionKind, Json } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import type { KindSchema } from './kind-schema.ts';
import { createMergeTypes, type MergeTypes } from './merge-type.ts';
import type { GroupInfo, ResourceInfo, SubresourceInfo } from './resource.ts';
import type { GoEncoding, Schema, SchemaType } from './schema.ts';

/** The minors whose schemas are carried, newest first: the newest and three older. */
export const kubernetesMinors = ['1.37', '1.36', '1.35', '1.34'] as const;
export type KubernetesMinor = (typeof kubernetesMinors)[number];

/** The built-in kinds of one Kubernetes minor, as its API server publishes them. */
export interface Catalogue {
  readonly minor: KubernetesMinor;
  /** The release the data were taken from, e.g. `v1.36.3`. */
  readonly gitVersion: string;
  readonly groups: readonly GroupInfo[];
  /** Every resource of every published version; a default server leaves out those that are not `servedByDefault`. */
  readonly resources: readonly ResourceInfo[];
  readonly definitionNames: readonly string[];
  definition(name: string): Schema | undefined;
  /** The schema of a kind; also of kinds without a resource of their own (`autoscaling/v1 Scale`, `v1 DeleteOptions`). */
  kind(kind: GroupVersionKind): KindSchema | undefined;
  /** The group-version-kinds that a definition stands for. */
  kindsOf(definition: string): readonly GroupVersionKind[];
  readonly mergeTypes: MergeTypes;
}

/** The minor that our API server is held against, and serves unless told otherwise. */
const PROVEN: KubernetesMinor = '1.36';

/** A minor as people write it: `1.35`, `v1.35`, or one of its releases. */
export function readKubernetesMinor(text: string): KubernetesMinor {
  const named = /^v?(\d+\.\d+)(\.\d+)?$/.exec(text)?.[1];
  const minor = kubernetesMinors.find((carried) => carried === named);
  if (minor === undefined) throw unknownMinor(text);
  return minor;
}

function unknownMinor(text: string): CapstanError {
  return new CapstanError('SCHEMA_MINOR_UNKNOWN', `no schemas for Kubernetes ${text}`, {
    hint: `carried are ${kubernetesMinors.join(', ')}`,
  });
}

/**
 * Loads the built-in kinds of a minor. The data are one JSON module, read at the first call; a definition is unpacked when
 * it is asked for.
 */
export async function loadCatalogue(minor: KubernetesMinor = PROVEN): Promise<Catalogue> {
  const { default: data } = await import('./generated/kubernetes.json', {
    with: { type: 'json' },
  });
  return createCatalogue(data as unknown as PackedData, minor);
}

/** As the generator writes it (tools/generate-schemas); the short keys are explained where they are unpacked. */
interface PackedData {
  readonly names: readonly string[];
  readonly nodes: readonly PackedNode[];
  readonly definitions: readonly PackedDefinition[];
  readonly resources: readonly PackedResource[];
  readonly versions: Readonly<Record<string, PackedVersion | undefined>>;
}
interface PackedVersion {
  readonly gitVersion: string;
  readonly definitions: readonly number[];
  readonly groups: readonly (readonly string[])[];
  readonly resources: readonly number[];
}
interface PackedNode {
  readonly t?: string;
  readonly f?: string;
  readonly r?: number;
  readonly q?: readonly string[];
  readonly d?: Json;
  readonly u?: readonly Json[];
  readonly L?: string;
  readonly K?: readonly string[];
  readonly M?: string;
  readonly s?: string;
  readonly k?: string;
  readonly e?: number;
  readonly v?: number | boolean;
  readonly o?: string;
  readonly g?: string;
  readonly y?: string;
  readonly w?: string;
}
interface PackedDefinition extends PackedNode {
  readonly n: number;
  readonly x?: readonly (readonly [string, string, string])[];
  readonly p?: Readonly<Record<string, number>>;
}
interface PackedResource {
  readonly g: string;
  readonly v: string;
  readonly n: string;
  readonly s: string;
  readonly k: string;
  readonly o?: number;
  readonly b: string;
  readonly a?: readonly string[];
  readonly c?: readonly string[];
  readonly h?: string;
  readonly u?: readonly (readonly [string, string | null, string | null, string, string])[];
}

function createCatalogue(data: PackedData, minor: KubernetesMinor): Catalogue {
  const version = data.versions[minor];
  if (version === undefined) throw unknownMinor(minor);
  const mergeTypes = createMergeTypes();
  const definitions = new Map<string, PackedDefinition>();
  for (const index of version.definitions) {
    const packed = data.definitions[index]!;
    definitions.set(data.names[packed.n]!, packed);
  }
  const unpacker = createUnpacker(data, definitions);
  const kinds = new Map<string, string>();
  for (const [name, packed] of definitions)
    for (const kind of packed.x ?? []) kinds.set(kind.join('/'), name);
  const known = new Map<string, KindSchema>();
  return {
    minor,
    gitVersion: version.gitVersion,
    groups: version.groups.map(unpackGroup),
    resources: version.resources.map((index) => unpackResource(data.resources[index]!)),
    definitionNames: [...definitions.keys()],
    definition: unpacker,
    kindsOf: (name) => (definitions.get(name)?.x ?? []).map(unpackKind),
    mergeTypes,
    kind(kind) {
      const key = `${kind.group}/${kind.version}/${kind.kind}`;
      const found = known.get(key);
      if (found !== undefined) return found;
      const name = kinds.get(key);
      const schema = name === undefined ? undefined : unpacker(name);
      if (schema === undefined) return undefined;
      const made: KindSchema = { kind, schema, mergeType: mergeTypes.of(schema), builtIn: true };
      known.set(key, made);
      return made;
    },
  };
}

function unpackKind([group, version, kind]: readonly [string, string, string]): GroupVersionKind {
  return { group, version, kind };
}

function unpackGroup([name = '', ...versions]: readonly string[]): GroupInfo {
  return {
    name,
    versions: versions.map((version) => ({ version, servedByDefault: /^v\d+$/.test(version) })),
  };
}

function unpackResource(packed: PackedResource): ResourceInfo {
  const subresources = (packed.u ?? []).map(
    ([name, group, version, kind, verbs]): SubresourceInfo => ({
      name,
      kind: { group: group ?? packed.g, version: version ?? packed.v, kind },
      verbs: verbs === '' ? [] : verbs.split(','),
    }),
  );
  return {
    group: packed.g,
    version: packed.v,
    name: packed.n,
    singularName: packed.s,
    kind: packed.k,
    namespaced: packed.o === 1,
    verbs: packed.b.split(','),
    shortNames: packed.a ?? [],
    categories: packed.c ?? [],
    ...(packed.h === undefined ? {} : { storageVersionHash: packed.h }),
    subresources,
  };
}

function createUnpacker(
  data: PackedData,
  definitions: ReadonlyMap<string, PackedDefinition>,
): (name: string) => Schema | undefined {
  const unpacked = new Map<string, Schema>();
  const definition = (name: string): Schema | undefined => {
    const found = unpacked.get(name);
    if (found !== undefined) return found;
    const packed = definitions.get(name);
    if (packed === undefined) return undefined;
    const schema = lazyNode({ definition: name, ...plainFields(packed) }, () => ({
      properties: packed.p && unpackProperties(packed.p, node),
      items: packed.e === undefined ? undefined : node(packed.e),
      additional: typeof packed.v === 'number' ? node(packed.v) : packed.v,
    }));
    unpacked.set(name, schema);
    return schema;
  };
  const node = (index: number): Schema => {
    const packed = data.nodes[index]!;
    if (packed.r !== undefined) return reference(packed, definition(data.names[packed.r]!));
    return lazyNode(plainFields(packed), () => ({
      properties: undefined,
      items: packed.e === undefined ? undefined : node(packed.e),
      additional: typeof packed.v === 'number' ? node(packed.v) : packed.v,
    }));
  };
  return definition;
}

function unpackProperties(
  packed: Readonly<Record<string, number>>,
  node: (index: number) => Schema,
): ReadonlyMap<string, Schema> {
  return new Map(Object.entries(packed).map(([name, index]) => [name, node(index)]));
}

interface Children {
  readonly properties: ReadonlyMap<string, Schema> | undefined;
  readonly items: Schema | undefined;
  readonly additional: Schema | boolean | undefined;
}

/** A node whose children are unpacked at the first look: kinds may hold themselves (JSONSchemaProps). */
function lazyNode(fields: Schema, unpack: () => Children): Schema {
  let children: Children | undefined;
  const get = (): Children => {
    children ??= unpack();
    return children;
  };
  const lazy = (read: (children: Children) => unknown): PropertyDescriptor => ({
    get: () => read(get()),
    enumerable: true,
  });
  return Object.defineProperties(fields, {
    properties: lazy((c) => c.properties),
    items: lazy((c) => c.items),
    additionalProperties: lazy((c) => c.additional),
  });
}

/** A property that refers to a definition: the definition's content under the property's own default and patch rules. */
function reference(packed: PackedNode, target: Schema | undefined): Schema {
  if (target === undefined) return plainFields(packed);
  const own = plainFields(packed);
  const { properties: _p, items: _i, additionalProperties: _a, ...fields } = flatFields(target);
  return lazyNode({ ...fields, ...own, type: target.type }, () => ({
    properties: target.properties,
    items: target.items,
    additional: target.additionalProperties,
  }));
}

function flatFields(schema: Schema): Schema {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(schema)) {
    if (key === 'properties' || key === 'items' || key === 'additionalProperties') continue;
    copy[key] = schema[key as keyof Schema];
  }
  return copy as unknown as Schema;
}

const types: Readonly<Record<string, SchemaType>> = {
  o: 'object',
  a: 'array',
  s: 'string',
  i: 'integer',
  n: 'number',
  b: 'boolean',
};
const listTypes = { a: 'atomic', s: 'set', m: 'map' } as const;
const mapTypes = { a: 'atomic', g: 'granular' } as const;
const encodings: Readonly<Record<string, GoEncoding>> = { a: 'always', n: 'nonzero', p: 'present' };

function plainFields(packed: PackedNode): Schema {
  const { t, f, q, d, u, L, K, M, s, k, o, g, y, w } = packed;
  return {
    type: t === undefined ? '' : types[t]!,
    ...(f === undefined ? {} : { format: f }),
    ...(q === undefined ? {} : { required: q }),
    ...(d === undefined ? {} : { default: d }),
    ...(u === undefined ? {} : { enum: u }),
    ...(L === undefined ? {} : { listType: listTypes[L as 'a'] }),
    ...(K === undefined ? {} : { listMapKeys: K }),
    ...(M === undefined ? {} : { mapType: mapTypes[M as 'a'] }),
    ...(s === undefined ? {} : { patchStrategy: s }),
    ...(k === undefined ? {} : { patchMergeKey: k }),
    ...(o === undefined ? {} : { oneOf: [...o].map((code) => ({ type: types[code]! })) }),
    ...(g === undefined ? {} : { goEncoding: encodings[g]! }),
    ...(y === undefined ? {} : { goType: y }),
    ...(w === undefined ? {} : { goEmbedded: w }),
    ...(f === 'int-or-string' ? { intOrString: true } : {}),
  };
}
