import type { Json } from '@capstan/kube-object';
import { failure, within } from './failure.ts';
import { generate } from './generators.ts';
import { bool, decodeJson, list, type Shape, struct, text } from './go-json.ts';
import { contentHash } from './hash.ts';
import { helmGenerator } from './helm.ts';
import { iamPolicy } from './iam-policy.ts';
import * as k from './kustomization.ts';
import type { Loader } from './loader.ts';
import type { Origin } from './origin-annotations.ts';
import { pluginOrigin } from './origin-annotations.ts';
import { idText } from './res-id.ts';
import type { Resource } from './resource.ts';
import { ResourceSet } from './resource-set.ts';
import { resourceYaml } from './resource-text.ts';
import { fieldSpec } from './transformer-config.ts';
import { imageTransformer } from './transformers/images.ts';
import { mapEntries } from './transformers/labels.ts';
import { nameAffix } from './transformers/names.ts';
import { namespaceTransformer, type SubjectMode } from './transformers/namespace.ts';
import {
  json6902Transformer,
  patchTransformer,
  strategicMergeTransformer,
} from './transformers/patches.ts';
import { type PlacedReplacement, replacementTransformer } from './transformers/replacements.ts';
import { replicaTransformer } from './transformers/replicas.ts';
import type { Transformer } from './transformers/transformer.ts';
import { valueAddTransformer } from './transformers/value-add.ts';
import { decodeText } from './utf8.ts';
import { yamlValue } from './yaml-value.ts';

/** Makes resources. */
export type Generator = () => ResourceSet;

/** A plugin that is configured by a resource of its own, and the origin it leaves in annotations. */
export interface Plugin {
  readonly generator?: Generator;
  readonly transformer?: Transformer;
  readonly origin: Origin | undefined;
}

const specs = list(k.fieldSpecShape);
const meta = { kind: text, apiVersion: text, metadata: k.objectMetaShape };

interface PluginInput {
  readonly loader: Loader;
  readonly resource: Resource;
  readonly yaml: string;
  /** The number of the source that the plugin's configuration is. */
  readonly file: number;
}

function read<T>(input: PluginInput, shape: Shape<T>): T {
  const value: Json = yamlValue(input.yaml);
  return within(
    () => 'error unmarshaling JSON: while decoding JSON',
    () => decodeJson(value, shape),
  );
}

function withMeta(input: PluginInput, args: k.GeneratorArgs): k.GeneratorArgs {
  const { metadata } = read(input, struct('ConfigMapGeneratorPlugin', meta));
  return {
    ...args,
    ...(args.name || metadata?.name === undefined ? {} : { name: metadata.name }),
    ...(args.namespace || metadata?.namespace === undefined
      ? {}
      : { namespace: metadata.namespace }),
  };
}

function generatorOf(kind: 'ConfigMap' | 'Secret', input: PluginInput): Generator {
  const shape = kind === 'ConfigMap' ? k.configMapArgsShape : k.secretArgsShape;
  const args = withMeta(input, read<k.GeneratorArgs>(input, shape));
  return () => new ResourceSet([generate(kind, input.loader, args, input.file)]);
}

type Make = (input: PluginInput) => Omit<Plugin, 'origin'>;

const prefixShape = struct('PrefixTransformerPlugin', {
  prefix: text,
  suffix: text,
  fieldSpecs: specs,
});

function affix(where: 'prefix' | 'suffix', input: PluginInput): Transformer {
  const config = read(input, prefixShape);
  if (config.fieldSpecs === undefined) throw failure('fieldSpecs is not expected to be nil');
  return nameAffix(where, config[where] ?? '', config.fieldSpecs.map(fieldSpec), input.file);
}

/** The built-in plugins that can be configured by file. */
const BUILTINS: Readonly<Record<string, Make>> = {
  ConfigMapGenerator: (input) => ({ generator: generatorOf('ConfigMap', input) }),
  SecretGenerator: (input) => ({ generator: generatorOf('Secret', input) }),
  IAMPolicyGenerator: (input) => ({
    generator: () => iamPolicy(yamlValue(input.yaml), input.loader.context, input.file),
  }),
  HelmChartInflationGenerator: (input) => {
    // The name of the release is asked for in `name`, not in the metadata.
    return { generator: helmGenerator(input.loader, read(input, k.helmGeneratorShape)) };
  },
  AnnotationsTransformer: (input) => {
    const shape = struct('AnnotationsTransformerPlugin', {
      annotations: k.objectMetaShape.fields.annotations,
      fieldSpecs: specs,
    });
    const { annotations = {}, fieldSpecs = [] } = read(input, shape);
    return { transformer: mapEntries(annotations, fieldSpecs.map(fieldSpec), input.file) };
  },
  LabelTransformer: (input) => {
    const shape = struct('LabelTransformerPlugin', {
      labels: k.objectMetaShape.fields.labels,
      fieldSpecs: specs,
    });
    const { labels = {}, fieldSpecs = [] } = read(input, shape);
    return { transformer: mapEntries(labels, fieldSpecs.map(fieldSpec), input.file) };
  },
  HashTransformer: () => ({ transformer: { transform: addHashes } }),
  ImageTagTransformer: (input) => {
    const shape = struct('ImageTagTransformerPlugin', {
      imageTag: k.imageShape,
      fieldSpecs: specs,
    });
    const { imageTag = {}, fieldSpecs = [] } = read(input, shape);
    return { transformer: imageTransformer(imageTag, fieldSpecs.map(fieldSpec), input.file) };
  },
  NamespaceTransformer: (input) => ({ transformer: namespaceOf(input) }),
  PatchJson6902Transformer: (input) => {
    const shape = struct('PatchJson6902TransformerPlugin', {
      target: k.selectorShape,
      path: text,
      jsonOp: text,
    });
    const { target, path = '', jsonOp = '' } = read(input, shape);
    return { transformer: json6902Transformer(input.loader, { target, path, jsonOp }, input.file) };
  },
  PatchStrategicMergeTransformer: (input) => {
    const shape = struct('PatchStrategicMergeTransformerPlugin', {
      paths: list(k.patchPathShape, ''),
      patches: text,
    });
    const { paths = [], patches = '' } = read(input, shape);
    const file = () => input.file;
    return { transformer: strategicMergeTransformer(input.loader, { paths, patches }, file) };
  },
  PatchTransformer: (input) => ({
    transformer: patchTransformer(input.loader, read(input, k.patchPluginShape), {
      file: input.file,
      configText: () => input.yaml,
    }),
  }),
  PrefixTransformer: (input) => ({ transformer: affix('prefix', input) }),
  SuffixTransformer: (input) => ({ transformer: affix('suffix', input) }),
  PrefixSuffixTransformer: (input) => {
    const both = [affix('prefix', input), affix('suffix', input)];
    return {
      transformer: {
        transform: (resources, context) => {
          for (const transformer of both) transformer.transform(resources, context);
        },
      },
    };
  },
  ReplacementTransformer: (input) => {
    const shape = struct('ReplacementTransformerPlugin', {
      replacements: list(k.replacementFieldShape),
    });
    const { replacements = [] } = read(input, shape);
    const placed = readReplacements(input.loader, replacements, () => input.file);
    return { transformer: replacementTransformer(placed) };
  },
  ReplicaCountTransformer: (input) => {
    const shape = struct('ReplicaCountTransformerPlugin', {
      replica: k.replicaShape,
      fieldSpecs: specs,
    });
    const { replica = {}, fieldSpecs = [] } = read(input, shape);
    return { transformer: replicaTransformer(replica, fieldSpecs.map(fieldSpec), input.file) };
  },
  ValueAddTransformer: (input) => ({
    transformer: valueAddTransformer(input.loader, yamlValue(input.yaml), input.file),
  }),
};

function namespaceOf(input: PluginInput): Transformer {
  const shape = struct('NamespaceTransformerPlugin', {
    metadata: k.objectMetaShape,
    fieldSpecs: specs,
    unsetOnly: bool,
    setRoleBindingSubjects: text,
  });
  const config = within(
    () => 'unmarshalling NamespaceTransformer config',
    () => read(input, shape),
  );
  const subjects = config.setRoleBindingSubjects || 'defaultOnly';
  if (!isSubjectMode(subjects)) {
    throw failure(
      `invalid value "${subjects}" for setRoleBindingSubjects: must be one of "defaultOnly", "none" or "allServiceAccounts"`,
    );
  }
  return namespaceTransformer({
    namespace: config.metadata?.namespace ?? '',
    specs: (config.fieldSpecs ?? []).map(fieldSpec),
    unsetOnly: config.unsetOnly ?? false,
    subjects,
    file: input.file,
  });
}

function isSubjectMode(value: string): value is SubjectMode {
  return value === 'defaultOnly' || value === 'none' || value === 'allServiceAccounts';
}

/** Appends the hash of its content to the name of each resource that asks for it. */
export function addHashes(resources: ResourceSet): void {
  for (const resource of resources.list) {
    if (!resource.needsHash) continue;
    const hash = contentHash(resource);
    resource.storePreviousId();
    resource.setName(`${resource.name}-${hash}`);
  }
  resources.idsChanged();
}

/** The replacements of a list, those in files of their own read in. */
export function readReplacements(
  loader: Loader,
  entries: readonly k.ReplacementField[],
  file: (index: number) => number,
): PlacedReplacement[] {
  return entries.flatMap((entry, i) => {
    const { path, ...replacement } = entry;
    if (!path) return [{ replacement, file: file(i) }];
    if (replacement.source !== undefined || replacement.targets?.length) {
      throw failure('cannot specify both path and inline replacement');
    }
    const loaded = loader.load(path);
    const from = loader.context.sources.file(loaded.path);
    const value: Json = yamlValue(decodeText(loaded.bytes));
    const decode = (item: Json) =>
      within(
        () => 'error unmarshaling JSON: while decoding JSON',
        () => decodeJson(item, k.replacementShape),
      );
    if (Array.isArray(value))
      return value.map((item: Json) => ({ replacement: decode(item), file: from }));
    if (typeof value === 'object' && value !== null)
      return [{ replacement: decode(value), file: from }];
    throw failure(
      `unsupported replacement type encountered within replacement path: ${value === null ? 'invalid' : goKind(value)}`,
    );
  });
}

function goKind(value: Json): string {
  if (typeof value === 'string') return 'string';
  return typeof value === 'boolean' ? 'bool' : 'float64';
}

/** The plugin that a resource configures. Only built-in ones are run; functions and programs are refused. */
export function loadPlugin(loader: Loader, resource: Resource, file: number): Plugin {
  const make = findBuiltin(loader, resource);
  const yaml = within(
    () => `marshalling yaml from res ${idText(resource.orgId)}`,
    () => resourceYaml(resource),
  );
  const made = within(
    () => `plugin ${idText(resource.orgId)} fails configuration`,
    () => make({ loader, resource, yaml, file }),
  );
  return { ...made, origin: pluginOrigin(resource) };
}

function findBuiltin(loader: Loader, resource: Resource): Make {
  const { group, version, kind } = resource.gvk;
  if (group === '' && version === 'builtin') {
    const make = Object.hasOwn(BUILTINS, kind) ? BUILTINS[kind] : undefined;
    if (make === undefined) throw failure(`unable to load builtin ${kind}.builtin.[noGrp]`);
    return make;
  }
  if (!loader.context.alphaPlugins) {
    throw failure(
      `external plugins disabled; unable to load external plugin '${resource.orgId.kind}'`,
    );
  }
  throw failure(`plugin ${idText(resource.orgId)} is refused: ${refusal(resource)}`, {
    hint: 'use a built-in transformer or generator, or run the function beforehand and commit what it makes',
  });
}

function refusal(resource: Resource): string {
  const annotations = resource.annotations;
  const spec =
    annotations.get('config.kubernetes.io/function') ?? annotations.get('config.k8s.io/function');
  const image = /image:\s*["']?([^\s"'}]+)/.exec(spec ?? '')?.[1];
  if (image !== undefined)
    return `Capstan does not run containers, and it asks for image '${image}'`;
  const path = /path:\s*["']?([^\s"'}]+)/.exec(spec ?? '')?.[1];
  if (path !== undefined) return `Capstan does not run programs, and it asks for '${path}'`;
  return 'Capstan does not run exec or Go plugins';
}
