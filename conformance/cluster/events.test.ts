import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubeClient } from '@capstan/kube-client';
import { createEventRecorder } from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts';
import { type AnyCluster, startSandboxCluster } from './sandbox-cluster.ts';
import { at, clientOf, configMap, eventually, makeNamespace } from './support.ts';

describe('events on a real API server', { skip: whyNoCluster() }, () => eventTests(true));
describe('events on the sandbox', () => eventTests(false));

function eventTests(isReal: boolean): void {
  let cluster: AnyCluster;
  /** For what only a process of its own can be asked. */
  let real: Cluster | undefined;
  let client: KubeClient;
  let object: KubeObject;
  const namespace = 'events';
  const kind = { apiVersion: 'v1', kind: 'Event' };
  const errors: unknown[] = [];

  before(async () => {
    real = isReal ? await startCluster() : undefined;
    cluster = real ?? (await startSandboxCluster());
    client = await clientOf(cluster);
    await makeNamespace(client, namespace);
    object = await client.create(configMap(namespace, 'subject', {}));
  });
  after(async () => {
    await client.close();
    await cluster.stop();
  });

  function recorder(more: { aggregates?: boolean } = {}) {
    const onError = (error: unknown) => errors.push(error);
    return createEventRecorder({
      client,
      component: 'test-controller',
      instance: 'test-0',
      onError,
      ...more,
    });
  }

  async function eventsOf(reason: string): Promise<readonly KubeObject[]> {
    return (await client.list(kind, { namespace, fieldSelector: `reason=${reason}` })).items;
  }

  test('like events are one with a count, as kubectl shows it', async () => {
    await using events = recorder();
    for (let i = 0; i < 3; i++) {
      events.record({ object, type: 'Warning', reason: 'BuildFailed', message: 'no such file' });
    }
    await events.flush();
    const [event, ...others] = await eventsOf('BuildFailed');
    assert.equal(others.length, 0);
    assert.equal(at(event, 'count'), 3);
    assert.equal(at(event, 'involvedObject', 'uid'), object.metadata.uid);
    for (const time of ['firstTimestamp', 'lastTimestamp']) {
      const ageMs = Date.now() - Date.parse(String(at(event, time)));
      assert.ok(ageMs > -1_000 && ageMs < 60_000, `${time} is ${ageMs} ms ago`);
    }
    if (real !== undefined) {
      const { stdout } = real.kubectl(['events', '-n', namespace, '--for', 'configmap/subject']);
      assert.match(
        stdout,
        /\(x3 over .*\) +Warning +BuildFailed +ConfigMap\/subject +no such file/,
      );
    }
    assert.deepEqual(errors, []);
  });

  test('a message of any length is taken, and an object whose name is no name of an event', async () => {
    await using events = recorder();
    const role = await client.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'test:Reader' },
      rules: [],
    });
    const message = 'long '.repeat(2_000);
    events.record({ object: role, type: 'Warning', reason: 'Wordy', message });
    await events.flush();
    const selected = { namespace: 'default', fieldSelector: 'reason=Wordy' };
    const [event] = (await client.list(kind, selected)).items;
    assert.equal(at(event, 'message'), message);
    assert.deepEqual(errors, []);
  });

  test('without aggregation there is an object for each', async () => {
    await using events = recorder({ aggregates: false });
    for (let i = 0; i < 3; i++) {
      events.record({ object, type: 'Normal', reason: 'OperationStarted', message: 'ann began' });
    }
    await events.flush();
    assert.equal((await eventsOf('OperationStarted')).length, 3);
    assert.deepEqual(errors, []);
  });

  test('an event of an object without a namespace goes to default; one that was deleted is made anew', async () => {
    await using events = recorder();
    const [node] = (await client.list({ apiVersion: 'v1', kind: 'Node' })).items;
    assert.ok(node);
    const event = { object: node, type: 'Normal', reason: 'Noticed', message: 'm' } as const;
    events.record(event);
    await events.flush();
    const find = async () =>
      (await client.list(kind, { namespace: 'default', fieldSelector: 'reason=Noticed' })).items;
    const [first] = await find();
    assert.ok(first);
    await client.delete({ ...kind, namespace: 'default', name: first.metadata.name ?? '' });
    events.record(event);
    await events.flush();
    const [second] = await find();
    assert.equal(second?.metadata.name, first.metadata.name);
    assert.notEqual(second?.metadata.uid, first.metadata.uid);
    assert.deepEqual(errors, []);
  });

  test('a namespace on its way out takes no events, and nobody is alarmed', async () => {
    await makeNamespace(client, 'ending');
    const held = await client.create({
      ...configMap('ending', 'held', {}),
      metadata: { namespace: 'ending', name: 'held', finalizers: ['example.com/hold'] },
    });
    await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: 'ending' });
    await using events = recorder();
    events.record({ object: held, type: 'Normal', reason: 'Late', message: 'm' });
    await events.flush();
    assert.deepEqual(errors, []);
    const target = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ending', name: 'held' };
    await client.patch(target, { metadata: { finalizers: null } }, { type: 'merge' });
    await eventually(async () => (await client.find(target)) === undefined, 'the object to go');
  });
}
