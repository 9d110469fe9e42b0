/**
 * For tests: an HTTP server on loopback that answers as a script says, for what a sound API server does rarely or never
 * (429, dropped streams, garbage). Discovery of a few kinds is built in.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { type ClientOptions, connect } from './create-client.ts';
import type { HttpTransportOptions } from './http-transport.ts';
import type { KubeClient } from './kube-client.ts';

export interface OddRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface OddAnswer {
  json(status: number, body: Json, headers?: Record<string, string>): void;
  raw(status: number, body: string | Uint8Array, headers?: Record<string, string>): void;
  /** Begins a stream; further calls add to it. */
  send(text: string): void;
  end(): void;
  /** Cuts the connection. */
  drop(): void;
  readonly closed: Promise<void>;
}

export type Script = (request: OddRequest, answer: OddAnswer) => void | Promise<void>;

export interface OddServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: OddRequest[];
  /** `METHOD path?query` of the requests that are not discovery. */
  log(): string[];
  client(options?: ClientOptions & HttpTransportOptions): KubeClient;
}

export async function startOddServer(script: Script): Promise<OddServer> {
  const requests: OddRequest[] = [];
  const clients: KubeClient[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const request = await readRequest(incoming);
    const answer = answerTo(outgoing);
    const discovered = discovery[request.path];
    if (discovered !== undefined) {
      answer.json(200, discovered);
      return;
    }
    requests.push(request);
    await script(request, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    requests,
    log: () =>
      requests.map(
        ({ method, path, query }) => `${method} ${path}${query.size > 0 ? `?${query}` : ''}`,
      ),
    client(options = {}) {
      const credentials = { current: async () => ({ headers: {} }), rejected: () => {} };
      const client = connect(
        { server: url, credentials, origin: 'test', namespace: 'default' },
        options,
      );
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function statusBody(
  code: number,
  reason: string,
  message: string,
  details?: JsonObject,
): JsonObject {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code };
  return details === undefined ? body : { ...body, details };
}

export function thing(name: string, resourceVersion: string, more: JsonObject = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion },
    ...more,
  };
}

export function watchLine(type: string, object: JsonObject): string {
  return `${JSON.stringify({ type, object })}\n`;
}

async function readRequest(incoming: IncomingMessage): Promise<OddRequest> {
  let body = '';
  for await (const chunk of incoming.setEncoding('utf8')) body += chunk;
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: new URLSearchParams(url.search),
    headers: incoming.headers,
    rawHeaders: incoming.rawHeaders,
    body,
  };
}

function answerTo(outgoing: ServerResponse): OddAnswer {
  const closed = new Promise<void>((resolve) => outgoing.once('close', resolve));
  return {
    json(status, body, headers = {}) {
      outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
      outgoing.end(JSON.stringify(body));
    },
    raw(status, body, headers = {}) {
      outgoing.writeHead(status, headers);
      outgoing.end(body);
    },
    send(text) {
      if (!outgoing.headersSent) outgoing.writeHead(200, { 'content-type': 'application/json' });
      outgoing.write(text);
    },
    end: () => outgoing.end(),
    drop: () => outgoing.destroy(),
    closed,
  };
}

function resource(name: string, kind: string, subresources: string[] = []): JsonObject {
  return {
    resource: name,
    responseKind: { group: '', version: 'v1', kind },
    scope: kind === 'Node' ? 'Cluster' : 'Namespaced',
    singularResource: kind.toLowerCase(),
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    subresources: subresources.map((subresource) => ({ subresource })),
  };
}

const discovery: Readonly<Record<string, Json>> = {
  '/api': {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    items: [
      {
        metadata: {},
        versions: [
          {
            version: 'v1',
            resources: [
              resource('configmaps', 'ConfigMap'),
              resource('nodes', 'Node'),
              resource('secrets', 'Secret'),
              resource('pods', 'Pod', ['log', 'exec', 'status']),
            ],
          },
        ],
      },
    ],
  },
  '/apis': { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items: [] },
};
