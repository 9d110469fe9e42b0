import {
  ANNOTATION,
  type Application,
  type ApplicationDestination,
  type ApplicationSource,
  type AppProject,
  type ResourceIgnoreDifferences,
  type RetryStrategy,
  type SourceHydrator,
} from '@capstan/argocd-api';
import {
  type Automation,
  type ComparePolicy,
  type Delivery,
  type DeliverySyncPolicy,
  isNamespaceAllowed,
  type RetryPolicy,
  readDependsOn,
  readPreemption,
  type SyncHold,
  type TrackingMark,
} from '@capstan/engine-delivery';
import { type IgnoreRule, matchesSelector } from '@capstan/engine-diff';
import type { Health } from '@capstan/engine-health';
import { SYNC_DEFAULTS } from '@capstan/engine-sync';
import { type KubeObject, keyOf } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { ListedCluster } from './clusters.ts';
import { parseDurationMs } from './durations.ts';
import {
  isClusterPermitted,
  isNamespacePermitted,
  isSourcePermitted,
  toGuard,
} from './project-guard.ts';
import { findServiceAccount } from './project-view.ts';
import {
  chartPolicy,
  NO_TRUST,
  type RepositoryCredential,
  repositoryAccess,
  type Trust,
} from './repositories.ts';
import {
  isExcluded,
  knownTypesOf,
  type Settings,
  selectorFor,
  systemIgnoreRules,
} from './settings.ts';
import { toVerification } from './source-integrity.ts';
import { managedNamespace, readSyncOptions } from './sync-options.ts';
import { judgeWindows, windowsFor } from './sync-windows.ts';
import {
  type ApplicationDeliverySource,
  type RenderContext,
  toDeliverySource,
} from './to-sources.ts';
import { validateSources } from './validate-sources.ts';
import { ARGO_VOCABULARY } from './vocabulary.ts';

/** What an Application means depends on these, too. */
export interface LoweringContext {
  /** Where the control plane's own resources live (`argocd`). */
  readonly controlNamespace: string;
  /** undefined: there is no project of that name. */
  readonly project: AppProject | undefined;
  readonly credentials: readonly RepositoryCredential[];
  readonly clusters: readonly ListedCluster[];
  readonly settings: Settings;
  readonly nowMs: number;
  readonly trust?: Trust;
  /** Armored PGP keys by their id (argocd-gpg-keys-cm). */
  readonly keys?: { readonly [id: string]: string };
}

type SourcesContext = Pick<
  LoweringContext,
  'project' | 'credentials' | 'settings' | 'controlNamespace' | 'trust' | 'keys'
>;

export const FIELD_MANAGER = 'argocd-controller';
const KUBECTL_MANAGER = 'kubectl-client-side-apply';

/**
 * An Application as the engine's neutral noun. Pure. Throws a CapstanError (SPEC_INVALID, PROJECT_DENIED, …) for what can
 * neither be rendered nor applied; the project is held against sources and destination here, before anything is fetched.
 */
export function toDelivery(app: Application, context: LoweringContext): Delivery {
  const { project } = context;
  const { metadata, spec } = app;
  const { name = '', namespace = '' } = metadata;
  if (project === undefined) throw missingProject(spec.project);
  if (!isNamespacePermitted(project, namespace, context.controlNamespace)) {
    throw denied(
      `application '${name}' in namespace '${namespace}' is not allowed to use project ${spec.project}`,
    );
  }
  validateSources(app);
  checkDrySource(app, project);
  const cluster = findCluster(spec.destination, context.clusters);
  const guard = toGuard(spec.project, project.spec, cluster);
  const place = { cluster: cluster.server, namespace: spec.destination.namespace ?? '' };
  const isPermitted =
    isNamespaceAllowed(guard, place.namespace) &&
    isClusterPermitted(project, cluster, context.clusters);
  if (!isPermitted) {
    throw denied(
      `application destination server '${spec.destination.name ? cluster.name : cluster.server}' and namespace '${place.namespace}' do not match any of the allowed destinations in project '${spec.project}'`,
    );
  }
  const options = readSyncOptions(spec.syncPolicy?.syncOptions ?? []);
  const { settings } = context;
  const hold = toHold(app, project, context);
  const refusal = refusalOf(app, context, cluster);
  return {
    id: { kind: 'Application', namespace, name },
    dependsOn: readDependsOn(app),
    sources: toDeliverySources(sourcesOf(app), app, context),
    destination: place,
    tracking: toTracking(app, context),
    fieldManager: FIELD_MANAGER,
    compare: {
      ignore: [...(spec.ignoreDifferences ?? []).map(toIgnoreRule), ...systemIgnoreRules(settings)],
      ignoreAnnotation: ANNOTATION.ignoreDifferences,
      respectIgnored: options.respectIgnored && 'live',
      ignoreAggregatedRoles: settings.ignoreAggregatedRoles,
      sensitiveAnnotations: settings.sensitiveAnnotations,
      knownTypes: knownTypesOf(settings),
      ...comparedStatus(settings),
      ...(settings.unlistable === 'refused' ? {} : { unlistable: settings.unlistable }),
      ignoresExtra: (object) => compareOption(object, 'IgnoreExtraneous'),
      keeps: (object) => isManagedNamespace(object, app),
    },
    sync: toSyncPolicy(app, options),
    automation: toAutomation(app, settings),
    health: {
      rules: settings.healthRules,
      ignoreAnnotation: ANNOTATION.ignoreHealthcheck,
      overlooks: (live, health) => overlooks(app, live, health),
      rollUp: true,
    },
    guard,
    suspended:
      metadata.annotations?.[ANNOTATION.skipReconcile] === 'true' || cluster.isPaused === true,
    ...(hold === undefined ? {} : { hold }),
    ...(refusal === undefined ? {} : { refusal }),
    isExcluded: ({ group, kind }) => isExcluded(settings, { group, kind, server: cluster.server }),
    remark: (object) => unselected(object, settings, cluster.server),
    preempt: readPreemption(app),
  };
}

/**
 * An application that is among its own objects would stay as it once was; and one of which nothing is known says nothing of
 * who made it.
 */
function overlooks({ metadata }: Application, live: KubeObject, { status }: Health): boolean {
  const { group, kind } = keyOf(live);
  if (group !== 'argoproj.io' || kind !== 'Application') return false;
  return status === 'Unknown' || live.metadata.uid === metadata.uid;
}

/** In the words of Argo CD, but for their end: it does not watch such objects, while here they are compared as any. */
function unselected(object: KubeObject, settings: Settings, server: string): string | undefined {
  if (settings.selectors.length === 0) return undefined;
  const { group, kind, name } = keyOf(object);
  const selector = selectorFor(settings, { group, kind, server });
  if (selector === '' || matchesSelector(selector, object.metadata.labels ?? {})) return undefined;
  return `Resource ${group}/${kind} ${name} does not match the resource selector ${JSON.stringify(selector)} in the settings`;
}

const DEFINITIONS = 'apiextensions.k8s.io';

/** Of definitions the status is left out even where others' is compared. */
function comparedStatus({ ignoredStatus }: Settings): Pick<ComparePolicy, 'comparesStatus'> {
  if (ignoredStatus === 'all') return {};
  if (ignoredStatus === 'none') return { comparesStatus: () => true };
  return {
    comparesStatus: ({ group, kind }) =>
      group !== DEFINITIONS || kind !== 'CustomResourceDefinition',
  };
}

export function sourcesOf({ spec }: Application): readonly ApplicationSource[] {
  const { sourceHydrator } = spec;
  if (sourceHydrator !== undefined) return [syncSourceOf(sourceHydrator)];
  if (spec.sources !== undefined && spec.sources.length > 0) return spec.sources;
  return spec.source === undefined ? [] : [spec.source];
}

/** What is synced of a hydrated application: the rendered branch. */
export function syncSourceOf({ drySource, syncSource }: SourceHydrator): ApplicationSource {
  return {
    repoURL: syncSource.repoURL || drySource.repoURL,
    path: syncSource.path,
    targetRevision: syncSource.targetBranch,
  };
}

export function hasSeveralSources({ spec }: Application): boolean {
  return spec.sourceHydrator === undefined && (spec.sources ?? []).length > 0;
}

export function toDeliverySources(
  sources: readonly ApplicationSource[],
  app: Application,
  context: SourcesContext,
): readonly ApplicationDeliverySource[] {
  const { project, credentials } = context;
  return sources.map((source, index) => {
    const field = hasSeveralSources(app) ? `spec.sources[${index}]` : 'spec.source';
    if (project !== undefined && !isSourcePermitted(project.spec, source.repoURL)) {
      const what = app.spec.sourceHydrator === undefined ? 'application' : 'sync source';
      throw deniedRepository(what, source.repoURL, app.spec.project);
    }
    const place = { url: source.repoURL, project: app.spec.project };
    const verify = project && toVerification(project.spec, source.repoURL, context.keys ?? {});
    const { depth, ...access } = repositoryAccess(place, {
      credentials,
      trust: context.trust ?? NO_TRUST,
    });
    // Who asks for a signed history needs all of it.
    const isWhole = depth === undefined || verify?.mode === 'history';
    const made = toDeliverySource(source, {
      ...renderContext(app, context, field),
      ...access,
      submodules: context.settings.submodules,
      ...(isWhole ? {} : { depth }),
    });
    return verify === undefined ? made : { ...made, verify };
  });
}

/** The repository that a hydrated application comes from has to be permitted, too. */
function checkDrySource({ spec }: Application, project: AppProject): void {
  const { drySource } = spec.sourceHydrator ?? {};
  if (drySource === undefined || isSourcePermitted(project.spec, drySource.repoURL)) return;
  throw deniedRepository('application', drySource.repoURL, spec.project);
}

function deniedRepository(what: string, url: string, project: string): CapstanError {
  return denied(`${what} repo ${url} is not permitted in project '${project}'`);
}

/** What the rendering of a source depends on beside the source. */
export function renderContext(
  app: Application,
  {
    settings,
    controlNamespace,
    credentials,
  }: Pick<LoweringContext, 'settings' | 'controlNamespace' | 'credentials'>,
  field: string,
): RenderContext {
  const namespace = app.spec.destination.namespace ?? '';
  const instance = instanceName(app, controlNamespace);
  return {
    field,
    release: { name: app.metadata.name ?? '', namespace },
    app: { instance, namespace, project: app.spec.project },
    tools: settings.enabledTools,
    kustomize: settings.kustomize,
    valueSchemes: settings.valuesFileSchemes,
    charts: chartPolicy(credentials, app.spec.project),
  };
}

/** `<namespace>_<name>` for an application outside the control plane's namespace. */
export function instanceName(app: Application, controlNamespace: string): string {
  const { name = '', namespace = '' } = app.metadata;
  return namespace === controlNamespace || namespace === '' ? name : `${namespace}_${name}`;
}

export function ownerName(namespace: string, name: string): string {
  return `Application/${namespace}/${name}`;
}

const LABEL_MAX = 63;

/** How objects say whose they are: by annotation, by label, or both (documentation: "Resource Tracking"). */
function toTracking(
  app: Application,
  { controlNamespace, settings }: Pick<LoweringContext, 'controlNamespace' | 'settings'>,
): TrackingMark {
  const { name = '', namespace = '' } = app.metadata;
  const place = app.spec.destination.namespace ?? '';
  const instance = instanceName(app, controlNamespace);
  const { trackingMethod, instanceLabelKey, installationId } = settings;
  const annotations = {
    [ANNOTATION.trackingId]: `${instance}:{group}/{kind}:{namespace:${place}}/{name}`,
    ...(installationId === '' ? {} : { [ANNOTATION.installationId]: installationId }),
  };
  const label =
    trackingMethod === 'annotation+label'
      ? instance.slice(0, LABEL_MAX).replace(/[^a-zA-Z0-9]+$/, '')
      : instance;
  return {
    annotations: trackingMethod === 'label' ? {} : annotations,
    labels: trackingMethod === 'annotation' ? {} : { [instanceLabelKey]: label },
    owner: ownerName(namespace, name),
    find: 'mark',
  };
}

/** What the project's sync windows say of this application now. */
function toHold(
  { metadata, spec, status }: Application,
  { spec: { syncWindows = [] } }: AppProject,
  { nowMs }: Pick<LoweringContext, 'nowMs'>,
): SyncHold | undefined {
  const { name = '' } = metadata;
  const windows = windowsFor(syncWindows ?? [], { name, destination: spec.destination });
  if (windows.length === 0) return undefined;
  const running = status?.operationState;
  const startedAtMs = running?.phase === 'Running' ? Date.parse(running.startedAt) : Number.NaN;
  const byPerson = running?.operation.initiatedBy?.automated !== true;
  const message = 'Sync operation blocked by sync window';
  try {
    const automation = judgeWindows(windows, { manual: false, nowMs });
    const requests = judgeWindows(windows, { manual: true, nowMs });
    const ongoing = judgeWindows(windows, {
      manual: byPerson,
      nowMs,
      ...(Number.isNaN(startedAtMs) ? {} : { startedAtMs }),
    });
    const { changesAtMs } = automation;
    return {
      automation: !automation.allowed,
      requests: !requests.allowed,
      running: !ongoing.allowed,
      message,
      ...(changesAtMs === undefined ? {} : { untilMs: changesAtMs }),
    };
  } catch (error) {
    // A window that cannot be read forbids: it may have been meant to.
    const told = `${message}: invalid sync windows: ${messageOf(error)}`;
    return { automation: true, requests: true, running: true, message: told };
  }
}

export type ServiceAccount = { readonly namespace: string; readonly name: string };

/** The account that acts at the destination; undefined: the control plane itself. Throws IMPERSONATION_INVALID. */
export function accountFor(app: Application, context: LoweringContext): ServiceAccount | undefined {
  const { project, settings, clusters } = context;
  if (settings.impersonation === 'off' || project === undefined) return undefined;
  return findServiceAccount(project, app, findCluster(app.spec.destination, clusters));
}

/** Where accounts are enforced, nothing is applied without one; nowhere by one that cannot be told. */
function refusalOf(
  app: Application,
  context: LoweringContext,
  { server }: ListedCluster,
): string | undefined {
  try {
    const account = accountFor(app, context);
    if (account !== undefined || context.settings.impersonation !== 'enforced') return undefined;
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    return `failed to derive service account to impersonate: ${error.message}`;
  }
  const namespace = app.spec.destination.namespace ?? '';
  return `no matching service account found for destination server ${server} and namespace ${namespace}`;
}

function findCluster(
  { server = '', name = '' }: ApplicationDestination,
  clusters: LoweringContext['clusters'],
): ListedCluster {
  if (server !== '' && name !== '') {
    throw invalid(
      `application destination can't have both name and server defined: ${name} ${server}`,
      'keep one of spec.destination.name and spec.destination.server',
    );
  }
  if (server === '' && name === '') {
    throw invalid(
      'Destination server missing from app spec',
      'set spec.destination.server, e.g. https://kubernetes.default.svc',
    );
  }
  const all = clusters.filter((one) =>
    name === '' ? trim(one.server) === trim(server) : one.name === name,
  );
  const [found, ...more] = all;
  if (more.length > 0) {
    const servers = all.map((one) => one.server).join(' ');
    throw invalid(
      `there are ${all.length} clusters with the same name: [${servers}]`,
      'name the cluster by spec.destination.server, or rename one of them',
    );
  }
  if (found !== undefined) return found;
  const known = clusters.map((one) => one.name).join(', ');
  const what =
    name === ''
      ? `error getting cluster by server ${JSON.stringify(server)}: cluster ${JSON.stringify(server)} not found`
      : `there are no clusters with this name: ${name}`;
  throw invalid(what, `known clusters: ${known}; add a Secret of type cluster for another one`);
}

function trim(server: string): string {
  return server.replace(/\/+$/, '');
}

function toIgnoreRule(rule: ResourceIgnoreDifferences): IgnoreRule {
  return {
    target: {
      // In Argo CD an empty group is the core group; a missing one is the same.
      group: rule.group ?? '',
      kind: rule.kind,
      // Names are taken as they are; only groups and kinds may be globs.
      ...(rule.name ? { name: literal(rule.name) } : {}),
      ...(rule.namespace ? { namespace: literal(rule.namespace) } : {}),
      syntax: 'glob',
    },
    jsonPointers: rule.jsonPointers ?? [],
    pathExpressions: rule.jqPathExpressions ?? [],
    managers: rule.managedFieldsManagers ?? [],
  };
}

function literal(text: string): string {
  return text.replace(/[*?[\]{}\\]/g, '\\$&');
}

function toSyncPolicy(
  app: Application,
  options: ReturnType<typeof readSyncOptions>,
): DeliverySyncPolicy {
  const { spec, metadata } = app;
  const namespace = spec.destination.namespace ?? '';
  const extra = metadata.annotations?.[ANNOTATION.migrationManager];
  return {
    ...SYNC_DEFAULTS,
    vocabulary: ARGO_VOCABULARY,
    prune: spec.syncPolicy?.automated?.prune ?? false,
    pruneConfirmed: isConfirmed(app, startOfRunning(app)),
    // What Argo CD itself wrote from the client's side is always ours.
    takeOverFrom: [FIELD_MANAGER, ...(options.migrates ? [extra ?? KUBECTL_MANAGER] : [])].map(
      (manager) => ({ manager }),
    ),
    ...options.policy,
    failOnShared: options.failOnShared,
    rehearsal: 'inDoubt',
    ...(options.createNamespace && namespace !== ''
      ? { createNamespace: managedNamespace(namespace, spec.syncPolicy?.managedNamespaceMetadata) }
      : {}),
  };
}

/** A person confirmed deletions by an annotation that holds the time; an older one was about something else. */
export function isConfirmed({ metadata }: Application, sinceMs: number): boolean {
  const at = Date.parse(metadata.annotations?.[ANNOTATION.deletionApproved] ?? '');
  return at >= sinceMs;
}

/** NaN: none runs. */
function startOfRunning({ status }: Application): number {
  const running = status?.operationState;
  return running?.phase === 'Running' ? Date.parse(running.startedAt) : Number.NaN;
}

function toAutomation(
  { spec, metadata }: Application,
  { healBackoff }: Pick<Settings, 'healBackoff'>,
): Automation {
  const automated = spec.syncPolicy?.automated;
  if (
    automated === undefined ||
    automated.enabled === false ||
    metadata.deletionTimestamp !== undefined
  ) {
    return { kind: 'manual' };
  }
  return {
    kind: 'automatic',
    selfHeal: automated.selfHeal ?? false,
    allowEmpty: automated.allowEmpty ?? false,
    retry: toRetry(spec.syncPolicy?.retry ?? { limit: 5 }, 'spec.syncPolicy.retry'),
    healBackoff,
  };
}

/** Argo CD's defaults: 5 s, doubled, to 3 minutes. Without a strategy nothing is tried again. */
export function toRetry(retry: RetryStrategy | undefined, field: string): RetryPolicy {
  const { duration = '5s', factor = 2, maxDuration = '3m' } = retry?.backoff ?? {};
  return {
    limit: retry?.limit ?? 0,
    backoff: {
      baseMs: parseDurationMs(duration, `${field}.backoff.duration`),
      factor,
      maxMs: parseDurationMs(maxDuration, `${field}.backoff.maxDuration`),
      jitter: 0,
    },
    ...(retry?.refresh === true ? { refresh: true } : {}),
  };
}

/** Whose labels and annotations the application holds: with them it would lose all that is in it. */
function isManagedNamespace({ kind, metadata }: KubeObject, { spec }: Application): boolean {
  return (
    kind === 'Namespace' &&
    metadata.name === spec.destination.namespace &&
    spec.syncPolicy?.managedNamespaceMetadata !== undefined
  );
}

function compareOption({ metadata }: Pick<KubeObject, 'metadata'>, name: string): boolean {
  const text = metadata.annotations?.[ANNOTATION.compareOptions] ?? '';
  return text.split(',').some((part) => part.trim() === name || part.trim() === `${name}=true`);
}

function missingProject(name: string): CapstanError {
  return new CapstanError(
    'PROJECT_MISSING',
    `Application referencing project ${name} which does not exist`,
    {
      kind: 'wait',
      hint: `create the AppProject ${name}, or name another one in spec.project`,
    },
  );
}

function denied(message: string): CapstanError {
  return new CapstanError('PROJECT_DENIED', message, {
    hint: 'change the AppProject, or let the application name what it permits',
  });
}

function invalid(message: string, hint: string): CapstanError {
  return new CapstanError('SPEC_INVALID', message, { hint });
}
