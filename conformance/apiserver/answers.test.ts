import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { differences, runScript, type Script } from '@capstan/kube-apiserver/testing';
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
      const first = await compare(script, cluster, 1);
      // The pauses of a script are guesses of how long the real server needs to put a thing in force: a busy machine needs more.
      const found = first.length > 0 && settles(script) ? await compareAnew(script, 5) : first;
      assert.deepEqual(found, []);
    });
  }
});

function settles({ steps }: Script): boolean {
  return steps.some(({ settleMs }) => settleMs !== undefined);
}

async function compareAnew(script: Script, patience: number): Promise<string[]> {
  await using cluster = await startCluster({ args: ['-with', ''] });
  return await compare(script, cluster, patience);
}

async function compare(script: Script, cluster: Cluster, patience: number): Promise<string[]> {
  const expected = await runScript(script, sendToReal(cluster), { settles: true, patience });
  const actual = await runScript(script, await sendToOurs(), { settles: false });
  return script.steps.flatMap(({ method, path }, i) =>
    differences(expected[i], actual[i]).map((line) => `#${i} ${method} ${path}: ${line}`),
  );
}
