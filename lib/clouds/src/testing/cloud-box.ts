/**
 * For tests: clouds in this process. An HTTP proxy behind which services stand under the names that the real ones have, with
 * certificates of an authority of its own.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  createServer,
  request as forward,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import {
  createSecureContext,
  createServer as createTlsServer,
  getCACertificates,
  type SecureContext,
  setDefaultCACertificates,
} from 'node:tls';
import {
  alternativeNames,
  basicConstraints,
  distinguishedName,
  encodePem,
  keyUsage,
  OID,
  publicKeyInfo,
  signCertificate,
} from '@capstan/lib-x509';

export interface BoxRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface BoxAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Uint8Array | object;
}

export interface CloudService {
  /** Which hosts it is. */
  readonly hosts: RegExp;
  /** Absent: all. */
  readonly paths?: RegExp;
  readonly answer: (request: BoxRequest) => BoxAnswer;
}

/** A server of this machine under another name. */
export interface ForwardedService {
  readonly hosts: RegExp;
  /** `host:port`. */
  readonly forwardTo: string;
}

export interface CloudBox extends AsyncDisposable {
  /** URL of the proxy. */
  readonly proxy: string;
  /** URL of a SOCKS5 proxy to the same. */
  readonly socks: string;
  /** PEM of the authority; trusted by this process until the box is closed. */
  readonly caCertificate: string;
  /** `POST host/path` of each request, in order. */
  readonly asked: readonly string[];
}

export async function startCloudBox(
  services: readonly (CloudService | ForwardedService)[],
): Promise<CloudBox> {
  const authority = createAuthority();
  const asked: string[] = [];
  const handle = async (scheme: string, request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '/';
    const url = new URL(path.startsWith('/') ? `${scheme}://${request.headers.host}${path}` : path);
    asked.push(`${request.method} ${url.hostname}${url.pathname}`);
    const service = services.find((one) => isFor(one, url));
    if (service === undefined || 'forwardTo' in service) {
      return passOn(service?.forwardTo ?? url.host, url, request, response);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const body = Buffer.concat(chunks).toString('utf8');
    send(response, service.answer({ method: request.method ?? '', url, headers, body }));
  };
  const inner = createServer((request, response) => void handle('https', request, response));
  const secure = createTlsServer(
    { SNICallback: (name, done) => done(null, authority.contextFor(name)) },
    (socket) => inner.emit('connection', socket),
  );
  const proxy = createServer((request, response) => void handle('http', request, response));
  await listen(secure);
  await listen(proxy);
  const sockets = new Set<{ destroy(): void }>();
  proxy.on('connect', (_request, socket) => {
    const tunnel = connect(portOf(secure), '127.0.0.1');
    for (const one of [socket, tunnel]) sockets.add(one.on('error', () => socket.destroy()));
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(tunnel).pipe(socket);
  });
  const socks = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()));
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', (request: Buffer) => {
        const isTls = request.readUInt16BE(request.length - 2) === 443;
        const tunnel = connect(portOf(isTls ? secure : proxy), '127.0.0.1');
        sockets.add(tunnel.on('error', () => socket.destroy()));
        socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
        socket.pipe(tunnel).pipe(socket);
      });
    });
  });
  await listen(socks);
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, authority.certificate]);
  return {
    proxy: `http://127.0.0.1:${portOf(proxy)}`,
    socks: `socks5://127.0.0.1:${portOf(socks)}`,
    caCertificate: authority.certificate,
    asked,
    async [Symbol.asyncDispose]() {
      setDefaultCACertificates(trusted);
      for (const socket of sockets) socket.destroy();
      proxy.closeAllConnections();
      proxy.close();
      inner.closeAllConnections();
      secure.close();
      socks.close();
    },
  };
}

function isFor(service: CloudService | ForwardedService, url: URL): boolean {
  const isPath = !('paths' in service) || service.paths?.test(url.pathname) !== false;
  return isPath && service.hosts.test(url.hostname);
}

function listen(server: Server) {
  return new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
}

function portOf(server: Server) {
  return (server.address() as AddressInfo).port;
}

function passOn(target: string, url: URL, request: IncomingMessage, response: ServerResponse) {
  const [host = '', port = '80'] = target.split(':');
  const { method } = request;
  const options = { host, port, path: `${url.pathname}${url.search}`, headers: request.headers };
  const asked = forward({ ...options, method }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  asked.on('error', () => response.writeHead(502).end());
  request.pipe(asked);
}

function send(response: ServerResponse, { status = 200, headers = {}, body = '' }: BoxAnswer) {
  const isData = typeof body === 'string' || body instanceof Uint8Array;
  const bytes = Buffer.from(isData ? body : JSON.stringify(body));
  response.writeHead(status, {
    ...(isData ? {} : { 'content-type': 'application/json' }),
    'content-length': String(bytes.length),
    ...headers,
  });
  response.end(bytes);
}

function createAuthority() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = distinguishedName([[OID.commonName, `clouds of a test ${Math.random()}`]]);
  const certificate = issue({ name, key: privateKey, isAuthority: true }, privateKey, name);
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const contexts = new Map<string, SecureContext>();
  return {
    certificate,
    contextFor(host: string): SecureContext {
      const known = contexts.get(host);
      if (known !== undefined) return known;
      const subject = distinguishedName([[OID.commonName, host.slice(0, 60)]]);
      const cert = issue({ name: subject, key: leaf, host }, privateKey, name);
      const key = leaf.export({ type: 'pkcs8', format: 'pem' }).toString();
      const context = createSecureContext({ cert, key });
      contexts.set(host, context);
      return context;
    },
  };
}

function issue(
  of: {
    readonly name: Uint8Array;
    readonly key: KeyObject;
    readonly host?: string;
    readonly isAuthority?: boolean;
  },
  signer: KeyObject,
  issuer: Uint8Array,
): string {
  const { name, key, host, isAuthority = false } = of;
  const fields = {
    serialNumber: BigInt(Math.floor(Math.random() * 1e15) + 1),
    issuer,
    subject: name,
    notBeforeMs: Date.now() - 3_600_000,
    notAfterMs: Date.now() + 24 * 3_600_000,
    publicKey: publicKeyInfo(key),
    extensions: [
      basicConstraints(isAuthority),
      isAuthority ? keyUsage('keyCertSign') : keyUsage('digitalSignature'),
      ...(host === undefined ? [] : [alternativeNames({ dnsNames: [host], ips: [] })]),
    ],
  };
  return encodePem('CERTIFICATE', signCertificate(fields, createPrivateKey(pemOf(signer))));
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
