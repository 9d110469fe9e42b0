import { createHash, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { sprintf } from '../fmt.ts';
import { fromBytes, toBytes } from '../text.ts';
import {
  type CallContext,
  GoError,
  GoStruct,
  type GoType,
  type GoValue,
  STRING,
} from '../value.ts';
import { bitString, der, integer, oid, readDer, sequence, TAG } from './der.ts';
import { CorruptInputError, decodeBase64 } from './encoding.ts';
import {
  decodePem,
  encodePem,
  generateRsa,
  type PrivateKey,
  parsePrivateKey,
  publicKeyInfo,
} from './keys.ts';

/** What the certificate functions return: fields Cert and Key, both PEM. */
export const CERTIFICATE: GoType = {
  kind: 'struct',
  text: 'sprig.certificate',
  named: true,
  fields: [
    { name: 'Cert', type: STRING },
    { name: 'Key', type: STRING },
  ],
};

export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

export function certificateValue({ cert, key }: CertificatePair): GoStruct {
  return new GoStruct(CERTIFICATE, { Cert: cert, Key: key });
}

export function certificatePair(value: GoValue): CertificatePair {
  const values = value instanceof GoStruct ? value.values : {};
  return { cert: String(values['Cert'] ?? ''), key: String(values['Key'] ?? '') };
}

export interface CertificateRequest {
  readonly commonName: string;
  readonly ips: readonly GoValue[];
  readonly dnsNames: readonly GoValue[];
  readonly daysValid: number;
  readonly isCa: boolean;
}

export interface CertificateTools {
  readonly context: CallContext;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** Checks a certificate and key given as base64 of PEM, and returns them. */
export function buildCustomCertificate(certBase64: string, keyBase64: string): CertificatePair {
  const cert = decode(certBase64, 'certificate');
  const key = decode(keyBase64, 'private key');
  const block = decodePem(cert);
  if (block === undefined) throw new GoError('unable to decode certificate');
  readCertificate(block.bytes);
  try {
    parsePrivateKey(key);
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`error parsing private key: ${error.message}`);
    throw error;
  }
  return { cert, key };
}

function decode(base64: string, what: string): string {
  try {
    return fromBytes(decodeBase64(base64));
  } catch (error) {
    if (error instanceof CorruptInputError) throw new GoError(`unable to decode base64 ${what}`);
    throw error;
  }
}

function readCertificate(bytes: Uint8Array, field = 'decodedCert'): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch {
    throw new GoError(`error parsing certificate: ${field}.Bytes: x509: malformed certificate`);
  }
}

/** Signs a certificate with its own key. Without a key given an RSA key of 2048 bits is made. */
export function selfSigned(
  request: CertificateRequest,
  tools: CertificateTools,
  pem?: string,
): CertificatePair {
  const key = pem === undefined ? generateRsa(2048) : givenKey(pem);
  const names = alternativeNames(request);
  return issue({ request, names, key, issuer: undefined }, tools);
}

/** Signs a certificate with the key of a CA. */
export function signedBy(
  ca: CertificatePair,
  request: CertificateRequest,
  tools: CertificateTools,
  pem?: string,
): CertificatePair {
  const key = pem === undefined ? generateRsa(2048) : givenKey(pem);
  const block = decodePem(ca.cert);
  if (block === undefined) throw new GoError('unable to decode certificate');
  const certificate = readCertificate(block.bytes, 'decodedSignerCert');
  let signer: PrivateKey;
  try {
    signer = parsePrivateKey(ca.key);
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`error parsing private key: ${error.message}`);
    throw error;
  }
  const names = alternativeNames(request);
  return issue({ request, names, key, issuer: { signer, ...issuerFields(certificate) } }, tools);
}

function givenKey(pem: string): PrivateKey {
  try {
    return parsePrivateKey(pem);
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`parsing private key: ${error.message}`);
    throw error;
  }
}

interface Issuer {
  readonly signer: PrivateKey;
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly keyId: Uint8Array | undefined;
}

/** The subject, public key and key identifier of a certificate, as they stand in it. */
function issuerFields(certificate: X509Certificate): Omit<Issuer, 'signer'> {
  const [whole] = readDer(certificate.raw);
  const [tbs] = readDer(whole?.content ?? new Uint8Array());
  const fields = readDer(tbs?.content ?? new Uint8Array());
  const start = fields[0]?.tag === 0xa0 ? 1 : 0;
  const extensions = fields.find((element) => element.tag === 0xa3);
  const [list] = readDer(extensions?.content ?? new Uint8Array());
  const wanted = oid(OID.subjectKeyId);
  let keyId: Uint8Array | undefined;
  for (const extension of readDer(list?.content ?? new Uint8Array())) {
    const parts = readDer(extension.content);
    const value = parts.at(-1);
    if (parts[0] !== undefined && sameBytes(parts[0].whole, wanted) && value !== undefined) {
      keyId = readDer(value.content)[0]?.content;
    }
  }
  return {
    subject: fields[start + 4]?.whole ?? new Uint8Array(),
    publicKey: fields[start + 5]?.whole ?? new Uint8Array(),
    keyId,
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

// Names -------------------------------------------------------------------------------------------------------------

interface AlternativeNames {
  readonly ips: readonly Uint8Array[];
  readonly dnsNames: readonly string[];
}

function alternativeNames(request: CertificateRequest): AlternativeNames {
  const ips = request.ips.map((ip) => {
    if (typeof ip !== 'string')
      throw new GoError(sprintf('error parsing ip: %v is not a string', [ip]));
    const bytes = ipBytes(ip);
    if (bytes === undefined) throw new GoError(`error parsing ip: ${ip}`);
    return bytes;
  });
  const dnsNames = request.dnsNames.map((name) => {
    if (typeof name === 'string') return name;
    throw new GoError(sprintf('error processing alternate dns name: %v is not a string', [name]));
  });
  return { ips, dnsNames };
}

/** net.ParseIP; an IPv4 address, mapped ones too, as its four bytes. */
function ipBytes(ip: string): Uint8Array | undefined {
  const version = isIP(ip);
  if (version === 4) return Uint8Array.from(ip.split('.'), Number);
  if (version !== 6 || ip.includes('%')) return undefined;
  const last = ip.slice(ip.lastIndexOf(':') + 1);
  const embedded = last.includes('.') ? last.split('.').map(Number) : [];
  const groups =
    embedded.length === 4 ? ip.slice(0, ip.length - last.length) + pairs(embedded) : ip;
  const [head = '', tail] = groups.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const words = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  const bytes = words.flatMap((word) => {
    const value = Number.parseInt(word, 16);
    return [value >> 8, value & 255];
  });
  const isMapped =
    bytes.slice(0, 10).every((b) => b === 0) && bytes[10] === 255 && bytes[11] === 255;
  return Uint8Array.from(isMapped ? bytes.slice(12) : bytes);
}

function pairs([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string {
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

// Issuing -----------------------------------------------------------------------------------------------------------

const OID = {
  commonName: '2.5.4.3',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

interface Issue {
  readonly request: CertificateRequest;
  readonly names: AlternativeNames;
  readonly key: PrivateKey;
  readonly issuer: Issuer | undefined;
}

function issue({ request, names, key, issuer }: Issue, tools: CertificateTools): CertificatePair {
  const signer = issuer?.signer ?? key;
  if (key.key === undefined || signer.key === undefined) {
    throw new GoError(
      'error creating certificate: x509: unsupported public key type: *dsa.PublicKey',
    );
  }
  if (issuer !== undefined && !sameBytes(publicKeyInfo(signer.key), issuer.publicKey)) {
    throw new GoError(
      "error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey",
    );
  }
  const subject = distinguishedName(request.commonName);
  const issuerName = issuer?.subject ?? subject;
  const publicKey = publicKeyInfo(key.key);
  const { algorithm, digest } = signatureOf(signer.key);
  const now = tools.context.now();
  const tbs = sequence(
    der(0xa0, integer(2n)),
    integer(serialNumber(tools.randomBytes(16))),
    algorithm,
    issuerName,
    sequence(timeElement(now), timeElement(now + request.daysValid * 86_400_000)),
    subject,
    publicKey,
    der(0xa3, sequence(...extensions({ request, names, subject, publicKey, issuer, issuerName }))),
  );
  const signature = sign(digest, tbs, signer.key);
  const certificate = sequence(tbs, algorithm, bitString(signature));
  return { cert: encodePem('CERTIFICATE', certificate), key: key.pem };
}

function serialNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => value * 256n + BigInt(byte), 0n);
}

function distinguishedName(commonName: string): Uint8Array {
  if (commonName === '') return sequence();
  const tag = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(commonName) ? TAG.printableString : TAG.utf8String;
  const attribute = sequence(oid(OID.commonName), der(tag, toBytes(commonName)));
  return sequence(der(TAG.set, attribute));
}

function timeElement(ms: number): Uint8Array {
  const date = new Date(ms);
  const digits = date.toISOString().replaceAll(/[-:T]|\..*$/g, '');
  const year = date.getUTCFullYear();
  const isShort = year >= 1950 && year < 2050;
  const text = `${isShort ? digits.slice(2) : digits}Z`;
  return der(isShort ? TAG.utcTime : TAG.generalizedTime, toBytes(text));
}

function signatureOf(key: KeyObject): { algorithm: Uint8Array; digest: string | null } {
  if (key.asymmetricKeyType === 'rsa') {
    const algorithm = sequence(oid('1.2.840.113549.1.1.11'), der(TAG.null));
    return { algorithm, digest: 'sha256' };
  }
  if (key.asymmetricKeyType === 'ed25519')
    return { algorithm: sequence(oid('1.3.101.112')), digest: null };
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'secp384r1')
    return { algorithm: sequence(oid('1.2.840.10045.4.3.3')), digest: 'sha384' };
  if (curve === 'secp521r1')
    return { algorithm: sequence(oid('1.2.840.10045.4.3.4')), digest: 'sha512' };
  return { algorithm: sequence(oid('1.2.840.10045.4.3.2')), digest: 'sha256' };
}

interface ExtensionParts {
  readonly request: CertificateRequest;
  readonly names: AlternativeNames;
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly issuer: Issuer | undefined;
  readonly issuerName: Uint8Array;
}

/** In the order in which Go writes them. */
function extensions(parts: ExtensionParts): Uint8Array[] {
  const { request, names, subject, publicKey, issuer, issuerName } = parts;
  const critical = true;
  const usage = request.isCa
    ? bitString(Uint8Array.of(0xa4), 2)
    : bitString(Uint8Array.of(0xa0), 5);
  const out = [
    extension(OID.keyUsage, usage, critical),
    extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth), oid(OID.clientAuth))),
    extension(OID.basicConstraints, basicConstraints(request.isCa), critical),
  ];
  if (request.isCa) {
    const keyBits = readDer(readDer(publicKey)[0]?.content ?? new Uint8Array())[1];
    const hash = createHash('sha256').update(keyBits?.content.subarray(1) ?? new Uint8Array());
    out.push(extension(OID.subjectKeyId, der(TAG.octetString, hash.digest().subarray(0, 20))));
  }
  if (issuer?.keyId !== undefined && !sameBytes(issuerName, subject)) {
    out.push(extension(OID.authorityKeyId, sequence(der(0x80, issuer.keyId))));
  }
  if (names.dnsNames.length + names.ips.length > 0) {
    const dns = names.dnsNames.map((name) => der(0x82, toBytes(name)));
    const ips = names.ips.map((ip) => der(0x87, ip));
    const isOnlyName = request.commonName === '';
    out.push(extension(OID.alternativeNames, sequence(...dns, ...ips), isOnlyName));
  }
  return out;
}

function basicConstraints(isCa: boolean): Uint8Array {
  return isCa ? sequence(der(TAG.boolean, Uint8Array.of(0xff))) : sequence();
}

function extension(id: string, value: Uint8Array, isCritical = false): Uint8Array {
  const critical = isCritical ? [der(TAG.boolean, Uint8Array.of(0xff))] : [];
  return sequence(oid(id), ...critical, der(TAG.octetString, value));
}
