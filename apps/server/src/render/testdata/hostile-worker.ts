/** Does what the path of a spec says: a stand-in for templates that no limit of their own stops. */
import { parentPort, workerData } from 'node:worker_threads';
import { remoteTree } from '../remote-tree.ts';
import type { WorkerData } from '../render-pool.ts';

const { port, flag } = workerData as WorkerData;

let served = 0;

parentPort?.on('message', ({ spec }: { readonly spec: { readonly path: string } }) => {
  remoteTree(port, new Int32Array(flag)).readFile(`${spec.path}/loop.yaml`);
  if (spec.path === 'second' && served > 0) throw new Error('what was left here is too much');
  if (spec.path === 'hang') for (;;);
  if (spec.path === 'slow') pause(1_000);
  if (spec.path === 'starved') pause(60_000);
  if (spec.path === 'crash') process.exit(3);
  if (spec.path === 'throw') throw new Error('thrown');
  if (spec.path === 'memory') {
    const hoard: number[][] = [];
    for (;;) hoard.push(new Array<number>(100_000).fill(hoard.length));
  }
  const trace = { files: new Map(), listings: new Map(), stats: new Map() };
  served++;
  parentPort?.postMessage({ result: { kind: 'helm', objects: [], digest: spec.path, diagnostics: [], trace } });
});

/** Time passes, and nothing is computed: as beside other work on a busy machine. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
