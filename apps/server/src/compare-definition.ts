import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';

/** Versions and fields by name: `v1`, `v1 spec.ignore[].paths`. Of what is missing whole, only the outermost is named. */
export interface DefinitionDifference {
  /** What the other definition does not have. */
  readonly lacks: readonly string[];
  /** What it alone has. */
  readonly more: readonly string[];
}

/**
 * How the definition of a kind differs from ours in what people may write: versions that are served, and fields of the spec.
 * Who lacks what is deprecated lacks nothing.
 */
export function compareDefinition(theirs: KubeObject, ours: KubeObject): DefinitionDifference {
  return { lacks: missing(theirs, ours), more: missing(ours, theirs) };
}

function missing(from: KubeObject, against: KubeObject): readonly string[] {
  const known = new Map(
    servedVersions(from).map((version) => [nameOf(version), schemaOf(version)]),
  );
  return servedVersions(against)
    .filter((version) => member(version, 'deprecated') !== true)
    .flatMap((version) => {
      const name = nameOf(version);
      if (!known.has(name)) return [name];
      return missingFields(known.get(name), schemaOf(version), 'spec')
        .filter((path) => !OF_REMOVED_VERSIONS.has(path.split('.').at(-1) ?? ''))
        .map((path) => `${name} ${path}`);
    });
}

function servedVersions(definition: KubeObject): readonly Json[] {
  const versions = member(definition['spec'], 'versions');
  return (Array.isArray(versions) ? versions : []).filter(
    (version) => member(version, 'served') === true,
  );
}

function nameOf(version: Json): string {
  return String(member(version, 'name'));
}

function schemaOf(version: Json): Json | undefined {
  const schema = member(member(version, 'schema'), 'openAPIV3Schema');
  return member(member(schema, 'properties'), 'spec');
}

/** Ours have them in today's versions too, since there objects of removed ones are stored. Nobody else serves those. */
const OF_REMOVED_VERSIONS: ReadonlySet<string> = new Set([
  'patchesJson6902',
  'patchesStrategicMerge',
  'valuesFile',
]);

function missingFields(
  from: Json | undefined,
  against: Json | undefined,
  path: string,
): readonly string[] {
  if (member(from, 'x-kubernetes-preserve-unknown-fields') === true) return [];
  const items = member(against, 'items');
  if (items !== undefined) return missingFields(member(from, 'items'), items, `${path}[]`);
  const known = record(member(from, 'properties'));
  const fields = Object.entries(record(member(against, 'properties')));
  return fields.flatMap(([name, child]) => {
    const here = `${path}.${name}`;
    return known[name] === undefined ? [here] : missingFields(known[name], child, here);
  });
}

function member(value: Json | undefined, name: string): Json | undefined {
  return record(value)[name];
}

function record(value: Json | undefined): JsonObject {
  return isRecord(value) ? value : {};
}

function isRecord(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
