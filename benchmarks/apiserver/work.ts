/** What both servers are asked to do, and what it cost. */
import { readFileSync } from 'node:fs';
import type { Side } from './sides.ts';

const IN_FLIGHT = 16;
export const base = '/api/v1/namespaces/bench/configmaps';

export function configMap(name: string, value: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'bench', labels: { app: 'bench' } },
    data: { value, text: 'x'.repeat(400) },
  };
}

/** Calls a second, with `IN_FLIGHT` at a time. */
export async function rate(count: number, run: (i: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  const ms = await timed(() => Promise.all(Array.from({ length: IN_FLIGHT }, worker)));
  return count / (ms / 1000);
}

export async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

export interface FanOut {
  /** Events a second that reach all watchers together, while objects are patched. */
  readonly perSecond: number;
  /** Of the server, without the connections that were made before. */
  readonly cpuMs: number;
}

export async function fanOut(side: Side, watchers: number, events: number): Promise<FanOut> {
  const wanted = watchers * events;
  const done = Promise.withResolvers<void>();
  let seen = 0;
  const count = (chunk: Buffer): void => {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) seen++;
    if (seen >= wanted) done.resolve();
  };
  const { metadata } = JSON.parse(await side.call({ path: `${base}?limit=1` })) as {
    readonly metadata: { readonly resourceVersion: string };
  };
  const path = `${base}?watch=1&resourceVersion=${metadata.resourceVersion}`;
  const streams: (() => void)[] = [];
  for (let i = 0; i < watchers; i += 50) {
    const some = Array.from({ length: Math.min(50, watchers - i) }, () => side.stream(path, count));
    streams.push(...(await Promise.all(some)));
  }
  const before = cpuMs(side);
  const ms = await timed(async () => {
    await rate(events, (i) =>
      side.call({
        method: 'PATCH',
        path: `${base}/c${i}`,
        body: { data: { value: `${watchers}` } },
        type: 'application/merge-patch+json',
      }),
    );
    await done.promise;
  });
  const cpu = cpuMs(side) - before;
  for (const stop of streams) stop();
  return { perSecond: wanted / (ms / 1000), cpuMs: cpu };
}

/** All threads of the server's process, finished ones too. */
export function cpuMs({ pid }: Side): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
