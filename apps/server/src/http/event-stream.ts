/** Server-sent events from an async iterable: each item is one message of JSON. A comment every 15 s keeps proxies awake. */
export function eventStream(events: AsyncIterable<unknown>, signal: AbortSignal): Response {
  const encoder = new TextEncoder();
  const iterator = events[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  let id = 0;
  async function end(): Promise<void> {
    clearInterval(timer);
    await iterator.return?.();
  }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode('retry: 2000\n\n'));
      timer = setInterval(() => controller.enqueue(encoder.encode(': awake\n\n')), AWAKE_MS);
      // Nobody may read any more, and then nothing is pulled.
      signal.addEventListener('abort', () => void end(), { once: true });
    },
    async pull(controller) {
      const next = await iterator.next().catch(async (error: unknown) => {
        await end();
        throw error;
      });
      if (next.done === true) {
        clearInterval(timer);
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
