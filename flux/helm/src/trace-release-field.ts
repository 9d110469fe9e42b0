/** Which template line, and which values, made a field of an object of a release. */
import type { FieldTrace, TracedLine } from '@capstan/engine-delivery';
import { type FieldQuestion, type FieldSource, findField } from '@capstan/engine-render';
import type { SourceSpec } from '@capstan/engine-source';
import type { HelmRelease } from '@capstan/flux-api';
import {
  type Chart,
  defaultCapabilities,
  type FieldOrigin,
  fieldOrigins,
  type Manifest,
  nearestOrigin,
  renderChart,
  type Values,
  type ValuesLayer,
  valuesToJson,
} from '@capstan/kube-helm';
import type { Json, KubeObject } from '@capstan/kube-object';
import { joinPath } from '@capstan/lib-files';
import { parseYaml, toYaml } from '@capstan/lib-yaml';
import { findSource } from './chart-source.ts';
import { releaseName, releaseNamespace } from './names.ts';
import { type ObservePorts, observeRelease } from './observe-release.ts';

const OWN_VALUES = 'spec.values';
const REFERRED_VALUES = 'spec.valuesFrom';

/** Undefined while chart or values are not known, and for an object that the chart does not make. */
export async function traceReleaseField(
  given: HelmRelease,
  question: FieldQuestion,
  ports: ObservePorts,
): Promise<FieldTrace | undefined> {
  const observed = await observeRelease(given, ports);
  if (observed.kind === 'incomplete') return undefined;
  const { release, chart, values } = observed;
  const rendered = renderChart(chart, structuredClone(values), {
    release: { name: releaseName(release), namespace: releaseNamespace(release), isUpgrade: true },
    capabilities: defaultCapabilities(),
    includeCrds: true,
    now: () => ports.clock.now(),
  });
  const found = findManifest([...rendered.manifests, ...rendered.hooks], question);
  if (found === undefined) return undefined;
  const place = findField(found.object as Json, question.field);
  if (place.kind === 'missing') return { desired: found.object, lines: [] };
  const origins = fieldOrigins(found.manifest, rendered.chart, layersOf(release, values));
  const origin = nearestOrigin(origins, place.path);
  const home = chartHome(release, chart, ports);
  const lines = origin === undefined ? [] : toLines(origin).map((line) => atHome(line, home));
  return { desired: found.object, lines };
}

function findManifest(
  manifests: readonly Manifest[],
  { kind, name }: FieldQuestion,
): { readonly manifest: Manifest; readonly object: KubeObject } | undefined {
  for (const manifest of manifests) {
    const object = parseYaml(manifest.content) as unknown as KubeObject | null;
    if (object?.kind === kind && object.metadata?.name === name) return { manifest, object };
  }
  return undefined;
}

/** What the release says itself goes over what it refers to. */
function layersOf({ spec }: HelmRelease, values: Values): readonly ValuesLayer[] {
  const layer = (name: string, of: Values): ValuesLayer => ({
    name,
    text: toYaml(valuesToJson(of)),
  });
  return [layer(REFERRED_VALUES, values), layer(OWN_VALUES, (spec.values ?? {}) as Values)];
}

function toLines({ template, line, values }: FieldOrigin): readonly FieldSource[] {
  const inChart = template.split('/').slice(1).join('/');
  const found = values.flatMap((value): readonly FieldSource[] => {
    if (value.file === undefined) return [];
    const role = `value ${value.path}`;
    if (value.isDefault) return [{ file: value.file, line: value.line, role: `${role} (default)` }];
    const own = value.file === OWN_VALUES ? { own: `${OWN_VALUES}.${value.path}` } : {};
    return [{ role: `${role} in ${value.file}`, ...own }];
  });
  return [{ file: inChart, line, role: 'template' }, ...found];
}

interface ChartHome {
  readonly source: SourceSpec;
  readonly revision: { readonly id: string; readonly name: string };
  /** Of the chart in its repository. */
  readonly folder: string;
}

function atHome(line: FieldSource, { source, revision, folder }: ChartHome): TracedLine {
  const file = line.file === undefined ? {} : { file: joinPath(folder, line.file) };
  return { ...line, ...file, source, revision };
}

/** Where the chart comes from, as far as people know it: its repository and version, or the commit that holds its folder. */
function chartHome(release: HelmRelease, chart: Chart, ports: ObservePorts): ChartHome {
  const source = findSource(release, ports);
  const origin = source.kind === 'HelmChart' ? sourceOfChart(source, ports) : source;
  const url = textIn(origin, 'spec', 'url');
  const { name, version } = chart.metadata;
  const revised = textIn(source, 'status', 'artifact', 'revision');
  if (origin?.kind !== 'GitRepository') {
    const range = { kind: 'version' as const, range: version };
    const form = url.startsWith('oci://') ? ('oci' as const) : ('chart' as const);
    return {
      source: { kind: 'artifact', form, url, chart: name, revision: range },
      revision: { id: version, name: '' },
      folder: '',
    };
  }
  const commit = /sha\d*:([0-9a-f]+)$/.exec(textIn(origin, 'status', 'artifact', 'revision'))?.[1];
  return {
    source: { kind: 'git', url, revision: { kind: 'any', name: 'HEAD' } },
    revision: { id: commit ?? revised, name: '' },
    folder: textIn(source, 'spec', 'chart').replace(/^\.\//, ''),
  };
}

function sourceOfChart(chart: KubeObject, { control }: ObservePorts): KubeObject | undefined {
  const kind = textIn(chart, 'spec', 'sourceRef', 'kind');
  const name = textIn(chart, 'spec', 'sourceRef', 'name');
  return control.find(kind, { namespace: chart.metadata.namespace ?? '', name });
}

function textIn(object: KubeObject | undefined, ...path: readonly string[]): string {
  let value: unknown = object;
  for (const name of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }
  return typeof value === 'string' ? value : '';
}
