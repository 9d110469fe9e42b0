import { type ClientRequestArgs, Agent as PlainAgent } from 'node:http';
import { Agent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { refuseAddress } from './guard.ts';
import { openTunnel } from './tunnel.ts';

type Created = (error: Error | null, stream: Duplex) => void;

/** Node's agents take a SOCKS proxy for none at all and connect directly: these go through it. The proxy resolves names. */
export class SocksAgent extends Agent {
  readonly #proxy: URL;

  constructor(proxy: string) {
    super();
    this.#proxy = new URL(proxy);
  }

  override createConnection(options: RequestOptions, created?: Created): undefined {
    const { host, connection } = prepare(this.#proxy, options, 443);
    const named: ConnectionOptions = { servername: host, ...(options as ConnectionOptions) };
    connection.then(
      (socket) => created?.(null, connectTls({ ...named, socket })),
      (error) => created?.(error, undefined as never),
    );
  }
}

/** As `SocksAgent`, for `http:`. */
export class SocksPlainAgent extends PlainAgent {
  readonly #proxy: URL;

  constructor(proxy: string) {
    super();
    this.#proxy = new URL(proxy);
  }

  override createConnection(options: ClientRequestArgs, created?: Created): undefined {
    prepare(this.#proxy, options, 80).connection.then(
      (socket) => created?.(null, socket),
      (error) => created?.(error, undefined as never),
    );
  }
}

function prepare(proxy: URL, { host, port }: ClientRequestArgs, standardPort: number) {
  const name = host ?? 'localhost';
  const target = { host: name, port: Number(port ?? standardPort) };
  const connection = (async () => {
    refuseAddress(name);
    return await openTunnel(proxy, target);
  })();
  return { host: name, connection };
}
