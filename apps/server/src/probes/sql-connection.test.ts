import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { test } from 'node:test';
import { createAuthority } from '@capstan/kube-apiserver';
import mysql from 'mysql2';
import { PostgresConnection } from 'pg-gateway';
import type { SqlProbeTarget } from './probe-spec.ts';
import { runProbe } from './run-probe.ts';

const HOST = '127.0.0.1';
const signal = new AbortController().signal;
const LOGIN = { user: 'postgres', password: 'canary' };

const run = (target: SqlProbeTarget, timeoutMs = 20_000) =>
  runProbe({ target, timeoutMs }, { signal });

function sql(engine: SqlProbeTarget['engine'], port: number, more = {}): SqlProbeTarget {
  const rest = { host: HOST, database: '', tls: false, secretName: 'db', login: LOGIN };
  return { kind: 'sql', engine, port, ...rest, ...more };
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const QUERY = 'Q'.charCodeAt(0);
/** What a server answers to a query that gives one row, and that it is ready for the next. */
const ANSWERED = Buffer.from('C\0\0\0\rSELECT 1\0Z\0\0\0\x05I', 'latin1');

test('postgres: a connection, a login and an answer; one that is refused is told by its code alone', async () => {
  const queries: string[] = [];
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    const answerer = new PostgresConnection(socket, {
      authMode: 'cleartextPassword',
      validateCredentials: (given) =>
        given.authMode === 'cleartextPassword' &&
        given.user === LOGIN.user &&
        given.password === LOGIN.password,
      onMessage: (message, { isAuthenticated }) => {
        if (!isAuthenticated || message[0] !== QUERY) return false;
        queries.push(Buffer.from(message.subarray(5, -1)).toString());
        return socket.write(ANSWERED);
      },
    });
    assert.ok(answerer);
  }).listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const told = `postgres ${HOST}:${port}`;
    assert.deepEqual(await run(sql('postgres', port)), { ok: true, message: `${told}: answered` });
    assert.deepEqual(queries, ['SELECT 1']);
    const other = sql('postgres', port, { login: { user: 'nobody', password: 'canary' } });
    assert.deepEqual(await run(other), {
      ok: false,
      message: `${told}: the server refuses: SQLSTATE 28P01`,
    });
    const { login: _login, ...without } = sql('postgres', port);
    assert.deepEqual(await run(without), {
      ok: false,
      message: `${told}: Secret db has no keys username and password`,
    });
  } finally {
    server.close();
  }
});

test('postgres over TLS: the server has to show a certificate of the given authority', async () => {
  const authority = createAuthority(Date.now());
  const { certificate, key } = authority.issueServer([HOST]);
  const seen: boolean[] = [];
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    const answerer = new PostgresConnection(socket, {
      authMode: 'cleartextPassword',
      tls: { key: Buffer.from(key), cert: Buffer.from(certificate) },
      validateCredentials: ({ user }) => user === LOGIN.user,
      onMessage: (message, { isAuthenticated }) => {
        if (!isAuthenticated || message[0] !== QUERY) return false;
        seen.push(answerer.secureSocket !== undefined);
        return answerer.secureSocket?.write(ANSWERED) ?? false;
      },
    });
  }).listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const over = (login: SqlProbeTarget['login']) =>
      run(sql('postgres', port, { tls: true, login }));
    const given = { ...LOGIN, authority: authority.certificate };
    assert.deepEqual(await over(given), {
      ok: true,
      message: `postgres ${HOST}:${port}: answered`,
    });
    assert.deepEqual(seen, [true]);
    const other = createAuthority(Date.now()).certificate;
    for (const login of [LOGIN, { ...LOGIN, authority: other }]) {
      const { ok, message } = await over(login);
      assert.equal(ok, false);
      assert.doesNotMatch(message, /canary/);
    }
  } finally {
    server.close();
  }
});

/** The server's side of the protocol, by the library that has both. */
function serveOne(connection: mysql.Connection): void {
  // Each command counts its packets from the beginning.
  const numbered = connection as unknown as { sequenceId: number };
  connection.on('error', () => undefined);
  connection.serverHandshake({
    protocolVersion: 10,
    serverVersion: '8.0.0',
    connectionId: 1,
    statusFlags: 2,
    characterSet: 8,
    capabilityFlags: 0xffffff & ~0x800,
    authCallback: ({ user }: { user: string }, done: (...given: unknown[]) => void) => {
      if (user === LOGIN.user) done(null);
      else done(null, { message: 'Access denied for canary', code: 1045 });
      numbered.sequenceId = 0;
    },
  });
  connection.on('query', () => {
    numbered.sequenceId = 1;
    connection.writeTextResult([{ 1: '1' }], [COLUMN]);
  });
}

const COLUMN = {
  catalog: 'def',
  schema: '',
  table: '',
  orgTable: '',
  name: '1',
  orgName: '',
  characterSet: 63,
  columnLength: 1,
  columnType: 8,
  type: 8,
  flags: 129,
  decimals: 0,
};

test('mysql: a login that is taken answers, one that is refused is told by its code alone', async () => {
  const { _server: server } = mysql.createServer(serveOne) as unknown as {
    readonly _server: Server;
  };
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const told = `mysql ${HOST}:${port}`;
    assert.deepEqual(await run(sql('mysql', port)), { ok: true, message: `${told}: answered` });
    const other = sql('mysql', port, { login: { user: 'nobody', password: 'canary' } });
    assert.deepEqual(await run(other), {
      ok: false,
      message: `${told}: the server refuses: ER_ACCESS_DENIED_ERROR`,
    });
  } finally {
    server.close();
  }
});

test('a server that is silent, absent or must not be asked is an outcome, and no password is told', async () => {
  const silent = createTcpServer(() => undefined).listen(0, HOST);
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const closed = await freePort();
  for (const engine of ['postgres', 'mysql'] as const) {
    const late = await run(sql(engine, port), 100);
    assert.deepEqual(late, {
      ok: false,
      message: `${engine} ${HOST}:${port}: no answer within 0.1 s`,
    });
    const absent = await run(sql(engine, closed));
    assert.equal(absent.ok, false);
    assert.match(absent.message, /ECONNREFUSED/);
    const refused = await run(sql(engine, 80, { host: '169.254.169.254' }));
    assert.equal(refused.ok, false);
    for (const { message } of [late, absent, refused]) assert.doesNotMatch(message, /canary/);
  }
  silent.close();
});
