import {
  type Chart,
  ChartError,
  type ChartFile,
  chartCrds,
  chartYaml,
  type HelmFlavor,
} from '@capstan/kube-helm';
import { oneArgument } from '../chart-path.ts';
import { type FlagSpec, GLOBAL_FLAGS, parseFlags } from '../flags.ts';
import { HELM_VERSION_FLAG, HELM_VERSION_HELP, helmFlavor } from '../helm-version.ts';
import type { Command } from '../io.ts';
import { CHART_FLAGS, CHART_HELP, locateChart } from '../locate-chart.ts';

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...CHART_FLAGS,
  ...GLOBAL_FLAGS,
  ...HELM_VERSION_FLAG,
};

const HELP = `usage: capstan show WHAT CHART

Shows what a chart holds, as helm show does. CHART is a folder, a packed .tgz, a URL, an oci:// reference, or a name in --repo.

  all      the definition, the values, the README and the CRDs
  chart    Chart.yaml
  values   values.yaml
  readme   the README
  crds     the CustomResourceDefinitions

${CHART_HELP}${HELM_VERSION_HELP}`;

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
  io.out(showText(await locateChart(given, flags, io), part, helmFlavor(flags)));
  return 0;
};

function showText(chart: Chart, part: Part, flavor: HelmFlavor): string {
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
  if (wants('crds')) sections.push(...crdSections(chart, part, flavor));
  return sections.join('');
}

/** Helm 3 puts a rule before the first one only, and only when it shows all. */
function crdSections(chart: Chart, part: Part, flavor: HelmFlavor): readonly string[] {
  return chartCrds(chart).map(({ data }, i) => {
    const text = new TextDecoder().decode(data);
    const wantsRule = flavor === 4 || (i === 0 && part === 'all');
    return `${wantsRule && !text.startsWith('---') ? '---\n' : ''}${text}\n`;
  });
}

function textOf({ data }: ChartFile): string {
  return new TextDecoder().decode(data);
}
