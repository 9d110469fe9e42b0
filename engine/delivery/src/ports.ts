import type { ChartOffer, FieldQuestion, RenderResult, RenderSpec } from '@capstan/engine-render';
import type { Snapshot, SourceAuth, SourceStore } from '@capstan/engine-source';
import type { Clock } from '@capstan/lib-std';
import type { Cluster } from './cluster.ts';
import type { VerdictCache } from './compare-live.ts';
import type { DependencyGraph } from './dependency-graph.ts';
import type { Delivery, InventoryEntry } from './types.ts';

/** What the loop needs of the world. */
export interface DeliveryPorts {
  readonly sources: Pick<
    SourceStore,
    'fetchSnapshot' | 'snapshotAt' | 'verifyRevision' | 'describeLine'
  >;
  readonly render: (
    snapshot: Snapshot,
    spec: RenderSpec,
    options: {
      readonly signal: AbortSignal;
      /** Rendered anew, whatever is known. */
      readonly fresh?: boolean;
      /** Answered in the result's `sources`. */
      readonly question?: FieldQuestion;
      /** To charts; absent: what Helm knows without a cluster. */
      readonly offered?: ChartOffer;
      /** How repositories are reached that others name in their files; absent: as anybody reaches them. */
      readonly accessTo?: (
        url: string,
      ) => { readonly auth: SourceAuth | undefined; readonly plainHttp?: boolean } | undefined;
    },
  ) => Promise<RenderResult>;
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Absent: nothing waits for anything. */
  readonly dependencies?: Pick<DependencyGraph, 'check'>;
  /** Answers of dry runs; shared by all deliveries, safe to drop. */
  readonly verdicts: VerdictCache;
}

/** A delivery for a look that changes nothing: where it differs, what a sync would do, where a field comes from. */
export interface DeliveryLook {
  readonly delivery: Delivery;
  readonly ports: DeliveryPorts;
  readonly inventory: readonly InventoryEntry[];
}

export interface SignalOptions {
  readonly signal: AbortSignal;
}
