/** Two replicas of `capstan serve` over a real API server: they share the work, one is killed, and nothing is lost or done twice. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  APPLICATION,
  application,
  configMap,
  createWorld,
  until,
  type World,
} from '@capstan/apps-server/slice';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { type Cluster, scratch, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { type Serving, startServing } from './serving.ts';

const APPS = 24;
const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

describe('two replicas share one cluster', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  let world: World;
  const replicas: Serving[] = [];

  before(async () => {
    cluster = await startCluster();
    const connection = await loadKubeconfig({ file: cluster.kubeconfig });
    world = await createWorld({
      connect: () => connect(connection),
      clusterName: 'real',
      hasControlPlane: false,
    });
  });
  after(async () => {
    for (const replica of replicas) await replica.kill();
    await world[Symbol.asyncDispose]();
    await cluster.stop();
  });

  async function join(name: string): Promise<Serving> {
    const serving = await startServing({
      kubeconfig: cluster.kubeconfig,
      cache: scratch(cluster, `cache-${name}`),
      args: ['--replica', name, '--lease', '4'],
    });
    replicas.push(serving);
    return serving;
  }

  async function push(files: Record<string, string>, to: Serving): Promise<string> {
    const repository = await world.repository('shared');
    const commit = await repository.push(files);
    await to.notify(repository.url, commit);
    return commit;
  }

  function filesOf(round: number): Record<string, string> {
    const files: Record<string, string> = {};
    for (let app = 0; app < APPS; app++) {
      files[`app-${app}/a.yaml`] = configMap('a', `${round}`);
      files[`app-${app}/hook.yaml`] = hook(app, round);
    }
    return files;
  }

  async function untilAll(round: number, withinMs: number): Promise<void> {
    await until(`round ${round} to be everywhere`, withinMs, async () => {
      const apps = await world.client.list(APPLICATION, { namespace: 'argocd' });
      const maps = await world.client.list(CONFIG, { fieldSelector: 'metadata.name=a' });
      const values = maps.items.filter(({ metadata }) => metadata.namespace?.startsWith('rep-'));
      const done = values.filter((one) => (one['data'] as { value?: string }).value === `${round}`);
      return apps.items.filter(isDone).length === APPS && done.length === APPS;
    });
  }

  /** How many applications each replica reconciled so far, by its own count. */
  async function work(serving: Serving): Promise<number> {
    const text = await serving.metrics();
    const results = text.matchAll(
      /^controller_runtime_reconcile_total\{controller="application",result="(?:success|requeue_after)"\} (\d+)/gm,
    );
    return [...results].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  test('both work; when one is killed the other takes over; every hook ran once a commit', async () => {
    const first = await join('one');
    const second = await join('two');
    const repository = await world.repository('shared');
    await push(filesOf(1), first);
    for (let app = 0; app < APPS; app++) {
      const source = { url: repository.url, path: `app-${app}` };
      await world.apply(application(`rep-${app}`, source));
    }
    await untilAll(1, 120_000);
    const shares = [await work(first), await work(second)];
    assert.ok(Math.min(...shares) > 0, `both replicas work: ${shares.join(' and ')} reconciles`);
    // The other one was not told of this push by the host: the replica that was tells it.
    await push(filesOf(2), first);
    await untilAll(2, 60_000);
    await first.kill();
    await push(filesOf(3), second);
    await untilAll(3, 60_000);
    const third = await join('three');
    await push(filesOf(4), third);
    await untilAll(4, 60_000);
    assert.ok((await work(third)) > 0, 'who comes later takes a share');
    const jobs = await world.client.list({ apiVersion: 'batch/v1', kind: 'Job' });
    const runs = new Map<string, number>();
    for (const { metadata } of jobs.items) {
      const name = metadata.annotations?.['suite/run'] ?? '';
      runs.set(name, (runs.get(name) ?? 0) + 1);
    }
    const twice = [...runs].filter(([, count]) => count > 1);
    assert.deepEqual(twice, [], 'no hook ran twice');
    assert.equal(runs.size, APPS * 4, 'every hook ran');
  });
});

function isDone(app: KubeObject): boolean {
  const { sync, operationState } = (app['status'] ?? {}) as {
    readonly sync?: { readonly status?: string };
    readonly operationState?: { readonly phase?: string };
  };
  return sync?.status === 'Synced' && operationState?.phase === 'Succeeded';
}

function hook(app: number, round: number): string {
  return `apiVersion: batch/v1
kind: Job
metadata:
  generateName: migrate-
  annotations:
    suite/run: app-${app}-round-${round}
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/hook-delete-policy: HookFailed
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: migrate
        image: busybox:1
`;
}
