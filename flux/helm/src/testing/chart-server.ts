/** For tests: a chart repository over HTTP on the loopback address, whose charts a test packs and replaces. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Chart, chartOfFiles, packChart } from '@capstan/kube-helm';

export type ChartFiles = Readonly<Record<string, string>>;

export interface ChartServer extends AsyncDisposable {
  readonly url: string;
  /** Offers one more chart. */
  publish(files: ChartFiles): void;
  /** When set, what asks without this login gets 401. */
  login: string | undefined;
  /** Paths that were asked for, with the user. */
  readonly seen: string[];
}

export function chartOf(files: ChartFiles): Chart {
  const encoder = new TextEncoder();
  return chartOfFiles(
    Object.entries(files).map(([name, text]) => ({ name, data: encoder.encode(text) })),
  );
}

export async function startChartServer(): Promise<ChartServer> {
  const charts = new Map<string, { readonly chart: Chart; readonly bytes: Uint8Array }>();
  const seen: string[] = [];
  const state: { login: string | undefined } = { login: undefined };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1);
    const [, token = ''] = (request.headers.authorization ?? '').split(' ');
    const user = Buffer.from(token, 'base64').toString();
    seen.push(`${path} ${user}`);
    if (state.login !== undefined && user !== state.login) {
      response.writeHead(401).end('unauthorized');
      return;
    }
    if (path === 'index.yaml') response.end(indexOf([...charts.entries()]));
    else {
      const found = charts.get(path);
      response.writeHead(found === undefined ? 404 : 200).end(found?.bytes);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    get login() {
      return state.login;
    },
    set login(value) {
      state.login = value;
    },
    publish(files) {
      const chart = chartOf(files);
      const { name, version } = chart.metadata;
      charts.set(`${name}-${version}.tgz`, { chart, bytes: packChart(chart) });
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function indexOf(
  charts: readonly (readonly [string, { readonly chart: Chart; readonly bytes: Uint8Array }])[],
): string {
  const names = [...new Set(charts.map(([, { chart }]) => chart.metadata.name))];
  const entries = names.map((name) => {
    const own = charts.filter(([, { chart }]) => chart.metadata.name === name);
    const items = own.map(([file, { chart, bytes }]) => {
      const digest = createHash('sha256').update(bytes).digest('hex');
      return `  - name: ${name}\n    version: ${chart.metadata.version}\n    urls: [${file}]\n    digest: ${digest}\n`;
    });
    return `  ${name}:\n${items.join('')}`;
  });
  return `apiVersion: v1\nentries:\n${entries.join('')}`;
}
