import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts';
import { clientOf, configMap, makeNamespace } from './support.ts';

describe('an API server that takes one write at a time', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  let admin: KubeClient;

  before(async () => {
    const limits = ['--max-mutating-requests-inflight=1', '--max-requests-inflight=2'];
    cluster = await startCluster({ args: limits.flatMap((limit) => ['-apiserver-arg', limit]) });
    admin = await clientOf(cluster);
    // Members of system:masters are never throttled; this user has the same rights but is nobody special.
    await admin.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'busy' },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'cluster-admin',
      },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'busy' }],
    });
    await makeNamespace(admin, 'busy');
  });
  after(async () => {
    await admin.close();
    await cluster.stop();
  });

  test('is not given up on, and all writes are done', async (context) => {
    const statuses = new Map<number, number>();
    const base = connect(await loadKubeconfig({ file: cluster.kubeconfig }), {
      observe: ({ status }) => statuses.set(status, (statuses.get(status) ?? 0) + 1),
    });
    const client = base.as({ user: 'busy' });
    const names = Array.from({ length: 300 }, (_, i) => `c-${i}`);
    const started = Date.now();
    await Promise.all(
      names.map((name) =>
        client.apply(configMap('busy', name, { a: '1' }), { fieldManager: 'busy' }),
      ),
    );
    const { items } = await admin.list(
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { namespace: 'busy' },
    );
    context.diagnostic(`${Date.now() - started} ms, answers: ${JSON.stringify([...statuses])}`);
    assert.equal(items.filter(({ metadata }) => metadata.name?.startsWith('c-')).length, 300);
    assert.ok((statuses.get(429) ?? 0) > 0, 'the server did throttle');
    assert.ok(
      (statuses.get(429) ?? 0) < 300,
      'and was not asked in vain more often than to some end',
    );
    await base.close();
  });
});
