import type { KindState } from './live-state-types.ts';
import type { StoredKind } from './live-store.ts';
import { compareResourceVersions } from './resource-version.ts';

/** One watch: a kind in all namespaces, or in one. */
export interface Stream {
  readonly namespace: string | undefined;
  state: KindState;
  /** Up to where this watch has told everything. */
  seen: string;
  /** While a state is being told: the objects of it so far. */
  present: Set<string> | undefined;
  /** What is told may read otherwise than before at the same version: the definition of the kind has changed. */
  isReread: boolean;
  /** Versions of own writes that are held already and that the watch has not told yet. */
  readonly written: Set<string>;
}

export interface Slot extends StoredKind {
  readonly streams: readonly Stream[];
  /** Called at each event; those who wait look whether it was what they wait for. */
  readonly waiters: Set<() => void>;
  /** Each ends the pause between two tries of a kind that is not served or forbidden. */
  readonly wakers: Set<() => void>;
  /** Each ends a watch, so that everything is read again. */
  readonly restarts: Set<() => void>;
}

/** The state of a kind that is watched in several namespaces. */
export function worstState(streams: readonly Stream[]): KindState {
  const order = ['failed', 'syncing', 'stale', 'synced'];
  const states = streams.map(({ state }) => state);
  const sorted = states.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  return sorted[0] ?? { kind: 'synced' };
}

/** All that there was up to this version has been told. */
export function hasSeen({ streams }: Slot, resourceVersion: string): boolean {
  return streams.every(
    ({ seen }) => seen !== '' && compareResourceVersions(seen, resourceVersion) >= 0,
  );
}

/** Looks after each event whether what is waited for is so; throws the signal's reason. */
export async function waitFor(
  slot: Slot,
  isDone: () => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  if (isDone()) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => {
    if (isDone()) resolve();
  };
  const stop = () => reject(signal?.reason);
  slot.waiters.add(look);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await promise;
  } finally {
    slot.waiters.delete(look);
    signal?.removeEventListener('abort', stop);
  }
}
