import { resolve } from 'node:path';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import {
  type Chart,
  ChartError,
  clusterCapabilities,
  type HelmFlavor,
  planInstall,
  type RenderedChart,
  type RenderOptions,
  renderChart,
  renderWithLookups,
  type Values,
} from '@capstan/kube-helm';
import { messageOf } from '@capstan/lib-std';
import type { ParsedFlags } from '../flags.ts';
import type { Io } from '../io.ts';
import type { ClusterUse } from './cluster-use.ts';

export interface ClusterRender {
  readonly use: ClusterUse;
  readonly flags: ParsedFlags;
  readonly io: Io;
  /** Runs the rendering itself; says of its errors what is to be said of them. */
  readonly explain: (run: () => Promise<RenderedChart>) => Promise<RenderedChart>;
}

/** Renders a chart for the cluster of the kubeconfig (--validate, --dry-run=server). Reads only. */
export async function renderForCluster(
  chart: Chart,
  values: Values,
  options: RenderOptions,
  { use, flags, io, explain }: ClusterRender,
): Promise<RenderedChart> {
  const cluster = await openCluster(flags, io);
  try {
    const { flavor = 4 } = options;
    const capabilities = use.capabilities ? { capabilities: await reachable(cluster, flavor) } : {};
    const all = { ...options, ...capabilities };
    const ports = {
      cluster,
      clock: { now: Date.now },
      ...(options.warn === undefined ? {} : { warn: options.warn }),
    };
    const rendered = await explain(async () =>
      use.lookups ? renderWithLookups(chart, values, all, ports) : renderChart(chart, values, all),
    );
    if (use.plan) {
      const takeOwnership = flags.flag('take-ownership');
      await planInstall(rendered.yaml, { ...options.release, takeOwnership, flavor }, cluster);
    }
    return rendered;
  } finally {
    await cluster.close();
  }
}

async function openCluster(flags: ParsedFlags, io: Io): Promise<KubeClient> {
  const path = flags.text('kubeconfig');
  const context = flags.text('kube-context');
  return connect(
    await loadKubeconfig({
      ...(path === undefined ? {} : { file: resolve(io.cwd, path) }),
      ...(context === undefined ? {} : { context }),
    }),
  );
}

async function reachable(
  cluster: KubeClient,
  flavor: HelmFlavor,
): ReturnType<typeof clusterCapabilities> {
  try {
    return await clusterCapabilities(cluster, flavor);
  } catch (error) {
    const reason = messageOf(error);
    const message =
      flavor === 4 ? `cluster reachability check failed: ${reason}` : reason.replace(/^k/, 'K');
    throw new ChartError('CLUSTER_UNREACHABLE', message, error);
  }
}
