import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { ConditionalCache } from './conditional-get.ts';
import { createHttpGet } from './create-http-get.ts';
import { type HttpGet, readBytes } from './http-port.ts';

let etag: string | undefined = '"one"';
let modified: string | undefined;
let text = 'first';
const asked: string[] = [];
const server = createServer((request, response) => {
  const {
    'if-none-match': match,
    'if-modified-since': since,
    authorization = '',
  } = request.headers;
  const isSame = match === undefined ? since !== undefined && since === modified : match === etag;
  asked.push(`${`${request.url} ${authorization}`.trim()} ${isSame ? '304' : '200'}`);
  if (etag !== undefined) response.setHeader('etag', etag);
  if (modified !== undefined) response.setHeader('last-modified', modified);
  if (request.url === '/missing.yaml') response.writeHead(404).end('no');
  else if (isSame) response.writeHead(304).end();
  else setTimeout(() => response.end(text), 20);
});
let url = '';
const client = createHttpGet();
let get: HttpGet;
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  get = new ConditionalCache().over(client.get, '', ({ pathname }) => pathname.endsWith('.yaml'));
});
after(async () => {
  await client.close();
  server.close();
});

async function read(path: string, authorization = ''): Promise<string> {
  const options = { bytesMax: 1000, ...(authorization === '' ? {} : { authorization }) };
  const { status, bytes } = await readBytes(get, `${url}${path}`, options);
  return `${status} ${Buffer.from(bytes)}`;
}

test('what has not changed is not sent again, by its tag or by its date', async () => {
  assert.equal(await read('/a.yaml'), '200 first');
  assert.equal(await read('/a.yaml'), '200 first');
  [etag, text] = ['"two"', 'second'];
  assert.equal(await read('/a.yaml'), '200 second');
  [etag, modified] = [undefined, 'Mon, 05 Jan 2026 10:00:00 GMT'];
  assert.equal(await read('/b.yaml'), '200 second');
  assert.equal(await read('/b.yaml'), '200 second');
  assert.deepEqual(asked.splice(0), [
    '/a.yaml 200',
    '/a.yaml 304',
    '/a.yaml 200',
    '/b.yaml 200',
    '/b.yaml 304',
  ]);
});

test('who asks at the same time shares a request, and nobody sees what other credentials were shown', async () => {
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => read('/c.yaml'))), [
    '200 second',
    '200 second',
    '200 second',
  ]);
  await read('/c.yaml', 'Basic x');
  assert.deepEqual(asked.splice(0), ['/c.yaml 200', '/c.yaml Basic x 200']);
});

test('other requests, answers without a validator and failures are not kept', async () => {
  [etag, modified] = [undefined, undefined];
  for (const path of ['/d.yaml', '/d.yaml', '/chart.tgz', '/missing.yaml']) await read(path);
  assert.equal(await read('/missing.yaml'), '404 no');
  assert.ok(asked.splice(0).every((one) => one.endsWith('200')));
});
