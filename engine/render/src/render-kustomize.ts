import {
  type BuildResult,
  type Built,
  build,
  type FieldOrigin,
  type KustomizeCache,
  lenientKustomization,
  type RemoteRequest,
} from '@capstan/kube-kustomize';
import type { JsonObject } from '@capstan/kube-object';
import { type FileTree, joinPath, type RenderTrace, readText } from '@capstan/lib-files';
import { CapstanError, type Diagnostic, hexOf, messageOf } from '@capstan/lib-std';
import { nodeToValue, parseDocuments, parseYaml } from '@capstan/lib-yaml';
import { sha256 } from '@noble/hashes/sha2.js';
import type { DesiredObject } from './desired-state.ts';
import { type FieldSource, fieldLine, type SourcesOf } from './field-sources.ts';
import { kustomizeCharts } from './kustomize-charts.ts';
import { mountedRemotes } from './mounted-remotes.ts';
import {
  findKustomization,
  generateKustomization,
  isEmptyOverlay,
  KUSTOMIZATION_NAMES,
  overlayKustomization,
} from './overlay-kustomization.ts';
import { overlayTree } from './overlay-tree.ts';
import type { ChartRenderer } from './render-helm.ts';
import type { KustomizeOptions } from './render-spec.ts';

interface Rendered {
  readonly objects: readonly DesiredObject[];
  readonly diagnostics: readonly Diagnostic[];
  readonly pending?: readonly RemoteRequest[];
  readonly sourcesOf?: SourcesOf;
}

/** Builds the kustomization in `folder`, with what the delivery lays over it put into the kustomization file first. */
export function renderKustomize(
  tree: FileTree,
  folder: string,
  options: KustomizeOptions & {
    readonly cache?: KustomizeCache;
    readonly renderChart?: ChartRenderer;
  },
): Rendered {
  const { charts, reorder, renderChart, remote } = options;
  const overlaid = withOverlay(tree, folder, options);
  const result = build(overlaid, folder === '' ? '.' : folder, {
    loadRestrictor: options.loadRestriction === 'none' ? 'none' : 'rootOnly',
    ...(reorder === undefined ? {} : { reorder }),
    ...(remote === undefined ? {} : { remotePolicy: remote, remote: mountedRemotes(tree) }),
    ...(charts === undefined || renderChart === undefined
      ? {}
      : {
          enableHelm: true,
          renderChart: kustomizeCharts(renderChart),
          helmKubeVersion: charts.kubeVersion ?? '',
          helmApiVersions: charts.apiVersions ?? [],
        }),
    ...(options.cache === undefined ? {} : { cache: options.cache }),
  });
  if (result.kind === 'built') {
    const sourcesOf: SourcesOf = (index, field) =>
      sourcesIn(result.origins.ofField(index, field), {
        tree,
        folder,
        options,
        isOverlaid: overlaid !== tree,
      });
    return { objects: originsOf(result), diagnostics: result.diagnostics, sourcesOf };
  }
  const warnings = result.diagnostics.filter(({ severity }) => severity === 'warning');
  const diagnostics = [...warnings, explainFailure(result, tree, folder)];
  const pending = result.kind === 'pending' ? { pending: result.requests } : {};
  return { objects: [], diagnostics, ...pending };
}

function originsOf({ objects, origins }: Built): readonly DesiredObject[] {
  return objects.map((object, index) => {
    const origin = origins.ofObject(index);
    if (origin === undefined) return { object };
    const { file, line } = origin;
    return { object, origin: line === undefined ? { file } : { file, line } };
  });
}

/** What stands in a kustomization file that the delivery laid its own fields over may be of either. */
function sourcesIn(
  origin: FieldOrigin | undefined,
  {
    tree,
    folder,
    options,
    isOverlaid,
  }: {
    readonly tree: FileTree;
    readonly folder: string;
    readonly options: KustomizeOptions;
    readonly isOverlaid: boolean;
  },
): readonly FieldSource[] {
  if (origin === undefined) return [];
  const { file, statement, line } = origin;
  const role = statement === undefined ? {} : { role: statement };
  const path = findKustomization(tree, folder);
  const isLaidOver = isOverlaid && file === (path ?? joinPath(folder, KUSTOMIZATION_NAMES[0]!));
  if (!isLaidOver) return [{ file, ...(line === undefined ? {} : { line }), ...role }];
  const found: FieldSource[] = [];
  const field = statement?.replace(/\[\d+\]$/, '') ?? '';
  const names = [field, OVERLAY_NAMES[field] ?? field];
  if (names.some((name) => Object.hasOwn(options.overlay ?? {}, name))) found.push(role);
  const [document] = path === undefined ? [] : parseDocuments(readText(tree, path) ?? '');
  if (path === undefined || document === undefined) return found;
  const own = nodeToValue(document) as JsonObject | null;
  if (own === null || !Object.hasOwn(own, field)) return found;
  return [...found, { file: path, line: fieldLine(document, [field]), role: field }];
}

const OVERLAY_NAMES: { readonly [statement: string]: string } = {
  commonLabels: 'labels',
  commonAnnotations: 'annotations',
};

/** The tree with the delivery's own kustomization in place of the folder's; the tree itself when nothing is to be added. */
function withOverlay(tree: FileTree, folder: string, options: KustomizeOptions): FileTree {
  const path = findKustomization(tree, folder);
  if (path === undefined && options.generateMissing !== true) return tree;
  const isFlux = options.generateMissing === true;
  const own = path === undefined ? undefined : readKustomization(tree, path);
  const given =
    own === undefined
      ? generateKustomization(tree, folder)
      : isFlux
        ? readLeniently(own, path)
        : own;
  const isBare = own !== undefined && isFlux && hasNoResources(given);
  if (given === own && !isBare && isEmptyOverlay(options.overlay)) return tree;
  // Flux keeps a kustomization without resources from being refused as empty in this way.
  const base = isBare ? { ...given, buildMetadata: ['originAnnotations'] } : given;
  const overlaid = overlayKustomization(base, options, { tree, folder });
  const bytes = new TextEncoder().encode(JSON.stringify(overlaid));
  return overlayTree(tree, {
    path: path ?? joinPath(folder, KUSTOMIZATION_NAMES[0]!),
    bytes,
    id: hexOf(sha256(bytes)),
  });
}

function readLeniently(own: JsonObject, path = ''): JsonObject {
  try {
    return lenientKustomization(own);
  } catch (cause) {
    throw new CapstanError('KUSTOMIZATION_INVALID', `${path}: ${messageOf(cause)}`, {
      hint: 'give the field the type that it has in a kustomization',
      cause,
    });
  }
}

function hasNoResources({ resources }: JsonObject): boolean {
  return !Array.isArray(resources) || resources.length === 0;
}

function readKustomization(tree: FileTree, path: string): JsonObject {
  const value = parseKustomization(readText(tree, path) ?? '', path);
  // Kustomize says by itself that it is empty, unless an overlay fills it.
  if (value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value;
  throw new CapstanError('KUSTOMIZATION_INVALID', `${path} is no mapping`, {
    hint: 'write resources and other fields of a kustomization',
  });
}

function parseKustomization(text: string, path: string): ReturnType<typeof parseYaml> {
  try {
    return parseYaml(text);
  } catch (error) {
    const said = messageOf(error).replace(/^error converting YAML to JSON: /, '');
    throw new CapstanError('KUSTOMIZATION_INVALID', `${path}: ${said}`, {
      hint: 'correct the file at this line or near it',
      cause: error,
    });
  }
}

/** The build's own words name what led to the broken file; a person wants the file and the line. */
function explainFailure(
  result: Exclude<BuildResult, { readonly kind: 'built' }>,
  tree: FileTree,
  folder: string,
): Diagnostic {
  const broken = findBrokenFile(result.trace, tree);
  if (broken !== undefined) return broken;
  const location = { file: findKustomization(tree, folder) ?? (folder === '' ? '.' : folder) };
  if (result.kind === 'pending') {
    const message = 'remote resources are not fetched';
    const hint = 'put them into the repository';
    return { severity: 'error', code: 'KUSTOMIZE_BUILD', message, hint, location };
  }
  const { code, message, hint } = result.error;
  return {
    severity: 'error',
    code,
    message: `kustomize build: ${message}`,
    ...(hint === undefined ? {} : { hint }),
    location,
  };
}

function findBrokenFile(trace: RenderTrace, tree: FileTree): Diagnostic | undefined {
  for (const [path, id] of trace.files) {
    if (id === undefined || !/(?:\.ya?ml|\/Kustomization|^Kustomization)$/.test(path)) continue;
    const text = readText(tree, path);
    if (text === undefined) continue;
    try {
      parseDocuments(text);
    } catch (error) {
      const found = /^yaml: line (\d+): ([\s\S]*)$/.exec(messageOf(error));
      const line = found === null ? {} : { line: Number(found[1]) };
      return {
        severity: 'error',
        code: 'YAML_SYNTAX',
        message: `invalid YAML: ${found?.[2] ?? messageOf(error)}`,
        hint: 'correct the file at this line or near it',
        location: { file: path, ...line },
      };
    }
  }
  return undefined;
}
