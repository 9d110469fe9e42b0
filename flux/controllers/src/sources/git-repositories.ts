/** GitRepository: a commit of a repository, with what it includes of others, as an artifact. */
import { SourceWatches } from '@capstan/engine-delivery';
import type {
  GitSourceSpec,
  Snapshot,
  SourceLogin,
  SourceStore,
  VerifyRequest,
} from '@capstan/engine-source';
import type { Artifact, GitRepository } from '@capstan/flux-api';
import { SOURCE_GROUP } from '@capstan/flux-api';
import type { JsonObject } from '@capstan/kube-object';
import { type FileTree, overlayAt, resolvePath, subTree } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { type ControlState, requireGitRepository } from '../control-state.ts';
import { formatTime, parseDurationMs } from '../durations.ts';
import type { CloudIdentities } from '../identity/cloud-identities.ts';
import { formatRevision, toSourceSpec } from '../to-source.ts';
import type { PackTree } from './artifact-port.ts';
import { toGitAuth } from './git-auth.ts';
import { gitFailure } from './git-failures.ts';
import {
  createSourceController,
  type FetchContext,
  type SourceController,
  type SourcePorts,
  sourceId,
} from './source-controller.ts';
import { bearerOf, requireIdentities } from './source-identity.ts';
import {
  describeError,
  fetchFailure,
  SourceFailure,
  type SourceOutcome,
} from './source-outcome.ts';
import { readKeys, readProxy, readSecret, type SecretReader } from './source-secrets.ts';

export interface GitRepositoryPorts extends SourcePorts {
  readonly sources: SourceStore;
  readonly pack: PackTree;
}

interface Bench {
  readonly ports: GitRepositoryPorts;
  readonly control: ControlState;
  readonly watches: SourceWatches;
}

export function createGitRepositoryController(
  ports: GitRepositoryPorts,
  control: ControlState,
): SourceController {
  const watches = new SourceWatches(ports.sources, (id) => {
    const [namespace = '', name = ''] = id.split('/');
    made.controller.enqueue({ namespace, name }, { reason: 'remote' });
  });
  const bench: Bench = { ports, control, watches };
  const made = createSourceController<GitRepository>(
    {
      kind: 'GitRepository',
      require: requireGitRepository,
      fetch: (repository, context) => fetchRepository(repository, bench, context),
      failureOf: (error, repository) => gitFailure(repository, error),
      forget: (key) => watches.forget(sourceId(key)),
      isFollowed: true,
    },
    ports,
    control,
  );
  return {
    controller: made.controller,
    start() {
      const stops = [made.start(), wakeIncluding(made, control)];
      return () => {
        for (const stop of stops) stop();
        watches.close();
      };
    },
  };
}

/** A repository that includes another one is looked at when that has a new artifact. */
function wakeIncluding({ controller }: SourceController, control: ControlState): () => void {
  return control.live.subscribe(({ key }) => {
    if (key.group !== SOURCE_GROUP || key.kind !== 'GitRepository') return;
    for (const other of control.keys('GitRepository', SOURCE_GROUP)) {
      if (other.namespace !== key.namespace || other.name === key.name) continue;
      const include = control.source('GitRepository', other)?.['spec'];
      const names = includedNames(include);
      if (names.includes(key.name)) controller.enqueue(other, { reason: 'include' });
    }
  });
}

function includedNames(spec: unknown): readonly string[] {
  const { include } = (spec ?? {}) as Partial<GitRepository['spec']>;
  return Array.isArray(include) ? include.map(({ repository }) => repository?.name ?? '') : [];
}

async function fetchRepository(
  repository: GitRepository,
  bench: Bench,
  context: FetchContext,
): Promise<SourceOutcome> {
  const { ports } = bench;
  requireUrl(repository.spec.url);
  const reader = secretReader(repository, ports, context.signal);
  const spec = await gitSourceOf(repository, reader, ports.identities);
  await tryLogin(repository, spec, ports.identities);
  const includes = findIncludes(repository, bench.control);
  const snapshot = await fetchSnapshot(repository, spec, { bench, context });
  const verified = await verify(repository, { spec, snapshot, ports, signal: context.signal });
  const revision = revisionOf(repository, snapshot);
  const kept = keptArtifact(repository, { revision, includes, current: context.current });
  const artifact =
    kept ?? (await storeArtifact(repository, { snapshot, revision, includes, ports }));
  return {
    kind: 'stored',
    artifact,
    message: `stored artifact for revision '${revision}'`,
    event: `stored artifact for commit '${await subjectOf(spec, snapshot, ports.sources)}'`,
    ...(verified === undefined ? {} : { verified }),
    observed: observedOf(repository, includes),
  };
}

function requireUrl(url: string): void {
  if (URL.canParse(url)) return;
  const message = `failed to parse url '${url}': parse ${JSON.stringify(url)}: it is no URL`;
  throw fetchFailure('URLInvalid', message, { response: 'stall' });
}

function secretReader(
  { metadata }: GitRepository,
  { client }: Pick<GitRepositoryPorts, 'client'>,
  signal: AbortSignal,
): SecretReader {
  return { client, namespace: metadata.namespace ?? '', signal };
}

/** What the engine is to fetch for a GitRepository, with its Secrets read. */
export async function gitSourceOf(
  repository: GitRepository,
  reader: SecretReader,
  identities: CloudIdentities,
): Promise<GitSourceSpec> {
  const { secretRef, proxySecretRef, provider } = repository.spec;
  const proxy = await readProxy(reader, proxySecretRef, 'failed to configure proxy options: ');
  const place = `failed to get secret '${reader.namespace}/${secretRef?.name}': `;
  // Twice, as in the original.
  const secret =
    secretRef === undefined ? undefined : await readSecret(reader, secretRef.name, place + place);
  const auth = toGitAuth(repository, secret, proxy);
  const spec = toSourceSpec(repository);
  if (provider === 'aws' || provider === 'azure') {
    const login = loginOf(repository, { provider, proxy, identities });
    return { ...spec, auth: { ...auth, login } };
  }
  return auth === undefined ? spec : { ...spec, auth };
}

function loginOf(
  object: GitRepository,
  options: {
    readonly provider: string;
    readonly proxy: string | undefined;
    readonly identities: CloudIdentities;
  },
): SourceLogin {
  const { provider, proxy, identities } = options;
  const bearer = bearerOf(object, { proxy, identities });
  // Objects with the same identity share what is fetched.
  const { involved: _, ...identity } = bearer;
  return {
    toJSON: () => JSON.stringify([provider, identity]),
    ask: (url) => identities.gitLogin(provider, url, bearer),
  };
}

/** What is wrong with a cloud's identity is told before the repository is asked. */
async function tryLogin(
  { spec }: GitRepository,
  { auth, url }: GitSourceSpec,
  identities: CloudIdentities,
): Promise<void> {
  if (auth?.login === undefined) return;
  requireIdentities(spec.serviceAccountName, identities);
  await auth.login.ask(url).catch((cause: unknown) => {
    if (!(cause instanceof CapstanError)) throw cause;
    const message = `failed to configure authentication options: ${describeError(cause)}`;
    throw fetchFailure('AuthenticationFailed', message, { cause });
  });
}

const FRESH_MS = 1_000;

async function fetchSnapshot(
  { metadata, spec: { interval }, status }: GitRepository,
  spec: GitSourceSpec,
  { bench, context }: { readonly bench: Bench; readonly context: FetchContext },
): Promise<Snapshot> {
  const { ports, watches } = bench;
  const { isAsked, signal } = context;
  const id = sourceId({ namespace: metadata.namespace ?? '', name: metadata.name ?? '' });
  watches.follow(id, [spec], parseDurationMs(interval, 'spec.interval'));
  // What is new is looked at anew: another repository of the same address may have asked long ago.
  const isNew = status.observedGeneration !== metadata.generation;
  const maxAgeMs = isAsked ? 0 : isNew ? FRESH_MS : Number.POSITIVE_INFINITY;
  const snapshot = await ports.sources.fetchSnapshot(spec, { maxAgeMs, signal });
  const [error] = watches.errors(id);
  if (error !== undefined && !isAsked) throw error;
  return snapshot;
}

/** `main@sha1:…`; a reference by full name is told by that name, a bare commit without any. */
function revisionOf({ spec }: GitRepository, { revision }: Snapshot): string {
  const { name, commit, branch } = spec.ref ?? {};
  if (commit) return formatRevision({ id: revision.id, name: name || branch || '' });
  return formatRevision({ id: revision.id, name: name || revision.name });
}

/** The commit's subject as events show it: fifty characters of it. */
async function subjectOf(
  spec: GitSourceSpec,
  { revision }: Snapshot,
  sources: SourceStore,
): Promise<string> {
  const subject = [
    ...((await sources.describeRevision(spec, revision.id))?.subject ?? revision.id),
  ];
  return subject.length > 50 ? `${subject.slice(0, 50).join('')}...` : subject.join('');
}

interface Include {
  readonly artifact: Artifact;
  readonly fromPath: string;
  readonly toPath: string;
  readonly name: string;
}

function findIncludes(
  { spec, metadata }: GitRepository,
  control: ControlState,
): readonly Include[] {
  return (spec.include ?? []).map(({ repository: { name }, fromPath = '', toPath = '' }) => {
    const fail = (reason: string, message: string) =>
      new SourceFailure({ condition: 'IncludeUnavailable', reason, message, response: 'wait' });
    const found = control.source('GitRepository', { namespace: metadata.namespace ?? '', name });
    if (found === undefined) {
      throw fail(
        'NotFound',
        `could not get resource for include '${name}': GitRepository.source.toolkit.fluxcd.io "${name}" not found`,
      );
    }
    const { artifact } = requireGitRepository(found).status;
    if (artifact === undefined) {
      throw fail('NoArtifact', `no artifact available for include '${name}'`);
    }
    return { artifact, fromPath, toPath: toPath === '' ? name : toPath, name };
  });
}

/** The artifact in storage, when nothing that goes into it has changed. */
function keptArtifact(
  { status, spec }: GitRepository,
  options: {
    readonly revision: string;
    readonly includes: readonly Include[];
    readonly current: Artifact | undefined;
  },
): Artifact | undefined {
  const { revision, includes, current } = options;
  if (current?.revision !== revision) return undefined;
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const pinned = (artifacts: readonly Artifact[]) =>
    artifacts.map(({ revision: of, digest }) => [of, digest]);
  const unchanged =
    spec.ignore === status.observedIgnore &&
    (spec.recurseSubmodules ?? false) === (status.observedRecurseSubmodules ?? false) &&
    same(spec.sparseCheckout ?? [], status.observedSparseCheckout ?? []) &&
    same(spec.include ?? [], status.observedInclude ?? []) &&
    same(pinned(includes.map(({ artifact }) => artifact)), pinned(status.includedArtifacts ?? []));
  return unchanged ? current : undefined;
}

async function storeArtifact(
  { metadata }: GitRepository,
  options: {
    readonly snapshot: Snapshot;
    readonly revision: string;
    readonly includes: readonly Include[];
    readonly ports: GitRepositoryPorts;
  },
): Promise<Artifact> {
  const { snapshot, revision, includes, ports } = options;
  const { namespace = '', name = '' } = metadata;
  const files = await withIncludes(snapshot.files, includes, ports.sources);
  // What is included has ids of its own kind: such an archive is made anew each time.
  const scope = includes.length === 0 ? snapshot.scope : undefined;
  const file = {
    kind: 'GitRepository',
    namespace,
    name,
    fileName: `${snapshot.revision.id}.tar.gz`,
  };
  try {
    const { path, url, digest, size } = await ports.artifacts.store(file, ports.pack(files, scope));
    return { path, url, revision, digest, lastUpdateTime: formatTime(ports.clock.now()), size };
  } catch (error) {
    if (error instanceof CapstanError && error.kind !== 'bug') throw error;
    throw new SourceFailure(
      {
        condition: 'StorageOperationFailed',
        reason: 'ArchiveOperationFailed',
        message: `unable to archive artifact to storage: ${describeError(error)}`,
      },
      error,
    );
  }
}

/** Copies folders of other repositories' artifacts to their places. Nothing leads out of either. */
async function withIncludes(
  files: FileTree,
  includes: readonly Include[],
  sources: SourceStore,
): Promise<FileTree> {
  let all = files;
  for (const { artifact, fromPath, toPath, name } of includes) {
    const fail = (reason: string, message: string) =>
      new SourceFailure({ condition: 'StorageOperationFailed', reason, message });
    const to = resolvePath('', toPath.replaceAll('\\', '/'));
    if (to === undefined) {
      throw fail(
        'IllegalPath',
        `path calculation for include '${name}' failed: ${JSON.stringify(toPath)} leads out of the artifact`,
      );
    }
    const snapshot = await sources.fetchSnapshot(artifactSource('GitRepository', name, artifact));
    // Nothing is above an artifact, as for the original.
    const inside = fromPath.replaceAll('\\', '/').replace(/^(?:\.{0,2}\/)+/, '');
    const from = resolvePath('', inside);
    if (from === undefined || snapshot.files.stat(from)?.kind !== 'directory') {
      throw fail(
        'CopyFailure',
        `failed to copy '${name}' include from ${fromPath} to ${toPath}: ${inside}: no such file or directory`,
      );
    }
    all = overlayAt(all, to, subTree(snapshot.files, from));
  }
  return all;
}

/** An artifact as the engine reads it. */
export function artifactSource(kind: string, name: string, artifact: Artifact) {
  return {
    kind: 'archive' as const,
    url: artifact.url,
    name: `${kind}/${name}`,
    revision: { kind: 'archive' as const, id: artifact.revision },
    digest: artifact.digest,
  };
}

function observedOf({ spec }: GitRepository, includes: readonly Include[]): JsonObject {
  return {
    ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }),
    ...(spec.include === undefined ? {} : { observedInclude: spec.include }),
    ...(includes.length === 0
      ? {}
      : { includedArtifacts: includes.map(({ artifact }) => artifact) }),
    ...(spec.recurseSubmodules === true ? { observedRecurseSubmodules: true } : {}),
    ...(spec.sparseCheckout === undefined ? {} : { observedSparseCheckout: spec.sparseCheckout }),
    ...(spec.verify === undefined ? {} : { sourceVerificationMode: modeOf(spec.verify.mode) }),
  };
}

/** The removed spelling `head` means `HEAD`. */
function modeOf(mode = 'HEAD'): string {
  return mode === 'head' || mode === '' ? 'HEAD' : mode;
}

const MODES: Readonly<Record<string, VerifyRequest['mode']>> = {
  HEAD: 'head',
  Tag: 'tag',
  TagAndHEAD: 'tagAndHead',
};

/** The message of SourceVerified; undefined when nothing is to be verified. */
async function verify(
  { spec: { verify: wanted }, metadata }: GitRepository,
  options: {
    readonly spec: GitSourceSpec;
    readonly snapshot: Snapshot;
    readonly ports: GitRepositoryPorts;
    readonly signal: AbortSignal;
  },
): Promise<string | undefined> {
  if (wanted === undefined) return undefined;
  const { spec, snapshot, ports, signal } = options;
  const reader = { client: ports.client, namespace: metadata.namespace ?? '', signal };
  const keys = await readKeys(reader, wanted.secretRef.name, {
    reason: 'VerificationError',
    prefix: 'public keys secret error: ',
  });
  const texts = (wantsSsh: boolean) =>
    [...keys].flatMap(([name, value]) =>
      name.endsWith('.sshpub') === wantsSsh ? [value.toString('utf8')] : [],
    );
  const mode = MODES[modeOf(wanted.mode)];
  if (mode === undefined) {
    throw new SourceFailure({
      condition: 'SourceVerified',
      reason: 'InvalidVerificationMode',
      message: `spec.verify.mode ${JSON.stringify(wanted.mode)} is not known`,
      response: 'stall',
    });
  }
  const verified = await ports.sources.verifyRevision(spec, snapshot, {
    mode,
    pgpKeys: texts(false),
    sshKeys: texts(true),
    places: {
      pgp: 'in secret (keys with .asc suffix)',
      ssh: 'in secret (keys with .sshpub suffix)',
    },
  });
  const lines = verified.map(({ kind, name, key }) => `\n\t- ${kind} '${name}' with key '${key}'`);
  return `verified signature of${lines.join('')}`;
}
