import { resolve } from 'node:path';
import {
  type Chart,
  ChartError,
  type ChartFile,
  chartCrds,
  chartYaml,
  loadChart,
} from '@capstan/kube-helm';
import { openDiskTree } from '@capstan/lib-files/disk';
import { kindAt, oneArgument, readPackedChart } from '../chart-path.ts';
import { type FlagSpec, parseFlags } from '../flags.ts';
import type { Command } from '../io.ts';

const FLAGS: Readonly<Record<string, FlagSpec>> = { help: { kind: 'boolean', short: 'h' } };

const HELP = `usage: capstan show WHAT CHART

Shows what a chart (a folder or a packed .tgz) holds, as helm show does.

  all      the definition, the values, the README and the CRDs
  chart    Chart.yaml
  values   values.yaml
  readme   the README
  crds     the CustomResourceDefinitions
`;

const PARTS = ['all', 'chart', 'values', 'readme', 'crds'] as const;
type Part = (typeof PARTS)[number];

/** `capstan show all|chart|values|readme|crds CHART`, with the output of `helm show`. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, FLAGS);
  const [what, ...rest] = flags.positionals;
  if (flags.flag('help') || what === undefined) {
    io.out(HELP);
    return 0;
  }
  const part = PARTS.find((known) => known === what);
  if (part === undefined) {
    throw new ChartError('FLAGS', `unknown command ${JSON.stringify(what)} for "capstan show"`);
  }
  const given = oneArgument(`show ${part}`, rest);
  io.out(showText(readChart(resolve(io.cwd, given), given), part));
  return 0;
};

function readChart(path: string, given: string): Chart {
  const kind = kindAt(path);
  if (kind === 'file') return readPackedChart(path);
  if (kind === 'directory') return loadChart(openDiskTree(path));
  const message = /^[./]/.test(given)
    ? `path ${JSON.stringify(given)} not found`
    : `non-absolute URLs should be in form of repo_name/path_to_chart, got: ${given}`;
  throw new ChartError('CHART_MISSING', message);
}

function showText(chart: Chart, part: Part): string {
  const sections: string[] = [];
  const rule = part === 'all' ? '---\n' : '';
  const wants = (one: Part): boolean => part === one || part === 'all';
  if (wants('chart')) sections.push(`${chartYaml(chart.metadata)}\n`);
  if (wants('values')) {
    const file = chart.raw.find(({ name }) => name === 'values.yaml');
    if (file !== undefined) sections.push(`${rule}${textOf(file)}\n`);
  }
  const readme = chart.files.find(({ name }) => /^readme(\.md|\.txt)?$/i.test(name));
  if (wants('readme') && readme !== undefined) sections.push(`${rule}${textOf(readme)}\n`);
  if (wants('crds')) {
    for (const { data } of chartCrds(chart)) {
      const text = new TextDecoder().decode(data);
      sections.push(`${text.startsWith('---') ? '' : '---\n'}${text}\n`);
    }
  }
  return sections.join('');
}

function textOf({ data }: ChartFile): string {
  return new TextDecoder().decode(data);
}
