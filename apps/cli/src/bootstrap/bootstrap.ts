import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import { build } from '@capstan/kube-kustomize';
import type { KubeObject } from '@capstan/kube-object';
import type { FileTree } from '@capstan/lib-files';
import { type GitCredentials, Mirror, parseRemoteUrl } from '@capstan/lib-git';
import { CapstanError, valueAt } from '@capstan/lib-std';
import { toYaml } from '@capstan/lib-yaml';
import { type FlagSpec, type ParsedFlags, parseFlags } from '../flags.ts';
import type { Command, Io } from '../io.ts';
import { awaitCondition } from './await-ready.ts';
import { componentManifests } from './components.ts';
import { KUSTOMIZATION_FILES, refuseLostPatches } from './lost-patches.ts';
import { type Files, publishFiles } from './publish.ts';
import { sourceSecret, syncManifests } from './sync-manifests.ts';

const HELP = `usage: capstan bootstrap git --url URL [flags]

Commits Capstan's manifests to a repository, installs them, and lets the cluster follow that repository from then on:
the same files and names as flux bootstrap. Safe to run again; it goes on where it stopped.

      --url URL                 of the repository (https, http or ssh)
      --branch NAME             default main; made when the repository is empty
      --path FOLDER             the cluster follows this folder (default: all)
  -u, --username NAME           for https (default git); -p, --password TEXT, or $GIT_PASSWORD
      --with-bearer-token       send the password as a bearer token
      --private-key-file FILE   for ssh, with --known-hosts-file FILE (what ssh-keyscan prints, checked)
      --ca-file FILE            trust this authority
      --allow-insecure-http     send credentials over http
  -n, --namespace NAME          default flux-system
      --image IMAGE             what the Deployment runs (default capstan:VERSION; see Dockerfile)
      --interval DURATION       default 1m0s
      --author-name, --author-email, --commit-message-appendix
      --kubeconfig FILE, --context NAME
      --timeout SECONDS         default 300
      --export                  print the manifests and do nothing
`;

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  'allow-insecure-http': { kind: 'boolean' },
  'author-email': { kind: 'string' },
  'author-name': { kind: 'string' },
  branch: { kind: 'string' },
  'ca-file': { kind: 'string' },
  'commit-message-appendix': { kind: 'string' },
  context: { kind: 'string' },
  export: { kind: 'boolean' },
  help: { kind: 'boolean', short: 'h' },
  image: { kind: 'string' },
  interval: { kind: 'string' },
  'known-hosts-file': { kind: 'string' },
  kubeconfig: { kind: 'string' },
  namespace: { kind: 'string', short: 'n' },
  password: { kind: 'string', short: 'p' },
  path: { kind: 'string' },
  'private-key-file': { kind: 'string' },
  timeout: { kind: 'string' },
  url: { kind: 'string' },
  username: { kind: 'string', short: 'u' },
  'with-bearer-token': { kind: 'boolean' },
};

const VERSION = '0.1.0';

interface Plan {
  readonly url: string;
  readonly branch: string;
  readonly namespace: string;
  /** Of the cluster's own manifests in the repository. */
  readonly folder: string;
  readonly components: readonly KubeObject[];
  readonly sync: readonly KubeObject[];
  readonly secret: KubeObject | undefined;
  readonly credentials: GitCredentials;
  readonly author: { readonly name: string; readonly email: string };
  readonly appendix: string;
}

/** `capstan bootstrap git`: exits with 0 once the cluster follows the repository. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, FLAGS);
  if (flags.flag('help')) {
    io.out(HELP);
    return 0;
  }
  const [provider, ...more] = flags.positionals;
  if (provider !== 'git' || more.length > 0) {
    throw new CapstanError('FLAGS', 'say where to: capstan bootstrap git --url URL', {
      hint: 'any Git host works by its URL, with a token or a key that may push',
    });
  }
  const plan = await makePlan(flags, io);
  if (flags.flag('export')) {
    io.out(yamlOf([...plan.components, ...plan.sync]));
    return 0;
  }
  const timeoutMs = Number(flags.text('timeout') ?? '300') * 1000;
  const client = await openClient(flags, io);
  const folder = await mkdtemp(join(tmpdir(), 'capstan-bootstrap-'));
  try {
    const before = await readFollower(plan, client, io.signal);
    const published = await publish(plan, join(folder, 'mirror.git'), io);
    await install({ ...plan, ...published }, client, { io, before });
    const deadlineMs = Date.now() + timeoutMs;
    await follow({ ...plan, ...published }, client, { io, commit: published.commit, deadlineMs });
  } finally {
    await rm(folder, { recursive: true, force: true });
    await client.close();
  }
  return 0;
};

async function makePlan(flags: ParsedFlags, io: Io): Promise<Plan> {
  const url = flags.text('url');
  if (url === undefined) throw new CapstanError('FLAGS', '--url is missing', { hint: HELP });
  const remote = parseRemoteUrl(url);
  const credentials = await readCredentials(flags, remote.protocol, io);
  const isSecret = credentials.password !== undefined || credentials.bearerToken !== undefined;
  if (remote.protocol === 'http' && isSecret && !flags.flag('allow-insecure-http')) {
    throw new CapstanError('FLAGS', 'the credentials would travel readable over http', {
      hint: 'use https, or say --allow-insecure-http',
    });
  }
  const namespace = flags.text('namespace') ?? 'flux-system';
  const path = (flags.text('path') ?? '').replace(/^(?:\.?\/)+|\/+$/g, '');
  if (path.split('/').includes('..')) {
    throw new CapstanError('FLAGS', `--path ${path} leads out of the repository`, {
      hint: 'give a folder below its root',
    });
  }
  const branch = flags.text('branch') ?? 'main';
  const secret = sourceSecret({ namespace, name: namespace }, credentials);
  return {
    url,
    branch,
    namespace,
    folder: path === '' ? namespace : `${path}/${namespace}`,
    components: componentManifests({
      namespace,
      image: flags.text('image') ?? `capstan:${VERSION}`,
      version: VERSION,
    }),
    sync: syncManifests({
      namespace,
      url,
      branch,
      path,
      interval: flags.text('interval') ?? '1m0s',
      secret: secret === undefined ? undefined : namespace,
    }),
    secret,
    credentials,
    author: {
      name: flags.text('author-name') ?? 'Capstan',
      email: flags.text('author-email') ?? 'capstan@localhost',
    },
    appendix: flags.text('commit-message-appendix') ?? '',
  };
}

async function readCredentials(
  flags: ParsedFlags,
  protocol: string,
  io: Io,
): Promise<GitCredentials> {
  const password = flags.text('password') ?? io.env['GIT_PASSWORD'];
  const read = async (flag: string) => {
    const file = flags.text(flag);
    return file === undefined ? undefined : await readFile(resolve(io.cwd, file), 'utf8');
  };
  const caCertificate = await read('ca-file');
  const authority = caCertificate === undefined ? {} : { caCertificate };
  if (protocol !== 'ssh') {
    if (password === undefined || password === '') return authority;
    if (flags.flag('with-bearer-token')) return { bearerToken: password, ...authority };
    return { username: flags.text('username') ?? 'git', password, ...authority };
  }
  const sshPrivateKey = await read('private-key-file');
  const sshKnownHosts = await read('known-hosts-file');
  if (sshPrivateKey === undefined || sshKnownHosts === undefined) {
    throw new CapstanError('FLAGS', 'ssh needs --private-key-file and --known-hosts-file', {
      hint: 'ssh-keyscan HOST prints what the second one holds; compare it with what the host publishes',
    });
  }
  return {
    sshPrivateKey,
    sshKnownHosts,
    ...(password === undefined ? {} : { sshPassphrase: password }),
  };
}

async function openClient(flags: ParsedFlags, io: Io): Promise<KubeClient> {
  const file = flags.text('kubeconfig');
  const context = flags.text('context');
  return connect(
    await loadKubeconfig({
      environment: io.env,
      ...(file === undefined ? {} : { file }),
      ...(context === undefined ? {} : { context }),
    }),
  );
}

/** The Kustomization by which the cluster follows the repository already; it must not be led to another folder. */
async function readFollower(
  { namespace, sync }: Plan,
  client: KubeClient,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const wanted = sync.find(({ kind }) => kind === 'Kustomization');
  if (wanted === undefined) return undefined;
  const { apiVersion, kind } = wanted;
  const found = await client
    .find({ apiVersion, kind, namespace, name: namespace }, { signal })
    .catch((error: unknown) => {
      if (error instanceof CapstanError && error.code === 'KIND_NOT_SERVED') return undefined;
      throw error;
    });
  const [path, held] = [wanted, found].map(pathOf);
  if (held !== undefined && held !== path) {
    const message = `sync path configuration ("${path}") would overwrite path ("${held}") of existing Kustomization`;
    throw new CapstanError('BOOTSTRAP_PATH', message, {
      hint: `give --path ${held}, or another --namespace`,
    });
  }
  return found;
}

function pathOf(kustomization: KubeObject | undefined): string | undefined {
  if (kustomization === undefined) return undefined;
  const path = textAt(kustomization, 'spec', 'path') ?? '';
  return `./${path.replace(/^(?:\.?\/)+|\/+$/g, '')}`;
}

function textAt(object: KubeObject, ...path: readonly string[]): string | undefined {
  const found = valueAt(object, ...path);
  return typeof found === 'string' ? found : undefined;
}

interface PublishedManifests {
  readonly commit: string;
  /** As their kustomization.yaml makes them, with what people patch there. */
  readonly components: readonly KubeObject[];
  readonly sync: readonly KubeObject[];
}

/** One commit with everything: the repository never holds half of it. */
async function publish(plan: Plan, gitDir: string, io: Io): Promise<PublishedManifests> {
  const { url, branch, credentials, author, appendix } = plan;
  const mirror = new Mirror({ folder: gitDir, url, credentials });
  try {
    io.out(`► reading branch "${branch}" of "${url}"\n`);
    const message = `Add Capstan v${VERSION} and sync manifests\n${appendix === '' ? '' : `\n${appendix}\n`}`;
    const options = { gitDir, branch, message, author, signal: io.signal };
    const manifests = {
      filesFor: (tree: FileTree) => filesOf(plan, tree),
      read: (tree: FileTree) => builtOf(plan, tree),
    };
    const { commit, isNew, read } = await publishFiles(mirror, manifests, options);
    io.out(
      isNew
        ? `✔ committed and pushed manifests to "${branch}" ("${commit}")\n`
        : `✔ manifests are up to date in "${branch}" ("${commit}")\n`,
    );
    return { commit, ...read };
  } finally {
    mirror.close();
  }
}

/** A kustomization that is there belongs to whoever patches the manifests in it. */
function filesOf({ folder, components, sync }: Plan, tree: FileTree): Files {
  const resources = ['gotk-components.yaml', 'gotk-sync.yaml'];
  const head = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };
  const isThere = KUSTOMIZATION_FILES.some(
    (name) => tree.readFile(`${folder}/${name}`) !== undefined,
  );
  return {
    [`${folder}/gotk-components.yaml`]: yamlOf(components),
    [`${folder}/gotk-sync.yaml`]: yamlOf(sync),
    ...(isThere ? {} : { [`${folder}/kustomization.yaml`]: toYaml({ ...head, resources }) }),
  };
}

/** What the cluster is going to follow, so that nothing is installed that it would change again at once. */
function builtOf(
  { folder, namespace, components }: Plan,
  tree: FileTree,
): Omit<PublishedManifests, 'commit'> {
  refuseLostPatches(tree, folder, components);
  const result = build(tree, folder);
  if (result.kind === 'failed') throw result.error;
  if (result.kind === 'pending') {
    throw new CapstanError(
      'BOOTSTRAP_REMOTE',
      `${folder}/kustomization.yaml needs remote content`,
      {
        hint: 'let another Kustomization bring it: the cluster begins with this folder alone',
      },
    );
  }
  const isSync = ({ kind, metadata }: KubeObject) =>
    metadata.name === namespace && (kind === 'GitRepository' || kind === 'Kustomization');
  return {
    components: result.objects.filter((object) => !isSync(object)),
    sync: result.objects.filter(isSync),
  };
}

function yamlOf(objects: readonly KubeObject[]): string {
  const head =
    '# Written by capstan bootstrap. Changes belong into kustomization.yaml, as patches.\n';
  return `${head}${objects.map((object) => `---\n${toYaml(object)}`).join('')}`;
}

/** Installs what runs here, unless it runs already and follows the repository: then that brings what is new. */
async function install(
  { namespace, components, secret }: Pick<Plan, 'namespace' | 'components' | 'secret'>,
  client: KubeClient,
  { io, before }: { readonly io: Io; readonly before: KubeObject | undefined },
): Promise<void> {
  const apply = { fieldManager: 'capstan-bootstrap', force: true, signal: io.signal };
  const deployments = components.filter(({ kind }) => kind === 'Deployment').map(refOf);
  const isFollowing = before !== undefined && textAt(before, 'status', 'lastAppliedRevision');
  const running = isFollowing
    ? await Promise.all(deployments.map((ref) => client.find(ref, { signal: io.signal })))
    : [undefined];
  if (running.includes(undefined)) {
    io.out(`► installing components in "${namespace}" namespace\n`);
    for (const object of components) await client.apply(object, apply);
    client.discovery.invalidate();
    io.out('✔ installed components\n');
  } else io.out('✔ components are installed, and follow the repository\n');
  if (secret === undefined) return;
  await client.apply(secret, apply);
  io.out(`✔ reconciled source secret "${namespace}/${secret.metadata.name}"\n`);
}

async function follow(
  { namespace, sync, components }: Pick<Plan, 'namespace' | 'sync' | 'components'>,
  client: KubeClient,
  options: { readonly io: Io; readonly commit: string; readonly deadlineMs: number },
): Promise<void> {
  const { io, commit, deadlineMs } = options;
  const { signal } = io;
  io.out('► applying sync manifests\n');
  const reconcile = { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() };
  for (const object of sync) {
    const { apiVersion, kind } = object;
    const apply = { fieldManager: 'capstan-bootstrap', force: true, signal };
    await client.apply(object, apply);
    const ref = { apiVersion, kind, namespace, name: namespace };
    const patch = { metadata: { annotations: reconcile } };
    await client.patch(ref, patch, { type: 'merge', fieldManager: 'capstan-bootstrap', signal });
  }
  io.out('✔ reconciled sync configuration\n');
  for (const { apiVersion, kind } of sync) {
    io.out(`◎ waiting for ${kind} "${namespace}/${namespace}" to be reconciled\n`);
    const ref = { apiVersion, kind, namespace, name: namespace };
    const holds = (object: KubeObject) => JSON.stringify(object['status']).includes(commit);
    await awaitCondition(client, ref, { type: 'Ready', holds, deadlineMs, signal });
    io.out(`✔ ${kind} reconciled successfully\n`);
  }
  io.out('► confirming components are healthy\n');
  for (const object of components) {
    if (object.kind !== 'Deployment') continue;
    const ref = refOf(object);
    await awaitCondition(client, ref, { type: 'Available', deadlineMs, signal });
    io.out(`✔ ${ref.name}: deployment ready\n`);
  }
  io.out('✔ all components are healthy\n');
}

function refOf({ apiVersion, kind, metadata }: KubeObject) {
  return { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}
