import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@capstan/lib-std';
import { type ApiServer, createApiServer } from './api-server.ts';
import { listen } from './listen.ts';
import { createLocalClient } from './local-client.ts';
import { SYSTEM } from './user.ts';

const PATH = '/api/v1/namespaces/default/configmaps';

async function start(): Promise<{
  server: ApiServer;
  clock: ManualClock;
  put: (name: string, value: string) => void;
}> {
  const clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'));
  const server = await createApiServer({ clock, trustAnonymous: true });
  const client = createLocalClient(server.core, SYSTEM, 'test');
  return {
    server,
    clock,
    put(name, value) {
      const object = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: 'default' },
        data: { value },
      };
      const known = client.get('v1/configmaps', 'default', name);
      if (known === undefined) client.create('v1/configmaps', object);
      else client.update('v1/configmaps', { ...object, metadata: { ...object.metadata } });
    },
  };
}

interface Seen {
  readonly type: string;
  readonly object: {
    readonly metadata?: { readonly name?: string; readonly resourceVersion?: string };
    readonly code?: number;
  };
}

/** The next `count` events of a watch, or all until its end. */
async function read(
  server: ApiServer,
  query: string,
  count = Number.POSITIVE_INFINITY,
): Promise<Seen[]> {
  const response = await server.transport.request({
    method: 'GET',
    path: `${PATH}?watch=1${query}`,
    headers: {},
  });
  const seen: Seen[] = [];
  for await (const chunk of response.body) {
    const lines = Buffer.from(chunk).toString().trimEnd().split('\n');
    seen.push(...lines.map((line) => JSON.parse(line) as Seen));
    if (seen.length >= count) break;
  }
  return seen.slice(0, count);
}

test('a watch that is dropped after any event goes on without a gap', async () => {
  const { server, put } = await start();
  const from = server.core.store.resourceVersion;
  for (let i = 0; i < 12; i++) put(`c${i % 4}`, String(i));
  const whole = (await read(server, `&resourceVersion=${from}`, 12)).map(
    ({ object }) => object.metadata?.resourceVersion,
  );
  for (let dropAfter = 1; dropAfter < 12; dropAfter++) {
    const versions: (string | undefined)[] = [];
    let version = String(from);
    while (versions.length < 12) {
      const part = await read(
        server,
        `&resourceVersion=${version}`,
        Math.min(dropAfter, 12 - versions.length),
      );
      versions.push(...part.map(({ object }) => object.metadata?.resourceVersion));
      version = versions.at(-1) ?? version;
    }
    assert.deepEqual(versions, whole);
  }
});

test('a compacted version is answered with 410, for watches, exact lists and continue tokens', async () => {
  const { server, put } = await start();
  put('a', '1');
  put('b', '1');
  const get = async (
    query: string,
  ): Promise<{ status: number; body: { metadata: { continue?: string }; code?: number } }> => {
    const response = await server.transport.request({
      method: 'GET',
      path: PATH + query,
      headers: {},
    });
    let text = '';
    for await (const chunk of response.body) text += Buffer.from(chunk).toString();
    return { status: response.status, body: JSON.parse(text) };
  };
  const page = await get('?limit=1');
  const token = page.body.metadata.continue ?? '';
  put('a', '2');
  server.core.store.compact();
  const [event] = await read(server, '&resourceVersion=5');
  assert.equal(event?.type, 'ERROR');
  assert.equal(event?.object.code, 410);
  assert.equal((await get('?resourceVersion=5&resourceVersionMatch=Exact')).status, 410);
  const expired = await get(`?limit=1&continue=${token}`);
  assert.equal(expired.status, 410);
  // The answer holds a token with which one can go on from there, at the newest version.
  assert.equal((await get(`?continue=${expired.body.metadata.continue}`)).status, 200);
});

test('a reader that is too slow loses its watch, not the server its memory', async () => {
  const { server, put } = await start();
  const response = await server.transport.request({
    method: 'GET',
    path: `${PATH}?watch=1`,
    headers: {},
  });
  const body = response.body[Symbol.asyncIterator]();
  put('a', '0');
  await body.next();
  for (let i = 0; i < 5100; i++) put('a', `v${i}`);
  let count = 0;
  while ((await body.next()).done !== true) count++;
  assert.ok(count <= 5001, `${count} events`);
});

test('a watch ends at its timeout, also when the clock jumps', async () => {
  const { server, clock } = await start();
  const reading = read(server, '&timeoutSeconds=30&resourceVersion=0&allowWatchBookmarks=true');
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(24 * 3600 * 1000);
  const seen = await reading;
  assert.equal(seen.at(-1)?.type, 'BOOKMARK');
});

test('many watchers over a socket hear the same changes in the same order, and see the end of each', async () => {
  const { server, put } = await start();
  const listener = await listen((request, certificate) => server.handle(request, certificate));
  try {
    const from = server.core.store.resourceVersion;
    const query = `watch=1&resourceVersion=${from}&timeoutSeconds=3600`;
    const leave = new AbortController();
    const texts = Array.from({ length: 40 }, () => '');
    const opened = await Promise.all(
      texts.map((_, i) =>
        // Half of them look at one object only.
        fetch(
          `${listener.url}${PATH}?${query}${i % 2 === 0 ? '' : '&fieldSelector=metadata.name%3Dc1'}`,
          {
            signal: leave.signal,
          },
        ),
      ),
    );
    const reading = opened.map(async ({ body }, i) => {
      for await (const chunk of body ?? []) texts[i] += Buffer.from(chunk).toString();
    });
    for (let i = 0; i < 30; i++) {
      put(`c${i % 3}`, `ä ${i}`);
      if (i % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const seen = (text: string): string[] =>
      text
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
        .map(({ type, object }) => `${type} ${object.metadata.name} ${object.data.value}`);
    for (
      let i = 0;
      i < 200 && texts.some((text, at) => seen(text).length < (at % 2 ? 10 : 30));
      i++
    ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const all = Array.from(
      { length: 30 },
      (_, i) => `${i < 3 ? 'ADDED' : 'MODIFIED'} c${i % 3} ä ${i}`,
    );
    for (const [i, text] of texts.entries()) {
      assert.deepEqual(seen(text), i % 2 === 0 ? all : all.filter((line) => line.includes(' c1 ')));
    }
    const { status } = await fetch(`${listener.url}/readyz`);
    assert.equal(status, 200);
    await listener.close();
    await Promise.allSettled(reading);
  } finally {
    await listener.close().catch(() => undefined);
  }
});
