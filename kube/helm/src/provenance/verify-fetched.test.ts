import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { memoryTree } from '@capstan/lib-files';
import { createCleartextMessage, generateKey, type PrivateKey, sign } from 'openpgp';
import { chartOfFiles } from '../load-chart.ts';
import { openRepository } from '../repository/chart-repository.ts';
import { packChart } from '../repository/pack-chart.ts';
import { nodeGet, type Scripted, standIn } from '../repository/stand-in.ts';
import { buildDependencies, updateDependencies } from '../repository/update-dependencies.ts';

const utf8 = new TextEncoder();
const chartYaml = 'apiVersion: v2\nname: child\nversion: 1.2.0\n';
const archive = packChart(chartOfFiles([{ name: 'Chart.yaml', data: utf8.encode(chartYaml) }]));
let keyring: Uint8Array;
let signature: string;

function digest(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function signedBy(key: PrivateKey, bytes: Uint8Array): Promise<string> {
  const text = `${chartYaml}\n...\nfiles:\n  child-1.2.0.tgz: ${digest(bytes)}\n`;
  return createCleartextMessage({ text }).then((message) => sign({ message, signingKeys: key }));
}

before(async () => {
  const made = await generateKey({ userIDs: [{ name: 'Author' }], format: 'object' });
  keyring = made.publicKey.write();
  signature = await signedBy(made.privateKey, archive);
});

const index = `apiVersion: v1\nentries:\n  child:\n  - {name: child, version: 1.2.0, urls: [charts/child-1.2.0.tgz]}\n`;

/** A chart repository that holds the chart, and its provenance file when one is given. */
function repository(provenance: () => string | undefined): ReturnType<typeof standIn> {
  return standIn((path): Scripted | undefined => {
    if (path === '/index.yaml') return { body: index };
    if (path === '/charts/child-1.2.0.tgz') return { body: archive };
    const text = path === '/charts/child-1.2.0.tgz.prov' ? provenance() : undefined;
    return text === undefined ? undefined : { body: text };
  });
}

/** An OCI registry that holds the chart, and its provenance file as a further layer when one is given. */
function registry(provenance: () => string | undefined): ReturnType<typeof standIn> {
  const layer = (mediaType: string, bytes: Uint8Array | string) => ({
    mediaType: `application/vnd.cncf.helm.${mediaType}`,
    digest: digest(bytes),
    size: Buffer.byteLength(bytes),
  });
  return standIn((path): Scripted | undefined => {
    const text = provenance();
    const blobs = [archive, ...(text === undefined ? [] : [text])];
    const config = layer('config.v1+json', '{}');
    const layers = [
      layer('chart.content.v1.tar+gzip', archive),
      ...(text === undefined ? [] : [layer('chart.provenance.v1.prov', text)]),
    ];
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    if (path.includes('/manifests/')) {
      return { body: JSON.stringify({ schemaVersion: 2, mediaType, config, layers }) };
    }
    const blob = blobs.find((bytes) => path.endsWith(digest(bytes)));
    return blob === undefined ? undefined : { body: blob };
  });
}

describe('a fetched chart that is to be verified', () => {
  const places = [
    { from: 'a chart repository', serve: repository, url: (host: string) => `http://${host}` },
    { from: 'an OCI registry', serve: registry, url: (host: string) => `oci://${host}` },
  ];
  for (const { from, serve, url } of places) {
    const work = async (
      run: typeof updateDependencies,
      provenance: () => string | undefined,
      required: boolean,
    ): Promise<readonly string[]> => {
      await using server = await serve(provenance);
      const asked = `  - {name: child, version: 1.2.0, repository: "${url(server.host)}"}\n`;
      const text = `apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n${asked}`;
      const lines: string[] = [];
      await run(memoryTree({ 'app/Chart.yaml': text }), 'app', {
        open: (at) => openRepository(at, { get: nodeGet, plainHttp: true }),
        now: () => '2026-01-01T00:00:00Z',
        print: (line) => lines.push(line),
        verify: { keyring, required },
      });
      return lines;
    };

    test(`from ${from} passes with a sound signature`, async () => {
      const lines = await work(updateDependencies, () => signature, true);
      assert.doesNotMatch(lines.join('\n'), /WARNING/);
    });

    test(`from ${from} without a signature fails an update and warns in a build`, async () => {
      await assert.rejects(
        work(updateDependencies, () => undefined, true),
        { code: 'PROVENANCE', message: /failed to fetch provenance ".*\.prov"/ },
      );
      const lines = await work(buildDependencies, () => undefined, false);
      assert.match(lines.join('\n'), /WARNING: Verification not found/);
    });

    test(`from ${from} with a wrong signature fails even where none is required`, async () => {
      const forged = (): string => signature.replace('1.2.0.tgz', '1.2.1.tgz');
      await assert.rejects(work(buildDependencies, forged, false), { code: 'PROVENANCE' });
    });
  }
});
