import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalClient, type LocalClient, SYSTEM, textAt } from '@capstan/kube-apiserver';
import { ManualClock } from '@capstan/lib-std';
import { startSandbox } from '../start-sandbox.ts';

interface Cluster {
  readonly client: LocalClient;
  readonly pass: () => Promise<void>;
  /** Makes a pod, and tells where it is, or why it is nowhere. */
  readonly place: (name: string, spec?: object) => Promise<string>;
}

/** Nodes sandbox-0 to sandbox-2, each of 32 processors. */
async function withNodes(run: (cluster: Cluster) => Promise<void>): Promise<void> {
  const clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'));
  await using sandbox = await startSandbox({ clock, nodes: 3 });
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  const pass = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      clock.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await run({
    client,
    pass,
    async place(name, spec = {}) {
      client.create('v1/pods', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default' },
        spec: { containers: [{ name: 'c', image: 'app:1' }], ...spec },
      } as never);
      await pass();
      return placeOf(client, name);
    },
  });
}

function placeOf(client: LocalClient, name: string): string {
  const pod = client.get('v1/pods', 'default', name);
  const events = client
    .list('v1/events', 'default')
    .filter((event) => textAt(event, 'involvedObject', 'name') === name)
    .filter((event) => textAt(event, 'reason') === 'FailedScheduling');
  return textAt(pod, 'spec', 'nodeName') || textAt(events.at(-1), 'message');
}

const NOT_HELPFUL = 'Preemption is not helpful for scheduling';
const ALL = '0/3 nodes are available: ';

function asking(requests: object): object {
  return { containers: [{ name: 'c', image: 'app:1', resources: { requests } }] };
}

test('a pod goes where its selector and affinity allow, and waits where there is no such node', () =>
  withNodes(async ({ client, pass, place }) => {
    const wantsDisk = (operator: string): object => ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'disks', operator, values: ['2'] }] }],
          },
        },
      },
    });
    const refused = `${ALL}3 node(s) didn't match Pod's node affinity/selector. preemption: ${ALL}3 ${NOT_HELPFUL}.`;
    assert.equal(await place('selects', { nodeSelector: { zone: 'a' } }), refused);
    assert.equal(await place('more', wantsDisk('Gt')), refused);
    const node = client.get('v1/nodes', '', 'sandbox-1');
    assert.ok(node !== undefined);
    const labels = { ...node.metadata.labels, zone: 'a', disks: '3' };
    client.update('v1/nodes', { ...node, metadata: { ...node.metadata, labels } } as never);
    await pass();
    assert.equal(placeOf(client, 'selects'), 'sandbox-1');
    assert.equal(placeOf(client, 'more'), 'sandbox-1');
    assert.equal(await place('other', wantsDisk('NotIn')), placeOf(client, 'other'));
  }));

test('taints keep off what does not tolerate them, cordoned nodes what does not tolerate that', () =>
  withNodes(async ({ client, place }) => {
    for (const [index, node] of client.list('v1/nodes').entries()) {
      const spec =
        index === 0
          ? { unschedulable: true }
          : { taints: [{ key: 'for', value: 'db', effect: 'NoSchedule' }] };
      client.update('v1/nodes', { ...node, spec } as never);
    }
    const refused = `${ALL}1 node(s) were unschedulable, 2 node(s) had untolerated taint(s). preemption: ${ALL}3 ${NOT_HELPFUL}.`;
    assert.equal(await place('plain'), refused);
    const tolerations = [{ key: 'for', operator: 'Equal', value: 'db', effect: 'NoSchedule' }];
    assert.match(await place('db', { tolerations }), /^sandbox-[12]$/);
  }));

test('pods need room, and free ports of their host', () =>
  withNodes(async ({ client, pass, place }) => {
    for (const name of ['a', 'b', 'c']) {
      assert.match(await place(name, asking({ cpu: '20' })), /^sandbox-\d$/);
    }
    const full = `${ALL}3 Insufficient cpu. preemption: ${ALL}3 No preemption victims found for incoming pod.`;
    assert.equal(await place('d', asking({ cpu: '20' })), full);
    const never = `${ALL}3 Insufficient cpu. preemption: ${ALL}3 ${NOT_HELPFUL}.`;
    assert.equal(await place('huge', asking({ cpu: '64' })), never);
    client.remove('v1/pods', 'default', 'a');
    for (let i = 0; i < 4; i++) await pass();
    assert.match(placeOf(client, 'd'), /^sandbox-\d$/);

    const listens = (): object => {
      const ports = [{ hostPort: 8080, containerPort: 80 }];
      return { containers: [{ name: 'c', image: 'app:1', ports }] };
    };
    const places = [await place('p', listens()), await place('q', listens())];
    places.push(await place('r', listens()));
    assert.deepEqual(places.toSorted(), ['sandbox-0', 'sandbox-1', 'sandbox-2']);
    assert.match(
      await place('s', listens()),
      /3 node\(s\) didn't have free ports for the requested/,
    );
  }));

test('daemons follow labels and taints of nodes, each on its own node', () =>
  withNodes(async ({ client, pass }) => {
    const labels = { app: 'agent' };
    client.create('apps/v1/daemonsets', {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent', namespace: 'default' },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { nodeSelector: { watched: 'yes' }, containers: [{ name: 'c', image: 'app:1' }] },
        },
      },
    } as never);
    const nodesOf = (): string[] =>
      client.list('v1/pods', 'default').map((pod) => textAt(pod, 'spec', 'nodeName'));
    const change = async (name: string, watched: string, spec = {}): Promise<void> => {
      const node = client.get('v1/nodes', '', name);
      assert.ok(node !== undefined);
      const metadata = { ...node.metadata, labels: { ...node.metadata.labels, watched } };
      client.update('v1/nodes', { ...node, metadata, spec } as never);
      for (let i = 0; i < 3; i++) await pass();
    };
    await pass();
    assert.deepEqual(nodesOf(), []);
    await change('sandbox-0', 'yes');
    await change('sandbox-2', 'yes', { unschedulable: true });
    assert.deepEqual(nodesOf().toSorted(), ['sandbox-0', 'sandbox-2']);
    await change('sandbox-0', 'no');
    assert.deepEqual(nodesOf(), ['sandbox-2']);
    await change('sandbox-2', 'yes', { taints: [{ key: 'for', effect: 'NoExecute' }] });
    assert.deepEqual(nodesOf(), []);
  }));
