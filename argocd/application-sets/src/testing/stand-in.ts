/** A hoster's API on loopback: answers by path, and keeps what it was asked. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '@capstan/kube-object';

export interface Exchange {
  readonly method: string;
  /** Path with its query, decoded. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface StandInAnswer {
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
  readonly json?: Json;
}

export interface StandIn extends AsyncDisposable {
  readonly url: string;
  readonly asked: Exchange[];
}

/** What a path without an answer gives. */
const MISSING: StandInAnswer = { status: 404, json: { message: 'Not Found' } };

export async function startStandIn(
  answer: (exchange: Exchange, url: string) => StandInAnswer | undefined,
): Promise<StandIn> {
  const asked: Exchange[] = [];
  let url = '';
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const exchange = {
      method: request.method ?? '',
      path: decodeURIComponent(request.url ?? ''),
      headers: request.headers,
      body: Buffer.concat(parts).toString('utf8'),
    };
    asked.push(exchange);
    const { status = 200, headers = {}, json } = answer(exchange, url) ?? MISSING;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(json === undefined ? '' : JSON.stringify(json));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
