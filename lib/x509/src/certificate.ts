import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bitString, der, integer, oid, readDer, sequence, TAG } from './der.ts';

export const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** What a certificate says. Names, the public key and extensions are DER. */
export interface CertificateFields {
  readonly serialNumber: bigint;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

/** The DER of a certificate of version 3 (RFC 5280, section 4.1), signed by the key with SHA-2 of its strength. */
export function signCertificate(fields: CertificateFields, signer: KeyObject): Uint8Array {
  const { algorithm, digest } = signatureOf(signer);
  const tbs = sequence(
    der(0xa0, integer(2n)),
    integer(fields.serialNumber),
    algorithm,
    fields.issuer,
    sequence(timeElement(fields.notBeforeMs), timeElement(fields.notAfterMs)),
    fields.subject,
    fields.publicKey,
    der(0xa3, sequence(...fields.extensions)),
  );
  return sequence(tbs, algorithm, bitString(sign(digest, tbs, signer)));
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

/** UTCTime up to 2049, GeneralizedTime after it (RFC 5280, section 4.1.2.5). */
function timeElement(ms: number): Uint8Array {
  const date = new Date(ms);
  const digits = date.toISOString().replaceAll(/[-:T]|\..*$/g, '');
  const year = date.getUTCFullYear();
  const isShort = year >= 1950 && year < 2050;
  const text = `${isShort ? digits.slice(2) : digits}Z`;
  return der(isShort ? TAG.utcTime : TAG.generalizedTime, Buffer.from(text));
}

/** A name of attributes (object identifier, value), each in a set of its own. Empty values are left out. */
export function distinguishedName(
  attributes: readonly (readonly [id: string, value: string])[],
): Uint8Array {
  const sets = attributes.flatMap(([id, value]) => {
    if (value === '') return [];
    const tag = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value) ? TAG.printableString : TAG.utf8String;
    return [der(TAG.set, sequence(oid(id), der(tag, Buffer.from(value))))];
  });
  return sequence(...sets);
}

/** SubjectPublicKeyInfo of a key, or of the public half of a private one. */
export function publicKeyInfo(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'public' ? key : createPublicKey(key);
  return publicKey.export({ type: 'spki', format: 'der' });
}

// Extensions --------------------------------------------------------------------------------------------------------

function extension(id: string, value: Uint8Array, isCritical = false): Uint8Array {
  const critical = isCritical ? [der(TAG.boolean, Uint8Array.of(0xff))] : [];
  return sequence(oid(id), ...critical, der(TAG.octetString, value));
}

/** Critical, as RFC 5280 wants it of authorities. */
export function basicConstraints(isCa: boolean): Uint8Array {
  const value = isCa ? sequence(der(TAG.boolean, Uint8Array.of(0xff))) : sequence();
  return extension(OID.basicConstraints, value, true);
}

const USAGES = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5 } as const;

/** Critical. */
export function keyUsage(...usages: readonly (keyof typeof USAGES)[]): Uint8Array {
  const bits = usages.map((usage) => USAGES[usage]);
  const byte = bits.reduce<number>((sum, bit) => sum | (0x80 >> bit), 0);
  return extension(OID.keyUsage, bitString(Uint8Array.of(byte), 7 - Math.max(...bits)), true);
}

export function extendedKeyUsage(...purposes: readonly string[]): Uint8Array {
  return extension(OID.extendedKeyUsage, sequence(...purposes.map(oid)));
}

/** What names a key: 20 bytes of the SHA-256 of its bits (RFC 7093, as Go makes it). */
export function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  const keyBits = readDer(readDer(publicKey)[0]?.content ?? new Uint8Array())[1];
  const hash = createHash('sha256').update(keyBits?.content.subarray(1) ?? new Uint8Array());
  return hash.digest().subarray(0, 20);
}

export function subjectKeyId(identifier: Uint8Array): Uint8Array {
  return extension(OID.subjectKeyId, der(TAG.octetString, identifier));
}

/** The key that signed. */
export function authorityKeyId(identifier: Uint8Array): Uint8Array {
  return extension(OID.authorityKeyId, sequence(der(0x80, identifier)));
}

/** Names of hosts, then addresses (see `ipBytes`). */
export function alternativeNames(
  names: { readonly dnsNames: readonly string[]; readonly ips: readonly Uint8Array[] },
  isCritical = false,
): Uint8Array {
  const dns = names.dnsNames.map((name) => der(0x82, Buffer.from(name)));
  const ips = names.ips.map((ip) => der(0x87, ip));
  return extension(OID.alternativeNames, sequence(...dns, ...ips), isCritical);
}

/** net.ParseIP; an IPv4 address, mapped ones too, as its four bytes. */
export function ipBytes(ip: string): Uint8Array | undefined {
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

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function encodePem(type: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${type}-----`, ...lines, `-----END ${type}-----`, ''].join('\n');
}
