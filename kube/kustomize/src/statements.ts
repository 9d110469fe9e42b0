import { within, withPrefix } from './failure.ts';
import { generate, mergeOptions } from './generators.ts';
import { helmGenerator } from './helm.ts';
import type { GeneratorArgs, Kustomization, LabelEntry } from './kustomization.ts';
import { configYaml } from './plugin-config.ts';
import { type Plugin, readReplacements } from './plugins.ts';
import { ResourceSet } from './resource-set.ts';
import type { Target } from './target.ts';
import type { FieldSpec, FieldSpecList, TransformerConfig } from './transformer-config.ts';
import { fieldSpec, mergeFieldSpecs } from './transformer-config.ts';
import { imageTransformer } from './transformers/images.ts';
import { mapEntries } from './transformers/labels.ts';
import { nameAffix } from './transformers/names.ts';
import { namespaceTransformer } from './transformers/namespace.ts';
import {
  json6902Transformer,
  patchTransformer,
  strategicMergeTransformer,
} from './transformers/patches.ts';
import { replacementTransformer } from './transformers/replacements.ts';
import { replicaTransformer } from './transformers/replicas.ts';
import type { Transformer } from './transformers/transformer.ts';

type Config = { readonly [key: string]: unknown };

/** Makes a plugin; when that fails, the message quotes the configuration, as the original's does. */
function configured<T>(kind: string, config: () => Config, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw withPrefix(
      error,
      `trouble configuring builtin ${kind} with config: \`\n${configYaml(config())}\``,
    );
  }
}

function statement(target: Target, field: keyof Kustomization, index?: number): number {
  return target.loader.context.sources.statement(target.filePath, field, index);
}

/** The generators that the fields of a kustomization ask for. */
export function builtinGenerators(target: Target): Plugin[] {
  const { kustomization: k, loader } = target;
  const generators = (
    kind: 'ConfigMap' | 'Secret',
    field: 'configMapGenerator' | 'secretGenerator',
    list: readonly GeneratorArgs[] = [],
  ): Plugin[] =>
    list.map((args, i) => {
      const options = mergeOptions(args.options, k.generatorOptions);
      const merged = options === undefined ? args : { ...args, options };
      const file = statement(target, field, i);
      return {
        generator: () => new ResourceSet([generate(kind, loader, merged, file)]),
        origin: target.configuredHere(`${kind}Generator`),
      };
    });
  return [
    ...generators('ConfigMap', 'configMapGenerator', k.configMapGenerator),
    ...generators('Secret', 'secretGenerator', k.secretGenerator),
    ...(k.helmCharts ?? []).map((chart): Plugin => {
      const namespace = chart.namespace || k.namespace || target.helmNamespace;
      const entry = { ...k.helmGlobals, ...chart, ...(namespace === '' ? {} : { namespace }) };
      const kind = 'HelmChartInflationGenerator';
      return {
        generator: configured(
          kind,
          () => entry,
          () => helmGenerator(loader, entry),
        ),
        origin: target.configuredHere(kind),
      };
    }),
  ];
}

/** The transformers that the fields of a kustomization ask for, in the order in which they run. */
export function builtinTransformers(target: Target, config: TransformerConfig): Plugin[] {
  const plugins: Plugin[] = [];
  const add = (kind: string, transformers: readonly Transformer[]) => {
    const origin = transformers.length === 0 ? undefined : target.configuredHere(kind);
    for (const transformer of transformers) plugins.push({ transformer, origin });
  };
  add('PatchStrategicMergeTransformer', strategicMerges(target));
  add('PatchTransformer', patches(target));
  add('NamespaceTransformer', namespaces(target, config));
  add('PrefixTransformer', affixes(target, 'prefix', config));
  add('SuffixTransformer', affixes(target, 'suffix', config));
  add('LabelTransformer', labels(target, config));
  add('AnnotationsTransformer', annotations(target, config));
  add('PatchJson6902Transformer', jsonPatches(target));
  add('ReplicaCountTransformer', replicas(target, config));
  add('ImageTagTransformer', images(target, config));
  add('ReplacementTransformer', replacements(target));
  return plugins;
}

function strategicMerges(target: Target): Transformer[] {
  const paths = target.kustomization.patchesStrategicMerge ?? [];
  if (paths.length === 0) return [];
  const make = () =>
    strategicMergeTransformer(target.loader, { paths, patches: '' }, (i) =>
      statement(target, 'patchesStrategicMerge', i),
    );
  return [configured('PatchStrategicMergeTransformer', () => ({ paths }), make)];
}

function patches(target: Target): Transformer[] {
  return (target.kustomization.patches ?? []).map((entry, i) => {
    const file = statement(target, 'patches', i);
    const make = () =>
      patchTransformer(target.loader, entry, { file, configText: () => configYaml(entry) });
    return configured('PatchTransformer', () => entry, make);
  });
}

function namespaces(target: Target, config: TransformerConfig): Transformer[] {
  const { namespace } = target.kustomization;
  if (!namespace) return [];
  const file = statement(target, 'namespace');
  return [namespaceTransformer({ namespace, specs: config.namespace, file })];
}

function affixes(
  target: Target,
  where: 'prefix' | 'suffix',
  config: TransformerConfig,
): Transformer[] {
  const field = where === 'prefix' ? 'namePrefix' : 'nameSuffix';
  const affix = target.kustomization[field];
  if (!affix) return [];
  return [nameAffix(where, affix, config[field], statement(target, field))];
}

const METADATA_LABELS = fieldSpec({ path: 'metadata/labels', create: true });

function labels(target: Target, config: TransformerConfig): Transformer[] {
  const { labels: entries = [], commonLabels = {} } = target.kustomization;
  const result = entries.map((entry, i) => {
    const specs = within(
      () => 'failed to merge labels',
      () => labelSpecs(entry, config),
    );
    return mapEntries(entry.pairs ?? {}, specs, statement(target, 'labels', i));
  });
  if (Object.keys(commonLabels).length > 0 || result.length > 0) {
    result.push(mapEntries(commonLabels, config.commonLabels, statement(target, 'commonLabels')));
  }
  return result;
}

function labelSpecs(entry: LabelEntry, config: TransformerConfig): readonly FieldSpec[] {
  const specs = mergeFieldSpecs((entry.fields ?? []).map(fieldSpec), config.labels);
  if (entry.includeSelectors) return mergeFieldSpecs(specs, config.commonLabels);
  const withTemplates = entry.includeTemplates
    ? mergeNamed(specs, config, 'templateLabels', 'template')
    : specs;
  const withClaims = entry.includeVolumeClaimTemplates
    ? mergeNamed(withTemplates, config, 'volumeClaimTemplateLabels', 'volumeClaimTemplate')
    : withTemplates;
  return mergeFieldSpecs(withClaims, [METADATA_LABELS]);
}

function mergeNamed(
  specs: readonly FieldSpec[],
  config: TransformerConfig,
  list: FieldSpecList,
  what: string,
): readonly FieldSpec[] {
  return within(
    () => `failed to merge ${what} fieldSpec`,
    () => mergeFieldSpecs(specs, config[list]),
  );
}

function annotations(target: Target, config: TransformerConfig): Transformer[] {
  const { commonAnnotations = {} } = target.kustomization;
  if (Object.keys(commonAnnotations).length === 0) return [];
  const file = statement(target, 'commonAnnotations');
  return [mapEntries(commonAnnotations, config.commonAnnotations, file)];
}

function jsonPatches(target: Target): Transformer[] {
  return (target.kustomization.patchesJson6902 ?? []).map((entry, i) => {
    const { target: selector, path = '', patch = '' } = entry;
    const file = statement(target, 'patchesJson6902', i);
    const make = () =>
      json6902Transformer(target.loader, { target: selector, path, jsonOp: patch }, file);
    const config = () => ({ target: selector, path, jsonOp: patch });
    return configured('PatchJson6902Transformer', config, make);
  });
}

function replicas(target: Target, config: TransformerConfig): Transformer[] {
  return (target.kustomization.replicas ?? []).map((entry, i) =>
    replicaTransformer(entry, config.replicas, statement(target, 'replicas', i)),
  );
}

function images(target: Target, config: TransformerConfig): Transformer[] {
  return (target.kustomization.images ?? []).map((entry, i) =>
    imageTransformer(entry, config.images, statement(target, 'images', i)),
  );
}

function replacements(target: Target): Transformer[] {
  const entries = target.kustomization.replacements ?? [];
  if (entries.length === 0) return [];
  const make = () =>
    readReplacements(target.loader, entries, (i) => statement(target, 'replacements', i));
  const config = () => ({ Replacements: entries });
  return [replacementTransformer(configured('ReplacementTransformer', config, make))];
}
