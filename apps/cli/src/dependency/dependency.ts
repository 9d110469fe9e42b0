import { lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';
import {
  buildDependencies,
  ChartError,
  type DependencyPorts,
  type DependencyUpdate,
  openRepository,
  updateDependencies,
} from '@capstan/kube-helm';
import { openDiskTree } from '@capstan/lib-files/disk';
import { kindAt, rootOf } from '../chart-path.ts';
import { type FlagSpec, GLOBAL_FLAGS, type ParsedFlags, parseFlags } from '../flags.ts';
import { HELM_VERSION_FLAG, HELM_VERSION_HELP, helmFlavor, inHelmWords } from '../helm-version.ts';
import type { Command, Io } from '../io.ts';
import { REPOSITORY_FLAGS, readKeyring, repositoryOptions } from '../locate-chart.ts';
import { listDependencies } from './list-dependencies.ts';

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...GLOBAL_FLAGS,
  ...REPOSITORY_FLAGS,
  verify: { kind: 'boolean' },
  keyring: { kind: 'string' },
  'skip-refresh': { kind: 'boolean' },
  root: { kind: 'string' },
  ...HELM_VERSION_FLAG,
};

const HELP = `usage: capstan dependency build|list|update [CHART] [flags]

Keeps the folder charts/ as Chart.yaml says, as helm dependency does.

  update    choose versions, fetch them, write Chart.lock
  build     fetch what Chart.lock says
  list      what Chart.yaml asks for and what of it is there

      --root DIR           file:// repositories are read below it only (default: the Git repository of the
                           chart, or else the folder that the chart lies in)
      --verify             check signatures (.prov) against --keyring; update fails without one, build warns
      --username, --password, --pass-credentials, --plain-http, --ca-file, --cert-file, --key-file,
      --insecure-skip-tls-verify   for repositories and registries
${HELM_VERSION_HELP}`;

/** `capstan dependency build|list|update [CHART]`, with the output of `helm dependency`. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, FLAGS);
  const [verb, given = '.'] = flags.positionals;
  if (flags.flag('help') || verb === undefined) {
    io.out(HELP);
    return 0;
  }
  const folder = resolve(io.cwd, given);
  if (verb === 'list' || verb === 'ls') {
    if (kindAt(folder) === undefined) {
      throw new ChartError('CHART_MISSING', `stat ${given}: no such file or directory`);
    }
    io.out(inHelmWords(flags, () => listDependencies(folder, given)));
    return 0;
  }
  const work = { update: updateDependencies, up: updateDependencies, build: buildDependencies }[
    verb
  ];
  if (work === undefined) {
    throw new ChartError(
      'FLAGS',
      `unknown command ${JSON.stringify(verb)} for "capstan dependency"`,
    );
  }
  if (kindAt(folder) === undefined) {
    throw new ChartError(
      'CHART_MISSING',
      `could not find ${given}: stat ${given}: no such file or directory`,
    );
  }
  if (kindAt(folder) === 'file') {
    throw new ChartError('CHART_MISSING', 'only unpacked charts can be updated');
  }
  await keepDependencies(folder, work, { flags, io });
  return 0;
};

/** Updates or builds charts/ of the chart in a folder. */
export async function keepDependencies(
  folder: string,
  work: typeof updateDependencies,
  { flags, io }: { readonly flags: ParsedFlags; readonly io: Io },
): Promise<void> {
  const root = rootOf(folder, flags, io);
  const path = relative(root, folder).split(sep).join('/');
  const ports = dependencyPorts(flags, io, work === buildDependencies);
  const update = await work(openDiskTree(root), path, ports);
  if (update !== undefined) writeUpdate(folder, update);
}

/** What an update or build needs of the world. */
function dependencyPorts(flags: ParsedFlags, io: Io, isBuild: boolean): DependencyPorts {
  const verify = flags.flag('verify')
    ? { verify: { keyring: readKeyring(flags, io), required: !isBuild } }
    : {};
  // Helm 3 says on its other stream what it pulled.
  const told =
    helmFlavor(flags) === 3
      ? {}
      : {
          pulled: (reference: string, digest: string): void =>
            io.out(`Pulled: ${reference}\nDigest: ${digest}\n`),
        };
  return {
    open: (url) => openRepository(url, { ...repositoryOptions(flags, io), ...told }),
    now: () => new Date().toISOString(),
    print: (line) => io.out(`${line}\n`),
    flavor: helmFlavor(flags),
    skipRefresh: flags.flag('skip-refresh'),
    ...verify,
  };
}

/** Writes what an update came to. Nothing is written through a link: not the lock, not charts/, not a file in it. */
function writeUpdate(folder: string, update: DependencyUpdate): void {
  const charts = join(folder, 'charts');
  refuseLink(charts, 'charts');
  if (update.lock !== undefined) refuseLink(join(folder, update.lock.name), update.lock.name);
  if (kindAt(charts) === 'file') {
    throw new ChartError('CHART_WRITE', `${JSON.stringify(charts)} is not a directory`);
  }
  mkdirSync(charts, { recursive: true });
  for (const [name, bytes] of update.charts) replaceFile(join(charts, basename(name)), bytes);
  for (const name of update.outdated) rmSync(join(charts, basename(name)));
  if (update.lock !== undefined) replaceFile(join(folder, update.lock.name), update.lock.text);
}

function refuseLink(path: string, name: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSymbolicLink() !== true) return;
  throw new ChartError('CHART_WRITE', `the ${name} file is a symlink to "${readlinkSync(path)}"`);
}

/** A new file takes the place of what was there, link or not: nothing is ever written through it. */
function replaceFile(path: string, content: string | Uint8Array): void {
  const fresh = `${path}.${process.pid}.new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, content, { flag: 'wx', mode: 0o644 });
  renameSync(fresh, path);
}
