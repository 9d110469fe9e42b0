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

/** A figure, and the processor time that the server took for it: steadier than the first where others compute too. */
interface Figure {
  readonly value: number;
  readonly cpuMs: number | undefined;
}
type Figures = Map<string, Figure>;

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
async function readMs(side: Side, call: Call, until?: string): Promise<number> {
  const first = await timed(() => side.drain(call, until));
  return Math.min(first, await timed(() => side.drain(call, until)));
}

function residentMb({ pid }: Side): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** All threads of the server's process, finished ones too. */
function cpuMs({ pid }: Side): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

class Measurement {
  readonly figures: Figures = new Map();
  readonly #side: Side;

  constructor(side: Side) {
    this.#side = side;
  }

  async take(what: string, run: () => Promise<number>): Promise<void> {
    const before = cpuMs(this.#side);
    const value = await run();
    process.stderr.write(`${what}: ${cell(value)}\n`);
    this.figures.set(what, { value, cpuMs: cpuMs(this.#side) - before });
  }

  note(what: string, value: number, cpu?: number): void {
    this.figures.set(what, { value, cpuMs: cpu });
  }
}

async function writes(side: Side, to: Measurement): Promise<void> {
  const apply = (value: string) => (i: number) =>
    side.call({
      method: 'PATCH',
      path: `${base}/c${i}?fieldManager=bench&force=true`,
      body: configMap(`c${i}`, value),
      type: 'application/apply-patch+yaml',
    });
  await to.take('server-side apply, new objects, /s', () => rate(APPLIES, apply('a')));
  await to.take('server-side apply, nothing to do, /s', () => rate(APPLIES, apply('a')));
  await to.take('server-side apply, one field changed, /s', () => rate(APPLIES, apply('b')));
  await to.take('get, /s', () => rate(APPLIES, (i) => side.call({ path: `${base}/c${i}` })));
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

async function lists(side: Side, count: number, to: Measurement): Promise<void> {
  const of = (what: string): string => `${what} of ${count.toLocaleString('en')}, ms`;
  const as = (kind: string): string => `application/json;as=${kind};v=v1;g=meta.k8s.io`;
  const initial = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  const read = (what: string, call: Call, until?: string): Promise<void> =>
    to.take(of(what), () => readMs(side, call, until));
  await read('list', { path: base });
  await read('list from the cache (resourceVersion=0)', { path: `${base}?resourceVersion=0` });
  await to.take(of('list in pages of 500'), () => pages(side));
  await read('list as a table', { path: base, accept: as('Table') });
  await read('list of metadata', { path: base, accept: as('PartialObjectMetadataList') });
  const path = `${base}?${initial}&allowWatchBookmarks=true`;
  await read('streaming list', { path }, 'initial-events-end');
}

async function measure(side: Side): Promise<Figures> {
  const to = new Measurement(side);
  to.note('start until ready, ms', side.readyMs, cpuMs(side));
  to.note('memory when ready, MB', residentMb(side));
  await side.call({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } },
  });
  const fill = (from: number, upTo: number): Promise<number> =>
    rate(upTo - from, (i) =>
      side.call({ method: 'POST', path: base, body: configMap(`c${from + i}`, 'a') }),
    );
  await writes(side, to);
  await fill(APPLIES, 5000);
  await lists(side, 5000, to);
  await fill(5000, 10_000);
  to.note('memory with 10,000 objects, MB', residentMb(side));
  await to.take('events to 100 watchers, /s', () => fanOut(side, 100, 500));
  await to.take('events to 1,000 watchers, /s', () => fanOut(side, 1000, 100));
  if (most > 10_000) await to.take('create, /s', () => fill(10_000, most));
  await lists(side, most, to);
  to.note(`memory with ${most.toLocaleString('en')} objects, MB`, residentMb(side));
  return to.figures;
}

async function run(start: () => Promise<Side>): Promise<Figures> {
  const side = await start();
  try {
    return await measure(side);
  } finally {
    await side.stop();
  }
}

function cell(value: number | undefined): string {
  return value === undefined ? '' : Math.round(value).toLocaleString('en');
}

/** How many times as fast, or as small. */
function ratio(what: string, ours: Figure, theirs: Figure | undefined): string {
  if (theirs === undefined) return '';
  const isRate = what.endsWith('/s');
  return (isRate ? ours.value / theirs.value : theirs.value / ours.value).toFixed(1);
}

const times = await startTimes();
const ours = await run(startOurs);
ours.set('start until ready, ms', {
  value: times.later,
  cpuMs: ours.get('start until ready, ms')?.cpuMs,
});
const real: Figures = args.includes('--ours') ? new Map() : await run(startReal);
console.log(`first start, sources not compiled yet: ${cell(times.first)} ms\n`);
console.log('| | sandbox | Kubernetes | better by | CPU ms | CPU ms | less by |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
for (const [what, figure] of ours) {
  const other = real.get(what);
  const cpuRatio =
    figure.cpuMs === undefined || other?.cpuMs === undefined
      ? ''
      : (other.cpuMs / Math.max(10, figure.cpuMs)).toFixed(1);
  const left = [what, cell(figure.value), cell(other?.value), ratio(what, figure, other)];
  console.log(`| ${[...left, cell(figure.cpuMs), cell(other?.cpuMs), cpuRatio].join(' | ')} |`);
}
