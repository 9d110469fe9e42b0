import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
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
}

const DAY_MS = 24 * 3600 * 1000;
const VALID_DAYS = 3650;
const NAME = distinguishedName([[OID.commonName, 'capstan-sandbox']]);

/** A new authority, or the one that was kept. Keys are ECDSA P-256: made in a millisecond. */
export function createAuthority(nowMs: number, kept?: KeyPair): CertificateAuthority {
  const signer = kept === undefined ? generateKey() : createPrivateKey(kept.key);
  const signerId = keyIdentifier(publicKeyInfo(signer));
  const issue = (subject: Uint8Array, key: KeyObject, extensions: readonly Uint8Array[]): string =>
    encodePem(
      'CERTIFICATE',
      signCertificate(
        {
          serialNumber: BigInt(`0x01${randomBytes(12).toString('hex')}`),
          issuer: NAME,
          subject,
          // A little in the past: other clocks may be behind.
          notBeforeMs: nowMs - DAY_MS,
          notAfterMs: nowMs + VALID_DAYS * DAY_MS,
          publicKey: publicKeyInfo(key),
          extensions,
        },
        signer,
      ),
    );
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
  };
}

function generateKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function pemOf(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}
