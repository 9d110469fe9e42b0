import { lstatSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type BuildOptions,
  type BuildResult,
  type Built,
  build,
  KustomizeCache,
  type RemotePort,
} from '@capstan/kube-kustomize';
import { diskTree } from '@capstan/lib-files/disk';
import { CapstanError, type Diagnostic } from '@capstan/lib-std';
import { type ParsedFlags, parseFlags } from '../flags.ts';
import type { Command, Io } from '../io.ts';
import { BUILD_FLAGS, BUILD_HELP } from './build-flags.ts';

/** How often a build may find that it needs more remote content. */
const ROUNDS_MAX = 100;

/** Who builds at a terminal may reach what runs there: these hosts are admitted by name only. */
const OWN_HOSTS = ['localhost', '127.0.0.1', '::1'];

/** `capstan build [DIR|URL]`, with the flags, output, exit codes and errors of `kustomize build`. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, BUILD_FLAGS);
  if (flags.flag('help')) {
    io.out(BUILD_HELP);
    return 0;
  }
  warnOfDeprecated(flags, io);
  if (flags.positionals.length > 1) throw refused('specify one path to kustomization.yaml');
  const path = flags.positionals[0] ?? '.';
  if (path === '') throw refused('must build at directory: directory path cannot be empty');
  const options = await buildOptions(flags, io);
  const result = await buildWithRemotes(path, options, io);
  for (const diagnostic of result.diagnostics) printWarning(diagnostic, io);
  if (result.kind === 'failed') throw result.error;
  if (result.kind === 'pending') throw refused('the build needs ever more remote content');
  write(result, flags.text('output'), io);
  return 0;
};

function refused(message: string): CapstanError {
  return new CapstanError('FLAGS', message);
}

function warnOfDeprecated(flags: ParsedFlags, io: Io): void {
  if (flags.text('reorder') !== undefined) {
    io.err(
      "Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.\n",
    );
  }
  if (flags.flag('enable-managedby-label')) {
    io.err(
      'Flag --enable-managedby-label has been deprecated, The flag `enable-managedby-label` has been deprecated. Use the `managedByLabel` option in the `buildMetadata` field instead.\n',
    );
  }
}

async function buildOptions(flags: ParsedFlags, io: Io): Promise<BuildOptions> {
  const restrictor = flags.text('load-restrictor') ?? 'LoadRestrictionsRootOnly';
  if (!['LoadRestrictionsRootOnly', 'LoadRestrictionsNone', ''].includes(restrictor)) {
    throw refused(
      `illegal flag value --load-restrictor ${restrictor}; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]`,
    );
  }
  const reorder = flags.text('reorder');
  if (reorder !== undefined && reorder !== 'legacy' && reorder !== 'none') {
    throw refused(`illegal flag value --reorder ${reorder}; legal values: [legacy none]`);
  }
  const helm = flags.flag('enable-helm')
    ? { renderChart: (await import('./helm-chart.ts')).renderHelmChart }
    : {};
  return {
    wholeFileSystem: true,
    loadRestrictor: restrictor === 'LoadRestrictionsNone' ? 'none' : 'rootOnly',
    ...(reorder === undefined ? {} : { reorder }),
    managedByLabel:
      flags.flag('enable-managedby-label') || io.env['KUSTOMIZE_ENABLE_MANAGEDBY_LABEL'] === 'on',
    enableHelm: flags.flag('enable-helm'),
    enableAlphaPlugins: flags.flag('enable-alpha-plugins'),
    helmCommand: flags.text('helm-command') ?? 'helm',
    helmApiVersions: flags.texts('helm-api-versions'),
    helmKubeVersion: flags.text('helm-kube-version') ?? '',
    helmDebug: flags.flag('helm-debug'),
    remotePolicy: { schemes: ['https', 'http', 'ssh', 'oci'], hosts: ['*', ...OWN_HOSTS] },
    now: Date.now,
    workingDirectory: io.cwd,
    cache: new KustomizeCache(),
    ...helm,
  };
}

/** So that a build which needs nothing from elsewhere loads none of what fetches. */
const NOTHING_YET: RemotePort = {
  repository: () => ({ kind: 'pending' }),
  file: () => ({ kind: 'pending' }),
  chart: () => ({ kind: 'pending' }),
};

/** Builds; fetches what the build finds it needs from elsewhere, and builds again. */
async function buildWithRemotes(path: string, options: BuildOptions, io: Io): Promise<BuildResult> {
  const tree = diskTree('/');
  let result = build(tree, path, { ...options, remote: NOTHING_YET });
  if (result.kind !== 'pending') return result;
  const { RemoteStore } = await import('./remote-store.ts');
  await using store = new RemoteStore(options.remotePolicy, io.signal);
  const remote = store.port();
  result = build(tree, path, { ...options, remote });
  for (let round = 0; result.kind === 'pending' && round < ROUNDS_MAX; round++) {
    for (const request of result.requests) await store.fetch(request);
    result = build(tree, path, { ...options, remote });
  }
  return result;
}

function printWarning(diagnostic: Diagnostic, io: Io): void {
  if (diagnostic.severity !== 'warning') return;
  const isLogged = diagnostic.code === 'KUSTOMIZE_LOGGED';
  io.err(`${isLogged ? `${logTime(new Date())} ` : ''}${diagnostic.message}\n`);
}

/** The time as Go's log prints it. */
function logTime(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}/${two(now.getMonth() + 1)}/${two(now.getDate())}`;
  return `${day} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
}

function write(result: Built, output: string | undefined, io: Io): void {
  if (output === undefined || output === '') {
    io.out(result.yaml);
    return;
  }
  const path = resolve(io.cwd, output);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    writeEach(result, path);
    return;
  }
  writeFileSync(path, result.yaml);
}

/** A file a resource, named by kind and name, and by namespace where there are several. */
function writeEach({ objects, documents, namespaces }: Built, folder: string): void {
  const used = new Set(namespaces.filter((namespace) => namespace !== undefined));
  objects.forEach((object, i) => {
    const slash = object.apiVersion.indexOf('/');
    const parts = [
      slash < 0 ? '' : object.apiVersion.slice(0, slash),
      object.apiVersion.slice(slash + 1),
      object.kind,
    ];
    const name = `${parts.filter((part) => part !== '').join('_')}_${object.metadata.name ?? ''}`;
    const namespace = namespaces[i];
    const prefix = used.size > 1 && namespace !== undefined ? `${namespace}_` : '';
    const file = join(folder, `${prefix}${name}.yaml`.toLowerCase());
    if (!file.startsWith(`${folder}/`) || file.slice(folder.length + 1).includes('/')) {
      throw refused(`cannot write '${file}': the resource's name leads out of the directory`);
    }
    // A link that lies there already would be written through.
    if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      throw refused(`cannot write '${file}': it is a symbolic link`);
    }
    writeFileSync(file, documents[i]!);
  });
}
