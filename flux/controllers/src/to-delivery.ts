import { type Delivery, type HealthGate, readPreemption } from '@capstan/engine-delivery';
import type { IgnoreRule } from '@capstan/engine-diff';
import type { HealthRule } from '@capstan/engine-health';
import type { KustomizeOverlay, RenderSpec } from '@capstan/engine-render';
import type { SourceSpec } from '@capstan/engine-source';
import { type FormerManager, SYNC_DEFAULTS, type TypedKinds } from '@capstan/engine-sync';
import {
  KUSTOMIZE_GROUP,
  type Kustomization,
  type KustomizationIgnore,
  NAME_LABEL,
  NAMESPACE_LABEL,
} from '@capstan/flux-api';
import { type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { parseDurationMs } from './durations.ts';
import { readHealthChecks } from './health-checks.ts';
import { type FluxSettings, overriddenManagers } from './settings.ts';
import { FLUX_VOCABULARY } from './vocabulary.ts';

export interface LoweringContext {
  /** The artifact's source, pinned to its commit. */
  readonly source: SourceSpec;
  /** Values of postBuild, from the spec and what it refers to; undefined without postBuild. */
  readonly variables: { readonly [name: string]: string } | undefined;
  readonly settings?: FluxSettings;
}

export const FIELD_MANAGER = 'kustomize-controller';
/** As kustomize-controller lists them: what kubectl changes is undone, however it was changed. */
const PREDECESSORS: readonly FormerManager[] = [
  { manager: 'kubectl', isPrefix: true, operation: 'Apply' },
  { manager: 'kubectl', isPrefix: true },
  { manager: 'before-first-apply', isPrefix: true },
  { manager: FIELD_MANAGER, isPrefix: true },
];

/** What the original applies and awaits before everything else: definitions, then classes. */
const STAGES = [
  [
    { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
    { group: '', kind: 'Namespace' },
    { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole' },
  ],
  [{ group: '*', kind: '*Class' }],
];

/**
 * What the original applies as client-go's types: fields that these lack are lost on the way. Rules of roles are left as they
 * are written, and definitions are none of these types.
 */
const TYPED_KINDS: TypedKinds = {
  groups: [
    ...['', 'apps', 'autoscaling', 'batch', 'extensions', 'policy'],
    ...[
      ...['admissionregistration', 'authentication', 'authorization', 'certificates'],
      ...['coordination', 'discovery', 'events', 'flowcontrol.apiserver', 'internal.apiserver'],
      ...['networking', 'node', 'rbac.authorization', 'resource', 'scheduling', 'storage'],
      'storagemigration',
    ].map((name) => `${name}.k8s.io`),
  ],
  except: ['Role', 'ClusterRole'].map((kind) => ({ group: 'rbac.authorization.k8s.io', kind })),
};

/** A Kustomization as the engine's neutral noun. Pure. Throws a CapstanError for a duration that is none. */
export function toDelivery(
  kustomization: Kustomization,
  { source, variables, settings = {} }: LoweringContext,
): Delivery {
  const { spec, metadata } = kustomization;
  const { name = '', namespace = '' } = metadata;
  const retryMs = parseDurationMs(spec.retryInterval ?? spec.interval, 'spec.retryInterval');
  const gate = toGate(kustomization, settings);
  const anyKind = { denied: [] };
  return {
    id: { kind: 'Kustomization', namespace, name },
    sources: [{ source, render: toRender(kustomization, variables, settings) }],
    destination: { cluster: 'in-cluster', namespace: spec.targetNamespace ?? '' },
    tracking: {
      annotations: {},
      labels: { [NAME_LABEL]: name, [NAMESPACE_LABEL]: namespace },
      owner: ownerName(namespace, name),
      find: 'inventory',
    },
    fieldManager: FIELD_MANAGER,
    compare: {
      ignore: (spec.ignore ?? []).map(toIgnoreRule),
      respectIgnored: 'release',
      ignoreAggregatedRoles: true,
    },
    sync: {
      ...SYNC_DEFAULTS,
      vocabulary: FLUX_VOCABULARY,
      prune: spec.prune,
      pruneLast: true,
      pruneConfirmed: true,
      propagation: 'Background',
      force: spec.force ?? false,
      skipHooks: true,
      takeOverFrom: [...PREDECESSORS, ...overriddenManagers(settings)],
      takesOverAtOnce: true,
      stages: [...STAGES, settings.customStageKinds ?? []],
      typedKinds: TYPED_KINDS,
      waitFor: 'applied',
      failOnShared: false,
      rehearsal: 'always',
      ...(gate === undefined ? {} : { gate }),
    },
    automation: {
      kind: 'automatic',
      selfHeal: true,
      allowEmpty: true,
      retry: { limit: -1, backoff: { baseMs: retryMs, factor: 1, maxMs: retryMs, jitter: 0 } },
      reclaimAfterMs: parseDurationMs(spec.interval, 'spec.interval'),
      healBackoff: { baseMs: 2000, factor: 3, maxMs: 300_000, jitter: 0 },
    },
    health: { rules: { base: 'condition', custom: toHealthRules(kustomization) }, rollUp: false },
    guard: { name: '', clusterKinds: anyKind, namespacedKinds: anyKind },
    suspended: spec.suspend === true,
    preempt: readPreemption(kustomization),
  };
}

/** `spec.healthCheckExprs`: each judges one kind of custom resource, instead of its conditions. */
function toHealthRules({ spec }: Kustomization): readonly HealthRule[] {
  return readHealthChecks(spec.healthCheckExprs ?? []).map(({ group, kind, judge }) => ({
    group,
    kind: kind === '' ? '*' : kind,
    judge: (live) => {
      const verdict = judge(live);
      // Fields may come yet: an expression that cannot be evaluated waits, as in Flux.
      return verdict.status === 'Unknown'
        ? { status: 'Progressing', message: verdict.problem }
        : { status: HEALTH[verdict.status] };
    },
  }));
}

const HEALTH = { InProgress: 'Progressing', Failed: 'Degraded', Current: 'Healthy' } as const;

export function ownerName(namespace: string, name: string): string {
  return `Kustomization/${namespace}/${name}`;
}

/** Reads whose an object is from its labels: for the live cache's owner index. */
export function kustomizationOwners(object: KubeObject): readonly string[] {
  const name = object.metadata.labels?.[NAME_LABEL];
  const namespace = object.metadata.labels?.[NAMESPACE_LABEL];
  return name === undefined || namespace === undefined ? [] : [ownerName(namespace, name)];
}

/** spec.timeout, else the interval less half a minute, but never under half a minute; as in Flux. */
export function timeoutMs({ spec }: Kustomization): number {
  if (spec.timeout !== undefined)
    return Math.max(30_000, parseDurationMs(spec.timeout, 'spec.timeout'));
  return Math.max(30_000, parseDurationMs(spec.interval, 'spec.interval') - 30_000);
}

/** As in the original any host; never this machine, its network's link-local addresses or files. */
const REMOTE_BASES = { schemes: ['https', 'http', 'ssh'], hosts: ['*'] };

function toRender(
  kustomization: Kustomization,
  variables: LoweringContext['variables'],
  settings: FluxSettings,
): RenderSpec {
  const { spec } = kustomization;
  return {
    kind: 'kustomize',
    path: spec.path ?? '',
    generateMissing: true,
    // The artifact is the wall: a kustomization may read whatever lies in it.
    loadRestriction: 'none',
    ...(settings.noRemoteBases === true ? {} : { remote: REMOTE_BASES }),
    overlay: toOverlay(kustomization),
    ...(variables === undefined
      ? {}
      : {
          substitute: {
            variables,
            strict: settings.laxSubstitutions !== true,
            always: spec.postBuild?.substituteStrategy === 'Always',
            except: { key: `${KUSTOMIZE_GROUP}/substitute`, value: 'disabled' },
          },
        }),
  };
}

function toOverlay({ spec }: Kustomization): KustomizeOverlay {
  const { commonMetadata, patches } = spec;
  return {
    ...(spec.targetNamespace ? { namespace: spec.targetNamespace } : {}),
    ...(spec.namePrefix ? { namePrefix: spec.namePrefix } : {}),
    ...(spec.nameSuffix ? { nameSuffix: spec.nameSuffix } : {}),
    ...(spec.images === undefined ? {} : { images: spec.images }),
    ...(patches === undefined ? {} : { patches }),
    ...(spec.components === undefined ? {} : { components: spec.components }),
    ...(spec.ignoreMissingComponents === undefined
      ? {}
      : { ignoreMissingComponents: spec.ignoreMissingComponents }),
    ...(commonMetadata === undefined ? {} : { commonMetadata }),
    ...(spec.buildMetadata === undefined ? {} : { buildMetadata: spec.buildMetadata }),
  };
}

function toGate(
  kustomization: Kustomization,
  { waitsForAll = false }: FluxSettings,
): HealthGate | undefined {
  const { spec, metadata } = kustomization;
  const wait = { timeoutMs: timeoutMs(kustomization), failFast: !waitsForAll };
  if (spec.wait === true) return { objects: 'all', ...wait };
  const checks = spec.healthChecks ?? [];
  if (checks.length === 0) return undefined;
  // Without apiVersion a workload is meant: `flux create kustomization --health-check` leaves it out.
  const objects = checks.map(({ apiVersion = 'apps/v1', kind, name, namespace = '' }) => ({
    group: parseApiVersion(apiVersion).group,
    apiVersion,
    kind,
    name,
    namespace: namespace === '' && kind !== 'Namespace' ? (metadata.namespace ?? '') : namespace,
  }));
  return { objects, ...wait };
}

function toIgnoreRule({ paths, target = {} }: KustomizationIgnore): IgnoreRule {
  const { group, version, kind, name, namespace, labelSelector, annotationSelector } = target;
  return {
    target: {
      syntax: 'regex',
      ...(group ? { group } : {}),
      ...(version ? { version } : {}),
      ...(kind ? { kind } : {}),
      ...(name ? { name } : {}),
      ...(namespace ? { namespace } : {}),
      ...(labelSelector ? { labelSelector } : {}),
      ...(annotationSelector ? { annotationSelector } : {}),
    },
    jsonPointers: paths,
    pathExpressions: [],
    managers: [],
  };
}
