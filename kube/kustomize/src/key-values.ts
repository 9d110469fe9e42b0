import { baseName } from '@capstan/lib-files';
import type { DataValue, Sourced } from './data-map.ts';
import { failure, within } from './failure.ts';
import type { GeneratorArgs } from './kustomization.ts';
import type { Loader } from './loader.ts';

export interface Pair extends Sourced<DataValue> {
  readonly key: string;
}

/** The pairs that a generator's sources hold: env files, literals, files, in this order. */
export function loadPairs(loader: Loader, args: GeneratorArgs, file: number): Pair[] {
  const { envs = [], literals = [], files = [] } = args;
  return [
    ...within(
      () => `env source files: [${envs.join(' ')}]`,
      () => envs.flatMap((path) => envPairs(loader, path)),
    ),
    ...within(
      () => `literal sources [${literals.join(' ')}]`,
      () => literals.map((source) => ({ ...parseLiteral(source), file, line: 0 })),
    ),
    ...within(
      () => `file sources: [${files.join(' ')}]`,
      () => files.map((source) => filePair(loader, source)),
    ),
  ];
}

/** `key=value`, where quotes around the whole value are dropped. */
export function parseLiteral(source: string): { key: string; value: string } {
  const at = source.indexOf('=');
  if (at <= 0) throw failure(`invalid literal source ${source}, expected key=value`);
  return { key: source.slice(0, at), value: withoutQuotes(source.slice(at + 1)) };
}

function withoutQuotes(value: string): string {
  const first = value[0];
  if (value.length < 2 || first !== value.at(-1)) return value;
  return first === '"' || first === "'" ? value.slice(1, -1) : value;
}

function filePair(loader: Loader, source: string): Pair {
  const { key, path } = parseFileSource(source);
  const { bytes, path: found } = loader.load(path);
  const file = loader.context.sources.file(found);
  return { key, value: textOrBytes(bytes), file, line: 1 };
}

/** `[key=]path`; without a key the file's name is the key. */
export function parseFileSource(source: string): { key: string; path: string } {
  const parts = source.split('=');
  if (parts.length === 1) return { key: baseName(source) || '.', path: source };
  if (parts.length > 2) {
    throw failure(`source "${source}" key name or file path contains '='`);
  }
  const [key = '', path = ''] = parts;
  if (key === '') throw failure(`missing key name for file path "${path}" in source "${source}"`);
  if (path === '') throw failure(`missing file path for key name "${key}" in source "${source}"`);
  return { key, path };
}

function textOrBytes(bytes: Uint8Array): DataValue {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

// What Go's bufio.Scanner accepts as one line.
const LINE_BYTES_MAX = 64 * 1024;

function envPairs(loader: Loader, path: string): Pair[] {
  const { bytes, path: found } = loader.load(path);
  const file = loader.context.sources.file(found);
  const pairs: Pair[] = [];
  let from = 0;
  for (let line = 1; from < bytes.length; line++) {
    let end = bytes.indexOf(0x0a, from);
    if (end < 0) end = bytes.length;
    // A line too long for Go's reader silently ends the file.
    if (end - from >= LINE_BYTES_MAX) break;
    const carriageReturn = end > from && bytes[end - 1] === 0x0d ? 1 : 0;
    const pair = parseEnvLine(bytes.subarray(from, end - carriageReturn), line);
    if (pair !== undefined) pairs.push({ ...pair, file, line });
    from = end + 1;
  }
  return pairs;
}

const LEADING_SPACE =
  /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

function parseEnvLine(
  bytes: Uint8Array,
  number: number,
): { key: string; value: string } | undefined {
  const text = textOrBytes(bytes);
  if (typeof text !== 'string') {
    const shown = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    throw failure(`line [${bytes.join(' ')}] has invalid utf8 bytes : ${shown}`);
  }
  const line = (number === 1 ? text.replace(/^\ufeff/, '') : text).replace(LEADING_SPACE, '');
  if (line === '' || line.startsWith('#')) return undefined;
  const at = line.indexOf('=');
  const key = at < 0 ? line : line.slice(0, at);
  return key === '' ? undefined : { key, value: at < 0 ? '' : line.slice(at + 1) };
}
