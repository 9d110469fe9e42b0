/**
 * Server-sent events from an async iterable: each item is one message of JSON. A comment every 15 s keeps proxies awake. The
 * iterable is given a signal that aborts when the reader goes away (the body is cancelled): that of the Request would do so
 * only as long as nothing has collected the Request as garbage.
 */
export function eventStream(open: (signal: AbortSignal) => AsyncIterable<unknown>): Response {
  const encoder = new TextEncoder();
  const life = new AbortController();
  const iterator = open(life.signal)[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  let id = 0;
  async function end(): Promise<void> {
    clearInterval(timer);
    life.abort();
    await iterator.return?.();
  }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode('retry: 2000\n\n'));
      timer = setInterval(() => controller.enqueue(encoder.encode(': awake\n\n')), AWAKE_MS);
    },
    async pull(controller) {
      const next = await iterator.next().catch(async (error: unknown) => {
        await end();
        throw error;
      });
      // The iterable ends for a reader who left, too, whose body is closed already.
      if (life.signal.aborted) return;
      if (next.done === true) {
        await end();
        controller.close();
        return;
      }
      const data = JSON.stringify(next.value);
      controller.enqueue(encoder.encode(`id: ${++id}\ndata: ${data}\n\n`));
    },
    cancel: end,
  });
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
  });
}

const AWAKE_MS = 15_000;
