/**
 * Reconciles HelmRepositories: fetches the index at its interval and keeps it as an artifact, by its digest. A repository of
 * type `oci` has no index: it is read where it is referred to, and has no status.
 */

import {
  FINALIZER,
  type HelmRepository,
  parseHelmRepository,
  REQUESTED_AT,
  SOURCE_GROUP,
} from '@capstan/flux-api';
import {
  type CloudIdentities,
  type FluxSettings,
  formatTime,
  isWatched,
  type NamedKey,
  parseDurationMs,
  reconcileDurations,
  setFinalizer,
  soundArtifact,
  writeStatus,
} from '@capstan/flux-controllers';
import type { ArtifactStorage } from '@capstan/flux-server';
import type { KubeClient } from '@capstan/kube-client';
import {
  type Controller,
  type ControllerRuntime,
  createController,
  type EventRecorder,
  type ReconcileResult,
  StatusWrites,
} from '@capstan/kube-controller';
import { readIndex } from '@capstan/kube-helm';
import { ConditionalCache, createContentDigest, digestLike } from '@capstan/lib-oci';
import { CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import { forgetCacheEvents } from './chart-supply.ts';
import { withStatus } from './conditions.ts';
import { type HelmControlState, isAsking, keyText, requireParsed } from './control-state.ts';
import { humanSize } from './human-size.ts';
import { openAccess } from './repository-access.ts';
import {
  artifactOf,
  failed,
  hasFailed,
  type SourceFailure,
  succeeded,
} from './source-conditions.ts';
import { recordEvent } from './tell.ts';

export interface HelmSourcePorts {
  readonly client: KubeClient;
  readonly identities: CloudIdentities;
  readonly control: HelmControlState;
  readonly artifacts: ArtifactStorage;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly runtime?: ControllerRuntime;
  readonly settings?: FluxSettings;
}

interface IndexPorts extends HelmSourcePorts {
  /** What repositories answered: they are asked whether it still holds. */
  readonly indexes: ConditionalCache;
  readonly statuses: StatusWrites;
}

const FIELD_MANAGER = 'source-controller';
const INTERVAL_DEFAULT = '1m0s';

export function createHelmRepositoryController(ports: HelmSourcePorts): {
  readonly controller: Controller<NamedKey>;
  start(): () => void;
} {
  const { helmIndexBytesMax } = ports.settings ?? {};
  const indexes = new ConditionalCache(
    helmIndexBytesMax === undefined ? {} : { bodyBytesMax: helmIndexBytesMax },
  );
  const statuses = new StatusWrites((key, options) => controller.enqueue(key, options));
  const controller = createController<NamedKey>({
    name: 'helmrepository',
    reconcile: (key, { signal }) => reconcile(key, { ...ports, indexes, statuses }, signal),
    keyString: keyText,
    clock: ports.clock,
    ...reconcileDurations(
      'HelmRepository',
      ports.runtime,
      (key) => ports.control.find('HelmRepository', key) !== undefined,
    ),
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
  });
  return {
    controller,
    start: () =>
      ports.control.live.subscribe((change) => {
        const { group, kind } = change.key;
        if (group !== SOURCE_GROUP || kind !== 'HelmRepository') return;
        if (isAsking(change)) controller.enqueue(change.key);
        else statuses.see(change);
      }),
  };
}

async function reconcile(
  key: NamedKey,
  ports: IndexPorts,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { client, control, artifacts, statuses } = ports;
  const object = control.find('HelmRepository', key);
  const registry = ports.runtime?.registry;
  if (object === undefined && registry !== undefined) forgetCacheEvents(registry, key);
  if (object === undefined || !isWatched(object, ports.settings ?? {})) return { kind: 'settled' };
  const write = { client, fieldManager: FIELD_MANAGER, signal };
  const repository = requireParsed(parseHelmRepository(object), object);
  const isStatic = repository.spec.type === 'oci';
  if (object.metadata.deletionTimestamp !== undefined || isStatic) {
    if (
      isStatic &&
      repository.spec.suspend === true &&
      object.metadata.deletionTimestamp === undefined
    )
      return { kind: 'settled' };
    return leave(repository, ports, signal);
  }
  const held = await setFinalizer(object, true, write);
  if (held !== undefined) control.live.observeWrite(held);
  if (repository.spec.suspend === true) return { kind: 'settled' };
  const before = held === undefined ? repository : requireParsed(parseHelmRepository(held), held);
  const artifactNow = await soundArtifact(before, ports);
  const current = withStatus(before, { artifact: artifactNow } as Partial<
    HelmRepository['status']
  >);
  const { next, failure } = await fetchIndex(current, ports, signal);
  const requested = current.metadata.annotations?.[REQUESTED_AT];
  const told = withStatus(next, {
    ...(requested === undefined ? {} : { lastHandledReconcileAt: requested }),
    ...(failure === undefined || failure.isStalled
      ? { observedGeneration: current.metadata.generation ?? 0 }
      : {}),
  });
  await statuses.write(key, control.live, () => writeStatus(held ?? object, told.status, write));
  tell(before, told, { failure, ports });
  const { artifact } = told.status;
  if (artifact !== undefined) await artifacts.collectGarbage(artifact);
  const recheckAfterMs = parseDurationMs(
    current.spec.interval ?? INTERVAL_DEFAULT,
    'spec.interval',
  );
  if (failure === undefined) return { kind: 'settled', recheckAfterMs };
  const { error } = failure;
  return failure.isStalled ? { kind: 'stalled', error } : { kind: 'retry', error };
}

/** Deleted, or of a type that keeps nothing here: artifacts, status and finalizer go. */
async function leave(
  repository: HelmRepository,
  { client, control, artifacts, statuses }: IndexPorts,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const write = { client, fieldManager: FIELD_MANAGER, signal };
  const { namespace = '', name = '', finalizers = [] } = repository.metadata;
  const isClean = Object.keys(repository.status).length === 0 && !finalizers.includes(FINALIZER);
  if (isClean) return { kind: 'settled' };
  await artifacts.removeAll({ kind: 'HelmRepository', namespace, name });
  const isDeleted = repository.metadata.deletionTimestamp !== undefined;
  const emptied = isDeleted
    ? undefined
    : await statuses.write({ namespace, name }, control.live, () =>
        writeStatus(repository, {}, write),
      );
  await setFinalizer(emptied ?? repository, false, write);
  return { kind: 'settled' };
}

interface Fetched {
  readonly next: HelmRepository;
  readonly failure?: SourceFailure;
}

async function fetchIndex(
  repository: HelmRepository,
  ports: IndexPorts,
  signal: AbortSignal,
): Promise<Fetched> {
  const { clock } = ports;
  try {
    const next = await storeIndex(repository, ports, signal);
    const { revision = '' } = next.status.artifact ?? {};
    const message = `stored artifact: revision '${revision}'`;
    return { next: succeeded(next, { reason: 'Succeeded', message }, clock.now()) };
  } catch (error) {
    signal.throwIfAborted();
    const failure = failureOf(error);
    return { next: failed(repository, failure, clock.now()), failure };
  }
}

/** Whoever is told other Secrets is told nothing of what was answered before. */
function scopeOf({ metadata, spec }: HelmRepository): string {
  return JSON.stringify([metadata.uid ?? '', spec.secretRef ?? '', spec.certSecretRef ?? '']);
}

async function storeIndex(
  repository: HelmRepository,
  ports: IndexPorts,
  signal: AbortSignal,
): Promise<HelmRepository> {
  const { artifacts, clock } = ports;
  const { url } = repository.spec;
  checkUrl(url);
  await using access = await openAccess(repository, { ...ports, signal });
  const get = ports.indexes.over(access.options.get, scopeOf(repository), () => true);
  const bytes = await readIndex(url, { ...access.options, get }).catch((error: unknown) => {
    signal.throwIfAborted();
    const reason = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new CapstanError(
      'FETCH',
      `failed to fetch Helm repository index: failed to cache index to temporary file: ${messageOf(reason)}`,
      { kind: 'retry', cause: error },
    );
  });
  const { artifact } = repository.status;
  const isKept = artifact?.revision === digestLike(artifact?.revision ?? '', bytes);
  if (artifact !== undefined && isKept) return repository;
  checkIndex(new TextDecoder().decode(bytes));
  const hash = createContentDigest(artifacts.digestAlgorithm);
  hash.update(bytes);
  const revision = hash.digest();
  const { namespace = '', name = '' } = repository.metadata;
  const fileName = `index-${revision.slice(revision.indexOf(':') + 1)}.yaml`;
  const file = { kind: 'HelmRepository', namespace, name, fileName };
  const stored = await artifacts.store(file, [bytes]);
  const made = artifactOf(artifact, { ...stored, revision }, formatTime(clock.now()));
  return withStatus(repository, {
    artifact: made,
    url: await artifacts.linkLatest(file, 'index.yaml'),
  });
}

function checkUrl(url: string): void {
  const stalled = (code: string, message: string) =>
    new CapstanError(code, message, { kind: 'stalled' });
  if (url.startsWith('oci://')) {
    throw stalled(
      'URL_INVALID',
      "invalid Helm repository URL: 'oci' URL scheme cannot be used with 'default' HelmRepository type",
    );
  }
  if (!URL.canParse(url)) {
    throw stalled('URL_INVALID', `invalid Helm repository URL: ${JSON.stringify(url)} is none`);
  }
  const scheme = new URL(url).protocol.slice(0, -1);
  if (/^https?$/.test(scheme)) return;
  throw stalled('CLIENT', `failed to construct Helm client: scheme "${scheme}" not supported`);
}

/** The marks of an index; its entries are read when a chart is looked for. */
function checkIndex(text: string): void {
  const hasMarks = text.trimStart().startsWith('{')
    ? /"apiVersion"\s*:/.test(text)
    : /^apiVersion:[ \t]*\S/m.test(text);
  if (hasMarks) return;
  const problem = text.trim() === '' ? 'empty index.yaml file' : 'no API version specified';
  throw new CapstanError(
    'INDEXATION',
    `failed to load Helm repository from index YAML: failed to load index: ${problem}`,
    { kind: 'retry' },
  );
}

const REASONS: Readonly<Record<string, string>> = {
  URL_INVALID: 'URLInvalid',
  AUTH_SECRET: 'AuthenticationFailed',
  INDEXATION: 'IndexationFailed',
};

function failureOf(error: unknown): SourceFailure {
  const problem =
    error instanceof CapstanError
      ? error
      : new CapstanError('INTERNAL', messageOf(error), { kind: 'retry', cause: error });
  return {
    condition: 'FetchFailed',
    reason: REASONS[problem.code] ?? 'Failed',
    message: problem.message,
    isStalled: problem.kind === 'stalled',
    error: problem,
  };
}

/** New artifacts, recoveries, failures. */
function tell(
  before: HelmRepository,
  after: HelmRepository,
  {
    failure,
    ports,
  }: { readonly failure: SourceFailure | undefined; readonly ports: HelmSourcePorts },
): void {
  const { events } = ports;
  if (failure !== undefined) {
    const { reason, message } = failure;
    const old = before.status.conditions?.find(({ type }) => type === 'Ready');
    if (old?.message !== message) recordEvent(events, after, { type: 'Warning', reason, message });
    return;
  }
  const { artifact } = after.status;
  if (artifact === undefined) return;
  const isNew = before.status.artifact?.digest !== artifact.digest;
  if (!isNew && !hasFailed(before)) return;
  const size =
    typeof artifact['size'] === 'number' ? `size ${humanSize(artifact['size'])}` : 'unknown size';
  recordEvent(events, after, {
    type: 'Normal',
    reason: isNew ? 'NewArtifact' : 'Succeeded',
    message: `stored fetched index of ${size} from '${after.spec.url}'`,
    annotations: artifactMarks(artifact),
  });
}

export function artifactMarks({
  revision,
  digest,
}: {
  readonly revision: string;
  readonly digest: string;
}): Readonly<Record<string, string>> {
  return { [`${SOURCE_GROUP}/revision`]: revision, [`${SOURCE_GROUP}/digest`]: digest };
}
