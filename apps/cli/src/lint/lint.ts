import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  ChartError,
  type KubeVersionParts,
  type LintMessage,
  lintChart,
  loadChartArchive,
  parseKubeVersion,
  type Values,
} from '@capstan/kube-helm';
import { memoryTree } from '@capstan/lib-files';
import { openDiskTree } from '@capstan/lib-files/disk';
import { messageOf } from '@capstan/lib-std';
import { kindAt } from '../chart-path.ts';
import { type FlagSpec, GLOBAL_FLAGS, type ParsedFlags, parseFlags } from '../flags.ts';
import { HELM_VERSION_FLAG, HELM_VERSION_HELP, helmFlavor } from '../helm-version.ts';
import type { Command, Io } from '../io.ts';
import { mergeValueFlags, VALUE_FLAGS } from '../template/value-flags.ts';

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...VALUE_FLAGS,
  ...GLOBAL_FLAGS,
  strict: { kind: 'boolean' },
  quiet: { kind: 'boolean' },
  'with-subcharts': { kind: 'boolean' },
  'skip-schema-validation': { kind: 'boolean' },
  'kube-version': { kind: 'string' },
  ...HELM_VERSION_FLAG,
};

const HELP = `usage: capstan lint PATH... [flags]

Examines charts for what will fail and for what is against the conventions, as helm lint does.

      --strict            warnings count as errors
      --quiet             only warnings and errors
      --with-subcharts    the charts under charts/ too
      --kube-version V    for .Capabilities and deprecated APIs
      --skip-schema-validation
  -f, --values, --set …   values, as of capstan template
${HELM_VERSION_HELP}`;

/** `capstan lint PATH...`, with the rules, output and exit codes of `helm lint`. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, FLAGS);
  if (flags.flag('help')) {
    io.out(HELP);
    return 0;
  }
  const flavor = helmFlavor(flags);
  if (flags.positionals.length === 0 && flavor === 4) {
    throw new ChartError(
      'FLAGS',
      '"capstan lint" requires at least 1 argument\n\nUsage:  capstan lint PATH [flags]',
    );
  }
  const kubeVersion = kubeVersionOf(flags);
  const given = flags.positionals.length === 0 ? ['.'] : flags.positionals;
  const paths = given.flatMap((path) => [path, ...subchartsOf(path, flags, io)]);
  const values = await mergeValueFlags(flags, io);
  let failed = 0;
  let noticed = 0;
  for (const path of paths) {
    const result = lintOne(path, values, { flags, io, kubeVersion });
    const isNoticed =
      result.errors > 0 || result.messages.some(({ severity }) => severity !== 'INFO');
    if (isNoticed) noticed++;
    if (result.errors > 0) failed++;
    if (flags.flag('quiet') && !isNoticed) continue;
    io.out(reportText(path, result, flags.flag('quiet')));
  }
  const summary = `${paths.length} chart(s) linted, ${failed} chart(s) failed`;
  if (failed > 0) throw new ChartError('LINT', summary);
  if (!flags.flag('quiet') || noticed > 0) io.out(`${summary}\n`);
  return 0;
};

function kubeVersionOf(flags: ParsedFlags): KubeVersionParts | undefined {
  const given = flags.text('kube-version');
  if (given === undefined) return undefined;
  const parsed = parseKubeVersion(given);
  if (parsed !== null) return parsed;
  throw new ChartError(
    'FLAGS',
    `invalid kube version '${given}': could not parse ${JSON.stringify(given)} as version`,
  );
}

function subchartsOf(path: string, flags: ParsedFlags, io: Io): readonly string[] {
  if (!flags.flag('with-subcharts')) return [];
  const found = globSync('charts/**/{Chart.yaml,*.tgz,*.tar.gz}', { cwd: resolve(io.cwd, path) });
  return found.map((name) => join(path, name.endsWith('Chart.yaml') ? dirname(name) : name)).sort();
}

interface Result {
  readonly messages: readonly LintMessage[];
  readonly errors: number;
  /** Why the chart could not be looked at. */
  readonly reason?: string;
}

function lintOne(
  path: string,
  values: Values,
  of: {
    readonly flags: ParsedFlags;
    readonly io: Io;
    readonly kubeVersion: KubeVersionParts | undefined;
  },
): Result {
  const { flags, io, kubeVersion } = of;
  const shownPath = resolve(io.cwd, path);
  try {
    const tree = treeOf(shownPath, path);
    const messages = lintChart(tree, '', values, {
      namespace: flags.text('namespace') ?? 'default',
      skipSchemaValidation: flags.flag('skip-schema-validation'),
      shownPath,
      flavor: helmFlavor(flags),
      ...(kubeVersion === undefined ? {} : { kubeVersion }),
    });
    const counted = flags.flag('strict') ? ['WARNING', 'ERROR'] : ['ERROR'];
    const errors = messages.filter(({ severity }) => counted.includes(severity)).length;
    return { messages, errors };
  } catch (error) {
    return { messages: [], errors: 1, reason: messageOf(error) };
  }
}

function treeOf(path: string, given: string): ReturnType<typeof openDiskTree> {
  if (/\.(tgz|tar\.gz)$/.test(path)) {
    if (kindAt(path) === undefined) {
      throw new Error(`unable to open tarball: open ${given}: no such file or directory`);
    }
    const files = loadChartArchive(readFileSync(path)).raw;
    return memoryTree(Object.fromEntries(files.map(({ name, data }) => [name, data])));
  }
  if (kindAt(join(path, 'Chart.yaml')) === undefined) {
    throw new Error(
      `unable to check Chart.yaml file in chart: stat ${join(given, 'Chart.yaml')}: no such file or directory`,
    );
  }
  return openDiskTree(path);
}

function reportText(path: string, { messages, reason }: Result, quiet: boolean): string {
  const lines = messages
    .filter(({ severity }) => !quiet || severity !== 'INFO')
    .map(({ severity, path: at, message }) => `[${severity}] ${at}: ${message}\n`);
  const error = reason === undefined ? '' : `Error ${reason}\n`;
  return `==> Linting ${path}\n${error}${lines.join('')}\n`;
}
