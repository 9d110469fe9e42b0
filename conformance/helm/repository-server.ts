/** A chart repository and an OCI registry on the loopback address that offer the charts in the folders of a directory. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { loadChart, packChart } from '@capstan/kube-helm';
import { openDiskTree } from '@capstan/lib-files/disk';

const CONFIG_TYPE = 'application/vnd.cncf.helm.config.v1+json';
const CHART_TYPE = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

interface Offer {
  readonly name: string;
  readonly version: string;
  readonly archive: Uint8Array;
}

export interface RepositoryServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`; the repository is http://HOST/charts, the registry oci://HOST/charts. */
  readonly host: string;
}

/** Serves what lies below `folder`; nothing when it is not there. */
export async function serveCharts(folder: string): Promise<RepositoryServer> {
  const offers = existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((name) => offerOf(join(folder, name)))
    : [];
  const server = createServer((request, response) => {
    const found = answer(request.url ?? '', offers);
    response.writeHead(found === undefined ? 404 : 200, {
      'content-type': found?.type ?? 'text/plain',
      ...(found === undefined
        ? {}
        : {
            'content-length': Buffer.byteLength(found.body),
            'docker-content-digest': digestOf(found.body),
          }),
    });
    response.end(request.method === 'HEAD' ? undefined : found?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function offerOf(path: string): Offer {
  const chart = loadChart(openDiskTree(path));
  const { name, version } = chart.metadata;
  return { name, version, archive: packChart(chart) };
}

interface Answer {
  readonly type: string;
  readonly body: string | Uint8Array;
}

function answer(url: string, offers: readonly Offer[]): Answer | undefined {
  const path = decodeURIComponent(url.replace(/\?.*$/, ''));
  if (path === '/charts/index.yaml') return { type: 'text/yaml', body: indexOf(offers) };
  const packed = offers.find(({ name, version }) => path === `/charts/${name}-${version}.tgz`);
  if (packed !== undefined) return { type: 'application/gzip', body: packed.archive };
  if (path === '/v2/') return { type: 'application/json', body: '{}' };
  const [, name, what, key = ''] =
    /^\/v2\/charts\/([^/]+)\/(tags|manifests|blobs)\/(.+)$/.exec(path) ?? [];
  const own = offers.filter((one) => one.name === name);
  if (own.length === 0) return undefined;
  if (what === 'tags') {
    const tags = own.map(({ version }) => version.replaceAll('+', '_'));
    return { type: 'application/json', body: JSON.stringify({ name: `charts/${name}`, tags }) };
  }
  if (what === 'manifests') {
    const body = own.map((one) => ({
      tag: one.version.replaceAll('+', '_'),
      text: manifestOf(one),
    }));
    const found = body.find(({ tag, text }) => key === tag || key === digestOf(text));
    return found === undefined ? undefined : { type: MANIFEST_TYPE, body: found.text };
  }
  const blobs = own.flatMap((one) => [one.archive, Buffer.from(configOf(one))]);
  const blob = blobs.find((bytes) => digestOf(bytes) === key);
  return blob === undefined ? undefined : { type: 'application/octet-stream', body: blob };
}

function indexOf(offers: readonly Offer[]): string {
  const entries: Record<string, object[]> = {};
  for (const { name, version, archive } of offers) {
    const digest = digestOf(archive).slice('sha256:'.length);
    const entry = { apiVersion: 'v2', name, version, digest, urls: [`${name}-${version}.tgz`] };
    entries[name] = [...(entries[name] ?? []), entry];
  }
  return JSON.stringify({ apiVersion: 'v1', entries, generated: '2026-01-01T00:00:00Z' });
}

function configOf({ name, version }: Offer): string {
  return JSON.stringify({ apiVersion: 'v2', name, version });
}

function manifestOf(offer: Offer): string {
  const layer = (mediaType: string, bytes: Uint8Array): object => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: layer(CONFIG_TYPE, Buffer.from(configOf(offer))),
    layers: [layer(CHART_TYPE, offer.archive)],
  });
}

function digestOf(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
