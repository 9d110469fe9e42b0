import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { portOf } from './support.ts';

export interface Proxy extends AsyncDisposable {
  readonly url: string;
  /** Destinations that were asked for. */
  readonly asked: string[];
}

/** An HTTP proxy that only knows CONNECT. */
export async function startHttpProxy(): Promise<Proxy> {
  const asked: string[] = [];
  const server = createHttpServer((_request, response) => response.writeHead(405).end());
  server.on('connect', (request, socket: Socket) => {
    const [host = '', port = ''] = (request.url ?? '').split(':');
    asked.push(request.url ?? '');
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      join(socket, target);
    });
    target.on('error', () => socket.destroy());
  });
  return listening(server, 'http', asked);
}

/** A SOCKS5 proxy without authentication, for IPv4 addresses and names (RFC 1928). */
export async function startSocksProxy(): Promise<Proxy> {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(Uint8Array.of(5, 0));
      socket.once('data', (request) => {
        const isName = request[3] === 3;
        const nameEnd = 5 + (request[4] ?? 0);
        const host = isName
          ? request.subarray(5, nameEnd).toString()
          : request.subarray(4, 8).join('.');
        const port = request.readUInt16BE(isName ? nameEnd : 8);
        asked.push(`${host}:${port}`);
        const target = connect(port, host, () => {
          socket.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
          join(socket, target);
        });
        target.on('error', () => socket.destroy());
      });
    });
  });
  return listening(server, 'socks5', asked);
}

function join(a: Socket, b: Socket): void {
  for (const socket of [a, b]) {
    socket.on('error', () => {});
    socket.on('close', () => {
      a.destroy();
      b.destroy();
    });
  }
  a.pipe(b);
  b.pipe(a);
}

async function listening(server: Server, scheme: string, asked: string[]): Promise<Proxy> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${scheme}://127.0.0.1:${portOf(server.address())}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
