import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

const running = new AsyncLocalStorage<string>();

/** Gives whatever `run` does, however deep, an id of its own: what controller-runtime logs as `reconcileID`. */
export function withReconcileId<T>(run: () => Promise<T>): Promise<T> {
  // Timers that a reconcile leaves keep its id: in one piece, and not as the chain of parts that is made first.
  const id = Buffer.from(randomUUID(), 'latin1').toString('latin1');
  return running.run(id, run);
}

/** Of the reconcile that is under way here; undefined outside of one. */
export function currentReconcileId(): string | undefined {
  return running.getStore();
}
