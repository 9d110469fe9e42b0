import type { KubeObject } from '@capstan/kube-object';
import { type FileTree, type RenderTrace, recordTrace } from '@capstan/lib-files';
import { type CapstanError, type Diagnostic, messageOf } from '@capstan/lib-std';
import { toYaml, type YamlValue } from '@capstan/lib-yaml';
import { BUILD_ANNOTATIONS, ORIGIN, TRANSFORMATIONS } from './annotations.ts';
import { KustomizeCache } from './cache.ts';
import { BuildContext, type BuildLimits, DEFAULT_BUILD_LIMITS } from './context.ts';
import { failure, publicError, within, withPrefix } from './failure.ts';
import type { RenderChart } from './helm.ts';
import { confirmFolder, enterRepository, Loader, type Volume } from './loader.ts';
import { goSyntaxOf } from './node-value.ts';
import { createOrigins, type Origins } from './origins.ts';
import type { RemotePolicy, RemotePort, RemoteRequest } from './remote.ts';
import { parseRepoSpec } from './repo-spec.ts';
import { effectiveNamespace, NOT_A_NAMESPACE } from './res-id.ts';
import type { Resource } from './resource.ts';
import type { ResourceSet } from './resource-set.ts';
import { resourceValue } from './resource-text.ts';
import { sortResources } from './sort-order.ts';
import { makeResources, Target } from './target.ts';
import { fieldSpec } from './transformer-config.ts';
import { mapEntries } from './transformers/labels.ts';

/** The version of the original that this package follows. */
export const KUSTOMIZE_VERSION = 'v5.8.2';

export interface BuildOptions {
  /**
   * The absolute path that stands for the tree's root in messages, '/' when not given. With `wholeFileSystem` the tree
   * is all there is, and a path that climbs over its root stays there, as on a disk; otherwise that is refused.
   */
  readonly root?: string;
  readonly wholeFileSystem?: boolean;
  /** What a relative path to build is relative to: an absolute path. The root when not given. */
  readonly workingDirectory?: string;
  /** Whether files outside a kustomization's own folder may be read. Default `rootOnly`. */
  readonly loadRestrictor?: 'rootOnly' | 'none';
  /** The order of the output when the kustomization has no `sortOptions`. Default `legacy`. */
  readonly reorder?: 'legacy' | 'none';
  /** Adds the label `app.kubernetes.io/managed-by`. */
  readonly managedByLabel?: boolean;
  readonly enableHelm?: boolean;
  readonly helmCommand?: string;
  readonly helmApiVersions?: readonly string[];
  readonly helmKubeVersion?: string;
  readonly helmDebug?: boolean;
  readonly renderChart?: RenderChart;
  /** As the flag of that name: accepted, and each plugin that is not built in is refused by name. */
  readonly enableAlphaPlugins?: boolean;
  readonly remote?: RemotePort;
  readonly remotePolicy?: RemotePolicy;
  readonly limits?: Partial<BuildLimits>;
  /** Milliseconds of a clock, for the limit of time. */
  readonly now?: () => number;
  /** Files read before; see `KustomizeCache`. */
  readonly cache?: KustomizeCache;
}

interface Read {
  /** All that the build saw of the tree. */
  readonly trace: RenderTrace;
  /** Warnings, in the order in which they came; the error of a failed build is the last one. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface Built extends Read {
  readonly kind: 'built';
  readonly objects: readonly KubeObject[];
  /** The text that `kustomize build` prints. */
  readonly yaml: string;
  /** The text of each object, as `yaml` holds it. */
  readonly documents: readonly string[];
  /** The namespace of each object, `default` where none is given; undefined for what is known to have none. */
  readonly namespaces: readonly (string | undefined)[];
  readonly origins: Origins;
}

/**
 * What came of a build. `pending`: remote content is needed that the port does not have yet; fetch what `requests`
 * name and build again. A failed build has no objects, so that nobody takes it for an empty one.
 */
export type BuildResult =
  | Built
  | (Read & { readonly kind: 'failed'; readonly error: CapstanError })
  | (Read & { readonly kind: 'pending'; readonly requests: readonly RemoteRequest[] });

/**
 * Builds the kustomization in the folder at `path`, as `kustomize build` of 5.8.2 does: the same bytes, the same
 * messages. Synchronous and pure: reads nothing but the tree and the ports. Never throws for bad input.
 */
export function build(files: FileTree, path: string, options: BuildOptions = {}): BuildResult {
  const { tree, trace } = recordTrace(files);
  const context = makeContext(options);
  try {
    const loader = openLoader(context, tree, path, options);
    const target = new Target(loader);
    const resources = finish(target, makeResources(target), options);
    const origins = createOrigins(resources, context.sources, files);
    return print(resources, { trace, diagnostics: context.diagnostics, origins });
  } catch (error) {
    if (context.openRequests.length > 0) {
      return {
        kind: 'pending',
        requests: context.openRequests,
        trace,
        diagnostics: context.diagnostics,
      };
    }
    const shown = publicError(error);
    context.diagnostics.push({
      severity: 'error',
      code: shown.code,
      message: shown.message,
      ...(shown.hint === undefined ? {} : { hint: shown.hint }),
    });
    return { kind: 'failed', error: shown, trace, diagnostics: context.diagnostics };
  }
}

function makeContext(options: BuildOptions): BuildContext {
  return new BuildContext({
    cache: options.cache ?? new KustomizeCache(),
    loadRestrictor: options.loadRestrictor ?? 'rootOnly',
    limits: { ...DEFAULT_BUILD_LIMITS, ...options.limits },
    wholeFileSystem: options.wholeFileSystem ?? false,
    alphaPlugins: options.enableAlphaPlugins ?? false,
    helm: {
      // Alpha plugins bring their own configuration, in which Helm is off.
      enabled: options.enableHelm === true && options.enableAlphaPlugins !== true,
      command: options.helmCommand ?? 'helm',
      apiVersions: options.helmApiVersions ?? [],
      kubeVersion: options.helmKubeVersion ?? '',
      debug: options.helmDebug ?? false,
      renderChart: options.renderChart,
    },
    remote: options.remote,
    remotePolicy: options.remotePolicy,
    now: options.now,
  });
}

function openLoader(
  context: BuildContext,
  tree: FileTree,
  path: string,
  options: BuildOptions,
): Loader {
  const spec = parseRepoSpec(path);
  if (spec !== undefined) return enterRepository(context, spec);
  const mount = (options.root ?? '/').replace(/\/+$/, '');
  const volume: Volume = { tree, mount, resolved: new Map() };
  const base = options.workingDirectory ?? mount;
  const folder = within(
    () => 'must build at directory',
    () => {
      if (path === '') throw failure('directory path cannot be empty');
      return confirmFolder(volume, path.startsWith('/') ? path : `${base}/${path}`, path);
    },
  );
  return new Loader(context, { volume, folder });
}

const MANAGED_BY = fieldSpec({ path: 'metadata/labels', create: true });

/** What is done to the outermost result only: order, the managed-by label, and the build's own annotations removed. */
function finish(target: Target, resources: ResourceSet, options: BuildOptions): ResourceSet {
  const { context } = target.loader;
  const { sortOptions } = target.kustomization;
  const { buildMetadata } = target;
  if (sortOptions !== undefined) {
    if (options.reorder !== undefined) {
      context.warn(
        "Warning: Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI flag ('--reorder'). Using the kustomization file over the CLI flag.",
        'KUSTOMIZE_LOGGED',
      );
    }
    sortResources(resources, sortOptions);
  } else if (options.reorder !== 'none') {
    sortResources(resources, { order: 'legacy' });
  }
  if (options.managedByLabel === true || buildMetadata.includes('managedByLabel')) {
    const entries = { 'app.kubernetes.io/managed-by': `kustomize-${KUSTOMIZE_VERSION}` };
    const file = context.sources.statement(target.filePath, 'buildMetadata');
    mapEntries(entries, [MANAGED_BY], file).transform(resources, context);
  }
  const keepsOrigin = buildMetadata.includes('originAnnotations');
  const keepsTransformations = buildMetadata.includes('transformerAnnotations');
  const dropped = [
    ...BUILD_ANNOTATIONS,
    ...(keepsOrigin ? [] : [ORIGIN]),
    ...(keepsTransformations ? [] : [TRANSFORMATIONS]),
  ];
  for (const resource of resources.list) {
    resource.dropAnnotations(dropped, !keepsOrigin || !keepsTransformations);
  }
  return resources;
}

/** The texts of a result. The objects are made when they are first asked for: many callers want the text alone. */
function print(
  resources: ResourceSet,
  known: Pick<Built, 'trace' | 'diagnostics' | 'origins'>,
): Built {
  const documents = resources.list.map((resource) => {
    try {
      return toYaml(resourceValue(resource));
    } catch (error) {
      throw unprintable(resource, error);
    }
  });
  const namespaces = resources.list.map((resource) => {
    const namespace = effectiveNamespace(resource.curId);
    return namespace === NOT_A_NAMESPACE ? undefined : namespace;
  });
  let objects: readonly KubeObject[] | undefined;
  return {
    ...known,
    kind: 'built',
    get objects() {
      objects ??= resources.list.map(resourceValue).filter(isObject);
      return objects;
    },
    documents,
    namespaces,
    yaml: documents.join('---\n'),
  };
}

/** What the original says of a resource that is no JSON: it prints the tree, and reads that again. */
function unprintable(resource: Resource, error: unknown): unknown {
  const { node } = resource;
  if (node === undefined) return error;
  // A value that Go can hold but JSON cannot is printed with the rest; what Go cannot read leaves nothing to print.
  if (/^yaml: (?!json: )/.test(messageOf(error))) {
    return withPrefix(error, 'map[string]interface {}(nil)');
  }
  const shown = failure(messageOf(error).replace(/^yaml: json: /, 'json: '));
  return withPrefix(shown, goSyntaxOf(node));
}

/** Kind, version and name were required when the resource was read. */
function isObject(value: YamlValue): value is YamlValue & KubeObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
