import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { compareBatch } from './custom/batch.ts';
import { OWN } from './custom/own.ts';
import { sendToReal } from './servers.ts';

/** Of each kind; `custom/deep.ts` sends many more, also of definitions that others have published. */
const OBJECTS = 60;

describe('both servers keep custom resources alike', { skip: whyNoCluster() }, () => {
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

  test('objects made from schemas, and changed at one place', async () => {
    const found = await compareBatch(OWN, sendToReal(cluster), OBJECTS);
    assert.equal(found.kinds, OWN.length);
    assert.deepEqual(found.different, []);
    assert.ok(found.same > OWN.length * OBJECTS);
  });
});
