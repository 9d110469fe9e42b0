import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createLocalClient,
  type LocalClient,
  SYSTEM,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import { ManualClock } from '@capstan/lib-std';
import { type Sandbox, startSandbox } from './start-sandbox.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

async function withSandbox(
  run: (cluster: {
    sandbox: Sandbox;
    client: LocalClient;
    pass: (ms: number) => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const clock = new ManualClock(START);
  await using sandbox = await startSandbox({ clock });
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  await run({
    sandbox,
    client,
    // In small steps, so that what one timer leads to can set the next.
    async pass(ms) {
      for (let left = ms; left > 0; left -= 50) {
        clock.advance(Math.min(50, left));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  });
}

function deployment(image: string, extra: Record<string, unknown> = {}) {
  return JSON.parse(
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'web', image }] },
        },
        ...extra,
      },
    }),
  );
}

function conditions(client: LocalClient, path: string, name: string): string[] {
  const found = valueAt(client.get(path, 'default', name), 'status', 'conditions');
  return (Array.isArray(found) ? found : []).map(
    (c) => `${textAt(c, 'type')}=${textAt(c, 'status')} ${textAt(c, 'reason')}`,
  );
}

function podReasons(client: LocalClient): string[] {
  return client.list('v1/pods', 'default').map((pod) => {
    const status = valueAt(pod, 'status', 'containerStatuses');
    const first = Array.isArray(status) ? status[0] : undefined;
    return textAt(first, 'state', 'waiting', 'reason') || textAt(pod, 'status', 'phase');
  });
}

test('a deployment rolls out within a second, and again with a new image', () =>
  withSandbox(async ({ client, pass }) => {
    client.create('apps/v1/deployments', deployment('app:1'));
    await pass(1000);
    assert.deepEqual(conditions(client, 'apps/v1/deployments', 'web'), [
      'Available=True MinimumReplicasAvailable',
      'Progressing=True NewReplicaSetAvailable',
    ]);
    const live = client.get('apps/v1/deployments', 'default', 'web');
    assert.equal(valueAt(live, 'status', 'readyReplicas'), 3);
    client.update('apps/v1/deployments', {
      ...deployment('app:2'),
      metadata: { ...live?.metadata },
    });
    await pass(3000);
    const images = client
      .list('v1/pods', 'default')
      .map((pod) => textAt((valueAt(pod, 'spec', 'containers') as unknown[])[0], 'image'));
    assert.deepEqual(images, ['app:2', 'app:2', 'app:2']);
    assert.equal(client.list('apps/v1/replicasets', 'default').length, 2);
    assert.equal(
      client.get('apps/v1/deployments', 'default', 'web')?.metadata.annotations?.[
        'deployment.kubernetes.io/revision'
      ],
      '2',
    );
  }));

test('an image tagged crash ends in CrashLoopBackOff, one tagged missing in ImagePullBackOff', () =>
  withSandbox(async ({ client, pass }) => {
    client.create('apps/v1/deployments', deployment('app:crash', { replicas: 1 }));
    await pass(2000);
    assert.deepEqual(podReasons(client), ['CrashLoopBackOff']);
    client.remove('apps/v1/deployments', 'default', 'web');
    await pass(1000);
    assert.deepEqual(podReasons(client), []);
    client.create('apps/v1/deployments', deployment('app:missing', { replicas: 1 }));
    await pass(2000);
    assert.deepEqual(podReasons(client), ['ImagePullBackOff']);
  }));

test('a rollout that stands still passes its progress deadline', () =>
  withSandbox(async ({ client, pass }) => {
    client.create(
      'apps/v1/deployments',
      deployment('app:missing', { progressDeadlineSeconds: 10 }),
    );
    await pass(12_000);
    assert.deepEqual(conditions(client, 'apps/v1/deployments', 'web'), [
      'Available=False MinimumReplicasUnavailable',
      'Progressing=False ProgressDeadlineExceeded',
    ]);
  }));

test('a job completes, and one that fails reaches its backoff limit', () =>
  withSandbox(async ({ client, pass }) => {
    const job = (name: string, command: string[], backoffLimit: number) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace: 'default' },
      spec: {
        backoffLimit,
        template: {
          spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a', command }] },
        },
      },
    });
    client.create('batch/v1/jobs', job('good', ['true'], 0));
    client.create('batch/v1/jobs', job('bad', ['sh', '-c', 'exit 3'], 1));
    await pass(5000);
    assert.deepEqual(conditions(client, 'batch/v1/jobs', 'good'), [
      'SuccessCriteriaMet=True CompletionsReached',
      'Complete=True CompletionsReached',
    ]);
    assert.deepEqual(conditions(client, 'batch/v1/jobs', 'bad'), [
      'FailureTarget=True BackoffLimitExceeded',
      'Failed=True BackoffLimitExceeded',
    ]);
  }));

test('a stateful set makes its pods in order and binds their claims', () =>
  withSandbox(async ({ client, pass }) => {
    client.create('apps/v1/statefulsets', {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'default' },
      spec: {
        replicas: 2,
        serviceName: 'db',
        selector: { matchLabels: { app: 'db' } },
        template: {
          metadata: { labels: { app: 'db' } },
          spec: { containers: [{ name: 'db', image: 'db:1' }] },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    });
    await pass(50);
    assert.deepEqual(
      client.list('v1/pods', 'default').map((p) => p.metadata.name),
      ['db-0'],
    );
    await pass(3000);
    assert.equal(
      valueAt(client.get('apps/v1/statefulsets', 'default', 'db'), 'status', 'readyReplicas'),
      2,
    );
    assert.deepEqual(
      client
        .list('v1/persistentvolumeclaims', 'default')
        .map((c) => `${c.metadata.name} ${textAt(c, 'status', 'phase')}`),
      ['data-db-0 Bound', 'data-db-1 Bound'],
    );
    const setImage = (image: string): void => {
      const set = JSON.parse(JSON.stringify(client.get('apps/v1/statefulsets', 'default', 'db')));
      set.spec.template.spec.containers[0].image = image;
      client.update('apps/v1/statefulsets', set);
    };
    setImage('db:2');
    await pass(6000);
    // A template that comes back takes its revision to the front, as a rollback is read from it.
    setImage('db:1');
    await pass(6000);
    const revisions = client.list('apps/v1/controllerrevisions', 'default');
    assert.deepEqual(revisions.map((item) => item['revision']).sort(), [2, 3]);
    const current = revisions.find((item) => item['revision'] === 3)?.metadata.name;
    assert.deepEqual(
      client.list('v1/pods', 'default').map((p) => p.metadata.labels?.['controller-revision-hash']),
      [current, current],
    );
  }));

test('a cron job runs when its time comes, and time can be moved', () =>
  withSandbox(async ({ client, pass }) => {
    client.create('batch/v1/cronjobs', {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'tick', namespace: 'default' },
      spec: {
        schedule: '*/5 * * * *',
        jobTemplate: {
          spec: {
            template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] } },
          },
        },
      },
    });
    await pass(4 * 60_000);
    assert.equal(client.list('batch/v1/jobs', 'default').length, 0);
    await pass(62_000);
    assert.deepEqual(
      conditions(
        client,
        'batch/v1/jobs',
        client.list('batch/v1/jobs', 'default')[0]?.metadata.name ?? '',
      ),
      ['SuccessCriteriaMet=True CompletionsReached', 'Complete=True CompletionsReached'],
    );
  }));

test('of the runs that a cron job missed only the last is made up for', () =>
  withSandbox(async ({ client, pass }) => {
    const made = client.create('batch/v1/cronjobs', {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'late', namespace: 'default' },
      spec: {
        schedule: '0 * * * *',
        jobTemplate: {
          spec: {
            template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] } },
          },
        },
      },
    });
    await pass(100);
    const status = { lastScheduleTime: '2025-01-01T00:00:00Z' };
    client.updateStatus('batch/v1/cronjobs', { ...made, status });
    await pass(1000);
    assert.equal(client.list('batch/v1/jobs', 'default').length, 1);
    assert.equal(
      textAt(client.get('batch/v1/cronjobs', 'default', 'late'), 'status', 'lastScheduleTime'),
      '2026-01-01T00:00:00Z',
    );
    const reasons = client.list('v1/events', 'default').map((event) => textAt(event, 'reason'));
    assert.ok(reasons.includes('TooManyMissedTimes'));
  }));

test('a deleted namespace takes everything in it along', () =>
  withSandbox(async ({ client, pass }) => {
    client.create('v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'team' },
    });
    await pass(100);
    assert.ok(client.get('v1/serviceaccounts', 'team', 'default'));
    client.create('apps/v1/deployments', {
      ...deployment('app:1'),
      metadata: { name: 'web', namespace: 'team' },
    });
    await pass(1000);
    assert.equal(client.list('v1/pods', 'team').length, 3);
    client.remove('v1/namespaces', '', 'team');
    await pass(2000);
    assert.equal(client.get('v1/namespaces', '', 'team'), undefined);
    assert.deepEqual(client.list('v1/pods', 'team'), []);
  }));

test('foreground deletion waits for dependents, orphaning sets them free', () =>
  withSandbox(async ({ client, pass }) => {
    const owner = client.create('v1/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'owner', namespace: 'default' },
    });
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'owner',
      uid: owner.metadata.uid ?? '',
      blockOwnerDeletion: true,
    };
    const child = (name: string, finalizers: string[]) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default', finalizers, ownerReferences: [reference] },
    });
    client.create('v1/configmaps', child('held', ['example.com/hold']));
    await pass(50);
    client.remove('v1/configmaps', 'default', 'owner', { propagation: 'Foreground' });
    await pass(200);
    assert.ok(client.get('v1/configmaps', 'default', 'owner'));
    const held = client.get('v1/configmaps', 'default', 'held');
    assert.ok(held?.metadata.deletionTimestamp);
    client.update('v1/configmaps', {
      ...held,
      metadata: { ...held.metadata, finalizers: [] },
    } as never);
    await pass(200);
    assert.equal(client.get('v1/configmaps', 'default', 'owner'), undefined);
  }));

function configMapOwnedBy(name: string, owners: readonly KubeObject[]) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      ownerReferences: owners.map(({ metadata }) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: metadata.name ?? '',
        uid: metadata.uid ?? '',
        blockOwnerDeletion: true,
      })),
    },
  };
}

test('what another owner needs stays when one goes in the foreground', () =>
  withSandbox(async ({ client, pass }) => {
    const going = client.create('v1/configmaps', configMapOwnedBy('going', []));
    const staying = client.create('v1/configmaps', configMapOwnedBy('staying', []));
    client.create('v1/configmaps', configMapOwnedBy('both', [going, staying]));
    client.create('v1/configmaps', configMapOwnedBy('one', [going]));
    await pass(50);
    client.remove('v1/configmaps', 'default', 'going', { propagation: 'Foreground' });
    await pass(200);
    assert.equal(client.get('v1/configmaps', 'default', 'going'), undefined);
    assert.equal(client.get('v1/configmaps', 'default', 'one'), undefined);
    const both = client.get('v1/configmaps', 'default', 'both');
    assert.equal(both?.metadata.deletionTimestamp, undefined);
    assert.deepEqual(
      both?.metadata.ownerReferences?.map(({ name }) => name),
      ['staying'],
    );
  }));

test('owners that wait for each other in a circle all go', () =>
  withSandbox(async ({ client, pass }) => {
    const first = client.create('v1/configmaps', configMapOwnedBy('first', []));
    const second = client.create('v1/configmaps', configMapOwnedBy('second', [first]));
    const third = client.create('v1/configmaps', configMapOwnedBy('third', [second]));
    const circle = configMapOwnedBy('first', [third]);
    client.update('v1/configmaps', circle);
    await pass(50);
    client.remove('v1/configmaps', 'default', 'first', { propagation: 'Foreground' });
    await pass(500);
    assert.deepEqual(
      client.list('v1/configmaps', 'default').filter(({ metadata }) => metadata.ownerReferences),
      [],
    );
    assert.equal(client.get('v1/configmaps', 'default', 'first'), undefined);
  }));

test('what the replica sets do is asked once for many pods, not for each', () =>
  withSandbox(async ({ sandbox, client, pass }) => {
    let writes = 0;
    sandbox.server.core.store.subscribe(() => writes++, 'apps/replicasets');
    client.create('apps/v1/deployments', deployment('app:1', { replicas: 200 }));
    await pass(2000);
    const made = client.get('apps/v1/deployments', 'default', 'web');
    assert.equal(valueAt(made, 'status', 'readyReplicas'), 200);
    assert.ok(writes < 100, `${writes} writes of the replica set`);
  }));

test('a pod keeps the conditions of others, and is ready when its gates are open', () =>
  withSandbox(async ({ client, pass }) => {
    client.create('v1/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'gated', namespace: 'default' },
      spec: {
        readinessGates: [{ conditionType: 'example.com/in-rotation' }],
        containers: [{ name: 'c', image: 'app:1' }],
      },
    } as never);
    await pass(1000);
    const readiness = (): string[] =>
      conditions(client, 'v1/pods', 'gated').filter((text) => text.includes('Ready'));
    assert.ok(readiness().includes('Ready=False ReadinessGatesNotReady'));
    assert.ok(readiness().includes('ContainersReady=True '));
    const setGate = async (status: string): Promise<void> => {
      const pod = client.get('v1/pods', 'default', 'gated');
      const others = (valueAt(pod, 'status', 'conditions') as { type: string }[]).filter(
        ({ type }) => !type.startsWith('example.com/'),
      );
      const gate = { type: 'example.com/in-rotation', status };
      const conditions = [...others, gate];
      client.updateStatus('v1/pods', {
        ...pod,
        status: { ...(pod?.['status'] as object), conditions },
      } as never);
      await pass(1000);
    };
    await setGate('True');
    assert.ok(readiness().includes('Ready=True '));
    assert.ok(conditions(client, 'v1/pods', 'gated')[0]?.startsWith('example.com/in-rotation'));
    await setGate('False');
    assert.ok(readiness().includes('Ready=False ReadinessGatesNotReady'));
  }));

test('a named port that is another number in each pod makes a slice for each number', () =>
  withSandbox(async ({ client, pass }) => {
    const make = (name: string, containerPort: number): void => {
      client.create('v1/pods', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', labels: { app: 'web' } },
        spec: {
          containers: [{ name: 'c', image: 'a:1', ports: [{ name: 'http', containerPort }] }],
        },
      });
    };
    const ports = [{ port: 80, targetPort: 'http' }];
    client.create('v1/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports },
    });
    const told = (): unknown[] =>
      client.list('discovery.k8s.io/v1/endpointslices', 'default').flatMap((slice) => {
        if (slice.metadata.labels?.['kubernetes.io/service-name'] !== 'web') return [];
        const [port] = (slice['ports'] ?? []) as { readonly port: number }[];
        const endpoints = (slice['endpoints'] ?? []) as { targetRef: { name: string } }[];
        return [[port?.port, ...endpoints.map(({ targetRef }) => targetRef.name)]];
      });
    await pass(100);
    assert.deepEqual(told(), [[undefined]]);
    make('a', 8080);
    make('b', 9090);
    make('c', 8080);
    await pass(1000);
    assert.deepEqual(told().toSorted(), [
      [8080, 'a', 'c'],
      [9090, 'b'],
    ]);
    const subsets = valueAt(client.get('v1/endpoints', 'default', 'web'), 'subsets') as object[];
    assert.equal(subsets.length, 2);
    for (const { metadata } of client.list('discovery.k8s.io/v1/endpointslices', 'default')) {
      client.remove('discovery.k8s.io/v1/endpointslices', 'default', metadata.name ?? '');
    }
    client.remove('v1/endpoints', 'default', 'web');
    await pass(200);
    assert.equal(told().length, 2);
    assert.ok(client.get('v1/endpoints', 'default', 'web') !== undefined);
    client.remove('v1/pods', 'default', 'b', { gracePeriodSeconds: 0 });
    await pass(200);
    assert.deepEqual(told(), [[8080, 'a', 'c']]);
  }));

test('workloads adopt what they select and nobody controls, and release what they select no more', () =>
  withSandbox(async ({ client, pass }) => {
    const owners = (path: string, name: string): unknown =>
      client.get(path, 'default', name)?.metadata.ownerReferences?.map((owner) => owner.name);
    client.create('v1/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'orphan', namespace: 'default', labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'app:1' }] },
    });
    const { spec } = deployment('app:1', { replicas: 2 });
    client.create('apps/v1/replicasets', {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: 'set',
        namespace: 'default',
        labels: { app: 'web' },
        annotations: { 'deployment.kubernetes.io/revision': '3546343826724305832' },
      },
      spec,
    } as never);
    await pass(1000);
    assert.deepEqual(owners('v1/pods', 'orphan'), ['set']);
    assert.equal(client.list('v1/pods', 'default').length, 2);

    client.create('apps/v1/deployments', deployment('app:1', { replicas: 2 }));
    await pass(1000);
    assert.deepEqual(owners('apps/v1/replicasets', 'set'), ['web']);
    assert.equal(client.list('apps/v1/replicasets', 'default').length, 1);

    client.update('apps/v1/deployments', deployment('app:2', { replicas: 2 }));
    await pass(1000);
    const rolled = client.get('apps/v1/deployments', 'default', 'web');
    const revision = rolled?.metadata.annotations?.['deployment.kubernetes.io/revision'];
    assert.equal(revision, '3546343826724305833');
    client.update('apps/v1/deployments', deployment('app:1', { replicas: 2 }));
    await pass(1000);

    const pods = client.list('v1/pods', 'default');
    const name = pods[0]?.metadata.name ?? '';
    const pod = client.get('v1/pods', 'default', name);
    client.update('v1/pods', {
      ...pod,
      metadata: { ...pod?.metadata, labels: { app: 'looked-at' } },
    } as never);
    await pass(1000);
    assert.equal(owners('v1/pods', name), undefined);
    assert.equal(client.list('v1/pods', 'default').length, 3);
  }));

test('a daemon set replaces its pods one after the other, and keeps sorted revisions', () =>
  withSandbox(async ({ client, pass }) => {
    const labels = { app: 'agent' };
    const node = client.get('v1/nodes', '', 'sandbox-0');
    for (const name of ['more-1', 'more-2']) {
      client.create('v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
      const made = client.get('v1/nodes', '', name);
      client.updateStatus('v1/nodes', { ...made, status: node?.['status'] } as never);
    }
    const daemons = (image: string) => ({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent', namespace: 'default' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } },
      },
    });
    client.create('apps/v1/daemonsets', daemons('app:1') as never);
    await pass(1000);
    client.update('apps/v1/daemonsets', daemons('app:2') as never);
    let fewest = 3;
    for (let i = 0; i < 40; i++) {
      await pass(50);
      const ready = client
        .list('v1/pods', 'default')
        .filter((pod) => pod.metadata.deletionTimestamp === undefined)
        .filter((pod) =>
          (valueAt(pod, 'status', 'conditions') as { type: string; status: string }[]).some(
            ({ type, status }) => type === 'Ready' && status === 'True',
          ),
        );
      fewest = Math.min(fewest, ready.length);
    }
    assert.equal(fewest, 2);
    const images = client
      .list('v1/pods', 'default')
      .map((pod) => (valueAt(pod, 'spec', 'containers') as { image: string }[])[0]?.image);
    assert.deepEqual(images, ['app:2', 'app:2', 'app:2']);
    for (const { data } of client.list('apps/v1/controllerrevisions', 'default') as never as {
      data: object;
    }[]) {
      const text = JSON.stringify(data);
      assert.match(text, /^{"spec":{"template":{"\$patch":"replace","metadata":/);
      assert.match(text, /"containers":\[{"image":"app:\d","imagePullPolicy":/);
    }
  }));

test('the authority of the cluster stays in every namespace as it is', () =>
  withSandbox(async ({ client, pass }) => {
    await pass(100);
    const path = 'v1/configmaps';
    const known = client.get(path, 'default', 'kube-root-ca.crt');
    client.update(path, { ...known, data: { 'ca.crt': 'another' } } as never);
    await pass(200);
    assert.deepEqual(client.get(path, 'default', 'kube-root-ca.crt')?.['data'], known?.['data']);
    client.remove(path, 'default', 'kube-root-ca.crt');
    await pass(200);
    assert.deepEqual(client.get(path, 'default', 'kube-root-ca.crt')?.['data'], known?.['data']);
  }));

test('of a namespace that goes the pods go first', () =>
  withSandbox(async ({ client, pass }) => {
    const make = (path: string, kind: string, finalizers: string[], more: object): void => {
      const metadata = { name: 'it', namespace: 'going', finalizers };
      client.create(path, { apiVersion: 'v1', kind, metadata, ...more } as never);
    };
    client.create('v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'going' },
    });
    await pass(100);
    make('v1/pods', 'Pod', ['example.com/hold'], {
      spec: { containers: [{ name: 'c', image: 'app:1' }] },
    });
    make('v1/configmaps', 'ConfigMap', [], {});
    await pass(500);
    client.remove('v1/namespaces', '', 'going');
    await pass(2000);
    const pod = client.get('v1/pods', 'going', 'it');
    assert.ok(pod?.metadata.deletionTimestamp !== undefined);
    const map = client.get('v1/configmaps', 'going', 'it');
    assert.ok(map !== undefined && map.metadata.deletionTimestamp === undefined);
    const told = valueAt(client.get('v1/namespaces', '', 'going'), 'status', 'conditions');
    assert.deepEqual(
      (told as { status: string; message: string }[])
        .filter(({ status }) => status === 'True')
        .map(({ message }) => message),
      [
        'Some resources are remaining: pods. has 1 resource instances',
        'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
      ],
    );
    client.update('v1/pods', { ...pod, metadata: { ...pod.metadata, finalizers: [] } } as never);
    await pass(1000);
    assert.equal(client.get('v1/namespaces', '', 'going'), undefined);
  }));

test('a replica set says what it has while a quota keeps it from more, and no more once it fits', () =>
  withSandbox(async ({ client, pass }) => {
    client.create('v1/resourcequotas', {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'few', namespace: 'default' },
      spec: { hard: { pods: '2' } },
    });
    client.create('apps/v1/replicasets', {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'web', namespace: 'default' },
      spec: deployment('app:1', { replicas: 3 }).spec,
    } as never);
    await pass(1000);
    const status = (): unknown =>
      valueAt(client.get('apps/v1/replicasets', 'default', 'web'), 'status');
    assert.equal(valueAt(status() as never, 'readyReplicas'), 2);
    assert.equal(valueAt(status() as never, 'observedGeneration'), 1);
    assert.deepEqual(conditions(client, 'apps/v1/replicasets', 'web'), [
      'ReplicaFailure=True FailedCreate',
    ]);
    const set = client.get('apps/v1/replicasets', 'default', 'web');
    client.update('apps/v1/replicasets', {
      ...set,
      spec: { ...(set?.['spec'] as object), replicas: 2 },
    } as never);
    await pass(1000);
    assert.deepEqual(conditions(client, 'apps/v1/replicasets', 'web'), []);
  }));

test('endpoints that people write for a service have slices that say the same', () =>
  withSandbox(async ({ client, pass }) => {
    const metadata = { name: 'outside', namespace: 'default' };
    client.create('v1/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { ports: [{ port: 80 }] },
    });
    const address = (ip: string) => ({ ip });
    client.create('v1/endpoints', {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { ...metadata, labels: { team: 'a' } },
      subsets: [
        { addresses: [address('192.0.2.1'), address('2001:db8::1')], ports: [{ port: 80 }] },
        { notReadyAddresses: [address('192.0.2.2')], ports: [{ port: 80 }] },
      ],
    });
    await pass(100);
    const slices = (): unknown[] =>
      client.list('discovery.k8s.io/v1/endpointslices', 'default').flatMap((slice) => {
        if (slice.metadata.labels?.['kubernetes.io/service-name'] !== 'outside') return [];
        const endpoints = (slice['endpoints'] ?? []) as {
          readonly addresses: readonly string[];
          readonly conditions: { readonly ready: boolean };
        }[];
        const told = endpoints.map(({ addresses, conditions: { ready } }) => [...addresses, ready]);
        return [[slice['addressType'], slice.metadata.labels['team'], ...told]];
      });
    assert.deepEqual(slices().toSorted(), [
      ['IPv4', 'a', ['192.0.2.1', true], ['192.0.2.2', false]],
      ['IPv6', 'a', ['2001:db8::1', true]],
    ]);
    client.remove('v1/endpoints', 'default', 'outside');
    await pass(100);
    assert.deepEqual(slices(), []);
  }));

test('a class of volume attributes goes when no claim names it any more', () =>
  withSandbox(async ({ client, pass }) => {
    const path = 'storage.k8s.io/v1/volumeattributesclasses';
    client.create(path, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name: 'fast' },
      driverName: 'example.com',
      parameters: { iops: '1000' },
    });
    client.create('v1/persistentvolumeclaims', {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'default' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        volumeAttributesClassName: 'fast',
        resources: { requests: { storage: '1Gi' } },
      },
    });
    client.remove(path, '', 'fast');
    await pass(100);
    assert.ok(client.get(path, '', 'fast') !== undefined);
    client.remove('v1/persistentvolumeclaims', 'default', 'data');
    await pass(500);
    assert.equal(client.get(path, '', 'fast'), undefined);
  }));

test('a namespace goes in the foreground, or when whoever holds it lets it go', () =>
  withSandbox(async ({ client, pass }) => {
    const namespace = (name: string, finalizers: string[]) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, finalizers },
    });
    client.create('v1/namespaces', namespace('plain', []));
    client.create('v1/namespaces', namespace('held', ['example.com/hold']));
    await pass(50);
    client.remove('v1/namespaces', '', 'plain', { propagation: 'Foreground' });
    client.remove('v1/namespaces', '', 'held');
    await pass(1000);
    assert.equal(client.get('v1/namespaces', '', 'plain'), undefined);
    const held = client.get('v1/namespaces', '', 'held');
    assert.equal(held?.['spec'] && JSON.stringify(held['spec']), '{}');
    client.update('v1/namespaces', {
      ...held,
      metadata: { ...held?.metadata, finalizers: [] },
    } as never);
    await pass(200);
    assert.equal(client.get('v1/namespaces', '', 'held'), undefined);
  }));

test('a fork is a cluster of its own', () =>
  withSandbox(async ({ sandbox, client, pass }) => {
    client.create('apps/v1/deployments', deployment('app:1'));
    await pass(1000);
    await using fork = await sandbox.fork();
    const other = createLocalClient(fork.server.core, SYSTEM, 'test');
    other.remove('apps/v1/deployments', 'default', 'web');
    await pass(1000);
    assert.equal(other.list('v1/pods', 'default').length, 0);
    assert.equal(client.list('v1/pods', 'default').length, 3);
  }));

test('a fork goes on with what is under way, and cleans up after owners that came before it', () =>
  withSandbox(async ({ sandbox, client, pass }) => {
    client.create('apps/v1/deployments', deployment('app:slow'));
    await pass(10);
    const ready = (of: LocalClient): unknown =>
      valueAt(of.get('apps/v1/deployments', 'default', 'web'), 'status', 'readyReplicas');
    assert.equal(ready(client), undefined);
    await using fork = await sandbox.fork();
    const other = createLocalClient(fork.server.core, SYSTEM, 'test');
    await pass(60_000);
    assert.equal(ready(client), 3);
    assert.equal(ready(other), 3);
    await using second = await fork.fork();
    const third = createLocalClient(second.server.core, SYSTEM, 'test');
    third.remove('apps/v1/deployments', 'default', 'web', { propagation: 'Foreground' });
    await pass(1000);
    assert.deepEqual(third.list('apps/v1/replicasets', 'default'), []);
    assert.equal(third.list('v1/pods', 'default').length, 0);
    assert.equal(other.list('v1/pods', 'default').length, 3);
  }));

test('an autoscaler follows the metric that one sets', () =>
  withSandbox(async ({ client, pass }) => {
    client.create('apps/v1/deployments', deployment('app:1', { replicas: 2 }));
    client.create('autoscaling/v2/horizontalpodautoscalers', {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: {
        name: 'web',
        namespace: 'default',
        annotations: { 'metric.sandbox.capstan.dev/cpu': '160' },
      },
      spec: {
        minReplicas: 1,
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
          },
        ],
      },
    });
    await pass(1000);
    assert.equal(
      valueAt(client.get('apps/v1/deployments', 'default', 'web'), 'spec', 'replicas'),
      3,
    );
  }));

test('an autoscaler follows what the pods use, at once when it is more, after a while when it is less', () =>
  withSandbox(async ({ client, pass }) => {
    const draft = deployment('app:1', { replicas: 2 });
    draft.spec.template.spec.containers[0].resources = { requests: { cpu: '100m' } };
    draft.spec.template.metadata.annotations = { 'usage.sandbox.capstan.dev/cpu': '150m' };
    client.create('apps/v1/deployments', draft);
    client.create('autoscaling/v2/horizontalpodautoscalers', {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        minReplicas: 1,
        maxReplicas: 5,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 75 } },
          },
        ],
      },
    });
    const replicas = (): unknown =>
      valueAt(client.get('apps/v1/deployments', 'default', 'web'), 'spec', 'replicas');
    await pass(20_000);
    assert.equal(replicas(), 5);
    const status = client.get('autoscaling/v2/horizontalpodautoscalers', 'default', 'web');
    assert.deepEqual(valueAt(status, 'status', 'currentMetrics'), [
      {
        type: 'Resource',
        resource: { name: 'cpu', current: { averageUtilization: 150, averageValue: '150m' } },
      },
    ]);
    for (const pod of client.list('v1/pods', 'default')) {
      const annotations = { 'usage.sandbox.capstan.dev/cpu': '30m' };
      client.update('v1/pods', { ...pod, metadata: { ...pod.metadata, annotations } });
    }
    await pass(60_000);
    assert.equal(replicas(), 5);
    await pass(300_000);
    assert.equal(replicas(), 2);
  }));

test('a node tells of its pods over the proxy', () =>
  withSandbox(async ({ client, sandbox, pass }) => {
    const draft = deployment('app:1', { replicas: 1 });
    draft.spec.template.metadata.annotations = { 'usage.sandbox.capstan.dev/memory': '64Mi' };
    client.create('apps/v1/deployments', draft);
    await pass(2000);
    const [node] = client.list('v1/nodes');
    const [pod] = client.list('v1/pods', 'default');
    const get = async (path: string): Promise<{ status: number; text: string }> => {
      const response = await sandbox.transport.request({
        method: 'GET',
        path: `/api/v1/nodes/${node?.metadata.name}/proxy/${path}`,
        headers: {},
      });
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.body) chunks.push(chunk);
      return { status: response.status, text: Buffer.concat(chunks).toString() };
    };
    const summary: unknown = JSON.parse((await get('stats/summary')).text);
    const pods = valueAt(summary, 'pods');
    const [first] = Array.isArray(pods) ? pods : [];
    assert.equal(textAt(first, 'podRef', 'name'), pod?.metadata.name);
    assert.equal(valueAt(first, 'memory', 'workingSetBytes'), 64 * 1024 * 1024);
    assert.match(
      (await get('metrics/resource')).text,
      /pod_memory_working_set_bytes\{namespace="default",pod="web-[^"]+"\} 67108864/,
    );
    assert.equal((await get('healthz')).text, 'ok');
    assert.equal((await get('nothing')).status, 404);
  }));
