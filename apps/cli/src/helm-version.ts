import { ChartError, type HelmFlavor, helmWords } from '@capstan/kube-helm';
import type { FlagSpec, ParsedFlags } from './flags.ts';

/** The flag of helm's commands that says whose rules and output are followed. */
export const HELM_VERSION_FLAG: Readonly<Record<string, FlagSpec>> = {
  'helm-version': { kind: 'string' },
};

export const HELM_VERSION_HELP =
  '      --helm-version 3|4     whose output is followed where the two differ (default 4)\n';

/** The version of Helm that the flags name. */
export function helmFlavor(flags: ParsedFlags): HelmFlavor {
  const given = flags.text('helm-version') ?? '4';
  if (given !== '3' && given !== '4') {
    throw new ChartError('FLAGS', `--helm-version is 3 or 4, not ${JSON.stringify(given)}`);
  }
  return given === '3' ? 3 : 4;
}

/** Runs what reads charts or values; what it throws is told in the words of the version that the flags name. */
export function inHelmWords<T>(flags: ParsedFlags, run: () => T): T {
  const flavor = helmFlavor(flags);
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ChartError) || flavor === 4) throw error;
    throw new ChartError(error.code, helmWords(error.message, flavor), error);
  }
}
