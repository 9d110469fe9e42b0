import { baseName, type FileTree, joinPath, resolveLinks } from '@capstan/lib-files';
import { messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import type { Chart, ChartFile, ChartMetadata, Values } from './chart.ts';
import { FILE_BYTES_MAX, readArchive } from './chart-archive.ts';
import { ChartError } from './chart-error.ts';
import { parseIgnoreRules } from './ignore-rules.ts';
import { NO_METADATA, parseLock, parseMetadata, validateMetadata } from './parse-metadata.ts';
import { isTable, overlayValues } from './values.ts';
import { yamlText } from './yaml-text.ts';

export interface LoadOptions {
  /** Sum of the bytes of all files of the chart and its subcharts. */
  readonly bytesMax?: number;
  readonly filesMax?: number;
  /** Of each file of a folder, told in the words of Flux; absent: 5 MiB, in those of Helm. */
  readonly fileBytesMax?: number;
}

const BYTES_MAX = 100 * 1024 * 1024;
const FILES_MAX = 20_000;
const NESTING_MAX = 32;

/**
 * The chart in the folder (or packed .tgz file) `path` of a tree. Symbolic links are followed inside the tree and refused
 * out of it; .helmignore is honoured. Throws ChartError with the original's text when Chart.yaml is missing or bad.
 */
export function loadChart(tree: FileTree, path = '', options: LoadOptions = {}): Chart {
  const found = resolveLinks(tree, path);
  if (found.kind !== 'found') {
    throw new ChartError('CHART_MISSING', `path ${JSON.stringify(path)} not found`);
  }
  const bytes = tree.readFile(found.path);
  const files =
    bytes === undefined ? readFolder(tree, found.path, options) : readArchive(bytes, options);
  return chartOfFiles(files, options);
}

/** The chart in a packed archive, as it comes from a repository. */
export function loadChartArchive(bytes: Uint8Array, options: LoadOptions = {}): Chart {
  return chartOfFiles(readArchive(bytes, options), options);
}

function readFolder(tree: FileTree, root: string, options: LoadOptions): readonly ChartFile[] {
  const ignore = tree.readFile(joinPath(root, '.helmignore'));
  const rules = parseIgnoreRules(ignore === undefined ? '' : textOf(ignore));
  const bytesMax = options.bytesMax ?? BYTES_MAX;
  const filesMax = options.filesMax ?? FILES_MAX;
  const fileBytesMax = options.fileBytesMax ?? FILE_BYTES_MAX;
  const files: ChartFile[] = [];
  let bytes = 0;
  const walk = (folder: string, depth: number): void => {
    if (depth > NESTING_MAX)
      throw new ChartError('CHART_LIMIT', `${folder}: folders nest too deep`);
    for (const entry of tree.readDirectory(joinPath(root, folder)) ?? []) {
      const name = joinPath(folder, entry.name);
      const target = follow(tree, joinPath(root, name));
      const kind = tree.stat(target)?.kind;
      if (rules.ignores(name, kind === 'directory')) continue;
      if (kind === 'directory') {
        // A linked folder is walked under its own name.
        if (target === joinPath(root, name)) walk(name, depth + 1);
        else walkLinked(target, name, depth + 1);
        continue;
      }
      add(name, tree.readFile(target) ?? new Uint8Array());
    }
  };
  const walkLinked = (target: string, as: string, depth: number): void => {
    if (depth > NESTING_MAX) throw new ChartError('CHART_LIMIT', `${as}: folders nest too deep`);
    for (const entry of tree.readDirectory(target) ?? []) {
      const name = joinPath(as, entry.name);
      const inner = follow(tree, joinPath(target, entry.name));
      const kind = tree.stat(inner)?.kind;
      if (rules.ignores(name, kind === 'directory')) continue;
      if (kind === 'directory') walkLinked(inner, name, depth + 1);
      else add(name, tree.readFile(inner) ?? new Uint8Array());
    }
  };
  const add = (name: string, data: Uint8Array): void => {
    const size = data.byteLength;
    if (size > fileBytesMax) {
      throw new ChartError(
        'CHART_LIMIT',
        options.fileBytesMax === undefined
          ? `chart file ${JSON.stringify(baseName(name))} is larger than the maximum file size ${fileBytesMax}`
          : `cannot load file ${name} as file size (${size}) exceeds limit (${fileBytesMax})`,
      );
    }
    bytes += size;
    if (bytes > bytesMax || files.length >= filesMax) {
      throw new ChartError('CHART_LIMIT', `chart is larger than the maximum size ${bytesMax}`);
    }
    files.push({ name, data: withoutMark(data) });
  };
  walk('', 0);
  return files;
}

/** The place that a path means; a link out of the tree is an error, never a read. */
function follow(tree: FileTree, path: string): string {
  const found = resolveLinks(tree, path);
  if (found.kind === 'found') return found.path;
  const why = found.kind === 'escape' ? 'leads out of the repository' : 'leads nowhere';
  throw new ChartError('CHART_LINK', `cannot load ${path}: the symbolic link ${why}`);
}

/** Makes a chart of files by their names; the charts under charts/ become its dependencies, in the order of their names. */
export function chartOfFiles(
  files: readonly ChartFile[],
  options: LoadOptions = {},
  depth = 0,
): Chart {
  if (depth > NESTING_MAX) throw new ChartError('CHART_LIMIT', 'subcharts nest too deep');
  const byName = new Map(files.map((file) => [file.name, file]));
  const metadata = readMetadata(byName);
  const lock = byName.get('Chart.lock') ?? byName.get('requirements.lock');
  const valuesFile = byName.get('values.yaml');
  return {
    metadata,
    lock: lock === undefined ? null : parseLock(textOf(lock.data), lock.name),
    values: valuesFile === undefined ? {} : readDefaults(valuesFile),
    schema: byName.get('values.schema.json')?.data ?? null,
    templates: files.filter((file) => file.name.startsWith('templates/')),
    files: files.filter((file) => isPlainFile(file.name, metadata)),
    raw: files,
    dependencies: readSubcharts(files, metadata.name, { options, depth }),
  };
}

function readMetadata(byName: ReadonlyMap<string, ChartFile>): ChartMetadata {
  const main = byName.get('Chart.yaml');
  if (main === undefined) throw new ChartError('CHART_METADATA', 'Chart.yaml file is missing');
  let metadata = parseMetadata(metadataText(main), main.name, NO_METADATA);
  if (metadata.apiVersion === '') metadata = { ...metadata, apiVersion: 'v1' };
  const old = byName.get('requirements.yaml');
  if (old !== undefined) metadata = parseMetadata(metadataText(old), old.name, metadata);
  return validateMetadata(metadata);
}

function metadataText({ name, data }: ChartFile): string {
  try {
    return yamlText(data);
  } catch (error) {
    throw new ChartError('CHART_METADATA', `cannot load ${name}: ${messageOf(error)}`, error);
  }
}

function readDefaults(file: ChartFile): Values {
  try {
    return parseValues(file.data);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ChartError('CHART_VALUES', `cannot load values.yaml: ${reason}`, error);
  }
}

/** A values file: several documents are laid over each other, the later ones winning. */
export function parseValues(content: string | Uint8Array): Values {
  let values: Values = {};
  const text = typeof content === 'string' ? content : valuesText(content);
  for (const document of text.split(/^---[ \t]*(?:\r?\n|$)/m)) {
    const parsed = readYaml(document);
    if (parsed === null || parsed === undefined) continue;
    if (!isTable(parsed)) {
      const kind = Array.isArray(parsed) ? 'array' : (GO_KINDS[typeof parsed] ?? typeof parsed);
      throw new ChartError(
        'CHART_VALUES',
        `cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
      );
    }
    values = overlayValues(values, parsed);
  }
  return values;
}

const GO_KINDS: Readonly<Record<string, string>> = { boolean: 'bool', bigint: 'number' };

function valuesText(content: Uint8Array): string {
  try {
    return yamlText(content);
  } catch (error) {
    const reason = messageOf(error);
    throw new ChartError('CHART_VALUES', `cannot unmarshal yaml document: ${reason}`, error);
  }
}

function readYaml(text: string): ReturnType<typeof parseYaml> {
  try {
    return parseYaml(text, { numbers: 'float64' });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ChartError('CHART_VALUES', `cannot unmarshal yaml document: ${reason}`, error);
  }
}

const KNOWN = new Set(['Chart.yaml', 'Chart.lock', 'values.yaml', 'values.schema.json']);

function isPlainFile(name: string, metadata: ChartMetadata): boolean {
  if (KNOWN.has(name) || name.startsWith('templates/')) return false;
  if (name === 'requirements.yaml' || name === 'requirements.lock')
    return metadata.apiVersion === 'v1';
  return !name.startsWith('charts/') || name.endsWith('.prov');
}

function readSubcharts(
  files: readonly ChartFile[],
  parent: string,
  run: { readonly options: LoadOptions; readonly depth: number },
): readonly Chart[] {
  const groups = new Map<string, ChartFile[]>();
  for (const { name, data } of files) {
    if (!name.startsWith('charts/') || name.endsWith('.prov')) continue;
    const [folder = '', ...rest] = name.slice('charts/'.length).split('/');
    if (folder.startsWith('_') || folder.startsWith('.')) continue;
    const group = groups.get(folder) ?? [];
    // A plain file is a chart without any file, which is an error below: so it is in the original.
    const isPart = rest.length > 0 || folder.endsWith('.tgz');
    groups.set(folder, isPart ? [...group, { name: rest.join('/'), data }] : group);
  }
  return [...groups].map(([folder, group]) => {
    try {
      const packed = folder.endsWith('.tgz') ? group[0] : undefined;
      const inner =
        packed === undefined ? group : readArchive(packed.data, { ...run.options, isInner: true });
      return chartOfFiles(inner, run.options, run.depth + 1);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ChartError(
        'CHART_SUBCHART',
        `error unpacking subchart ${folder} in ${parent}: ${reason}`,
        error,
      );
    }
  });
}

function textOf(data: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(data);
}

/** Drops the UTF-8 byte order mark that some editors put at the start of a file. */
function withoutMark(data: Uint8Array): Uint8Array {
  const marked = data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf;
  return marked ? data.subarray(3) : data;
}
