import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { differences, runScript } from '@capstan/kube-apiserver/testing';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { allScripts } from './scripts/all.ts';
import { sendToOurs, sendToReal } from './servers.ts';

describe('both servers give the same answers', { skip: whyNoCluster() }, () => {
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

  for (const script of allScripts()) {
    test(script.name, async () => {
      const expected = await runScript(script, sendToReal(cluster), { settles: true });
      const actual = await runScript(script, await sendToOurs(), { settles: false });
      const found = script.steps.flatMap(({ method, path }, i) =>
        differences(expected[i], actual[i]).map((line) => `#${i} ${method} ${path}: ${line}`),
      );
      assert.deepEqual(found, []);
    });
  }
});
