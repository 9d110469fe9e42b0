/** For tests: charts over HTTP, as a repository with an index and as an OCI registry with tokens. */
import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { chartOfFiles, packChart } from '@capstan/kube-helm';
import { portOf } from '../cluster/support.ts';

export type ChartFiles = Readonly<Record<string, string>>;

export interface ChartHost extends AsyncDisposable {
  readonly url: string;
  /** `oci://host/charts` */
  readonly registry: string;
  publish(files: ChartFiles): void;
}

interface Packed {
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

export async function startCharts(): Promise<ChartHost> {
  const charts: Packed[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path.startsWith('/v2/'))
      answerRegistry(path, request.headers.authorization, { charts, response });
    else if (path.startsWith('/token')) response.end(JSON.stringify({ token: 'pull' }));
    else answerRepository(path, { charts, response });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${portOf(server.address())}`;
  return {
    url: `http://${host}`,
    registry: `oci://${host}/charts`,
    publish(files) {
      const encoder = new TextEncoder();
      const chart = chartOfFiles(
        Object.entries(files).map(([name, text]) => ({ name, data: encoder.encode(text) })),
      );
      const { name, version } = chart.metadata;
      charts.push({ name, version, bytes: packChart(chart) });
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly charts: readonly Packed[];
  readonly response: ServerResponse;
}

function answerRepository(path: string, { charts, response }: Answer): void {
  if (path === '/index.yaml') {
    const names = [...new Set(charts.map(({ name }) => name))];
    const entries = names.map((name) => {
      const own = charts.filter((one) => one.name === name);
      return `  ${name}:\n${own
        .map(
          ({ version, bytes }) =>
            `  - {name: ${name}, version: ${version}, urls: [${name}-${version}.tgz], digest: ${sha256(bytes)}}\n`,
        )
        .join('')}`;
    });
    response.end(`apiVersion: v1\nentries:\n${entries.join('')}`);
    return;
  }
  const found = charts.find(({ name, version }) => path === `/${name}-${version}.tgz`);
  response.writeHead(found === undefined ? 404 : 200).end(found?.bytes);
}

/** The distribution specification, as far as pulling goes: a challenge, tags, manifests, blobs. */
function answerRegistry(
  path: string,
  authorization: string | undefined,
  { charts, response }: Answer,
): void {
  if (authorization !== 'Bearer pull') {
    const realm = `http://${response.req.headers.host}/token`;
    const challenge = `Bearer realm="${realm}",service="charts"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
    return;
  }
  const [, chart = '', kind = '', what = ''] =
    /^\/v2\/charts\/([^/]+)\/(tags|manifests|blobs)\/(.+)$/.exec(path) ?? [];
  const own = charts.filter(({ name }) => name === chart);
  if (kind === 'tags') {
    response.end(JSON.stringify({ name: chart, tags: own.map(({ version }) => version) }));
    return;
  }
  const manifests = own.map((one) => ({ ...one, manifest: manifestOf(one) }));
  if (kind === 'manifests') {
    const found = manifests.find(
      ({ version, manifest }) => what === version || what === `sha256:${sha256(manifest)}`,
    );
    response
      .writeHead(found === undefined ? 404 : 200, {
        'content-type': 'application/vnd.oci.image.manifest.v1+json',
        ...(found === undefined
          ? {}
          : { 'docker-content-digest': `sha256:${sha256(found.manifest)}` }),
      })
      .end(found?.manifest);
    return;
  }
  const blob = own.find(({ bytes }) => what === `sha256:${sha256(bytes)}`)?.bytes;
  response.writeHead(blob === undefined && what !== `sha256:${sha256('{}')}` ? 404 : 200);
  response.end(blob ?? '{}');
}

function manifestOf({ bytes }: Packed): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.cncf.helm.config.v1+json',
      digest: `sha256:${sha256('{}')}`,
      size: 2,
    },
    layers: [
      {
        mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
        digest: `sha256:${sha256(bytes)}`,
        size: bytes.byteLength,
      },
    ],
  });
}

function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
