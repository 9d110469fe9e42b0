import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const HEAD_BYTES_MAX = 64 * 1024;
const TIMEOUT_MS = 15_000;
const SOCKS_REFUSALS = [
  'general failure',
  'connection not allowed by ruleset',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'TTL expired',
  'command not supported',
  'address type not supported',
];

export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
}

/** Reads exactly what is asked for, so that nothing of what follows is lost. */
class Reader {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async take(size: number): Promise<Buffer> {
    for (;;) {
      const chunk: Buffer | null = this.#socket.read(size);
      if (chunk !== null && chunk.length === size) return chunk;
      if (chunk !== null) this.#socket.unshift(chunk);
      await this.#more();
    }
  }

  #more(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const ended = () => reject(new Error('the proxy closed the connection'));
    if (this.#socket.readableEnded) ended();
    this.#socket.once('readable', resolve).once('end', ended).once('error', reject);
    return promise.finally(() => {
      this.#socket.off('readable', resolve).off('end', ended).off('error', reject);
    });
  }
}

async function openHttpTunnel(
  socket: Socket,
  proxy: URL,
  { host, port }: TunnelTarget,
): Promise<void> {
  const name = host.includes(':') ? `[${host}]` : host;
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const login =
    user === ':' ? '' : `Proxy-Authorization: Basic ${Buffer.from(user).toString('base64')}\r\n`;
  socket.write(`CONNECT ${name}:${port} HTTP/1.1\r\nHost: ${name}:${port}\r\n${login}\r\n`);
  const reader = new Reader(socket);
  let head = '';
  while (!head.endsWith('\r\n\r\n')) {
    if (head.length > HEAD_BYTES_MAX) throw new Error('the proxy answers too much');
    head += (await reader.take(1)).toString('latin1');
  }
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  if (status?.startsWith('2') !== true)
    throw new Error(`the proxy answers ${head.split('\r\n', 1)[0]}`);
}

async function openSocksTunnel(socket: Socket, proxy: URL, target: TunnelTarget): Promise<void> {
  const reader = new Reader(socket);
  const user = Buffer.from(decodeURIComponent(proxy.username));
  const password = Buffer.from(decodeURIComponent(proxy.password));
  const hasLogin = user.length > 0;
  socket.write(hasLogin ? Buffer.from([5, 2, 0, 2]) : Buffer.from([5, 1, 0]));
  const [, method] = await reader.take(2);
  if (method === 2 && hasLogin) {
    const sizes = [Buffer.from([1, user.length]), Buffer.from([password.length])] as const;
    socket.write(Buffer.concat([sizes[0], user, sizes[1], password]));
    if ((await reader.take(2))[1] !== 0) throw new Error('the proxy refuses user and password');
  } else if (method !== 0) throw new Error('the proxy wants another way to log in');
  // The name goes to the proxy, which may know hosts that we do not.
  const host = Buffer.from(target.host);
  const port = Buffer.from([target.port >> 8, target.port & 0xff]);
  socket.write(Buffer.concat([Buffer.from([5, 1, 0, 3, host.length]), host, port]));
  const [, code = 1, , kind] = await reader.take(4);
  if (code !== 0) throw new Error(`the proxy answers: ${SOCKS_REFUSALS[code - 1] ?? code}`);
  const size = kind === 1 ? 4 : kind === 4 ? 16 : ((await reader.take(1))[0] ?? 0);
  await reader.take(size + 2);
}

/**
 * A connection to `target` through a proxy: by HTTP CONNECT (RFC 9110, 9.3.6), over TLS for `https:`, or by SOCKS5 (RFC 1928, with
 * user and password by RFC 1929).
 */
export async function openTunnel(proxy: URL, target: TunnelTarget): Promise<Socket> {
  const isSocks = /^socks5h?:$/.test(proxy.protocol);
  const isTls = proxy.protocol === 'https:';
  const port = Number(proxy.port || (isSocks ? 1080 : isTls ? 443 : 80));
  const host = proxy.hostname.replace(/^\[|\]$/g, '');
  const socket = isTls ? connectTls({ host, port, servername: host }) : connect({ host, port });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once(isTls ? 'secureConnect' : 'connect', resolve).once('error', reject);
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('the proxy does not answer')));
  try {
    await promise;
    await (isSocks ? openSocksTunnel : openHttpTunnel)(socket, proxy, target);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  socket.setTimeout(0);
  return socket;
}
