import { isIP, Socket } from 'node:net';
import { guardedConnect, guardedLookup, refuseAddress } from '@capstan/lib-egress';

export interface SqlTarget {
  readonly engine: 'postgres' | 'mysql';
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls: boolean;
  /** Certificates of authorities; absent: those that this machine trusts. */
  readonly authority?: string;
}

/**
 * Opens a connection, logs in and asks for the number one. The clients are loaded at the first such probe. What the server
 * says is reduced to its code: texts of a database may hold anything.
 */
export async function askSql(target: SqlTarget, signal: AbortSignal): Promise<void> {
  try {
    await (target.engine === 'postgres' ? askPostgres(target, signal) : askMysql(target, signal));
  } catch (error) {
    signal.throwIfAborted();
    const code = codeOf(error);
    throw code === undefined ? error : new Error(`the server refuses: ${code}`, { cause: error });
  }
}

async function askPostgres(target: SqlTarget, signal: AbortSignal): Promise<void> {
  const { host, port, database, user, password } = target;
  refuseAddress(host);
  const { default: postgres } = await import('pg');
  const socket = new LookingSocket();
  const client = new postgres.Client({
    host,
    port,
    user,
    password,
    ...(database === '' ? {} : { database }),
    ssl: tlsOf(target) ?? false,
    stream: () => socket,
  });
  // Told again through the promise that is awaited.
  client.on('error', () => undefined);
  await ended(signal, socket, async () => {
    await client.connect();
    await client.query('SELECT 1');
    // A connection that only breaks off is an error in the server's log.
    await client.end();
  });
}

async function askMysql(target: SqlTarget, signal: AbortSignal): Promise<void> {
  const { host, port, database, user, password } = target;
  const ssl = tlsOf(target);
  const { createConnection } = await import('mysql2');
  const socket = guardedConnect(host, port);
  const connection = createConnection({
    user,
    password,
    ...(database === '' ? {} : { database }),
    ...(ssl === undefined ? {} : { ssl: ssl as object }),
    stream: socket,
  });
  connection.on('error', () => undefined);
  await ended(signal, socket, async () => {
    await connection.promise().query('SELECT 1');
    await connection.promise().end();
  });
}

function tlsOf({ host, tls, authority }: SqlTarget) {
  if (!tls) return undefined;
  // An address is no server name; the certificate is held against it all the same.
  const name = isIP(host) === 0 ? { servername: host } : {};
  return { ...name, host, ...(authority === undefined ? {} : { ca: authority }) };
}

/** Its name is resolved as every other's: never to an address that must not be asked. */
class LookingSocket extends Socket {
  override connect(...given: unknown[]): this {
    const [port, host] = given;
    if (typeof port !== 'number' || typeof host !== 'string') throw new Error('a host and a port');
    return super.connect({ port, host, lookup: guardedLookup });
  }
}

/** Nothing of the connection outlives the question. */
async function ended(
  signal: AbortSignal,
  socket: Socket,
  work: () => Promise<void>,
): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await Promise.race([work(), promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

/** SQLSTATE of PostgreSQL, or the name that MySQL gives its errors. Those of the network say themselves what they are. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || 'syscall' in error) return undefined;
  if ('severity' in error && 'code' in error) return `SQLSTATE ${String(error.code)}`;
  return 'sqlState' in error && 'code' in error ? String(error.code) : undefined;
}
