// One measurement in a process of its own: `node --expose-gc measure.ts KUBECONFIG live|trees`. Prints one line of JSON.
import { connect, createLiveState, loadKubeconfig } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { trackingLabel } from './fill.ts';

const [file = '', mode = 'live'] = process.argv.slice(2);
const client = connect(await loadKubeconfig({ file }));
const kinds = (await client.discovery.kinds()).filter(({ verbs }) => verbs.includes('watch'));
await client.list({ apiVersion: 'v1', kind: 'Namespace' });

const before = settledBytes();
const startedMs = performance.now();
const cpu = process.cpuUsage();
const held: { objects: number; whole: number; chars: number; keep: unknown } =
  mode === 'live' ? await readLive() : await readTrees();
const used = process.cpuUsage(cpu);
const tookMs = performance.now() - startedMs;
const bytes = settledBytes() - before;
console.log(
  JSON.stringify({
    mode,
    objects: held.objects,
    whole: held.whole,
    chars: held.chars,
    bytesPerObject: Math.round(bytes / held.objects),
    heldMegabytes: round(bytes / 1e6),
    rssMegabytes: round(process.memoryUsage().rss / 1e6),
    syncMs: Math.round(tookMs),
    cpuMs: Math.round((used.user + used.system) / 1000),
  }),
);
if (held.keep === undefined) throw new Error('what is measured must be alive until here');
process.exit(0);

async function readLive() {
  const live = createLiveState({
    client,
    isManaged: ({ metadata }) => metadata.labels?.[trackingLabel] !== undefined,
    indexes: {
      app: ({ metadata }) =>
        metadata.labels?.[trackingLabel] ? [metadata.labels[trackingLabel]] : [],
    },
  });
  const missed = await live.ensureAll();
  if (missed.length > 0) throw new Error(`not read: ${JSON.stringify(missed)}`);
  const { storedChars, ...size } = live.size();
  return { ...size, chars: storedChars, keep: live };
}

/** What a cache costs that keeps every object as it is parsed. */
async function readTrees() {
  const objects: KubeObject[] = [];
  for (const kind of kinds) objects.push(...(await client.list(kind)).items);
  return { objects: objects.length, whole: objects.length, chars: 0, keep: objects };
}

function settledBytes(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
