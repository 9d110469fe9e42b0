/** Who may take a Lease, by client-go's rules, on the sandbox's API and a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createApiServer } from '@capstan/kube-apiserver';
import { createKubeClient } from '@capstan/kube-client';
import { runAsLeader } from '@capstan/kube-controller';
import { ManualClock } from '@capstan/lib-std';
import { at } from './support.ts';

const lease = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  namespace: 'default',
  name: 'lock',
};

async function stage(held?: Readonly<Record<string, string | number>>) {
  const { transport } = await createApiServer({});
  const client = createKubeClient(transport);
  const { apiVersion, kind, namespace, name } = lease;
  if (held !== undefined) {
    await client.create({ apiVersion, kind, metadata: { namespace, name }, spec: held });
  }
  const clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'));
  const ended = new AbortController();
  const leaders: string[] = [];
  let terms = 0;
  const running = runAsLeader(
    {
      client,
      namespace,
      name,
      identity: 'me',
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2_000,
      clock,
      onLeader: (leader) => leaders.push(leader),
    },
    async (signal) => {
      terms++;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    { signal: ended.signal },
  );
  return {
    client,
    leaders,
    terms: () => terms,
    spec: async (field: string) => at(await client.get(lease), 'spec', field),
    /** Time passes in small steps, so that every try has its answer before the next. */
    async pass(seconds: number) {
      for (let i = 0; i < seconds; i++) {
        await pause(2);
        clock.advance(1_000);
      }
      await pause(5);
    },
    async [Symbol.asyncDispose]() {
      ended.abort(new Error('the end'));
      await running;
    },
  };
}

test('a Lease is taken that is not there, has no holder or was given back', async () => {
  for (const held of [
    undefined,
    {},
    { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 4 },
  ]) {
    await using one = await stage(held);
    await one.pass(0);
    assert.equal(await one.spec('holderIdentity'), 'me');
    const transitions = held === undefined ? 0 : Number(Object(held).leaseTransitions ?? 0) + 1;
    assert.equal(await one.spec('leaseTransitions'), transitions);
    assert.deepEqual([one.terms(), one.leaders.at(-1)], [1, 'me']);
  }
});

test('a holder without a duration holds nothing', async () => {
  await using one = await stage({ holderIdentity: 'other' });
  await one.pass(0);
  assert.equal(one.terms(), 1);
});

test("another's Lease is left until it was not renewed for its own duration", async () => {
  await using one = await stage({ holderIdentity: 'other', leaseDurationSeconds: 30 });
  await one.pass(12);
  await one.client.patch(
    lease,
    { spec: { renewTime: '2020-01-01T00:00:00.000000Z' } },
    { type: 'merge' },
  );
  await one.pass(28);
  assert.deepEqual([one.terms(), one.leaders], [0, ['other']]);
  await one.pass(8);
  assert.deepEqual([one.terms(), one.leaders], [1, ['other', 'me']]);
  assert.equal(await one.spec('leaseDurationSeconds'), 15);
});

test('who labels a Lease does not renew it', async () => {
  await using one = await stage({ holderIdentity: 'other', leaseDurationSeconds: 10 });
  for (let i = 0; i < 7; i++) {
    await one.pass(2);
    await one.client.patch(lease, { metadata: { labels: { n: String(i) } } }, { type: 'merge' });
  }
  assert.equal(one.terms(), 1);
});

test('its own Lease of a life before is gone on with, without a transition', async () => {
  const acquireTime = '2025-12-31T00:00:00.000000Z';
  await using one = await stage({
    holderIdentity: 'me',
    leaseDurationSeconds: 15,
    leaseTransitions: 2,
    acquireTime,
  });
  await one.pass(7);
  assert.deepEqual(
    [one.terms(), await one.spec('leaseTransitions'), await one.spec('acquireTime')],
    [1, 2, acquireTime],
  );
  const renewed = Date.parse(String(await one.spec('renewTime')));
  assert.ok(renewed >= Date.parse('2026-01-01T00:00:04Z'), new Date(renewed).toISOString());
});
