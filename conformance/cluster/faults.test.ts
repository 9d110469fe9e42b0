import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  createHttpTransport,
  createKubeClient,
  createLiveState,
  type KubeClient,
  loadKubeconfig,
} from '@capstan/kube-client';
import { createController, enqueueChanges } from '@capstan/kube-controller';
import { startCluster, whyNoCluster } from './cluster.ts';
import { faultyTransport } from './faulty-transport.ts';
import { type AnyCluster, startSandboxCluster } from './sandbox-cluster.ts';
import { clientOf, configMap, eventually, makeNamespace } from './support.ts';

const kind = { group: '', kind: 'ConfigMap' };
const seeds = [1, 2, 3];

const title = 'a client whose every tenth request fails and whose watches break';
describe(`${title}, on a real API server`, { skip: whyNoCluster() }, () =>
  faultTests(startCluster),
);
describe(`${title}, on the sandbox`, () => faultTests(startSandboxCluster));

function faultTests(start: () => Promise<AnyCluster>): void {
  let cluster: AnyCluster;
  let sound: KubeClient;

  before(async () => {
    cluster = await start();
    sound = await clientOf(cluster);
  });
  after(async () => {
    await sound.close();
    await cluster.stop();
  });

  async function faultyClient(seed: number): Promise<KubeClient> {
    const transport = createHttpTransport(await loadKubeconfig({ file: cluster.kubeconfig }));
    return createKubeClient(
      faultyTransport(transport, { random: randomFrom(seed), requests: 0.1, chunks: 0.1 }),
    );
  }

  for (const seed of seeds) {
    test(`keeps its cache in step with the server (seed ${seed})`, async () => {
      const namespace = await makeNamespace(sound, `step-${seed}`);
      const client = await faultyClient(seed);
      await using live = createLiveState({ client, isManaged: () => true });
      await eventually(async () => (await live.ensure([kind])).length === 0, 'the first state');
      const random = randomFrom(seed + 100);
      for (let i = 0; i < 200; i++) {
        const name = `c-${Math.floor(random() * 30)}`;
        const work =
          random() < 0.3
            ? client.delete({ ...kind, namespace, name })
            : client
                .apply(configMap(namespace, name, { n: String(i) }), { fieldManager: 'stir' })
                .then((object) => live.observeWrite(object));
        await work.catch(() => {});
      }
      await eventually(async () => {
        const { items } = await sound.list(kind, { namespace });
        const real = items
          .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
          .sort();
        const held = live
          .list(kind, namespace)
          .map(({ key, resourceVersion }) => `${key.name}@${resourceVersion}`);
        return JSON.stringify(real) === JSON.stringify(held.sort());
      }, 'the cache to be in step');
      await client.close();
    });

    test(`brings what it reconciles to the wished state and keeps it there (seed ${seed})`, async () => {
      const namespace = await makeNamespace(sound, `wish-${seed}`);
      const client = await faultyClient(seed + 1_000);
      await using live = createLiveState({ client, isManaged: () => true });
      await eventually(async () => (await live.ensure([kind])).length === 0, 'the first state');
      const wished = new Set(Array.from({ length: 30 }, (_, i) => `w-${i}`));
      const controller = createController<string>({
        name: 'wish',
        keyString: (key) => key,
        backoff: { baseMs: 20, factor: 2, maxMs: 500, jitter: 0.5 },
        reconcile: async (name, { signal }) => {
          const object = await client.apply(configMap(namespace, name, { wished: 'yes' }), {
            fieldManager: 'wish',
            force: true,
            signal,
          });
          live.observeWrite(object);
          return { kind: 'settled' };
        },
      });
      const off = enqueueChanges(live, controller, {
        kinds: [kind],
        keysOf: ({ key }) =>
          key.namespace === namespace && wished.has(key.name) ? [key.name] : [],
      });
      const stop = new AbortController();
      const running = controller.run({ signal: stop.signal });
      for (const name of wished) controller.enqueue(name);
      const random = randomFrom(seed + 200);
      for (let i = 0; i < 100; i++) {
        const ref = { ...kind, namespace, name: `w-${Math.floor(random() * 30)}` };
        const work =
          random() < 0.5
            ? sound.delete(ref)
            : sound.patch(ref, { data: { wished: 'no' } }, { type: 'merge' });
        await work.catch(() => {});
      }
      await eventually(async () => {
        const { items } = await sound.list(kind, { namespace });
        const good = items.filter((item) => JSON.stringify(item['data']) === '{"wished":"yes"}');
        return good.length === wished.size;
      }, 'all to be as wished');
      off();
      stop.abort();
      await running;
      assert.deepEqual(controller.stats(), { queued: 0, delayed: 0, running: 0 });
      await client.close();
    });
  }
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
