import type { DiffEntry } from '@capstan/engine-diff';
import { keyOf, keyString } from '@capstan/kube-object';
import type { LoadedState } from './load-desired.ts';
import type { InventoryEntry, OperationState } from './types.ts';

export interface InventoryInput {
  readonly loaded: Pick<LoadedState, 'prepared' | 'digest'>;
  readonly compared: { readonly entries: readonly DiffEntry[]; readonly failed: boolean };
  readonly previous: readonly InventoryEntry[];
  readonly operation: OperationState | undefined;
}

/**
 * What is in place: all that is desired and live, and what was in place before and has not gone. Once everything of the
 * desired state is applied, of what was before only that is left whose deletion was refused, to be tried again; what was
 * to be kept is nobody's from then on (kustomize-controller builds its inventory the same way).
 */
export function listInventory(input: InventoryInput): readonly InventoryEntry[] {
  const { loaded, compared, previous, operation } = input;
  const entries = new Map(previous.map((entry) => [keyString(entry.key), entry]));
  const desired = new Set<string>();
  for (const { object } of loaded.prepared?.objects ?? []) {
    const key = keyOf(object);
    desired.add(keyString(key));
    entries.set(keyString(key), { key, version: object.apiVersion.split('/').at(-1) ?? '' });
  }
  const lives = new Map(compared.entries.map(({ key, live }) => [keyString(key), live]));
  const pruning = new Map(
    (operation?.results ?? [])
      .filter(({ stepId }) => stepId.startsWith('prune/'))
      .map(({ key, outcome, status }) => [keyString(key), { outcome, status }]),
  );
  const isApplied = isAllApplied(input);
  const isInPlace = (name: string) => {
    const live = lives.get(name);
    if (live === undefined) return false;
    if (desired.has(name)) return true;
    const prune = pruning.get(name);
    // What is no more wanted and whose deletion was accepted is not ours any more, whatever keeps it.
    if (live.metadata.deletionTimestamp !== undefined || prune?.outcome === 'pruned') return false;
    return !isApplied || prune?.status === 'SyncFailed';
  };
  return [...entries]
    .filter(([name]) => compared.failed || isInPlace(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, entry]) => entry);
}

function isAllApplied({ loaded, operation }: InventoryInput): boolean {
  if (operation === undefined || operation.desiredDigest !== loaded.digest) return false;
  return operation.phase === 'Succeeded' || operation.appliedAtMs !== undefined;
}
