import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

const running = new AsyncLocalStorage<string>();

/** Gives whatever `run` does, however deep, an id of its own: what controller-runtime logs as `reconcileID`. */
export function withReconcileId<T>(run: () => Promise<T>): Promise<T> {
  return running.run(randomUUID(), run);
}

/** Of the reconcile that is under way here; undefined outside of one. */
export function currentReconcileId(): string | undefined {
  return running.getStore();
}
