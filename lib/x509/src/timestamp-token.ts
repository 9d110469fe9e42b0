/** Tokens of time-stamp authorities (RFC 3161): which authority saw which bytes when. */
import { createHash } from 'node:crypto';
import { sameBytes } from './certificate.ts';
import { findChains, openCertificate, type ReadCertificate } from './certificate-chain.ts';
import { definiteLengths } from './definite-lengths.ts';
import { type DerElement, der, integerOf, readDer, TAG } from './der.ts';
import { oidOf, timeOf } from './read-certificate.ts';
import { DIGESTS, isSignedBy } from './verify-signed.ts';

export interface TimestampToken {
  readonly atMs: number;
  /** How far the time may be off, either way. */
  readonly accuracyMs: number;
  /** Whether it is about these bytes. Throws TypeError when the digest is unknown. */
  isAbout(bytes: Uint8Array): boolean;
  /**
   * The chain of the authority's certificates up to a trusted one, when its signature is sound and the chain held at the time of
   * the token. Throws TypeError with the reason when it does not.
   */
  verify(roots: readonly ReadCertificate[]): readonly ReadCertificate[];
}

const OID = {
  signedData: '1.2.840.113549.1.7.2',
  tokenInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificate: '1.2.840.113549.1.9.16.2.47',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  /** The policy whose tokens are exact to a second (ETSI EN 319 421). */
  baseline: '0.4.0.2023.1.1',
} as const;

interface Signer {
  readonly version: number;
  /** DER of the issuer's name and the serial number. */
  readonly issuer: Uint8Array | undefined;
  readonly serial: Uint8Array | undefined;
  readonly digest: string | undefined;
  readonly algorithm: string;
  readonly signature: Uint8Array;
  /** As they were signed: a SET. */
  readonly attributes: Uint8Array | undefined;
  readonly values: ReadonlyMap<string, DerElement>;
}

/** Reads a token (BER). Throws TypeError or RangeError when it is none; what it says counts after `verify` alone. */
export function readTimestampToken(ber: Uint8Array): TimestampToken {
  const [type, wrapped] = readDer(inside(readDer(definiteLengths(ber))[0]));
  if (oidOf(type) !== OID.signedData) throw new TypeError('cms: content type is not signed-data');
  const fields = readDer(inside(readDer(inside(wrapped))[0]));
  const version = Number(integerOf(fields[0]));
  if (version !== 3) {
    throw new TypeError(
      `cms: syntax error: unsupported signed data version: got ${version}, want 3`,
    );
  }
  const [contentType, content] = readDer(inside(fields[2]));
  if (oidOf(contentType) !== OID.tokenInfo) {
    throw new TypeError(
      `unexpected content type: ${oidOf(contentType)}. Expected to be id-ct-TSTInfo (${OID.tokenInfo})`,
    );
  }
  const info = inside(readDer(inside(content))[0]);
  const certificates = readDer(fields.find(({ tag }) => tag === 0xa0)?.content ?? NOTHING);
  const signers = readDer(inside(fields.at(-1))).map(readSigner);
  const said = readInfo(info);
  return {
    ...said,
    verify: (roots) => {
      const known = certificates.map(({ whole }) => openCertificate(whole));
      return verifySigners(signers, { info, known, roots, atMs: said.atMs });
    },
  };
}

const NOTHING = new Uint8Array();

function readInfo(info: Uint8Array): Omit<TimestampToken, 'verify'> {
  const [version, policy, imprint, , time, ...behind] = readDer(inside(readDer(info)[0]));
  const [algorithm, digest] = readDer(inside(imprint));
  const number = Number(integerOf(version));
  if (number !== 1) {
    throw new TypeError(
      `invalid TSTInfo: timestamp token info version must be 1, but got ${number}`,
    );
  }
  const accuracy = behind.find(({ tag }) => tag === TAG.sequence);
  const micros = accuracy === undefined ? 0 : accuracyOf(accuracy);
  const isBaseline = micros === 0 && oidOf(policy) === OID.baseline;
  const id = oidOf(readDer(inside(algorithm))[0]);
  return {
    atMs: timeOf(time),
    accuracyMs: isBaseline ? 1000 : micros / 1000,
    isAbout: (bytes) => {
      const name = DIGESTS[id];
      if (name === undefined) {
        throw new TypeError(`invalid TSTInfo: unrecognized hash algorithm: ${id}`);
      }
      return sameBytes(createHash(name).update(bytes).digest(), inside(digest));
    },
  };
}

/** In microseconds. */
function accuracyOf({ content }: DerElement): number {
  const units: Readonly<Record<number, number>> = { [TAG.integer]: 1e6, 128: 1e3, 129: 1 };
  return readDer(content).reduce((sum, one) => {
    return sum + Number(integerOf(one)) * (units[one.tag] ?? 0);
  }, 0);
}

function readSigner({ content }: DerElement): Signer {
  const [version, id, digest, ...rest] = readDer(content);
  const signed = rest.find(({ tag }) => tag === 0xa0);
  const [algorithm, signature] = rest.slice(signed === undefined ? 0 : 1);
  const [issuer, serial] = id?.tag === TAG.sequence ? readDer(id.content) : [];
  const values = new Map<string, DerElement>();
  for (const attribute of readDer(signed?.content ?? NOTHING)) {
    const [type, set] = readDer(attribute.content);
    const [value] = readDer(inside(set));
    const key = oidOf(type);
    if (value !== undefined && !values.has(key)) values.set(key, value);
  }
  return {
    version: Number(integerOf(version)),
    issuer: issuer?.whole,
    serial: serial?.whole,
    digest: DIGESTS[oidOf(readDer(inside(digest))[0])],
    algorithm: oidOf(readDer(inside(algorithm))[0]),
    signature: inside(signature),
    attributes: signed === undefined ? undefined : der(TAG.set, ...sorted(signed)),
    values,
  };
}

/** The order that DER has for the elements of a SET OF. */
function sorted({ content }: DerElement): readonly Uint8Array[] {
  return readDer(content)
    .map(({ whole }) => whole)
    .toSorted((left, right) => Buffer.compare(left, right));
}

interface Verifying {
  readonly info: Uint8Array;
  readonly known: readonly ReadCertificate[];
  readonly roots: readonly ReadCertificate[];
  readonly atMs: number;
}

/** One that is sound is enough. */
function verifySigners(
  signers: readonly Signer[],
  verifying: Verifying,
): readonly ReadCertificate[] {
  let last = new TypeError('signerInfo not found');
  for (const signer of signers) {
    try {
      return verifySigner(signer, verifying);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      last = error;
    }
  }
  throw new TypeError(`failed to verify signed token: ${last.message}`);
}

function verifySigner(signer: Signer, verifying: Verifying): readonly ReadCertificate[] {
  const { info, known, roots, atMs } = verifying;
  const certificate = signingCertificate(signer, known);
  const fail = (why: string) => new TypeError(`cms verification failure: ${why}`);
  if (signer.version !== 1) {
    throw fail(`invalid signer info version: only version 1 is supported; got ${signer.version}`);
  }
  let chains: readonly (readonly ReadCertificate[])[];
  try {
    const options = { intermediates: known, roots, atMs, purpose: OID.timeStamping };
    chains = findChains(certificate, options);
  } catch (error) {
    throw error instanceof TypeError ? fail(`x509: ${error.message}`) : error;
  }
  if (signer.attributes === undefined) throw fail('missing signed attributes');
  const signed = {
    ...{ algorithm: signer.algorithm, digest: signer.digest },
    ...{ bytes: signer.attributes, signature: signer.signature },
  };
  if (!isSignedBy(signed, certificate.publicKey)) {
    const isRsa = certificate.publicKey.asymmetricKeyType === 'rsa';
    throw fail(isRsa ? 'crypto/rsa: verification error' : 'x509: ECDSA verification failure');
  }
  requireContent(signer, info, fail);
  const chain = chainAtSigning(signer, chains, fail);
  requirePurpose(certificate);
  return chain;
}

/** The certificate that the signer's attributes name, by their digest (RFC 5816). */
function signingCertificate(
  { values, issuer, serial }: Signer,
  known: readonly ReadCertificate[],
): ReadCertificate {
  const attribute = values.get(OID.signingCertificate);
  if (attribute === undefined) {
    throw new TypeError(
      'failed to get SigningCertificateV2 from signed attributes: attribute not found',
    );
  }
  const [first] = readDer(inside(readDer(attribute.content)[0]));
  if (first === undefined) {
    throw new TypeError('signingCertificateV2 does not contain any certificate');
  }
  const parts = readDer(first.content);
  const [algorithm] = parts[0]?.tag === TAG.sequence ? parts : [];
  const [hash, place] = parts.slice(algorithm === undefined ? 0 : 1);
  const [names, number] = place === undefined ? [] : readDer(place.content);
  const named = names === undefined ? undefined : readDer(inside(readDer(names.content)[0]))[0];
  const wanted =
    place === undefined ? { issuer, serial } : { issuer: named?.whole, serial: number?.whole };
  const found = known.find(
    (one) =>
      sameBytes(one.issuer, wanted.issuer ?? NOTHING) &&
      one.serialNumber === integerOf(readDer(wanted.serial ?? NOTHING)[0]),
  );
  if (found === undefined) {
    throw new TypeError('signing certificate not found in the timestamp token');
  }
  const digest = algorithm === undefined ? 'sha256' : DIGESTS[oidOf(readDer(algorithm.content)[0])];
  if (digest === undefined) {
    throw new TypeError('unsupported certificate hash algorithm in SigningCertificateV2 attribute');
  }
  if (!sameBytes(createHash(digest).update(found.raw).digest(), inside(hash))) {
    throw new TypeError('signing certificate hash does not match CertHash in signed attribute');
  }
  return found;
}

type Fail = (why: string) => TypeError;

function requireContent({ values, digest }: Signer, info: Uint8Array, fail: Fail): void {
  const type = values.get(OID.contentType);
  if (type === undefined) throw fail('invalid content type: attribute not found');
  if (oidOf(type) !== OID.tokenInfo) {
    throw fail(
      `mismatch content type: found "${oidOf(type)}" in signer info, and "${OID.tokenInfo}" in signed data`,
    );
  }
  const expected = values.get(OID.messageDigest);
  if (expected === undefined) throw fail('invalid message digest: attribute not found');
  if (digest === undefined) throw fail('unsupported digest algorithm');
  if (!sameBytes(createHash(digest).update(info).digest(), expected.content)) {
    throw fail('mismatch message digest');
  }
}

/** The first chain that held when the authority says that it signed; it need not say. */
function chainAtSigning(
  { values }: Signer,
  chains: readonly (readonly ReadCertificate[])[],
  fail: Fail,
): readonly ReadCertificate[] {
  const time = values.get(OID.signingTime);
  const atMs = time === undefined ? undefined : timeOf(time);
  const chain = chains.find(
    (one) =>
      atMs === undefined ||
      one.every(({ notBeforeMs, notAfterMs }) => atMs >= notBeforeMs && atMs <= notAfterMs),
  );
  if (chain !== undefined) return chain;
  const text = new Date(atMs ?? 0)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' +0000 UTC');
  throw fail(`signing time, ${text}, is outside certificate's validity period`);
}

function requirePurpose({ purposes }: ReadCertificate): void {
  if (purposes?.ids.length !== 1 || purposes.ids[0] !== OID.timeStamping) {
    throw new TypeError(
      'signing certificate must have and only have ExtKeyUsageTimeStamping as extended key usage',
    );
  }
  if (purposes.isCritical) return;
  throw new TypeError('signing certificate extended key usage extension must be set as critical');
}

function inside(element: DerElement | undefined): Uint8Array {
  if (element === undefined) throw new TypeError('a part of the token is missing');
  return element.content;
}
