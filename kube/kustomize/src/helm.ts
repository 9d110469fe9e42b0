import type { Json } from '@capstan/kube-object';
import type { FileTree } from '@capstan/lib-files';
import { parseDocuments, type YamlNode } from '@capstan/lib-yaml';
import { HELM_GENERATED } from './annotations.ts';
import type { BuildContext } from './context.ts';
import { BuildFailure, failure, within } from './failure.ts';
import type { HelmChartEntry } from './kustomization.ts';
import type { Loader } from './loader.ts';
import { resourcesFromText } from './read-resources.ts';
import { ResourceSet } from './resource-set.ts';

/** A chart to render, in the terms of `helm template`. */
export interface ChartRequest {
  /** The tree that the kustomization lies in, and its folder there. */
  readonly files: FileTree;
  readonly folder: string;
  readonly chart: HelmChartEntry;
  /** Where charts lie or are pulled to, as a path of the tree; and the configuration home. */
  readonly chartHome: string;
  readonly configHome: string;
  readonly valuesMerge: 'merge' | 'override' | 'replace';
  readonly valuesInline: Readonly<Record<string, Json>>;
  readonly apiVersions: readonly string[];
  readonly kubeVersion: string;
}

/**
 * Renders a chart to YAML. Kustomize knows nothing of Helm: whoever starts the build hands this in. Failures are
 * thrown with the message that a person shall see.
 */
export type RenderChart = (request: ChartRequest) => string;

export interface HelmOptions {
  readonly enabled: boolean;
  readonly command: string;
  readonly apiVersions: readonly string[];
  readonly kubeVersion: string;
  readonly debug: boolean;
  readonly renderChart: RenderChart | undefined;
}

export interface HelmGenerator extends HelmChartEntry {
  chartHome?: string;
  configHome?: string;
}

const MERGES = ['merge', 'override', 'replace'] as const;

/** Checks what a chart entry asks for, in the order and the words of the original. */
export function helmGenerator(loader: Loader, entry: HelmGenerator): () => ResourceSet {
  const { helm } = loader.context;
  if (!helm.enabled) throw failure('must specify --enable-helm');
  if (helm.command === '') throw failure('must specify --helm-command');
  if (!entry.name) throw failure('chart name cannot be empty');
  if (entry.releaseName?.startsWith('-')) {
    throw failure(`releaseName must not start with '-', got "${entry.releaseName}"`);
  }
  if (entry.name.startsWith('-')) {
    throw failure(`chart name must not start with '-', got "${entry.name}"`);
  }
  for (const file of entry.additionalValuesFiles ?? []) {
    within(
      () => 'could not load additionalValuesFile',
      () => loader.load(file),
    );
  }
  const valuesMerge = MERGES.find((option) => option === (entry.valuesMerge || 'override'));
  if (valuesMerge === undefined) {
    throw failure(`valuesMerge must be one of [${MERGES.join(' ')}]`);
  }
  return () => inflate(loader, entry, valuesMerge);
}

function inflate(
  loader: Loader,
  entry: HelmGenerator,
  valuesMerge: (typeof MERGES)[number],
): ResourceSet {
  const { context } = loader;
  const { helm } = context;
  if (helm.command !== 'helm') {
    throw failure(`cannot run '${helm.command}': charts are rendered by Capstan's own Helm`, {
      hint: 'leave out --helm-command',
    });
  }
  if (helm.renderChart === undefined) {
    throw failure(`cannot render chart '${entry.name}': no Helm is set up for this build`, {
      hint: 'pass renderChart to the build',
    });
  }
  const text = helm.renderChart({
    files: loader.volume.tree,
    folder: loader.folder,
    chart: entry,
    chartHome: entry.chartHome || 'charts',
    configHome: entry.configHome ?? '',
    valuesMerge,
    valuesInline: entry.valuesInline ?? {},
    apiVersions: helm.apiVersions.length > 0 ? helm.apiVersions : (entry.apiVersions ?? []),
    kubeVersion: helm.kubeVersion || (entry.kubeVersion ?? ''),
  });
  const resources = readRendered(context, text);
  for (const resource of resources.list) resource.setAnnotation(HELM_GENERATED, 'true');
  return resources;
}

function readRendered(context: BuildContext, text: string): ResourceSet {
  try {
    return new ResourceSet(resourcesFromText(context, () => text, { cacheKey: '', file: 0 }));
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    if (countDocuments(text) === 0) {
      throw failure(`could not parse bytes into resource map: ${error.message}`);
    }
    throw failure(`could not parse rnode slice into resource map: ${error.message}`);
  }
}

function countDocuments(text: string): number {
  let documents: YamlNode[];
  try {
    documents = parseDocuments(text);
  } catch (error) {
    throw failure(`error reading helm output: ${error instanceof Error ? error.message : error}`);
  }
  return documents.length;
}
