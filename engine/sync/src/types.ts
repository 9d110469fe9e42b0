import type { DesiredObject, Diff, DiffEntry } from '@capstan/engine-diff';
import type { KubeObject, ObjectKey } from '@capstan/kube-object';

/** In the order in which they run. `SyncFail` runs only when an earlier phase failed; the delete phases when a delivery ends. */
export type PhaseName = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail' | 'PreDelete' | 'PostDelete';

/** The phases of a delivery's end. */
export type DeletePhase = 'PreDelete' | 'PostDelete';

export type HookDeletePolicy = 'BeforeHookCreation' | 'HookSucceeded' | 'HookFailed';
export type Propagation = 'Foreground' | 'Background' | 'Orphan';
/** Whether an object may be deleted: `confirm` waits for a person. */
export type Permission = 'allowed' | 'forbidden' | 'confirm';

/** Which annotations mean what: the whole difference between the families, as data. */
export interface SyncVocabulary {
  readonly wave: readonly string[];
  /** The first that names a phase of syncs speaks (Argo's own hooks win over Helm's). */
  readonly hooks: readonly HookVocabulary[];
  /** What hooks of syncs carry until their verdict is known, so that none is gone before; absent: nothing. */
  readonly hookFinalizer?: string;
  /** Annotations that hold `Name=value,…` options (Prune, Delete, Replace, Force, …). */
  readonly options: readonly string[];
  /** Annotation (or label) values that switch one behaviour for one object; `outlive` keeps it when its delivery ends. */
  readonly switches: readonly SyncSwitch[];
}
export interface HookVocabulary {
  readonly annotation: string;
  /** Value → phase; `Skip` leaves the object out, `Ordinary` alone applies it as if it were no hook. Others say nothing. */
  readonly phases: { readonly [value: string]: PhaseName | 'Skip' | 'Ordinary' };
  readonly wave: readonly string[];
  readonly deletePolicy: string;
  readonly deletePolicies: { readonly [value: string]: HookDeletePolicy };
  readonly defaultDeletePolicy: HookDeletePolicy;
}
export interface SyncSwitch {
  readonly metadata: 'annotation' | 'label';
  readonly name: string;
  readonly value: string;
  readonly means: 'keep' | 'outlive' | 'recreate' | 'createOnly' | 'ignoreObject' | 'mergeOnly';
}

/** What an object says of its own sync. */
export interface SyncHints {
  readonly wave: number;
  /** Phases in which it runs as a hook; empty for an ordinary object. */
  readonly hookPhases: readonly PhaseName[];
  readonly skip: boolean;
  readonly hookDeletePolicies: readonly HookDeletePolicy[];
  readonly options: { readonly [name: string]: string };
  readonly switches: readonly SyncSwitch['means'][];
}

/** How a delivery wants its syncs done. Everything an object may say for itself is the default here. */
export interface SyncPolicy {
  readonly vocabulary: SyncVocabulary;
  readonly prune: boolean;
  readonly pruneLast: boolean;
  readonly prunePermission: Permission;
  readonly pruneConfirmed: boolean;
  readonly propagation: Propagation;
  readonly replace: boolean;
  readonly force: boolean;
  readonly validate: boolean;
  /** Kinds that lose what they do not have, though others are refused for it (families that apply typed objects). */
  readonly typedKinds?: TypedKinds;
  readonly dryRun: boolean;
  readonly skipHooks: boolean;
  readonly outOfSyncOnly: boolean;
  readonly skipDryRunOnMissingKind: boolean;
  /** Keyed lists that name a key twice are sent as they are; absent: the server refuses to merge them. */
  readonly sendsRepeated?: boolean;
  /** Field managers whose writes ours takes over. */
  readonly takeOverFrom: readonly FormerManager[];
  /** Also when nothing else of an object is to be changed. */
  readonly takesOverAtOnce?: boolean;
  /** Only these; absent: all. */
  readonly selected?: readonly ObjectKey[];
  /** Make this namespace first when nothing else does. */
  readonly createNamespace?: ManagedNamespace;
  /** Kinds that go before all others, stage by stage, each awaited (families without waves); absent: none do. */
  readonly stages?: readonly (readonly StagedKind[])[];
  /** What every wave waits for before the next: `healthy`, or `applied` for families without waves. */
  readonly waitFor: 'healthy' | 'applied';
  /** Appended to the generateName of hooks, with `{phase}` replaced; distinguishes one sync from the next. */
  readonly hookSuffix: string;
  /** The namespace that objects without one count to; absent: none. */
  readonly home?: string;
}
/** A field manager before ours. */
export interface FormerManager {
  readonly manager: string;
  /** Whoever has a name that begins so. */
  readonly isPrefix?: boolean;
  /** How it wrote; absent: `Update`, from the client's side. */
  readonly operation?: 'Apply' | 'Update';
}
/** All kinds of these groups but some. */
export interface TypedKinds {
  readonly groups: readonly string[];
  readonly except: readonly StagedKind[];
}
/** A group and a kind; a kind that begins with `*` stands for all that end with the rest of it, of any group. */
export interface StagedKind {
  readonly group: string;
  readonly kind: string;
}
export interface ManagedNamespace {
  readonly name: string;
  /** Absent: an existing namespace is left alone. */
  readonly metadata?: {
    readonly labels: { readonly [key: string]: string };
    readonly annotations: { readonly [key: string]: string };
  };
}

export interface StepOptions {
  readonly replace: boolean;
  readonly force: boolean;
  readonly validate: boolean;
  /** What no schema knows is left out where the server refuses it. */
  readonly leavesOutUnknown: boolean;
  readonly dryRun: boolean;
  readonly propagation: Propagation;
  readonly takeOverFrom: readonly FormerManager[];
  /** Delete and create again when the server refuses a change of an immutable field. */
  readonly recreate: boolean;
  /** Leave the object alone once it exists. */
  readonly createOnly: boolean;
  /** Keyed lists that name a key twice are sent as they are. */
  readonly sendsRepeated: boolean;
}

/** What has to be true before the wave counts as done. */
export type StepGoal = 'applied' | 'healthy' | 'completed' | 'established' | 'gone';

/** One thing to do to one object; a value that can be printed before it runs. */
export interface SyncStep {
  /** Unique in its plan and the same in every plan for the same object, phase and verb. */
  readonly id: string;
  readonly verb: 'apply' | 'prune' | 'hook';
  readonly phase: PhaseName;
  readonly wave: number;
  readonly key: ObjectKey;
  readonly apiVersion: string;
  /** Absent when pruning. */
  readonly object?: KubeObject;
  /** The live object that the step was planned on; deletion insists on its uid. */
  readonly live?: KubeObject;
  readonly goal: StepGoal;
  readonly options: StepOptions;
  readonly hookDeletePolicies: readonly HookDeletePolicy[];
  /** Keeps the object of a hook until its verdict is known. */
  readonly finalizer?: string;
  /** Live already is what the step would make it: it counts as done without a request. */
  readonly inSync: boolean;
  /** Why it is not done after all; such a step counts as done at once, except one that awaits a confirmation. */
  readonly refused?: 'pruning is off' | 'kept by its own option' | 'awaits confirmation';
}

export interface PlannedWave {
  readonly phase: PhaseName;
  readonly wave: number;
  /** Batches run one after the other; steps of a batch together. */
  readonly batches: readonly (readonly SyncStep[])[];
}
export interface PlannedPhase {
  readonly name: PhaseName;
  readonly waves: readonly PlannedWave[];
}
export interface SkippedObject {
  readonly key: ObjectKey;
  readonly reason: 'skipped by its own hint' | 'not selected' | 'already in sync';
  readonly entry?: DiffEntry;
}
/** A hook as desired, with what is left of it from an earlier sync. */
export interface HookObject {
  readonly desired: DesiredObject;
  readonly live?: KubeObject;
}
export interface SyncInput {
  readonly diff: Diff;
  readonly hooks: readonly HookObject[];
  /** The managed namespace as it is live, when a policy asks for one. */
  readonly liveNamespace?: KubeObject;
}
export interface SyncPlan {
  readonly phases: readonly PlannedPhase[];
  readonly skipped: readonly SkippedObject[];
}

export interface StepResult {
  readonly stepId: string;
  readonly key: ObjectKey;
  readonly outcome:
    | 'created'
    | 'configured'
    | 'unchanged'
    | 'pruned'
    | 'prune skipped'
    | 'deleted'
    | 'failed';
  /** One sentence; for a failure what, where and what to do. */
  readonly message: string;
  /** The object as the server answered. */
  readonly live?: KubeObject;
  readonly retryable?: boolean;
}

export type StepState =
  | { readonly kind: 'running'; readonly result: StepResult; readonly message: string }
  | { readonly kind: 'succeeded'; readonly result: StepResult; readonly message: string }
  | { readonly kind: 'failed'; readonly result: StepResult; readonly message: string };

/** How far a plan has come: by step id. A step without a state was not begun. */
export interface SyncProgress {
  readonly states: ReadonlyMap<string, StepState>;
  /** Hooks whose object was deleted after its end, as its policy asks. */
  readonly cleaned: ReadonlySet<string>;
}

/** What a look at the live object of a running step says. */
export type StepObservation =
  | { readonly kind: 'reached'; readonly message: string }
  | { readonly kind: 'missed'; readonly message: string }
  | { readonly kind: 'waiting'; readonly message: string };

export type SyncOutcome =
  | { readonly kind: 'succeeded'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string; readonly retryable: boolean };

export type NextSteps =
  | { readonly kind: 'run'; readonly steps: readonly SyncStep[] }
  /** Hook objects to delete now; then ask again. */
  | { readonly kind: 'clean'; readonly steps: readonly SyncStep[] }
  | {
      readonly kind: 'wait';
      readonly for: readonly SyncStep[];
      readonly why: 'health' | 'hook' | 'deletion' | 'confirmation';
      readonly message: string;
    }
  | { readonly kind: 'finished'; readonly outcome: SyncOutcome };
