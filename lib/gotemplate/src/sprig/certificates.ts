import { X509Certificate } from 'node:crypto';
import {
  authorityKeyId,
  basicConstraints,
  distinguishedName,
  encodePem,
  extendedKeyUsage,
  ipBytes,
  keyIdentifier,
  keyUsage,
  OID,
  oid,
  publicKeyInfo,
  readDer,
  sameBytes,
  signCertificate,
  alternativeNames as subjectAlternativeNames,
  subjectKeyId,
} from '@capstan/lib-x509';
import { sprintf } from '../fmt.ts';
import { fromBytes } from '../text.ts';
import {
  type CallContext,
  GoError,
  GoStruct,
  type GoType,
  type GoValue,
  STRING,
} from '../value.ts';
import { CorruptInputError, decodeBase64 } from './encoding.ts';
import { decodePem, generateRsa, type PrivateKey, parsePrivateKey } from './keys.ts';

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

// Issuing -----------------------------------------------------------------------------------------------------------

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
  const subject = distinguishedName([[OID.commonName, request.commonName]]);
  const issuerName = issuer?.subject ?? subject;
  const publicKey = publicKeyInfo(key.key);
  const now = tools.context.now();
  const certificate = signCertificate(
    {
      serialNumber: serialNumber(tools.randomBytes(16)),
      issuer: issuerName,
      subject,
      notBeforeMs: now,
      notAfterMs: now + request.daysValid * 86_400_000,
      publicKey,
      extensions: extensions({ request, names, subject, publicKey, issuer, issuerName }),
    },
    signer.key,
  );
  return { cert: encodePem('CERTIFICATE', certificate), key: key.pem };
}

function serialNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => value * 256n + BigInt(byte), 0n);
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
  const out = [
    keyUsage(
      'digitalSignature',
      'keyEncipherment',
      ...(request.isCa ? ['keyCertSign' as const] : []),
    ),
    extendedKeyUsage(OID.serverAuth, OID.clientAuth),
    basicConstraints(request.isCa),
  ];
  if (request.isCa) {
    out.push(subjectKeyId(keyIdentifier(publicKey)));
  }
  if (issuer?.keyId !== undefined && !sameBytes(issuerName, subject)) {
    out.push(authorityKeyId(issuer.keyId));
  }
  if (names.dnsNames.length + names.ips.length > 0) {
    const isOnlyName = request.commonName === '';
    out.push(subjectAlternativeNames(names, isOnlyName));
  }
  return out;
}
