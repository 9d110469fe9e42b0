import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import {
  alternativeNames,
  authorityKeyId,
  basicConstraints,
  type CertificateFields,
  distinguishedName,
  encodePem,
  extendedKeyUsage,
  ipBytes,
  keyIdentifier,
  keyUsage,
  OID,
  publicKeyInfo,
  readDer,
  signCertificate,
  subjectKeyId,
} from '@capstan/lib-x509';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateAuthority extends KeyPair {
  /** A certificate for servers that are reached by these names and addresses. */
  issueServer(addresses: readonly string[]): KeyPair;
  /** A client certificate: the common name is the user, the organizations are its groups. */
  issueClient(username: string, groups: readonly string[]): KeyPair;
  /** A client certificate for the name and the key of a request (PKCS #10, PEM); keys of requests are used for this alone. */
  signRequest(request: string, options: SigningOptions): string;
}

export interface SigningOptions {
  readonly nowMs: number;
  readonly seconds: number;
  readonly usages: readonly ('digitalSignature' | 'keyEncipherment')[];
}

const DAY_MS = 24 * 3600 * 1000;
const VALID_DAYS = 3650;
const BACKDATED_MS = 5 * 60 * 1000;
const NAME = distinguishedName([[OID.commonName, 'capstan-sandbox']]);

/** A new authority, or the one that was kept. Keys are ECDSA P-256: made in a millisecond. */
export function createAuthority(nowMs: number, kept?: KeyPair): CertificateAuthority {
  const signer = kept === undefined ? generateKey() : createPrivateKey(kept.key);
  const signerId = keyIdentifier(publicKeyInfo(signer));
  const signed = (fields: Omit<CertificateFields, 'serialNumber' | 'issuer'>): string => {
    const serialNumber = BigInt(`0x01${randomBytes(12).toString('hex')}`);
    return encodePem(
      'CERTIFICATE',
      signCertificate({ serialNumber, issuer: NAME, ...fields }, signer),
    );
  };
  const issue = (subject: Uint8Array, key: KeyObject, extensions: readonly Uint8Array[]): string =>
    signed({
      subject,
      // A little in the past: other clocks may be behind.
      notBeforeMs: nowMs - DAY_MS,
      notAfterMs: nowMs + VALID_DAYS * DAY_MS,
      publicKey: publicKeyInfo(key),
      extensions,
    });
  const issueFor = (
    subject: Uint8Array,
    purpose: string,
    extensions: readonly Uint8Array[] = [],
  ): KeyPair => {
    const key = generateKey();
    const usage = [
      basicConstraints(false),
      keyUsage('digitalSignature'),
      extendedKeyUsage(purpose),
      authorityKeyId(signerId),
    ];
    return { certificate: issue(subject, key, [...usage, ...extensions]), key: pemOf(key) };
  };
  return {
    certificate:
      kept?.certificate ??
      issue(NAME, signer, [
        basicConstraints(true),
        keyUsage('digitalSignature', 'keyCertSign'),
        subjectKeyId(signerId),
      ]),
    key: kept?.key ?? pemOf(signer),
    issueServer: (addresses) =>
      issueFor(distinguishedName([[OID.commonName, 'kube-apiserver']]), OID.serverAuth, [
        alternativeNames({
          dnsNames: addresses.filter((address) => isIP(address) === 0),
          ips: addresses.flatMap((address) => ipBytes(address) ?? []),
        }),
      ]),
    issueClient: (username, groups) =>
      issueFor(
        distinguishedName([
          [OID.commonName, username],
          ...groups.map((group) => [OID.organization, group] as const),
        ]),
        OID.clientAuth,
      ),
    signRequest(request, { nowMs: now, seconds, usages }) {
      const [subject, publicKey] = readRequest(request);
      return signed({
        subject,
        notBeforeMs: now - BACKDATED_MS,
        notAfterMs: now + seconds * 1000 - BACKDATED_MS,
        publicKey,
        extensions: [
          ...(usages.length === 0 ? [] : [keyUsage(...usages)]),
          extendedKeyUsage(OID.clientAuth),
          basicConstraints(false),
          authorityKeyId(signerId),
        ],
      });
    },
  };
}

/** The subject and the public key of a certification request (RFC 2986), as they stand there. */
function readRequest(pem: string): readonly [subject: Uint8Array, publicKey: Uint8Array] {
  const base64 = pem.replaceAll(/-----[^-]*-----/g, '');
  const [whole] = readDer(Buffer.from(base64, 'base64'));
  const [info] = readDer(whole?.content ?? new Uint8Array());
  const [, subject, publicKey] = readDer(info?.content ?? new Uint8Array());
  if (subject === undefined || publicKey === undefined) {
    throw new RangeError('this is no certification request');
  }
  return [subject.whole, publicKey.whole];
}

function generateKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function pemOf(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}
