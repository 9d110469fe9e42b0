/**
 * A DeliveryStatus as the status that Argo CD itself would write: its own page and command read it. Pure: times come in,
 * and a condition or a health that did not change keeps its time. What did not change is written the same.
 */
import type {
  Application,
  ApplicationCondition,
  ApplicationStatus,
  HealthStatus,
  Operation,
  ResourceResult,
  ResourceStatus,
  RevisionHistory,
  SourceHydratorStatus,
  OperationState as WireOperation,
} from '@capstan/argocd-api';
import type {
  DeliveryStatus,
  ObjectStatus,
  OperationState,
  Problem,
} from '@capstan/engine-delivery';
import type { Health } from '@capstan/engine-health';
import { isTelling } from './thin-status.ts';
import { hasSeveralSources, sourcesOf } from './to-delivery.ts';
import { isReference } from './to-sources.ts';

export interface RaisingContext {
  readonly nowMs: number;
  readonly controlNamespace: string;
  /** The operation as a person wrote it, when this is one. */
  readonly operation: Operation | undefined;
  /** Of the hydrator, when it looked. */
  readonly hydration?: SourceHydratorStatus | undefined;
}

export function toApplicationStatus(
  app: Application,
  delivery: DeliveryStatus,
  context: RaisingContext,
): ApplicationStatus {
  const previous = app.status ?? {};
  const now = formatTime(context.nowMs);
  const conditions = toConditions(app, delivery.problems, now);
  const operationState =
    toOperationState(app, delivery.operation, context) ?? previous.operationState;
  const resources = toResources(delivery.objects);
  const { conditions: _told, resources: _listed, operationState: _state, ...kept } = previous;
  const told = {
    ...(conditions.length === 0 ? {} : { conditions }),
    health: toAppHealth(previous.health, delivery, now),
    ...(operationState === undefined ? {} : { operationState }),
  };
  // Of a spec that cannot be used nothing was compared: what was known of it stands.
  if (isUnusable(delivery)) {
    const listed = _listed === undefined ? {} : { resources: _listed };
    return { ...kept, ...listed, ...told, sync: { ...previous.sync, status: delivery.sync } };
  }
  return {
    ...told,
    controllerNamespace: context.controlNamespace,
    ...historyOf(app, delivery.operation, context),
    reconciledAt: now,
    ...(resources.length === 0 ? {} : { resources }),
    sourceHydrator: hydrationOf(app, context),
    ...sourceTypeOf(app, delivery.renderKinds.map(toSourceType)),
    summary: toSummary(delivery.objects),
    sync: toSync(app, delivery),
  };
}

function isUnusable({ problems }: DeliveryStatus): boolean {
  return problems.some(
    (problem) => problem.stage === 'spec' && conditionType(problem) === 'InvalidSpecError',
  );
}

export function formatTime(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

const SOURCE_TYPES: Readonly<Record<string, string>> = {
  kustomize: 'Kustomize',
  helm: 'Helm',
  directory: 'Directory',
};

function toSourceType(kind: string): string {
  return SOURCE_TYPES[kind] ?? 'Directory';
}

function hydrationOf(
  { spec, status }: Application,
  { hydration }: RaisingContext,
): SourceHydratorStatus {
  return spec.sourceHydrator === undefined ? {} : (hydration ?? status?.sourceHydrator ?? {});
}

/** One type for each source, '' for those that others only refer to; none while rendering fails. */
function sourceTypeOf(
  app: Application,
  types: readonly string[],
): Pick<ApplicationStatus, 'sourceType' | 'sourceTypes'> {
  if (types.length === 0) return {};
  if (!hasSeveralSources(app)) return { sourceType: types[0] ?? 'Directory' };
  let next = 0;
  const sourceTypes = sourcesOf(app).map((source) =>
    isReference(source) ? '' : (types[next++] ?? ''),
  );
  return { sourceTypes };
}

function toSync(app: Application, { sync, revisions }: DeliveryStatus) {
  const { destination, ignoreDifferences } = app.spec;
  const sources = sourcesOf(app);
  const [first] = sources;
  const several = hasSeveralSources(app);
  return {
    comparedTo: {
      destination,
      ...(ignoreDifferences === undefined ? {} : { ignoreDifferences }),
      ...(several ? { sources } : first === undefined ? {} : { source: first }),
    },
    ...(several
      ? { revisions: revisions.map(({ id }) => id) }
      : revisions[0] === undefined
        ? {}
        : { revision: revisions[0].id }),
    status: sync,
  };
}

function toAppHealth(
  previous: HealthStatus | undefined,
  { health, objects, problems }: DeliveryStatus,
  now: string,
): HealthStatus {
  // A cluster that does not answer shows nothing: that is no health.
  const isBlind = objects.length === 0 && problems.some(({ stage }) => stage === 'compare');
  const { status, message }: Health = isBlind ? { status: 'Unknown' } : health;
  const time = previous?.status === status ? previous.lastTransitionTime : now;
  return {
    ...(time === undefined ? {} : { lastTransitionTime: time }),
    ...(message === undefined ? {} : { message }),
    status,
  };
}

function toResources(objects: readonly ObjectStatus[]): readonly ResourceStatus[] {
  return objects.map((object) => {
    const { key, version, sync, health, hook, requiresPruning, requiresConfirmation, wave } =
      object;
    return {
      ...(key.group === '' ? {} : { group: key.group }),
      ...(health === undefined || hook ? {} : { health: toHealth(health) }),
      ...(hook ? { hook } : {}),
      kind: key.kind,
      name: key.name,
      ...(key.namespace === '' ? {} : { namespace: key.namespace }),
      ...(requiresConfirmation ? { requiresDeletionConfirmation: true } : {}),
      ...(requiresPruning || hook ? { requiresPruning: true } : {}),
      ...(sync === undefined ? {} : { status: sync }),
      ...(wave === 0 ? {} : { syncWave: wave }),
      version,
    };
  });
}

function toHealth({ status, message }: Health): HealthStatus {
  return message === undefined ? { status } : { message, status };
}

function toSummary(objects: readonly ObjectStatus[]) {
  const live = objects.filter(({ health }) => health?.status !== 'Missing');
  const images = unique(live.flatMap((object) => object.images));
  const urls = unique(objects.flatMap((object) => object.externalUrls));
  const isAppOfApps = objects.some(
    ({ key }) => key.group === 'argoproj.io' && key.kind === 'Application',
  );
  return {
    ...(urls.length === 0 ? {} : { externalURLs: urls }),
    ...(images.length === 0 ? {} : { images }),
    ...(isAppOfApps ? { isAppOfApps } : {}),
  };
}

const CONDITION_OF_CODE: Readonly<Record<string, string>> = {
  REPEATED_RESOURCE: 'RepeatedResourceWarning',
  SHARED_RESOURCE: 'SharedResourceWarning',
  EXCLUDED_RESOURCE: 'ExcludedResourceWarning',
  ORPHANED_RESOURCES: 'OrphanedResourceWarning',
  DEPENDENCY_NOT_READY: 'DependencyWarning',
  DEPENDENCY_CYCLE: 'DependencyError',
};
const CONDITION_OF_STAGE: Readonly<Record<Problem['stage'], string>> = {
  spec: 'InvalidSpecError',
  source: 'ComparisonError',
  render: 'ComparisonError',
  compare: 'ComparisonError',
  sync: 'SyncError',
  health: 'ComparisonError',
};

/** One condition for each thing that is wrong; a time is that of its first appearance. */
function toConditions(
  app: Application,
  problems: readonly Problem[],
  now: string,
): readonly ApplicationCondition[] {
  const previous = app.status?.conditions ?? [];
  const conditions = problems.flatMap((problem) => {
    const type = conditionType(problem);
    if (type === undefined) return [];
    const { message, hint } = problem;
    const isKnown = problem.severity === 'warning' && CONDITION_OF_CODE[problem.code] !== undefined;
    const said = isKnown ? tellMessage({ message: namesOf(message, app), hint }) : undefined;
    return [{ type, message: said ?? tellProblem(problem) }];
  });
  const distinct = new Map(conditions.map((one) => [`${one.type} ${one.message}`, one]));
  return [...distinct.values()].map(({ type, message }) => {
    const known = previous.find((one) => one.type === type && one.message === message);
    return { lastTransitionTime: known?.lastTransitionTime ?? now, message, type };
  });
}

function conditionType({ code, stage, severity }: Problem): string | undefined {
  const known = CONDITION_OF_CODE[code];
  if (known !== undefined) return known;
  // Warnings without a type of their own are for the page and the log.
  return severity === 'error' ? CONDITION_OF_STAGE[stage] : undefined;
}

/** What, where, what to do. */
export function tellProblem({ stage, message, location, hint }: Problem): string {
  const place =
    location === undefined
      ? ''
      : `${[location.file, location.line].filter((part) => part !== undefined).join(':')}: `;
  const head =
    stage === 'source'
      ? 'Failed to load target state: '
      : stage === 'render'
        ? 'Failed to load target state: failed to generate manifests: '
        : stage === 'compare'
          ? 'Failed to compare desired state to live state: '
          : '';
  return `${head}${place}${tellMessage({ message, hint })}`;
}

function tellMessage({
  message,
  hint,
}: Pick<Problem, 'message'> & { readonly hint: string | undefined }): string {
  return hint === undefined ? message : `${message} (${hint})`;
}

/** Applications as the original names them: this one in full, others of the same namespace by their name. */
function namesOf(message: string, { metadata }: Application): string {
  return message.replace(/\bApplication\/([a-z0-9.-]+)\/([a-z0-9.-]+)/g, (_, namespace, name) =>
    namespace === metadata.namespace && name !== metadata.name ? name : `${namespace}/${name}`,
  );
}

function toOperationState(
  app: Application,
  operation: OperationState | undefined,
  context: RaisingContext,
): WireOperation | undefined {
  if (operation === undefined) return undefined;
  const last = app.status?.operationState;
  if (last !== undefined && isRecordOf(last, operation)) return last;
  const { startedAtMs, finishedAtMs, message, phase, retryCount, revisions } = operation;
  const wire = toWireOperation(app, operation, context);
  const { several, ...what } = syncedSources(app, wire);
  return {
    ...(finishedAtMs === undefined ? {} : { finishedAt: formatTime(finishedAtMs) }),
    message,
    operation: wire,
    phase,
    ...(retryCount === 0 ? {} : { retryCount }),
    startedAt: formatTime(startedAtMs),
    syncResult: {
      ...(operation.results.length === 0 ? {} : { resources: operation.results.map(toResult) }),
      revision: several ? '' : (revisions[0] ?? ''),
      ...(several ? { revisions } : {}),
      ...what,
      ...namespaceMetadataOf(app, operation),
    },
  };
}

/** What an operation syncs to: the sources that it names itself, as a rollback does, or those of the application. */
function syncedSources(app: Application, { sync = {} }: Operation) {
  const { source: named, sources: namedSources = [] } = sync;
  const isOwn = named === undefined && namedSources.length === 0;
  const sources = isOwn ? sourcesOf(app) : namedSources;
  const several = isOwn ? hasSeveralSources(app) : namedSources.length > 0;
  if (several) return { several, sources };
  const source = isOwn ? sources[0] : named;
  return source === undefined ? { several } : { several, source };
}

function namespaceMetadataOf({ spec }: Application, { results }: OperationState) {
  const { managedNamespaceMetadata } = spec.syncPolicy ?? {};
  const isManaged = results.some(({ key }) => key.group === '' && key.kind === 'Namespace');
  return isManaged && managedNamespaceMetadata !== undefined ? { managedNamespaceMetadata } : {};
}

/** What is over stays on record as it was written, whoever wrote it and whatever the spec says by now. */
function isRecordOf(
  last: WireOperation,
  { request, results, ...operation }: OperationState,
): boolean {
  if (operation.finishedAtMs === undefined) return false;
  const result = last.syncResult;
  const revisions = result?.revisions ?? (result?.revision ? [result.revision] : []);
  const isAutomated = last.operation.initiatedBy?.automated === true;
  return (
    last.finishedAt === formatTime(operation.finishedAtMs) &&
    last.startedAt === formatTime(operation.startedAtMs) &&
    last.phase === operation.phase &&
    (last.message ?? '') === operation.message &&
    (last.operation.sync?.autoHealAttemptsCount ?? 0) === request.healAttempt &&
    isAutomated === (request.initiatedBy.kind === 'automation') &&
    revisions.join() === operation.revisions.join() &&
    [results.length, results.map(toResult).filter(isTelling).length].includes(
      (result?.resources ?? []).length,
    )
  );
}

function toWireOperation(
  app: Application,
  operation: OperationState,
  context: RaisingContext,
): Operation {
  const { request, revisions } = operation;
  const asked = context.operation;
  // By its own field, also when automation wrote it there: the original's did.
  if (asked !== undefined && (byPerson(request) || request.id.startsWith(JSON.stringify(asked))))
    return renewed(asked, operation);
  // A person's operation that is over stays on record as it was written.
  const last = app.status?.operationState;
  if (byPerson(request) && last !== undefined) return last.operation;
  const { limit = 0, ...pace } = app.spec.syncPolicy?.retry ?? { limit: 5 };
  const several = hasSeveralSources(app);
  const sources = sourcesOf(app);
  const [source] = sources;
  const { selected } = request.policy;
  const syncOptions = app.spec.syncPolicy?.syncOptions ?? [];
  return {
    initiatedBy: { automated: true },
    retry: limit === 0 ? pace : { ...pace, limit },
    sync: {
      ...(request.healAttempt === 0 ? {} : { autoHealAttemptsCount: request.healAttempt }),
      ...(app.spec.syncPolicy?.automated?.prune === true ? { prune: true } : {}),
      ...(selected === undefined
        ? {}
        : {
            resources: selected.map(({ group, kind, name, namespace }) => ({
              ...(group === '' ? {} : { group }),
              kind,
              name,
              ...(namespace === '' ? {} : { namespace }),
            })),
          }),
      ...(several ? { revisions, sources } : { revision: revisions[0] ?? '' }),
      ...(several || source === undefined ? {} : { source }),
      ...(syncOptions.length === 0 ? {} : { syncOptions }),
    },
  };
}

function byPerson({ initiatedBy }: OperationState['request']): boolean {
  return initiatedBy.kind === 'person';
}

/** Tried again with the newest revisions, it names none any more. */
function renewed(asked: Operation, { retryCount }: OperationState): Operation {
  if (asked.retry?.refresh !== true || retryCount === 0 || asked.sync === undefined) return asked;
  const { revision: _one, revisions: _several, ...sync } = asked.sync;
  return { ...asked, sync };
}

function toResult(result: OperationState['results'][number]): ResourceResult {
  const { key, version, message, status, state, phase, hook, images } = result;
  return {
    group: key.group,
    ...(hook ? { hookType: phase } : {}),
    hookPhase: state,
    ...(images.length === 0 ? {} : { images }),
    kind: key.kind,
    message,
    name: key.name,
    namespace: key.namespace,
    status,
    syncPhase: phase,
    version,
  };
}

/** A finished sync of everything is a deployment, and goes on record once. */
function historyOf(
  app: Application,
  operation: OperationState | undefined,
  context: RaisingContext,
): { readonly history?: readonly RevisionHistory[] } {
  const previous = app.status?.history ?? [];
  const kept = previous.length === 0 ? {} : { history: previous };
  if (operation === undefined || operation.phase !== 'Succeeded') return kept;
  const { finishedAtMs = 0, startedAtMs, request, revisions } = operation;
  const { dryRun, selected } = request.policy;
  if (dryRun === true || selected !== undefined) return kept;
  const deployStartedAt = formatTime(startedAtMs);
  const last = previous.at(-1);
  const told = last?.revisions?.join() ?? last?.revision;
  if (last?.deployStartedAt === deployStartedAt && told === revisions.join()) return kept;
  const { several, ...what } = syncedSources(app, toWireOperation(app, operation, context));
  const entry: RevisionHistory = {
    deployStartedAt,
    deployedAt: formatTime(finishedAtMs),
    id: last === undefined ? 0 : last.id + 1,
    initiatedBy:
      request.initiatedBy.kind === 'automation'
        ? { automated: true }
        : { username: request.initiatedBy.name },
    ...(several ? { revisions } : { revision: revisions[0] ?? '' }),
    ...what,
  };
  const limit = app.spec.revisionHistoryLimit ?? 10;
  return { history: limit <= 0 ? [] : [...previous, entry].slice(-limit) };
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}
