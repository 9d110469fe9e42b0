import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ApiError, type KubeClient, type ObjectRef } from '@capstan/kube-client';
import type { Json, KubeObject } from '@capstan/kube-object';
import { ManualClock } from '@capstan/lib-std';
import {
  createEventRecorder,
  type EventRecorder,
  type EventRecorderOptions,
} from './event-recorder.ts';

const app: KubeObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'web', namespace: 'argocd', uid: 'u-1', resourceVersion: '5' },
};

function harness(options: Partial<EventRecorderOptions> = {}) {
  const events = new Map<string, Record<string, Json>>();
  const client: Pick<KubeClient, 'create' | 'patch'> = {
    async create(object) {
      events.set(object.metadata.name ?? '', { ...object } as Record<string, Json>);
      return object;
    },
    async patch(ref: ObjectRef, patch: Json) {
      const event = events.get(ref.name);
      if (event === undefined) {
        throw new ApiError('patch', { code: 404, reason: 'NotFound', message: 'gone', causes: [] });
      }
      Object.assign(event, patch);
      return app;
    },
  };
  const clock = new ManualClock(1_700_000_000_000);
  const recorder = createEventRecorder({ client, component: 'test-controller', clock, ...options });
  return { events, clock, recorder };
}

test('the same event again counts up instead of making a new object', async () => {
  const { events, clock, recorder } = harness({ instance: 'pod-0' });
  for (let i = 0; i < 3; i++) {
    recorder.record({ object: app, type: 'Normal', reason: 'Synced', message: 'at abc' });
    await recorder.flush();
    clock.advance(1_000);
  }
  assert.equal(events.size, 1);
  const [[name, event] = ['', {}]] = events;
  assert.match(name, /^web\.[0-9a-f]{16}$/);
  assert.deepEqual(event, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'argocd' },
    involvedObject: {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      name: 'web',
      namespace: 'argocd',
      uid: 'u-1',
      resourceVersion: '5',
    },
    reason: 'Synced',
    message: 'at abc',
    type: 'Normal',
    source: { component: 'test-controller', host: 'pod-0' },
    reportingComponent: 'test-controller',
    reportingInstance: 'pod-0',
    firstTimestamp: '2023-11-14T22:13:20Z',
    lastTimestamp: '2023-11-14T22:13:22Z',
    count: 3,
  });
});

test('from the tenth different message on, similar events are combined into one', async () => {
  const { events, recorder } = harness();
  for (let i = 0; i < 15; i++) {
    recorder.record({ object: app, type: 'Warning', reason: 'Failed', message: `try ${i}` });
  }
  await recorder.flush();
  assert.equal(events.size, 10);
  const last = [...events.values()].at(-1);
  assert.equal(last?.['message'], '(combined from similar events): try 14');
  assert.equal(last?.['count'], 6);
});

test('a flood of one object is cut at the burst and flows again with time', async () => {
  const { events, clock, recorder } = harness();
  const record = async (count: number) => {
    for (let i = 0; i < count; i++) {
      recorder.record({ object: app, type: 'Normal', reason: `R${i}`, message: 'm' });
    }
    await recorder.flush();
  };
  await record(100);
  assert.equal(events.size, 25);
  clock.advance(300_000);
  recorder.record({ object: app, type: 'Normal', reason: 'Late', message: 'm' });
  recorder.record({ object: app, type: 'Normal', reason: 'TooSoon', message: 'm' });
  await recorder.flush();
  assert.deepEqual([...events.values()].map((event) => event['reason']).slice(25), ['Late']);
});

test('what the filter holds back has counted when the event is written again', async () => {
  const { events, clock, recorder } = harness();
  const record = async (count: number) => {
    for (let i = 0; i < count; i++) {
      recorder.record({ object: app, type: 'Warning', reason: 'Failed', message: 'm' });
    }
    await recorder.flush();
  };
  await record(100);
  const [event] = events.values();
  assert.equal(event?.['count'], 25);
  clock.advance(300_000);
  await record(1);
  assert.equal(event?.['count'], 101);
});

test('a flood of one type does not hold back the other', async () => {
  const { events, recorder } = harness();
  const record = (type: 'Normal' | 'Warning', reason: string) =>
    recorder.record({ object: app, type, reason, message: 'm' });
  for (let i = 0; i < 40; i++) record('Normal', `Step${i}`);
  record('Warning', 'Failed');
  await recorder.flush();
  assert.equal(events.size, 26);
  assert.equal([...events.values()].at(-1)?.['reason'], 'Failed');
});

test('similar events that come seldom, or of other reasons, are not combined', async () => {
  const { events, clock, recorder } = harness();
  for (let i = 0; i < 12; i++) {
    recorder.record({ object: app, type: 'Warning', reason: 'Failed', message: `try ${i}` });
    await recorder.flush();
    clock.advance(i === 8 ? 600_001 : 60_000);
  }
  for (let i = 0; i < 5; i++) {
    recorder.record({ object: app, type: 'Warning', reason: `Other${i}`, message: 'other' });
  }
  await recorder.flush();
  assert.equal(events.size, 17);
  const combined = [...events.values()].filter(({ message }) => String(message).startsWith('('));
  assert.deepEqual(combined, []);
});

test('a combined event has no annotations of one of its events, and a repeated one keeps its first', async () => {
  const { events, recorder } = harness();
  for (let i = 0; i < 10; i++) {
    recorder.record({
      object: app,
      type: 'Normal',
      reason: 'Synced',
      message: `at ${i}`,
      annotations: { revision: String(i) },
    });
  }
  const again = { object: app, type: 'Normal', reason: 'Synced', message: 'at 3' } as const;
  recorder.record({ ...again, annotations: { revision: 'later' } });
  await recorder.flush();
  const metadata = [...events.values()].map((event) => Object(event['metadata']));
  assert.equal(metadata.at(-1).annotations, undefined);
  assert.deepEqual(metadata[3].annotations, { revision: '3' });
});

test('an event has a name of its own where that of its object cannot begin one', async () => {
  const { events, recorder } = harness();
  const names = ['system:controller', 'x'.repeat(250), 'Upper', 'fine.example'];
  for (const name of names) {
    const object = { apiVersion: 'v1', kind: 'Thing', metadata: { name } };
    recorder.record({ object, type: 'Normal', reason: 'Seen', message: 'm' });
  }
  await recorder.flush();
  const shapes = [...events.keys()].map((name) => name.replace(/[0-9a-f]{4,}/g, '#'));
  assert.deepEqual(shapes.sort(), [...Array(3).fill('#-#-#-#-#'), 'fine.example.#'].sort());
});

test('a long message is told whole', async () => {
  const { events, recorder } = harness();
  const message = 'x'.repeat(5_000);
  recorder.record({ object: app, type: 'Warning', reason: 'Failed', message });
  await recorder.flush();
  assert.deepEqual(
    [...events.values()].map((event) => event['message']),
    [message],
  );
});

test('messages that come again beside a combined event stay events of their own', async () => {
  const { events, recorder } = harness();
  const record = (message: string) =>
    recorder.record({ object: app, type: 'Warning', reason: 'Failed', message });
  for (let i = 0; i < 10; i++) record(`try ${i}`);
  record('try 8');
  record('try 10');
  await recorder.flush();
  assert.deepEqual(
    [...events.values()].slice(8).map((event) => [event['message'], event['count']]),
    [
      ['try 8', 2],
      ['(combined from similar events): try 10', 2],
    ],
  );
});

test('an event that expired on the server is made anew, with its count', async () => {
  const { events, recorder } = harness();
  const event = { object: app, type: 'Normal', reason: 'Synced', message: 'm' } as const;
  recorder.record(event);
  await recorder.flush();
  events.clear();
  recorder.record(event);
  await recorder.flush();
  assert.deepEqual(
    [...events.values()].map((made) => made['count']),
    [2],
  );
});

test('without aggregation each is an object of its own, with labels and annotations', async () => {
  const { events, recorder } = harness({ aggregates: false });
  for (let i = 0; i < 30; i++) {
    recorder.record({
      object: app,
      type: 'Normal',
      reason: 'OperationStarted',
      message: 'm',
      annotations: { user: 'ann' },
      labels: { app: 'web' },
    });
  }
  await recorder.flush();
  assert.equal(events.size, 30);
  const first = [...events.values()][0]?.['metadata'];
  assert.deepEqual(Object.keys(first as object), ['name', 'namespace', 'annotations', 'labels']);
});

test('an event has the time of the wall clock, however long the process has run', async () => {
  const { events, clock, recorder } = harness();
  clock.jump(-3_600_000);
  recorder.record({ object: app, type: 'Normal', reason: 'Synced', message: 'm' });
  await recorder.flush();
  const [[name, event] = ['', {}]] = events;
  assert.equal(event['firstTimestamp'], '2023-11-14T21:13:20Z');
  assert.equal(event['lastTimestamp'], '2023-11-14T21:13:20Z');
  const nanoseconds = BigInt(`0x${name.split('.').at(-1)}`);
  assert.equal(nanoseconds / 1_000_000n, 1_699_996_400_000n);
});

/** A server of which `fails` says what becomes of each request. */
function unsteady(fails: (tries: number) => Error | undefined) {
  let tries = 0;
  const errors: unknown[] = [];
  const clock = new ManualClock();
  const attempt = async (): Promise<KubeObject> => {
    const error = fails(++tries);
    if (error !== undefined) throw error;
    return app;
  };
  const recorder = createEventRecorder({
    client: { create: attempt, patch: attempt },
    component: 'test',
    clock,
    random: () => 0.5,
    onError: (error) => errors.push(error),
  });
  recorder.record({ object: app, type: 'Normal', reason: 'A', message: 'm' });
  return { clock, recorder, errors, tries: () => tries };
}

test('an event waits for a server that is out of reach, and is given up in the end', async () => {
  const back = unsteady((tries) => (tries < 3 ? new TypeError('no route') : undefined));
  await turn();
  back.clock.advance(4_999);
  await turn();
  assert.equal(back.tries(), 1);
  back.clock.advance(1);
  await turn();
  assert.equal(back.tries(), 2);
  back.clock.advance(10_000);
  await back.recorder.flush();
  assert.deepEqual([back.tries(), back.errors], [3, []]);
  const gone = unsteady(() => new TypeError('no route'));
  for (let i = 0; i < 20; i++) {
    await turn();
    gone.clock.advance(10_000);
  }
  await gone.recorder.flush();
  assert.deepEqual([gone.tries(), gone.errors.length], [12, 1]);
});

test('a recorder that is closed waits no longer for its server', async () => {
  const gone = unsteady(() => new TypeError('no route'));
  await turn();
  await gone.recorder[Symbol.asyncDispose]();
  assert.deepEqual([gone.tries(), gone.errors.length], [1, 1]);
});

test('an event whose answer was lost is there already, which is nothing to tell of', async () => {
  const exists = { code: 409, reason: 'AlreadyExists', message: 'exists', causes: [] };
  const { recorder, errors, tries } = unsteady(() => new ApiError('create Event', exists));
  await recorder.flush();
  assert.deepEqual([tries(), errors], [1, []]);
});

test('what cannot be written is told and does not stop the rest', async () => {
  const errors: string[] = [];
  const failing: Pick<KubeClient, 'create' | 'patch'> = {
    create: async () => {
      throw new ApiError('create Event', {
        code: 403,
        reason: 'Forbidden',
        message: 'no',
        causes: [],
      });
    },
    patch: async () => app,
  };
  const { recorder } = harness({
    client: failing,
    onError: (error) => errors.push(error instanceof ApiError ? error.code : String(error)),
  });
  recorder.record({ object: app, type: 'Normal', reason: 'A', message: 'm' });
  recorder.record({ object: app, type: 'Normal', reason: 'B', message: 'm' });
  await recorder.flush();
  assert.deepEqual(errors, ['FORBIDDEN', 'FORBIDDEN']);
});

test('an event that waits keeps no more of its object than what it tells', async () => {
  const { promise: answer, resolve } = Promise.withResolvers<void>();
  const client: Pick<KubeClient, 'create' | 'patch'> = {
    create: async (object) => {
      await answer;
      return object;
    },
    patch: async () => app,
  };
  await using recorder = createEventRecorder({ client, component: 'test-controller' });
  const held = recordLarge(recorder);
  await turn();
  collectGarbage();
  const isHeld = held.deref() !== undefined;
  resolve();
  assert.equal(isHeld, false);
});

/** In a function of its own: nothing of it is left on the stack. */
function recordLarge(recorder: EventRecorder): WeakRef<KubeObject> {
  const object = { ...app, spec: { text: 'x'.repeat(1_000) } };
  recorder.record({ object, type: 'Normal', reason: 'Synced', message: 'at abc' });
  recorder.record({ object, type: 'Normal', reason: 'Synced', message: 'at def' });
  return new WeakRef(object);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
