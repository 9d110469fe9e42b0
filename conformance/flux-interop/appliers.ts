/**
 * The same Kustomizations and HelmReleases for `capstan serve` and for Flux's own controllers on one control plane: what both
 * write into status, conditions and events, and what they apply, is compared. A command, no part of CI (see deep.ts for the
 * programs).
 *
 *     node conformance/flux-interop/appliers.ts SOURCE_CONTROLLER KUSTOMIZE_CONTROLLER HELM_CONTROLLER [SECONDS] [PATTERN]
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { startCluster } from '../cluster/cluster.ts';
import { clientOf, makeNamespace } from '../cluster/support.ts';
import { startCharts } from '../flux-helm/charts.ts';
import { serveRepository } from '../flux-helm/git-repository.ts';
import { type ApplierCase, applierCases } from './applier-cases.ts';
import { startCapstan, startOfficial, startSources } from './official-controllers.ts';
import { toldOf } from './told.ts';

type Side = keyof typeof LABELS;
const LABELS = { ours: 'capstan', theirs: 'flux' } as const;
const SIDES = Object.keys(LABELS) as readonly Side[];
const KINDS = {
  Kustomization: 'kustomize.toolkit.fluxcd.io/v1',
  HelmRelease: 'helm.toolkit.fluxcd.io/v2',
} as const;
const SOURCE = 'source.toolkit.fluxcd.io/v1';

const [source, kustomize, helm, seconds = '60', pattern = ''] = process.argv.slice(2);
if (source === undefined || kustomize === undefined || helm === undefined) {
  console.error('usage: appliers.ts SOURCE KUSTOMIZE HELM [SECONDS] [PATTERN]');
  process.exit(2);
}
const cases = applierCases.filter(({ name }) => new RegExp(pattern).test(name));
const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data: {values: {{ .Values | toJson | quote }}, revision: {{ .Release.Revision | quote }}}
{{- with .Values.stop }}{{ fail . }}{{ end }}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}-service}
spec: {ports: [{port: {{ .Values.port }}}]}
`;

await using cluster = await startCluster();
const client = await clientOf(cluster);
await using own = await startCapstan(client, cluster, SIDES[0] ?? '');
void own;
await makeNamespace(client, 'theirs');
await using sources = await startSources(source, cluster);
void sources;
const speed = ['--concurrent=20', '--kube-api-qps=500', '--requeue-dependency=3s'];
await using applier = startOfficial(kustomize, cluster, speed);
void applier;
await using releaser = startOfficial(helm, cluster, speed);
void releaser;

await using git = await serveRepository(folders(), 'cases');
await using charts = await startCharts();
for (const [name, version, type] of [
  ...([
    ['shop', '1.0.0'],
    ['shop', '1.1.0'],
    ['other', '1.0.0'],
  ] as const),
  ['library', '1.0.0', 'library'],
]) {
  charts.publish({
    'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${version}\ntype: ${type ?? 'application'}\n`,
    'values.yaml': 'color: red\nport: 80\n',
    'templates/all.yaml': CONFIG,
  });
}
for (const side of SIDES) {
  const spec = { interval: '10m' };
  await create(side, SOURCE, 'GitRepository', 'git', {
    ...spec,
    url: git.url,
    ref: { branch: 'main' },
  });
  await create(side, SOURCE, 'HelmRepository', 'charts', { ...spec, url: charts.url });
}
for (const one of cases)
  for (const side of SIDES)
    await create(side, KINDS[one.kind], one.kind, `${one.name}-${side}`, specOf(one, side));

let same = 0;
let compared = 0;
const steps = Math.max(0, ...cases.map(({ then = [] }) => then.length));
for (let step = 0; step <= steps; step++) {
  const due = cases.filter(({ then = [] }) => then.length >= step);
  if (step > 0) for (const one of due) await change(one, one.then?.[step - 1] ?? {});
  await pause(Number(seconds) * 1000);
  for (const one of due) await compare(one, step);
}
console.log(`${same} of ${compared} are told alike`);

function folders(): Record<string, string> {
  const files = cases.flatMap(({ name, files = {} }) =>
    Object.entries(files).map(([path, text]) => [`${name}/${path}`, text] as const),
  );
  return { '.keep': '', ...Object.fromEntries(files) };
}

function specOf({ kind, name, spec }: ApplierCase, side: Side): JsonObject {
  const common = { interval: '10m', timeout: '10s' };
  if (kind === 'Kustomization') {
    const sourceRef = { kind: 'GitRepository', name: 'git' };
    const rest = {
      path: `./cases/${name}`,
      prune: true,
      targetNamespace: side,
      retryInterval: '5m',
    };
    return { ...common, ...rest, sourceRef, ...spec };
  }
  const { chart = { spec: { chart: 'shop', version: '1.0.0' } }, ...rest } = spec as {
    readonly chart?: { readonly spec: JsonObject };
  };
  const from = { ...chart.spec, sourceRef: { kind: 'HelmRepository', name: 'charts' } };
  // The chart is its controller's too.
  const metadata = { labels: { by: LABELS[side] } };
  return { ...common, releaseName: name, chart: { metadata, spec: from }, ...rest };
}

async function create(
  side: Side,
  apiVersion: string,
  kind: string,
  name: string,
  spec: JsonObject,
): Promise<void> {
  const metadata = { name, namespace: side, labels: { by: LABELS[side] } };
  await client.create({ apiVersion, kind, metadata, spec: forSide(spec, side) });
}

async function change({ kind, name }: ApplierCase, spec: JsonObject): Promise<void> {
  for (const side of SIDES) {
    const ref = { apiVersion: KINDS[kind], kind, namespace: side, name: `${name}-${side}` };
    await client.patch(ref, { spec: forSide(spec, side) }, { type: 'merge' });
  }
}

function forSide(spec: JsonObject, side: Side): JsonObject {
  return JSON.parse(JSON.stringify(spec).replaceAll('WHO', side)) as JsonObject;
}

async function compare(one: ApplierCase, step: number): Promise<void> {
  const [ours = [], theirs = []] = await Promise.all(SIDES.map((side) => lines(one, side)));
  compared++;
  const only = (some: readonly string[], others: readonly string[]) =>
    some.filter((line) => !others.includes(line));
  const differing = [
    ...only(ours, theirs).map((line) => `  ours:   ${line}`),
    ...only(theirs, ours).map((line) => `  theirs: ${line}`),
  ];
  if (differing.length === 0) same++;
  else console.log(`${one.name}, step ${step}\n${differing.join('\n')}`);
}

async function lines({ kind, name }: ApplierCase, side: Side): Promise<readonly string[]> {
  const ref = { apiVersion: KINDS[kind], kind, namespace: side, name: `${name}-${side}` };
  const found = await client.find(ref);
  const told = found === undefined ? [] : await toldOf(client, found);
  const applied: string[] = [];
  for (const applying of ['ConfigMap', 'Service', 'Deployment']) {
    const apiVersion = applying === 'Deployment' ? 'apps/v1' : 'v1';
    const { items } = await client.list({ apiVersion, kind: applying }, { namespace: side });
    for (const item of items) {
      const isOwn = (item.metadata.name ?? '').startsWith(`${name}-`);
      if (isOwn) applied.push(`${applying} ${JSON.stringify(contentOf(item))}`);
    }
  }
  return [...told, ...applied].map((line) => plain(line, side));
}

function contentOf({ metadata, status: _status, ...rest }: KubeObject): object {
  const { name, labels, annotations, managedFields = [] } = metadata;
  const managers = managedFields.map(({ manager, operation }) => `${manager} ${operation}`);
  const {
    clusterIP: _address,
    clusterIPs: _addresses,
    ...spec
  } = (rest['spec'] ?? {}) as JsonObject;
  const own = managers.filter((one) => /-controller Apply$/.test(one));
  return { name, labels, annotations, ...rest, spec, managers: own };
}

/** Whose it is, how long it took, our hints, and what depends on how objects are written out. */
function plain(line: string, side: Side): string {
  return line
    .split('\n\nLast Helm logs:')[0]!
    .replaceAll(new RegExp(`(?<![A-Za-z0-9])${side}(?![A-Za-z0-9])`, 'g'), 'WHO')
    .replaceAll(/\d+(\.\d+)?(ms|s|µs)\b/g, 'T')
    .replaceAll(/"digest":"sha256:[0-9a-f]+"/g, '"digest":""')
    .replace(/ \([a-z][^()]*(\([^()]*\))?[^()]*\)$/, '');
}
