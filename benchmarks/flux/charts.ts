/**
 * Many HelmCharts of one HelmRepository with a long index: `node benchmarks/flux/charts.ts [--charts 300] [--names 20] [--versions 2000]`
 *
 * The source controllers of charts alone, in this process, over the API server of the sandbox. Tells the time until the last
 * HelmChart is Ready, the processor time, the memory, and what the chart repository was asked for.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { packChart } from '@capstan/kube-helm';
import { chartOf } from '../../flux/helm/src/testing/chart-server.ts';
import { createWorld } from '../../flux/helm/src/testing/world.ts';

const { values } = parseArgs({
  options: {
    charts: { type: 'string', default: '300' },
    names: { type: 'string', default: '20' },
    versions: { type: 'string', default: '2000' },
  },
});
const [charts, names, versions] = [values.charts, values.names, values.versions].map(Number) as [
  number,
  number,
  number,
];
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const NEWEST = `${versions - 1}.0.0`;

/** A chart of the size that public ones have: some fifty kilobytes packed. */
function chart(name: string): Uint8Array {
  const noise = Array.from({ length: 900 }, (_, i) =>
    createHash('sha256').update(`${name} ${i}`).digest('hex'),
  ).join('\n');
  return packChart(
    chartOf({
      'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${NEWEST}\n`,
      'values.yaml': 'a: b\n',
      'templates/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n',
      'files/noise.txt': noise,
    }),
  );
}

const packed = new Map<string, Uint8Array>(
  Array.from({ length: names }, (_, i) => [`chart-${i}`, chart(`chart-${i}`)]),
);

function index(): string {
  const parts = ['apiVersion: v1', 'entries:'];
  for (const [name, bytes] of packed) {
    const digest = createHash('sha256').update(bytes).digest('hex');
    parts.push(`  ${name}:`);
    for (let version = versions - 1; version >= 0; version--) {
      parts.push(
        `  - apiVersion: v2\n    appVersion: "${version}"\n    created: "2026-01-01T00:00:00Z"\n    description: What the chart number ${version} is about, in a line of the usual length\n    digest: ${digest}\n    home: https://example.com/charts/${name}\n    name: ${name}\n    urls:\n    - ${name}-${version}.0.0.tgz\n    version: ${version}.0.0`,
      );
    }
  }
  return `${parts.join('\n')}\ngenerated: "2026-01-01T00:00:00Z"\n`;
}

const text = index();
const asked = new Map<string, number>();
const server = createServer((request, response) => {
  const path = (request.url ?? '').slice(1);
  const kind = path.endsWith('.tgz') ? 'charts' : path;
  asked.set(kind, (asked.get(kind) ?? 0) + 1);
  response.end(kind === 'charts' ? packed.get(path.replace(/-\d+\.0\.0\.tgz$/, '')) : text);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

await using world = await createWorld();
const put = (kind: string, name: string, spec: object) =>
  world.client.create({
    apiVersion: SOURCE,
    kind,
    metadata: { name, namespace: 'apps' },
    spec: { interval: '1h', ...spec },
  });
await put('HelmRepository', 'charts', { url });
await world.condition('HelmRepository', 'apps/charts', 'Ready=True');
const [begun, cpu] = [performance.now(), process.cpuUsage()];
for (let i = 0; i < charts; i++) {
  const sourceRef = { kind: 'HelmRepository', name: 'charts' };
  await put('HelmChart', `chart-${i}`, { chart: `chart-${i % names}`, version: '>=1', sourceRef });
}
for (let i = 0; i < charts; i++) {
  await world.condition('HelmChart', `apps/chart-${i}`, 'Ready=True');
}
const { user, system } = process.cpuUsage(cpu);
console.log(
  `${charts} HelmCharts of ${names} charts, an index of ${versions} versions each (${(text.length / 1e6).toFixed(1)} MB): ` +
    `${((performance.now() - begun) / 1000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} CPU s, ` +
    `peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB; ` +
    `asked for ${[...asked].map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
);
server.closeAllConnections();
server.close();
