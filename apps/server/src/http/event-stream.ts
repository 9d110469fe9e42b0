/** Server-sent events from an async iterable: each item is one message of JSON. A comment every 15 s keeps proxies awake. */
export function eventStream(events: AsyncIterable<unknown>, signal: AbortSignal): Response {
  const encoder = new TextEncoder();
  const iterator = events[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  let id = 0;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode('retry: 2000\n\n'));
      timer = setInterval(() => controller.enqueue(encoder.encode(': awake\n\n')), AWAKE_MS);
      signal.addEventListener('abort', () => void iterator.return?.(), { once: true });
    },
    async pull(controller) {
      const next = await iterator.next();
      if (next.done === true) {
        clearInterval(timer);
        controller.close();
        return;
      }
      const data = JSON.stringify(next.value);
      controller.enqueue(encoder.encode(`id: ${++id}\ndata: ${data}\n\n`));
    },
    async cancel() {
      clearInterval(timer);
      await iterator.return?.();
    },
  });
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
  });
}

const AWAKE_MS = 15_000;
