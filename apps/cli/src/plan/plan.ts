import type { PlanObject, PlanStep, PlanView } from '@capstan/apps-contract';
import { CapstanError } from '@capstan/lib-std';
import { type FlagSpec, parseFlags } from '../flags.ts';
import type { Command } from '../io.ts';
import { askServer, readApp, SERVER_FLAG, SERVER_HELP } from '../server-request.ts';

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...SERVER_FLAG,
  help: { kind: 'boolean', short: 'h' },
  namespace: { kind: 'string', short: 'n' },
  output: { kind: 'string', short: 'o' },
};

const HELP = `usage: capstan plan KIND/NAME [flags]

Prints what a sync of an Application or a Kustomization would do now, before it runs: phases and waves in order, and in
each what is created, changed (with the fields), run as a hook, pruned or kept. Nothing is changed.

  -n, --namespace NAME    where it is (default: argocd for Applications, else flux-system)
${SERVER_HELP}
  -o, --output json

Exits with 0 when nothing would be changed, 2 when something would, 1 when that is not known.
`;

/** `capstan plan KIND/NAME`, asked of a running server. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, FLAGS);
  if (flags.flag('help')) {
    io.out(HELP);
    return 0;
  }
  const app = readApp(flags, HELP, ['Application', 'Kustomization']);
  const plan = (await askServer(`${app.path}/plan`, flags, io)) as PlanView;
  if (flags.text('output') === 'json') io.out(`${JSON.stringify(plan, undefined, 2)}\n`);
  else io.out(formatPlan(plan));
  if (plan.waves === null) {
    const [first] = plan.problems;
    throw new CapstanError('PLAN_UNKNOWN', first?.message ?? 'what is desired is not known');
  }
  return plan.waves.some(({ steps }) => steps.some(changesSomething)) ? 2 : 0;
};

function changesSomething({ change }: PlanStep): boolean {
  return change !== 'unchanged' && change !== 'keep';
}

/** As people read it: what is in place already is counted only. */
export function formatPlan({ revisions, problems, waves, skipped }: PlanView): string {
  const lines = [`revision ${revisions.join(', ') || 'unknown'}`];
  for (const { severity, message } of problems) lines.push(`${severity}: ${message}`);
  let unchanged = 0;
  for (const { phase, wave, steps } of waves ?? []) {
    const shown = steps.filter(({ change }) => change !== 'unchanged');
    unchanged += steps.length - shown.length;
    if (shown.length > 0) lines.push(`${phase}, wave ${wave}`);
    lines.push(...shown.flatMap(formatStep));
  }
  for (const { object, reason } of skipped)
    lines.push(`  skip    ${formatObject(object)}: ${reason}`);
  lines.push(`${unchanged} in place already`);
  return `${lines.join('\n')}\n`;
}

function formatStep({ change, object, note, differences }: PlanStep): readonly string[] {
  const tail = note === '' ? '' : ` (${note})`;
  const head = `  ${change.padEnd(7)} ${formatObject(object)}${tail}`;
  const fields = differences.map(({ field, desired, live, manager }) => {
    const who = manager === '' ? '' : `, by ${manager}`;
    return `            ${field}: ${live || 'absent'} -> ${desired || 'absent'}${who}`;
  });
  return [head, ...fields];
}

function formatObject({ group, kind, namespace, name }: PlanObject): string {
  const what = group === '' ? kind : `${kind}.${group}`;
  return `${what} ${namespace === '' ? name : `${namespace}/${name}`}`;
}
