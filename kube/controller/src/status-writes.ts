import { isDeepStrictEqual } from 'node:util';
import type { LiveChange, LiveState } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import type { EnqueueOptions } from './controller-types.ts';

interface Named {
  readonly namespace: string;
  readonly name: string;
}

const WRITER = 'status';
/** Two who write the same status are to take their time. */
const FOREIGN: EnqueueOptions = { afterMs: 1_000, reason: 'status of others' };

/**
 * Tells what others write to the status of a controller's objects from what the controller writes itself: a person, a backup,
 * or a former process whose write came in late. Such a status tells what nobody observed, so that it has to be looked at.
 */
export class StatusWrites {
  readonly #enqueue: (key: Named, options: EnqueueOptions) => void;
  /** Of each object whose status is being written: the versions with another status that the cache told meanwhile. */
  readonly #writing = new Map<string, string[]>();

  constructor(enqueue: (key: Named, options: EnqueueOptions) => void) {
    this.#enqueue = enqueue;
  }

  /** Writes a status, one at a time for each object, and tells the cache; undefined when there was nothing to write. */
  async write(
    key: Named,
    live: Pick<LiveState, 'observeWrite'>,
    write: () => Promise<KubeObject | undefined>,
  ): Promise<KubeObject | undefined> {
    const id = idOf(key);
    const seen: string[] = [];
    this.#writing.set(id, seen);
    const written = await write().finally(() => this.#writing.delete(id));
    if (seen.some((version) => version !== written?.metadata.resourceVersion))
      this.#enqueue(key, FOREIGN);
    if (written !== undefined) live.observeWrite(written, { writer: WRITER });
    return written;
  }

  /** To be told of each change of such an object that is no reason to look by itself. */
  see({ key, before, after, writer }: LiveChange): void {
    if (writer === WRITER || before === undefined || after === undefined) return;
    if (isDeepStrictEqual(before.read()['status'], after.read()['status'])) return;
    const seen = this.#writing.get(idOf(key));
    if (seen === undefined) this.#enqueue({ namespace: key.namespace, name: key.name }, FOREIGN);
    else seen.push(after.resourceVersion);
  }
}

function idOf({ namespace, name }: Named): string {
  return `${namespace}/${name}`;
}
