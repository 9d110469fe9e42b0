import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiResponse, ChunkReader, ChunkStream } from './http-types.ts';
import { afterPersisting } from './persisted.ts';

/** A stream whose chunks and end come as the test says. */
function stream(): { body: ChunkStream; say(text: string): void; end(): void } {
  const come: Uint8Array[] = [];
  let ended = false;
  let waiting: (() => void) | undefined;
  const wake = (): void => {
    const once = waiting;
    waiting = undefined;
    once?.();
  };
  const reader: ChunkReader = {
    take: () => come.shift(),
    wait(next) {
      waiting = next;
    },
    get ended() {
      return ended;
    },
    close: () => undefined,
  };
  return {
    body: {
      open: () => reader,
      async *[Symbol.asyncIterator]() {
        yield* [];
      },
    },
    say(text) {
      come.push(Buffer.from(text));
      wake();
    },
    end() {
      ended = true;
      wake();
    },
  };
}

/** A disk whose syncs end as the test says. */
function disk(): { persist: () => Promise<void>; settle(error?: Error): Promise<void> } {
  const open: PromiseWithResolvers<void>[] = [];
  return {
    persist() {
      const sync = Promise.withResolvers<void>();
      open.push(sync);
      return sync.promise;
    },
    async settle(error) {
      const sync = open.shift();
      assert.ok(sync !== undefined, 'nobody waits for the disk');
      if (error === undefined) sync.resolve();
      else sync.reject(error);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

async function openPersisted(body: ChunkStream, { persist, settle }: ReturnType<typeof disk>) {
  const response: ApiResponse = { status: 200, headers: {}, body };
  const answer = afterPersisting(response, persist);
  await settle();
  const persisted = (await answer).body;
  assert.ok(typeof persisted === 'object' && 'open' in persisted, 'it is a stream for readers');
  const reader = persisted.open();
  const seen: string[] = [];
  const go = (): void => {
    for (let chunk = reader.take(); chunk !== undefined; chunk = reader.take()) {
      seen.push(String(Buffer.from(chunk as Uint8Array)));
    }
    if (reader.ended) seen.push('end');
    else reader.wait(go);
  };
  go();
  return seen;
}

test('a stream gives what is on the disk, all of it, and then its end', async () => {
  const { body, say, end } = stream();
  const kept = disk();
  const seen = await openPersisted(body, kept);
  say('a');
  say('b');
  assert.deepEqual(seen, []);
  await kept.settle();
  assert.deepEqual(seen, ['a']);
  end();
  await kept.settle();
  assert.deepEqual(seen, ['a', 'b', 'end']);
});

test('what could not be written is never shown: the stream ends before it', async () => {
  const { body, say } = stream();
  const kept = disk();
  const seen = await openPersisted(body, kept);
  say('a');
  await kept.settle();
  say('b');
  await kept.settle(new Error('the disk is full'));
  assert.deepEqual(seen, ['a', 'end']);
});
