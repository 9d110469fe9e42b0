import type { FieldDifference, IgnoreRule } from '@capstan/engine-diff';
import type { Health, HealthRules } from '@capstan/engine-health';
import type { RenderSpec } from '@capstan/engine-render';
import type { SourceSpec, VerifyRequest } from '@capstan/engine-source';
import type { DeletePhase, PhaseName, StepResult, SyncPolicy } from '@capstan/engine-sync';
import type { KubeObject, ObjectKey } from '@capstan/kube-object';
import type { BackoffPolicy, ErrorKind, Location } from '@capstan/lib-std';
import type { DependencyRef } from './dependency-graph.ts';

/** Who wants it: the custom resource that was lowered. `kind` is opaque to the engine. */
export interface DeliveryId {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One delivery of one desired state to one destination: the neutral noun between the front doors and the engine. */
export interface Delivery {
  readonly id: DeliveryId;
  readonly sources: readonly DeliverySource[];
  readonly destination: Destination;
  readonly tracking: TrackingMark;
  readonly fieldManager: string;
  readonly compare: ComparePolicy;
  readonly sync: DeliverySyncPolicy;
  readonly automation: Automation;
  readonly health: HealthPolicy;
  readonly guard: Guard;
  /** Nothing is rendered, compared or applied. */
  readonly suspended: boolean;
  /** Times at which nothing may be synced; absent: none. */
  readonly hold?: SyncHold;
  /** What must be in place before anything is applied. */
  readonly dependsOn?: readonly DependencyRef[];
  /** Why nothing may be applied at all: what every operation ends with. */
  readonly refusal?: string;
  /** Kinds that are neither compared nor applied, with a warning. Must be pure. */
  readonly isExcluded?: (kind: { readonly group: string; readonly kind: string }) => boolean;
  /** What people should know of an object that is delivered all the same. Must be pure. */
  readonly remark?: (object: KubeObject) => string | undefined;
  /** A newer revision against a running sync: after the hook that runs, at once, or never. */
  readonly preempt: 'afterHook' | 'immediately' | 'never';
}

/** What must wait now. It is compared and told all the same. */
export interface SyncHold {
  /** Automation starts nothing. */
  readonly automation: boolean;
  /** A person's request is taken up, and waits. */
  readonly requests: boolean;
  /** The operation that runs does not go on. */
  readonly running: boolean;
  /** What a held operation says. */
  readonly message: string;
  /** When this may change. */
  readonly untilMs?: number;
}

export interface DeliverySource {
  readonly source: SourceSpec;
  /** Absent: the source is only referred to by others. */
  readonly render?: RenderSpec;
  /** The name by which other sources refer to files of this one. */
  readonly ref?: string;
  /** Only a revision with good signatures is used. */
  readonly verify?: VerifyRequest;
  /** Where the delivery's own resource says what a chart gets; absent: who asks is told the resource alone. */
  readonly inline?: InlineFields;
}

/** Fields of a delivery's own resource, as `spec.source.helm.values`. */
export interface InlineFields {
  /** `isText`: the values are a text in it; otherwise they are its members. */
  readonly values?: { readonly field: string; readonly isText: boolean };
  /** A list whose elements have a `value`, with the names of them all. */
  readonly parameters?: { readonly field: string; readonly names: readonly string[] };
}

export interface Destination {
  /** The cluster's address or name as the door resolved it; fit for a Map key. */
  readonly cluster: string;
  /** Where namespaced objects without a namespace go; '' leaves them as they are. */
  readonly namespace: string;
}

/** How an object says whose it is. `{group} {kind} {namespace} {name}` in a value stand for the object's own. */
export interface TrackingMark {
  readonly annotations: { readonly [name: string]: string };
  readonly labels: { readonly [name: string]: string };
  /** The value under which the live cache's owner index finds this delivery's objects. */
  readonly owner: string;
  /** How objects that are no longer desired are found: by their marks, or by what the last status listed. */
  readonly find: 'mark' | 'inventory';
}

/** A field, by names with dots between, and the type in it, as the published schemas name it. */
export interface KnownType {
  readonly group: string;
  readonly kind: string;
  readonly field: string;
  readonly definition: string;
}

export interface ComparePolicy {
  readonly ignore: readonly IgnoreRule[];
  /** An annotation by which an object names parts of itself that are not compared. */
  readonly ignoreAnnotation?: string;
  /**
   * Ignored fields are left alone by syncs as well: sent as they are live, or, where another manager applies them, not sent
   * at all.
   */
  readonly respectIgnored: false | 'live' | 'release';
  readonly ignoreAggregatedRoles: boolean;
  /** Annotations whose values are secret, beside those that repeat a Secret's. */
  readonly sensitiveAnnotations?: readonly string[];
  /** Kinds whose status is compared, too; absent: none. Must be pure. */
  readonly comparesStatus?: (kind: { readonly group: string; readonly kind: string }) => boolean;
  /** Fields of custom resources that hold types of built-in kinds. */
  readonly knownTypes?: readonly KnownType[];
  /** Which objects do not make the delivery OutOfSync by being extra. Must be pure; absent: none. */
  readonly ignoresExtra?: (object: KubeObject) => boolean;
  /**
   * Kinds that may not be listed are no error: their objects are read one by one. `strict`: unless the server says, when it is
   * asked, that they may be listed. Absent: they are one.
   */
  readonly unlistable?: 'tolerated' | 'strict';
  /** Which objects are never extra: though they bear the mark and are not desired, they stay. Must be pure; absent: none. */
  readonly keeps?: (object: KubeObject) => boolean;
}

/** SyncPolicy without what only one operation says. */
export type DeliverySyncPolicy = Omit<SyncPolicy, 'dryRun' | 'selected' | 'hookSuffix' | 'home'> & {
  readonly failOnShared: boolean;
  /** What the server is asked about in a dry run before the first write: everything, or what the published schemas leave in doubt. */
  readonly rehearsal: 'always' | 'inDoubt';
  /** Wait for the health of all objects (or of those named) before an operation counts as succeeded. */
  readonly gate?: HealthGate;
};

export interface HealthGate {
  readonly objects: 'all' | readonly (ObjectKey & { readonly apiVersion: string })[];
  readonly timeoutMs: number;
  /** The first object that has failed ends the wait; else it goes on as long as any may still become healthy. */
  readonly failFast: boolean;
}

export type Automation =
  | { readonly kind: 'manual' }
  | {
      readonly kind: 'automatic';
      readonly selfHeal: boolean;
      readonly allowEmpty: boolean;
      readonly retry: RetryPolicy;
      /** Between heals of one revision that follow each other closely. */
      readonly healBackoff: BackoffPolicy;
      /** What another delivery has marked as its own is taken back only so long after the last sync; absent: at once. */
      readonly reclaimAfterMs?: number;
    };

export interface RetryPolicy {
  /** Negative: without end. 0: never. */
  readonly limit: number;
  readonly backoff: BackoffPolicy;
  /** Another attempt takes what the sources hold by then, whatever revisions the request named; else what failed. */
  readonly refresh?: boolean;
}

export interface HealthPolicy {
  readonly rules: HealthRules;
  /** Objects with this annotation set to `true` do not count into the delivery's health. */
  readonly ignoreAnnotation?: string;
  /** Which live objects do not count either, by how they fare. Must be pure; absent: none. */
  readonly overlooks?: (live: KubeObject, health: Health) => boolean;
  /** False: only the operation's outcome counts (families without a roll-up of health). */
  readonly rollUp: boolean;
}

/** What may be touched, as data. Patterns are globs. An absent list allows all. */
export interface Guard {
  readonly name: string;
  /** Absent: every namespace, and objects without one. */
  readonly namespaces?: readonly NamespaceRule[];
  readonly clusterKinds: KindList;
  readonly namespacedKinds: KindList;
  /** What of the cluster is looked at at all; absent: everything. */
  readonly managed?: { readonly namespaces: readonly string[]; readonly clusterObjects: boolean };
}
/** What one rule says of namespaces of the delivery's cluster. */
export interface NamespaceRule {
  /** A glob; a leading `!` turns its meaning around. */
  readonly pattern: string;
  readonly cluster: {
    /** The rule speaks of this cluster: namespaces that fit are allowed. */
    readonly allowed: boolean;
    /** The rule excludes this cluster: namespaces that fit are refused. */
    readonly denied: boolean;
    /** The rule names the cluster's address: namespaces that its `!` names are refused. */
    readonly named: boolean;
  };
}

export interface KindList {
  readonly allowed?: readonly KindPattern[];
  readonly denied: readonly KindPattern[];
}
export interface KindPattern {
  readonly group: string;
  readonly kind: string;
  readonly name?: string;
}

/** A sync that someone or something asked for. */
export interface OperationRequest {
  /** The same for the same request: a request is performed once. */
  readonly id: string;
  readonly initiatedBy:
    | { readonly kind: 'automation' }
    | { readonly kind: 'person'; readonly name: string };
  /** Commits (or versions) instead of what the sources name, one for each source. */
  readonly revisions?: readonly string[];
  readonly sources?: readonly DeliverySource[];
  readonly policy: Partial<SyncPolicy>;
  readonly retry: RetryPolicy;
  /** This heals a revision that was in place already, for the n-th time. */
  readonly healAttempt: number;
  /** Why it is not performed: what it ends with. */
  readonly refusal?: string;
}

export type OperationPhase = 'Running' | 'Terminating' | 'Succeeded' | 'Failed' | 'Error';

export interface OperationState {
  readonly request: OperationRequest;
  readonly phase: OperationPhase;
  readonly message: string;
  readonly startedAtMs: number;
  readonly finishedAtMs?: number;
  readonly retryCount: number;
  /** When the next attempt begins; only while waiting for it. */
  readonly nextAttemptAtMs?: number;
  /** Resolved; one for each source. */
  readonly revisions: readonly string[];
  /** '' when it is not known any more (after a restart). */
  readonly desiredDigest: string;
  /** Why it is `Terminating`, unless a person asked for that. */
  readonly endedBy?: string;
  /** Everything is applied; what remains is to wait for health. */
  readonly appliedAtMs?: number;
  readonly results: readonly OperationResult[];
  /** Hooks that were there when it began, by uid: none of them is of its making. Absent: not known any more (after a restart). */
  readonly priorHooks?: readonly string[];
}

/** What became of one step; enough to go on after a restart. */
export interface OperationResult {
  readonly stepId: string;
  readonly key: ObjectKey;
  readonly version: string;
  readonly phase: PhaseName;
  readonly hook: boolean;
  readonly status: 'Synced' | 'SyncFailed' | 'Pruned' | 'PruneSkipped';
  readonly state: 'Running' | 'Succeeded' | 'Failed' | 'Error';
  /** What the step did; absent when only a status tells of it. */
  readonly outcome?: StepResult['outcome'];
  readonly message: string;
  readonly images: readonly string[];
}

export type SyncStatus = 'Synced' | 'OutOfSync' | 'Unknown';

export interface ObjectStatus {
  readonly key: ObjectKey;
  readonly version: string;
  /** Absent for hooks and for what does not count. */
  readonly sync?: SyncStatus;
  readonly health?: Health;
  readonly hook: boolean;
  readonly requiresPruning: boolean;
  readonly requiresConfirmation: boolean;
  readonly wave: number;
  readonly origin?: Location;
  readonly images: readonly string[];
  readonly externalUrls: readonly string[];
  readonly differences: readonly FieldDifference[];
  /** Why it cannot be compared or may not be touched. */
  readonly reason?: string;
}

/** Something a person should know, with the stage where it arose. */
export interface Problem {
  readonly stage: 'spec' | 'source' | 'render' | 'compare' | 'sync' | 'health';
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly location?: Location;
  /** What the loop does about it. */
  readonly kind: ErrorKind;
}

export interface InventoryEntry {
  readonly key: ObjectKey;
  readonly version: string;
}

/** What is known of a delivery after one look; the doors turn it into their own status. */
export interface DeliveryStatus {
  /** Resolved revisions, one for each source; empty while the source could not be read. */
  readonly revisions: readonly SourceRevision[];
  readonly desiredDigest: string;
  readonly sync: SyncStatus;
  readonly health: Health;
  readonly objects: readonly ObjectStatus[];
  readonly problems: readonly Problem[];
  /** Running or last; absent when there never was one. */
  readonly operation?: OperationState;
  /** What the last successful prune left or the last sync put in place. */
  readonly inventory: readonly InventoryEntry[];
  /** How each source was rendered (`kustomize`, `directory`, `helm`); empty when it was not. */
  readonly renderKinds: readonly string[];
  /** Phases of the delivery's end in which hooks are declared; absent while that is not known. */
  readonly deletePhases?: readonly DeletePhase[];
  /** When a retry, a heal or a deadline is due; the door looks again by then. */
  readonly recheckAtMs?: number;
  readonly observedAtMs: number;
}

export interface SourceRevision {
  readonly id: string;
  /** What it was found under: `main`, `v1.2.0`; '' for a bare commit. */
  readonly name: string;
}
