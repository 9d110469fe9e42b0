/** Credentials that change while a client is in use: plugins whose tokens expire, a Pod's token that is renewed. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  connect,
  inClusterConnection,
  type KubeClient,
  loadKubeconfig,
} from '@capstan/kube-client';
import { startCluster, whyNoCluster } from './cluster.ts';
import { type AnyCluster, startSandboxCluster } from './sandbox-cluster.ts';
import { at, clientOf, codeOf, eventually, makeNamespace } from './support.ts';

describe('credentials for a real API server', { skip: whyNoCluster() }, () =>
  credentialTests(startCluster),
);
describe('credentials for the sandbox', () => credentialTests(startSandboxCluster));

function credentialTests(start: () => Promise<AnyCluster>): void {
  let cluster: AnyCluster;
  let client: KubeClient;
  const namespace = 'credentials';

  before(async () => {
    cluster = await start();
    client = await clientOf(cluster);
    await makeNamespace(client, namespace);
  });
  after(async () => {
    await client.close();
    await cluster.stop();
  });

  /** A client whose plugin runs `script`, with the number of its run in $n, and how often it has run. */
  async function pluginClient(name: string, script: string) {
    const calls = join(cluster.directory, `${name}-calls`);
    const plugin = join(cluster.directory, `${name}.sh`);
    writeFileSync(plugin, `#!/bin/sh\necho x >> '${calls}'\nn=$(wc -l < '${calls}')\n${script}\n`);
    chmodSync(plugin, 0o755);
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: `./${name}.sh`,
      interactiveMode: 'Never',
    };
    const file = join(cluster.directory, `${name}.kubeconfig`);
    const target = { server: cluster.server, 'certificate-authority': 'pki/ca.crt' };
    writeFileSync(
      file,
      JSON.stringify({
        'current-context': 'c',
        clusters: [{ name: 'k', cluster: target }],
        users: [{ name: 'u', user: { exec } }],
        contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
      }),
    );
    return {
      client: connect(await loadKubeconfig({ file })),
      calls: () => readFileSync(calls, 'utf8').trim().split('\n').length,
    };
  }

  const answer = (status: string) =>
    `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{${status}}}'`;
  test('a token is asked for anew when it has expired, once for all who wait', async () => {
    const until = (date: string) => `"expirationTimestamp":"${date}","token":"${cluster.token}"`;
    const { client: own, calls } = await pluginClient(
      'expiring',
      `[ $n -gt 1 ] && ${answer(until('2124-01-01T00:00:00Z'))} || ${answer(until('2024-01-01T00:00:00Z'))}`,
    );
    const readThrice = () =>
      Promise.all([0, 1, 2].map(() => codeOf(own.getJson(`/api/v1/namespaces/${namespace}`))));
    for (const wanted of [1, 2, 2]) {
      assert.deepEqual(await readThrice(), ['no error', 'no error', 'no error']);
      assert.equal(calls(), wanted);
    }
    await own.close();
  });

  test('a token that is refused although it has not expired is asked for anew, once a request', async () => {
    const { client: own, calls } = await pluginClient('refused', answer('"token":"wrong"'));
    const ref = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
    assert.equal(await codeOf(own.get(ref)), 'UNAUTHORIZED');
    assert.equal(calls(), 2);
    await own.close();
  });

  test("a Pod's token may be renewed in its file and the old one end, and a watch goes on", async () => {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: 'robot' };
    await client.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace, name: 'robot' },
    });
    await client.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'robot' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'robot' }],
    });
    const root = join(cluster.directory, 'account');
    mkdirSync(root);
    writeFileSync(join(root, 'ca.crt'), readFileSync(cluster.caFile));
    writeFileSync(join(root, 'namespace'), namespace);
    const renew = async () => writeFileSync(join(root, 'token'), await tokenOf(client, namespace));
    await renew();
    const { hostname, port } = new URL(cluster.server);
    const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    const connection = await inClusterConnection(environment, root);
    assert.ok(connection !== undefined);
    assert.equal(connection.namespace, namespace);
    const own = connect(connection);
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
    const seen: string[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const event of own.follow(kind, { namespace, signal: stop.signal })) {
        if (event.type === 'CHANGED') seen.push(event.object.metadata.name ?? '');
        else seen.push(event.type);
      }
    })().catch(() => {});
    await eventually(() => seen.includes('STATE'), 'the watch to begin');
    // The tokens of an account end with it: one that is made anew has others.
    await client.delete(account);
    await client.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace, name: 'robot' },
    });
    await renew();
    await eventually(
      async () => (await codeOf(own.list(kind, { namespace }))) === 'no error',
      'the new token to be taken',
    );
    await client.create({ ...kind, metadata: { namespace, name: 'news' } });
    await eventually(() => seen.includes('news'), 'the watch to tell the news');
    stop.abort();
    await following;
    await own.close();
  });
}

async function tokenOf(client: KubeClient, namespace: string): Promise<string> {
  const response = await client.raw({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/robot/token`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return String(at(JSON.parse(Buffer.concat(chunks).toString()), 'status', 'token'));
}
