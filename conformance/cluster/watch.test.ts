import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  connect,
  createHttpTransport,
  createKubeClient,
  type FollowEvent,
  type KubeClient,
  loadKubeconfig,
} from '@capstan/kube-client';
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts';
import { type AnyCluster, startSandboxCluster } from './sandbox-cluster.ts';
import { clientOf, codeOf, configMap, eventually, makeNamespace } from './support.ts';
import { WatchLine } from './watch-line.ts';

const kind = { apiVersion: 'v1', kind: 'ConfigMap' };

/** What somebody knows who only listens: name → resourceVersion. */
class Listener {
  readonly known = new Map<string, string>();
  readonly seen: string[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(client: KubeClient, namespace: string) {
    this.#done = this.#listen(client, namespace);
  }

  /** How often everything was read. */
  states(): number {
    return this.seen.filter((type) => type === 'STATE').length;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done.catch(() => {});
  }

  async #listen(client: KubeClient, namespace: string): Promise<void> {
    for await (const event of client.follow(kind, { namespace, signal: this.#stop.signal })) {
      this.#take(event);
    }
  }

  #take(event: FollowEvent): void {
    this.seen.push(event.type);
    if (event.type === 'STATE') {
      this.known.clear();
      for (const { metadata } of event.objects) {
        this.known.set(metadata.name ?? '', metadata.resourceVersion ?? '');
      }
    } else if (event.type === 'CHANGED') {
      const { name = '', resourceVersion = '' } = event.object.metadata;
      this.known.set(name, resourceVersion);
    } else if (event.type === 'DELETED') {
      this.known.delete(event.object.metadata.name ?? '');
    }
  }
}

describe('watches of a real API server', { skip: whyNoCluster() }, () => watchTests(true));
describe('watches of the sandbox', () => watchTests(false));

function watchTests(isReal: boolean): void {
  let cluster: AnyCluster;
  let client: KubeClient;
  /** What only a process of its own can be done to. */
  let real: Cluster | undefined;
  let compact: () => void;

  before(async () => {
    if (isReal) {
      real = await startCluster();
      cluster = real;
    } else {
      const own = await startSandboxCluster();
      cluster = own;
      compact = () => own.sandbox.server.core.store.compact();
    }
    client = await clientOf(cluster);
  });
  after(async () => {
    await client.close();
    await cluster.stop();
  });

  async function isInStep(listener: Listener, namespace: string): Promise<boolean> {
    const { items } = await client.list(kind, { namespace });
    const real = items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]).sort();
    return JSON.stringify(real) === JSON.stringify([...listener.known].sort());
  }

  /** Creates, changes and deletes at random; what the server answers while it is down does not matter. */
  async function stir(namespace: string, steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) {
      const name = `c-${Math.floor(Math.random() * 40)}`;
      const work =
        Math.random() < 0.3
          ? client.delete({ ...kind, namespace, name }, { timeoutMs: 2_000 })
          : client.apply(configMap(namespace, name, { n: String(i) }), {
              fieldManager: 'stir',
              timeoutMs: 2_000,
            });
      await work.catch(() => {});
    }
  }

  test('the first state comes by a streaming list, then each change', async () => {
    const namespace = await makeNamespace(client, 'stream');
    for (let i = 0; i < 3; i++) await client.create(configMap(namespace, `c-${i}`, {}));
    const events: string[] = [];
    const stop = new AbortController();
    const options = { namespace, sendInitialEvents: true, signal: stop.signal };
    for await (const event of client.watch(kind, options)) {
      events.push(event.type);
      if (event.type === 'BOOKMARK' && event.initialEventsEnd) {
        await client.create(configMap(namespace, 'late', {}));
      }
      if (event.type !== 'BOOKMARK' && event.object.metadata.name === 'late') break;
    }
    // The namespace's own kube-root-ca.crt is there too.
    assert.deepEqual(events, ['ADDED', 'ADDED', 'ADDED', 'ADDED', 'BOOKMARK', 'ADDED']);
  });

  if (isReal) {
    test('nothing is missed or kept too long over restarts of the API server', async () => {
      const namespace = await makeNamespace(client, 'restart');
      const listener = new Listener(client, namespace);
      await eventually(() => listener.known.size === 1, 'the first state');
      for (let round = 0; round < 3; round++) {
        await stir(namespace, 60);
        await real?.kill9();
        const stirring = stir(namespace, 20);
        await pause(300);
        await real?.restart();
        await stirring;
        await stir(namespace, 30);
        await eventually(() => isInStep(listener, namespace), `round ${round} to be in step`);
      }
      await listener.stop();
      assert.ok(listener.seen.includes('INTERRUPTED'));
    });
  }

  if (!isReal) {
    test('nothing is missed or kept too long when the watch breaks and its history is gone', async () => {
      const namespace = await makeNamespace(client, 'compacted');
      const transport = createHttpTransport(await loadKubeconfig({ file: cluster.kubeconfig }));
      const line = new WatchLine();
      const listener = new Listener(createKubeClient(line.over(transport)), namespace);
      await eventually(() => listener.known.size === 1, 'the first state');
      for (let round = 0; round < 5; round++) {
        await stir(namespace, 20);
        const before = listener.states();
        line.cut();
        await stir(namespace, 20);
        compact();
        line.mend();
        await eventually(() => isInStep(listener, namespace), `round ${round} to be in step`);
        assert.ok(listener.states() > before, 'all was read again');
      }
      await listener.stop();
      await transport.close();
    });
  }

  test('a watch from a version that the server does not remember ends with EXPIRED', async () => {
    if (!isReal) compact();
    const watch = client.watch(kind, { resourceVersion: '1' });
    const first = (async () => {
      for await (const _event of watch) return;
    })();
    assert.equal(await codeOf(first), 'EXPIRED');
  });

  if (isReal) {
    test('a server that hangs and comes back is followed further', async () => {
      const namespace = await makeNamespace(client, 'hang');
      const listener = new Listener(client, namespace);
      await eventually(() => listener.known.size === 1, 'the first state');
      await real?.freeze();
      await pause(1_000);
      real?.thaw();
      await stir(namespace, 20);
      await eventually(() => isInStep(listener, namespace), 'the listener to be in step');
      await listener.stop();
      assert.deepEqual(
        listener.seen.filter((type) => type === 'INTERRUPTED'),
        [],
      );
    });
  }

  for (const http2 of [true, false]) {
    test(`300 watches at once over HTTP/${http2 ? 2 : 1.1} all hear of a change`, async () => {
      const namespace = await makeNamespace(client, `many-${http2 ? 2 : 1}`);
      const many = connect(await loadKubeconfig({ file: cluster.kubeconfig }), { http2 });
      const listeners = Array.from({ length: 300 }, () => new Listener(many, namespace));
      await eventually(() => listeners.every(({ known }) => known.size === 1), 'all to start');
      await many.create(configMap(namespace, 'news', {}));
      await eventually(() => listeners.every(({ known }) => known.has('news')), 'all to hear');
      await Promise.all(listeners.map((listener) => listener.stop()));
      await many.close();
    });
  }

  test('watchers that do not read hold up nobody else', async () => {
    const namespace = await makeNamespace(client, 'slow');
    const text = 'x'.repeat(400_000);
    for (let i = 0; i < 5; i++) await client.create(configMap(namespace, `big-${i}`, { text }));
    const many = connect(await loadKubeconfig({ file: cluster.kubeconfig }));
    const signal = AbortSignal.timeout(20_000);
    const idle = Array.from({ length: 20 }, () =>
      many.watch(kind, { namespace, sendInitialEvents: true, signal })[Symbol.asyncIterator](),
    );
    await Promise.all(idle.map((watch) => watch.next()));
    const listener = new Listener(many, namespace);
    await eventually(() => listener.known.size === 6, 'another watch to be read', 10_000);
    await listener.stop();
    await Promise.all(idle.map((watch) => watch.return?.()));
    await many.close();
  });
}
