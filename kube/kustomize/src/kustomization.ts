import type { Json, JsonObject } from '@capstan/kube-object';
import {
  anything,
  bool,
  decodeJson,
  dictionary,
  embedded,
  int,
  int64,
  list,
  namedText,
  type Shape,
  struct,
  text,
  texts,
} from './go-json.ts';

type Of<S> = S extends Shape<infer T> ? T : never;

const stringMap = dictionary(text, '');

const gvkFields = { group: text, version: text, kind: text };
const embeddedGvk = embedded('Gvk', gvkFields);
const resIdFields = embedded('ResId', { ...embeddedGvk, name: text, namespace: text });

export const fieldSpecShape = struct('FieldSpec', {
  ...embeddedGvk,
  path: text,
  create: bool,
});
export type RawFieldSpec = Of<typeof fieldSpecShape>;

export const selectorShape = struct('Selector', {
  ...resIdFields,
  annotationSelector: text,
  labelSelector: text,
});
export type Selector = Of<typeof selectorShape>;

export const objectMetaShape = struct('ObjectMeta', {
  name: text,
  namespace: text,
  labels: stringMap,
  annotations: stringMap,
});

export const patchOptionsShape = struct('PatchArgs', {
  allowNameChange: bool,
  allowKindChange: bool,
});

const patchFields = {
  path: text,
  patch: text,
  target: selectorShape,
  options: patchOptionsShape,
};
const patchShape = struct('Patch', patchFields);
export const patchPluginShape = struct('PatchTransformerPlugin', patchFields);
export type PatchEntry = Of<typeof patchShape>;

export const imageShape = struct('Image', {
  name: text,
  newName: text,
  tagSuffix: text,
  newTag: text,
  digest: text,
});
export type ImageEntry = Of<typeof imageShape>;

export const labelShape = struct('Label', {
  pairs: stringMap,
  includeSelectors: bool,
  includeTemplates: bool,
  includeVolumeClaimTemplates: bool,
  fields: list(fieldSpecShape),
});
export type LabelEntry = Of<typeof labelShape>;

export const replicaShape = struct('Replica', { name: text, count: int64 });
export type ReplicaEntry = Of<typeof replicaShape>;

const fieldOptionsShape = struct('FieldOptions', {
  delimiter: text,
  index: int,
  encoding: text,
  create: bool,
});
export type FieldOptions = Of<typeof fieldOptionsShape>;

const sourceSelectorShape = struct('SourceSelector', {
  ...resIdFields,
  fieldPath: text,
  options: fieldOptionsShape,
});
export type SourceSelector = Of<typeof sourceSelectorShape>;

const targetSelectorShape = struct('TargetSelector', {
  select: selectorShape,
  reject: list(selectorShape, undefined, '[]*types.Selector'),
  fieldPaths: texts,
  options: fieldOptionsShape,
});
export type TargetSelector = Of<typeof targetSelectorShape>;

const replacementFields = {
  source: sourceSelectorShape,
  targets: list(targetSelectorShape, undefined, '[]*types.TargetSelector'),
  sourceValue: text,
};
export const replacementShape = struct('Replacement', replacementFields);
export type Replacement = Of<typeof replacementShape>;
export const replacementFieldShape = struct('ReplacementField', {
  ...embedded('Replacement', replacementFields),
  path: text,
});
export type ReplacementField = Of<typeof replacementFieldShape>;

export const generatorOptionsShape = struct('GeneratorOptions', {
  labels: stringMap,
  annotations: stringMap,
  disableNameSuffixHash: bool,
  immutable: bool,
});
export type GeneratorOptions = Of<typeof generatorOptionsShape>;

const generatorFields = embedded('GeneratorArgs', {
  namespace: text,
  name: text,
  behavior: text,
  ...embedded('KvPairSources', { literals: texts, files: texts, envs: texts, env: text }),
  options: generatorOptionsShape,
});
export const configMapArgsShape = struct('ConfigMapArgs', generatorFields);
export const secretArgsShape = struct('SecretArgs', { ...generatorFields, type: text });
/** Arguments of a ConfigMap or Secret generator; `type` is for secrets. */
export type GeneratorArgs = Of<typeof secretArgsShape>;

const fieldSelectorShape = struct('FieldSelector', { fieldPath: text });
const varTargetShape = struct('Target', {
  apiVersion: text,
  ...embeddedGvk,
  name: text,
  namespace: text,
});
const varShape = struct('Var', {
  name: text,
  objref: varTargetShape,
  fieldref: fieldSelectorShape,
});
export type VarEntry = Of<typeof varShape>;

const legacySortOptionsShape = struct('LegacySortOptions', {
  orderFirst: texts,
  orderLast: texts,
});
export const sortOptionsShape = struct('SortOptions', {
  order: namedText('types.SortOrder'),
  legacySortOptions: legacySortOptionsShape,
});
export type SortOptions = Of<typeof sortOptionsShape>;

const helmGlobalsFields = { chartHome: text, configHome: text };
const helmChartFields = {
  name: text,
  version: text,
  repo: text,
  releaseName: text,
  namespace: text,
  additionalValuesFiles: texts,
  valuesFile: text,
  valuesInline: dictionary<Json>(anything, null),
  valuesMerge: text,
  includeCRDs: bool,
  skipHooks: bool,
  apiVersions: texts,
  kubeVersion: text,
  nameTemplate: text,
  skipTests: bool,
  debug: bool,
  devel: bool,
};
export const helmGlobalsShape = struct('HelmGlobals', helmGlobalsFields);
export const helmChartShape = struct('HelmChart', helmChartFields);
export type HelmChartEntry = Of<typeof helmChartShape>;
export const helmGeneratorShape = struct('HelmChartInflationGeneratorPlugin', {
  ...helmGlobalsFields,
  ...helmChartFields,
});

const helmChartArgsShape = struct('HelmChartArgs', {
  chartName: text,
  chartVersion: text,
  chartRepoUrl: text,
  chartHome: text,
  chartRepoName: text,
  helmBin: text,
  helmHome: text,
  values: text,
  valuesLocal: dictionary<Json>(anything, null),
  valuesMerge: text,
  releaseName: text,
  releaseNamespace: text,
  extraArgs: texts,
});

export const patchPathShape = namedText('types.PatchStrategicMerge');

export const kustomizationShape = struct('Kustomization', {
  ...embedded('TypeMeta', { kind: text, apiVersion: text }),
  metadata: objectMetaShape,
  openapi: stringMap,
  namePrefix: text,
  nameSuffix: text,
  namespace: text,
  commonLabels: stringMap,
  labels: list(labelShape),
  commonAnnotations: stringMap,
  patchesStrategicMerge: list(patchPathShape, ''),
  patchesJson6902: list(patchShape),
  patches: list(patchShape),
  images: list(imageShape),
  imageTags: list(imageShape),
  replacements: list(replacementFieldShape),
  replicas: list(replicaShape),
  vars: list(varShape),
  sortOptions: sortOptionsShape,
  resources: texts,
  components: texts,
  crds: texts,
  bases: texts,
  configMapGenerator: list(configMapArgsShape),
  secretGenerator: list(secretArgsShape),
  helmGlobals: helmGlobalsShape,
  helmCharts: list(helmChartShape),
  helmChartInflationGenerator: list(helmChartArgsShape),
  generatorOptions: generatorOptionsShape,
  configurations: texts,
  generators: texts,
  transformers: texts,
  validators: texts,
  buildMetadata: texts,
});
export type Kustomization = Of<typeof kustomizationShape>;

/** The kustomization as the file spells it, deprecated fields included. */
export function decodeKustomization(value: Json): Kustomization {
  return decodeJson(value, kustomizationShape, { strict: true, lenientText: false });
}

/**
 * The kustomization as a program reads it that uses the original's types and not its loader, as Flux does before a build:
 * unknown fields are dropped, and a number stands for its text (`newTag: 1.21`). The same object when that changes nothing.
 */
export function lenientKustomization(value: JsonObject): JsonObject {
  const read = (strict: boolean): Json =>
    decodeJson(value, kustomizationShape, { strict, lenientText: !strict }) as Json;
  try {
    read(true);
    return value;
  } catch {
    return read(false) as JsonObject;
  }
}

const RUN_FIX = "Run 'kustomize edit fix' to update your Kustomization automatically.";
const DEPRECATED: readonly (readonly [keyof Kustomization, string, string])[] = [
  ['bases', 'resources', RUN_FIX],
  ['commonLabels', 'labels', RUN_FIX],
  ['imageTags', 'images', RUN_FIX],
  ['patchesJson6902', 'patches', RUN_FIX],
  ['patchesStrategicMerge', 'patches', RUN_FIX],
  ['vars', 'replacements', `[EXPERIMENTAL] ${RUN_FIX}`],
];

/** The warnings for deprecated fields, in the words and the order of the original. */
export function deprecationWarnings(kustomization: Kustomization): string[] {
  return DEPRECATED.filter(([field]) => kustomization[field] !== undefined).map(
    ([field, instead, advice]) =>
      `# Warning: '${field}' is deprecated. Please use '${instead}' instead. ${advice}`,
  );
}

/** Fills in what may be left out, and moves deprecated fields to those that took their place. */
export function modernize(kustomization: Kustomization): Kustomization {
  const k: Kustomization = { ...kustomization };
  k.kind = k.kind || 'Kustomization';
  k.apiVersion =
    k.apiVersion ||
    (k.kind === 'Component'
      ? 'kustomize.config.k8s.io/v1alpha1'
      : 'kustomize.config.k8s.io/v1beta1');
  if (k.bases?.length) k.resources = [...(k.resources ?? []), ...k.bases];
  delete k.bases;
  if (k.imageTags?.length) k.images = [...(k.images ?? []), ...k.imageTags];
  delete k.imageTags;
  if (k.configMapGenerator !== undefined)
    k.configMapGenerator = k.configMapGenerator.map(pluralEnv);
  if (k.secretGenerator !== undefined) k.secretGenerator = k.secretGenerator.map(pluralEnv);
  modernizeHelm(k);
  return k;
}

function pluralEnv<A extends GeneratorArgs>(args: A): A {
  if (!args.env) return args;
  const { env, ...rest } = args;
  return { ...rest, envs: [...(args.envs ?? []), env] } as A;
}

function modernizeHelm(k: Kustomization): void {
  const old = k.helmChartInflationGenerator;
  delete k.helmChartInflationGenerator;
  if (old === undefined) return;
  const globals: { chartHome?: string; configHome?: string } = {};
  const charts = old.map((entry): HelmChartEntry => {
    if (entry.helmHome) globals.configHome = entry.helmHome;
    if (entry.chartHome) globals.chartHome = entry.chartHome;
    return {
      ...(entry.chartName === undefined ? {} : { name: entry.chartName }),
      ...(entry.chartVersion === undefined ? {} : { version: entry.chartVersion }),
      ...(entry.chartRepoUrl === undefined ? {} : { repo: entry.chartRepoUrl }),
      ...(entry.values === undefined ? {} : { valuesFile: entry.values }),
      ...(entry.valuesLocal === undefined ? {} : { valuesInline: entry.valuesLocal }),
      ...(entry.valuesMerge === undefined ? {} : { valuesMerge: entry.valuesMerge }),
      ...(entry.releaseName === undefined ? {} : { releaseName: entry.releaseName }),
    };
  });
  if (k.helmGlobals === undefined && (globals.chartHome || globals.configHome)) {
    k.helmGlobals = globals;
  }
  if (charts.length > 0) k.helmCharts = [...(k.helmCharts ?? []), ...charts];
}

/** Whether nothing is asked for beside kind and apiVersion. */
export function isEmptyKustomization(kustomization: Kustomization): boolean {
  return Object.entries(kustomization).every(
    ([key, value]) => key === 'kind' || key === 'apiVersion' || value === '',
  );
}

/** What is wrong with kind and apiVersion. */
export function kindProblems({ kind, apiVersion }: Kustomization): string[] {
  const problems: string[] = [];
  if (kind && kind !== 'Kustomization' && kind !== 'Component') {
    problems.push('kind should be Kustomization or Component');
  }
  const required =
    kind === 'Component' ? 'kustomize.config.k8s.io/v1alpha1' : 'kustomize.config.k8s.io/v1beta1';
  if (apiVersion && apiVersion !== required) {
    problems.push(`apiVersion for ${kind} should be ${required}`);
  }
  return problems;
}
