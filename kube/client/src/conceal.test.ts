import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from './api-error.ts';
import { startOddServer, statusBody } from './odd-server.ts';

const canary = 'canary-5d1e';
const encoded = Buffer.from(canary).toString('base64');

test('an error about a Secret does not repeat its values, in no form', async () => {
  await using server = await startOddServer(({ body }, answer) => {
    const message = `expected string, got 987654 or ${canary} (${encoded}) in ${body}`;
    const causes = [{ reason: 'FieldValueInvalid', message: `bad: "${canary}"`, field: 'data.a' }];
    answer.json(422, statusBody(422, 'Invalid', message, { causes }));
  });
  const client = server.client();
  const metadata = { namespace: 'default', name: 's' };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata };
  const ref = { apiVersion: 'v1', kind: 'Secret', ...metadata };
  const attempts = [
    client.create({ ...secret, data: { a: encoded, n: 987654 } }),
    client.apply({ ...secret, stringData: { a: canary, n: 987654 } }, { fieldManager: 'me' }),
    client.update({ ...secret, data: { a: encoded, n: 987654 } }),
    client.patch(ref, [{ op: 'add', path: '/data/a', value: encoded }, { value: 987654 }], {
      type: 'json',
    }),
  ];
  for (const attempt of attempts) {
    const error = await attempt.catch((caught: unknown) => caught);
    assert.ok(error instanceof ApiError);
    const text = `${error.message} ${JSON.stringify(error.status)}`;
    for (const value of [encoded, '987654']) assert.ok(!text.includes(value), text);
    assert.match(error.message, /expected string, got \*{6}/);
  }
});
