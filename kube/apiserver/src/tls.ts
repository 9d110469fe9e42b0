import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateAuthority extends KeyPair {
  /** A certificate for servers on this machine. */
  issueServer(addresses: readonly string[]): Promise<KeyPair>;
  /** A client certificate: the common name is the user, the organizations are its groups. */
  issueClient(username: string, groups: readonly string[]): Promise<KeyPair>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 24 * 3600 * 1000;
const VALID_DAYS = 3650;

/** A new authority, or the one that was kept. Keys are ECDSA P-256: made in a millisecond. */
export async function createAuthority(
  nowMs: number,
  kept?: KeyPair,
): Promise<CertificateAuthority> {
  x509.cryptoProvider.set(crypto);
  const keys = kept === undefined ? await generateKeys() : await importKeys(kept.key);
  const root =
    kept === undefined
      ? await x509.X509CertificateGenerator.createSelfSigned({
          serialNumber: serialNumber(),
          name: 'CN=capstan-sandbox',
          ...validity(nowMs),
          signingAlgorithm: ALGORITHM,
          keys,
          extensions: [
            new x509.BasicConstraintsExtension(true, undefined, true),
            new x509.KeyUsagesExtension(
              x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature,
              true,
            ),
          ],
        })
      : new x509.X509Certificate(kept.certificate);
  const issue = async (
    name: x509.JsonName,
    usage: string,
    extensions: x509.Extension[],
  ): Promise<KeyPair> => {
    const own = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: name,
      issuer: root.subject,
      ...validity(nowMs),
      signingKey: keys.privateKey,
      publicKey: own.publicKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        ...extensions,
      ],
    });
    return { certificate: certificate.toString('pem'), key: await exportKey(own) };
  };
  return {
    certificate: root.toString('pem'),
    key: kept?.key ?? (await exportKey(keys)),
    issueServer: (addresses) =>
      issue([{ CN: ['kube-apiserver'] }], x509.ExtendedKeyUsage.serverAuth, [
        new x509.SubjectAlternativeNameExtension(
          addresses.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns', value })),
        ),
      ]),
    issueClient: (username, groups) =>
      issue(
        [{ CN: [username] }, ...groups.map((group) => ({ O: [group] }))],
        x509.ExtendedKeyUsage.clientAuth,
        [],
      ),
  };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, [
    'sign',
    'verify',
  ]) as Promise<webcrypto.CryptoKeyPair>;
}

async function importKeys(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const der = x509.PemConverter.decodeFirst(pem);
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']);
  return { privateKey, publicKey: privateKey } as webcrypto.CryptoKeyPair;
}

async function exportKey(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return x509.PemConverter.encode(der, 'PRIVATE KEY');
}

/** A little in the past: other clocks may be behind. */
function validity(nowMs: number): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + VALID_DAYS * DAY_MS),
  };
}

function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(12));
  return `01${Buffer.from(bytes).toString('hex')}`;
}
