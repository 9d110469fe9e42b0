/** Renders one chart many times in this process and prints one JSON line of figures; called by run.ts. */
import { chartLanguage, loadChart, renderChart } from '@capstan/kube-helm';
import { openDiskTree } from '@capstan/lib-files/disk';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: ours.ts CHART');

const language = chartLanguage();
const options = { release: { name: 'rel', namespace: 'default' }, language, now: Date.now };

function timed<T>(action: () => T): { readonly ms: number; readonly value: T } {
  const begun = performance.now();
  const value = action();
  return { ms: performance.now() - begun, value };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

const cold = timed(() => {
  const chart = loadChart(openDiskTree(folder));
  return { chart, rendered: renderChart(chart, {}, options) };
});
const { chart } = cold.value;
for (let i = 0; i < 10; i++) renderChart(chart, {}, options);
const warm = Array.from({ length: 15 }, () => timed(() => renderChart(chart, {}, options)).ms);
const changed = Array.from(
  { length: 9 },
  (_, i) => timed(() => renderChart(chart, { components: { c0: { replicas: i } } }, options)).ms,
);
console.log(
  JSON.stringify({
    coldMs: cold.ms,
    warmMs: median(warm),
    changedMs: median(changed),
    bytes: cold.value.rendered.manifests.reduce(
      (sum, manifest) => sum + Buffer.byteLength(manifest.content),
      0,
    ),
    rssMiB: process.resourceUsage().maxRSS / 1024,
  }),
);
