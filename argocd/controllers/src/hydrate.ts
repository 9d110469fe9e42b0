/**
 * The source hydrator (documentation: "Source Hydrator"): a dry source is rendered and committed to a branch, from which the
 * application is synced. What was done is read from the branch itself, so that it is done once, whoever looks.
 */
import type { Application, SourceHydrator, SourceHydratorStatus } from '@capstan/argocd-api';
import type { Cluster, DeliveryPorts } from '@capstan/engine-delivery';
import type { CommitSummary, Snapshot, SourceStore, SourceWriter } from '@capstan/engine-source';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { toYaml } from '@capstan/lib-yaml';
import { readReferences } from './commit-references.ts';
import { accessFor, offerFor } from './delivery-ports.ts';
import { type CommitMetadata, commitMessage, metadataText, readmeText } from './hydrate-texts.ts';
import { resolveSource } from './late-source.ts';
import { isSourcePermitted } from './project-guard.ts';
import {
  findRepository,
  NO_TRUST,
  type RepositoryCredential,
  repositoryAccess,
} from './repositories.ts';
import type { HydratorSettings } from './settings.ts';
import { formatTime } from './to-application-status.ts';
import {
  type LoweringContext,
  renderContext,
  syncSourceOf,
  toDeliverySources,
} from './to-delivery.ts';
import type { ApplicationDeliverySource } from './to-sources.ts';

export interface HydratePorts {
  readonly sources: Pick<SourceStore, 'fetchSnapshot' | 'describeRevision' | 'verifyRevision'>;
  readonly writer: SourceWriter;
  readonly render: DeliveryPorts['render'];
  /** Where an application goes: charts ask what is offered there. */
  readonly clusterOf: (application: HydratedApplication) => Cluster;
  readonly now: () => number;
}

/** An application that is hydrated, with what its lowering depends on. */
export interface HydratedApplication {
  readonly app: Application;
  readonly context: LoweringContext;
}

export interface HydrateInput extends HydratedApplication {
  readonly hydrator: SourceHydrator;
  /** All applications that are hydrated from the same source to the same branch, this one among them. */
  readonly group: readonly HydratedApplication[];
  readonly writeCredentials: readonly RepositoryCredential[];
  readonly settings: HydratorSettings;
  /** Somebody asks for it, whatever was done before. */
  readonly isAsked: boolean;
  readonly maxAgeMs: number;
  readonly signal: AbortSignal;
}

const METADATA = 'hydrator.metadata';
const MANIFEST = 'manifest.yaml';
const ATTRIBUTES = '.gitattributes';

/** Where applications are hydrated together. */
export function hydrationKey({ drySource, syncSource, hydrateTo }: SourceHydrator): string {
  const branch = hydrateTo?.targetBranch || syncSource.targetBranch;
  const { repoURL } = syncSourceOf({ drySource, syncSource });
  return JSON.stringify([drySource.repoURL, drySource.targetRevision, repoURL, branch]);
}

/** Hydrates what is not hydrated yet; answers how it stands. A failure is part of the answer. */
export async function hydrate(
  input: HydrateInput,
  ports: HydratePorts,
): Promise<SourceHydratorStatus> {
  const { app, hydrator } = input;
  const before = app.status?.sourceHydrator ?? {};
  const startedAt = formatTime(ports.now());
  let drySha: string | undefined;
  try {
    const source = drySourceOf(input);
    const { maxAgeMs, signal } = input;
    const dry = await ports.sources.fetchSnapshot(source.source, { maxAgeMs, signal });
    drySha = dry.revision.id;
    if (isDone(before, drySha, input)) return { ...before, lastComparedDryRevision: drySha };
    if (source.verify !== undefined && source.source.kind === 'git')
      await ports.sources.verifyRevision(source.source, dry, source.verify);
    const hydratedSHA = await bringToBranch(input, dry, ports);
    const done = { drySHA: drySha, hydratedSHA, sourceHydrator: hydrator };
    const finishedAt = formatTime(ports.now());
    return {
      currentOperation: { ...done, startedAt, finishedAt, phase: 'Hydrated', message: '' },
      lastComparedDryRevision: drySha,
      lastSuccessfulOperation: done,
    };
  } catch (error) {
    input.signal.throwIfAborted();
    if (error instanceof CapstanError && error.kind === 'bug') throw error;
    return failed(before, { startedAt, drySha, message: messageOf(error), input, ports });
  }
}

/** The same failure keeps its times. */
function failed(
  before: SourceHydratorStatus,
  {
    startedAt,
    drySha,
    message,
    input,
    ports,
  }: {
    readonly startedAt: string;
    readonly drySha: string | undefined;
    readonly message: string;
    readonly input: HydrateInput;
    readonly ports: HydratePorts;
  },
): SourceHydratorStatus {
  const last = before.currentOperation;
  if (last?.phase === 'Failed' && last.message === message && last.drySHA === drySha) return before;
  return {
    ...before,
    currentOperation: {
      startedAt,
      finishedAt: formatTime(ports.now()),
      phase: 'Failed',
      message,
      ...(drySha === undefined ? {} : { drySHA: drySha }),
      sourceHydrator: input.hydrator,
    },
    ...(drySha === undefined ? {} : { lastComparedDryRevision: drySha }),
  };
}

function isDone(
  { lastSuccessfulOperation: last, currentOperation: current }: SourceHydratorStatus,
  drySha: string,
  { hydrator, isAsked }: HydrateInput,
): boolean {
  const isSame = JSON.stringify(last?.sourceHydrator ?? null) === JSON.stringify(hydrator);
  return !isAsked && last?.drySHA === drySha && isSame && current?.phase === 'Hydrated';
}

function drySourceOf({ app, context, hydrator }: HydrateInput): ApplicationDeliverySource {
  const [dry] = toDeliverySources([hydrator.drySource], app, context);
  if (dry === undefined) throw new CapstanError('SPEC_INVALID', 'there is no dry source');
  return dry;
}

/** The commit of the branch that holds this state: found there, or made. */
async function bringToBranch(
  input: HydrateInput,
  dry: Snapshot,
  ports: HydratePorts,
): Promise<string> {
  const { hydrator, group, settings, signal } = input;
  const files: Record<string, string | null> = {};
  const follows: Record<string, string> = { [METADATA]: '', [ATTRIBUTES]: '' };
  const owners = new Map<string, string>();
  for (const one of group) {
    const path = destinationOf(one);
    const name = one.app.metadata.name ?? '';
    const other = owners.get(path);
    if (other !== undefined)
      throw refused(`app ${other} hydrator uses the same destination: path=${path}`);
    owners.set(path, name);
    const rendered = await renderFiles(one, dry, { ports, settings, signal });
    Object.assign(files, rendered);
    const manifest = `${path}/${MANIFEST}`;
    for (const name of Object.keys(rendered)) if (name !== manifest) follows[name] = manifest;
  }
  const metadata = await describe(input, dry, ports);
  files[METADATA] = metadataText(metadata);
  files[ATTRIBUTES] =
    '**/README.md linguist-generated=true\n**/hydrator.metadata linguist-generated=true';
  const { repoURL, targetRevision: syncBranch = '' } = syncSourceOf(hydrator);
  const branch = hydrator.hydrateTo?.targetBranch || syncBranch;
  const project = input.app.spec.project;
  const { writeCredentials, context } = input;
  const credentials =
    findRepository(writeCredentials, repoURL, project) === undefined
      ? context.credentials
      : writeCredentials;
  const place = { url: repoURL, project };
  const { auth } = repositoryAccess(place, { credentials, trust: context.trust ?? NO_TRUST });
  const { commit } = await ports.writer.writeBranch(
    {
      spec: {
        kind: 'git',
        url: repoURL,
        revision: { kind: 'branch', branch },
        ...(auth === undefined ? {} : { auth }),
      },
      branch,
      base: syncBranch,
      files,
      follows,
      message: commitMessage(settings.commitMessageTemplate, metadata),
      author: { name: settings.authorName, email: settings.authorEmail },
      atMs: ports.now(),
      note: { name: METADATA, text: JSON.stringify({ drySha: dry.revision.id }) },
    },
    { signal },
  );
  return commit;
}

/** Never the root of the branch: other applications may be there. */
function destinationOf({ app, context }: HydratedApplication): string {
  const { sourceHydrator } = app.spec;
  if (sourceHydrator === undefined) throw refused('there is no sourceHydrator');
  const { repoURL, path: given = '' } = syncSourceOf(sourceHydrator);
  if (context.project !== undefined && !isSourcePermitted(context.project.spec, repoURL)) {
    throw new CapstanError(
      'PROJECT_DENIED',
      `destination repo ${repoURL} is not permitted in project '${app.spec.project}'`,
      { hint: 'change the AppProject, or hydrate to a repository that it permits' },
    );
  }
  const parts = given.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..'))
    throw refused(
      `app is configured to hydrate to the repository root (path ${JSON.stringify(given)}) which is not allowed`,
    );
  return parts.join('/');
}

function refused(message: string): CapstanError {
  return new CapstanError('HYDRATION_REFUSED', message, {
    hint: 'give each application a folder of its own in spec.sourceHydrator.syncSource.path',
  });
}

async function renderFiles(
  { app, context }: HydratedApplication,
  dry: Snapshot,
  {
    ports,
    settings,
    signal,
  }: {
    readonly ports: HydratePorts;
    readonly settings: HydratorSettings;
    readonly signal: AbortSignal;
  },
): Promise<Record<string, string>> {
  const { sourceHydrator } = app.spec;
  if (sourceHydrator === undefined) return {};
  const { drySource } = sourceHydrator;
  const late = resolveSource(
    drySource,
    dry,
    renderContext(app, context, 'spec.sourceHydrator.drySource'),
  );
  const accessTo = accessFor(app, context);
  const cluster = () => ports.clusterOf({ app, context });
  const offered = await offerFor(dry, late.spec, { cluster, signal });
  const options = { signal, accessTo, ...offered };
  const { objects, diagnostics } = await ports.render(dry, late.spec, options);
  const problem = diagnostics.find(({ severity }) => severity === 'error');
  if (problem !== undefined)
    throw new CapstanError(
      problem.code,
      `failed to get manifests of ${app.metadata.name}: ${problem.message}`,
    );
  const folder = destinationOf({ app, context });
  const metadata = { repoURL: drySource.repoURL, drySha: dry.revision.id };
  return {
    [`${folder}/${MANIFEST}`]: objects.map(({ object }) => toYaml(object)).join('---\n'),
    [`${folder}/${METADATA}`]: metadataText(metadata),
    [`${folder}/README.md`]: readmeText(settings.readmeTemplate, metadata),
  };
}

async function describe(
  input: HydrateInput,
  dry: Snapshot,
  { sources }: HydratePorts,
): Promise<CommitMetadata> {
  const { hydrator } = input;
  const { source } = drySourceOf(input);
  const commit: CommitSummary | undefined = await sources.describeRevision(source, dry.revision.id);
  const told = commit?.message.slice(commit.subject.length).trim() ?? '';
  const { body, references } = readReferences(told);
  return {
    repoURL: hydrator.drySource.repoURL,
    drySha: dry.revision.id,
    ...(commit === undefined
      ? {}
      : {
          author: `${commit.author} <${commit.email}>`,
          date: commit.date,
          subject: commit.subject,
          ...(body === '' ? {} : { body }),
          ...(references.length === 0 ? {} : { references }),
        }),
  };
}
