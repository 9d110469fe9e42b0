/** The two servers of the comparison, each in a process of its own and reached over HTTPS by the same client. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../../conformance/cluster/cluster.ts';

const PATIENCE_MS = 60_000;

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
}

export interface Side {
  readonly pid: number;
  /** The time of the first request that is answered, since the process was begun. */
  readonly readyMs: number;
  /** The whole answer; throws for whatever is no success. */
  call(call: Call): Promise<string>;
  /** Reads an answer to its end, or until this text has come, and throws it away; gives its bytes. */
  drain(call: Call, until?: string): Promise<number>;
  /** A stream that stays open on a connection of its own. */
  stream(path: string, onChunk: (chunk: Buffer) => void): Promise<() => void>;
  stop(): Promise<void>;
}

interface Access {
  readonly server: string;
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly token?: string;
}

function connect({ server, token, ...tls }: Access): Pick<Side, 'call' | 'drain' | 'stream'> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, ...tls });
  const open = (call: Call, extra: RequestOptions, onChunk: (chunk: Buffer) => void) =>
    new Promise<{ ended: Promise<void>; destroy: () => void }>((resolve, reject) => {
      const text = call.body === undefined ? undefined : JSON.stringify(call.body);
      const sent = request(
        server + call.path,
        {
          method: call.method ?? 'GET',
          agent,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(call.accept === undefined ? {} : { accept: call.accept }),
            ...(text === undefined ? {} : { 'content-type': call.type ?? 'application/json' }),
          },
          ...extra,
        },
        (response) => {
          const fault = `${call.method ?? 'GET'} ${call.path}: ${response.statusCode}`;
          if ((response.statusCode ?? 500) >= 300) reject(new Error(fault));
          const ended = new Promise<void>((done) => {
            response.once('close', done);
          });
          // A stream that waits for the others to be opened says nothing for long.
          if (extra.agent === false) sent.setTimeout(0);
          response.on('data', onChunk).on('error', () => undefined);
          resolve({ ended, destroy: () => sent.destroy() });
        },
      );
      // An answer may take long, a beginning of one may not: better a fault with a name than a run without an end.
      sent.setTimeout(PATIENCE_MS, () =>
        sent.destroy(new Error(`${call.method ?? 'GET'} ${call.path}: no word for a minute`)),
      );
      sent.on('error', reject);
      sent.end(text);
    });
  return {
    async call(call) {
      const chunks: Buffer[] = [];
      const { ended } = await open(call, {}, (chunk) => chunks.push(chunk));
      await ended;
      return Buffer.concat(chunks).toString();
    },
    async drain(call, until) {
      let bytes = 0;
      let before: Buffer = Buffer.alloc(0);
      const enough = Promise.withResolvers<void>();
      const { ended, destroy } = await open(call, {}, (chunk) => {
        bytes += chunk.length;
        if (until === undefined) return;
        // The text may begin in one chunk and end in the next.
        const seam = Buffer.concat([before, chunk.subarray(0, until.length)]);
        if (chunk.includes(until) || seam.includes(until)) enough.resolve();
        before = chunk.subarray(-until.length);
      });
      await Promise.race([ended, enough.promise]);
      destroy();
      return bytes;
    },
    stream: async (path, onChunk) =>
      (await open({ path }, { agent: false, ...tls }, onChunk)).destroy,
  };
}

const CAPSTAN = fileURLToPath(new URL('../../apps/cli/bin/capstan.mjs', import.meta.url));

/** `capstan sandbox`, as a user starts it. */
export async function startOurs(compileCache?: string): Promise<Side> {
  const started = performance.now();
  const env = { ...process.env };
  if (compileCache !== undefined) env['NODE_COMPILE_CACHE'] = compileCache;
  const child = spawn(process.execPath, [CAPSTAN, 'sandbox'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env,
  });
  const [kubeconfig] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: Record<string, string> }];
    users: [{ user: Record<string, string> }];
  };
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64');
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  const connection = connect({
    server: cluster['server'] ?? '',
    ca: bytes(cluster['certificate-authority-data']),
    cert: bytes(user['client-certificate-data']),
    key: bytes(user['client-key-data']),
  });
  await connection.call({ path: '/readyz' });
  return {
    pid: child.pid ?? 0,
    readyMs: performance.now() - started,
    ...connection,
    async stop() {
      child.kill('SIGINT');
      await once(child, 'close');
    },
  };
}

/** A server that does nothing but write so many bytes to all watchers for each PATCH: see bare-server.ts. */
export async function startBare(eventBytes: number): Promise<Side> {
  const started = performance.now();
  const script = fileURLToPath(new URL('bare-server.ts', import.meta.url));
  const flags = ['--disable-warning=ExperimentalWarning', script, String(eventBytes)];
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { server, ca } = JSON.parse(line) as { readonly server: string; readonly ca: string };
  return {
    pid: child.pid ?? 0,
    readyMs: performance.now() - started,
    ...connect({ server, ca: Buffer.from(ca) }),
    async stop() {
      child.kill('SIGINT');
      await once(child, 'close');
    },
  };
}

export async function startReal(): Promise<Side> {
  const started = performance.now();
  const cluster = await startCluster();
  const connection = connect({
    server: cluster.server,
    ca: readFileSync(cluster.caFile),
    token: cluster.token,
  });
  await connection.call({ path: '/readyz' });
  return {
    pid: cluster.pid,
    readyMs: performance.now() - started,
    ...connection,
    stop: () => cluster.stop(),
  };
}

/** Milliseconds of the very first start, whose sources are not compiled yet, and the middle one of five after it. */
export async function startTimes(): Promise<{ readonly first: number; readonly later: number }> {
  const cache = mkdtempSync(join(tmpdir(), 'capstan-compiled-'));
  try {
    const times: number[] = [];
    for (let i = 0; i < 6; i++) {
      const side = await startOurs(cache);
      times.push(side.readyMs);
      await side.stop();
    }
    const [first = 0, ...later] = times;
    return { first, later: later.sort((a, b) => a - b)[2] ?? 0 };
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}
