import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import type { FollowPiece, KubeClient, ResourceKind } from './kube-client.ts';
import { createLiveState } from './live-state.ts';
import type { LiveChange, LiveState } from './live-state-types.ts';
import { thing } from './odd-server.ts';

const maps: ResourceKind = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  singular: 'configmap',
  namespaced: true,
  verbs: ['list', 'watch'],
  shortNames: [],
  categories: [],
  subresources: [],
};

/** A cache over one kind whose events the test gives; each change is one line. */
class Scenario {
  readonly lines: string[] = [];
  readonly live: LiveState;
  follows = 0;
  #push: (event: FollowPiece | undefined) => void = () => {};

  constructor(
    more: { onError?: (error: unknown) => void; index?: (object: KubeObject) => string[] } = {},
  ) {
    const client = {
      followPieces: () => this.#events(),
      discovery: { resolve: async () => maps, find: async () => maps },
    };
    this.live = createLiveState({
      client: client as unknown as KubeClient,
      isManaged: ({ metadata }) => metadata.labels?.['app'] !== undefined,
      indexes: {
        app:
          more.index ??
          (({ metadata }) => (metadata.labels?.['app'] ? [metadata.labels['app']] : [])),
      },
      ...(more.onError === undefined ? {} : { onError: more.onError }),
    });
    this.live.subscribe((change) => this.lines.push(print(change)));
  }

  async tell(...events: readonly FollowPiece[]): Promise<void> {
    for (const event of events) {
      this.#push(event);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async *#events(): AsyncGenerator<FollowPiece, void, undefined> {
    this.follows++;
    const queue: (FollowPiece | undefined)[] = [];
    let wake = () => {};
    this.#push = (event) => {
      queue.push(event);
      wake();
    };
    for (;;) {
      const event = queue.shift();
      if (event !== undefined) yield event;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 5).unref();
        });
      if (this.#isClosed) return;
    }
  }

  #isClosed = false;
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.live[Symbol.asyncDispose]();
  }
}

function print({ key, before, after, isInitial }: LiveChange): string {
  const change = `${key.name} ${before?.resourceVersion ?? '-'}→${after?.resourceVersion ?? '-'}`;
  return isInitial ? `(${change})` : change;
}

const state = (resourceVersion: string, ...objects: KubeObject[]): FollowPiece[] => [
  { type: 'BEGIN' },
  ...objects.map((object): FollowPiece => ({ type: 'PRESENT', object })),
  { type: 'END', resourceVersion },
];
const changed = (object: KubeObject): FollowPiece => ({
  type: 'CHANGED',
  object,
  resourceVersion: object.metadata.resourceVersion ?? '',
});
const deleted = (object: KubeObject): FollowPiece => ({
  type: 'DELETED',
  object,
  resourceVersion: object.metadata.resourceVersion ?? '',
});

async function started(scenario: Scenario, ...objects: KubeObject[]): Promise<void> {
  const ready = scenario.live.ensure([maps]);
  await new Promise((resolve) => setImmediate(resolve));
  await scenario.tell(...state('10', ...objects));
  assert.deepEqual(await ready, []);
}

test('an own write is seen at once, and older news from the watch do not undo it', async () => {
  const scenario = new Scenario();
  await started(scenario, thing('a', '5'));
  scenario.live.observeWrite(thing('a', '12'));
  await scenario.tell(
    changed(thing('a', '11')),
    changed(thing('a', '12')),
    changed(thing('a', '13')),
  );
  scenario.live.observeWrite(thing('a', '12'));
  assert.deepEqual(scenario.lines, ['(a -→5)', 'a 5→12', 'a 12→13']);
  await scenario.close();
});

test('an own write that the watch has passed does not bring a deleted object back', async () => {
  const scenario = new Scenario();
  await started(scenario, thing('a', '5'));
  await scenario.tell(deleted(thing('a', '14')));
  scenario.live.observeWrite(thing('a', '12'));
  assert.deepEqual(scenario.lines, ['(a -→5)', 'a 5→-']);
  await scenario.close();
});

test('the end of a predecessor does not remove an object that was made anew', async () => {
  const scenario = new Scenario();
  await started(scenario, thing('a', '5'));
  scenario.live.observeWrite({
    ...thing('a', '15'),
    metadata: { ...thing('a', '15').metadata, uid: 'new' },
  });
  await scenario.tell(deleted(thing('a', '14')));
  assert.equal(
    scenario.live.get({ group: '', kind: 'ConfigMap', namespace: 'default', name: 'a' })?.uid,
    'new',
  );
  assert.equal(scenario.live.byUid('new')?.resourceVersion, '15');
  await scenario.close();
});

test('a new state removes what is gone, keeps what is newer than it, and tells only what differs', async () => {
  const scenario = new Scenario();
  await started(scenario, thing('a', '5'), thing('b', '6'), thing('c', '7'));
  scenario.lines.length = 0;
  scenario.live.observeWrite(thing('d', '99'));
  await scenario.tell({ type: 'INTERRUPTED', error: new Error('gone') });
  assert.equal(scenario.live.watched()[0]?.state.kind, 'stale');
  await scenario.tell(...state('50', thing('a', '5'), thing('b', '40')));
  assert.equal(scenario.live.watched()[0]?.state.kind, 'synced');
  assert.deepEqual(scenario.lines, ['d -→99', '(b 6→40)', '(c 7→-)']);
  await scenario.close();
});

test('a state that broke off half way removes nothing and does not count as synced', async () => {
  const scenario = new Scenario();
  await started(scenario, thing('a', '5'), thing('b', '6'));
  scenario.lines.length = 0;
  await scenario.tell({ type: 'BEGIN' }, { type: 'PRESENT', object: thing('a', '20') });
  await scenario.tell({ type: 'INTERRUPTED', error: new Error('cut') });
  await assert.rejects(scenario.live.waitUntilFresh(maps, '20', { timeoutMs: 10 }), {
    code: 'NOT_FRESH',
  });
  await scenario.tell(...state('30', thing('b', '6'), thing('c', '25')));
  await scenario.live.waitUntilFresh(maps, '30');
  assert.deepEqual(scenario.lines, ['(a 5→20)', '(c -→25)', '(a 20→-)']);
  await scenario.close();
});

test('waiting until fresh ends with an event, a bookmark, the time or the signal', async () => {
  const scenario = new Scenario();
  await started(scenario);
  await scenario.live.waitUntilFresh(maps, '9');
  const waiting = scenario.live.waitUntilFresh(maps, '20');
  await scenario.tell({ type: 'PROGRESS', resourceVersion: '20' });
  await waiting;
  await assert.rejects(scenario.live.waitUntilFresh(maps, '100', { timeoutMs: 10 }), {
    code: 'NOT_FRESH',
  });
  const signal = AbortSignal.timeout(10);
  await assert.rejects(
    scenario.live.waitUntilFresh(maps, '100', { signal }),
    (error) => error === signal.reason,
  );
  await assert.rejects(scenario.live.waitUntilFresh({ group: 'x', kind: 'Y' }, '1'), {
    code: 'NOT_WATCHED',
  });
  await scenario.close();
});

test('who waits hears of it when the cache is closed, and who asks afterwards too', async () => {
  const scenario = new Scenario();
  const read = scenario.live.ensure([maps]);
  await new Promise((resolve) => setImmediate(resolve));
  const fresh = scenario.live.waitUntilFresh(maps, '20');
  await Promise.all([assert.rejects(fresh, /the cache was closed/), scenario.close()]);
  for (const missed of [await read, await scenario.live.ensure([maps])])
    assert.deepEqual(
      missed.map(({ error }) => String(error)),
      ['AbortError: the cache was closed'],
    );
});

test('an object that changes its app changes its index; owners and namespaces are indexes too', async () => {
  const scenario = new Scenario();
  const labelled = (app: string, version: string) => {
    const object = thing('a', version);
    return { ...object, metadata: { ...object.metadata, labels: { app } } };
  };
  const owned = thing('child', '6');
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'uid-a' }];
  await started(scenario, labelled('web', '5'), {
    ...owned,
    metadata: { ...owned.metadata, ownerReferences },
  });
  assert.deepEqual(
    scenario.live.byIndex('app', 'web').map(({ key, whole }) => [key.name, whole]),
    [['a', true]],
  );
  await scenario.tell(changed(labelled('api', '11')));
  assert.deepEqual(scenario.live.byIndex('app', 'web'), []);
  assert.equal(scenario.live.byIndex('app', 'api').length, 1);
  assert.deepEqual(
    scenario.live.ownedBy('uid-a').map(({ key }) => key.name),
    ['child'],
  );
  assert.equal(scenario.live.inNamespace('default').length, 2);
  assert.equal(scenario.live.inNamespace('other').length, 0);
  assert.deepEqual(
    { ...scenario.live.size(), storedChars: 0 },
    { objects: 2, whole: 1, storedChars: 0 },
  );
  await scenario.tell(deleted(labelled('api', '12')), deleted(thing('child', '13')));
  assert.deepEqual(scenario.live.size(), { objects: 0, whole: 0, storedChars: 0 });
  assert.equal(scenario.live.byUid('uid-a'), undefined);
  await scenario.close();
});

test('an index function or a subscriber that throws is told and does not stop the cache', async () => {
  const errors: string[] = [];
  const scenario = new Scenario({
    onError: (error) => errors.push(String(error)),
    index: () => {
      throw new Error('bad index');
    },
  });
  scenario.live.subscribe(() => {
    throw new Error('bad listener');
  });
  await started(scenario, thing('a', '5'));
  assert.deepEqual(errors, ['Error: bad index', 'Error: bad listener']);
  assert.equal(scenario.live.size().objects, 1);
  await scenario.close();
});
