import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { differences, runScript } from '@capstan/kube-apiserver/testing';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { sendToOurs, sendToReal } from './servers.ts';
import type { Mutation } from './validation/mutations.ts';
import { RICH } from './validation/rich-samples.ts';
import { validationScript, verdict } from './validation/script.ts';

/** Of `validation/deep.ts`, which sends some 18,000 requests, this many for each kind, chosen by a fixed seed. */
const SAMPLE = 12;

function pick(mutations: readonly Mutation[]): readonly Mutation[] {
  let state = 20_261_129;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
  const chance = SAMPLE / mutations.length;
  return mutations.filter(() => random() < chance);
}

describe('both servers judge changed objects alike', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  // The server's own timers do not keep the process alive.
  const alive = setInterval(() => undefined, 60_000);
  before(async () => {
    cluster = await startCluster({ args: ['-with', ''] });
  });
  after(async () => {
    clearInterval(alive);
    await cluster.stop();
  });

  for (const update of [false, true]) {
    test(update ? 'an object is changed' : 'a changed object is created', async () => {
      const found: string[] = [];
      const real = sendToReal(cluster);
      const ours = await sendToOurs();
      for (const [name, sample] of Object.entries(RICH)) {
        const script = validationScript(name, sample, { update, pick });
        const expected = await runScript(script, real, { settles: false });
        const actual = await runScript(script, ours, { settles: false });
        for (const [i, step] of script.steps.entries()) {
          if (step.headers === undefined) continue;
          for (const line of differences(verdict(expected[i]), verdict(actual[i]))) {
            found.push(`${script.name}: ${step.headers['x-title']}: ${line}`);
          }
        }
      }
      assert.deepEqual(found, []);
    });
  }
});
