import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

/** A server of this process, called as a function. */
export interface InProcessServer {
  readonly server: string;
  request(
    request: Omit<TransportRequest, 'headers'> & {
      readonly headers: Readonly<Record<string, string>>;
    },
  ): Promise<TransportResponse>;
  close(): Promise<void>;
}

/**
 * A transport without a socket. Repeated headers are joined by commas, as Node's HTTP server would hand them over, and an
 * abort ends a call even when the server does not look at the signal.
 */
export function inProcessTransport(server: InProcessServer): Transport {
  return {
    server: server.server,
    close: () => server.close(),
    async request(request) {
      request.signal?.throwIfAborted();
      const entries = Object.entries(request.headers).map(([name, value]): [string, string] => [
        name,
        typeof value === 'string' ? value : value.join(', '),
      ]);
      const response = await server.request({ ...request, headers: Object.fromEntries(entries) });
      return { ...response, body: untilAborted(response.body, request.signal) };
    },
  };
}

async function* untilAborted(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const stop = () => aborted.reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  const chunks = body[Symbol.asyncIterator]();
  let isEnded = false;
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), aborted.promise]);
      isEnded = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    // Not awaited: a server that waits inside of `next` only hears of it when that returns.
    if (!isEnded) chunks.return?.()?.catch(() => {});
  }
}
