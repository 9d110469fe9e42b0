import type { KubeClient } from '@capstan/kube-client';
import { formatKey, type KubeObject, keyOf } from '@capstan/kube-object';
import { CapstanError, type Clock } from '@capstan/lib-std';

/** Resolves when the object, by uid, no longer exists. Looks with growing pauses; throws STILL_DELETING after the limit. */
export async function waitUntilGone(
  object: KubeObject,
  {
    client,
    clock,
    signal,
    limitMs = 60_000,
  }: {
    readonly client: KubeClient;
    readonly clock: Clock;
    readonly signal?: AbortSignal | undefined;
    readonly limitMs?: number;
  },
): Promise<void> {
  const { namespace = '', name = '', uid } = object.metadata;
  const ref = { apiVersion: object.apiVersion, kind: object.kind, namespace, name };
  const end = clock.now() + limitMs;
  for (let pauseMs = 10; ; pauseMs = Math.min(1000, pauseMs * 2)) {
    const found = await client.find(ref, { metadataOnly: true, ...(signal ? { signal } : {}) });
    if (found === undefined || found.metadata.uid !== uid) return;
    if (clock.now() >= end) {
      throw new CapstanError(
        'STILL_DELETING',
        `${formatKey(keyOf(object))} is still being deleted`,
        {
          kind: 'retry',
          hint: 'see which finalizers hold it: kubectl get -o yaml shows metadata.finalizers',
        },
      );
    }
    await sleep(pauseMs, clock, signal);
  }
}

function sleep(ms: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = () => {
      stop();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
