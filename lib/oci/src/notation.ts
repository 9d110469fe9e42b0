/** Signatures of notation (the Notary Project): envelopes that refer to a manifest, judged by a trust policy. */
import { CapstanError, messageOf } from '@capstan/lib-std';
import { openCertificate, type ReadCertificate, sameBytes } from '@capstan/lib-x509';
import type { HttpGet } from './http-port.ts';
import { algorithmOf, chainProblem } from './notation-chain.ts';
import { type NotationEnvelope, openEnvelope } from './notation-envelope.ts';
import {
  type Check,
  identityProblem,
  type TrustStatement,
  trustStatement,
} from './notation-policy.ts';
import { revocationProblem } from './notation-revocation.ts';
import { formatTime, timeProblem } from './notation-timestamp.ts';
import type { OciRepository } from './registry.ts';

export interface NotationOptions {
  /** `trustpolicy.json`, parsed. */
  readonly policy: unknown;
  /** Certificates that are trusted, PEM or DER. */
  readonly certificates: readonly Uint8Array[];
  /** `registry/path` of the manifest. */
  readonly repository: string;
  readonly nowMs: number;
  /** Asks authorities whether their certificates were revoked. */
  readonly get: HttpGet;
}

const SIGNATURE = 'application/vnd.cncf.notary.signature';
const ENVELOPES = ['application/jose+json', 'application/cose'];
const ENVELOPE_BYTES_MAX = 4 * 1024 * 1024;
/** Of the original. */
const ATTEMPTS_MAX = 3;

/**
 * `verified`, or `ignored` where the policy skips the manifest or only logs that its signer is not trusted. Throws OCI_SIGNATURE
 * when there is no signature that the policy accepts. What the policy would only log is not looked into, but for the signer.
 */
export async function verifyNotation(
  source: OciRepository,
  digest: string,
  options: NotationOptions,
): Promise<'verified' | 'ignored'> {
  const statement = trustStatement(options.policy, options.repository, digest);
  if (statement.isSkipped) return 'ignored';
  const trusted = options.certificates.flatMap(readCertificates);
  const judging = { statement, trusted, nowMs: options.nowMs, get: options.get };
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
      return await judge(envelope, judging);
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
  readonly trusted: readonly ReadCertificate[];
  readonly nowMs: number;
  readonly get: HttpGet;
}

async function judge(
  envelope: NotationEnvelope,
  judging: Judging,
): Promise<'verified' | 'ignored'> {
  const { checks } = judging.statement;
  requireChain(envelope);
  const stranger = authenticityProblem(envelope, judging);
  const table: readonly (readonly [
    Check,
    () => Promise<string | undefined> | string | undefined,
  ])[] = [
    ['authenticity', () => stranger],
    ['expiry', () => expiryProblem(envelope, judging.nowMs)],
    ['authenticTimestamp', () => timeProblem(envelope, judging)],
    ['revocation', () => revokedProblem(envelope, judging)],
  ];
  for (const [name, problemOf] of table) {
    if (checks[name] !== 'enforce') continue;
    const problem = await problemOf();
    if (problem !== undefined) throw new Error(problem);
  }
  return stranger !== undefined && checks.authenticity !== 'skip' ? 'ignored' : 'verified';
}

function requireChain({ chain, algorithm }: NotationEnvelope): void {
  const problem = chainProblem(chain, 'code signing');
  if (problem !== undefined) throw new Error(`certificate-chain is invalid, ${problem}`);
  const [signer] = chain;
  if (signer !== undefined && algorithmOf(signer) === algorithm) return;
  throw new Error(
    'mismatch between signature algorithm derived from signing certificate and signing algorithm specified',
  );
}

function authenticityProblem(
  { scheme, chain }: NotationEnvelope,
  { statement, trusted }: Judging,
): string | undefined {
  const store = scheme === 'notary.x509' ? 'ca' : 'signingAuthority';
  if (!statement.stores.includes(store)) {
    return `no trusted certificates are found to verify authenticity: trust policy statement ${JSON.stringify(statement.name)} names no trust store of type '${store}'`;
  }
  const isKnown = chain.some((one) => trusted.some((known) => sameBytes(known.raw, one.raw)));
  if (!isKnown) {
    return "the signature's certificate chain does not contain any trusted certificate";
  }
  return identityProblem(chain[0]?.x509.subject ?? '', statement);
}

function expiryProblem({ expiresAtMs }: NotationEnvelope, nowMs: number): string | undefined {
  if (expiresAtMs === undefined || expiresAtMs > nowMs) return undefined;
  return `digital signature has expired on "${formatTime(expiresAtMs)}"`;
}

async function revokedProblem(
  { chain, scheme, signedAtMs }: NotationEnvelope,
  { nowMs, get }: Judging,
): Promise<string | undefined> {
  const isVouched = scheme === 'notary.x509.signingAuthority';
  const found = await revocationProblem(chain, {
    nowMs,
    get,
    ...(isVouched ? { signedAtMs } : {}),
  });
  if (found === undefined) return undefined;
  const it = `signing certificate with subject ${found.subject}`;
  return found.kind === 'revoked'
    ? `${it} is revoked`
    : `${it} revocation status is unknown (${found.why})`;
}

function readCertificates(bytes: Uint8Array): readonly ReadCertificate[] {
  const text = Buffer.from(bytes).toString('latin1');
  const [, pem] = /-----BEGIN [A-Z ]+-----([^-]*)-----END/.exec(text) ?? [];
  try {
    return [openCertificate(pem === undefined ? bytes : Buffer.from(pem, 'base64'))];
  } catch (cause) {
    throw new CapstanError('OCI_SIGNATURE', 'a certificate cannot be read', {
      hint: 'give X.509 certificates as PEM or DER',
      cause,
    });
  }
}
