import { formatFloat } from '@capstan/lib-gotemplate';
import { parseYaml } from '@capstan/lib-yaml';
import type { ChartDependency, ChartLock, ChartMetadata, Maintainer } from './chart.ts';
import { ChartError } from './chart-error.ts';
import { isVersion } from './compatible-range.ts';

type Dict = Readonly<Record<string, unknown>>;

/** Reads Chart.yaml (or requirements.yaml over it) into `base`: what the text does not name stays. */
export function parseMetadata(text: string, file: string, base: ChartMetadata): ChartMetadata {
  const dict = readDict(text, file);
  const field = reader(floatsAsText(dict, text), file);
  return {
    apiVersion: field.text('apiVersion', base.apiVersion),
    name: field.text('name', base.name),
    version: field.text('version', base.version),
    kubeVersion: field.text('kubeVersion', base.kubeVersion),
    appVersion: field.text('appVersion', base.appVersion),
    description: field.text('description', base.description),
    home: field.text('home', base.home),
    icon: field.text('icon', base.icon),
    type: field.text('type', base.type),
    condition: field.text('condition', base.condition),
    tags: field.text('tags', base.tags),
    deprecated: field.flag('deprecated', base.deprecated),
    keywords: field.texts('keywords', base.keywords),
    sources: field.texts('sources', base.sources),
    maintainers:
      field.dicts('maintainers', 'v2.Maintainer', (maintainer) =>
        readMaintainer(maintainer, file),
      ) ?? base.maintainers,
    dependencies:
      field.dicts('dependencies', 'v2.Dependency', (one) => readDependency(one, file)) ??
      base.dependencies,
    annotations: field.textMap('annotations') ?? base.annotations,
  };
}

export const NO_METADATA: ChartMetadata = {
  apiVersion: '',
  name: '',
  version: '',
  kubeVersion: '',
  appVersion: '',
  description: '',
  home: '',
  icon: '',
  type: '',
  condition: '',
  tags: '',
  deprecated: false,
  keywords: [],
  sources: [],
  maintainers: [],
  dependencies: [],
  annotations: null,
};

/** Chart.lock or requirements.lock. */
export function parseLock(text: string, file: string): ChartLock {
  const dict = readDict(text, file);
  const field = reader(dict, file);
  return {
    generated: field.text('generated', ''),
    digest: field.text('digest', ''),
    dependencies:
      field.dicts('dependencies', 'v2.Dependency', (one) => readDependency(one, file)) ?? [],
  };
}

/**
 * What helm demands of Chart.yaml, with its texts; blanks are made spaces and what does not print is dropped, so that no
 * field can carry control characters to a terminal. Gives the cleaned metadata.
 */
export function validateMetadata(metadata: ChartMetadata): ChartMetadata {
  const clean = sanitizeMetadata(metadata);
  const { name, version, type } = clean;
  if (clean.apiVersion === '') throw invalid('chart.metadata.apiVersion is required');
  if (name === '') throw invalid('chart.metadata.name is required');
  if (name === '.' || name === '..') {
    throw invalid(`chart.metadata.name ${JSON.stringify(name)} is not allowed`);
  }
  if (name.includes('/')) throw invalid(`chart.metadata.name ${JSON.stringify(name)} is invalid`);
  if (version === '') throw invalid('chart.metadata.version is required');
  if (!isVersion(version)) {
    throw invalid(`chart.metadata.version ${JSON.stringify(version)} is invalid`);
  }
  if (!['', 'application', 'library'].includes(type)) {
    throw invalid('chart.metadata.type must be application or library');
  }
  validateDependencies(clean.dependencies);
  return clean;
}

function validateDependencies(dependencies: readonly ChartDependency[]): void {
  const keys = new Set<string>();
  for (const { name, alias } of dependencies) {
    if (alias !== '' && !/^[a-zA-Z0-9_-]+$/.test(alias)) {
      throw invalid(`dependency ${JSON.stringify(name)} has disallowed characters in the alias`);
    }
    const key = alias || name;
    if (keys.has(key)) {
      throw invalid(`more than one dependency with name or alias ${JSON.stringify(key)}`);
    }
    keys.add(key);
  }
}

function invalid(message: string): ChartError {
  return new ChartError('CHART_METADATA', `validation: ${message}`);
}

function sanitizeMetadata(metadata: ChartMetadata): ChartMetadata {
  return {
    ...metadata,
    name: sanitize(metadata.name),
    description: sanitize(metadata.description),
    home: sanitize(metadata.home),
    icon: sanitize(metadata.icon),
    condition: sanitize(metadata.condition),
    tags: sanitize(metadata.tags),
    appVersion: sanitize(metadata.appVersion),
    kubeVersion: sanitize(metadata.kubeVersion),
    sources: metadata.sources.map(sanitize),
    keywords: metadata.keywords.map(sanitize),
    maintainers: metadata.maintainers.map(({ name, email, url }) => ({
      name: sanitize(name),
      email: sanitize(email),
      url: sanitize(url),
    })),
    dependencies: metadata.dependencies.map((dependency) => ({
      ...dependency,
      name: sanitize(dependency.name),
      version: sanitize(dependency.version),
      repository: sanitize(dependency.repository),
      condition: sanitize(dependency.condition),
      tags: dependency.tags.map(sanitize),
    })),
  };
}

function sanitize(text: string): string {
  return text
    .replace(/\s|\u0085/gu, ' ')
    .replace(/[\p{C}\p{Z}]/gu, (char) => (char === ' ' ? ' ' : ''));
}

function readDict(text: string, file: string): Dict {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw new ChartError('CHART_YAML', `cannot load ${file}: ${messageOf(error)}`, error);
  }
  if (value === null || value === undefined) return {};
  if (isDict(value)) return value;
  throw mismatch(file, value, { field: '', type: 'v2.Metadata' });
}

function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field that does not hold what it must, in the words of Go's JSON decoder. */
function mismatch(
  file: string,
  value: unknown,
  wanted: { field: string; type: string },
): ChartError {
  const kind = isDict(value) ? 'object' : Array.isArray(value) ? 'array' : kindOf(value);
  const place = wanted.field === '' ? 'value' : `struct field ${wanted.field}`;
  return new ChartError(
    'CHART_YAML',
    `cannot load ${file}: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go ${place} of type ${wanted.type}`,
  );
}

function kindOf(value: unknown): string {
  return typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A version like 7e2 is a float, whose exponent is printed, though its value is whole. */
function floatsAsText(dict: Dict, source: string): Dict {
  const changed = ['version', 'appVersion'].flatMap((name) => {
    const value = dict[name];
    const isFloat = new RegExp(`^${name}:[ \\t]*[-+.\\d]+[eE][-+]?\\d+[ \\t\\r]*(#|$)`, 'm').test(
      source,
    );
    return typeof value === 'number' && isFloat ? [[name, formatFloat(value, 'g', -1)]] : [];
  });
  return { ...dict, ...Object.fromEntries(changed) };
}

/** A number or boolean where a text is wanted becomes one, as the original's YAML library has it: `version: 1.10` is 1.1. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'number') return undefined;
  return Number.isSafeInteger(value) ? String(value) : formatFloat(value, 'g', -1);
}

/** Reads typed fields of one mapping; null counts as not given, as in Go's decoding. `owner` is the Go path of it. */
function reader(dict: Dict, file: string, owner = 'Metadata') {
  const given = (name: string): unknown => dict[name] ?? undefined;
  const wrong = (name: string, value: unknown, type: string): ChartError =>
    mismatch(file, value, { field: `${owner}.${name}`, type });
  const text = (name: string, fallback: string): string => {
    const value = given(name);
    if (value === undefined) return fallback;
    const read = scalarText(value);
    if (read !== undefined) return read;
    throw wrong(name, value, 'string');
  };
  const list = (name: string, type: string): readonly unknown[] | undefined => {
    const value = given(name);
    if (value === undefined || Array.isArray(value)) return value;
    throw wrong(name, value, type);
  };
  return {
    text,
    list,
    flag: (name: string, fallback: boolean): boolean => {
      const value = given(name);
      if (value === undefined) return fallback;
      if (typeof value === 'boolean') return value;
      throw wrong(name, value, 'bool');
    },
    texts: (name: string, fallback: readonly string[]): readonly string[] =>
      list(name, '[]string')?.map((item) => {
        if (item === null) return '';
        const read = scalarText(item);
        if (read !== undefined) return read;
        throw wrong(name, item, 'string');
      }) ?? fallback,
    dicts: <T>(name: string, type: string, read: (item: Dict) => T): readonly T[] | undefined =>
      list(name, `[]*${type}`)?.map((item) => {
        if (item === null) throw invalid(`${name} must not contain empty or null nodes`);
        if (isDict(item)) return read(item);
        throw wrong(name, item, type);
      }),
    textMap: (name: string): Readonly<Record<string, string>> | undefined => {
      const value = given(name);
      if (value === undefined) return undefined;
      if (!isDict(value)) throw wrong(name, value, 'map[string]string');
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => {
          if (item === null) return [key, ''];
          const read = scalarText(item);
          if (read !== undefined) return [key, read];
          throw wrong(name, item, 'string');
        }),
      );
    },
  };
}

function readMaintainer(dict: Dict, file: string): Maintainer {
  const field = reader(dict, file, 'Metadata.maintainers');
  return {
    name: field.text('name', ''),
    email: field.text('email', ''),
    url: field.text('url', ''),
  };
}

function readDependency(dict: Dict, file: string): ChartDependency {
  const field = reader(dict, file, 'Metadata.dependencies');
  return {
    name: field.text('name', ''),
    version: field.text('version', ''),
    repository: field.text('repository', ''),
    condition: field.text('condition', ''),
    tags: field.texts('tags', []),
    enabled: field.flag('enabled', false),
    importValues: (field.list('import-values', '[]interface {}') ?? []).flatMap(readImport),
    alias: field.text('alias', ''),
  };
}

/** What is neither a name nor a pair is passed over, as the original does. */
function readImport(item: unknown): ChartDependency['importValues'] {
  if (typeof item === 'string') return [item];
  if (!isDict(item)) return [];
  return [{ child: String(item['child'] ?? '<nil>'), parent: String(item['parent'] ?? '<nil>') }];
}
