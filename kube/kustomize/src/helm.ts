import type { Json } from '@capstan/kube-object';
import type { FileTree } from '@capstan/lib-files';
import { parseDocuments, toYaml, type YamlNode } from '@capstan/lib-yaml';
import { HELM_GENERATED } from './annotations.ts';
import type { BuildContext } from './context.ts';
import { BuildFailure, failure, within } from './failure.ts';
import type { HelmChartEntry } from './kustomization.ts';
import { cleanAbsolute, type Loader } from './loader.ts';
import { toValue } from './node-value.ts';
import { readTree, resourcesFromText } from './read-resources.ts';
import { ResourceSet } from './resource-set.ts';
import { strategicMerge } from './strategic-merge.ts';
import { decodeText } from './utf8.ts';

/** A chart to render, in the terms of `helm template`. */
export interface ChartRequest {
  readonly chart: HelmChartEntry;
  /** The tree that the chart lies in, and its folder there. */
  readonly files: FileTree;
  readonly path: string;
  /** The texts of values files; what a later one says wins. */
  readonly values: readonly string[];
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
type ValuesMerge = (typeof MERGES)[number];

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
  const additional = (entry.additionalValuesFiles ?? []).map((file) =>
    within(
      () => 'could not load additionalValuesFile',
      () => decodeText(loader.load(file).bytes),
    ),
  );
  const valuesMerge = MERGES.find((option) => option === (entry.valuesMerge || 'override'));
  if (valuesMerge === undefined) {
    throw failure(`valuesMerge must be one of [${MERGES.join(' ')}]`);
  }
  return () => inflate(loader, { ...entry, valuesMerge }, additional);
}

function inflate(
  loader: Loader,
  entry: HelmGenerator & { readonly valuesMerge: ValuesMerge },
  additional: readonly string[],
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
  const place = findChart(loader, entry);
  const { valuesInline = {}, valuesMerge } = entry;
  const own = () => ownValues(loader, entry, place);
  const values =
    Object.keys(valuesInline).length === 0
      ? own()
      : valuesMerge === 'replace'
        ? toYaml(valuesInline)
        : mergeValues(context, { own: own(), inline: valuesInline, valuesMerge });
  // What an entry says goes before what the command line says.
  const text = helm.renderChart({
    chart: entry,
    files: place.files,
    path: place.path,
    values: [values, ...additional],
    apiVersions: entry.apiVersions?.length ? entry.apiVersions : helm.apiVersions,
    kubeVersion: entry.kubeVersion || helm.kubeVersion,
  });
  const resources = readRendered(context, text);
  for (const resource of resources.list) resource.setAnnotation(HELM_GENERATED, 'true');
  return resources;
}

interface ChartPlace {
  readonly files: FileTree;
  readonly path: string;
  /** The chart's folder as an absolute path, when it is one of the build's own tree. */
  readonly local?: string;
}

/** The chart in its home, or else what its repository has. */
function findChart(loader: Loader, entry: HelmGenerator): ChartPlace {
  const { name = '', version = '', repo = '', devel = false } = entry;
  const home = entry.chartHome || 'charts';
  const parts = [home.startsWith('/') ? home : `${loader.root}/${home}`];
  if (version !== '' && repo !== '') parts.push(`${name}-${version}`);
  const local = cleanAbsolute([...parts, name].join('/'));
  const path = loader.folderAt(local);
  if (path !== undefined) return { files: loader.volume.tree, path, local };
  if (repo === '') throw failure("no repo specified for pull, no chart found at ''");
  return { files: loader.pullChart({ repo, name, version, devel }), path: '' };
}

/** The text of the values file that the entry names, or of the chart's own. */
function ownValues(loader: Loader, entry: HelmGenerator, { files, local }: ChartPlace): string {
  if (entry.valuesFile) return decodeText(loader.load(entry.valuesFile).bytes);
  if (local !== undefined) return decodeText(loader.load(`${local}/values.yaml`).bytes);
  const bytes = files.readFile('values.yaml');
  if (bytes === undefined) throw failure(`chart '${entry.name}' has no values.yaml`);
  return decodeText(bytes);
}

/** Lays inline values over those of a file, or those of the file over the inline ones: as patches, so null removes. */
function mergeValues(
  context: BuildContext,
  given: {
    readonly own: string;
    readonly inline: Readonly<Record<string, Json>>;
    readonly valuesMerge: ValuesMerge;
  },
): string {
  const own = within(
    () => 'could not parse values file into rnode',
    () => readTree(context, given.own),
  );
  const inline = readTree(context, toYaml(given.inline));
  const [target, patch] = given.valuesMerge === 'override' ? [own, inline] : [inline, own];
  const merged = within(
    () => 'could not merge values',
    () => strategicMerge(target, patch, { openApi: context.openApi, listIncrease: 'append' }),
  );
  return toYaml(merged === undefined ? {} : toValue(merged));
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
