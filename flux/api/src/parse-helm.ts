import type { Json, KubeObject } from '@capstan/kube-object';
import type { HelmChart, HelmRelease, HelmRepository } from './helm-types.ts';
import { withOldPatches } from './old-patches.ts';
import type { Parsed } from './parse-resources.ts';

type Fields = { readonly [key: string]: Json | undefined };

/** Checks of a HelmRepository of any served version what the code relies on. */
export function parseHelmRepository(object: KubeObject): Parsed<HelmRepository> {
  const spec = asRecord(object['spec']);
  if (typeof spec['url'] !== 'string') return invalid('spec.url', 'is missing');
  return checked(object, spec, isHelmRepository);
}

/** As `parseHelmRepository`. The `valuesFile` of v1beta1 counts as the first of `valuesFiles`. */
export function parseHelmChart(object: KubeObject): Parsed<HelmChart> {
  const spec = asRecord(object['spec']);
  if (typeof spec['chart'] !== 'string') return invalid('spec.chart', 'is missing');
  if (typeof spec['interval'] !== 'string') return invalid('spec.interval', 'is missing');
  const problem = referenceProblem(spec['sourceRef'], 'spec.sourceRef');
  return problem ?? checked(object, withValuesFiles(spec), isHelmChart);
}

/** As `parseHelmRepository`. Fields of removed versions are read as the fields that followed them. */
export function parseHelmRelease(object: KubeObject): Parsed<HelmRelease> {
  const spec = asRecord(object['spec']);
  if (typeof spec['interval'] !== 'string') return invalid('spec.interval', 'is missing');
  const template = spec['chart'] === undefined ? undefined : asRecord(spec['chart']);
  const chart = template && asRecord(template['spec']);
  if (chart !== undefined) {
    if (typeof chart['chart'] !== 'string') return invalid('spec.chart.spec.chart', 'is missing');
    const problem = referenceProblem(chart['sourceRef'], 'spec.chart.spec.sourceRef');
    if (problem !== undefined) return problem;
  }
  if (spec['chartRef'] !== undefined) {
    const problem = referenceProblem(spec['chartRef'], 'spec.chartRef');
    if (problem !== undefined) return problem;
  }
  const own = chart === undefined ? {} : { chart: { ...template, spec: withValuesFiles(chart) } };
  const install = asRecord(spec['install']);
  const skips = install['skipCRDs'] === true && install['crds'] === undefined;
  const policy = skips ? { install: { ...install, crds: 'Skip' } } : {};
  const read = { ...spec, ...own, ...policy, ...postRenderersOf(spec) };
  return checked(object, read, isHelmRelease);
}

function postRenderersOf({ postRenderers }: Fields): Fields {
  if (!Array.isArray(postRenderers)) return {};
  return {
    postRenderers: postRenderers.map((one: Json) => {
      const { kustomize, ...rest } = asRecord(one);
      return kustomize === undefined
        ? rest
        : { ...rest, kustomize: withOldPatches(asRecord(kustomize)) };
    }),
  };
}

function withValuesFiles(given: Fields): Fields {
  if (given['valuesFile'] === undefined) return given;
  const { valuesFile, ...spec } = given;
  if (typeof valuesFile !== 'string' || valuesFile === '') return spec;
  const files = Array.isArray(spec['valuesFiles']) ? spec['valuesFiles'] : [];
  return { ...spec, valuesFiles: [valuesFile, ...files] };
}

function referenceProblem(value: Json | undefined, field: string): Parsed<never> | undefined {
  const reference = asRecord(value);
  for (const name of ['kind', 'name']) {
    if (typeof reference[name] !== 'string') return invalid(`${field}.${name}`, 'is missing');
  }
  return undefined;
}

function checked<T extends KubeObject>(
  object: KubeObject,
  spec: Fields,
  is: (object: KubeObject) => object is T,
): Parsed<T> {
  const value: KubeObject = { ...object, spec, status: asRecord(object['status']) };
  return is(value) ? { kind: 'ok', value } : invalid('kind', 'is another one');
}

function isHelmRepository(object: KubeObject): object is HelmRepository {
  return object.kind === 'HelmRepository';
}

function isHelmChart(object: KubeObject): object is HelmChart {
  return object.kind === 'HelmChart';
}

function isHelmRelease(object: KubeObject): object is HelmRelease {
  return object.kind === 'HelmRelease';
}

function invalid(field: string, message: string): Parsed<never> {
  return { kind: 'invalid', field, message };
}

function asRecord(value: Json | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}
