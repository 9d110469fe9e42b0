/** The thread in which charts and Jsonnet are rendered: what a template does to it stays in it. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ChartOffer, renderManifests } from '@capstan/engine-render';
import { KustomizeCache } from '@capstan/kube-kustomize';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { createChartRenderer } from '../chart-renderer.ts';
import { remoteTree } from './remote-tree.ts';
import type { RenderJob, RenderReply, WorkerData } from './render-pool.ts';

const KUSTOMIZE_NODES_MAX = 200_000;

const { port, flag } = workerData as WorkerData;
/** Documents that were parsed once: of bases that many share, and of what a commit left alone. */
const kustomizeCache = new KustomizeCache(KUSTOMIZE_NODES_MAX);
let offered: ChartOffer | undefined;
let nowMs = 0;
const renderChart = createChartRenderer(
  () => nowMs,
  () => offered,
);

parentPort?.on('message', (job: RenderJob) => {
  ({ offered, nowMs } = job);
  parentPort?.postMessage(render(job));
});

function render({ snapshot, spec, question }: RenderJob): RenderReply {
  try {
    const files = remoteTree(port, new Int32Array(flag));
    const options = {
      renderChart,
      kustomizeCache,
      ...(question === undefined ? {} : { question }),
    };
    return { result: renderManifests({ ...snapshot, files }, spec, options) };
  } catch (error) {
    const code = error instanceof CapstanError ? error.code : 'RENDER_FAILED';
    return { error: { code, message: messageOf(error) } };
  }
}
