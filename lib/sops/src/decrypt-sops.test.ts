import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
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

test('why a service does not open a key is told; what keys of persons lack is not', async () => {
  const text = JSON.stringify({
    a: 'ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]',
    sops: {
      kms: [{ arn: 'arn:aws:kms:eu-west-1:1:key/k', enc: 'QQ==' }],
      age: [{ recipient: 'age1x', enc: 'x' }],
      mac: 'ENC[x]',
      lastmodified: '2026-01-01T00:00:00Z',
    },
  });
  const open = async () => {
    throw new Error('access denied');
  };
  await assert.rejects(decryptSops(Buffer.from(text), { format: 'json', keys: { open } }), {
    code: 'SOPS_NO_KEY',
    message:
      'none of the given keys opens the file (it is encrypted for age age1x, kms arn:aws:kms:eu-west-1:1:key/k); kms arn:aws:kms:eu-west-1:1:key/k: access denied',
  });
});
