import { type RemoteRequest, requireAdmitted } from '@capstan/kube-kustomize';
import {
  compileGlob,
  type FileTree,
  joinPath,
  type ResolvedPath,
  readText,
  resolveLinks,
  resolvePath,
  subTree,
} from '@capstan/lib-files';
import { CapstanError, type Diagnostic, messageOf } from '@capstan/lib-std';
import type { DesiredObject } from './desired-state.ts';
import type { FieldNames, FieldSource, SourcesOf } from './field-sources.ts';
import { mountedRemotes } from './mounted-remotes.ts';
import { parseManifests } from './parse-manifests.ts';
import type { ChartPolicy, HelmOptions } from './render-spec.ts';

/** One chart to render: what `helm template` is given, with every file already read. */
export interface ChartRequest {
  readonly files: FileTree;
  /** Folder of the chart. */
  readonly folder: string;
  readonly release: { readonly name: string; readonly namespace: string };
  /** Texts of values files, the later over the earlier ones. */
  readonly valueTexts: readonly { readonly name: string; readonly text: string }[];
  /** `name=value` as --set takes it (`typed`), or as --set-string does. */
  readonly settings: readonly { readonly text: string; readonly mode: 'typed' | 'string' }[];
  readonly includeCrds: boolean;
  readonly skipTests: boolean;
  readonly skipSchemaValidation: boolean;
  readonly kubeVersion?: string;
  readonly apiVersions: readonly string[];
  /** Charts that stand in for those that its folder lacks. */
  readonly dependencies?: readonly ChartFolder[];
}

interface ChartFolder {
  readonly files: FileTree;
  readonly folder: string;
}

/** What a renderer throws for a chart whose folder lacks charts that it depends on. */
export class MissingCharts extends CapstanError {
  /** A version or constraint each; '' where no repository is told. */
  readonly charts: readonly {
    readonly name: string;
    readonly version: string;
    readonly repository: string;
  }[];

  constructor(message: string, charts: MissingCharts['charts']) {
    super('CHART_DEPENDENCY', message, {
      hint: 'run helm dependency build, and commit the folder charts/',
    });
    this.charts = charts;
  }
}

/** A rendered document, with its template's path as Helm names it: `app/templates/x.yaml`. */
export interface ChartDocument {
  readonly path: string;
  readonly text: string;
  /** What made a field; worked out when asked for. */
  readonly originOf?: (field: FieldNames) => ChartOrigin | undefined;
}

/** The line of a template that printed a field, and what it took from values. */
export interface ChartOrigin {
  readonly template: string;
  readonly line: number;
  readonly values: readonly {
    readonly path: string;
    /** The name of a text of values, or a file of the chart; absent when nothing sets the value. */
    readonly file: string | undefined;
    readonly line: number;
    readonly isDefault: boolean;
  }[];
}

/** Under this name parameters stand among the texts of values, where origins are told. */
export const PARAMETERS = 'helm.parameters';
const INLINE_VALUES = 'helm.values';

/** Rendered documents, hooks among them. */
export type ChartRenderer = (request: ChartRequest) => readonly ChartDocument[];

interface Rendered {
  readonly objects: readonly DesiredObject[];
  readonly diagnostics: readonly Diagnostic[];
  readonly pending?: readonly RemoteRequest[];
  readonly sourcesOf?: SourcesOf;
}

/**
 * Renders the chart in `folder` as Argo CD does: values files of the same repository or of an admitted address, then inline
 * values, then parameters; CRDs and hooks among the objects. Values files cannot lead out of the repository, whatever links
 * stand in the way.
 */
export function renderHelm(
  tree: FileTree,
  folder: string,
  options: HelmOptions & { readonly renderChart: ChartRenderer },
): Rendered {
  const pending = pendingFiles(tree, options);
  if (pending.length > 0) return { objects: [], diagnostics: [notFetched(folder)], pending };
  const request: ChartRequest = {
    files: tree,
    folder,
    release: { name: options.releaseName, namespace: options.releaseNamespace },
    valueTexts: [...readValueFiles(tree, folder, options), ...inlineValues(options)],
    settings: [...parameterSettings(options), ...fileSettings(tree, folder, options)],
    includeCrds: options.skipCrds !== true,
    skipTests: options.skipTests === true,
    skipSchemaValidation: options.skipSchemaValidation === true,
    apiVersions: options.apiVersions ?? [],
    ...(options.kubeVersion === undefined ? {} : { kubeVersion: options.kubeVersion }),
  };
  const documents = renderWhole(tree, request, options);
  if ('objects' in documents) return documents;
  // `helm template` ends each document with a line break, whatever it ends with: a text in block style may keep it.
  const parsed = documents.map(({ path, text }) =>
    parseManifests(`${text}\n`, sourceFile(path, folder)),
  );
  const documentOf = parsed.flatMap(({ objects }, i) => objects.map(() => documents[i]));
  return {
    objects: parsed.flatMap(({ objects }) => objects),
    diagnostics: parsed.flatMap(({ diagnostics }) => diagnostics),
    sourcesOf: (index, field) => chartSources(documentOf[index], folder, field),
  };
}

function chartSources(
  document: ChartDocument | undefined,
  folder: string,
  field: FieldNames,
): readonly FieldSource[] {
  const origin = document?.originOf?.(field);
  if (origin === undefined)
    return document === undefined ? [] : [{ file: sourceFile(document.path, folder) }];
  const values = origin.values.flatMap(
    ({ path, file, line, isDefault }): readonly FieldSource[] => {
      if (file === undefined) return [];
      const role = `value ${path}`;
      if (file === INLINE_VALUES)
        return [{ role: `${role} in ${file}`, inline: { kind: 'values', path, line } }];
      if (file === PARAMETERS)
        return [{ role: `${role} in ${file}`, inline: { kind: 'parameter', path } }];
      if (isDefault) return [{ file: joinPath(folder, file), line, role: `${role} (default)` }];
      return [{ file: placeOf(folder, file), line, role }];
    },
  );
  const template = sourceFile(origin.template, folder);
  return [{ file: template, line: origin.line, role: 'template' }, ...values];
}

/** With the charts that the folder lacks, as Argo CD builds them; pending while they are not here. */
function renderWhole(
  tree: FileTree,
  request: ChartRequest,
  options: HelmOptions & { readonly renderChart: ChartRenderer },
): ReturnType<ChartRenderer> | Rendered {
  try {
    return options.renderChart(request);
  } catch (error) {
    if (!(error instanceof MissingCharts) || options.remoteCharts === undefined) throw error;
    const found = findCharts(tree, request.folder, error, options.remoteCharts);
    if (found.pending.length > 0) {
      const { message, hint } = error;
      const location = { file: joinPath(request.folder, 'Chart.yaml') };
      const told: Diagnostic = { severity: 'error', code: error.code, message, location };
      const diagnostics = [hint === undefined ? told : { ...told, hint }];
      return { objects: [], diagnostics, pending: found.pending };
    }
    return options.renderChart({ ...request, dependencies: found.charts });
  }
}

function findCharts(
  tree: FileTree,
  folder: string,
  missing: MissingCharts,
  policy: ChartPolicy,
): { readonly charts: readonly ChartFolder[]; readonly pending: readonly RemoteRequest[] } {
  const charts: ChartFolder[] = [];
  const pending: RemoteRequest[] = [];
  // Under several aliases a chart is asked for several times.
  const asked = new Map(missing.charts.map((one) => [JSON.stringify(one), one]));
  for (const { name, version, repository } of asked.values()) {
    if (repository === '') throw missing;
    if (repository.startsWith('file://')) {
      charts.push({ files: tree, folder: localChart(tree, folder, repository) });
      continue;
    }
    const alias = /^(?:@|alias:)(.+)$/.exec(repository)?.[1];
    const repo = alias === undefined ? repository : policy.aliases?.[alias];
    if (repo === undefined) throw missing;
    requireAdmitted(repo, policy);
    const chart = { repo, name, version, devel: false };
    const answer = mountedRemotes(tree).chart?.(chart) ?? { kind: 'pending' as const };
    if (answer.kind === 'found') charts.push({ files: answer.content, folder: '' });
    else if (answer.kind === 'pending') pending.push({ kind: 'chart', chart });
    else throw unavailable(`${name} of ${repository}`, answer.message);
  }
  return { charts, pending };
}

function unavailable(what: string, why: string): CapstanError {
  return new CapstanError('CHART_DEPENDENCY', `the dependency ${what} cannot be had: ${why}`, {
    hint: 'correct dependencies in Chart.yaml, or give the repository its credentials',
  });
}

/** The folder of a `file://` repository: within the repository, links followed. */
function localChart(tree: FileTree, folder: string, repository: string): string {
  const path = resolvePath(folder, repository.slice('file://'.length));
  const found = path === undefined ? undefined : resolveLinks(tree, path);
  if (found?.kind === 'found') return found.path;
  throw unavailable(repository, 'there is no such folder in the repository');
}

/** `app/templates/x.yaml` is `<folder>/templates/x.yaml` of the repository. */
function sourceFile(path: string, folder: string): string {
  return joinPath(folder, path.slice(path.indexOf('/') + 1));
}

function readValueFiles(
  tree: FileTree,
  folder: string,
  options: HelmOptions,
): ChartRequest['valueTexts'] {
  const names = options.valueFiles ?? [];
  const plain = new Set(
    names.filter((name) => !isPattern(name)).map((name) => placeOf(folder, name)),
  );
  const seen = new Set<string>();
  return names.flatMap((name) => {
    // A file that is named for itself stands where it is named, not where a pattern finds it.
    const found = isPattern(name)
      ? expandPattern(tree, folder, name).filter((one) => !plain.has(placeOf(folder, one)))
      : [name];
    const texts = found
      .filter((one) => !seen.has(placeOf(folder, one)))
      .flatMap((one) => {
        seen.add(placeOf(folder, one));
        const text = readAny(tree, folder, one);
        return text === undefined ? [] : [{ name: one, text }];
      });
    const isMissing = isPattern(name)
      ? expandPattern(tree, folder, name).length === 0
      : texts.length === 0 && !ADDRESS.test(name) && readInside(tree, folder, name) === undefined;
    if (isMissing && options.ignoreMissingValueFiles !== true) throw missingValues(name);
    return texts;
  });
}

function missingValues(name: string): CapstanError {
  return new CapstanError(
    'VALUES_MISSING',
    `the values file ${JSON.stringify(name)} does not exist`,
    {
      hint: 'correct helm.valueFiles, or set helm.ignoreMissingValueFiles',
    },
  );
}

function isPattern(name: string): boolean {
  return /[*?[{]/.test(name) && !ADDRESS.test(name);
}

/** Where a name leads, for comparing names. */
function placeOf(folder: string, name: string): string {
  return name.startsWith('$') || ADDRESS.test(name) ? name : (resolvePath(folder, name) ?? name);
}

/**
 * The files that a pattern finds; `**` spans folders. Those of a folder stand before those of folders within it, each in the
 * order of their names; with alternatives in braces the whole path decides. Each is read within the same bounds.
 */
function expandPattern(tree: FileTree, folder: string, name: string): readonly string[] {
  const reference = /^\$([^/]+)\/(.*)$/s.exec(name);
  const mount = reference === null ? '' : `$${reference[1]}`;
  const from = reference === null ? folder : '';
  const pattern = resolvePath(from, reference?.[2] ?? name);
  if (pattern === undefined) throw refused(name, 'it leads out of the repository');
  const fits = compileGlob(pattern, { separator: '/', braces: true });
  const inside = mount === '' ? tree : subTree(tree, mount);
  const root = pattern
    .slice(0, pattern.search(/[*?[{]/))
    .replace(/[^/]*$/, '')
    .replace(/\/$/, '');
  if (leadsOut(inside, root)) throw refused(name, LINK_OUT);
  const found: string[] = [];
  const visit = (path: string): void => {
    const folders: string[] = [];
    for (const entry of inside.readDirectory(path) ?? []) {
      const place = joinPath(path, entry.name);
      // Not passed over: what a pattern would have found behind it must not be taken for nothing.
      const isCrossed = pattern.includes('**') || fits(place);
      if (entry.kind === 'symlink' && isCrossed && leadsOut(inside, place)) {
        throw refused(name, LINK_OUT);
      }
      if (entry.kind === 'directory') {
        if (!entry.name.startsWith('$')) folders.push(place);
      } else if (fits(place)) found.push(mount === '' ? `/${place}` : `${mount}/${place}`);
    }
    for (const place of folders) if (found.length < PATTERN_FILES_MAX) visit(place);
  };
  visit(root);
  return pattern.includes('{') ? found.sort() : found;
}

const PATTERN_FILES_MAX = 1_000;
const LINK_OUT = 'a symbolic link leads out of the repository';

function leadsOut(tree: FileTree, path: string): boolean {
  const { kind } = resolveLinks(tree, path);
  return kind === 'escape' || kind === 'loop';
}

const ADDRESS = /^[a-zA-Z][a-zA-Z0-9+.-]*:/;

/** Files at addresses that are not here yet. */
function pendingFiles(
  tree: FileTree,
  { valueFiles = [], fileParameters = [], remoteValues }: HelmOptions,
): readonly RemoteRequest[] {
  const remotes = mountedRemotes(tree);
  return [...new Set([...valueFiles, ...fileParameters.map(({ path }) => path)])]
    .filter((name) => ADDRESS.test(name))
    .flatMap((url) => {
      const scheme = url.slice(0, url.indexOf(':')).toLowerCase();
      if (remoteValues?.schemes.includes(scheme) !== true)
        throw refused(url, `the URL scheme '${scheme}' is not allowed`);
      requireAdmitted(url, remoteValues);
      return remotes.file(url).kind === 'pending' ? [{ kind: 'file' as const, url }] : [];
    });
}

function notFetched(folder: string): Diagnostic {
  return {
    severity: 'error',
    code: 'VALUES_MISSING',
    message: 'values files at other addresses are not fetched',
    hint: 'put them into the repository',
    location: { file: joinPath(folder, 'Chart.yaml') },
  };
}

function readAny(tree: FileTree, folder: string, name: string): string | undefined {
  return ADDRESS.test(name) ? readRemote(tree, name) : readInside(tree, folder, name);
}

/** That it cannot be had is an error whatever may be missing. */
function readRemote(tree: FileTree, url: string): string {
  const answer = mountedRemotes(tree).file(url);
  if (answer.kind === 'found') return new TextDecoder().decode(answer.content);
  const why = answer.kind === 'failed' ? answer.message : 'it is not fetched';
  throw new CapstanError(
    'VALUES_MISSING',
    `the values file ${JSON.stringify(url)} cannot be had: ${why}`,
    { hint: 'correct helm.valueFiles, or put the file into the repository' },
  );
}

/** A file by its path from the chart's folder, or from the root of the repository when it begins with '/'. */
function readInside(tree: FileTree, folder: string, name: string): string | undefined {
  const reference = /^\$([^/]+)\/?(.*)$/s.exec(name);
  if (reference !== null) return readReferred(tree, name, reference);
  if (ADDRESS.test(name)) throw refused(name, 'it is read from the repository only');
  const plain = name.replaceAll('\\', '/');
  const path = resolvePath(folder, decoded(plain));
  if (path === undefined) throw refused(name, 'it leads out of the repository');
  if (leadsOut(tree, path)) throw refused(name, LINK_OUT);
  const found: ResolvedPath = resolveLinks(tree, path);
  return found.kind === 'found' ? readText(tree, found.path) : undefined;
}

/** A file of another source, `$ref/path`: bounded by that source's own root. */
function readReferred(
  tree: FileTree,
  name: string,
  [, ref, path = '']: RegExpExecArray,
): string | undefined {
  const mount = `$${ref}`;
  if (tree.stat(mount) === undefined) {
    throw new CapstanError(
      'VALUES_REFERENCE',
      `the values file ${JSON.stringify(name)} refers to the source ${JSON.stringify(ref)}, but no source has that ref`,
      {
        hint: `give one of spec.sources the field ref: ${ref}`,
      },
    );
  }
  return readInside(subTree(tree, mount), '', path.startsWith('$') ? `./${path}` : path);
}

/** What a URL-encoded path would mean is held against the same bounds. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function refused(name: string, why: string): CapstanError {
  return new CapstanError(
    'VALUES_REFUSED',
    `the values file ${JSON.stringify(name)} is refused: ${why}`,
    {
      hint: 'name a file of the same repository in helm.valueFiles',
    },
  );
}

function inlineValues({ values }: HelmOptions): ChartRequest['valueTexts'] {
  return values === undefined || values.trim() === ''
    ? []
    : [{ name: INLINE_VALUES, text: values }];
}

/** As flags of helm: a name has the last of its values, and texts (--set-string) stand over what is typed (--set). */
function parameterSettings({ parameters = [] }: HelmOptions): ChartRequest['settings'] {
  return (['typed', 'string'] as const).flatMap((mode) => {
    const ofMode = parameters.filter((one) => (one.forceString === true) === (mode === 'string'));
    const values = new Map(ofMode.map(({ name, value }) => [name, value]));
    return [...values].map(([name, value]) => ({ text: `${name}=${escapeCommas(value)}`, mode }));
  });
}

/** A comma within a value is no separator, unless the value is a list in braces. */
function escapeCommas(value: string): string {
  if (value.startsWith('{') && value.endsWith('}')) return value;
  return value.replace(/(?<!\\),/g, '\\,');
}

function fileSettings(
  tree: FileTree,
  folder: string,
  options: HelmOptions,
): ChartRequest['settings'] {
  return (options.fileParameters ?? []).map(({ name, path }) => {
    const text = readAny(tree, folder, path);
    if (text === undefined) {
      throw new CapstanError(
        'VALUES_MISSING',
        `the file ${JSON.stringify(path)} of parameter ${name} does not exist`,
        {
          hint: 'correct helm.fileParameters',
        },
      );
    }
    return { text: `${name}=${text.replace(/[\\,]/g, '\\$&')}`, mode: 'string' };
  });
}

/** What a failed chart says, as a diagnostic at the chart's folder. */
export function chartFailure(error: unknown, folder: string): Diagnostic {
  return {
    severity: 'error',
    code: error instanceof CapstanError ? error.code : 'HELM_RENDER',
    message: `helm template: ${messageOf(error)}`,
    location: { file: joinPath(folder, 'Chart.yaml') },
  };
}

/** The names of other sources that the options refer to, as in `$values/prod.yaml`. */
export function referredSources({
  valueFiles = [],
  fileParameters = [],
}: HelmOptions): readonly string[] {
  const paths = [...valueFiles, ...fileParameters.map(({ path }) => path)];
  const names = paths.flatMap((path) =>
    path.startsWith('$') ? [path.slice(1).split('/')[0]!] : [],
  );
  return [...new Set(names)].sort();
}
