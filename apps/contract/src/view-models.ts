/** Which family of resources an app was written in. */
export type AppFamily = 'argocd' | 'flux';

export type SyncState = 'Synced' | 'OutOfSync' | 'Unknown';
export type HealthState =
  | 'Healthy'
  | 'Progressing'
  | 'Degraded'
  | 'Suspended'
  | 'Missing'
  | 'Unknown';

/** Identity of an app in URLs: an Argo CD Application, a Flux Kustomization or HelmRelease. */
export interface AppRef {
  readonly kind: 'Application' | 'Kustomization' | 'HelmRelease';
  readonly namespace: string;
  readonly name: string;
}

/** One row of the list: small on purpose (10,000 of them travel to the page). */
export interface AppSummary extends AppRef {
  readonly family: AppFamily;
  readonly project: string;
  readonly sync: SyncState;
  readonly health: HealthState;
  /** A sync is running now. */
  readonly syncing: boolean;
  readonly suspended: boolean;
  readonly repo: string;
  readonly path: string;
  /** What was asked for: a branch, tag or commit. */
  readonly targetRevision: string;
  /** The commit in place, whole, or the version of the chart; '' before the first sync. */
  readonly revision: string;
  readonly destination: string;
  /** One sentence when something is wrong or awaited; '' otherwise. */
  readonly message: string;
  /** RFC 3339; '' when never. */
  readonly lastSyncedAt: string;
}

export interface ConditionView {
  readonly type: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly at: string;
}

export interface CommitView {
  readonly sha: string;
  readonly author: string;
  readonly date: string;
  readonly message: string;
}

/** One deployment in the history, newest first. */
export interface SyncRecord {
  /** Identifies the entry for a rollback. */
  readonly id: number;
  readonly revision: string;
  readonly deployedAt: string;
  /** `automated` or a user's name. */
  readonly initiatedBy: string;
  readonly commit: CommitView | null;
}

export interface OperationView {
  readonly phase: 'Running' | 'Succeeded' | 'Failed' | 'Error' | 'Terminating';
  readonly message: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly revision: string;
}

export interface ResourceRef {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A node of the tree: managed objects have a sync state, their children (ReplicaSets, Pods, …) have none. */
export interface ResourceNode extends ResourceRef {
  readonly id: string;
  /** Id of the owner; null for the roots, which are what Git says. */
  readonly parent: string | null;
  readonly sync: SyncState | null;
  readonly health: HealthState | null;
  readonly healthMessage: string;
  readonly createdAt: string;
  /** Short facts for a badge: images, replicas `3/3`. */
  readonly info: readonly string[];
  /** Removed from Git, still in the cluster. */
  readonly requiresPruning: boolean;
}

export interface AppDetail {
  readonly app: AppSummary;
  readonly conditions: readonly ConditionView[];
  readonly operation: OperationView | null;
  readonly history: readonly SyncRecord[];
  readonly commit: CommitView | null;
  readonly resources: readonly ResourceNode[];
  readonly autoSync: boolean;
}

/** One object in detail. Secret values are masked on the server. YAML texts; null where there is none. */
export interface ResourceDetail {
  readonly ref: ResourceRef;
  readonly live: string | null;
  readonly desired: string | null;
  readonly differences: readonly FieldDifference[];
  readonly events: readonly EventView[];
}

export interface FieldDifference {
  readonly field: string;
  readonly desired: string;
  readonly live: string;
  /** The field manager that wrote the live value; '' when unknown. */
  readonly manager: string;
}

/** Where a field of a live object comes from. Values of Secrets are masked. */
export interface FieldExplanation {
  readonly app: AppRef;
  readonly object: PlanObject;
  readonly field: string;
  /** As JSON; null where no source sets it. */
  readonly desired: string | null;
  /** As JSON; null where the cluster lacks it. */
  readonly live: string | null;
  /** Who claims the live value, the last writer first. */
  readonly writers: readonly FieldWriterView[];
  readonly sources: readonly FieldSourceView[];
}

export interface FieldWriterView {
  readonly manager: string;
  /** `Apply` or `Update`. */
  readonly operation: string;
  /** RFC 3339; '' when not known. */
  readonly at: string;
}

/** A line that has a say in a field. */
export interface FieldSourceView {
  /** Address of the repository. */
  readonly repo: string;
  readonly revision: string;
  /** null for what the app itself says. */
  readonly file: string | null;
  /** null where only the file is known. */
  readonly line: number | null;
  /** What stands there: `patch`, `images`, `value image.tag (default)`; '' for the field itself. */
  readonly role: string;
  /** Who wrote the line last; null where no history tells. */
  readonly commit: CommitView | null;
}

/** Why an app is not as it should be, a sentence each, and what to do next. */
export interface ExplanationView {
  readonly about: 'sync' | 'health' | 'waiting';
  readonly sentence: string;
  readonly next: string;
}

/** What a sync of this moment would do, in order. */
export interface PlanView {
  readonly revisions: readonly string[];
  readonly problems: readonly { readonly severity: string; readonly message: string }[];
  /** null while it is not known what is desired or live. */
  readonly waves: readonly PlanWave[] | null;
  readonly skipped: readonly { readonly object: PlanObject; readonly reason: string }[];
}

export interface PlanWave {
  readonly phase: string;
  readonly wave: number;
  readonly steps: readonly PlanStep[];
}

export type PlanObject = Omit<ResourceRef, 'version'>;

export interface PlanStep {
  readonly change: 'create' | 'change' | 'unchanged' | 'hook' | 'prune' | 'keep';
  readonly object: PlanObject;
  /** Why it is kept; '' when there is nothing to say. */
  readonly note: string;
  readonly differences: readonly FieldDifference[];
}

export interface EventView {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly object: string;
  readonly count: number;
  readonly at: string;
}

export interface ServerInfo {
  readonly version: string;
  readonly cluster: string;
  readonly gitUrl: string | null;
}

/** How an error reaches the page: never a stack, never a secret. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}
