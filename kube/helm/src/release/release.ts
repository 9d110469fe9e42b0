import type { JsonObject } from '@capstan/kube-object';
import type { HookEvent } from '../manifests.ts';

export type ReleaseStatus =
  | 'unknown'
  | 'deployed'
  | 'uninstalled'
  | 'superseded'
  | 'failed'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback';

export type HookPhase = 'Unknown' | 'Running' | 'Succeeded' | 'Failed';

export interface ReleaseHook {
  readonly name: string;
  readonly kind: string;
  readonly path: string;
  readonly manifest: string;
  readonly events: readonly HookEvent[];
  readonly weight: number;
  readonly deletePolicies: readonly string[];
  readonly outputLogPolicies: readonly string[];
  /** '' where it never ran; times are RFC 3339. */
  readonly lastRun: {
    readonly startedAt: string;
    readonly completedAt: string;
    readonly phase: HookPhase | '';
  };
}

/** One revision of a release, as Helm records it. Times are RFC 3339 texts, '' for none. */
export interface Release {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  readonly status: ReleaseStatus;
  readonly description: string;
  readonly firstDeployed: string;
  readonly lastDeployed: string;
  readonly deleted: string;
  readonly notes: string;
  /** 0 when the revision is no rollback. */
  readonly rollbackRevision: number;
  /** The chart as it is recorded: metadata, templates, values, files; without its subcharts. */
  readonly chart: JsonObject;
  readonly config: JsonObject;
  readonly manifest: string;
  readonly hooks: readonly ReleaseHook[];
  /** '' in records of Helm 3: client-side apply. */
  readonly applyMethod: 'ssa' | 'csa' | '';
  /** Labels of the user; Helm's own are not among them. */
  readonly labels: Readonly<Record<string, string>>;
}

export function isPending({ status }: Pick<Release, 'status'>): boolean {
  return (
    status === 'pending-install' || status === 'pending-upgrade' || status === 'pending-rollback'
  );
}
