/** For tests: a chart repository and an OCI registry on the loopback address, which answer as a script says. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpGet } from '@capstan/lib-oci';

export interface StandIn extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  /** `path authorization` of every request. */
  readonly seen: string[];
}

export interface Scripted {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A function sends for as long as the reader listens; `never` sends the headers and then nothing. */
  readonly body?: string | Uint8Array | (() => string) | { readonly never: true };
}

export async function standIn(
  script: (path: string, request: IncomingMessage) => Scripted | undefined,
): Promise<StandIn> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    seen.push(`${path} ${request.headers.authorization ?? '-'}`);
    const { status = 200, headers = {}, body = '' } = script(path, request) ?? { status: 404 };
    response.writeHead(status, headers);
    if (typeof body === 'object' && 'never' in body) response.flushHeaders();
    else if (typeof body !== 'function') response.end(body);
    else {
      const more = (): void => {
        while (!response.destroyed && response.write(body()));
      };
      response.on('drain', more);
      more();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    seen,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The port by Node's own client; redirects are left to the caller. */
export const nodeGet: HttpGet = async ({ url, headers, signal }) => {
  const response = await fetch(url, {
    headers,
    redirect: 'manual',
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: response.body ?? emptyBody(),
  };
};

async function* emptyBody(): AsyncIterable<Uint8Array> {}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
