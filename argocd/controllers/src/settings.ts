import { ANNOTATION } from '@capstan/argocd-api';
import { fitsNegatable, type KnownType } from '@capstan/engine-delivery';
import type { IgnoreRule } from '@capstan/engine-diff';
import type { HealthRules } from '@capstan/engine-health';
import type { Json, JsonObject } from '@capstan/kube-object';
import { type BackoffPolicy, CapstanError, messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { parseDurationMs } from './durations.ts';
import { toHealthRules } from './health-rules.ts';
import { readIdleRules } from './idle-updates.ts';
import { type KustomizeSettings, readKustomize } from './kustomize-settings.ts';
import type { GlobalProject } from './project-view.ts';
import { type Customization, readCustomizations } from './resource-customizations.ts';
import { APPLICATION_HEALTH } from './vocabulary.ts';

export type TrackingMethod = 'annotation' | 'label' | 'annotation+label';

/** What an administrator sets in argocd-cm and argocd-cmd-params-cm, under the names of the original. */
export interface Settings {
  readonly trackingMethod: TrackingMethod;
  readonly instanceLabelKey: string;
  readonly installationId: string;
  readonly inClusterEnabled: boolean;
  readonly globalProjects: readonly GlobalProject[];
  readonly exclusions: readonly ResourceFilter[];
  readonly inclusions: readonly ResourceFilter[];
  /** Objects that fit one of these are to have the labels that its selector asks for. */
  readonly selectors: readonly (ResourceFilter & { readonly selector: string })[];
  readonly customizations: readonly Customization[];
  /** The administrator's, then those that stand without a word; one list for all who judge, which remembers what it found. */
  readonly healthRules: HealthRules;
  readonly ignoreAggregatedRoles: boolean;
  /** Whose status is left out of comparisons (resource.compareoptions: ignoreResourceStatusField). */
  readonly ignoredStatus: 'all' | 'definitions' | 'none';
  /** Changes of live objects that ask for no look. */
  readonly idleUpdates: { readonly enabled: boolean; readonly rules: readonly IgnoreRule[] };
  /** What becomes of kinds that may not be listed (resource.respectRBAC). */
  readonly unlistable: 'refused' | 'tolerated' | 'strict';
  /** Labels of an application or its project that its events bear: globs of keys. */
  readonly eventLabels: {
    readonly include: readonly string[];
    readonly exclude: readonly string[];
  };
  /** Annotations whose values are secret (resource.sensitive.mask.annotations). */
  readonly sensitiveAnnotations: readonly string[];
  readonly impersonation: 'off' | 'wanted' | 'enforced';
  readonly enabledTools: {
    readonly kustomize: boolean;
    readonly helm: boolean;
    readonly jsonnet: boolean;
  };
  readonly kustomize: KustomizeSettings;
  readonly valuesFileSchemes: readonly string[];
  readonly hydrator: HydratorSettings;
  /** Folders that are other repositories are filled (reposerver.enable.git.submodule). */
  readonly submodules: boolean;
  /** 0: never asked on its own. */
  readonly pollIntervalMs: number;
  /** At most so much is added to it, another part for each application. */
  readonly pollJitterMs: number;
  /** Everything is made anew so often; 0: only when asked for. */
  readonly hardIntervalMs: number;
  readonly applicationNamespaces: readonly string[];
  readonly applicationSetNamespaces: readonly string[];
  readonly syncTimeoutMs: number;
  /** Between heals that follow each other closely (controller.self.heal.*). */
  readonly healBackoff: BackoffPolicy;
  readonly applicationSets: ApplicationSetSettings;
  /** What could not be read; the default stands there. */
  readonly problems: readonly string[];
}

export interface ResourceFilter {
  readonly apiGroups: readonly string[];
  readonly kinds: readonly string[];
  readonly clusters: readonly string[];
}

export interface HydratorSettings {
  readonly enabled: boolean;
  readonly commitMessageTemplate: string;
  readonly readmeTemplate: string;
  readonly authorName: string;
  readonly authorEmail: string;
}

export interface ApplicationSetSettings {
  readonly policy: string;
  readonly allowsPolicyOverride: boolean;
  readonly preservedAnnotations: readonly string[];
  readonly preservedLabels: readonly string[];
  readonly progressiveSyncs: boolean;
  readonly statusResourcesMax: number;
  readonly spansFolders: boolean;
  readonly hiddenFolders: boolean;
  readonly submodules: boolean;
  readonly requeueMs: number;
  readonly dryRun: boolean;
  readonly scm: {
    readonly enabled: boolean;
    readonly allowedProviders: readonly string[];
    readonly strictTokens: boolean;
    readonly rootCaPath: string;
  };
}

type Data = { readonly [key: string]: string };

/** The settings as their objects stand; what is malformed is told and its default taken. Pure. */
export function readSettings(cm: Data, parameters: Data = {}): Settings {
  const problems: string[] = [];
  const yaml = <T>(key: string, read: (value: Json) => T, fallback: T): T => {
    const text = cm[key];
    if (text === undefined || text.trim() === '') return fallback;
    try {
      return read(parseYaml(text) as Json);
    } catch (error) {
      problems.push(`argocd-cm, ${key}: ${messageOf(error)}`);
      return fallback;
    }
  };
  const compare = yaml('resource.compareoptions', asRecord, {});
  const customizations = readCustomizations(cm, problems);
  const flag = (key: string, fallback: boolean) => readFlag(cm[key], fallback);
  const isImpersonating = flag('application.sync.impersonation.enabled', false);
  const isEnforced = flag('application.sync.impersonation.enforced', true);
  const ignoredStatus = readIgnoredStatus(compare['ignoreResourceStatusField']);
  const withDifferences = compare['ignoreDifferencesOnResourceUpdates'] !== false;
  return {
    trackingMethod: readTracking(cm['application.resourceTrackingMethod']),
    instanceLabelKey: cm['application.instanceLabelKey'] || 'app.kubernetes.io/instance',
    installationId: cm['installationID'] ?? '',
    inClusterEnabled: flag('cluster.inClusterEnabled', true),
    globalProjects: yaml('globalProjects', readGlobalProjects, []),
    exclusions: [...DEFAULT_EXCLUSIONS, ...yaml('resource.exclusions', readFilters, [])],
    inclusions: yaml('resource.inclusions', readFilters, []),
    selectors: yaml('resource.selectors', readSelectors, []),
    customizations,
    healthRules: {
      base: 'workload',
      custom: [...toHealthRules(customizations), APPLICATION_HEALTH],
      ignoreRestartPolicyAnnotation: ANNOTATION.ignoreRestartPolicy,
    },
    ignoreAggregatedRoles: compare['ignoreAggregatedRoles'] === true,
    ignoredStatus,
    idleUpdates: {
      enabled: flag('resource.ignoreResourceUpdatesEnabled', true),
      rules: readIdleRules(customizations, { withDifferences, ignoredStatus }),
    },
    unlistable: readUnlistable(cm['resource.respectRBAC'], problems),
    eventLabels: {
      include: list(cm['resource.includeEventLabelKeys']),
      exclude: list(cm['resource.excludeEventLabelKeys']),
    },
    sensitiveAnnotations: list(cm['resource.sensitive.mask.annotations']),
    impersonation: isImpersonating ? (isEnforced ? 'enforced' : 'wanted') : 'off',
    enabledTools: {
      kustomize: flag('kustomize.enable', true),
      helm: flag('helm.enable', true),
      jsonnet: flag('jsonnet.enable', true),
    },
    kustomize: readKustomize(cm, problems),
    valuesFileSchemes: list(cm['helm.valuesFileSchemes'] ?? 'https,http'),
    hydrator: readHydrator(cm, parameters),
    submodules: readFlag(parameters['reposerver.enable.git.submodule'], true),
    pollIntervalMs: readInterval(cm, 'timeout.reconciliation', { fallback: 120_000, problems }),
    pollJitterMs: readInterval(cm, 'timeout.reconciliation.jitter', { fallback: 60_000, problems }),
    hardIntervalMs: readInterval(cm, 'timeout.hard.reconciliation', { fallback: 0, problems }),
    applicationNamespaces: list(parameters['application.namespaces']),
    applicationSetNamespaces: list(parameters['applicationsetcontroller.namespaces']),
    syncTimeoutMs: Number(parameters['controller.sync.timeout.seconds'] ?? 0) * 1000 || 0,
    healBackoff: readHealBackoff(parameters),
    applicationSets: readApplicationSets(parameters),
    problems,
  };
}

function readUnlistable(text = '', problems: string[]): Settings['unlistable'] {
  if (text === 'normal') return 'tolerated';
  if (text === 'strict') return text;
  if (text !== '') problems.push(`argocd-cm, resource.respectRBAC: ${text} is not known`);
  return 'refused';
}

/** What is on unless it is turned off says no with `false` alone, and the other way round; an empty text says nothing. */
function readFlag(text: string | undefined, fallback: boolean): boolean {
  if (text === undefined || text === '') return fallback;
  return fallback ? text !== 'false' : text === 'true';
}

/** YAML may have read `off` as false. */
function readIgnoredStatus(value: Json | undefined): Settings['ignoredStatus'] {
  if (value === 'crd') return 'definitions';
  return value === 'none' || value === 'off' || value === false || value === 'false'
    ? 'none'
    : 'all';
}

/** Without a backoff of their own heals wait for one fixed time. */
function readHealBackoff(parameters: Data): BackoffPolicy {
  const of = (key: string, fallback: number) => {
    const value = Number(parameters[`controller.self.heal.${key}`] || fallback);
    return Number.isFinite(value) && value >= 0 ? value : fallback;
  };
  const fixedMs = of('timeout.seconds', 0) * 1000;
  const baseMs = of('backoff.timeout.seconds', 2) * 1000;
  if (baseMs === 0) return { baseMs: fixedMs, factor: 1, maxMs: fixedMs, jitter: 0 };
  const maxMs = of('backoff.cap.seconds', 300) * 1000;
  return { baseMs, factor: of('backoff.factor', 3), maxMs, jitter: 0 };
}

/** Never watched by the original either. */
const DEFAULT_EXCLUSIONS: readonly ResourceFilter[] = [
  { apiGroups: ['events.k8s.io', 'metrics.k8s.io'], kinds: ['*'], clusters: [] },
  { apiGroups: [''], kinds: ['Event'], clusters: [] },
  { apiGroups: ['coordination.k8s.io'], kinds: ['Lease'], clusters: [] },
];

function readTracking(text: string | undefined): TrackingMethod {
  return text === 'label' || text === 'annotation+label' ? text : 'annotation';
}

function readInterval(
  cm: Data,
  key: string,
  { fallback, problems }: { readonly fallback: number; readonly problems: string[] },
): number {
  const text = cm[key];
  if (text === undefined || text === '') return fallback;
  try {
    return parseDurationMs(text, key);
  } catch (error) {
    problems.push(`argocd-cm, ${messageOf(error)}`);
    return fallback;
  }
}

function readHydrator(cm: Data, parameters: Data): HydratorSettings {
  return {
    enabled: parameters['hydrator.enabled'] !== 'false',
    commitMessageTemplate: cm['sourceHydrator.commitMessageTemplate'] ?? '',
    readmeTemplate: cm['sourceHydrator.readmeMessageTemplate'] ?? '',
    authorName: cm['commit.author.name'] || 'Argo CD',
    authorEmail: cm['commit.author.email'] || 'argo-cd@example.com',
  };
}

const SETS = 'applicationsetcontroller';

function readApplicationSets(parameters: Data): ApplicationSetSettings {
  const of = (key: string) => parameters[`${SETS}.${key}`];
  const policy = of('policy') ?? '';
  return {
    policy,
    // A policy of the administrator stands, unless sets may override it.
    allowsPolicyOverride: of('enable.policy.override') === 'true' || policy === '',
    preservedAnnotations: list(of('global.preserved.annotations')),
    preservedLabels: list(of('global.preserved.labels')),
    progressiveSyncs: of('enable.progressive.syncs') === 'true',
    statusResourcesMax: Number(of('status.max.resources.count') ?? 5000) || 5000,
    dryRun: of('dryrun') === 'true',
    spansFolders: of('enable.new.git.file.globbing') === 'true',
    hiddenFolders: parameters['reposerver.include.hidden.directories'] === 'true',
    submodules: readFlag(of('enable.git.submodule'), true),
    requeueMs: readRequeue(of('requeue.after')),
    scm: {
      enabled: of('enable.scm.providers') !== 'false',
      allowedProviders: list(of('allowed.scm.providers')),
      strictTokens: of('enable.tokenref.strict.mode') === 'true',
      rootCaPath: of('scm.root.ca.path') ?? '',
    },
  };
}

const REQUEUE_MS = 180_000;

function readRequeue(text: string | undefined): number {
  try {
    return text ? parseDurationMs(text, `${SETS}.requeue.after`) || REQUEUE_MS : REQUEUE_MS;
  } catch {
    return REQUEUE_MS;
  }
}

export function list(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function readGlobalProjects(value: Json): readonly GlobalProject[] {
  return asList(value).map((item) => {
    const { projectName, labelSelector } = asRecord(item);
    if (typeof projectName !== 'string') throw malformed('an entry has no projectName');
    return { projectName, labelSelector: asRecord(labelSelector ?? null) };
  });
}

function readFilters(value: Json): readonly ResourceFilter[] {
  return asList(value).map((item) => {
    const { apiGroups, kinds, clusters } = asRecord(item);
    const texts = (given: Json | undefined) => asList(given ?? null).map(String);
    return { apiGroups: texts(apiGroups), kinds: texts(kinds), clusters: texts(clusters) };
  });
}

function readSelectors(value: Json): Settings['selectors'] {
  const filters = readFilters(value);
  return asList(value).flatMap((item, index) => {
    const { selector } = asRecord(item);
    const filter = filters[index];
    const text = typeof selector === 'string' ? selector.trim() : '';
    return text === '' || filter === undefined ? [] : [{ ...filter, selector: text }];
  });
}

export function asList(value: Json): readonly Json[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw malformed('it is not a list');
  return value;
}

export function asRecord(value: Json): JsonObject {
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw malformed('it is not a map');
  return value as JsonObject;
}

function malformed(message: string): CapstanError {
  return new CapstanError('SETTING_INVALID', message);
}

/** Differences that the administrator ignores everywhere. The engine never compares status. */
export function systemIgnoreRules({ customizations }: Settings): readonly IgnoreRule[] {
  return customizations.flatMap(({ group, kind, ignoreDifferences }) =>
    ignoreDifferences === undefined
      ? []
      : [{ target: { group, kind, syntax: 'glob' as const }, ...ignoreDifferences }],
  );
}

const TYPE_PREFIXES: readonly (readonly [from: string, to: string])[] = [
  ['core/v1/', 'io.k8s.api.core.v1.'],
  ['core/Quantity', 'io.k8s.apimachinery.pkg.api.resource.Quantity'],
  ['meta/v1/', 'io.k8s.apimachinery.pkg.apis.meta.v1.'],
];
/** What the original knows without being told. */
const ROLLOUT = { group: 'argoproj.io', kind: 'Rollout' };
const ROLLOUT_TYPE = {
  ...ROLLOUT,
  field: 'spec.template.spec',
  definition: 'io.k8s.api.core.v1.PodSpec',
};

/** Fields of custom resources that hold types of built-in kinds (documentation: "Known Kubernetes types in CRDs"). */
export function knownTypesOf({ customizations }: Settings): readonly KnownType[] {
  const told = customizations.flatMap(({ group, kind, knownTypeFields = [] }) =>
    knownTypeFields.flatMap(({ field, type }): readonly KnownType[] => {
      const [from, to] = TYPE_PREFIXES.find(([prefix]) => type.startsWith(prefix)) ?? [];
      if (from === undefined || to === undefined) return [];
      return [{ group, kind, field, definition: `${to}${type.slice(from.length)}` }];
    }),
  );
  const hasRollout = told.some(
    ({ group, kind }) => group === ROLLOUT.group && kind === ROLLOUT.kind,
  );
  return hasRollout ? told : [...told, ROLLOUT_TYPE];
}

/**
 * Whether the administrator keeps a kind out of all that is watched and applied: what is excluded is, and of a cluster that
 * inclusions speak of all that they do not name.
 */
export function isExcluded(
  { exclusions, inclusions }: Settings,
  {
    group,
    kind,
    server,
  }: { readonly group: string; readonly kind: string; readonly server: string },
): boolean {
  const fits = (one: ResourceFilter) => fitsFilter(one, { group, kind, server });
  if (exclusions.some(fits)) return true;
  return !inclusions.some(fits) && inclusions.some((one) => fitsCluster(one, server));
}

/** The selectors, as one, that objects of a kind are to fit in the eyes of the administrator; '' for none. */
export function selectorFor(
  { selectors }: Settings,
  kind: { readonly group: string; readonly kind: string; readonly server: string },
): string {
  return selectors
    .filter((one) => fitsFilter(one, kind))
    .map(({ selector }) => selector)
    .join(',');
}

function fitsFilter(
  filter: ResourceFilter,
  {
    group,
    kind,
    server,
  }: { readonly group: string; readonly kind: string; readonly server: string },
): boolean {
  const { apiGroups, kinds } = filter;
  return (
    (apiGroups.length === 0 || apiGroups.some((glob) => fitsPlain(glob, group))) &&
    (kinds.length === 0 || kinds.some((name) => name === '*' || name === kind)) &&
    fitsCluster(filter, server)
  );
}

function fitsCluster({ clusters }: ResourceFilter, server: string): boolean {
  return clusters.length === 0 || clusters.some((glob) => fitsPlain(glob, server));
}

/** A glob in which `!` means nothing. */
function fitsPlain(glob: string, text: string): boolean {
  return !glob.startsWith('!') && fitsNegatable(glob, text);
}
