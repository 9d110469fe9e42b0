/**
 * The same sources for `capstan serve` and for the real source-controller on one control plane: what both write into status,
 * conditions and events is compared, but for our hints in parentheses. A command, no part of CI (see deep.ts for the program).
 *
 *     node conformance/flux-interop/side-by-side.ts SOURCE_CONTROLLER [SECONDS]
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Json, KubeObject } from '@capstan/kube-object';
import { artifact } from '../../benchmarks/flux/app.ts';
import { startBucket, startRegistry } from '../../flux/controllers/src/testing/stand-ins.ts';
import { startCluster } from '../cluster/cluster.ts';
import { clientOf } from '../cluster/support.ts';
import { startCharts } from '../flux-helm/charts.ts';
import { serveRepository } from '../flux-helm/git-repository.ts';
import { startCapstan, startSources } from './official-controllers.ts';
import { SECRETS, type SourceCase, sourceCases } from './source-cases.ts';
import { toldOf } from './told.ts';

const NAMESPACE = 'shop';
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const LABELS = { ours: 'capstan', theirs: 'flux' } as const;
const LAYER = 'application/vnd.cncf.flux.content.v1.tar+gzip';

const [program, seconds = '60'] = process.argv.slice(2);
if (program === undefined) {
  console.error('usage: side-by-side.ts SOURCE_CONTROLLER [SECONDS]');
  process.exit(2);
}

await using cluster = await startCluster();
const client = await clientOf(cluster);
await using own = await startCapstan(client, cluster, NAMESPACE);
void own;
await using official = await startSources(program, cluster);
void official;

const files = { 'a.yaml': 'a: 1\n', 'docs/b.md': 'x\n', '.sourceignore': '/app/docs\n' };
await using git = await serveRepository(files, 'app');
await using charts = await startCharts();
for (const version of ['1.0.0', '1.1.0']) {
  charts.publish({
    'Chart.yaml': `apiVersion: v2\nname: shop\nversion: ${version}\n`,
    ...{ 'values.yaml': 'a: 1\n', 'values-x.yaml': 'a: 2\n' },
  });
}
await using registry = await startRegistry();
for (const tag of ['1.0.0', '1.1.0-rc.1']) {
  registry.push(tag, [{ mediaType: LAYER, bytes: artifact() }]);
}
await using bucket = await startBucket(
  new Map([
    ['a.yaml', 'a: 1\n'],
    ['b/c.yaml', 'c: 1\n'],
    ['.sourceignore', '/b\n'],
  ]),
);
for (const [name, stringData] of Object.entries(SECRETS)) {
  await client.create({
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE } },
    stringData,
  });
}

const cases = sourceCases({
  ...{ git: git.url, commit: git.commit, charts: charts.url },
  ...{ registry: registry.host, bucket: bucket.host },
});
for (const who of ['ours', 'theirs'] as const) {
  for (const one of cases) await client.create(objectOf(one, who));
}
await pause(Number(seconds) * 1000);

let same = 0;
for (const one of cases) {
  const [ours, theirs] = [await told(one, 'ours'), await told(one, 'theirs')];
  if (ours === theirs) same++;
  else console.log(`${one.name}\n  ours:\n${ours}\n  theirs:\n${theirs}`);
}
console.log(`${same} of ${cases.length} are told alike`);

function objectOf({ name, kind, spec }: SourceCase, who: keyof typeof LABELS): KubeObject {
  const labels = { by: LABELS[who] };
  return {
    ...{
      apiVersion: SOURCE,
      kind,
      metadata: { name: `${name}-${who}`, namespace: NAMESPACE, labels },
    },
    spec: JSON.parse(JSON.stringify(spec).replaceAll('WHO', who)) as Json,
  };
}

/** As text, without what differs by nature: addresses, digests of artifacts, whose it is. */
async function told({ name, kind }: SourceCase, who: string): Promise<string> {
  const ref = { apiVersion: SOURCE, kind, namespace: NAMESPACE, name: `${name}-${who}` };
  const found = await client.find(ref);
  const lines = found === undefined ? [] : await toldOf(client, found);
  return lines.map(plain).toSorted().join('\n');
}

function plain(line: string): string {
  return line
    .replaceAll(/-(ours|theirs)\b/g, '')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+\/(?=\w+\/shop\/)/g, 'http://artifacts/')
    .replaceAll(/"digest":"sha256:[0-9a-f]+"/g, '"digest":""')
    .replaceAll(/index-[0-9a-f]+/g, 'index-')
    .replace(/ \([a-z][^()]*\)$/, '');
}
