import { NetworkError, type Transport, type TransportResponse } from '@capstan/kube-client';

export interface Faults {
  /** In [0, 1): each from a seed, so that a failing run can be had again. */
  readonly random: () => number;
  /** Of requests: not sent, sent but the answer lost, answered 429 or 500 instead. */
  readonly requests: number;
  /** Of the chunks of a watch: the stream breaks there, in the middle of a line, or says 410. */
  readonly chunks: number;
}

/** A transport that fails as networks, proxies and busy servers do. */
export function faultyTransport(inner: Transport, faults: Faults): Transport {
  const { random } = faults;
  return {
    server: inner.server,
    close: () => inner.close(),
    async request(request) {
      const isWatch = request.path.includes('watch=1');
      if (random() >= faults.requests) {
        const response = await inner.request(request);
        return isWatch
          ? { ...response, body: breaking(response.body, inner.server, faults) }
          : response;
      }
      const kind = Math.floor(random() * 4);
      if (kind === 0) throw new NetworkError(inner.server, coded('ECONNREFUSED'));
      if (kind === 1) return busy(429, 'TooManyRequests', { 'retry-after': '0' });
      if (kind === 2) return busy(500, 'InternalError', {});
      const response = await inner.request(request);
      for await (const _chunk of response.body) break;
      throw new NetworkError(inner.server, coded('ECONNRESET'));
    },
  };
}

async function* breaking(
  body: AsyncIterable<Uint8Array>,
  server: string,
  { random, chunks }: Faults,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of body) {
    if (random() >= chunks) {
      yield chunk;
      continue;
    }
    const kind = Math.floor(random() * 3);
    if (kind === 0) return;
    if (kind === 1) {
      yield chunk.subarray(0, Math.floor(chunk.length * random()));
      throw new NetworkError(server, coded('ECONNRESET'));
    }
    const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
    yield new TextEncoder().encode(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    return;
  }
}

function busy(status: number, reason: string, headers: Record<string, string>): TransportResponse {
  const text = JSON.stringify({ kind: 'Status', code: status, reason, message: 'made to fail' });
  return {
    status,
    headers,
    body: (async function* () {
      yield new TextEncoder().encode(text);
    })(),
  };
}

function coded(code: string): Error {
  return Object.assign(new Error(`made to fail: ${code}`), { code });
}
