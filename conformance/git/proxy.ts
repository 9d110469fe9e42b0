import { connect, createServer, type Socket } from 'node:net';

/** A proxy for tests, HTTP CONNECT and SOCKS5 on one port, that asks for user and password. */
export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  /** `http host:port` or `socks5 host:port` of each tunnel that was opened. */
  readonly targets: string[];
}

interface Login {
  readonly user: string;
  readonly password: string;
}

export async function startProxy(login: Login): Promise<TestProxy> {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()));
    const opened = (scheme: string, host: string, port: number, answer: string | Buffer) => {
      targets.push(`${scheme} ${host}:${port}`);
      const target = connect({ host, port }, () => socket.write(answer));
      sockets.add(target.on('error', () => socket.destroy()));
      target.pipe(socket).pipe(target);
    };
    socket.once('data', (first: Buffer) => {
      if (first[0] === 5) serveSocks(socket, login, opened);
      else serveHttp(socket, first.toString('latin1'), login, opened);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    targets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Opened = (scheme: string, host: string, port: number, answer: string | Buffer) => void;

function serveHttp(socket: Socket, head: string, { user, password }: Login, opened: Opened): void {
  const [, host = '', port = ''] = /^CONNECT ([^ :]+):(\d+) HTTP\/1\.1\r\n/.exec(head) ?? [];
  const given = /^Proxy-Authorization: Basic (\S+)\r$/m.exec(head)?.[1] ?? '';
  if (Buffer.from(given, 'base64').toString() === `${user}:${password}`)
    opened('http', host, Number(port), 'HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n');
  else socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
}

function serveSocks(socket: Socket, { user, password }: Login, opened: Opened): void {
  socket.write(Buffer.from([5, 2]));
  socket.once('data', (login: Buffer) => {
    const userSize = login[1] ?? 0;
    const given = [login.subarray(2, 2 + userSize), login.subarray(3 + userSize)].map(String);
    if (given[0] !== user || given[1] !== password) {
      socket.end(Buffer.from([1, 1]));
      return;
    }
    socket.write(Buffer.from([1, 0]));
    socket.once('data', (request: Buffer) => {
      const size = request[4] ?? 0;
      const host = request.subarray(5, 5 + size).toString();
      opened(
        'socks5',
        host,
        request.readUInt16BE(5 + size),
        Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
      );
    });
  });
}
