import { type FileTree, joinPath } from '@capstan/lib-files';
import { messageOf } from '@capstan/lib-std';
import { defaultCapabilities, type KubeVersionParts } from '../capabilities.ts';
import type { Chart, Values } from '../chart.ts';
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
}

/** Notes a message when there is a problem; says whether there was none. */
export type Note = (severity: Severity, path: string, problem: string | undefined) => boolean;

/** What `helm lint` 4.3.1 says of the chart in the folder `path`, rule by rule in its order and its words. */
export function lintChart(
  tree: FileTree,
  path: string,
  values: Values = {},
  options: LintOptions = {},
): readonly LintMessage[] {
  const messages: LintMessage[] = [];
  const note: Note = (severity, at, problem) => {
    if (problem === undefined) return true;
    messages.push({ severity, path: at, message: problem });
    return false;
  };
  const place = { tree, path };
  lintChartFile(place, note);
  lintValues(place, values, { options, note });
  lintTemplates(place, values, { options, note });
  lintDependencies(place, options.shownPath ?? path, note);
  lintCrds(place, note);
  return messages;
}

export interface ChartPlace {
  readonly tree: FileTree;
  readonly path: string;
}

interface Rule {
  readonly options: LintOptions;
  readonly note: Note;
}

function lintValues({ tree, path }: ChartPlace, values: Values, { options, note }: Rule): void {
  const file = 'values.yaml';
  const bytes = tree.readFile(joinPath(path, file));
  if (!note('INFO', file, bytes === undefined ? 'file does not exist' : undefined)) return;
  const schema = tree.readFile(joinPath(path, 'values.schema.json'));
  try {
    const defaults = parseValues(new TextDecoder().decode(bytes));
    if (schema === undefined || schema.length === 0 || options.skipSchemaValidation === true)
      return;
    const problem = schemaProblem(schema, coalesceTables(values, defaults));
    note('ERROR', file, problem === '' ? undefined : `${problem}\n`);
  } catch (error) {
    const reason = messageOf(error)
      .replace(/^cannot unmarshal yaml document: /, '')
      .replace(/map\[string\]interface \{\}$/, 'common.Values');
    note('ERROR', file, `unable to parse YAML: ${reason}`);
  }
}

function lintTemplates({ tree, path }: ChartPlace, values: Values, { options, note }: Rule): void {
  const folder = 'templates/';
  const kind = tree.stat(joinPath(path, 'templates'))?.kind;
  const missing = kind === undefined ? 'directory does not exist' : undefined;
  if (!note('WARNING', folder, missing)) return;
  if (!note('ERROR', folder, kind === 'directory' ? undefined : 'not a directory')) return;
  const chart = loaded({ tree, path }, (problem) => note('ERROR', folder, problem));
  if (chart === undefined) return;
  const files = rendered(chart, values, { options, note });
  if (files === undefined) return;
  const minor = Number(options.kubeVersion?.minor ?? defaultMinor());
  for (const template of chart.templates) {
    note('ERROR', template.name, extensionProblem(template.name));
    if (!/\.ya?ml$/i.test(template.name)) continue;
    const content = files.get(`${chart.metadata.name}/${template.name}`) ?? '';
    if (content.trim() === '') continue;
    if (!lintManifest(template.name, content, { minor, note })) return;
  }
}

function defaultMinor(): string {
  return defaultCapabilities().kubeVersion.split('.')[1] ?? '';
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
  { options, note }: Rule,
): ReadonlyMap<string, string> | undefined {
  const { namespace = 'default', kubeVersion, skipSchemaValidation = false } = options;
  const base = defaultCapabilities();
  try {
    return renderFiles(chart, values, {
      release: { name: 'test-release', namespace },
      skipSchemaValidation,
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
