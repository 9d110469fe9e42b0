import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Chart, ChartError, loadChartArchive } from '@capstan/kube-helm';
import type { ParsedFlags } from './flags.ts';
import type { Io } from './io.ts';

/** The kind of thing a path leads to; undefined when there is nothing. */
export function kindAt(path: string): 'file' | 'directory' | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  return found.isDirectory() ? 'directory' : 'file';
}

/**
 * The folder that a chart and the charts beside it may be read from, links included: --root, the Git repository that the
 * chart is in, or else the folder that it lies in.
 */
export function rootOf(folder: string, flags: ParsedFlags, io: Io): string {
  const given = flags.text('root');
  if (given !== undefined) return resolve(io.cwd, given);
  for (let at = folder; ; at = dirname(at)) {
    if (kindAt(join(at, '.git')) !== undefined) return at;
    if (dirname(at) === at) return dirname(folder);
  }
}

/** The one argument of a command, in helm's words when it is missing or one of many. */
export function oneArgument(command: string, positionals: readonly string[]): string {
  const [argument] = positionals;
  if (argument !== undefined && positionals.length === 1) return argument;
  throw new ChartError(
    'FLAGS',
    `"capstan ${command}" requires 1 argument\n\nUsage:  capstan ${command} [CHART] [flags]`,
  );
}

/** The chart in a packed file, with helm's words for what is no archive. */
export function readPackedChart(path: string): Chart {
  const bytes = readFileSync(path);
  try {
    return loadChartArchive(bytes);
  } catch (error) {
    if (!(error instanceof ChartError) || !error.message.startsWith('file does not appear'))
      throw error;
    const isBinary = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(
      bytes.subarray(0, 512).toString('latin1'),
    );
    const type =
      isBinary || bytes.length === 0 ? 'application/octet-stream' : 'text/plain; charset=utf-8';
    throw new ChartError(
      error.code,
      `file '${path}' does not appear to be a gzipped archive; got '${type}'`,
      error,
    );
  }
}
