import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
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

const COMMAND = join(import.meta.dirname, '..', '..', 'apps', 'cli', 'src', 'main.ts');
const APPS = 20;
const OBJECTS = 5;
const KILLS = 4;

describe('the control plane killed in the middle of its work', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  let world: World;
  let child: ChildProcess | undefined;

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
    child?.kill('SIGKILL');
    await world[Symbol.asyncDispose]();
    await cluster.stop();
  });

  /** Starts `capstan serve` and waits until it says so. */
  async function serve(): Promise<ChildProcess> {
    const cache = scratch(cluster, 'cache');
    const args = ['serve', '--kubeconfig', cluster.kubeconfig, '--port', '0', '--cache', cache];
    const started = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      COMMAND,
      ...args,
    ]);
    let said = '';
    started.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    const [line] = (await Promise.race([
      once(started.stdout, 'data'),
      once(started, 'exit').then(() => {
        throw new Error(said);
      }),
    ])) as [Buffer];
    assert.match(String(line), /Capstan serves/);
    return started;
  }

  async function counts(): Promise<{ readonly synced: number; readonly objects: number }> {
    const apps = await world.client.list(APPLICATION, { namespace: 'argocd' });
    const synced = apps.items.filter(isDone);
    const selector = { labelSelector: 'suite=kill' };
    const maps = await world.client.list({ apiVersion: 'v1', kind: 'ConfigMap' }, selector);
    return { synced: synced.length, objects: maps.items.length };
  }

  test('nothing is lost or made twice, hooks run once, and it converges', async () => {
    const repository = await world.repository('killed');
    const files: Record<string, string> = {};
    for (let app = 0; app < APPS; app++) {
      for (let i = 0; i < OBJECTS; i++) {
        const text = configMap(`m-${i}`, String(app));
        files[`app-${app}/m-${i}.yaml`] = text.replace(
          '\ndata:',
          '\n  labels: {suite: kill}\ndata:',
        );
      }
      files[`app-${app}/hook.yaml`] = hook;
    }
    await repository.push(files);
    child = await serve();
    await until('the definitions', 30_000, async () => (await counts()) !== undefined);
    for (let app = 0; app < APPS; app++) {
      const source = { url: repository.url, path: `app-${app}` };
      await world.apply(application(`killed-${app}`, source));
    }
    for (let kill = 0; kill < KILLS; kill++) {
      const wanted = ((kill + 1) * APPS * OBJECTS) / (KILLS + 2);
      await until('some work to be done', 60_000, async () => (await counts()).objects >= wanted);
      child.kill('SIGKILL');
      await once(child, 'exit');
      child = await serve();
    }
    await until('all apps to be synced', 120_000, async () => (await counts()).synced === APPS);
    const { objects } = await counts();
    assert.equal(objects, APPS * OBJECTS);
    const jobs = await world.client.list({ apiVersion: 'batch/v1', kind: 'Job' });
    assert.equal(jobs.items.length, APPS, 'one hook for each app');
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.equal(code, 0);
  });
});

function isDone(app: KubeObject): boolean {
  const { sync, operationState } = (app['status'] ?? {}) as {
    readonly sync?: { readonly status?: string };
    readonly operationState?: { readonly phase?: string };
  };
  return sync?.status === 'Synced' && operationState?.phase === 'Succeeded';
}

const hook = `apiVersion: batch/v1
kind: Job
metadata:
  generateName: migrate-
  annotations:
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
