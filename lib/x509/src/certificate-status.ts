/** The status of certificates asked of their authority's responder (OCSP, RFC 6960). */
import { createHash } from 'node:crypto';
import { sameBytes } from './certificate.ts';
import { type DerElement, der, integer, integerOf, oid, readDer, sequence, TAG } from './der.ts';
import {
  type CertificateDetails,
  type Extension,
  oidOf,
  readCertificate,
  readExtensions,
  timeOf,
} from './read-certificate.ts';
import { readAlgorithm } from './revocation-list.ts';
import { isSignedBy } from './verify-signed.ts';

export interface CertificateStatus {
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly nextUpdateMs: number | undefined;
  readonly extensions: ReadonlyMap<string, Extension>;
}

/** By which authorities are named in requests: what every responder knows. It proves nothing. */
const SHA1 = '1.3.14.3.2.26';
const BASIC = '1.3.6.1.5.5.7.48.1.1';
const SIGNS_STATUS = '1.3.6.1.5.5.7.3.9';
const HASHES: ReadonlySet<string> = new Set([
  SHA1,
  '2.16.840.1.101.3.4.2.1',
  '2.16.840.1.101.3.4.2.2',
  '2.16.840.1.101.3.4.2.3',
]);
/** Of what a responder answers instead of a status. */
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'malformed',
  2: 'internal error',
  3: 'try later',
  5: 'signature required',
  6: 'unauthorized',
};

/** DER of the question for one certificate. */
export function statusRequest(
  certificate: Pick<CertificateDetails, 'serialNumber'>,
  issuer: Pick<CertificateDetails, 'subject' | 'keyBits'>,
): Uint8Array {
  const hashOf = (bytes: Uint8Array) =>
    der(TAG.octetString, createHash('sha1').update(bytes).digest());
  const id = sequence(
    sequence(oid(SHA1), der(TAG.null)),
    hashOf(issuer.subject),
    hashOf(issuer.keyBits),
    integer(certificate.serialNumber),
  );
  return sequence(sequence(sequence(sequence(id))));
}

/**
 * What an answer says of a certificate. It has to be signed by the issuer, or by a responder to whom the issuer gave a certificate
 * for that. Throws TypeError or RangeError with the reason when it says nothing that counts.
 */
export function readStatus(
  answer: Uint8Array,
  certificate: Pick<CertificateDetails, 'serialNumber'>,
  issuer: CertificateDetails,
): CertificateStatus {
  const [outer, ...rest] = readDer(answer);
  if (outer?.tag !== TAG.sequence || rest.length > 0) throw new TypeError('malformed response');
  const [code, content] = readDer(outer.content);
  const status = Number(integerOf(code));
  if (status !== 0) throw new TypeError(REFUSALS[status] ?? `status ${status}`);
  const [type, response] = readDer(inside(readDer(content?.content ?? new Uint8Array())[0]));
  if (oidOf(type) !== BASIC) throw new TypeError('bad OCSP response type');
  const [data, algorithm, signature, certificates] = readDer(inside(readDer(inside(response))[0]));
  if (data === undefined || algorithm === undefined || signature === undefined) {
    throw new TypeError('malformed response');
  }
  const single = findSingle(data, certificate.serialNumber);
  const signer = readSigner(certificates, issuer);
  const signed = {
    ...readAlgorithm(algorithm),
    bytes: data.whole,
    signature: signature.content.subarray(1),
  };
  if (!isSignedBy(signed, signer.publicKey)) throw new TypeError('bad OCSP signature');
  return readSingle(single);
}

function findSingle(data: DerElement, serialNumber: bigint): readonly DerElement[] {
  // Version, who answers, when, answers, extensions: of these the answers alone are a plain sequence.
  const answers = readDer(data.content).find(({ tag }) => tag === TAG.sequence);
  const wanted = integer(serialNumber);
  for (const { content } of readDer(inside(answers))) {
    const parts = readDer(content);
    const [hash, , , serial] = readDer(inside(parts[0]));
    if (serial === undefined || !sameBytes(serial.whole, wanted)) continue;
    if (HASHES.has(oidOf(readDer(inside(hash))[0]))) return parts;
    throw new TypeError('unsupported issuer hash algorithm');
  }
  throw new TypeError('no response matching the supplied certificate');
}

/** The first certificate that came with the answer; without one the issuer. */
function readSigner(
  certificates: DerElement | undefined,
  issuer: CertificateDetails,
): CertificateDetails {
  const [first] = readDer(inside(readDer(certificates?.content ?? new Uint8Array())[0] ?? EMPTY));
  if (first === undefined) return issuer;
  const [data, algorithm, signature] = readDer(first.content);
  const signer = readCertificate(first.whole);
  const isOwn = sameBytes(signer.keyBits, issuer.keyBits);
  if (isOwn) return issuer;
  const isIssued =
    data !== undefined &&
    algorithm !== undefined &&
    signature !== undefined &&
    isSignedBy(
      {
        ...readAlgorithm(algorithm),
        bytes: data.whole,
        signature: signature.content.subarray(1),
      },
      issuer.publicKey,
    );
  if (!isIssued) throw new TypeError('bad OCSP signature: the responder is not of the issuer');
  // Else whoever got any certificate of the issuer could say that his own is good.
  if (signer.purposes?.ids.includes(SIGNS_STATUS) !== true) {
    throw new TypeError('bad OCSP signature: the responder is not for that');
  }
  return signer;
}

function readSingle(parts: readonly DerElement[]): CertificateStatus {
  const [, state, thisUpdate, ...behind] = parts;
  timeOf(thisUpdate);
  const [kind] = [(state?.tag ?? 0) & 0x1f];
  const next = behind.find(({ tag }) => tag === 0xa0);
  const extensions = readExtensions(behind.find(({ tag }) => tag === 0xa1)?.content);
  if ([...extensions.values()].some(({ isCritical }) => isCritical)) {
    throw new TypeError('unsupported critical extension');
  }
  return {
    status: kind === 0 ? 'good' : kind === 2 ? 'unknown' : 'revoked',
    nextUpdateMs: next === undefined ? undefined : timeOf(readDer(next.content)[0]),
    extensions,
  };
}

const EMPTY: DerElement = { tag: 0, content: new Uint8Array(), whole: new Uint8Array() };

function inside(element: DerElement | undefined): Uint8Array {
  if (element === undefined) throw new TypeError('malformed response');
  return element.content;
}
