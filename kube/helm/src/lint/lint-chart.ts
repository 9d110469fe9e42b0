import { type FileTree, joinPath } from '@capstan/lib-files';
import { messageOf } from '@capstan/lib-std';
import { defaultCapabilities, type HelmFlavor, type KubeVersionParts } from '../capabilities.ts';
import type { Chart, Values } from '../chart.ts';
import { helmWords } from '../helm-words.ts';
import { loadChart, parseValues } from '../load-chart.ts';
import { renderFiles } from '../render-chart.ts';
import { schemaProblem } from '../validate-values.ts';
import { coalesceTables } from '../values.ts';
import { lintChartFile } from './lint-chart-file.ts';
import { lintCrds, lintManifest } from './lint-manifest.ts';

export type Severity = 'INFO' | 'WARNING' | 'ERROR';

export interface LintMessage {
  readonly severity: Severity;
  /** File or folder in the chart; '' for the chart. */
  readonly path: string;
  readonly message: string;
}

export interface LintOptions {
  readonly namespace?: string;
  readonly kubeVersion?: KubeVersionParts;
  readonly skipSchemaValidation?: boolean;
  /** The folder as messages name it. */
  readonly shownPath?: string;
  /** The version of Helm whose rules and words are followed (default 4). */
  readonly flavor?: HelmFlavor;
}

/** Notes a message when there is a problem; says whether there was none. */
export type Note = (severity: Severity, path: string, problem: string | undefined) => boolean;

/** What `helm lint` (4.3.1 or 3.22.0) says of the chart in the folder `path`, rule by rule in its order and its words. */
export function lintChart(
  tree: FileTree,
  path: string,
  values: Values = {},
  options: LintOptions = {},
): readonly LintMessage[] {
  const messages: LintMessage[] = [];
  const note: Note = (severity, at, problem) => {
    if (problem === undefined) return true;
    messages.push({ severity, path: at, message: helmWords(problem, options.flavor ?? 4) });
    return false;
  };
  const place = { tree, path };
  const rule = { options, flavor: options.flavor ?? 4, note };
  lintChartFile(place, rule.flavor, note);
  lintValues(place, values, rule);
  lintTemplates(place, values, rule);
  lintDependencies(place, options.shownPath ?? path, note);
  if (rule.flavor === 4) lintCrds(place, note);
  return messages;
}

export interface ChartPlace {
  readonly tree: FileTree;
  readonly path: string;
}

interface Rule {
  readonly options: LintOptions;
  readonly flavor: HelmFlavor;
  readonly note: Note;
}

function lintValues({ tree, path }: ChartPlace, values: Values, rule: Rule): void {
  const { options, flavor, note } = rule;
  const file = 'values.yaml';
  const bytes = tree.readFile(joinPath(path, file));
  if (!note('INFO', file, bytes === undefined ? 'file does not exist' : undefined)) return;
  const schema = tree.readFile(joinPath(path, 'values.schema.json'));
  // Helm 3 holds the values against the schema here even when it is told to skip that.
  const isSkipped = flavor === 4 && options.skipSchemaValidation === true;
  try {
    const defaults = parseValues(new TextDecoder().decode(bytes));
    if (schema === undefined || schema.length === 0 || isSkipped) return;
    const problem = schemaProblem(schema, coalesceTables(values, defaults));
    note('ERROR', file, problem === '' ? undefined : `${problem}\n`);
  } catch (error) {
    const type = flavor === 3 ? 'chartutil.Values' : 'common.Values';
    const reason = messageOf(error)
      .replace(/^cannot unmarshal yaml document: /, '')
      .replace(/map\[string\]interface \{\}$/, type);
    note('ERROR', file, `unable to parse YAML: ${reason}`);
  }
}

function lintTemplates({ tree, path }: ChartPlace, values: Values, rule: Rule): void {
  const { options, flavor, note } = rule;
  const folder = 'templates/';
  const kind = tree.stat(joinPath(path, 'templates'))?.kind;
  const missing = kind === undefined && flavor === 4 ? 'directory does not exist' : undefined;
  if (!note('WARNING', folder, missing)) return;
  const isFile = kind !== undefined && kind !== 'directory';
  const severity = flavor === 3 ? 'WARNING' : 'ERROR';
  if (!note(severity, folder, isFile ? 'not a directory' : undefined)) return;
  const chart = loaded({ tree, path }, (problem) => note('ERROR', folder, problem));
  if (chart === undefined) return;
  const files = rendered(chart, values, rule);
  if (files === undefined) return;
  const minor = Number(options.kubeVersion?.minor ?? defaultMinor(flavor));
  for (const { name, data } of chart.templates) {
    note('ERROR', name, extensionProblem(name));
    if (flavor === 3) lintForHelm3(name, data, note);
    if (!(flavor === 3 ? /\.yaml$/ : /\.ya?ml$/i).test(name)) continue;
    const content = files.get(`${chart.metadata.name}/${name}`) ?? '';
    if (content.trim() === '') continue;
    if (!lintManifest(name, content, { minor, flavor, note })) return;
  }
}

/** What Helm 3 finds in templates that were written for Helm 2. */
function lintForHelm3(name: string, data: Uint8Array, note: Note): void {
  const text = new TextDecoder().decode(data);
  const isCrdHook = /"?helm\.sh\/hook"?:\s+crd-install/.test(text);
  note(
    'WARNING',
    name,
    isCrdHook
      ? 'manifest is a crd-install hook. This hook is no longer supported in v3 and all CRDs should also exist the crds/ directory at the top level of the chart'
      : undefined,
  );
  const time =
    '.Release.Time has been removed in v3, please replace with the `now` function in your templates';
  note('ERROR', name, text.includes('.Release.Time') ? time : undefined);
}

function defaultMinor(flavor: HelmFlavor): string {
  return defaultCapabilities(flavor).kubeVersion.split('.')[1] ?? '';
}

function loaded({ tree, path }: ChartPlace, failed: (problem: string) => void): Chart | undefined {
  try {
    return loadChart(tree, path);
  } catch (error) {
    failed(messageOf(error));
    return undefined;
  }
}

function rendered(
  chart: Chart,
  values: Values,
  { options, flavor, note }: Rule,
): ReadonlyMap<string, string> | undefined {
  const { namespace = 'default', kubeVersion, skipSchemaValidation = false } = options;
  const base = defaultCapabilities(flavor);
  try {
    return renderFiles(chart, values, {
      release: { name: 'test-release', namespace },
      skipSchemaValidation,
      flavor,
      capabilities: { ...base, kubeVersion: kubeVersion?.version ?? base.kubeVersion },
    });
  } catch (error) {
    note('ERROR', 'templates/', messageOf(error));
    return undefined;
  }
}

function extensionProblem(name: string): string | undefined {
  const base = name.slice(name.lastIndexOf('/') + 1);
  const extension = base.includes('.') ? base.slice(base.lastIndexOf('.')) : '';
  if (['.yaml', '.yml', '.tpl', '.txt'].includes(extension)) return undefined;
  return `file extension '${extension}' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt`;
}

function lintDependencies(place: ChartPlace, shown: string, note: Note): void {
  const chart = loaded(place, (problem) => note('ERROR', '', `unable to load chart\n\t${problem}`));
  if (chart === undefined) return;
  const asked = chart.metadata.dependencies.map(({ name }) => name);
  const present = chart.dependencies.map(({ metadata }) => metadata.name);
  const list = (what: string, names: readonly string[]): string | undefined =>
    names.length === 0 ? undefined : `${what} is missing these dependencies: ${names.join(',')}`;
  const unasked = present.filter((name) => !asked.includes(name));
  note('ERROR', shown, list('chart metadata', unasked));
  const missing = asked.filter((name) => !present.includes(name));
  note('WARNING', shown, list('chart directory', missing));
}
