import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { openWithVault, signKms } from './cloud-keys.ts';
import { combineShares } from './combine-shares.ts';
import { positionalFloat } from './go-text.ts';
import { decryptSops, isSopsFile } from './index.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, 'testdata', name));
const KEY = read('key.txt').toString();

test('a file that sops wrote is opened with its comments and the order of its names', async () => {
  const content = read('secret.yaml');
  assert.equal(isSopsFile(content, 'yaml'), true);
  const plain = await decryptSops(content, { format: 'yaml', keys: { age: [KEY] } });
  assert.equal(
    Buffer.from(plain).toString(),
    `apiVersion: v1
kind: Secret
metadata:
    name: app
stringData:
    # kept
    password: canary
    "10": ten
    "2": two
    port: "80"
count: 3
`,
  );
});

test('no byte of it can change unseen', async () => {
  const content = read('secret.yaml').toString();
  const body = content.slice(0, content.indexOf('sops:'));
  for (let at = 0; at < body.length; at += 3) {
    const other = body[at] === 'A' ? 'B' : 'A';
    const changed = `${body.slice(0, at)}${other}${content.slice(at + 1)}`;
    const outcome = await decryptSops(Buffer.from(changed), {
      format: 'yaml',
      keys: { age: [KEY] },
    }).then(
      (plain) => Buffer.from(plain).toString(),
      (error: { readonly code: string }) => error.code,
    );
    // Names of unencrypted values and comments are not part of the MAC: what is given out then holds the same values.
    if (/^SOPS_/.test(outcome)) continue;
    assert.match(outcome, /password: canary\n/, `at ${at}`);
  }
});

test('numbers are written without an exponent where the MAC wants it', () => {
  const rows: readonly (readonly [number, string])[] = [
    [1.5, '1.5'],
    [1e21, '1000000000000000000000'],
    [1.5e-9, '0.0000000015'],
    [-1.25e22, '-12500000000000000000000'],
    [Number.POSITIVE_INFINITY, '+Inf'],
  ];
  for (const [value, text] of rows) assert.equal(positionalFloat(value), text);
});

test('shares that do not fit together are refused', () => {
  assert.throws(() => combineShares([Uint8Array.of(1, 2, 3)]), { code: 'SOPS_DAMAGED' });
  assert.throws(() => combineShares([Uint8Array.of(1, 1), Uint8Array.of(2, 1)]), {
    code: 'SOPS_DAMAGED',
  });
});

test('a request to KMS is signed as other clients sign it', () => {
  const { authorization } = signKms(
    new URL('https://kms.eu-west-1.amazonaws.com/'),
    '{"CiphertextBlob":"QUJD"}',
    {
      credentials: { accessKey: 'AK', secretKey: 'SK', sessionToken: 'TOK' },
      region: 'eu-west-1',
      nowMs: Date.UTC(2026, 10, 29, 16),
    },
  );
  assert.match(
    authorization ?? '',
    /Signature=4f0aa6ba34cfaa6e9bce4fc40b77e82317e75c3d6d0130cc30c3e92b4d144550$/,
  );
});

test('Vault is asked at the address in the file, with the token, and nowhere else', async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['x-vault-token']}`);
    if (request.url?.includes('moved') === true)
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    else
      response.end(JSON.stringify({ data: { plaintext: Buffer.from('key').toString('base64') } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fields = { vault_address: `${address}/`, engine_path: 'secret/sops', key_name: 'app' };
  assert.equal(Buffer.from(await openWithVault(fields, 'vault:v1:x', 'T')).toString(), 'key');
  assert.deepEqual(seen, ['POST /v1/secret/sops/decrypt/app T']);
  await assert.rejects(openWithVault({ ...fields, key_name: 'moved' }, 'x', 'T'));
  server.closeAllConnections();
  server.close();
});
