import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CapstanError } from '@capstan/lib-std';
import { ApiError } from './api-error.ts';
import { startOddServer, statusBody, thing } from './odd-server.ts';

const map = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'a' };

async function errorOf(promise: Promise<unknown>): Promise<CapstanError> {
  const error = await promise.catch((caught: unknown) => caught);
  assert.ok(error instanceof CapstanError, `not a CapstanError: ${error}`);
  return error;
}

test('429 with Retry-After is waited for, also on a write, and holds the others back', async () => {
  let isFirst = true;
  await using server = await startOddServer((_request, answer) => {
    if (!isFirst) return answer.json(200, thing('a', '1'));
    isFirst = false;
    answer.json(429, statusBody(429, 'TooManyRequests', 'slow down'), { 'retry-after': '1' });
  });
  const client = server.client();
  const started = Date.now();
  const creating = client.create(thing('a', ''));
  await new Promise((resolve) => setTimeout(resolve, 100));
  await client.get(map);
  await creating;
  assert.ok(Date.now() - started >= 990, `done after ${Date.now() - started} ms`);
  assert.equal(server.requests.length, 3);
});

test('a server that stays busy is given up when the time is over, and its last words are told', async () => {
  await using server = await startOddServer((_request, answer) =>
    answer.json(429, statusBody(429, 'TooManyRequests', 'slow down'), { 'retry-after': '1' }),
  );
  const error = await errorOf(server.client().get(map, { timeoutMs: 300 }));
  assert.equal(error.code, 'TIMEOUT');
  assert.equal(error.kind, 'retry');
  assert.match(
    error.message,
    /^cannot get ConfigMap default\/a: no answer in time; the last answer was: .*slow down/,
  );
});

test('a 5xx answer is an error at once, unless it says when to come back', async () => {
  const answers = [500, 503, 503];
  await using server = await startOddServer((_request, answer) => {
    const status = answers.shift();
    if (status === undefined) return answer.json(200, thing('a', '1'));
    const headers: Record<string, string> = answers.length === 0 ? { 'retry-after': '0' } : {};
    answer.raw(status, '<html>proxy</html>', headers);
  });
  const client = server.client();
  assert.deepEqual(
    [await errorOf(client.get(map)), await errorOf(client.get(map))].map(({ code, kind }) => [
      code,
      kind,
    ]),
    [
      ['SERVER_ERROR', 'retry'],
      ['UNAVAILABLE', 'retry'],
    ],
  );
  assert.equal((await client.get(map)).metadata.name, 'a');
});

test('after a dropped connection reads and applies are sent again, creates are not', async () => {
  let drops = 0;
  await using server = await startOddServer((_request, answer) => {
    if (drops-- > 0) answer.drop();
    else answer.json(200, thing('a', '1'));
  });
  const client = server.client();
  drops = 2;
  await client.get(map);
  drops = 1;
  await client.apply(thing('a', ''), { fieldManager: 'me' });
  drops = 1;
  const error = await errorOf(client.create(thing('a', '')));
  assert.deepEqual([error.code, error.kind], ['UNREACHABLE', 'retry']);
  assert.deepEqual(
    server.requests.map(({ method }) => method),
    ['GET', 'GET', 'GET', 'PATCH', 'PATCH', 'POST'],
  );
});

test('a server that is not there is said to be that', async () => {
  const server = await startOddServer(() => {});
  const client = server.client();
  await server[Symbol.asyncDispose]();
  const other = server.client();
  const error = await errorOf(other.get(map, { timeoutMs: 2_000 }));
  assert.equal(error.code, 'UNREACHABLE');
  assert.match(
    error.message,
    /^cannot reach the API server http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/,
  );
  assert.match(error.hint ?? '', /is the cluster up/);
  await other.close();
  assert.equal((await errorOf(client.get(map))).code, 'UNREACHABLE');
});

test("the reason of the caller's signal is what is thrown, at any point of a call", async () => {
  await using server = await startOddServer((request, answer) => {
    if (request.path.endsWith('/headers')) answer.send('{"kind":');
    if (request.path.endsWith('/busy')) answer.json(429, {}, { 'retry-after': '60' });
  });
  const client = server.client();
  for (const name of ['silent', 'headers', 'busy']) {
    const stop = new AbortController();
    const reading = client.get({ ...map, name }, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error(`enough of ${name}`)), 50);
    await assert.rejects(reading, new Error(`enough of ${name}`));
  }
});

test('an answer that is not a JSON object is told with its beginning', async () => {
  await using server = await startOddServer((_request, answer) => answer.raw(200, '<html>Sign in'));
  const error = await errorOf(server.client().get(map));
  assert.equal(error.code, 'UNREADABLE_ANSWER');
  assert.match(error.message, /not a JSON object: <html>Sign in/);
});

test('zipped answers are read, each group of an identity is a header of its own, warnings are told', async () => {
  await using server = await startOddServer((_request, answer) => {
    const body = gzipSync(JSON.stringify(thing('a', '1')));
    answer.raw(200, body, {
      'content-encoding': 'gzip',
      warning: '299 - "old \\"api\\"", 299 - "b"',
    });
  });
  const warnings: string[] = [];
  const client = server.client().as({ user: 'ann', groups: ['dev', 'ops, all'] });
  await client.get(map, { onAnswer: (answer) => warnings.push(...answer.warnings) });
  assert.deepEqual(warnings, ['old "api"', 'b']);
  const raw = server.requests[0]?.rawHeaders ?? [];
  const groups = raw.filter((_value, i) => raw[i - 1]?.toLowerCase() === 'impersonate-group');
  assert.deepEqual(groups, ['dev', 'ops, all']);
});

test('each request that is sent is told to the observer, with its status', async () => {
  const answers = [429, 200];
  await using server = await startOddServer((_request, answer) => {
    answer.json(answers.shift() ?? 404, thing('a', '1'), { 'retry-after': '0' });
  });
  const told: string[] = [];
  const client = server.client({
    observe: ({ method, status }) => told.push(`${method} ${status}`),
  });
  await client.get(map);
  await client.find(map);
  assert.deepEqual(told, ['GET 200', 'GET 200', 'GET 429', 'GET 200', 'GET 404']);
});

test('no more requests are under way than allowed, and no more per second', async () => {
  let current = 0;
  let highest = 0;
  await using server = await startOddServer(async (_request, answer) => {
    highest = Math.max(highest, ++current);
    await new Promise((resolve) => setTimeout(resolve, 10));
    current--;
    answer.json(200, thing('a', '1'));
  });
  const few = server.client({ limits: { inFlightMax: 3 } });
  await Promise.all(Array.from({ length: 20 }, () => few.get(map)));
  assert.equal(highest, 3);
  const slow = server.client({ limits: { inFlightMax: 50, rate: { perSecond: 50, burst: 5 } } });
  const started = Date.now();
  await Promise.all(Array.from({ length: 20 }, () => slow.get(map)));
  const tookMs = Date.now() - started;
  assert.ok(tookMs >= 280, `15 requests beyond the burst at 50/s took only ${tookMs} ms`);
});

test('standing in the own queue does not use up the time of a call', async () => {
  await using server = await startOddServer(async (_request, answer) => {
    await new Promise((resolve) => setTimeout(resolve, 60));
    answer.json(200, thing('a', '1'));
  });
  const client = server.client({ limits: { inFlightMax: 1 }, timeoutMs: 200 });
  await Promise.all(Array.from({ length: 8 }, () => client.get(map)));
  assert.equal(server.requests.length, 8);
});

test('what cannot be an address is refused before it is sent', async () => {
  await using server = await startOddServer((_request, answer) => answer.json(200, {}));
  const client = server.client();
  const codes = [
    client.get({ ...map, name: '' }),
    client.get({ ...map, name: '../nodes' }),
    client.get({ ...map, name: '..' }),
    client.get({ ...map, namespace: 'a/b' }),
    client.get({ ...map, namespace: '' }),
    client.logs({ namespace: '', name: 'p' })[Symbol.asyncIterator]().next(),
  ];
  const found = await Promise.all(codes.map(async (promise) => (await errorOf(promise)).code));
  assert.deepEqual(found, [
    'NAME_REQUIRED',
    'NAME_INVALID',
    'NAME_INVALID',
    'NAME_INVALID',
    'NAMESPACE_REQUIRED',
    'NAME_REQUIRED',
  ]);
  assert.equal(server.requests.length, 0);
});

test('an error keeps the words, the reason and the causes of the server', async () => {
  const causes = [
    { reason: 'FieldValueInvalid', message: 'must be positive', field: 'spec.replicas' },
  ];
  await using server = await startOddServer((_request, answer) =>
    answer.json(422, statusBody(422, 'Invalid', 'it is invalid', { causes })),
  );
  const error = await errorOf(server.client().create(thing('a', '')));
  assert.ok(error instanceof ApiError);
  assert.equal(error.message, 'cannot create ConfigMap default/a: it is invalid');
  assert.deepEqual(error.status, {
    code: 422,
    reason: 'Invalid',
    message: 'it is invalid',
    causes,
  });
});
