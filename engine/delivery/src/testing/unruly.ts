/** For tests: requests, answers and events late, lost, twice and in any order; and the same script again by its seed. */
import { isNotFound, type Transport, type TransportRequest } from '@capstan/kube-client';
import { CapstanError } from '@capstan/lib-std';

/** In [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Runs a script for each of some seeds, four at a time: few in CI, SEEDS many from SEED on in a run of its own. A failure
 * names its seed.
 */
export async function trySeeds(few: number, run: (seed: number) => Promise<void>): Promise<void> {
  const count = Number(process.env['SEEDS'] ?? few);
  const first = Number(process.env['SEED'] ?? 1);
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  const attempt = async (seed: number) => {
    await run(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
  };
  while (seeds.length > 0) await Promise.all(seeds.splice(0, 4).map(attempt));
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Something that people, Git or the cluster do to a world; what they do it to may be gone. */
export type Act<W> = (world: W, random: () => number, count: number) => Promise<unknown>;

/** So many acts, one after the other, some of them at once after the one before. */
export async function actAtRandom<W>(
  world: W,
  acts: readonly Act<W>[],
  { random, times }: { readonly random: () => number; readonly times: number },
): Promise<void> {
  for (let count = 1; count <= times; count++) {
    const act = acts[Math.floor(random() * acts.length)];
    await act?.(world, random, count).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    if (random() < 0.7) await pause(random() * 120);
  }
}

const LATE_MS = 40;

/** Does something once: after a reader has read, just before the first such request of its reaches the server. */
export function meddleBefore(
  inner: Transport,
  isMeant: (request: TransportRequest) => boolean,
  meddle: () => Promise<unknown>,
): Transport {
  let isDone = false;
  return {
    ...inner,
    server: inner.server,
    close: () => inner.close(),
    async request(request) {
      if (!isDone && isMeant(request)) {
        isDone = true;
        await meddle();
      }
      return inner.request(request);
    },
  };
}

/**
 * A network at its worst: requests and answers come late, also requests that were given up meanwhile; some answers to writes
 * never come. Within one watch the order is kept, as API servers do; each event may come late, and come again.
 */
export function unrulyNetwork(inner: Transport, random: () => number): Transport {
  const late = async () => {
    if (random() < 0.3) await pause(random() * LATE_MS);
  };
  const exchange = async ({ signal: _signal, ...request }: TransportRequest) => {
    await late();
    const response = await inner.request(request);
    const chunks = await Array.fromAsync(response.body);
    await late();
    if (request.method !== 'GET' && random() < LOST) throw lostAnswer;
    return { ...response, body: from(chunks) };
  };
  return {
    ...inner,
    server: inner.server,
    close: () => inner.close(),
    async request(request) {
      if (!request.path.includes('watch=')) return untilAborted(exchange(request), request.signal);
      const response = await inner.request(request);
      return { ...response, body: unruly(response.body, random) };
    },
  };
}

const LOST = 0.02;
const lostAnswer = new CapstanError('UNREACHABLE', 'the answer is lost', { kind: 'retry' });

async function* from<T>(values: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* values;
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted();
  const { promise: given, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(signal?.reason);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([work, given]);
  } finally {
    signal?.removeEventListener('abort', giveUp);
    work.catch(() => undefined);
  }
}

async function* unruly(
  body: AsyncIterable<Uint8Array>,
  random: () => number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let atLineStart = true;
  for await (const chunk of body) {
    if (random() < 0.3) await pause(random() * LATE_MS);
    const endsLine = chunk.at(-1) === 0x0a;
    yield chunk;
    if (atLineStart && endsLine && random() < 0.2) yield chunk;
    atLineStart = endsLine;
  }
}
