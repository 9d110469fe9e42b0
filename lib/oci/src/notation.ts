/** Signatures of notation (the Notary Project): envelopes that refer to a manifest, judged by a trust policy. */
import { X509Certificate } from 'node:crypto';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { type NotationEnvelope, openEnvelope } from './notation-envelope.ts';
import {
  type Check,
  identityProblem,
  type TrustStatement,
  trustStatement,
} from './notation-policy.ts';
import type { OciRepository } from './registry.ts';

export interface NotationOptions {
  /** `trustpolicy.json`, parsed. */
  readonly policy: unknown;
  /** Certificates that are trusted, PEM or DER. */
  readonly certificates: readonly Uint8Array[];
  /** `registry/path` of the manifest. */
  readonly repository: string;
  readonly nowMs: number;
}

const SIGNATURE = 'application/vnd.cncf.notary.signature';
const ENVELOPES = ['application/jose+json', 'application/cose'];
const ENVELOPE_BYTES_MAX = 4 * 1024 * 1024;
/** Of the original. */
const ATTEMPTS_MAX = 3;
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
/** The DER of the object identifiers of CRL distribution points and of OCSP. */
const REVOCABLE = [Buffer.from('0603551d1f', 'hex'), Buffer.from('06082b06010505073001', 'hex')];

/**
 * `verified`, or `ignored` where the policy skips the manifest or only logs that its signer is not trusted. Throws OCI_SIGNATURE
 * when there is no signature that the policy accepts. Whether a certificate was revoked is not asked: where the policy enforces
 * that and a certificate can be revoked, the signature does not count.
 */
export async function verifyNotation(
  source: OciRepository,
  digest: string,
  options: NotationOptions,
): Promise<'verified' | 'ignored'> {
  const statement = trustStatement(options.policy, options.repository, digest);
  if (statement.isSkipped) return 'ignored';
  const trusted = options.certificates.flatMap(readCertificates);
  const problems: string[] = [];
  const referrers = await source.referrers(digest);
  const signatures = referrers.filter(({ artifactType }) => artifactType === SIGNATURE);
  for (const signature of signatures.slice(0, ATTEMPTS_MAX)) {
    try {
      const { layers } = await source.manifest(signature.digest);
      const layer = layers.find(({ mediaType }) => ENVELOPES.includes(mediaType));
      if (layer === undefined) throw new Error('a signature has no envelope');
      const bytes = await source.blob(layer, ENVELOPE_BYTES_MAX);
      const envelope = openEnvelope(layer.mediaType, bytes);
      if (envelope.digest !== digest) throw new Error('content descriptor mismatch');
      return judge(envelope, { statement, trusted, nowMs: options.nowMs });
    } catch (error) {
      problems.push(
        `failed to verify signature with digest ${signature.digest}, ${messageOf(error)}`,
      );
    }
  }
  throw new CapstanError('OCI_SIGNATURE', whyNone(`${options.repository}@${digest}`, problems));
}

/** In the words of notation-go, each signature on a line of its own. */
function whyNone(reference: string, problems: readonly string[]): string {
  if (problems.length === 0) {
    return `no signature is associated with ${JSON.stringify(reference)}, make sure the artifact was signed successfully`;
  }
  if (problems.length === ATTEMPTS_MAX) {
    const limit = `signature evaluation stopped. The configured limit of ${ATTEMPTS_MAX} signatures to verify per artifact exceeded`;
    return [limit, ...problems].join('\n');
  }
  return ['signature verification failed', ...problems].join('\n');
}

interface Judging {
  readonly statement: TrustStatement;
  readonly trusted: readonly X509Certificate[];
  readonly nowMs: number;
}

function judge(envelope: NotationEnvelope, judging: Judging): 'verified' | 'ignored' {
  const { checks } = judging.statement;
  const failures = new Map<Check, string>();
  const check = (name: Check, problem: string | undefined) => {
    if (problem === undefined || checks[name] === 'skip') return;
    if (checks[name] === 'enforce') throw new Error(problem);
    failures.set(name, problem);
  };
  requireChain(envelope);
  check('authenticity', authenticityProblem(envelope, judging));
  check('expiry', expiryProblem(envelope, judging.nowMs));
  check('authenticTimestamp', timeProblem(envelope, judging));
  check('revocation', revocationProblem(envelope));
  return failures.has('authenticity') ? 'ignored' : 'verified';
}

/** Each certificate is signed by the next, the last by itself; only the first signs code. */
function requireChain({ chain }: NotationEnvelope): void {
  const [signer] = chain;
  if (signer === undefined) throw new Error('the signature has no certificate');
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1] ?? certificate;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      throw new Error(
        `certificate "${oneLine(certificate.subject)}" is not signed by the next one`,
      );
    }
    if (index > 0 && !certificate.ca) {
      throw new Error(`certificate "${oneLine(certificate.subject)}" is no authority`);
    }
  }
  const purposes: readonly string[] | undefined = signer.keyUsage;
  if (chain.length > 1 && signer.ca) throw new Error('an authority does not sign itself');
  if (purposes !== undefined && purposes.length > 0 && !purposes.includes(CODE_SIGNING)) {
    throw new Error("the signer's certificate is not for code signing");
  }
}

function authenticityProblem(
  { scheme, chain }: NotationEnvelope,
  { statement, trusted }: Judging,
): string | undefined {
  const store = scheme === 'notary.x509' ? 'ca' : 'signingAuthority';
  if (!statement.stores.includes(store)) {
    return `no trusted certificates are found to verify authenticity: trust policy statement ${JSON.stringify(statement.name)} names no trust store of type '${store}'`;
  }
  const isKnown = chain.some((one) => trusted.some((known) => known.raw.equals(one.raw)));
  if (!isKnown) return 'signature is not produced by a trusted signer';
  return identityProblem(chain[0]?.subject ?? '', statement);
}

function expiryProblem({ expiresAtMs }: NotationEnvelope, nowMs: number): string | undefined {
  if (expiresAtMs === undefined || expiresAtMs > nowMs) return undefined;
  return `digital signature has expired on "${formatTime(expiresAtMs)}"`;
}

/** Certificates have to be valid now; with an authority that vouches for the time, then. */
function timeProblem(
  { scheme, chain, signedAtMs }: NotationEnvelope,
  { statement, nowMs }: Judging,
): string | undefined {
  const isAuthority = scheme !== 'notary.x509';
  const atMs = isAuthority ? signedAtMs : nowMs;
  if (!isAuthority && statement.stores.includes('tsa')) {
    const hasExpired = chain.some(({ validTo }) => atMs > Date.parse(validTo));
    if (!statement.isTimestampForExpired || hasExpired) return NO_COUNTERSIGNATURE;
  }
  for (const { subject, validFrom, validTo } of chain) {
    const name = oneLine(subject);
    const [isEarly, isLate] = [atMs < Date.parse(validFrom), atMs > Date.parse(validTo)];
    if (isAuthority && (isEarly || isLate)) {
      return `certificate "${name}" was not valid when the digital signature was produced at "${formatTime(atMs)}"`;
    }
    if (isEarly) {
      return `verification time is before certificate "${name}" validity period, it will be valid from "${formatTime(Date.parse(validFrom))}"`;
    }
    if (isLate) {
      return `verification time is after certificate "${name}" validity period, it was expired at "${formatTime(Date.parse(validTo))}"`;
    }
  }
  return undefined;
}

const NO_COUNTERSIGNATURE =
  "timestamp countersignatures (RFC 3161) are not verified here: take the trust store of type 'tsa' out of the trust policy, or set verifyTimestamp to afterCertExpiry while the certificates are valid";

/** As Go's RFC1123Z. */
function formatTime(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', '+0000');
}

function revocationProblem({ chain }: NotationEnvelope): string | undefined {
  const found = chain.find(({ raw }) => REVOCABLE.some((oid) => raw.includes(oid)));
  if (found === undefined) return undefined;
  return `signing certificate with subject "${oneLine(found.subject)}" revocation status is unknown: revocation lists and OCSP are not asked here; override revocation as log or skip in the trust policy`;
}

function readCertificates(bytes: Uint8Array): readonly X509Certificate[] {
  const text = Buffer.from(bytes).toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  try {
    return (blocks?.slice(0, 1) ?? [bytes]).map((one) => new X509Certificate(one));
  } catch (cause) {
    throw new CapstanError('OCI_SIGNATURE', 'a certificate cannot be read', {
      hint: 'give X.509 certificates as PEM or DER',
      cause,
    });
  }
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ',');
}
