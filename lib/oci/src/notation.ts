/** Signatures of notation (the Notary Project): envelopes that refer to a manifest, judged by a trust policy. */
import { X509Certificate } from 'node:crypto';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { noSignature } from './cosign.ts';
import { type NotationEnvelope, openEnvelope } from './notation-envelope.ts';
import {
  type Check,
  isTrustedSubject,
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
  const statement = trustStatement(options.policy, options.repository);
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
      if (envelope.digest !== digest) throw new Error('a signature is about another manifest');
      return judge(envelope, { statement, trusted, nowMs: options.nowMs });
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  if (signatures.length === 0) {
    throw noSignature(digest, 'no signature is associated with it: notation sign …');
  }
  const why = `signature verification failed for all the signatures associated with ${options.repository}@${digest}: ${problems.join('; ')}`;
  throw new CapstanError('OCI_SIGNATURE', why);
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
  check('authenticTimestamp', timeProblem(envelope, judging.nowMs));
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
    return `trust policy statement '${statement.name}' names no trust store of type '${store}'`;
  }
  const isKnown = chain.some((one) => trusted.some((known) => known.raw.equals(one.raw)));
  if (!isKnown) return 'signature is not produced by a trusted signer';
  const subject = chain[0]?.subject ?? '';
  return isTrustedSubject(subject, statement.identities)
    ? undefined
    : `signing certificate from the digital signature does not match the X.509 trusted identities ${JSON.stringify(statement.identities)} defined in the trust policy '${statement.name}'`;
}

function expiryProblem({ expiresAtMs }: NotationEnvelope, nowMs: number): string | undefined {
  if (expiresAtMs === undefined || expiresAtMs > nowMs) return undefined;
  return `digital signature has expired on "${new Date(expiresAtMs).toUTCString()}"`;
}

/** Without a countersignature it counts now; with an authority that vouches for the time, then. */
function timeProblem({ scheme, chain, signedAtMs }: NotationEnvelope, nowMs: number) {
  const atMs = scheme === 'notary.x509' ? nowMs : signedAtMs;
  const bad = chain.find(({ validFrom, validTo }) => {
    return atMs < Date.parse(validFrom) || atMs > Date.parse(validTo);
  });
  return bad === undefined
    ? undefined
    : `certificate "${oneLine(bad.subject)}" is not valid at ${new Date(atMs).toUTCString()}`;
}

function revocationProblem({ chain }: NotationEnvelope): string | undefined {
  const found = chain.find(({ raw }) => REVOCABLE.some((oid) => raw.includes(oid)));
  if (found === undefined) return undefined;
  return `whether certificate "${oneLine(found.subject)}" was revoked is not asked here; override revocation as log or skip in the trust policy`;
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
