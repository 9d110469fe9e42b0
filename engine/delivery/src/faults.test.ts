/** Each request of a delivery fails once, for each of them: the next looks go on from where that left it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CapstanError } from '@capstan/lib-std';
import { runDelivery } from './run-delivery.ts';
import {
  createScenarioWorld,
  overlay,
  SCENARIO_URL,
  type ScenarioCluster,
  scenarioDelivery,
  startScenarioCluster,
} from './testing/scenario-world.ts';
import type { DeliveryStatus } from './types.ts';

let cluster: ScenarioCluster;
before(async () => {
  cluster = await startScenarioCluster();
});
after(async () => cluster[Symbol.asyncDispose]());

const configMap = (name: string, value: string, annotations = '') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, annotations: {${annotations}}}\ndata: {k: "${value}"}\n`;
const hook = `apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {example/hook: PreSync}}
spec:
  template:
    metadata: {annotations: {sandbox.capstan.dev/run-for: 10ms}}
    spec: {restartPolicy: Never, containers: [{name: c, image: x}]}
`;
const RETRY = { limit: -1, backoff: { baseMs: 0, factor: 1, maxMs: 0, jitter: 0 } };

/** Of the two families: what is found by marks, in waves with hooks; and what is found by an inventory, in one go. */
const SHAPES = {
  marks: {},
  inventory: { tracking: { find: 'inventory' }, sync: { waitFor: 'applied' } },
};

for (const [shape, part] of Object.entries(SHAPES)) {
  test(`whichever request fails, a delivery found by ${shape} converges, and each hook runs once`, async () => {
    const total = await converge(`${shape}-0`, part, 0);
    assert.ok(total > 8, `${total} requests`);
    for (let n = 1; n <= total; n++) await converge(`${shape}-${n}`, part, n);
  });
}

/** Applies a commit, then another one that changes, adds and prunes; answers how many requests that took. */
async function converge(namespace: string, part: object, failing: number): Promise<number> {
  let count = 0;
  await using world = await createScenarioWorld(cluster, {
    namespace,
    onRequest: (number) => {
      count = number;
      if (number === failing)
        throw new CapstanError('UNAVAILABLE', 'the connection broke', { kind: 'retry' });
    },
  });
  const base = scenarioDelivery(namespace);
  const delivery = overlay(overlay(base, { automation: { retry: RETRY } }), part as never);
  let previous: DeliveryStatus | undefined;
  /** What a controller does: what is on record stays there when a look comes to nothing. */
  const look = async (known: DeliveryStatus | undefined): Promise<DeliveryStatus | undefined> => {
    let last = known;
    try {
      return await runDelivery(
        {
          delivery,
          previous: known,
          refresh: false,
          onProgress: async (status) => {
            last = status;
          },
        },
        world.ports,
        { signal: new AbortController().signal },
      );
    } catch (error) {
      if (!(error instanceof CapstanError) || error.kind !== 'retry') throw error;
      return last;
    }
  };
  const follow = async (digest: string) => {
    for (let looks = 0; looks < 300; looks++) {
      previous = await look(previous);
      const { operation, sync, revisions = [] } = previous ?? {};
      const isDone = sync === 'Synced' && operation?.phase === 'Succeeded';
      if (isDone && revisions[0]?.id === digest) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { sync, operation, problems } = previous ?? {};
    assert.fail(JSON.stringify({ failing, sync, operation, problems }));
  };
  const read = async (name: string) => {
    const found = await world.client.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });
    return (found?.['data'] as { readonly k: string } | undefined)?.k;
  };
  await follow(
    world.sources.push(SCENARIO_URL, {
      'a.yaml': configMap('a', '1'),
      'b.yaml': configMap('b', '1', 'example/wave: "1"'),
      'hook.yaml': hook,
    }),
  );
  const job = { apiVersion: 'batch/v1', kind: 'Job', namespace, name: 'migrate' };
  const first = await world.client.get(job);
  assert.deepEqual([await read('a'), await read('b')], ['1', '1']);
  await follow(
    world.sources.push(SCENARIO_URL, {
      'a.yaml': configMap('a', '2'),
      'c.yaml': configMap('c', '2'),
    }),
  );
  assert.deepEqual([await read('a'), await read('b'), await read('c')], ['2', undefined, '2']);
  const last = await world.client.get(job);
  assert.equal(last.metadata.uid, first.metadata.uid, 'it was not made again');
  return count;
}
