import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ChartError, overlayValues, parseValues, setValues, type Values } from '@capstan/kube-helm';
import { messageOf } from '@capstan/lib-std';
import type { FlagSpec, ParsedFlags } from '../flags.ts';
import { inHelmWords } from '../helm-version.ts';
import type { Io } from '../io.ts';

/** The flags by which all helm commands take values. */
export const VALUE_FLAGS: Readonly<Record<string, FlagSpec>> = {
  values: { kind: 'string[]', short: 'f' },
  set: { kind: 'string[]' },
  'set-string': { kind: 'string[]' },
  'set-file': { kind: 'string[]' },
  'set-json': { kind: 'string[]' },
  'set-literal': { kind: 'string[]' },
};

/** The values that the flags say, in helm's order: files, JSON, --set, strings, files' contents, literals. */
export async function mergeValueFlags(flags: ParsedFlags, io: Io): Promise<Values> {
  let values: Values = {};
  for (const path of flags.texts('values').flatMap((item) => item.split(','))) {
    const bytes = path.trim() === '-' ? await io.readInput() : readGiven(path, io);
    values = overlayValues(
      values,
      inHelmWords(flags, () => readValues(bytes, path)),
    );
  }
  for (const text of flags.texts('set-json')) values = withJson(values, text);
  for (const text of flags.texts('set')) apply(values, text, 'typed', '--set');
  for (const text of flags.texts('set-string')) apply(values, text, 'string', '--set-string');
  for (const text of flags.texts('set-file')) {
    apply(values, text, (path) => readText(path, io), '--set-file');
  }
  for (const text of flags.texts('set-literal')) apply(values, text, 'literal', '--set-literal');
  return values;
}

function readValues(bytes: Uint8Array, path: string): Values {
  try {
    return parseValues(bytes);
  } catch (error) {
    throw new ChartError('CHART_VALUES', `failed to parse ${path}: ${messageOf(error)}`, error);
  }
}

/** A byte order mark is part of the text, as in Go. */
function readText(path: string, io: Io): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(readGiven(path, io));
}

function readGiven(path: string, io: Io): Uint8Array {
  try {
    return readFileSync(resolve(io.cwd, path));
  } catch (error) {
    throw new ChartError('CHART_VALUES', `open ${path}: no such file or directory`, error);
  }
}

function withJson(values: Values, text: string): Values {
  if (!text.trim().startsWith('{')) {
    try {
      setValues(values, text, 'json');
    } catch (error) {
      throw new ChartError('CHART_SET_VALUE', `failed parsing --set-json data ${text}`, error);
    }
    return values;
  }
  try {
    return overlayValues(values, JSON.parse(text));
  } catch (error) {
    throw new ChartError('CHART_SET_VALUE', `failed parsing --set-json data JSON: ${text}`, error);
  }
}

function apply(
  values: Values,
  text: string,
  mode: Parameters<typeof setValues>[2],
  flag: string,
): void {
  try {
    setValues(values, text, mode);
  } catch (error) {
    throw new ChartError(
      'CHART_SET_VALUE',
      `failed parsing ${flag} data: ${messageOf(error)}`,
      error,
    );
  }
}
