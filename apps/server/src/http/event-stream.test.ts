import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { eventStream } from './event-stream.ts';

const decoder = new TextDecoder();
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

async function* count(onEnd: () => void): AsyncGenerator<number> {
  try {
    for (let i = 1; ; i++) yield i;
  } finally {
    onEnd();
  }
}

test('each item is a numbered message', async () => {
  const { body } = eventStream(async function* () {
    yield { a: 1 };
  });
  let text = '';
  for await (const chunk of body!) text += decoder.decode(chunk);
  assert.equal(text, 'retry: 2000\n\nid: 1\ndata: {"a":1}\n\n');
});

test('a stream whose reader goes away ends, and leaves no timer behind', async () => {
  const before = timers();
  const ended = Promise.withResolvers<void>();
  const reader = eventStream(() => count(ended.resolve)).body!.getReader();
  await reader.read();
  await reader.read();
  assert.equal(timers(), before + 1);
  await reader.cancel();
  await ended.promise;
  assert.equal(timers(), before);
});

test('what waits for news is told that the reader is gone', async () => {
  const before = timers();
  const { body } = eventStream(async function* (signal) {
    yield 1;
    await once(signal, 'abort');
  });
  const reader = body!.getReader();
  await reader.read();
  await reader.read();
  // Nothing more comes, and the stream waits for it.
  const more = reader.read();
  await reader.cancel();
  assert.equal((await more).done, true);
  assert.equal(timers(), before);
});

test('what fails on the way is an error of the stream, and leaves no timer behind', async () => {
  const before = timers();
  const { body } = eventStream(async function* () {
    yield 1;
    throw new Error('the watch broke');
  });
  await assert.rejects(async () => {
    for await (const _ of body!);
  }, /the watch broke/);
  assert.equal(timers(), before);
});
