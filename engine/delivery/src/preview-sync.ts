import type { FieldDifference } from '@capstan/engine-diff';
import type { SyncPlan, SyncPolicy } from '@capstan/engine-sync';
import { keyString } from '@capstan/kube-object';
import { loadDesired } from './load-desired.ts';
import { makePlan } from './perform-operation.ts';
import type { DeliveryPorts, SignalOptions } from './ports.ts';
import { arbitrateWhere, compareSafely } from './run-delivery.ts';
import type { Delivery, InventoryEntry, OperationState, Problem, SourceRevision } from './types.ts';

/** What a sync would do now. */
export interface SyncPreview {
  readonly revisions: readonly SourceRevision[];
  readonly problems: readonly Problem[];
  /** Absent while it is not known what is desired or what is live. */
  readonly plan?: SyncPlan;
  /** By `keyString` of the object. */
  readonly differences: ReadonlyMap<string, readonly FieldDifference[]>;
}

export interface PreviewOptions extends SignalOptions {
  readonly inventory: readonly InventoryEntry[];
  /** What a person would ask for beside what the delivery says. */
  readonly policy?: Partial<SyncPolicy>;
}

/** The plan of a sync of this moment, with all that it would change. Asks the server by dry runs only, and writes nothing. */
export async function previewSync(
  delivery: Delivery,
  ports: DeliveryPorts,
  { inventory, policy = {}, signal }: PreviewOptions,
): Promise<SyncPreview> {
  const loaded = await loadDesired(delivery, ports, { signal, maxAgeMs: Number.POSITIVE_INFINITY });
  const { prepared, revisions } = loaded;
  const compared = await compareSafely(delivery, loaded, { ports, inventory, signal });
  const problems = [...loaded.problems, ...compared.problems];
  if (prepared === undefined || compared.failed) {
    return { revisions, problems, differences: new Map() };
  }
  const entries = await arbitrateWhere(compared.entries, delivery, { ports, signal });
  const operation: OperationState = {
    request: {
      id: 'preview',
      initiatedBy: { kind: 'automation' },
      policy,
      retry: { limit: 0, backoff: { baseMs: 0, factor: 1, maxMs: 0, jitter: 0 } },
      healAttempt: 0,
    },
    phase: 'Running',
    message: '',
    startedAtMs: ports.clock.now(),
    retryCount: 0,
    revisions: revisions.map(({ id }) => id),
    desiredDigest: loaded.digest,
    results: [],
  };
  const plan = makePlan({ delivery, operation, prepared, entries }, ports);
  const differences = new Map(
    entries.map((entry) => [keyString(entry.key), entry.differences] as const),
  );
  return { revisions, problems, plan, differences };
}
