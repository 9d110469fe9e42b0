import { ANNOTATION } from '@capstan/argocd-api';
import { fitsNegatable } from '@capstan/engine-delivery';
import type { IgnoreRule } from '@capstan/engine-diff';
import type { HealthRules } from '@capstan/engine-health';
import type { Json, JsonObject } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { parseDurationMs } from './durations.ts';
import { toHealthRules } from './health-rules.ts';
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
  readonly customizations: readonly Customization[];
  /** The administrator's, then those that stand without a word; one list for all who judge, which remembers what it found. */
  readonly healthRules: HealthRules;
  readonly ignoreAggregatedRoles: boolean;
  readonly impersonation: 'off' | 'wanted' | 'enforced';
  readonly enabledTools: {
    readonly kustomize: boolean;
    readonly helm: boolean;
    readonly jsonnet: boolean;
  };
  readonly kustomize: KustomizeSettings;
  readonly valuesFileSchemes: readonly string[];
  readonly hydrator: HydratorSettings;
  /** 0: never asked on its own. */
  readonly pollIntervalMs: number;
  /** At most so much is added to it, another part for each application. */
  readonly pollJitterMs: number;
  /** Everything is made anew so often; 0: only when asked for. */
  readonly hardIntervalMs: number;
  readonly applicationNamespaces: readonly string[];
  readonly applicationSetNamespaces: readonly string[];
  readonly syncTimeoutMs: number;
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
  readonly dryRun: boolean;
  readonly scm: {
    readonly enabled: boolean;
    readonly allowedProviders: readonly string[];
    readonly strictTokens: boolean;
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
  const flag = (key: string, fallback: boolean) =>
    cm[key] === undefined ? fallback : cm[key] === 'true';
  const isImpersonating = flag('application.sync.impersonation.enabled', false);
  const isEnforced = flag('application.sync.impersonation.enforced', true);
  return {
    trackingMethod: readTracking(cm['application.resourceTrackingMethod']),
    instanceLabelKey: cm['application.instanceLabelKey'] || 'app.kubernetes.io/instance',
    installationId: cm['installationID'] ?? '',
    inClusterEnabled: flag('cluster.inClusterEnabled', true),
    globalProjects: yaml('globalProjects', readGlobalProjects, []),
    exclusions: [...DEFAULT_EXCLUSIONS, ...yaml('resource.exclusions', readFilters, [])],
    inclusions: yaml('resource.inclusions', readFilters, []),
    customizations,
    healthRules: {
      base: 'workload',
      custom: [...toHealthRules(customizations), APPLICATION_HEALTH],
      ignoreRestartPolicyAnnotation: ANNOTATION.ignoreRestartPolicy,
    },
    ignoreAggregatedRoles: compare['ignoreAggregatedRoles'] === true,
    impersonation: isImpersonating ? (isEnforced ? 'enforced' : 'wanted') : 'off',
    enabledTools: {
      kustomize: flag('kustomize.enable', true),
      helm: flag('helm.enable', true),
      jsonnet: flag('jsonnet.enable', true),
    },
    kustomize: readKustomize(cm, problems),
    valuesFileSchemes: list(cm['helm.valuesFileSchemes'] ?? 'https,http'),
    hydrator: readHydrator(cm, parameters),
    pollIntervalMs: readInterval(cm, 'timeout.reconciliation', { fallback: 120_000, problems }),
    pollJitterMs: readInterval(cm, 'timeout.reconciliation.jitter', { fallback: 60_000, problems }),
    hardIntervalMs: readInterval(cm, 'timeout.hard.reconciliation', { fallback: 0, problems }),
    applicationNamespaces: list(parameters['application.namespaces']),
    applicationSetNamespaces: list(parameters['applicationsetcontroller.namespaces']),
    syncTimeoutMs: Number(parameters['controller.sync.timeout.seconds'] ?? 0) * 1000 || 0,
    applicationSets: readApplicationSets(parameters),
    problems,
  };
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
    scm: {
      enabled: of('enable.scm.providers') !== 'false',
      allowedProviders: list(of('allowed.scm.providers')),
      strictTokens: of('enable.tokenref.strict.mode') === 'true',
    },
  };
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

/** Whether the administrator keeps a kind out of all that is watched and applied. */
export function isExcluded(
  { exclusions, inclusions }: Settings,
  {
    group,
    kind,
    server,
  }: { readonly group: string; readonly kind: string; readonly server: string },
): boolean {
  const fits = (one: ResourceFilter) =>
    (one.apiGroups.length === 0 || one.apiGroups.some((glob) => fitsNegatable(glob, group))) &&
    (one.kinds.length === 0 || one.kinds.some((name) => name === '*' || name === kind)) &&
    (one.clusters.length === 0 || one.clusters.some((glob) => fitsNegatable(glob, server)));
  if (inclusions.length > 0 && !inclusions.some(fits)) return true;
  return exclusions.some(fits);
}
