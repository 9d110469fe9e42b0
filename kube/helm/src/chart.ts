import type { GoDict } from '@capstan/lib-gotemplate';

/** Values as templates see them: map[string]interface{} of Go, numbers are float64. */
export type Values = GoDict;

export interface ChartFile {
  /** Path from the chart's folder, '/' between names. */
  readonly name: string;
  readonly data: Uint8Array;
}

export interface Maintainer {
  readonly name: string;
  readonly email: string;
  readonly url: string;
}

export interface ChartDependency {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
  readonly condition: string;
  readonly tags: readonly string[];
  readonly enabled: boolean;
  /** Each a name under the child's `exports`, or a pair of paths. */
  readonly importValues: readonly (string | { readonly child: string; readonly parent: string })[];
  readonly alias: string;
}

/** Chart.yaml. A text that was not given is ''. */
export interface ChartMetadata {
  readonly apiVersion: string;
  readonly name: string;
  readonly version: string;
  readonly kubeVersion: string;
  readonly appVersion: string;
  readonly description: string;
  readonly home: string;
  readonly icon: string;
  readonly type: string;
  readonly condition: string;
  readonly tags: string;
  readonly deprecated: boolean;
  readonly keywords: readonly string[];
  readonly sources: readonly string[];
  readonly maintainers: readonly Maintainer[];
  readonly dependencies: readonly ChartDependency[];
  readonly annotations: Readonly<Record<string, string>> | null;
}

export interface ChartLock {
  readonly generated: string;
  readonly digest: string;
  readonly dependencies: readonly ChartDependency[];
}

/** A chart with all its subcharts. Nothing here changes: processing gives new charts. */
export interface Chart {
  readonly metadata: ChartMetadata;
  readonly lock: ChartLock | null;
  /** The defaults of values.yaml. */
  readonly values: Values;
  readonly schema: Uint8Array | null;
  readonly templates: readonly ChartFile[];
  /** What is neither a template nor known: README, crds/, files for .Files. */
  readonly files: readonly ChartFile[];
  /** Every file as it was found, for `show` and for packing. */
  readonly raw: readonly ChartFile[];
  readonly dependencies: readonly Chart[];
  /** The name in Chart.yaml, of a chart that stands under an alias. */
  readonly ownName?: string;
}

export function isLibraryChart(chart: Chart): boolean {
  return chart.metadata.type.toLowerCase() === 'library';
}

/** The path of a subchart under the path of its parent, as in `# Source:` lines. */
export function subchartPath(parentPath: string, chart: Chart): string {
  return `${parentPath}/charts/${chart.metadata.name}`;
}

export interface ChartCrd {
  /** With the path of its chart: `app/charts/db/crds/x.yaml`. */
  readonly fileName: string;
  readonly data: Uint8Array;
}

/** The manifests under crds/ of a chart and its subcharts, in the order in which helm installs them. */
export function chartCrds(chart: Chart, path = chart.metadata.name): readonly ChartCrd[] {
  const own = chart.files
    .filter((file) => file.name.startsWith('crds/') && /\.(ya?ml|json)$/i.test(file.name))
    .map((file) => ({ fileName: `${path}/${file.name}`, data: file.data }));
  return [
    ...own,
    ...chart.dependencies.flatMap((child) => chartCrds(child, subchartPath(path, child))),
  ];
}
