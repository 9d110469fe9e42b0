import type { KubeObject } from '@capstan/kube-object';
import { type FileTree, type RenderTrace, recordTrace } from '@capstan/lib-files';
import { parseYaml } from '@capstan/lib-yaml';
import type { Values } from '../chart.ts';
import { loadChart } from '../load-chart.ts';
import { type RenderedChart, type RenderOptions, renderChart } from '../render-chart.ts';
import { type FieldOrigin, fieldOrigins, type ValuesLayer } from './field-origins.ts';

export interface RenderTreeOptions extends RenderOptions {
  readonly values: Values;
  /** The files that the values come from, for origins: later ones over earlier ones. */
  readonly layers?: readonly ValuesLayer[];
}

export interface RenderedTree extends RenderedChart {
  /** One for each manifest. */
  readonly objects: readonly KubeObject[];
  readonly trace: RenderTrace;
  /** What made the fields of the object at an index: worked out when it is asked for. */
  readonly origins: (index: number) => readonly FieldOrigin[];
}

/**
 * Loads and renders the chart in the folder `path` of a tree, and says what of the tree was read: as long as `traceHolds`
 * for a newer tree, values and options being the same, the render holds too.
 */
export function renderChartTree(
  tree: FileTree,
  path: string,
  { values, layers = [], ...options }: RenderTreeOptions,
): RenderedTree {
  const recorded = recordTrace(tree);
  const chart = loadChart(recorded.tree, path);
  const rendered = renderChart(chart, values, options);
  return {
    ...rendered,
    objects: rendered.manifests.map(({ content }) => parseYaml(content) as unknown as KubeObject),
    trace: recorded.trace,
    origins: (index) => {
      const manifest = rendered.manifests[index];
      return manifest === undefined ? [] : fieldOrigins(manifest, rendered.chart, layers);
    },
  };
}
