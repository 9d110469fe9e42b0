/**
 * Generators (documentation: "Generators"): from what a set's generators look at to sets of parameters. Nothing here
 * knows of the cluster but what `Surroundings` shows.
 */
import type {
  ApplicationSet,
  ApplicationSetGenerator,
  ApplicationSetTemplate,
  MatrixGenerator,
  MergeGenerator,
} from '@capstan/argocd-api';
import type { JsonObject } from '@capstan/kube-object';
import { goJson } from '@capstan/lib-gotemplate';
import { CapstanError } from '@capstan/lib-std';
import { generateClusterDecisions } from './generate-cluster-decisions.ts';
import { generateClusters } from './generate-clusters.ts';
import { generateFromFiles } from './generate-git.ts';
import { generateList } from './generate-list.ts';
import { generatePlugin } from './generate-plugin.ts';
import { generatePullRequests } from './generate-pull-requests.ts';
import { generateScmProvider } from './generate-scm-provider.ts';
import { isRecord } from './json.ts';
import { compileSelector } from './label-selector.ts';
import type { Surroundings } from './observation.ts';
import { flattenParameters, mergeParameters, type Parameters, plainText } from './parameters.ts';
import { renderRecord } from './render-application.ts';
import type { TextRenderer } from './text-renderer.ts';
import { within, withinAsync } from './wrap-error.ts';

export const SETS_MAX = 10_000;
const DEPTH_MAX = 3;

export interface GenerateOptions {
  readonly applicationSet: ApplicationSet;
  readonly surroundings: Surroundings;
  readonly renderer: TextRenderer;
}

/** What one kind of generator in an entry gave. */
export interface GeneratedParameters {
  readonly kind: GeneratorKind;
  readonly params: readonly Parameters[];
  readonly template: ApplicationSetTemplate | undefined;
}

const KINDS = [
  'list',
  'clusters',
  'git',
  'scmProvider',
  'clusterDecisionResource',
  'pullRequest',
  'plugin',
  'matrix',
  'merge',
  'oci',
] as const;
export type GeneratorKind = (typeof KINDS)[number];

/**
 * The parameters of one entry of spec.generators. `outer` are those of the first generator of a matrix, with which the
 * second is rendered. Throws CapstanError; more than 10,000 sets are an error.
 */
export async function generateParameters(
  generator: ApplicationSetGenerator,
  options: GenerateOptions,
  outer: Parameters = {},
  depth = 0,
): Promise<readonly GeneratedParameters[]> {
  const matches = within('error parsing label selector', () => compileSelector(generator.selector));
  const kinds = KINDS.filter((kind) => isRecord(generator[kind]));
  const results: GeneratedParameters[] = [];
  for (const kind of kinds) {
    const own = generator[kind];
    const template = isRecord(own) && isRecord(own['template']) ? own['template'] : undefined;
    const rendered =
      Object.keys(outer).length === 0
        ? generator
        : renderGenerator(generator, outer, options.renderer);
    const all = await generateOne(kind, rendered, options, depth);
    checkCount(all.length, kind);
    const params =
      generator.selector === undefined ? all : all.filter((set) => matches(flattenParameters(set)));
    results.push({ kind, params, template });
  }
  return results;
}

async function generateOne(
  kind: GeneratorKind,
  generator: ApplicationSetGenerator,
  options: GenerateOptions,
  depth: number,
): Promise<readonly Parameters[]> {
  const { renderer, surroundings } = options;
  const { list, clusters, git, matrix, merge, oci } = generator;
  if (list !== undefined && kind === 'list')
    return generateList(list, { goTemplate: renderer.isGoTemplate });
  if (clusters !== undefined && kind === 'clusters')
    return generateClusters(clusters, { clusters: surroundings.clusters, renderer });
  if (git !== undefined && kind === 'git') return generateFromFiles('git', git, options);
  if (oci !== undefined && kind === 'oci') return generateFromFiles('oci', oci, options);
  if (matrix !== undefined && kind === 'matrix') return generateMatrix(matrix, options, depth);
  if (merge !== undefined && kind === 'merge') return generateMerge(merge, options, depth);
  return generateOutside(kind, generator, options);
}

/** Generators that ask services beside Git and the registered clusters. */
async function generateOutside(
  kind: GeneratorKind,
  { scmProvider, pullRequest, clusterDecisionResource, plugin }: ApplicationSetGenerator,
  options: GenerateOptions,
): Promise<readonly Parameters[]> {
  if (scmProvider !== undefined && kind === 'scmProvider')
    return generateScmProvider(scmProvider, options);
  if (pullRequest !== undefined && kind === 'pullRequest')
    return generatePullRequests(pullRequest, options);
  if (clusterDecisionResource !== undefined && kind === 'clusterDecisionResource')
    return generateClusterDecisions(clusterDecisionResource, options);
  if (plugin !== undefined && kind === 'plugin') {
    const setName = options.applicationSet.metadata.name ?? '';
    return generatePlugin(plugin, { ...options, setName });
  }
  throw invalid(`${kind} generators are not known`);
}

/** Texts of a generator rendered with the parameters of another; `values` that ask for unknown ones wait for their own. */
function renderGenerator(
  generator: ApplicationSetGenerator,
  params: Parameters,
  renderer: TextRenderer,
): ApplicationSetGenerator {
  return within('failed to replace parameters in generator', () => {
    const { selector, ...rest } = generator;
    const entries = Object.entries(rest).map(([kind, own]) => {
      if (!isRecord(own)) return [kind, own] as const;
      const { values, ...others } = own;
      const hasValues =
        isRecord(values) && kind !== 'list' && kind !== 'matrix' && kind !== 'merge';
      const rendered = renderRecord(hasValues ? others : own, params, renderer);
      if (!hasValues) return [kind, rendered] as const;
      return [kind, { ...rendered, values: renderKnownValues(values, params, renderer) }] as const;
    });
    return { ...Object.fromEntries(entries), ...(selector === undefined ? {} : { selector }) };
  });
}

function renderKnownValues(
  values: JsonObject,
  params: Parameters,
  renderer: TextRenderer,
): JsonObject {
  return Object.fromEntries(
    Object.entries(values).map(([name, text]) => [
      name,
      typeof text === 'string' ? (renderer.renderKnown(text, params) ?? text) : text,
    ]),
  );
}

async function generateMatrix(
  { generators }: MatrixGenerator,
  options: GenerateOptions,
  depth: number,
): Promise<readonly Parameters[]> {
  const [first, second, ...more] = generators;
  if (first === undefined || second === undefined)
    throw invalid('found less than two generators, Matrix support only two');
  if (more.length > 0) throw invalid('found more than two generators, Matrix support only two');
  const outer = await withinAsync(
    'error failed to get params for first generator in matrix generator',
    () => generateChild(first, options, {}, depth),
  );
  const result: Parameters[] = [];
  for (const a of outer) {
    const inner = await withinAsync(
      'failed to get params for second generator in the matrix generator',
      () => generateChild(second, options, a, depth),
    );
    checkCount(result.length + inner.length, 'matrix');
    for (const b of inner) {
      result.push(options.renderer.isGoTemplate ? mergeParameters(b, a) : combineTexts(a, b));
    }
  }
  return result;
}

/** Both sets as texts; a parameter that both have must be the same. */
function combineTexts(a: Parameters, b: Parameters): Parameters {
  const result: Parameters = {};
  for (const [key, value] of Object.entries(a)) result[key] = plainText(value);
  for (const [key, value] of Object.entries(b)) {
    const text = plainText(value);
    const current = result[key];
    if (current !== undefined && current !== text) {
      throw invalid(
        `failed to combine string maps with merging params for the matrix generator: found duplicate key ${key} with different value, a: ${plainText(current)} ,b: ${text}`,
      );
    }
    result[key] = text;
  }
  return result;
}

async function generateMerge(
  { generators, mergeKeys = [] }: MergeGenerator,
  options: GenerateOptions,
  depth: number,
): Promise<readonly Parameters[]> {
  if (generators.length < 2)
    throw invalid('found less than two generators, Merge requires two or more');
  const all: (readonly Parameters[])[] = [];
  for (const [index, generator] of generators.entries()) {
    const doing = `error getting param sets from generators: error getting params from generator ${index + 1} of ${generators.length}`;
    all.push(await withinAsync(doing, () => generateChild(generator, options, {}, depth)));
  }
  const [base = [], ...overrides] = all;
  let merged = indexByKeys(base, mergeKeys);
  for (const sets of overrides) {
    const over = indexByKeys(sets, mergeKeys);
    merged = new Map(
      [...merged].map(([key, set]) => [key, overlay(set, over.get(key), options.renderer)]),
    );
  }
  return [...merged.values()];
}

function overlay(
  set: Parameters,
  over: Parameters | undefined,
  { isGoTemplate }: TextRenderer,
): Parameters {
  if (over === undefined) return set;
  return isGoTemplate ? mergeParameters(set, over) : { ...set, ...over };
}

function indexByKeys(
  sets: readonly Parameters[],
  mergeKeys: readonly string[],
): Map<string, Parameters> {
  const doing = 'error getting param sets by merge key: ';
  if (mergeKeys.length === 0)
    throw invalid(`${doing}no merge keys were specified, Merge requires at least one`);
  const names = [...new Set(mergeKeys)].sort();
  const index = new Map<string, Parameters>();
  for (const set of sets) {
    const key = goJson(Object.fromEntries(names.map((name) => [name, set[name] ?? null])));
    if (index.has(key)) {
      throw invalid(
        `${doing}the parameters from a generator were not unique by the given mergeKeys, Merge requires all param sets to be unique. Duplicate key was ${key}`,
      );
    }
    index.set(key, set);
  }
  return index;
}

async function generateChild(
  generator: ApplicationSetGenerator,
  options: GenerateOptions,
  outer: Parameters,
  depth: number,
): Promise<readonly Parameters[]> {
  if (depth + 1 >= DEPTH_MAX && (isRecord(generator.matrix) || isRecord(generator.merge)))
    throw invalid('matrix and merge generators may be nested once, not deeper');
  const results = await withinAsync(
    'child generator returned an error on parameter generation',
    () => generateParameters(generator, options, outer, depth + 1),
  );
  const [only, ...more] = results;
  if (only === undefined) throw invalid('child generator generated no parameters');
  if (more.length > 0) throw invalid('found more than one generator in matrix.Generators');
  return only.params;
}

function checkCount(count: number, kind: GeneratorKind): void {
  if (count <= SETS_MAX) return;
  throw new CapstanError(
    'PARAMETERS_TOO_MANY',
    `the ${kind} generator gives more than ${SETS_MAX} sets of parameters`,
    { hint: 'narrow it by a selector, or split the ApplicationSet' },
  );
}

function invalid(message: string): CapstanError {
  return new CapstanError('SPEC_INVALID', message, { hint: 'correct spec.generators' });
}
