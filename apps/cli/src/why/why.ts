import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import {
  type FoundField,
  findField,
  formatPath,
  matchesKind,
  parseFieldName,
} from '@capstan/engine-render';
import type { Json } from '@capstan/kube-object';
import { blameLine } from '@capstan/lib-git';
import { CapstanError } from '@capstan/lib-std';
import { kindAt } from '../chart-path.ts';
import { explainByServer } from '../explain/explain.ts';
import { type FlagSpec, type ParsedFlags, parseFlags } from '../flags.ts';
import type { Command, Io } from '../io.ts';
import { CHART_FLAGS } from '../locate-chart.ts';
import { SERVER_FLAG } from '../server-request.ts';
import { VALUE_FLAGS } from '../template/value-flags.ts';
import { readPlainObjects } from './plain-objects.ts';
import { pathOf, readChart, readKustomization } from './rendered-objects.ts';
import type { FieldSource, SourceObject } from './source-object.ts';
import { whyByServer } from './why-by-server.ts';

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...CHART_FLAGS,
  ...SERVER_FLAG,
  ...VALUE_FLAGS,
  app: { kind: 'string' },
  help: { kind: 'boolean', short: 'h' },
  namespace: { kind: 'string', short: 'n' },
  output: { kind: 'string', short: 'o' },
  release: { kind: 'string' },
};

const HELP = `usage: capstan why KIND/NAME FIELD [DIR] [flags]
       capstan why KIND/NAME FIELD --server URL
       capstan why APP --server URL

Tells which line made a field of an object, and which commit wrote that line: through a kustomization, a chart or plain
files in DIR (default: the current folder), or as a running server has it in its cluster: then also what is live, and which
field managers wrote that. FIELD is spec.replicas, spec.template.spec.containers[name=web].image,
metadata.labels["app"] …
Of an app (Application/NAME, Kustomization/NAME, HelmRelease/NAME) a running server tells why it is out of sync, not
healthy or waiting, and what to do next.

  -n, --namespace NAME    of the object, where several have its kind and name; of the release, for a chart
      --release NAME      of the chart (default: release-name)
  -f, --values FILE, --set …  as for capstan template
      --server URL        of the page
      --app KIND/NAMESPACE/NAME  whose object it is, where several apps have one of this name
  -o, --output json
`;

/** `capstan why KIND/NAME FIELD [DIR]`. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, FLAGS);
  if (flags.flag('help')) {
    io.out(HELP);
    return 0;
  }
  const asksServer = flags.text('server') !== undefined;
  if (asksServer && flags.positionals.length < 2) return explainByServer(flags, HELP, io);
  const [target, field, folder = '.', ...more] = flags.positionals;
  const slash = target?.indexOf('/') ?? -1;
  if (target === undefined || field === undefined || slash < 1 || more.length > 0) {
    throw new CapstanError('FLAGS', 'give an object and a field: capstan why KIND/NAME FIELD', {
      hint: HELP,
    });
  }
  const wanted = { kind: target.slice(0, slash), name: target.slice(slash + 1) };
  if (asksServer) return await whyByServer({ ...wanted, field }, flags, io);
  const path = resolve(io.cwd, folder);
  const { root, objects } = await readObjects(path, flags, io);
  const found = findObject(objects, wanted, flags.text('namespace'));
  const { path: place, value } = requireField(found.object as Json, field);
  const sources = await Promise.all(
    found.sourcesOf(place).map(async (source) => ({
      ...source,
      commit: await blame(root, source),
    })),
  );
  if (flags.text('output') === 'json') {
    const answer = { field: formatPath(place), value: shownValue(found, value), sources };
    io.out(`${JSON.stringify(answer, undefined, 2)}\n`);
    return 0;
  }
  const { kind, metadata } = found.object;
  io.out(`${kind}/${metadata.name} ${formatPath(place)} = ${shownValue(found, value)}\n`);
  if (sources.length === 0) io.out('  made by the renderer: no line of a file says so\n');
  for (const source of sources) io.out(describe(source));
  return 0;
};

interface Blame {
  readonly commit: string;
  readonly author: string;
  readonly date: string;
  readonly summary: string;
}

async function blame(root: string, source: FieldSource): Promise<Blame | undefined> {
  const found = await blameLine({ path: pathOf(root, source), line: source.line });
  if (found === undefined) return undefined;
  const { commit, author, email, date, subject } = found;
  return {
    commit: commit.slice(0, 12),
    author: `${author} <${email}>`,
    date: date.slice(0, 10),
    summary: subject,
  };
}

function requireField(object: Json, field: string): FoundField {
  const place = findField(object, parseFieldName(field));
  if (place.kind === 'found') return place;
  throw new CapstanError('FIELD_NOT_FOUND', place.message, { hint: place.hint });
}

type Told = FieldSource & { readonly commit: Blame | undefined };

function describe({ file, line, role, commit }: Told): string {
  const what = role === undefined ? '' : ` (${role})`;
  const who =
    commit === undefined
      ? '    not committed'
      : `    ${commit.commit} ${commit.date} ${commit.author}: ${commit.summary}`;
  return `  ${file}:${line}${what}\n${who}\n`;
}

const VALUE_LENGTH_MAX = 200;

/** On one line. What a Secret holds is never shown. */
function shownValue({ object }: SourceObject, value: Json): string {
  if (object.kind === 'Secret' && object.apiVersion === 'v1') return '(not shown)';
  const text = JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'bigint' ? Number(one) : one,
  );
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text;
}

interface Objects {
  /** What file names are relative to. */
  readonly root: string;
  readonly objects: readonly SourceObject[];
}

const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

async function readObjects(path: string, flags: ParsedFlags, io: Io): Promise<Objects> {
  if (kindAt(path) === 'file') {
    const root = dirname(path);
    return { root, objects: readPlainObjects(root, [basename(path)]) };
  }
  if (kindAt(path) === undefined) {
    throw new CapstanError('FLAGS', `${path} does not exist`, { hint: 'name a folder or a file' });
  }
  if (existsSync(join(path, 'Chart.yaml'))) {
    return { root: path, objects: await readChart(path, flags, io) };
  }
  if (KUSTOMIZATIONS.some((name) => existsSync(join(path, name)))) {
    return { root: path, objects: readKustomization(path) };
  }
  return { root: path, objects: readPlainObjects(path) };
}

function findObject(
  objects: readonly SourceObject[],
  { kind, name }: { readonly kind: string; readonly name: string },
  namespace: string | undefined,
): SourceObject {
  const sameKind = objects.filter(({ object }) => matchesKind(object.kind, kind));
  const named = sameKind.filter(({ object }) => object.metadata.name === name);
  const found =
    named.length > 1 && namespace !== undefined
      ? named.filter(({ object }) => object.metadata.namespace === namespace)
      : named;
  const [first] = found;
  if (first === undefined) {
    const names = sameKind.map(({ object }) => object.metadata.name).join(', ');
    const kinds = [...new Set(objects.map(({ object }) => object.kind))].sort().join(', ');
    throw new CapstanError('OBJECT_NOT_FOUND', `there is no ${kind} ${name}`, {
      hint: names === '' ? `there is: ${kinds || 'nothing'}` : `there is: ${names}`,
    });
  }
  if (found.length > 1) {
    const places = found.map(({ object }) => object.metadata.namespace ?? 'none').join(', ');
    throw new CapstanError('OBJECT_AMBIGUOUS', `there are several: in namespaces ${places}`, {
      hint: 'add --namespace',
    });
  }
  return first;
}
