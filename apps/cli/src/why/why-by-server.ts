import type { FieldExplanation, FieldSourceView } from '@capstan/apps-contract';
import { whyPath } from '@capstan/apps-contract';
import type { ParsedFlags } from '../flags.ts';
import type { Io } from '../io.ts';
import { askServer } from '../server-request.ts';

/** Where a field of a live object comes from, asked of a running server. */
export async function whyByServer(
  { kind, name, field }: { readonly kind: string; readonly name: string; readonly field: string },
  flags: ParsedFlags,
  io: Io,
): Promise<number> {
  const namespace = flags.text('namespace') ?? '';
  const path = whyPath({ kind, name, namespace, field, app: flags.text('app') ?? '' });
  const told = (await askServer(path, flags, io)) as FieldExplanation;
  if (flags.text('output') === 'json') io.out(`${JSON.stringify(told, undefined, 2)}\n`);
  else io.out(describe(told));
  return 0;
}

function describe({
  app,
  object,
  field,
  desired,
  live,
  writers,
  sources,
}: FieldExplanation): string {
  const place = object.namespace === '' ? object.name : `${object.namespace}/${object.name}`;
  const lines = [`${object.kind} ${place} of ${app.kind}/${app.name}: ${field}`];
  lines.push(
    `  live: ${live ?? 'absent'}${live === desired ? '' : `, wanted: ${desired ?? 'nothing'}`}`,
  );
  for (const { manager, operation, at } of writers) {
    lines.push(`  written by ${manager} (${operation}${at === '' ? '' : `, ${at}`})`);
  }
  if (desired === null) lines.push('  no source sets it');
  else if (sources.length === 0) lines.push('  made by the renderer: no line of a file says so');
  return `${[...lines, ...sources.flatMap(describeSource)].join('\n')}\n`;
}

function describeSource({
  repo,
  revision,
  file,
  line,
  role,
  commit,
}: FieldSourceView): readonly string[] {
  const what = role === '' ? '' : ` (${role})`;
  if (file === null) return [`  the app itself${what}`];
  const place = line === null ? file : `${file}:${line}`;
  const head = `  ${place}${what} in ${repo} at ${revision.slice(0, 12)}`;
  if (commit === null) return [head];
  const { sha, date, author, message } = commit;
  return [head, `    ${sha.slice(0, 12)} ${date.slice(0, 10)} ${author}: ${message}`];
}
