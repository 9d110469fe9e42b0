/**
 * The sandbox beside a real control plane, in one run over HTTPS: start until ready, server-side applies and reads a second, watch
 * fan-out, lists, memory. `node benchmarks/apiserver/run.ts [--objects 50000] [--ours]` prints the table of the README.
 */
import { readFileSync } from 'node:fs';
import { type Call, type Side, startOurs, startReal, startTimes } from './sides.ts';

const IN_FLIGHT = 16;
const APPLIES = 2000;
const args = process.argv.slice(2);
const most = Number(args[args.indexOf('--objects') + 1]) || 50_000;
const base = '/api/v1/namespaces/bench/configmaps';

type Figures = Record<string, number>;

function configMap(name: string, value: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'bench', labels: { app: 'bench' } },
    data: { value, text: 'x'.repeat(400) },
  };
}

/** Calls a second, with `IN_FLIGHT` at a time. */
async function rate(count: number, run: (i: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  const ms = await timed(() => Promise.all(Array.from({ length: IN_FLIGHT }, worker)));
  return count / (ms / 1000);
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

/** The faster of two reads: the second may find what the first has left. */
async function readMs(side: Side, call: Call, until?: (chunk: Buffer) => boolean): Promise<number> {
  const first = await timed(() => side.drain(call, until));
  return Math.min(first, await timed(() => side.drain(call, until)));
}

function residentMb({ pid }: Side): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function writes(side: Side): Promise<Figures> {
  const apply = (value: string) => (i: number) =>
    side.call({
      method: 'PATCH',
      path: `${base}/c${i}?fieldManager=bench&force=true`,
      body: configMap(`c${i}`, value),
      type: 'application/apply-patch+yaml',
    });
  return {
    'server-side apply, new objects, /s': await rate(APPLIES, apply('a')),
    'server-side apply, nothing to do, /s': await rate(APPLIES, apply('a')),
    'server-side apply, one field changed, /s': await rate(APPLIES, apply('b')),
    'get, /s': await rate(APPLIES, (i) => side.call({ path: `${base}/c${i}` })),
  };
}

/** Events a second that reach all watchers together, while objects are patched. */
async function fanOut(side: Side, watchers: number, events: number): Promise<number> {
  const wanted = watchers * events;
  const done = Promise.withResolvers<void>();
  let seen = 0;
  const count = (chunk: Buffer): void => {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) seen++;
    if (seen >= wanted) done.resolve();
  };
  const { metadata } = JSON.parse(await side.call({ path: `${base}?limit=1` })) as {
    readonly metadata: { readonly resourceVersion: string };
  };
  const path = `${base}?watch=1&resourceVersion=${metadata.resourceVersion}`;
  const streams: (() => void)[] = [];
  for (let i = 0; i < watchers; i += 50) {
    const some = Array.from({ length: Math.min(50, watchers - i) }, () => side.stream(path, count));
    streams.push(...(await Promise.all(some)));
  }
  const ms = await timed(async () => {
    await rate(events, (i) =>
      side.call({
        method: 'PATCH',
        path: `${base}/c${i}`,
        body: { data: { value: `${watchers}` } },
        type: 'application/merge-patch+json',
      }),
    );
    await done.promise;
  });
  for (const stop of streams) stop();
  return wanted / (ms / 1000);
}

async function pages(side: Side): Promise<number> {
  let token = '';
  return timed(async () => {
    do {
      const page = await side.call({ path: `${base}?limit=500&continue=${token}` });
      token = /"continue":"([^"]*)"/.exec(page.slice(0, 500))?.[1] ?? '';
    } while (token !== '');
  });
}

async function lists(side: Side, count: number): Promise<Figures> {
  const of = (what: string): string => `${what} of ${count.toLocaleString('en')}, ms`;
  const as = (kind: string): string => `application/json;as=${kind};v=v1;g=meta.k8s.io`;
  const initial = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  return {
    [of('list')]: await readMs(side, { path: base }),
    [of('list from the cache (resourceVersion=0)')]: await readMs(side, {
      path: `${base}?resourceVersion=0`,
    }),
    [of('list in pages of 500')]: await pages(side),
    [of('list as a table')]: await readMs(side, { path: base, accept: as('Table') }),
    [of('list of metadata')]: await readMs(side, {
      path: base,
      accept: as('PartialObjectMetadataList'),
    }),
    [of('streaming list')]: await readMs(
      side,
      { path: `${base}?${initial}&allowWatchBookmarks=true` },
      (chunk) => chunk.includes('initial-events-end'),
    ),
  };
}

async function measure(side: Side): Promise<Figures> {
  const idle = residentMb(side);
  await side.call({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } },
  });
  const fill = (from: number, to: number): Promise<number> =>
    rate(to - from, (i) =>
      side.call({ method: 'POST', path: base, body: configMap(`c${from + i}`, 'a') }),
    );
  const written = await writes(side);
  await fill(APPLIES, 5000);
  const small = await lists(side, 5000);
  await fill(5000, 10_000);
  const memory = residentMb(side);
  const few = await fanOut(side, 100, 500);
  const many = await fanOut(side, 1000, 100);
  const created = most > 10_000 ? await fill(10_000, most) : 0;
  return {
    ...written,
    'create, /s': created,
    'events to 100 watchers, /s': few,
    'events to 1,000 watchers, /s': many,
    ...small,
    ...(await lists(side, most)),
    'memory when ready, MB': idle,
    'memory with 10,000 objects, MB': memory,
    [`memory with ${most.toLocaleString('en')} objects, MB`]: residentMb(side),
  };
}

async function run(start: () => Promise<Side>): Promise<Figures> {
  const side = await start();
  try {
    return { 'start until ready, ms': side.readyMs, ...(await measure(side)) };
  } finally {
    await side.stop();
  }
}

const times = await startTimes();
const ours = { ...(await run(startOurs)), 'start until ready, ms': times.later };
const real = args.includes('--ours') ? {} : await run(startReal);
console.log(
  `first start of the sandbox, before its sources are compiled: ${Math.round(times.first)} ms\n`,
);
console.log('| | sandbox | Kubernetes | better by |\n| --- | ---: | ---: | ---: |');
for (const [what, value] of Object.entries(ours)) {
  const other = (real as Figures)[what];
  const ratio =
    other === undefined ? '' : (other > value ? other / value : value / other).toFixed(1);
  const cell = (x: number | undefined): string =>
    x === undefined ? '' : Math.round(x).toLocaleString('en');
  console.log(`| ${what} | ${cell(value)} | ${cell(other)} | ${ratio} |`);
}
