import {
  type CompiledTemplate,
  fromBytes,
  GoError,
  type GoFunc,
  GoMap,
  type GoValue,
  int,
  type Limits,
  sprigFunctions,
  TemplateLanguage,
  TemplateSet,
} from '@capstan/lib-gotemplate';
import type { Diagnostic } from '@capstan/lib-std';
import {
  type Capabilities,
  defaultCapabilities,
  type HelmFlavor,
  parseKubeVersion,
} from './capabilities.ts';
import { type Chart, chartCrds, isLibraryChart, subchartPath, type Values } from './chart.ts';
import { ChartError, UnreadableManifestError } from './chart-error.ts';
import { chartObject } from './chart-object.ts';
import { satisfies } from './compatible-range.ts';
import { helmFunctions, type Lookup, type RenderHost } from './helm-functions.ts';
import {
  type Hook,
  INSTALL_ORDER,
  INSTALL_ORDER_3,
  type Manifest,
  type SortedManifests,
  sortManifests,
} from './manifests.ts';
import { type PostRenderer, postRenderFiles } from './post-render.ts';
import { processDependencies } from './process-dependencies.ts';
import { executionError, parseError } from './render-errors.ts';
import { capabilitiesObject, filesObject } from './template-objects.ts';
import { validateValues } from './validate-values.ts';
import { coalesceValues, isTable, type Warn } from './values.ts';
import { valuesObjects } from './values-object.ts';

export interface ReleaseInfo {
  readonly name: string;
  readonly namespace: string;
  readonly revision?: number;
  readonly isUpgrade?: boolean;
}

export interface RenderOptions {
  readonly release: ReleaseInfo;
  readonly capabilities?: Capabilities;
  /** Helm 4 is followed unless 3 is asked for. */
  readonly flavor?: HelmFlavor;
  readonly lookup?: Lookup;
  readonly includeCrds?: boolean;
  readonly skipSchemaValidation?: boolean;
  /** NOTES.txt of subcharts too. */
  readonly subNotes?: boolean;
  readonly lint?: boolean;
  readonly strict?: boolean;
  readonly limits?: Partial<Limits>;
  /** Milliseconds since the epoch, for `now` and for the bound on time. */
  readonly now?: () => number;
  /** Compiled templates are kept in it from render to render; one is made when none is given. */
  readonly language?: ChartLanguage;
  readonly postRenderer?: PostRenderer;
  readonly warn?: Warn;
}

export interface RenderedChart {
  /** All manifests but hooks as one text, in helm's order: what `helm template` prints. */
  readonly yaml: string;
  readonly manifests: readonly Manifest[];
  readonly hooks: readonly Hook[];
  readonly notes: string;
  /** What helm warns of: values that cannot be brought together. Errors are thrown. */
  readonly diagnostics: readonly Diagnostic[];
  readonly crds: readonly { readonly fileName: string; readonly data: Uint8Array }[];
  /** The values that the templates saw, subcharts' included. */
  readonly values: Values;
  /** The chart as it was rendered: aliases applied, disabled subcharts left out. */
  readonly chart: Chart;
}

/**
 * The template language of charts (Go's, Sprig's without the environment, Helm's own) with the templates that it compiled:
 * those of a chart that is still in use are found again by their bytes.
 */
export class ChartLanguage {
  readonly #language: TemplateLanguage;
  readonly #compiled = new WeakMap<Uint8Array, Map<string, readonly CompiledTemplate[]>>();

  constructor() {
    const functions = new Map<string, GoFunc>([...sprigFunctions(), ...helmFunctions()]);
    functions.delete('env');
    functions.delete('expandenv');
    this.#language = new TemplateLanguage(functions);
  }

  /** An empty set of templates in this language. */
  templates(): TemplateSet {
    return new TemplateSet(this.#language);
  }

  /** Compiles a file of a chart under the name it has there. Throws GoError for what does not parse. */
  compile(name: string, data: Uint8Array): readonly CompiledTemplate[] {
    const known = this.#compiled.get(data) ?? new Map<string, readonly CompiledTemplate[]>();
    const compiled = known.get(name) ?? this.#language.compile(name, fromBytes(data));
    this.#compiled.set(data, known.set(name, compiled));
    return compiled;
  }
}

/** A language that keeps what it compiles, for renders to share. */
export function chartLanguage(): ChartLanguage {
  return new ChartLanguage();
}

/**
 * Renders a chart with values as `helm template` does (4.3.1, or 3.22.0 by `flavor`): dependencies processed, values
 * coalesced and checked, templates executed, documents sorted. Reads nothing but its arguments. Throws ChartError with the
 * original's text.
 */
export function renderChart(chart: Chart, values: Values, options: RenderOptions): RenderedChart {
  const flavor = options.flavor ?? 4;
  const diagnostics: Diagnostic[] = [];
  const warn = (message: string): void => {
    diagnostics.push({ severity: 'warning', code: 'CHART_VALUES', message });
    options.warn?.(message);
  };
  const capabilities = options.capabilities ?? defaultCapabilities(flavor);
  const processed = resolveDependencies(chart, values, { flavor, warn });
  const all = coalesceValues(processed, values, { flavor, warn });
  if (options.skipSchemaValidation !== true) validateValues(processed, all);
  checkKubeVersion(processed, capabilities);
  const files = renderTemplates(processed, all, { ...options, flavor, capabilities });
  const notes = takeNotes(files, processed.metadata.name, options.subNotes ?? false);
  const { postRenderer } = options;
  const { hooks, manifests } = readManifests(
    postRenderer === undefined ? files : postRenderFiles(files, postRenderer),
    flavor,
  );
  const crds = options.includeCrds === true ? chartCrds(processed) : [];
  const documents = [
    ...crds.map(({ fileName, data }) => [fileName, fromBytes(data)] as const),
    ...manifests.map(({ path, content }) => [path, content] as const),
  ];
  const yaml = documents.map(([path, content]) => `---\n# Source: ${path}\n${content}\n`).join('');
  return { yaml, manifests, hooks, notes, diagnostics, crds, values: all, chart: processed };
}

function readManifests(files: ReadonlyMap<string, string>, flavor: HelmFlavor): SortedManifests {
  try {
    return sortManifests(files, flavor === 3 ? INSTALL_ORDER_3 : INSTALL_ORDER, flavor);
  } catch (error) {
    throw error instanceof ChartError ? new UnreadableManifestError(error, files) : error;
  }
}

/**
 * What each template printed, partials left out, before anything is read out of it: what a linter looks at. `lint` is set;
 * the version of Kubernetes is not checked. Undefined when dependencies or values cannot be brought together: `helm lint`
 * has nothing to say of that.
 */
export function renderFiles(
  chart: Chart,
  values: Values,
  options: RenderOptions,
): ReadonlyMap<string, string> | undefined {
  const flavor = options.flavor ?? 4;
  const capabilities = options.capabilities ?? defaultCapabilities(flavor);
  const together = lintValues(chart, values, flavor);
  if (together === undefined) return undefined;
  const { processed, all } = together;
  if (options.skipSchemaValidation !== true) validateValues(processed, all);
  return renderTemplates(processed, all, { ...options, lint: true, flavor, capabilities });
}

function lintValues(
  chart: Chart,
  values: Values,
  flavor: HelmFlavor,
): { readonly processed: Chart; readonly all: Values } | undefined {
  try {
    const processed = processDependencies(chart, values, { flavor });
    const given = coalesceValues(processed, values, { flavor });
    return { processed, all: coalesceValues(processed, given, { flavor }) };
  } catch (error) {
    if (error instanceof ChartError) return undefined;
    throw error;
  }
}

function resolveDependencies(
  chart: Chart,
  values: Values,
  options: { readonly flavor: HelmFlavor; readonly warn: Warn },
): Chart {
  try {
    return processDependencies(chart, values, options);
  } catch (error) {
    // Helm 3 does not say what it was at.
    if (!(error instanceof ChartError) || options.flavor === 3) throw error;
    throw new ChartError(
      error.code,
      `chart dependencies processing failed: ${error.message}`,
      error,
    );
  }
}

function checkKubeVersion(chart: Chart, { kubeVersion }: Capabilities): void {
  const wanted = chart.metadata.kubeVersion;
  if (wanted === '') return;
  const parts = parseKubeVersion(kubeVersion);
  if (satisfies(parts?.normalized ?? kubeVersion, wanted)) return;
  throw new ChartError(
    'CHART_KUBE_VERSION',
    `chart requires kubeVersion: ${wanted} which is incompatible with Kubernetes ${parts?.version ?? kubeVersion}`,
  );
}

interface TemplateRun extends RenderOptions {
  /** Makes what the original holds as its type Values. */
  readonly asValues: ReturnType<typeof valuesObjects>;
  readonly flavor: HelmFlavor;
  readonly capabilities: Capabilities;
}

interface Template {
  readonly name: string;
  readonly data: Uint8Array;
  readonly scope: Values;
  readonly basePath: string;
}

/** Every template of the chart and its subcharts, partials left out, by name. */
function renderTemplates(
  chart: Chart,
  values: Values,
  options: Omit<TemplateRun, 'asValues'>,
): Map<string, string> {
  const run: TemplateRun = { ...options, asValues: valuesObjects(options.flavor) };
  const templates = collectTemplates(chart, values, run).sort(byDepth);
  const language = run.language ?? chartLanguage();
  const set = language.templates();
  for (const { name, data } of templates) {
    try {
      set.add(language.compile(name, data));
    } catch (error) {
      throw error instanceof GoError ? parseError(name, error) : error;
    }
  }
  const host: RenderHost = {
    included: new Map(),
    lookup: run.lookup ?? null,
    lint: run.lint ?? false,
  };
  const rendered = new Map<string, string>();
  for (const template of templates) {
    if (template.name.slice(template.name.lastIndexOf('/') + 1).startsWith('_')) continue;
    rendered.set(template.name, renderOne(set, template, { run, host }));
  }
  return rendered;
}

function renderOne(
  set: TemplateSet,
  { name, scope, basePath }: Template,
  { run, host }: { readonly run: TemplateRun; readonly host: RenderHost },
): string {
  // The scope of a chart is one value for all its templates, and they can change it (`set`): only Template differs.
  scope['Template'] = run.asValues({ Name: name, BasePath: basePath });
  try {
    const text = set.execute(name, run.asValues(scope), {
      host,
      missingKey: run.strict === true ? 'error' : 'zero',
      ...(run.limits === undefined ? {} : { limits: run.limits }),
      ...(run.now === undefined ? {} : { now: run.now }),
    });
    return text.replaceAll('<no value>', '');
  } catch (error) {
    throw error instanceof GoError ? executionError(error, run.flavor) : error;
  }
}

/** Deeper paths first, then the later names: so that a parent's definition replaces a child's of the same name. */
function byDepth(a: Template, b: Template): number {
  const depth = count(b.name) - count(a.name);
  return depth || (a.name < b.name ? 1 : a.name > b.name ? -1 : 0);
}

function count(name: string): number {
  return name.split('/').length;
}

function collectTemplates(chart: Chart, values: Values, run: TemplateRun): Template[] {
  const { release } = run;
  const shared: Values = {
    Release: {
      Name: release.name,
      Namespace: release.namespace,
      IsUpgrade: release.isUpgrade ?? false,
      IsInstall: !(release.isUpgrade ?? false),
      Revision: int(release.revision ?? 1),
      Service: 'Helm',
    },
    Capabilities: capabilitiesObject(run.capabilities, run.flavor),
  };
  const templates: Template[] = [];
  const visit = (one: Chart, path: string, own: GoValue, isRoot: boolean): Values => {
    const subcharts: Values = {};
    const scope: Values = {
      Chart: chartObject(one.metadata, isRoot, run.flavor),
      Files: filesObject(one.files),
      ...shared,
      Values: own,
      Subcharts: subcharts,
    };
    const table = own instanceof GoMap ? own.data : {};
    for (const child of one.dependencies) {
      const name = child.metadata.name;
      const given = table instanceof Map ? table.get(name) : table[name];
      const inner = run.asValues(isTable(given) ? given : {});
      subcharts[name] = visit(
        child,
        subchartPath(parentPath(one, path, run.flavor), child),
        inner,
        false,
      );
    }
    for (const file of one.templates) {
      const base = file.name.slice(file.name.lastIndexOf('/') + 1);
      if (isLibraryChart(one) && !base.startsWith('_')) continue;
      templates.push({
        name: `${path}/${file.name}`,
        data: file.data,
        scope,
        basePath: `${path}/templates`,
      });
    }
    return scope;
  };
  visit(chart, chart.metadata.name, run.asValues(values), true);
  return templates;
}

/**
 * The path that subcharts are named under: in Helm 3 those of a chart under an alias know it by its own name, unless its
 * Chart.yaml names dependencies.
 */
function parentPath(chart: Chart, path: string, flavor: HelmFlavor): string {
  const { ownName, metadata } = chart;
  const isKept = flavor === 3 && ownName !== undefined && metadata.dependencies.length === 0;
  return isKept ? path.replace(/[^/]+$/, ownName) : path;
}

/** Takes NOTES.txt out of the rendered files. */
function takeNotes(files: Map<string, string>, chartName: string, subNotes: boolean): string {
  const notes: string[] = [];
  for (const path of [...files.keys()]) {
    if (!path.endsWith('NOTES.txt')) continue;
    const own = path === `${chartName}/templates/NOTES.txt`;
    if (own || subNotes) notes.push(files.get(path) ?? '');
    files.delete(path);
  }
  return notes.filter((note) => note !== '').join('\n');
}
