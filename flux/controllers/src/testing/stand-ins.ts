/** A registry and a bucket for tests: what they hold is in memory, what they speak is HTTP. */
import { createHash, createSign, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export interface Layer {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface StandIn extends AsyncDisposable {
  /** `host:port`. */
  readonly host: string;
}

async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<StandIn & { readonly server: Server }> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export interface RegistryStandIn extends StandIn {
  /** Puts an artifact under a tag; answers its digest. */
  push(
    tag: string,
    layers: readonly Layer[],
    annotations?: Readonly<Record<string, string>>,
    configType?: string,
  ): string;
  /** Signs a digest as `cosign sign --key` of version 2 does. */
  sign(digest: string, key: KeyObject): void;
  requests: number;
}

/** One repository, `/v2/org/app`. With `login`, a token is asked for first, or user and password where those suffice. */
export async function startRegistry(
  login?: string,
  scheme: 'token' | 'basic' = 'token',
): Promise<RegistryStandIn> {
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, Buffer>();
  const tags = new Set<string>();
  const base = '/v2/org/app';
  const standIn = await listen((request, response) => {
    made.requests++;
    const url = new URL(request.url ?? '', 'http://x');
    const path = decodeURIComponent(url.pathname);
    const basic = `Basic ${Buffer.from(login ?? '').toString('base64')}`;
    const isKnown = request.headers.authorization === basic;
    if (login !== undefined && scheme === 'basic' && !isKnown) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    } else if (path === '/token') {
      response.writeHead(isKnown ? 200 : 401).end(JSON.stringify({ token: 'T' }));
    } else if (
      login !== undefined &&
      scheme === 'token' &&
      request.headers.authorization !== 'Bearer T'
    ) {
      const realm = `http://${standIn.host}/token`;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` }).end();
    } else if (path === '/v2/') response.end('{}');
    else if (path === `${base}/tags/list`) response.end(JSON.stringify({ tags: [...tags] }));
    else if (path.startsWith(`${base}/manifests/`)) {
      const found = manifests.get(path.slice(`${base}/manifests/`.length));
      if (found === undefined) response.writeHead(404).end('{}');
      else
        response
          .writeHead(200, {
            'content-type': OCI_MANIFEST,
            'docker-content-digest': digestOf(found),
          })
          .end(found);
    } else {
      const found = blobs.get(path.slice(`${base}/blobs/`.length));
      if (found === undefined) response.writeHead(404).end('{}');
      else response.end(found);
    }
  });
  const blob = (bytes: Uint8Array) => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  };
  const push: RegistryStandIn['push'] = (
    tag,
    layers,
    annotations = {},
    configType = 'application/vnd.cncf.flux.config.v1+json',
  ) => {
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: {
          mediaType: configType,
          ...blob(Buffer.from('{}')),
        },
        layers: layers.map(({ bytes, ...rest }) => ({ ...rest, ...blob(bytes) })),
        annotations,
      }),
    );
    const digest = digestOf(manifest);
    manifests.set(tag, manifest);
    manifests.set(digest, manifest);
    tags.add(tag);
    return digest;
  };
  const made: RegistryStandIn = {
    ...standIn,
    requests: 0,
    push,
    sign(digest, key) {
      const critical = {
        identity: { 'docker-reference': '' },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      };
      const bytes = Buffer.from(JSON.stringify({ critical, optional: null }));
      const signature = createSign('sha256').update(bytes).sign(key).toString('base64');
      push(`${digest.replace(':', '-')}.sig`, [
        {
          mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
          bytes,
          annotations: { 'dev.cosignproject.cosign/signature': signature },
        },
      ]);
    },
  };
  return made;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A bucket `data` that anybody may read; what it holds may be changed. */
export async function startBucket(objects: Map<string, string>): Promise<StandIn> {
  return await listen((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const key = decodeURIComponent(url.pathname).replace(/^\/data\//, '');
    const etag = (text: string) => createHash('md5').update(text).digest('hex');
    if (!url.pathname.startsWith('/data/')) response.writeHead(404).end();
    else if (key !== '') {
      const text = objects.get(key);
      if (text === undefined) response.writeHead(404).end();
      else response.writeHead(200, { etag: `"${etag(text)}"` }).end(text);
    } else {
      const prefix = url.searchParams.get('prefix') ?? '';
      const contents = [...objects]
        .filter(([name]) => name.startsWith(prefix))
        .map(
          ([name, text]) =>
            `<Contents><Key>${encodeURIComponent(name)}</Key><ETag>"${etag(text)}"</ETag></Contents>`,
        );
      response.end(`<ListBucketResult>${contents.join('')}</ListBucketResult>`);
    }
  });
}
