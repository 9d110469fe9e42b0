import { readFileSync, statSync } from 'node:fs';
import { type Chart, ChartError, loadChartArchive } from '@capstan/kube-helm';

/** The kind of thing a path leads to; undefined when there is nothing. */
export function kindAt(path: string): 'file' | 'directory' | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  return found.isDirectory() ? 'directory' : 'file';
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
