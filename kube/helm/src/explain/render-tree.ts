import { type FileTree, type RenderTrace, recordTrace } from '@capstan/lib-files';
import type { Values } from '../chart.ts';
import { loadChart } from '../load-chart.ts';
import { type RenderedChart, type RenderOptions, renderChart } from '../render-chart.ts';

/**
 * Loads and renders the chart in the folder `path` of a tree, and says what of the tree was read: as long as `traceHolds`
 * for a newer tree, values and options being the same, the render holds too.
 */
export function renderChartTree(
  tree: FileTree,
  path: string,
  { values, ...options }: RenderOptions & { readonly values: Values },
): RenderedChart & { readonly trace: RenderTrace } {
  const recorded = recordTrace(tree);
  const chart = loadChart(recorded.tree, path);
  return { ...renderChart(chart, values, options), trace: recorded.trace };
}
