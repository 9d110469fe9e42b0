import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createApiServer, createLocalClient, Store, SYSTEM } from '@capstan/kube-apiserver';
import { createKubeClient } from '@capstan/kube-client';
import { runAsLeader, systemClock } from '@capstan/kube-controller';
import { startSandbox } from '@capstan/kube-sandbox';
import type { Clock } from '@capstan/lib-std';

const HOUR = 3_600_000;

/** The machine's clocks, of which somebody sets the one on the wall. */
function settableClock(): Clock & { set(byMs: number): void } {
  const real = systemClock();
  let shift = 0;
  return {
    now: () => real.now() + shift,
    passed: () => performance.now(),
    after: (delayMs, run) => real.after(delayMs, run),
    set(byMs) {
      shift += byMs;
    },
  };
}

test('a leader keeps its lease, and nobody takes it, however the wall clock is set', async () => {
  const { transport } = await createApiServer({});
  const ended = new AbortController();
  const terms: string[] = [];
  const clocks = [settableClock(), settableClock()];
  const run = (identity: string, clock: Clock): Promise<void> =>
    runAsLeader(
      {
        client: createKubeClient(transport),
        namespace: 'default',
        name: 'lease',
        identity,
        leaseDurationMs: 1_500,
        renewDeadlineMs: 1_000,
        retryPeriodMs: 100,
        clock,
      },
      async (signal) => {
        terms.push(`${identity} leads`);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        if (!ended.signal.aborted) terms.push(`${identity} stops`);
      },
      { signal: ended.signal },
    );
  const first = run('a', clocks[0]!);
  while (terms.length === 0) await pause(20);
  const second = run('b', clocks[1]!);
  for (const byMs of [3 * HOUR, -5 * HOUR, 9 * HOUR, -9 * HOUR]) {
    for (const clock of clocks) clock.set(byMs);
    await pause(400);
  }
  assert.deepEqual(terms, ['a leads']);
  ended.abort(new Error('the end'));
  await Promise.all([first, second]);
});

test('a sandbox lives on when the wall clock is set back, and nothing of it lies in the future', async (context) => {
  const real = Date.now.bind(Date);
  let shift = 0;
  context.mock.method(Date, 'now', () => real() + shift);
  await using sandbox = await startSandbox();
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  const deploy = (name: string): unknown =>
    client.create(
      'apps/v1/deployments',
      JSON.parse(
        JSON.stringify({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name, namespace: 'default' },
          spec: {
            selector: { matchLabels: { app: name } },
            template: {
              metadata: {
                labels: { app: name },
                annotations: { 'sandbox.capstan.dev/ready-delay': '300ms' },
              },
              spec: { containers: [{ name: 'c', image: 'i:1' }] },
            },
          },
        }),
      ),
    );
  const isReady = (name: string): boolean => {
    const status = client.get('apps/v1/deployments', 'default', name)?.['status'];
    return (status as { readonly readyReplicas?: number } | undefined)?.readyReplicas === 1;
  };
  const eventuallyReady = async (name: string): Promise<void> => {
    for (let i = 0; i < 100 && !isReady(name); i++) await pause(50);
    assert.ok(isReady(name), `${name} is ready within five seconds`);
  };
  deploy('before');
  shift = -6 * HOUR;
  await eventuallyReady('before');
  deploy('after');
  await eventuallyReady('after');
  const created = (name: string): string =>
    client.get('apps/v1/deployments', 'default', name)?.metadata.creationTimestamp ?? '';
  assert.ok(created('after') >= created('before'));
  shift = 6 * HOUR;
  deploy('ahead');
  await eventuallyReady('ahead');
  assert.ok(Date.parse(created('ahead')) - Date.parse(created('after')) > 5 * HOUR);
});

test('what was kept is not in the future of a server that starts with the wall clock set back', async () => {
  const store = new Store();
  const written = new Date(Date.now() + 2 * HOUR).toISOString().replace(/\.\d+/, '');
  store.put('/configmaps', 'default/kept', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kept', namespace: 'default', creationTimestamp: written },
  });
  const server = await createApiServer({ store });
  assert.ok(server.core.clock.now() >= Date.parse(written));
});
