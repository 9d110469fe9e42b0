import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { createCleartextMessage, generateKey, type PrivateKey, readKey, sign } from 'openpgp';
import { type ChartSignature, type SignedChart, verifyChart } from './verify-chart.ts';

const archive = new TextEncoder().encode('the packed chart');
const fileName = 'app-1.0.0.tgz';
let key: PrivateKey;
let ring: Uint8Array;
let stranger: Uint8Array;

before(async () => {
  const made = await generateKey({
    userIDs: [{ name: 'Chart Author', email: 'author@example.com' }],
    format: 'object',
  });
  key = made.privateKey;
  ring = made.publicKey.write();
  const other = await generateKey({ userIDs: [{ name: 'Stranger' }], format: 'object' });
  stranger = other.publicKey.write();
});

function sumOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function signed(text: string): Promise<Uint8Array> {
  const message = await createCleartextMessage({ text });
  return new TextEncoder().encode(await sign({ message, signingKeys: key }));
}

function provenance(file = fileName, sum = sumOf(archive)): Promise<Uint8Array> {
  return signed(`apiVersion: v2\nname: app\nversion: 1.0.0\n\n...\nfiles:\n  ${file}: ${sum}\n`);
}

async function check(changes: Partial<SignedChart>): Promise<ChartSignature> {
  const sound = { archive, fileName, provenance: await provenance(), keyring: ring };
  return verifyChart({ ...sound, ...changes });
}

/** A keybox as GnuPG writes it: a header blob, a certificate of another kind, and the keys. */
function keybox(keys: readonly { readonly bytes: Uint8Array; readonly flags?: number }[]): Buffer {
  const blob = (type: number, flags: number, content: Uint8Array): Buffer => {
    const head = Buffer.alloc(32);
    head.writeUInt32BE(32 + content.length, 0);
    head.set([type, 1], 4);
    head.writeUInt16BE(flags, 6);
    if (type === 1) head.write('KBXf', 8);
    else {
      head.writeUInt32BE(32, 8);
      head.writeUInt32BE(content.length, 12);
    }
    return Buffer.concat([head, content]);
  };
  const nothing = new Uint8Array();
  const own = keys.map(({ bytes, flags = 0 }) => blob(2, flags, bytes));
  return Buffer.concat([blob(1, 0, nothing), blob(3, 0, Buffer.from('x509')), ...own]);
}

describe('a signed chart', () => {
  test('names its signer, the key and the digest', async () => {
    const { signedBy, fingerprint, fileHash } = await check({});
    assert.deepEqual(signedBy, ['Chart Author <author@example.com>']);
    assert.equal(fingerprint, key.getFingerprint().toUpperCase());
    assert.equal(fileHash, sumOf(archive));
  });

  test('is checked with armoured keys, several of them, and with a keybox', async () => {
    const armored = async (bytes: Uint8Array): Promise<string> =>
      (await readKey({ binaryKey: bytes })).armor();
    const text = `${await armored(stranger)}\n${await armored(ring)}`;
    await check({ keyring: new TextEncoder().encode(text) });
    await check({ keyring: keybox([{ bytes: stranger }, { bytes: ring }]) });
  });
});

describe('a chart is refused', () => {
  const cases: readonly (readonly [string, () => Promise<Partial<SignedChart>>, RegExp])[] = [
    ['of other bytes', async () => ({ archive: ring }), /sha256 sum does not match for app-1/],
    [
      'under another name',
      async () => ({ fileName: 'other.tgz' }),
      /does not contain a SHA for a file named "other.tgz"/,
    ],
    [
      'whose name is only inherited',
      async () => ({ fileName: 'constructor' }),
      /does not contain a SHA/,
    ],
    ['signed by a stranger', async () => ({ keyring: stranger }), /made by unknown entity/],
    ['without a signature', async () => ({ provenance: archive }), /signature block not found/],
    [
      'whose signed text was changed',
      async () => {
        const text = new TextDecoder().decode(await provenance());
        return { provenance: new TextEncoder().encode(text.replace('1.0.0', '1.0.1')) };
      },
      /invalid signature/,
    ],
    [
      'whose signature says nothing of files',
      async () => ({ provenance: await signed('apiVersion: v2\n') }),
      /at least two parts/,
    ],
    [
      'by a key that the keybox does not count yet',
      async () => ({ keyring: keybox([{ bytes: stranger }, { bytes: ring, flags: 2 }]) }),
      /made by unknown entity/,
    ],
    [
      'with a keybox that is cut off',
      async () => ({ keyring: keybox([{ bytes: ring }]).subarray(0, -9) }),
      /exceeding the \d+ remaining bytes/,
    ],
    [
      'with a ring that holds no keys',
      async () => ({ keyring: archive }),
      /failed to load keyring/,
    ],
    ['with an empty ring', async () => ({ keyring: new Uint8Array() }), /keyring|unknown entity/],
  ];
  for (const [name, changes, message] of cases) {
    test(name, async () => {
      await assert.rejects(check(await changes()), { code: 'PROVENANCE', message });
    });
  }
});
