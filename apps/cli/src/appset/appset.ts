import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PreviewOptions } from '@capstan/apps-server';
import type { ApplicationSet, AppProject } from '@capstan/argocd-api';
import { parseAppProject } from '@capstan/argocd-api';
import {
  applicationSetLanguage,
  type GeneratedApplication,
  generateApplications,
  parseSet,
  planApplications,
  qualifiedName,
  readCluster,
  type Surroundings,
  validateApplications,
} from '@capstan/argocd-application-sets';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import type { Json, KubeObject } from '@capstan/kube-object';
import type { FileTree } from '@capstan/lib-files';
import { openDiskTree } from '@capstan/lib-files/disk';
import { CapstanError } from '@capstan/lib-std';
import { parseYaml, toYaml } from '@capstan/lib-yaml';
import { type FlagSpec, parseFlags } from '../flags.ts';
import type { Command, Io } from '../io.ts';
import { type Preview, planResources } from './plan-resources.ts';

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  context: { kind: 'string' },
  help: { kind: 'boolean', short: 'h' },
  kubeconfig: { kind: 'string' },
  namespace: { kind: 'string', short: 'n' },
  output: { kind: 'string', short: 'o' },
  repo: { kind: 'string[]' },
};

const HELP = `usage: capstan appset plan FILE [flags]

Tells which Applications an ApplicationSet would create, change and delete, and which of their resources. Nothing is
written. Without a cluster it tells which it generates.

      --repo URL=DIR      read this folder where a git generator or a source names the URL; may be repeated
      --kubeconfig FILE   compare with the Applications of this cluster, and use its clusters and projects
      --context NAME      of the kubeconfig
  -n, --namespace NAME    where Argo CD's resources are (default: the set's own, or argocd)
  -o, --output yaml       print the Applications themselves
`;

/** `capstan appset plan FILE`: exits with 0 when the plan can be carried out, 1 otherwise. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, FLAGS);
  const [verb, file, ...more] = flags.positionals;
  if (flags.flag('help')) {
    io.out(HELP);
    return 0;
  }
  if (verb !== 'plan' || file === undefined || more.length > 0)
    throw new CapstanError('FLAGS', 'give one file: capstan appset plan FILE', { hint: HELP });
  const found = readSet(resolve(io.cwd, file));
  const namespace = flags.text('namespace') ?? found.metadata.namespace ?? 'argocd';
  const set = { ...found, metadata: { ...found.metadata, namespace } };
  const path = flags.text('kubeconfig');
  const cluster = path === undefined ? undefined : await observe(io, { path, flags, namespace });
  const folders = new Map(flags.texts('repo').map((text) => splitMapping(text, io)));
  const surroundings = surroundingsOf(folders, cluster);
  const generation = await generateApplications(set, {
    surroundings,
    language: applicationSetLanguage(),
    now: () => Date.now(),
  });
  if (generation.kind === 'failed') throw generation.error;
  const { applications } = generation;
  if (flags.text('output') === 'yaml') {
    io.out(applications.map((application) => toYaml(application)).join('---\n'));
    return 0;
  }
  const live = cluster === undefined ? undefined : withIdentity(set, cluster);
  return print(live ?? set, applications, { surroundings, cluster, folders, io });
};

interface Cluster {
  readonly applications: readonly KubeObject[];
  readonly sets: readonly KubeObject[];
  readonly projects: readonly AppProject[];
  readonly clusters: Surroundings['clusters'];
  /** The data of argocd-cm. */
  readonly config: { readonly [key: string]: string };
}

function readSet(path: string): ApplicationSet {
  const value = parseYaml(readFileSync(path, 'utf8'));
  if (typeof value !== 'object' || value === null || !isSet(value))
    throw new CapstanError('SPEC_INVALID', `${path} holds no ApplicationSet`, {
      hint: 'name a file with one object of kind ApplicationSet',
    });
  return parseSet(value);
}

function isSet(value: object): value is KubeObject {
  return 'kind' in value && value.kind === 'ApplicationSet' && 'metadata' in value;
}

/** The set as the cluster knows it, so that its Applications are recognised. */
function withIdentity(set: ApplicationSet, { sets }: Cluster): ApplicationSet {
  const uid = sets.find(({ metadata }) => metadata.name === set.metadata.name)?.metadata.uid;
  return uid === undefined ? set : { ...set, metadata: { ...set.metadata, uid } };
}

async function observe(
  io: Io,
  options: {
    readonly path: string;
    readonly flags: ReturnType<typeof parseFlags>;
    readonly namespace: string;
  },
): Promise<Cluster> {
  const context = options.flags.text('context');
  const connection = await loadKubeconfig({
    file: resolve(io.cwd, options.path),
    environment: io.env,
    ...(context === undefined ? {} : { context }),
  });
  const client = connect(connection);
  try {
    const { namespace } = options;
    const list = (kind: string) => listAll(client, { group: 'argoproj.io', kind }, namespace, io);
    const projects = await list('AppProject');
    const secrets = await listAll(client, { group: '', kind: 'Secret' }, namespace, io);
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'argocd-cm' };
    const settings = await client.find(ref, { signal: io.signal });
    return {
      config: textsOf(settings?.['data']),
      applications: await list('Application'),
      sets: await list('ApplicationSet'),
      projects: projects.flatMap((object) => {
        const parsed = parseAppProject(object);
        return parsed.kind === 'ok' ? [parsed.value] : [];
      }),
      clusters: secrets.flatMap((secret) => readCluster(secret) ?? []),
    };
  } finally {
    await client.close();
  }
}

function textsOf(data: Json | undefined): { readonly [key: string]: string } {
  if (typeof data !== 'object' || data === null) return {};
  const texts = Object.entries(data).filter((entry) => typeof entry[1] === 'string');
  return Object.fromEntries(texts) as { readonly [key: string]: string };
}

async function listAll(
  client: KubeClient,
  kind: { readonly group: string; readonly kind: string },
  namespace: string,
  { signal }: Io,
): Promise<readonly KubeObject[]> {
  const { items } = await client.list(kind, { namespace, pageSize: 0, signal });
  return items;
}

/** Folders of this machine in place of repositories, by URL. */
type Folders = ReadonlyMap<string, string>;

function openFolder(folders: Folders, url: string): FileTree {
  const folder = folders.get(url);
  if (folder !== undefined) return openDiskTree(folder);
  throw new CapstanError('REPOSITORY_UNKNOWN', `no folder is given for ${url}`, {
    hint: `add --repo ${url}=DIR`,
  });
}

function surroundingsOf(folders: Folders, cluster: Cluster | undefined): Surroundings {
  return {
    clusters: cluster?.clusters ?? [],
    project: (name) =>
      cluster === undefined
        ? anyProject(name)
        : cluster.projects.find(({ metadata }) => metadata.name === name),
    readRepository: async ({ url }): Promise<FileTree> => openFolder(folders, url),
  };
}

function splitMapping(text: string, io: Io): readonly [string, string] {
  const at = text.lastIndexOf('=');
  if (at <= 0) throw new CapstanError('FLAGS', `--repo ${text}: write it as URL=DIR`);
  return [text.slice(0, at), resolve(io.cwd, text.slice(at + 1))];
}

/** Without a cluster every project is taken to exist. */
function anyProject(name: string): AppProject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name },
    spec: { sourceRepos: ['*'] },
  };
}

interface PrintOptions {
  readonly surroundings: Surroundings;
  readonly cluster: Cluster | undefined;
  readonly folders: Folders;
  readonly io: Io;
}

async function print(
  set: ApplicationSet,
  applications: readonly GeneratedApplication[],
  { surroundings, cluster, folders, io }: PrintOptions,
): Promise<number> {
  const errors =
    cluster === undefined ? new Map() : validateApplications(applications, set, surroundings);
  const valid = applications.filter((application) => !errors.has(qualifiedName(application)));
  const plan = planApplications({
    applicationSet: set,
    wanted: valid,
    names: new Set(applications.map(({ metadata }) => metadata.name ?? '')),
    existing: cluster?.applications ?? [],
    clusters: surroundings.clusters,
  });
  const controlNamespace = set.metadata.namespace ?? 'argocd';
  const preview = previewFrom(folders, { controlNamespace, config: cluster?.config ?? {} }, io);
  const resources = await planResources(plan, cluster?.applications ?? [], preview);
  const tell = (line: string, name: string) => {
    io.out(`${line}\n`);
    for (const { sign, text } of resources.get(name) ?? []) io.out(`    ${sign} ${text}\n`);
  };
  for (const { metadata } of plan.create) tell(`+ ${metadata.name}`, metadata.name ?? '');
  for (const { name, patch } of plan.update) tell(`~ ${name} ${JSON.stringify(patch)}`, name);
  for (const { name } of plan.remove) tell(`- ${name}`, name);
  for (const [name, message] of errors) io.err(`! ${name}: ${message}\n`);
  for (const { name, message } of plan.refused) io.err(`! ${name}: ${message}\n`);
  if (plan.overBudget !== undefined) io.err(`! ${plan.overBudget.message}\n`);
  const { create, update, remove } = plan;
  io.out(`${create.length} to create, ${update.length} to change, ${remove.length} to delete\n`);
  return errors.size + plan.refused.length > 0 || plan.overBudget !== undefined ? 1 : 0;
}

/** What renders is loaded when there is something to render. */
function previewFrom(
  folders: Folders,
  options: Pick<PreviewOptions, 'controlNamespace' | 'config'>,
  { signal }: Io,
): Preview {
  return async (application) => {
    const { previewApplication } = await import('@capstan/apps-server');
    return previewApplication(application, {
      openRepository: (url) => openFolder(folders, url),
      ...options,
      now: Date.now,
      signal,
    });
  };
}
