import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '@capstan/kube-client';
import { ownerOf, runAsLeader, runShardMember } from '@capstan/kube-controller';
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts';
import { type AnyCluster, startSandboxCluster } from './sandbox-cluster.ts';
import { at, clientOf, eventually, makeNamespace } from './support.ts';

const namespace = 'leases';

interface Candidate {
  readonly child: ChildProcess;
  readonly lines: string[];
}

const title = 'leader election and shards over';
describe(`${title} a real API server`, { skip: whyNoCluster() }, () => leaseTests(true));
describe(`${title} the sandbox`, () => leaseTests(false));

function leaseTests(isReal: boolean): void {
  let cluster: AnyCluster;
  /** For what only a process of its own can be done to. */
  let real: Cluster | undefined;
  let client: KubeClient;
  const candidates: Candidate[] = [];

  before(async () => {
    const args = ['-controller-manager-arg', '--leader-elect=true'];
    real = isReal ? await startCluster({ args }) : undefined;
    cluster = real ?? (await startSandboxCluster());
    client = await clientOf(cluster);
    await makeNamespace(client, namespace);
  });
  afterEach(() => {
    for (const { child } of candidates.splice(0)) child.kill('SIGKILL');
  });
  after(async () => {
    await client.close();
    await cluster.stop();
  });

  function stand(lease: string, identity: string): Candidate {
    const script = join(import.meta.dirname, 'lease-candidate.ts');
    const flags = ['--disable-warning=ExperimentalWarning', script];
    const child = spawn(
      process.execPath,
      [...flags, cluster.kubeconfig, namespace, lease, identity],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const lines: string[] = [];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.trim().split('\n'));
    });
    const candidate = { child, lines };
    candidates.push(candidate);
    return candidate;
  }

  async function leaseOf(name: string) {
    return client.get({ group: 'coordination.k8s.io', kind: 'Lease', namespace, name });
  }

  test('one of two processes leads; when it is killed the other takes over after the lease', async () => {
    const [a, b] = [stand('fight', 'a'), stand('fight', 'b')];
    await eventually(() => a.lines.length + b.lines.length === 1, 'a first leader');
    await pause(2_000);
    assert.equal(a.lines.length + b.lines.length, 1);
    const [first, second] = a.lines.length === 1 ? [a, b] : [b, a];
    first.child.kill('SIGKILL');
    const killedMs = Date.now();
    await eventually(() => second.lines.length === 1, 'the other to take over');
    const tookMs = Date.now() - killedMs;
    assert.ok(tookMs > 3_000 && tookMs < 12_000, `took over after ${tookMs} ms`);
    const lease = await leaseOf('fight');
    assert.equal(at(lease, 'spec', 'holderIdentity'), first === a ? 'b' : 'a');
    assert.equal(at(lease, 'spec', 'leaseTransitions'), 1);
  });

  test('a leader that is asked to end gives the lease back, and the next leads at once', async () => {
    const a = stand('handover', 'a');
    await eventually(() => a.lines.length === 1, 'a to lead');
    const b = stand('handover', 'b');
    await pause(1_000);
    a.child.kill('SIGTERM');
    const askedMs = Date.now();
    await eventually(() => b.lines.length === 1, 'b to lead');
    assert.ok(Date.now() - askedMs < 4_000, `handed over after ${Date.now() - askedMs} ms`);
    assert.deepEqual(a.lines, ['lead', 'stop Error']);
  });

  test('a leader that slept too long stops leading when it wakes', async () => {
    const a = stand('sleeper', 'a');
    await eventually(() => a.lines.length === 1, 'a to lead');
    const b = stand('sleeper', 'b');
    await pause(500);
    a.child.kill('SIGSTOP');
    await eventually(() => b.lines.length === 1, 'b to lead');
    a.child.kill('SIGCONT');
    await eventually(() => a.lines.length === 2, 'a to notice');
    assert.deepEqual(a.lines, ['lead', 'stop LeadershipLost']);
    await pause(1_000);
    assert.deepEqual(b.lines, ['lead']);
  });

  if (isReal) {
    test('leadership survives a short outage of the API server and ends in a long one', async () => {
      const a = stand('outage', 'a');
      await eventually(() => a.lines.length === 1, 'a to lead');
      await real?.freeze();
      await pause(700);
      real?.thaw();
      await pause(1_000);
      assert.deepEqual(a.lines, ['lead']);
      await real?.freeze();
      await eventually(() => a.lines.length === 2, 'a to give up', 12_000);
      real?.thaw();
      await eventually(() => a.lines.length === 3, 'a to lead again');
      assert.deepEqual(a.lines, ['lead', 'stop LeadershipLost', 'lead']);
    });
  }

  test('a lease is given back although its last renewal was written and its answer lost', async () => {
    const stop = new AbortController();
    let updates = 0;
    const { find, create } = client;
    const update: KubeClient['update'] = async (object, options) => {
      const written = await client.update(object, options);
      updates++;
      if (updates > 1) return written;
      stop.abort(new Error('stopped'));
      throw stop.signal.reason;
    };
    await runAsLeader(
      {
        client: { find: find.bind(client), create: create.bind(client), update },
        namespace,
        name: 'broken-off',
        identity: 'a',
        retryPeriodMs: 100,
      },
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      { signal: stop.signal },
    );
    assert.equal(updates, 2);
    assert.equal(at(await leaseOf('broken-off'), 'spec', 'holderIdentity'), '');
  });

  if (isReal) {
    test("a Lease that client-go's elector holds is respected, and one of ours reads like client-go's", async () => {
      const held = { namespace: 'kube-system', name: 'kube-controller-manager' };
      const lease = { group: 'coordination.k8s.io', kind: 'Lease', ...held };
      await eventually(
        async () => (await client.find(lease)) !== undefined,
        "the controller manager's lease",
      );
      let hasLed = false;
      await runAsLeader(
        {
          client,
          ...held,
          identity: 'capstan',
          retryPeriodMs: 200,
          renewDeadlineMs: 1_000,
          leaseDurationMs: 2_000,
        },
        async () => {
          hasLed = true;
        },
        { signal: AbortSignal.timeout(5_000) },
      );
      assert.equal(hasLed, false);
      const theirs = at(await client.get(lease), 'spec') as object;
      const ours = at(await leaseOf('outage'), 'spec') as object;
      assert.deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort());
    });
  }

  test('replicas that come and go agree on who owns what', async () => {
    const stops = ['r-0', 'r-1', 'r-2'].map((identity) => ({
      identity,
      stop: new AbortController(),
    }));
    const views = new Map<string, readonly string[]>();
    const running = stops.map(({ identity, stop }) =>
      runShardMember(
        {
          client,
          namespace,
          group: 'shards',
          identity,
          leaseDurationMs: 3_000,
          onChange: (members) => views.set(identity, members),
          onError: (error) => console.error(String(error)),
        },
        (membership) =>
          new Promise<void>((resolve) => {
            stop.signal.addEventListener('abort', () => resolve());
            assert.equal(membership.owns('anything'), false);
          }),
        { signal: new AbortController().signal },
      ),
    );
    const agree = (members: string) => () =>
      members.split(' ').every((identity) => views.get(identity)?.join(' ') === members);
    await eventually(agree('r-0 r-1 r-2'), 'three members');
    await pause(4_000);
    assert.ok(agree('r-0 r-1 r-2')(), 'renewals keep the members');
    stops[1]?.stop.abort();
    await eventually(agree('r-0 r-2'), 'one to leave', 2_000);
    assert.ok(ownerOf('team/app', views.get('r-0') ?? []) !== 'r-1');
    for (const { stop } of stops) stop.abort();
    await Promise.all(running);
  });
}
