import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import {
  alternativeNames,
  authorityKeyId,
  basicConstraints,
  distinguishedName,
  encodePem,
  extendedKeyUsage,
  ipBytes,
  keyIdentifier,
  keyUsage,
  OID,
  publicKeyInfo,
  signCertificate,
  subjectKeyId,
} from './index.ts';

const AUTHORITY = distinguishedName([[OID.commonName, 'an authority']]);

function certificate(
  signer: KeyObject,
  key: KeyObject,
  fields: { readonly subject: Uint8Array; readonly extensions: readonly Uint8Array[] },
): X509Certificate {
  const der = signCertificate(
    {
      serialNumber: 0x01ffn,
      issuer: AUTHORITY,
      notBeforeMs: Date.UTC(2049, 11, 31, 23, 59, 59),
      notAfterMs: Date.UTC(2050, 0, 1),
      publicKey: publicKeyInfo(key),
      ...fields,
    },
    signer,
  );
  return new X509Certificate(encodePem('CERTIFICATE', der));
}

const KEYS = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  Ed25519: () => generateKeyPairSync('ed25519'),
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

for (const [kind, generate] of Object.entries(KEYS)) {
  test(`a certificate by a ${kind} key says what it was given and is believed of its authority`, () => {
    const authorityKey = generate().privateKey;
    const id = keyIdentifier(publicKeyInfo(authorityKey));
    const authority = certificate(authorityKey, authorityKey, {
      subject: AUTHORITY,
      extensions: [
        basicConstraints(true),
        keyUsage('digitalSignature', 'keyCertSign'),
        subjectKeyId(id),
      ],
    });
    const issued = certificate(authorityKey, generate().privateKey, {
      subject: distinguishedName([
        [OID.commonName, 'zoë@example.com'],
        [OID.organization, 'system:masters'],
        [OID.organization, ''],
      ]),
      extensions: [
        basicConstraints(false),
        keyUsage('digitalSignature'),
        extendedKeyUsage(OID.serverAuth, OID.clientAuth),
        authorityKeyId(id),
        alternativeNames({
          dnsNames: ['localhost'],
          ips: [ipBytes('127.0.0.1') ?? new Uint8Array(), ipBytes('::1') ?? new Uint8Array()],
        }),
      ],
    });
    assert.ok(authority.ca && !issued.ca);
    assert.ok(issued.checkIssued(authority) && issued.verify(authority.publicKey));
    assert.ok(authority.verify(authority.publicKey));
    assert.equal(issued.issuer, 'CN=an authority');
    assert.equal(issued.subject, 'CN=zoë@example.com\nO=system:masters');
    assert.equal(issued.serialNumber, '01FF');
    assert.equal(
      issued.subjectAltName,
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
    assert.deepEqual(issued.keyUsage, [OID.serverAuth, OID.clientAuth]);
    // The one is written with two digits of the year, the other with four.
    assert.equal(issued.validFrom, 'Dec 31 23:59:59 2049 GMT');
    assert.equal(issued.validTo, 'Jan  1 00:00:00 2050 GMT');
  });
}

test('addresses are taken as net.ParseIP takes them', () => {
  const hex = (ip: string): string | undefined => {
    const bytes = ipBytes(ip);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('hex');
  };
  assert.equal(hex('10.0.0.1'), '0a000001');
  assert.equal(hex('::ffff:10.0.0.1'), '0a000001');
  assert.equal(hex('2001:db8::5'), '20010db8000000000000000000000005');
  assert.equal(hex('fe80::1%eth0'), undefined);
  assert.equal(hex('localhost'), undefined);
});
