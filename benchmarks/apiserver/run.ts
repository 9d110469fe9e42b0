/**
 * The sandbox beside a real control plane, in one run over HTTPS: start until ready, server-side applies and reads a second, watch
 * fan-out, lists of 5,000 and 50,000 objects, memory. `node benchmarks/apiserver/run.ts [--objects 50000]`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { createInterface } from 'node:readline';
import { startCluster } from '../../conformance/cluster/cluster.ts';

const IN_FLIGHT = 16;
const APPLIES = 2000;
const WATCHERS = 50;
const EVENTS = 200;
const most = Number(process.argv[process.argv.indexOf('--objects') + 1]) || 50_000;

interface Side {
  readonly name: string;
  readonly pid: number;
  readonly readyMs: number;
  call(method: string, path: string, body?: unknown, type?: string): Promise<string>;
  stream(path: string, onChunk: (text: string) => void): Promise<() => void>;
  stop(): Promise<void>;
}

interface Access {
  readonly server: string;
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly token?: string;
}

function client(access: Access): Pick<Side, 'call' | 'stream'> {
  const { server, ca, cert, key, token } = access;
  const tls = {
    ca,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 200, ...tls });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return {
    call: (method, path, body, type = 'application/json') =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const extra =
          text === undefined
            ? {}
            : { 'content-type': type, 'content-length': Buffer.byteLength(text) };
        const call = httpsRequest(
          server + path,
          { method, agent, headers: { ...headers, ...extra } },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () => {
              const answer = Buffer.concat(chunks).toString();
              if ((response.statusCode ?? 500) < 300) resolve(answer);
              else
                reject(
                  new Error(`${method} ${path}: ${response.statusCode} ${answer.slice(0, 200)}`),
                );
            });
          },
        );
        call.on('error', reject);
        call.end(text);
      }),
    stream: (path, onChunk) =>
      new Promise((resolve, reject) => {
        const call = httpsRequest(server + path, { agent, headers }, (response) => {
          response.on('data', (chunk: Buffer) => onChunk(chunk.toString()));
          response.on('error', () => undefined);
          resolve(() => call.destroy());
        });
        call.on('error', reject);
        call.end();
      }),
  };
}

async function startOurs(): Promise<Side> {
  const started = performance.now();
  const script = new URL('./ours.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const readyMs = performance.now() - started;
  const { kubeconfig } = JSON.parse(line) as { readonly kubeconfig: string };
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: Record<string, string> }];
    users: [{ user: Record<string, string> }];
  };
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64');
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  return {
    name: 'sandbox',
    pid: child.pid ?? 0,
    readyMs,
    ...client({
      server: cluster['server'] ?? '',
      ca: bytes(cluster['certificate-authority-data']),
      cert: bytes(user['client-certificate-data']),
      key: bytes(user['client-key-data']),
    }),
    async stop() {
      child.stdin.end();
      await once(child, 'close');
    },
  };
}

async function startReal(): Promise<Side> {
  const started = performance.now();
  const cluster = await startCluster();
  return {
    name: 'kubernetes',
    pid: cluster.pid,
    readyMs: performance.now() - started,
    ...client({ server: cluster.server, ca: readFileSync(cluster.caFile), token: cluster.token }),
    stop: () => cluster.stop(),
  };
}

function configMap(name: string, value: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'bench', labels: { app: 'bench' } },
    data: { value, text: 'x'.repeat(400) },
  };
}

async function inParallel(count: number, run: (i: number) => Promise<unknown>): Promise<number> {
  const started = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return count / ((performance.now() - started) / 1000);
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

function rssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

const base = '/api/v1/namespaces/bench/configmaps';

async function fanOut(side: Side): Promise<number> {
  let seen = 0;
  const done = Promise.withResolvers<void>();
  const count = (text: string): void => {
    seen += text.split('"type":"MODIFIED"').length - 1;
    if (seen >= WATCHERS * EVENTS) done.resolve();
  };
  const { metadata } = JSON.parse(await side.call('GET', `${base}?limit=1`)) as {
    metadata: { resourceVersion: string };
  };
  const streams = await Promise.all(
    Array.from({ length: WATCHERS }, () =>
      side.stream(`${base}?watch=1&resourceVersion=${metadata.resourceVersion}`, count),
    ),
  );
  const ms = await timed(async () => {
    await inParallel(EVENTS, (i) =>
      side.call(
        'PATCH',
        `${base}/c${i}`,
        { data: { value: `w${i}` } },
        'application/merge-patch+json',
      ),
    );
    await done.promise;
  });
  for (const stop of streams) stop();
  return (WATCHERS * EVENTS) / (ms / 1000);
}

async function measure(side: Side): Promise<Record<string, number>> {
  const apply = 'application/apply-patch+yaml';
  const idle = rssMb(side.pid);
  await side.call('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'bench' },
  });
  const path = (i: number): string => `${base}/c${i}?fieldManager=bench&force=true`;
  const create = await inParallel(APPLIES, (i) =>
    side.call('PATCH', path(i), configMap(`c${i}`, 'a'), apply),
  );
  const same = await inParallel(APPLIES, (i) =>
    side.call('PATCH', path(i), configMap(`c${i}`, 'a'), apply),
  );
  const change = await inParallel(APPLIES, (i) =>
    side.call('PATCH', path(i), configMap(`c${i}`, 'b'), apply),
  );
  const get = await inParallel(APPLIES, (i) => side.call('GET', `${base}/c${i}`));
  const events = await fanOut(side);
  const fill = (from: number, to: number): Promise<number> =>
    inParallel(to - from, (i) => side.call('POST', base, configMap(`c${from + i}`, 'a')));
  await fill(APPLIES, 5000);
  const list5 = await timed(() => side.call('GET', base));
  await fill(5000, 10_000);
  const memory = rssMb(side.pid);
  const createMany = most > 10_000 ? await fill(10_000, most) : 0;
  const list50 = await timed(() => side.call('GET', base));
  return {
    'start until ready, ms': side.readyMs,
    'memory when idle, MB': idle,
    'server-side apply, new objects/s': create,
    'server-side apply, nothing changed/s': same,
    'server-side apply, one field changed/s': change,
    'get/s': get,
    [`watch: events/s to ${WATCHERS} watchers`]: events,
    'list of 5,000, ms': list5,
    'memory with 10,000 objects, MB': memory,
    'create/s': createMany,
    [`list of ${most}, ms`]: list50,
  };
}

const results: Record<string, number>[] = [];
const names: string[] = [];
for (const start of [startOurs, startReal]) {
  const side = await start();
  names.push(side.name);
  try {
    results.push(await measure(side));
  } finally {
    await side.stop();
  }
}
console.log(`${''.padEnd(42)}${names.map((name) => name.padStart(14)).join('')}`);
for (const key of Object.keys(results[0] ?? {})) {
  console.log(
    `${key.padEnd(42)}${results.map((r) => String(Math.round(r[key] ?? 0)).padStart(14)).join('')}`,
  );
}
