/** The server is asked once whether applying would change anything, for as long as nothing that decides the answer changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiffEntry } from '@capstan/engine-diff';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { arbitrate } from './compare-live.ts';
import {
  createScenarioWorld,
  scenarioDelivery,
  startScenarioCluster,
} from './testing/scenario-world.ts';
import type { Delivery } from './types.ts';

const NAMESPACE = 'verdicts';
const MAP: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: NAMESPACE },
  data: { k: '1' },
};

test('an answer is kept by desired, live, and the manner of the apply; no answer is not kept', async () => {
  await using cluster = await startScenarioCluster();
  let requests = 0;
  let isDown = false;
  await using world = await createScenarioWorld(cluster, {
    namespace: NAMESPACE,
    onRequest: () => {
      requests++;
      if (isDown) throw new CapstanError('UNREACHABLE', 'nobody answers', { kind: 'retry' });
    },
  });
  const { signal } = new AbortController();
  let live = await world.client.apply(MAP, { fieldManager: 'capstan' });
  /** What becomes of an entry that seems to differ, and how often the server was asked for it. */
  const judge = async (desired = MAP, delivery: Delivery = scenarioDelivery(NAMESPACE)) => {
    const before = requests;
    const doubtful: DiffEntry = {
      key: { group: '', kind: 'ConfigMap', namespace: NAMESPACE, name: 'a' },
      verdict: 'different',
      desired: { object: desired },
      live,
      differences: [{ path: 'data.k', desired: '01', live: '1' }],
    };
    const [entry] = await arbitrate([doubtful], delivery, { ports: world.ports, signal });
    return `${entry?.verdict} ${requests - before}`;
  };
  await judge();
  assert.equal(await judge(), 'same 0', 'asked before');

  const other = { ...MAP, data: { k: '2' } };
  assert.deepEqual([await judge(other), await judge(other)], ['different 1', 'different 0']);
  assert.equal(await judge(), 'same 0');

  const byOther = { ...scenarioDelivery(NAMESPACE), fieldManager: 'somebody-else' };
  assert.deepEqual([await judge(MAP, byOther), await judge(MAP, byOther)], ['same 1', 'same 0']);

  live = await world.client.apply(other, { fieldManager: 'capstan' });
  isDown = true;
  assert.deepEqual([await judge(), await judge()], ['different 1', 'different 1']);
  isDown = false;
  assert.deepEqual([await judge(other), await judge(other)], ['same 1', 'same 0']);

  // The kind was defined anew, and reads otherwise though nobody has written.
  live = { ...live, data: { k: '2', byDefault: 'x' } };
  assert.deepEqual([await judge(other), await judge(other)], ['different 1', 'different 0']);
});
