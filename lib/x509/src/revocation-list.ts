import { sameBytes } from './certificate.ts';
import { type DerElement, integer, integerOf, readDer, TAG, walkDer } from './der.ts';
import {
  type CertificateDetails,
  type Extension,
  oidOf,
  readExtensions,
  timeOf,
} from './read-certificate.ts';
import { DIGESTS, isSignedBy } from './verify-signed.ts';

/** A list of revoked certificates (RFC 5280, section 5). */
export interface RevocationList {
  readonly number: bigint | undefined;
  readonly nextUpdateMs: number | undefined;
  readonly extensions: ReadonlyMap<string, Extension>;
  isSignedBy(issuer: CertificateDetails): boolean;
  /** What it says of a certificate, in its order. Throws TypeError when that cannot be read. */
  entriesOf(serialNumber: bigint): readonly RevokedEntry[];
}

export interface RevokedEntry {
  readonly atMs: number;
  /** CRLReason; 0 when none is given. */
  readonly reason: number;
  readonly extensions: ReadonlyMap<string, Extension>;
}

const NUMBER = '2.5.29.20';
const REASON = '2.5.29.21';
const PSS = '1.2.840.113549.1.1.10';

/**
 * Reads the DER of a list. Its entries are walked when one is looked for and never held as objects: lists grow to megabytes.
 * Throws RangeError or TypeError when it is none.
 */
export function readRevocationList(der: Uint8Array): RevocationList {
  const [outer, ...rest] = readDer(der);
  if (outer?.tag !== TAG.sequence || rest.length > 0) throw new TypeError('malformed crl');
  const [tbs, algorithm, signature] = readDer(outer.content);
  if (tbs === undefined || algorithm === undefined || signature === undefined) {
    throw new TypeError('malformed crl');
  }
  const fields = readDer(tbs.content);
  if (fields[0]?.tag !== TAG.integer) throw new TypeError('unsupported crl version');
  const [, inner, , thisUpdate, ...behind] = fields;
  if (inner === undefined || !sameBytes(inner.whole, algorithm.whole)) {
    throw new TypeError("inner and outer signature algorithm identifiers don't match");
  }
  timeOf(thisUpdate);
  const next = behind.find(({ tag }) => tag === TAG.utcTime || tag === TAG.generalizedTime);
  const revoked = behind.find(({ tag }) => tag === TAG.sequence);
  const extensions = readExtensions(behind.find(({ tag }) => tag === 0xa0)?.content);
  const number = extensions.get(NUMBER);
  return {
    number: number === undefined ? undefined : integerOf(readDer(number.value)[0]),
    nextUpdateMs: next === undefined ? undefined : timeOf(next),
    extensions,
    isSignedBy: ({ publicKey }) =>
      isSignedBy(
        {
          ...readAlgorithm(algorithm),
          bytes: tbs.whole,
          signature: signature.content.subarray(1),
        },
        publicKey,
      ),
    entriesOf: (serialNumber) => entriesOf(revoked, serialNumber),
  };
}

/** An AlgorithmIdentifier of a signature; of RSASSA-PSS also the digest that it names. */
export function readAlgorithm({ content }: DerElement): { algorithm: string; digest?: string } {
  const [id, parameters] = readDer(content);
  const algorithm = oidOf(id);
  if (algorithm !== PSS || parameters === undefined) return { algorithm };
  const [hash] = readDer(parameters.content);
  if (hash?.tag !== 0xa0) return { algorithm };
  const [identifier] = readDer(hash.content);
  const digest = DIGESTS[oidOf(readDer(identifier?.content ?? new Uint8Array())[0])];
  return digest === undefined ? { algorithm } : { algorithm, digest };
}

function entriesOf(revoked: DerElement | undefined, serialNumber: bigint): readonly RevokedEntry[] {
  const wanted = integer(serialNumber);
  const found: RevokedEntry[] = [];
  for (const { content } of walkDer(revoked?.content ?? new Uint8Array())) {
    const [serial, time, extensions] = readDer(content);
    if (serial === undefined || !sameBytes(serial.whole, wanted)) continue;
    const read = readExtensions(extensions?.whole);
    const reason = read.get(REASON);
    found.push({
      atMs: timeOf(time),
      reason: reason === undefined ? 0 : Number(integerOf(readDer(reason.value)[0])),
      extensions: read,
    });
  }
  return found;
}
