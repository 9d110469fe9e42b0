/**
 * The sandbox beside a real control plane, in one run over HTTPS: start until ready, server-side applies and reads a second, watch
 * fan-out, lists, memory. `node benchmarks/apiserver/run.ts [--objects 50000] [--ours]` prints the table of the README.
 */
import { readFileSync } from 'node:fs';
import { type Call, type Side, startOurs, startReal, startTimes } from './sides.ts';
import { base, configMap, cpuMs, fanOut, rate, timed } from './work.ts';

const APPLIES = 2000;
const args = process.argv.slice(2);
const most = Number(args[args.indexOf('--objects') + 1]) || 50_000;

/** A figure, and the processor time that the server took for it: steadier than the first where others compute too. */
interface Figure {
  readonly value: number;
  readonly cpuMs: number | undefined;
}
type Figures = Map<string, Figure>;

/** The faster of two reads: the second may find what the first has left. */
async function readMs(side: Side, call: Call, until?: string): Promise<number> {
  const first = await timed(() => side.drain(call, until));
  return Math.min(first, await timed(() => side.drain(call, until)));
}

function residentMb({ pid }: Side): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
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
  for (const [watchers, events] of [
    [100, 500],
    [1000, 100],
  ] as const) {
    const { perSecond, cpuMs: cpu } = await fanOut(side, watchers, events);
    to.note(`events to ${watchers.toLocaleString('en')} watchers, /s`, perSecond, cpu);
  }
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
