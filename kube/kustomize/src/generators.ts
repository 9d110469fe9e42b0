import { type DataValue, fillConfigMap, fillSecret, type Sourced } from './data-map.ts';
import { failure, within } from './failure.ts';
import { loadPairs } from './key-values.ts';
import type { GeneratorArgs, GeneratorOptions } from './kustomization.ts';
import type { Loader } from './loader.ts';
import {
  addContent,
  type KNode,
  makeNode,
  mapping,
  scalar,
  setField,
  stringScalar,
} from './node.ts';
import { compareText } from './res-id.ts';
import { parseBehavior, Resource, setMetaEntry } from './resource.ts';

/** Options of the kustomization under those of one generator: own maps win, a flag set in either is set. */
export function mergeOptions(
  own: GeneratorOptions | undefined,
  common: GeneratorOptions | undefined,
): GeneratorOptions | undefined {
  if (common === undefined) return own;
  const merge = (name: 'labels' | 'annotations') => {
    const both = { ...common[name], ...own?.[name] };
    return own?.[name] === undefined && common[name] === undefined ? {} : { [name]: both };
  };
  return {
    ...merge('labels'),
    ...merge('annotations'),
    ...(own?.disableNameSuffixHash || common.disableNameSuffixHash
      ? { disableNameSuffixHash: true }
      : {}),
    ...(own?.immutable || common.immutable ? { immutable: true } : {}),
  };
}

/** The ConfigMap or Secret that the arguments ask for. `file` is the statement that does. */
export function generate(
  kind: 'ConfigMap' | 'Secret',
  loader: Loader,
  args: GeneratorArgs,
  file: number,
): Resource {
  const root = baseNode(kind, args, file);
  if (kind === 'Secret') setField(root, 'type', stringScalar(args.type || 'Opaque', file));
  const values = dataMap(loader, args, file);
  if (kind === 'ConfigMap') fillConfigMap(root, values);
  else fillSecret(root, values);
  for (const field of ['labels', 'annotations'] as const) {
    const entries = args.options?.[field] ?? {};
    for (const key of Object.keys(entries).sort(compareText)) {
      setMetaEntry(root, field, key, entries[key]!, file);
    }
  }
  if (args.options?.immutable)
    setField(root, 'immutable', makeNode('scalar', '!!bool', 'true', file));
  const resource = new Resource(root, loader.context.openApi);
  if (!args.options?.disableNameSuffixHash) resource.enableHash();
  resource.behavior = parseBehavior(args.behavior);
  return resource;
}

function baseNode(kind: string, args: GeneratorArgs, file: number): KNode {
  if (!args.name) throw failure('a configmap must have a name');
  const root = mapping(file);
  setField(root, 'apiVersion', plain('v1', file));
  setField(root, 'kind', plain(kind, file));
  const metadata = mapping(file);
  addContent(root, scalar('metadata', file), metadata);
  setField(metadata, 'name', stringScalar(args.name, file));
  if (args.namespace) setField(metadata, 'namespace', stringScalar(args.namespace, file));
  return root;
}

function plain(value: string, file: number): KNode {
  return makeNode('scalar', '!!str', value, file);
}

function dataMap(
  loader: Loader,
  args: GeneratorArgs,
  file: number,
): Map<string, Sourced<DataValue>> {
  const pairs = within(
    () => 'loading KV pairs',
    () => loadPairs(loader, args, file),
  );
  const values = new Map<string, Sourced<DataValue>>();
  for (const pair of pairs) {
    if (values.has(pair.key)) {
      throw failure(`configmap ${args.name} illegally repeats the key \`${pair.key}\``);
    }
    values.set(pair.key, pair);
  }
  return values;
}
