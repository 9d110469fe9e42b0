import assert from 'node:assert/strict';
import { listen } from '../http/serve.ts';
import { textAt } from '../views/fields.ts';
import { type Scenario, untilSynced } from './application-scenarios.ts';
import { APPLICATION, application, configMap, until, type World } from './world.ts';

const PROBE = { apiVersion: 'capstan.dev/v1alpha1', kind: 'HealthProbe' } as const;
const PATIENCE_MS = 20_000;

function untilHealth(world: World, name: string, status: string) {
  return until(`${name} is ${status}`, PATIENCE_MS, async () => {
    const app = await world.get({ ...APPLICATION, name });
    const found = textAt(app, 'status', 'health', 'status');
    if (found !== status) throw new Error(found);
    return true;
  });
}

function probe(spec: object): string {
  return JSON.stringify({ ...PROBE, metadata: { name: 'api' }, spec });
}

export const PROBE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a probe in Git counts into the health of its app, and at rest writes nothing',
    run: async (world) => {
      let answer = 503;
      let asked = 0;
      const service = await listen(
        (_request, response) => {
          asked++;
          response.writeHead(answer, { connection: 'close' }).end();
        },
        { port: 0, address: '127.0.0.1', name: 'the probed service' },
      );
      try {
        const repository = await world.repository('probed');
        const spec = { http: { url: service.url }, intervalSeconds: 1, failureThreshold: 2 };
        const commit = await repository.push({
          'a.yaml': configMap('a', 'one'),
          'probe.json': probe(spec),
        });
        await world.apply(application('probed', { url: repository.url, path: '.' }));
        const down = await untilHealth(world, 'probed', 'Degraded');
        const ref = { ...PROBE, namespace: 'probed', name: 'api' };
        const failed = await world.get(ref);
        assert.match(textAt(failed, 'status', 'health', 'message'), /answered 503/);
        answer = 200;
        const up = await untilHealth(world, 'probed', 'Healthy');
        const syncedMs = await untilSynced(world, 'probed', commit);
        const before = (await world.get(ref))?.metadata.resourceVersion;
        const since = asked;
        await until('two more probes', PATIENCE_MS, async () => asked >= since + 2);
        assert.equal((await world.get(ref))?.metadata.resourceVersion, before);
        answer = 500;
        const again = await untilHealth(world, 'probed', 'Degraded');
        const next = await repository.push({ 'probe.json': null });
        const prunedMs = await untilSynced(world, 'probed', next);
        await untilHealth(world, 'probed', 'Healthy');
        return {
          downMs: down.tookMs,
          upMs: up.tookMs,
          syncedMs,
          againMs: again.tookMs,
          prunedMs,
        };
      } finally {
        await service.close();
      }
    },
  },
];
