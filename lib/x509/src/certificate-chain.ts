/** Chains of certificates up to those that are trusted (RFC 5280, section 6), as Go's crypto/x509 finds them. */
import { X509Certificate } from 'node:crypto';
import { sameBytes } from './certificate.ts';
import { type CertificateDetails, readCertificate } from './read-certificate.ts';

/** A certificate in both forms in which it is asked. */
export interface ReadCertificate extends CertificateDetails {
  readonly raw: Uint8Array;
  readonly x509: X509Certificate;
}

export interface ChainOptions {
  /** What may stand between. */
  readonly intermediates: readonly ReadCertificate[];
  readonly roots: readonly ReadCertificate[];
  readonly atMs: number;
  /** What every certificate of a chain has to be for that says what it is for. */
  readonly purpose: string;
}

const ANY_PURPOSE = '2.5.29.37.0';
/** As in Go: whoever offers more is up to no good. */
const CHECKS_MAX = 100;

/** Of a DER. Throws TypeError when it is no certificate. */
export function openCertificate(der: Uint8Array): ReadCertificate {
  try {
    return { ...readCertificate(der), raw: der, x509: new X509Certificate(der) };
  } catch (cause) {
    throw new TypeError('malformed certificate', { cause });
  }
}

/**
 * The chains from a certificate to a trusted one that hold at an instant, the shortest first. Throws TypeError with the reason when
 * there is none.
 */
export function findChains(
  leaf: ReadCertificate,
  options: ChainOptions,
): readonly (readonly ReadCertificate[])[] {
  requireTime(leaf, options.atMs);
  const budget = { left: CHECKS_MAX };
  const isTrusted = options.roots.some(({ raw }) => sameBytes(raw, leaf.raw));
  const chains = isTrusted ? [[leaf]] : extend([leaf], options, budget);
  if (chains.length === 0) throw new TypeError('certificate signed by unknown authority');
  const fitting = chains.filter((chain) => chain.every((one) => isFor(one, options.purpose)));
  if (fitting.length === 0) throw new TypeError('certificate specifies an incompatible key usage');
  return fitting;
}

/** Whether an authority signed a certificate, and was allowed to. */
export function isIssuedBy(child: ReadCertificate, parent: ReadCertificate): boolean {
  return issueProblem(child, parent) === undefined && sameBytes(child.issuer, parent.subject);
}

/** Why an authority's signature on a certificate does not count, in the words of Go. */
export function issueProblem(child: ReadCertificate, parent: ReadCertificate): string | undefined {
  const { authority, usages } = parent;
  if (authority?.isAuthority !== true || usages?.has('keyCertSign') === false) {
    return 'x509: invalid signature: parent certificate cannot sign this kind of certificate';
  }
  return signatureProblem(child, parent);
}

/** Why a key did not sign a certificate, whatever it may sign. */
export function signatureProblem(
  child: ReadCertificate,
  parent: ReadCertificate,
): string | undefined {
  if (child.x509.verify(parent.publicKey)) return undefined;
  return parent.publicKey.asymmetricKeyType === 'rsa'
    ? 'crypto/rsa: verification error'
    : 'x509: ECDSA verification failure';
}

function extend(
  chain: readonly ReadCertificate[],
  options: ChainOptions,
  budget: { left: number },
): readonly (readonly ReadCertificate[])[] {
  const last = chain.at(-1);
  if (last === undefined) return [];
  const found: (readonly ReadCertificate[])[] = [];
  const candidates = [
    ...options.roots.map((one) => ({ one, isRoot: true })),
    ...options.intermediates.map((one) => ({ one, isRoot: false })),
  ];
  for (const { one, isRoot } of candidates) {
    if (!sameBytes(one.subject, last.issuer) || chain.some((known) => isSameKey(known, one)))
      continue;
    if (budget.left-- <= 0) return found;
    if (!isIssuedBy(last, one) || !isAuthorityFor(chain, one, options.atMs)) continue;
    const longer = [...chain, one];
    found.push(...(isRoot ? [longer] : extend(longer, options, budget)));
  }
  return found;
}

function isSameKey(one: ReadCertificate, other: ReadCertificate): boolean {
  return sameBytes(one.subject, other.subject) && sameBytes(one.keyBits, other.keyBits);
}

function isAuthorityFor(
  chain: readonly ReadCertificate[],
  { authority, notBeforeMs, notAfterMs }: ReadCertificate,
  atMs: number,
): boolean {
  const between = chain.length - 1;
  const length = authority?.pathLength;
  return atMs >= notBeforeMs && atMs <= notAfterMs && (length === undefined || between <= length);
}

function requireTime({ notBeforeMs, notAfterMs }: ReadCertificate, atMs: number): void {
  const fail = (side: string, ms: number) => {
    const [at, limit] = [atMs, ms].map(secondsOf);
    return new TypeError(
      `certificate has expired or is not yet valid: current time ${at} is ${side} ${limit}`,
    );
  };
  if (atMs < notBeforeMs) throw fail('before', notBeforeMs);
  if (atMs > notAfterMs) throw fail('after', notAfterMs);
}

function secondsOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function isFor({ purposes }: ReadCertificate, purpose: string): boolean {
  return (
    purposes === undefined || purposes.ids.includes(purpose) || purposes.ids.includes(ANY_PURPOSE)
  );
}
