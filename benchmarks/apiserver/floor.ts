// What an event to many watchers costs each server, beside the least that one in Node can do (bare-server.ts):
// `node benchmarks/apiserver/floor.ts [bare|sandbox|kubernetes]`, all three by default.
import { type Side, startBare, startOurs, startReal } from './sides.ts';
import { base, configMap, fanOut } from './work.ts';

const EVENTS = 100;
const EVENT_BYTES = 1_100;
const OBJECTS = 500;

async function fill(side: Side): Promise<void> {
  await side.call({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } },
  });
  for (let i = 0; i < OBJECTS; i++) {
    await side.call({ method: 'POST', path: base, body: configMap(`c${i}`, 'a') });
  }
}

async function measure(name: string, start: () => Promise<Side>): Promise<void> {
  const side = await start();
  try {
    await fill(side);
    for (const watchers of [100, 1_000]) {
      const { perSecond, cpuMs } = await fanOut(side, watchers, EVENTS);
      const each = ((cpuMs * 1000) / (watchers * EVENTS)).toFixed(1);
      console.log(
        `${name}, ${watchers} watchers: ${Math.round(perSecond)} events/s, processor ${cpuMs} ms, ${each} µs an event`,
      );
    }
  } finally {
    await side.stop();
  }
}

const sides = { bare: () => startBare(EVENT_BYTES), sandbox: startOurs, kubernetes: startReal };
for (const [name, start] of Object.entries(sides)) {
  if (process.argv.length === 2 || process.argv.includes(name)) await measure(name, start);
}
