import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FollowEvent } from './kube-client.ts';
import {
  type OddServer,
  type Script,
  startOddServer,
  statusBody,
  thing,
  watchLine,
} from './odd-server.ts';

const kind = { apiVersion: 'v1', kind: 'ConfigMap' };

const initialEnd = watchLine('BOOKMARK', {
  kind: 'ConfigMap',
  metadata: { resourceVersion: '10', annotations: { 'k8s.io/initial-events-end': 'true' } },
});

/** Follows until `count` events came, and prints each in one line. */
async function follow(script: Script, count: number): Promise<{ events: string[]; log: string[] }> {
  const stop = new AbortController();
  const events: string[] = [];
  const server: OddServer = await startOddServer(script);
  try {
    for await (const event of server.client().follow(kind, { signal: stop.signal })) {
      events.push(print(event));
      if (events.length === count) break;
    }
  } finally {
    stop.abort();
    await server[Symbol.asyncDispose]();
  }
  return { events, log: server.requests.map(({ query }) => shorten(query)) };
}

function print(event: FollowEvent): string {
  switch (event.type) {
    case 'STATE':
      return `STATE ${event.objects.map(({ metadata }) => metadata.name).join(',')} @${event.resourceVersion}`;
    case 'CHANGED':
    case 'DELETED':
      return `${event.type} ${event.object.metadata.name} @${event.resourceVersion}`;
    case 'PROGRESS':
      return `PROGRESS @${event.resourceVersion}`;
    case 'INTERRUPTED':
      return `INTERRUPTED ${String(event.error).replace(/^.*?: /, '')}`;
    default:
      return event satisfies never;
  }
}

function shorten(query: URLSearchParams): string {
  if (!query.has('watch')) return `list ${query.get('continue') ?? query.get('limit') ?? 'all'}`;
  if (query.has('sendInitialEvents')) return 'stream';
  return `watch ${query.get('resourceVersion')}`;
}

test('a streaming list gives one state, then changes; a dropped stream goes on where it was', async () => {
  let watches = 0;
  const { events, log } = await follow((request, answer) => {
    if (request.query.has('sendInitialEvents')) {
      answer.send(
        watchLine('ADDED', thing('a', '7')) + watchLine('ADDED', thing('b', '9')) + initialEnd,
      );
      answer.send(watchLine('MODIFIED', thing('a', '11')));
      answer.send(watchLine('MODIFIED', thing('b', '12')).slice(0, 40));
      setTimeout(answer.drop, 20);
      return;
    }
    watches++;
    if (watches === 1) {
      answer.send(watchLine('BOOKMARK', { metadata: { resourceVersion: '20' } }));
      setTimeout(answer.end, 20);
    } else {
      answer.send(watchLine('DELETED', thing('a', '21')));
    }
  }, 5);
  assert.deepEqual(events, [
    'STATE a,b @10',
    'CHANGED a @11',
    events[2],
    'PROGRESS @20',
    'DELETED a @21',
  ]);
  assert.match(events[2] ?? '', /^INTERRUPTED cannot reach the API server/);
  assert.deepEqual(log, ['stream', 'watch 11', 'watch 20']);
});

test('410 in the stream or as the answer leads to a new state, without an alarm', async () => {
  let streams = 0;
  const { events, log } = await follow((request, answer) => {
    if (request.query.has('sendInitialEvents')) {
      streams++;
      answer.send(watchLine('ADDED', thing(`s${streams}`, '9')) + initialEnd);
      if (streams === 1) answer.send(watchLine('ERROR', statusBody(410, 'Expired', 'too old')));
      if (streams === 2) setTimeout(answer.end, 20);
    } else {
      answer.json(410, statusBody(410, 'Expired', 'too old'));
    }
  }, 3);
  assert.deepEqual(events, ['STATE s1 @10', 'STATE s2 @10', 'STATE s3 @10']);
  assert.deepEqual(log, ['stream', 'stream', 'watch 10', 'stream']);
});

test('a stream that breaks in the middle of the state is read anew, though something was deleted meanwhile', async () => {
  let streams = 0;
  const { events, log } = await follow((_request, answer) => {
    streams++;
    answer.send(watchLine('ADDED', thing('a', '7')));
    if (streams === 1) {
      answer.send(watchLine('DELETED', thing('b', '12')));
      setTimeout(answer.drop, 20);
    } else {
      answer.send(watchLine('ADDED', thing('c', '8')) + initialEnd);
    }
  }, 2);
  assert.match(events[0] ?? '', /^INTERRUPTED/);
  assert.equal(events[1], 'STATE a,c @10');
  assert.deepEqual(log, ['stream', 'stream']);
});

test('a server without streaming lists is listed in pages, then watched from there', async () => {
  const { events, log } = await follow((request, answer) => {
    if (request.query.has('sendInitialEvents')) {
      answer.json(422, statusBody(422, 'Invalid', 'sendInitialEvents is forbidden'));
    } else if (request.query.has('watch')) {
      answer.send(watchLine('ADDED', thing('c', '31')));
    } else if (request.query.has('continue')) {
      answer.json(200, { metadata: { resourceVersion: '30' }, items: [thing('b', '2')] });
    } else {
      answer.json(200, {
        metadata: { resourceVersion: '30', continue: 'next' },
        items: [thing('a', '1')],
      });
    }
  }, 2);
  assert.deepEqual(events, ['STATE a,b @30', 'CHANGED c @31']);
  assert.deepEqual(log, ['stream', 'list 500', 'list next', 'watch 30']);
});

test('when pages expire while they are read, all is read at once', async () => {
  const { events, log } = await follow((request, answer) => {
    if (request.query.has('watch')) return answer.json(400, statusBody(400, 'BadRequest', 'no'));
    if (request.query.has('continue')) return answer.json(410, statusBody(410, 'Expired', 'token'));
    if (request.query.has('limit')) {
      return answer.json(200, {
        metadata: { resourceVersion: '5', continue: 'n' },
        items: [thing('a', '1')],
      });
    }
    answer.json(200, {
      metadata: { resourceVersion: '6' },
      items: [thing('a', '1'), thing('b', '6')],
    });
  }, 1);
  assert.deepEqual(events, ['STATE a,b @6']);
  assert.deepEqual(log, ['stream', 'list 500', 'list n', 'list all']);
});

test('garbage in the stream interrupts and is not believed', async () => {
  let tries = 0;
  const { events } = await follow((request, answer) => {
    tries++;
    if (tries === 1)
      return answer.send(`${watchLine('ADDED', thing('a', '9'))}${initialEnd}<html>\n`);
    if (tries === 2) return answer.send('{"type":"SURPRISE","object":{}}\n');
    assert.equal(request.query.get('resourceVersion'), '10');
    answer.send(watchLine('DELETED', thing('a', '12')));
  }, 4);
  assert.deepEqual(events, [
    'STATE a @10',
    'INTERRUPTED cannot watch ConfigMap (v1): not a watch event: <html>',
    'INTERRUPTED cannot watch ConfigMap (v1): not a watch event: {"type":"SURPRISE","object":{}}',
    'DELETED a @12',
  ]);
});

test('an object larger than a network packet arrives whole, with characters of several bytes', async () => {
  const text = 'ä€😀'.repeat(100_000);
  let length = 0;
  const server = await startOddServer((_request, answer) => {
    answer.send(watchLine('ADDED', thing('big', '9', { data: { text } })) + initialEnd);
  });
  for await (const event of server.client().follow(kind)) {
    if (event.type === 'STATE') length = JSON.stringify(event.objects[0]).length;
    break;
  }
  await server[Symbol.asyncDispose]();
  assert.ok(length > text.length);
});

test('giving up a follow closes its request', async () => {
  const closed = Promise.withResolvers<void>();
  const server = await startOddServer((_request, answer) => {
    answer.closed.then(closed.resolve);
    answer.send(initialEnd);
  });
  for await (const _event of server.client().follow(kind)) break;
  await closed.promise;
  await server[Symbol.asyncDispose]();
});

test('a server that ends every watch at once is not asked without pause', async () => {
  const server = await startOddServer((request, answer) => {
    if (request.query.has('sendInitialEvents')) answer.send(initialEnd);
    answer.end();
  });
  const stop = AbortSignal.timeout(900);
  await assert.rejects(async () => {
    for await (const _event of server.client().follow(kind, { signal: stop }));
  });
  assert.ok(server.requests.length <= 5, `${server.requests.length} requests in 0.9 s`);
  await server[Symbol.asyncDispose]();
});
