import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { parseYaml } from '@capstan/lib-yaml';
import type { Io } from '../io.ts';
import { run } from './sandbox.ts';

interface Running {
  readonly kubeconfig: string;
  readonly client: KubeClient;
  readonly said: string[];
  stop(): Promise<number>;
}

function io(signal: AbortSignal, out: string[], err: string[] = []): Io {
  return {
    cwd: '.',
    env: {},
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    readInput: async () => new Uint8Array(),
    signal,
  };
}

async function start(...args: string[]): Promise<Running> {
  const stop = new AbortController();
  const out: string[] = [];
  const said: string[] = [];
  const running = run(args, io(stop.signal, out, said));
  await until(async () => out.length > 0);
  const kubeconfig = (out[0] ?? '').trim();
  const client = connect(await loadKubeconfig({ file: kubeconfig }));
  return {
    kubeconfig,
    client,
    said,
    async stop() {
      await client.close();
      stop.abort();
      return running;
    },
  };
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isTrue())) {
    assert.ok(Date.now() < deadline, 'gave up waiting');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('starts a cluster, prints the kubeconfig, and stops cleanly', async () => {
  const { kubeconfig, stop } = await start();
  assert.ok(existsSync(kubeconfig), kubeconfig);
  assert.equal(await stop(), 0);
  assert.equal(existsSync(kubeconfig), false);
});

const WIDGETS = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { plural: widgets, singular: widget, kind: Widget, listKind: WidgetList }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
`;

test('begins with a copy of another cluster, which then lives on its own beside it', async () => {
  const source = await start();
  const apply = (object: unknown) =>
    source.client.apply(object as KubeObject, { fieldManager: 'test' });
  await apply(parseYaml(WIDGETS));
  await apply(deployment(3));
  await until(async () => (await readyReplicas(source.client)) === 3);
  const widget = { apiVersion: 'example.com/v1', kind: 'Widget' };
  await apply({ ...widget, metadata: { name: 'w', namespace: 'default' }, spec: { size: 3 } });

  const copy = await start('--import', source.kubeconfig);
  assert.match(copy.said.join(''), /\d+ objects imported from https:/);
  assert.deepEqual(await podUids(copy.client), await podUids(source.client));
  const found = await copy.client.get({ ...widget, namespace: 'default', name: 'w' });
  assert.deepEqual(found['spec'], { size: 3 });
  await copy.client.apply(deployment(1), { fieldManager: 'test' });
  await until(async () => (await podUids(copy.client)).length === 1);
  assert.equal((await podUids(source.client)).length, 3);
  assert.deepEqual(await Promise.all([copy.stop(), source.stop()]), [0, 0]);
});

test('leaves out what the other cluster does not show, and says so', async () => {
  const source = await start();
  const reader = { apiVersion: 'v1', kind: 'ServiceAccount' };
  await source.client.create({ ...reader, metadata: { name: 'reader', namespace: 'default' } });
  await source.client.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }],
  });
  const config = JSON.parse(readFileSync(source.kubeconfig, 'utf8'));
  config.users[0].user.as = 'system:serviceaccount:default:reader';
  const directory = mkdtempSync(join(tmpdir(), 'sandbox-import-'));
  const file = join(directory, 'kubeconfig');
  writeFileSync(file, JSON.stringify(config));
  const copy = await start('--import', file);
  rmSync(directory, { recursive: true });
  assert.match(copy.said.join(''), /left out, because they may not be listed: secrets\n/);
  await copy.client.get({ ...reader, namespace: 'default', name: 'reader' });
  await Promise.all([copy.stop(), source.stop()]);
});

function deployment(replicas: number): KubeObject {
  const labels = { app: 'web' };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'web', image: 'web:1' }] },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}

async function readyReplicas(client: KubeClient): Promise<unknown> {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' };
  return ((await client.get(ref))['status'] as { readyReplicas?: number }).readyReplicas;
}

async function podUids(client: KubeClient): Promise<(string | undefined)[]> {
  const { items } = await client.list(
    { apiVersion: 'v1', kind: 'Pod' },
    { namespace: 'default', labelSelector: 'app=web' },
  );
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.uid);
}

test('refuses a port that is none', async () => {
  const { signal } = new AbortController();
  await assert.rejects(
    run(['--port', 'x'], io(signal, [])),
    /--port must be a number from 0 to 65535/,
  );
});

test('serves the minor of Kubernetes that it is told, on nodes of that minor', async () => {
  const { client, stop } = await start('--kubernetes-version', 'v1.34');
  const { items } = await client.list({ apiVersion: 'v1', kind: 'Node' }, {});
  const status = items[0]?.['status'] as { nodeInfo: { kubeletVersion: string } } | undefined;
  assert.match(status?.nodeInfo.kubeletVersion ?? '', /^v1\.34\./);
  assert.equal(await stop(), 0);
  await assert.rejects(
    run(['--kubernetes-version', '1.20'], io(new AbortController().signal, [])),
    /no schemas for Kubernetes 1\.20/,
  );
});
