/** For tests: an OCI registry on the loopback address that takes what is pushed; everything is in memory. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { portOf } from '../cluster/support.ts';

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
}

interface Manifest {
  readonly type: string;
  readonly bytes: Buffer;
}

interface Repository {
  readonly blobs: Map<string, Buffer>;
  /** By tag and by digest. */
  readonly manifests: Map<string, Manifest>;
}

/** The distribution specification, as far as clients push, pull, tag and list. */
export async function startRegistry(): Promise<Registry> {
  const repositories = new Map<string, Repository>();
  const server = createServer((request, response) => {
    answer(request, response, repositories).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${portOf(server.address())}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  repositories: Map<string, Repository>,
): Promise<void> {
  const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
  const url = new URL(request.url ?? '/', 'http://registry');
  if (url.pathname === '/v2/') {
    response.writeHead(200).end('{}');
    return;
  }
  const found = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|tags)\/(.*)$/.exec(url.pathname);
  const [, name = '', kind = '', what = ''] = found ?? [];
  const repository = repositories.get(name) ?? { blobs: new Map(), manifests: new Map() };
  repositories.set(name, repository);
  const call = { request, response, url, body, name, what, repository };
  if (kind === 'blobs/uploads') upload(call);
  else if (kind === 'blobs') serve(call, repository.blobs.get(what));
  else if (kind === 'manifests') manifest(call);
  else if (kind === 'tags') {
    const tags = [...repository.manifests.keys()].filter((key) => !key.startsWith('sha256:'));
    response.end(JSON.stringify({ name, tags }));
  } else response.writeHead(404).end('{}');
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly body: Buffer;
  readonly name: string;
  readonly what: string;
  readonly repository: Repository;
}

/** One piece, or several and an end: what came so far is kept under the name of the upload. */
function upload({ request, response, url, body, name, what, repository }: Call): void {
  const digest = url.searchParams.get('digest');
  const before = repository.blobs.get(what) ?? Buffer.alloc(0);
  const bytes = Buffer.concat([before, body]);
  if (digest !== null && request.method !== 'PATCH') {
    repository.blobs.delete(what);
    repository.blobs.set(digest, bytes);
    response.writeHead(201, { location: `/v2/${name}/blobs/${digest}` }).end();
    return;
  }
  const id = what === '' ? randomUUID() : what;
  repository.blobs.set(id, bytes);
  const range = `0-${Math.max(0, bytes.length - 1)}`;
  response.writeHead(202, { location: `/v2/${name}/blobs/uploads/${id}`, range }).end();
}

function manifest({ request, response, body, what, name, repository }: Call): void {
  if (request.method === 'PUT') {
    const digest = digestOf(body);
    const made = { type: request.headers['content-type'] ?? '', bytes: body };
    repository.manifests.set(what, made);
    repository.manifests.set(digest, made);
    const location = `/v2/${name}/manifests/${digest}`;
    response.writeHead(201, { location, 'docker-content-digest': digest }).end();
    return;
  }
  const known = repository.manifests.get(what);
  if (known === undefined) {
    const errors = [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }];
    response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ errors }));
    return;
  }
  response.setHeader('content-type', known.type);
  response.setHeader('docker-content-digest', digestOf(known.bytes));
  serve({ request, response }, known.bytes);
}

function serve(
  { request, response }: Pick<Call, 'request' | 'response'>,
  bytes: Buffer | undefined,
): void {
  if (bytes === undefined) response.writeHead(404).end('{}');
  else {
    response.setHeader('content-length', bytes.length);
    response.writeHead(200).end(request.method === 'HEAD' ? undefined : bytes);
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
