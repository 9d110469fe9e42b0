/** Replicas that come, leave, are killed and hang: no key is ever run by two, and soon after each change by exactly one. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '@capstan/kube-client';
import { createController, runShardMember, type ShardMembership } from '@capstan/kube-controller';
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts';
import { clientOf, eventually } from './support.ts';

const KEYS = Array.from({ length: 40 }, (_, i) => `k${i}`);
const LEASE_MS = 2_000;

/** Who runs what, as a witness sees it. */
class Ledger {
  readonly #running = new Map<string, string>();
  readonly ran = new Map<string, string>();
  readonly clashes: string[] = [];

  async run(key: string, replica: string, signal: AbortSignal): Promise<void> {
    const other = this.#running.get(key);
    if (other !== undefined && other !== replica) this.clashes.push(`${key}: ${other}, ${replica}`);
    this.#running.set(key, replica);
    this.ran.set(key, replica);
    await pause(20, undefined, { signal }).catch(() => undefined);
    this.#running.delete(key);
  }

  /** A killed process runs nothing. */
  forget(replica: string): void {
    for (const [key, runner] of this.#running) if (runner === replica) this.#running.delete(key);
  }
}

interface Replica {
  readonly name: string;
  readonly membership: () => ShardMembership | undefined;
  readonly heard: string[];
  leave(): Promise<void>;
  kill(): void;
}

describe('shards over a real API server', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  let client: KubeClient;

  before(async () => {
    cluster = await startCluster({ args: ['-with', ''] });
    client = await clientOf(cluster);
  });
  after(async () => {
    await client.close();
    await cluster.stop();
  });

  async function start(name: string, namespace: string, ledger: Ledger): Promise<Replica> {
    const own = await clientOf(cluster);
    const stop = new AbortController();
    const life = new AbortController();
    const heard: string[] = [];
    let isDead = false;
    let membership: ShardMembership | undefined;
    const running = runShardMember(
      {
        client: own,
        namespace,
        group: 'shards',
        identity: name,
        leaseDurationMs: LEASE_MS,
        onAnnouncement: (text) => heard.push(text),
        onError: (error) => (isDead ? undefined : console.error(`${name}: ${String(error)}`)),
      },
      async (gate) => {
        membership = gate;
        const controller = createController<string>({
          name: 'test',
          reconcile: async (key, { signal }) => {
            if (isDead) return new Promise(() => undefined);
            await ledger.run(key, name, signal);
            return { kind: 'settled', recheckAfterMs: 30 };
          },
          keyString: (key) => key,
          concurrency: 50,
          runtime: { gate },
        });
        for (const key of KEYS) controller.enqueue(key);
        await controller.run({ signal: stop.signal });
      },
      { signal: life.signal },
    );
    running.catch(() => undefined);
    return {
      name,
      heard,
      membership: () => membership,
      leave: async () => {
        stop.abort();
        await running;
        await own.close();
      },
      kill: () => {
        isDead = true;
        ledger.forget(name);
        void own.close();
        life.abort(new Error('killed'));
      },
    };
  }

  /** Every key has run since now, each by its owner alone. */
  async function untilShared(ledger: Ledger, names: readonly string[], withinMs: number) {
    await eventually(
      () => {
        ledger.ran.clear();
        return pause(150).then(() => {
          const runners = new Set(ledger.ran.values());
          return (
            ledger.ran.size === KEYS.length && [...runners].every((one) => names.includes(one))
          );
        });
      },
      `all keys to be run by ${names.join(', ')}`,
      withinMs,
    );
  }

  test('keys are handed over without a gap and never run twice', async () => {
    const namespace = await nameSpace(client, 'shards');
    const ledger = new Ledger();
    const a = await start('a', namespace, ledger);
    await untilShared(ledger, ['a'], 5_000);
    const b = await start('b', namespace, ledger);
    const c = await start('c', namespace, ledger);
    await eventually(() => c.membership()?.members().length === 3, 'three members');
    await eventually(
      async () => {
        ledger.ran.clear();
        await pause(200);
        return new Set(ledger.ran.values()).size === 3;
      },
      'all three to work',
      10_000,
    );
    await untilShared(ledger, ['a', 'b', 'c'], 5_000);
    a.membership()?.announce('https://example.com/repo.git');
    await eventually(() => b.heard.length === 1 && c.heard.length === 1, 'the others to hear');
    assert.deepEqual([a.heard, b.heard], [[], ['https://example.com/repo.git']]);
    const leftMs = Date.now();
    await b.leave();
    await untilShared(ledger, ['a', 'c'], 3_000);
    assert.ok(Date.now() - leftMs < LEASE_MS, 'who leaves with a word is not waited for');
    c.kill();
    await untilShared(ledger, ['a'], 10_000);
    const d = await start('d', namespace, ledger);
    await untilShared(ledger, ['a', 'd'], 10_000);
    await cluster.freeze();
    await pause(LEASE_MS);
    ledger.ran.clear();
    await pause(300);
    assert.equal(ledger.ran.size, 0, 'without the API server nobody knows who may run');
    cluster.thaw();
    await untilShared(ledger, ['a', 'd'], 15_000);
    assert.deepEqual(ledger.clashes, []);
    await Promise.all([a.leave(), d.leave()]);
    const leases = await client.list(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
      { namespace },
    );
    assert.deepEqual(
      leases.items.map(({ metadata }) => metadata.name).filter((name) => !name?.endsWith('-c')),
      [],
    );
  });

  test('however they come and go, nothing is run twice', async () => {
    const namespace = await nameSpace(client, 'churn');
    const ledger = new Ledger();
    let seed = 11;
    const random = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * n);
    };
    const living: Replica[] = [await start('r0', namespace, ledger)];
    for (let step = 1; step <= 25; step++) {
      const action = random(3);
      const at = random(living.length);
      const one = living[at];
      if (action === 0 || living.length < 2 || one === undefined) {
        if (living.length < 4) living.push(await start(`r${step}`, namespace, ledger));
      } else {
        living.splice(at, 1);
        if (action === 1) await one.leave();
        else one.kill();
      }
      await pause(random(400));
    }
    await untilShared(
      ledger,
      living.map(({ name }) => name),
      20_000,
    );
    assert.deepEqual(ledger.clashes, []);
    await Promise.all(living.map((one) => one.leave()));
  });
});

async function nameSpace(client: KubeClient, name: string): Promise<string> {
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}
