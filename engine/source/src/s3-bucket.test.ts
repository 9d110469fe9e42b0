import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createHttpGet } from '@capstan/lib-oci';
import { S3Bucket } from './s3-bucket.ts';
import { signS3 } from './sign-s3.ts';

const NOW = Date.UTC(2026, 10, 29, 16, 0, 0);

/** As botocore signs them. */
const signatures: readonly (readonly [string, string, string | undefined, string])[] = [
  [
    'GET',
    'https://minio.local:9000/my-bucket/a%20b/%C3%A9%2B%28x%29.yaml',
    undefined,
    '031084a148d242c13d84104b68626c1af07e5534fe09f2851587b458706d4adc',
  ],
  [
    'GET',
    'https://minio.local:9000/my-bucket/?list-type=2&encoding-type=url&prefix=a%2Fb&continuation-token=1%2Bx%3D',
    undefined,
    '21604b4545d613b9a6f7e2128c8611e936deb26151ff7a4699c0c490619e7345',
  ],
  [
    'HEAD',
    'http://s3.amazonaws.com/b/',
    'TOK',
    '7937fadc033ad5a4a07bdbc7a3ee0f0d8c2e60ed2d0cb20497fe56faa26f240a',
  ],
];

test('requests are signed as other clients sign them', () => {
  for (const [method, url, sessionToken, expected] of signatures) {
    const credentials = {
      accessKey: 'AK',
      secretKey: 'SK',
      ...(sessionToken === undefined ? {} : { sessionToken }),
    };
    const { authorization = '' } = signS3(
      { method, url: new URL(url) },
      { credentials, region: 'eu-west-1', nowMs: NOW },
    );
    assert.ok(authorization.endsWith(`Signature=${expected}`), `${url}: ${authorization}`);
  }
});

const OBJECTS: Readonly<Record<string, string>> = {
  'a/b c.yaml': 'one',
  'a/é+(x).yaml': 'two',
  top: 'three',
};
let server: Server;
let endpoint: string;

before(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    const credentials = { accessKey: 'AK', secretKey: 'SK' };
    const { authorization } = signS3(
      { method: request.method ?? '', url },
      { credentials, region: 'us-east-1', nowMs: NOW },
    );
    if (request.headers.authorization !== authorization) {
      response.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code></Error>');
      return;
    }
    const key = decodeURIComponent(url.pathname).replace(/^\/data\//, '');
    if (!url.pathname.startsWith('/data/')) response.writeHead(404).end();
    else if (key !== '') {
      const text = OBJECTS[key];
      if (text === undefined) response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
      else response.writeHead(200, { etag: `"${key.length}"` }).end(text);
    } else response.writeHead(200).end(listing(url.searchParams));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

/** One object a page. */
function listing(query: URLSearchParams): string {
  const keys = Object.keys(OBJECTS).filter((key) => key.startsWith(query.get('prefix') ?? ''));
  const at = Number(query.get('continuation-token') ?? 0);
  const key = encodeURIComponent(keys[at] ?? '').replaceAll('%20', '+');
  const more = at + 1 < keys.length;
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated><Contents><Key>${key}</Key><ETag>&quot;${at}&quot;</ETag></Contents>${more ? `<NextContinuationToken>${at + 1}</NextContinuationToken>` : ''}</ListBucketResult>`;
}

function open(more: { readonly bucket?: string; readonly secretKey?: string } = {}) {
  const http = createHttpGet();
  const credentials = { accessKey: 'AK', secretKey: more.secretKey ?? 'SK' };
  const bucket = new S3Bucket({
    get: http.get,
    endpoint,
    bucket: more.bucket ?? 'data',
    plainHttp: true,
    credentials,
    now: () => NOW,
  });
  return { bucket, [Symbol.asyncDispose]: () => http.close() };
}

test('the bucket is in the host or in the path, and requests are signed for its region', async () => {
  const rows: readonly (readonly [string, string, string | undefined, string, string])[] = [
    ['minio.local:9000', 'data', undefined, 'minio.local:9000/data/', 'eu-north-1'],
    ['minio.local:9000', 'data', 'here', 'minio.local:9000/data/', 'here'],
    ['s3.amazonaws.com', 'data', undefined, 'data.s3.amazonaws.com/', 'eu-north-1'],
    [
      's3.eu-west-1.amazonaws.com',
      'data',
      undefined,
      'data.s3.eu-west-1.amazonaws.com/',
      'eu-west-1',
    ],
    [
      's3.dualstack.us-west-2.amazonaws.com',
      'a.b',
      undefined,
      's3.dualstack.us-west-2.amazonaws.com/a.b/',
      'us-west-2',
    ],
    ['storage.googleapis.com', 'data', 'auto', 'data.storage.googleapis.com/', 'auto'],
    ['oss-cn-x.aliyuncs.com', 'data', 'cn-x', 'data.oss-cn-x.aliyuncs.com/', 'cn-x'],
  ];
  for (const [at, name, region, place, expected] of rows) {
    const asked: string[] = [];
    const bucket = new S3Bucket({
      async get({ url, headers }) {
        asked.push(
          `${url.replace('https://', '')} ${/Credential=AK\/\d+\/([^/]+)/.exec(headers['authorization'] ?? '')?.[1]}`,
        );
        const body = '<LocationConstraint>eu-north-1</LocationConstraint>';
        return { status: 200, header: () => undefined, body: [Buffer.from(body)] as never };
      },
      endpoint: at,
      bucket: name,
      credentials: { accessKey: 'AK', secretKey: 'SK' },
      now: () => NOW,
      ...(region === undefined ? {} : { region }),
    });
    await bucket.exists();
    await bucket.exists();
    const location = expected === 'eu-north-1' ? [`${at}/${name}/?location= us-east-1`] : [];
    assert.deepEqual(asked, [...location, `${place} ${expected}`, `${place} ${expected}`]);
  }
});

test('objects are listed page by page and read by their keys', async () => {
  await using opened = open();
  const { bucket } = opened;
  assert.equal(await bucket.exists(), true);
  assert.deepEqual(await Array.fromAsync(bucket.list()), [
    { key: 'a/b c.yaml', etag: '0' },
    { key: 'a/é+(x).yaml', etag: '1' },
    { key: 'top', etag: '2' },
  ]);
  assert.deepEqual(
    (await Array.fromAsync(bucket.list('to'))).map(({ key }) => key),
    ['top'],
  );
  for (const [key, text] of Object.entries(OBJECTS)) {
    const found = await bucket.read(key, 1000);
    assert.equal(Buffer.from(found?.bytes ?? []).toString(), text);
    assert.equal(found?.etag, String(key.length));
  }
  assert.equal(await bucket.read('gone', 1000), undefined);
  await assert.rejects(bucket.read('top', 2), /sends more than 2 bytes/);
});

test('a bucket that is not there, and keys that are wrong, are told apart', async () => {
  await using missing = open({ bucket: 'other' });
  assert.equal(await missing.bucket.exists(), false);
  await using refused = open({ secretKey: 'wrong-canary' });
  await assert.rejects(Array.fromAsync(refused.bucket.list()), (error: Error) => {
    assert.match(error.message, /status 403 \(SignatureDoesNotMatch\)/);
    assert.doesNotMatch(JSON.stringify(error), /canary/);
    return true;
  });
});
