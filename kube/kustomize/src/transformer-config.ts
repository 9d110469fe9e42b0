import type { Json } from '@capstan/kube-object';
import { failure, within } from './failure.ts';
import { splitPath } from './field-path.ts';
import { DEFAULT_FIELD_SPECS, DEFAULT_NAME_REFERENCES } from './field-spec-tables.ts';
import { decodeJson, list, struct, text } from './go-json.ts';
import { fieldSpecShape, type RawFieldSpec } from './kustomization.ts';
import { compareGvk, type Gvk, gvkText, isSelectedBy, sameGvk } from './res-id.ts';
import { yamlValueStrict } from './yaml-value.ts';

/** Which field of which kinds a transformer touches. */
export interface FieldSpec extends Gvk {
  readonly path: string;
  /** The parts of `path`. */
  readonly parts: readonly string[];
  readonly create: boolean;
}

/** Fields that hold the name of a resource of the kind given. */
export interface NameReference extends Gvk {
  readonly referrers: readonly FieldSpec[];
}

export const FIELD_SPEC_LISTS = [
  'namePrefix',
  'nameSuffix',
  'namespace',
  'commonLabels',
  'labels',
  'templateLabels',
  'volumeClaimTemplateLabels',
  'commonAnnotations',
  'varReference',
  'images',
  'replicas',
] as const;
export type FieldSpecList = (typeof FIELD_SPEC_LISTS)[number];

/** The field specs in force: the built-in ones, merged with those of `configurations` and `crds`. */
export interface TransformerConfig extends Readonly<Record<FieldSpecList, readonly FieldSpec[]>> {
  readonly nameReference: readonly NameReference[];
  /** Merging it into nothing gives the same again, which need not be so: see `mergeConfigs`. */
  readonly isSettled?: boolean;
}

export function fieldSpec(raw: RawFieldSpec): FieldSpec {
  const path = raw.path ?? '';
  return {
    group: raw.group ?? '',
    version: raw.version ?? '',
    kind: raw.kind ?? '',
    path,
    parts: splitPath(path, '/'),
    create: raw.create ?? false,
  };
}

export function emptyConfig(): TransformerConfig {
  return {
    namePrefix: [],
    nameSuffix: [],
    namespace: [],
    commonLabels: [],
    labels: [],
    templateLabels: [],
    volumeClaimTemplateLabels: [],
    commonAnnotations: [],
    varReference: [],
    images: [],
    replicas: [],
    nameReference: [],
  };
}

/** The built-in configuration, in the order in which it is applied. */
export function defaultConfig(): TransformerConfig {
  return {
    ...sorted({
      ...emptyConfig(),
      ...DEFAULT_FIELD_SPECS,
      nameReference: DEFAULT_NAME_REFERENCES,
    }),
    isSettled: true,
  };
}

function sorted(config: TransformerConfig): TransformerConfig {
  const result: Record<string, unknown> = {};
  for (const name of FIELD_SPEC_LISTS) result[name] = config[name].toSorted(compareGvk);
  result['nameReference'] = config.nameReference.toSorted(compareGvk);
  return { ...config, ...result };
}

/** Adds `more` to `specs`. One that is there already is left out; one that differs only in `create` is an error. */
export function mergeFieldSpecs(
  specs: readonly FieldSpec[],
  more: readonly FieldSpec[],
): readonly FieldSpec[] {
  let result: FieldSpec[] | undefined;
  for (const spec of more) {
    const same = (result ?? specs).find(
      (known) => known.path === spec.path && isSelectedBy(known, spec),
    );
    if (same === undefined) {
      result ??= specs.slice();
      result.push(spec);
    } else if (same.create !== spec.create) {
      throw failure('conflicting fieldspecs');
    }
  }
  return result ?? specs;
}

function mergeReferences(
  references: readonly NameReference[],
  more: readonly NameReference[],
): readonly NameReference[] {
  let result = references;
  for (const other of more) {
    let found = false;
    const merged = result.map((known) => {
      if (!sameGvk(known, other)) return known;
      found = true;
      const referrers = mergeFieldSpecs(known.referrers, other.referrers);
      return referrers === known.referrers ? known : { ...known, referrers };
    });
    result = found ? merged : [...result, other];
  }
  return result;
}

const GO_NAMES: Readonly<Record<FieldSpecList, string>> = {
  namePrefix: 'NamePrefix',
  nameSuffix: 'NameSuffix',
  namespace: 'NameSpace',
  commonLabels: 'CommonLabels',
  labels: 'Labels',
  templateLabels: 'TemplateLabels',
  volumeClaimTemplateLabels: 'VolumeClaimTemplateLabels',
  commonAnnotations: 'CommonAnnotations',
  varReference: 'VarReference',
  images: 'Images',
  replicas: 'Replicas',
};

/**
 * The two configurations together. Merging one with itself, the common case, costs nothing. A spec for one kind takes
 * the place of a later one for all kinds at the same path, so that merging a configuration into nothing may drop some.
 */
export function mergeConfigs(
  config: TransformerConfig,
  other: TransformerConfig,
): TransformerConfig {
  if (config === other || isEmpty(other)) return config;
  if (other.isSettled === true && isEmpty(config)) return other;
  const result: Record<string, unknown> = {};
  for (const name of FIELD_SPEC_LISTS) {
    result[name] = within(
      () => `failed to merge ${GO_NAMES[name]} fieldSpec`,
      () => mergeFieldSpecs(config[name], other[name]),
    );
  }
  const nameReference = within(
    () => 'failed to merge NameReference fieldSpec',
    () => mergeReferences(config.nameReference, other.nameReference),
  );
  return sorted({ ...config, ...result, nameReference, isSettled: false });
}

function isEmpty(config: TransformerConfig): boolean {
  return (
    config.nameReference.length === 0 && FIELD_SPEC_LISTS.every((name) => config[name].length === 0)
  );
}

const specs = list(fieldSpecShape, undefined, 'types.FsSlice');
const referenceShape = struct('builtinconfig.NameBackReferences', {
  group: text,
  version: text,
  kind: text,
  fieldSpecs: specs,
});
const configShape = struct('builtinconfig.TransformerConfig', {
  namePrefix: specs,
  nameSuffix: specs,
  namespace: specs,
  commonLabels: specs,
  labels: specs,
  templateLabels: specs,
  volumeClaimTemplateLabels: specs,
  commonAnnotations: specs,
  nameReference: list(referenceShape, undefined, 'builtinconfig.nbrSlice'),
  varReference: specs,
  images: specs,
  replicas: specs,
});

/** Reads a file of `configurations`. */
export function parseConfig(content: string): TransformerConfig {
  const value: Json = yamlValueStrict(content);
  const read = within(
    () => 'error unmarshaling JSON: while decoding JSON',
    () => decodeJson(value, configShape, { strict: true }),
  );
  const result: Record<string, unknown> = {};
  for (const name of FIELD_SPEC_LISTS) result[name] = (read[name] ?? []).map(fieldSpec);
  return sorted({
    ...emptyConfig(),
    ...result,
    nameReference: (read.nameReference ?? []).map((reference) => ({
      group: reference.group ?? '',
      version: reference.version ?? '',
      kind: reference.kind ?? '',
      referrers: (reference.fieldSpecs ?? []).map(fieldSpec),
    })),
  });
}

/** `Kind.version.group:create:path`, as the original prints a spec. */
export function fieldSpecText(spec: FieldSpec): string {
  return `${gvkText(spec)}:${spec.create}:${spec.path}`;
}
