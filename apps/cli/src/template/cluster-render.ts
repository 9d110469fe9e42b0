import { resolve } from 'node:path';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import {
  type Chart,
  ChartError,
  type RenderedChart,
  type RenderOptions,
  renderRelease,
  type Values,
} from '@capstan/kube-helm';
import { messageOf } from '@capstan/lib-std';
import type { ParsedFlags } from '../flags.ts';
import type { Io } from '../io.ts';

/**
 * Renders a chart for the cluster of the kubeconfig (--validate, --dry-run=server): its version and kinds, `lookup` answered
 * by it, and every object of a kind that it serves. Reads only.
 */
export async function renderForCluster(
  chart: Chart,
  values: Values,
  options: RenderOptions,
  { flags, io }: { readonly flags: ParsedFlags; readonly io: Io },
): Promise<RenderedChart> {
  const path = flags.text('kubeconfig');
  const context = flags.text('kube-context');
  const connection = await loadKubeconfig({
    ...(path === undefined ? {} : { file: resolve(io.cwd, path) }),
    ...(context === undefined ? {} : { context }),
  });
  const cluster = connect(connection);
  try {
    const { rendered } = await renderRelease(chart, values, options, {
      cluster,
      clock: { now: Date.now },
      ...(options.warn === undefined ? {} : { warn: options.warn }),
    });
    for (const { apiVersion, kind, name } of rendered.manifests) {
      await cluster.discovery.resolve({ apiVersion, kind }).catch((error: unknown) => {
        throw new ChartError(
          'CHART_VALIDATE',
          `unable to build kubernetes objects from release manifest: resource mapping not found for name: ${JSON.stringify(name)}: ${messageOf(error)}`,
          error,
        );
      });
    }
    return rendered;
  } finally {
    await cluster.close();
  }
}
