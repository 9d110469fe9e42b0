import {
  checkConstraint,
  compareVersions,
  parseConstraint,
  parseVersion,
  type Version,
} from '@capstan/lib-semver';
import { parseYaml } from '@capstan/lib-yaml';
import { ChartError } from '../chart-error.ts';

/** One version of a chart that a repository offers. */
export interface ChartVersion {
  readonly name: string;
  readonly version: string;
  readonly urls: readonly string[];
  /** sha256 in hexadecimal digits; '' when the repository gives none. */
  readonly digest: string;
  /** When it was packed; absent when the repository does not say. */
  readonly createdMs?: number;
}

export interface IndexLimits {
  /** Charts in the index, and versions of one chart. */
  readonly entriesMax?: number;
}

const ENTRIES_MAX = 100_000;

/**
 * The versions of one chart in an index.yaml (or JSON), the newest first; undefined when it has no such chart. Entries that
 * are null or that no chart can have are passed over, as the original does. Only the part of the text that is about this
 * chart is parsed where the text has the shape that helm writes: indexes grow to tens of megabytes.
 */
export function chartVersions(
  text: string,
  name: string,
  limits: IndexLimits = {},
): readonly ChartVersion[] | undefined {
  if (text === '') throw new ChartError('INDEX', 'empty index.yaml file');
  const part = partOf(text, name);
  const given = part === undefined ? entryOf(parseIndex(text), name) : part;
  if (given === undefined || given === null) return undefined;
  const entries = Array.isArray(given) ? given : [];
  if (entries.length > (limits.entriesMax ?? ENTRIES_MAX)) {
    throw new ChartError('INDEX_LIMIT', `the index has ${entries.length} versions of ${name}`);
  }
  return entries
    .flatMap(readEntry)
    .toSorted((a, b) => compareVersions(b.parsed, a.parsed))
    .map(({ entry }) => entry);
}

/** The list of one chart's versions, cut out of a text of helm's own shape; undefined when the text has another. */
function partOf(text: string, name: string): unknown {
  const head = /^entries:[ \t]*\r?\n/m.exec(text);
  if (head === null || !/^apiVersion:[ \t]*\S/m.test(text)) return undefined;
  const key = `\n  ${name}:`;
  const start = text.indexOf(key, head.index + head[0].length - 2);
  if (start < 0) return undefined;
  const from = text.indexOf('\n', start + 1);
  if (from < 0 || text.slice(start + key.length, from).trim() !== '') return undefined;
  const ends = /^(?: {2}[^ \t\r\n-]|[^ \t\r\n#-])/gm;
  ends.lastIndex = from + 1;
  const end = ends.exec(text)?.index ?? text.length;
  const lines = text.slice(from + 1, end);
  // An alias may lead out of the part.
  if (!/^ {2}-/.test(lines) || /[:-] \*\S/.test(lines)) return undefined;
  try {
    const value: unknown = parseYaml(lines);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function parseIndex(text: string): unknown {
  try {
    return text.trimStart().startsWith('{') ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ChartError('INDEX', `cannot read the index: ${reason}`, error);
  }
}

function entryOf(index: unknown, name: string): unknown {
  const { apiVersion, entries } = dictOf(index);
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    throw new ChartError('INDEX', 'no API version specified');
  }
  const charts = dictOf(entries);
  return Object.hasOwn(charts, name) ? charts[name] : undefined;
}

function dictOf(value: unknown): Readonly<Record<string, unknown>> {
  const isDict = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isDict ? (value as Readonly<Record<string, unknown>>) : {};
}

function readEntry(value: unknown): readonly { entry: ChartVersion; parsed: Version }[] {
  const { name, version, urls, digest, created } = dictOf(value);
  if (typeof name !== 'string' || typeof version !== 'string') return [];
  if (name === '' || name === '.' || name === '..' || name.includes('/')) return [];
  const parsed = tryVersion(version);
  if (parsed === undefined) return [];
  const places = Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [];
  const sum = typeof digest === 'string' ? digest.replace(/^sha256:/, '') : '';
  const createdMs = typeof created === 'string' ? Date.parse(created) : Number.NaN;
  const when = Number.isNaN(createdMs) ? {} : { createdMs };
  return [{ entry: { name, version, urls: places, digest: sum, ...when }, parsed }];
}

function tryVersion(text: string): Version | undefined {
  try {
    return parseVersion(text);
  } catch {
    return undefined;
  }
}

/**
 * The version that a text asks for: the one of exactly that name, else the newest that satisfies it as a constraint; '' is
 * the newest that is no prerelease. Undefined when there is none; throws SemverError for what is no constraint.
 */
export function chooseVersion<T extends { readonly version: string }>(
  versions: readonly T[],
  wanted: string,
): T | undefined {
  const constraint = parseConstraint(wanted === '' ? '*' : wanted);
  const exact = wanted === '' ? undefined : versions.find(({ version }) => version === wanted);
  return (
    exact ??
    versions.find(({ version }) => {
      const parsed = tryVersion(version);
      return parsed !== undefined && checkConstraint(constraint, parsed);
    })
  );
}

/**
 * As `chooseVersion`, in the way of Flux: a version has three parts, and of those that differ in build metadata alone the one that
 * was packed last is taken. Versions come the newest first.
 */
export function chooseNewest(
  versions: readonly ChartVersion[],
  wanted: string,
): ChartVersion | undefined {
  const exact = versions.find(({ version }) => version === wanted);
  if (exact !== undefined) return exact;
  const whole = versions.filter(({ version }) => version.split('.').length >= 3);
  const first = chooseVersion(whole, wanted);
  const highest = first && tryVersion(first.version);
  if (first === undefined || highest === undefined) return first;
  let best = first;
  for (const one of whole.slice(whole.indexOf(first) + 1)) {
    const parsed = tryVersion(one.version);
    if (parsed === undefined || compareVersions(parsed, highest) !== 0) break;
    if ((one.createdMs ?? 0) > (best.createdMs ?? 0)) best = one;
  }
  return best;
}
