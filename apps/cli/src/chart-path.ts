import { statSync } from 'node:fs';
import { ChartError } from '@capstan/kube-helm';

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
