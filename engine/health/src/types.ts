import type { KubeObject } from '@capstan/kube-object';

/** How an object is doing. `Unknown` means that it could not be judged. */
export type HealthStatus =
  | 'Healthy'
  | 'Suspended'
  | 'Progressing'
  | 'Missing'
  | 'Degraded'
  | 'Unknown';

export interface Health {
  readonly status: HealthStatus;
  /** Why, in one sentence; absent when there is nothing to say. */
  readonly message?: string;
  /** When time alone may change the verdict, without a change of the object. */
  readonly changesAtMs?: number;
}

/** What a rule says of an object. */
export interface Verdict extends Health {
  /** Said instead of what is always said of an object that is being deleted, by a rule that judges deletion as well. */
  readonly deletionMessage?: string;
}

/** A test on one field of an object. All tests of a clause must hold. */
export type HealthTest =
  | { readonly path: string; readonly equals: string | number | boolean }
  | { readonly path: string; readonly in: readonly (string | number | boolean)[] }
  | { readonly path: string; readonly exists: boolean }
  | { readonly condition: string; readonly status: string; readonly reason?: string }
  /** status.observedGeneration (or the named path) is at least metadata.generation. */
  | { readonly observed: boolean; readonly path?: string };

export interface HealthClause {
  readonly when: readonly HealthTest[];
  readonly status: HealthStatus;
  /** Fixed text, or `{path}` and `{condition:Ready}` to quote a field or a condition's message. */
  readonly message?: string;
}

/** A rule for one kind whose verdict an expression or a script gives. */
export interface ScriptRule {
  /** Globs. */
  readonly group: string;
  readonly kind: string;
  /** undefined: it has nothing to say of this object. */
  readonly judge: (object: KubeObject) => Verdict | undefined;
}

export type HealthRule = ClauseRule | ScriptRule;

/** A rule for one kind, as data: the first clause that holds decides. */
export interface ClauseRule {
  /** Globs. */
  readonly group: string;
  readonly kind: string;
  readonly clauses: readonly HealthClause[];
  /** A field that already says the health in these words. Tried before the clauses. */
  readonly reported?: { readonly statusPath: string; readonly messagePath?: string };
  readonly otherwise: HealthStatus;
  readonly otherwiseMessage?: string;
}

/**
 * Which rules judge. `workload`: only kinds with a rule have a health (as Argo CD judges); `condition`: every object has
 * one, by generation and conditions (kstatus).
 */
export interface HealthRules {
  readonly base: 'workload' | 'condition';
  /** Tried in order, before the built-in ones. */
  readonly custom: readonly HealthRule[];
  /** An annotation which, set to `true`, makes a Pod that may end count as one that must stay; not for hooks. */
  readonly ignoreRestartPolicyAnnotation?: string;
}

export interface JudgeOptions {
  /** The object runs as a hook: a Pod that ends is awaited, and its own finalizer keeps it for its verdict. */
  readonly isHook?: boolean;
  readonly nowMs: number;
}
