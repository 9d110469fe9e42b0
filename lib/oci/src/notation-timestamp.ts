/** When a signature was made: by the countersignature of an authority (RFC 3161), or now (Notary Project, authentic timestamp). */

import { messageOf } from '@capstan/lib-std';
import { type ReadCertificate, readTimestampToken, type TimestampToken } from '@capstan/lib-x509';
import { chainProblem, subjectOf } from './notation-chain.ts';
import type { NotationEnvelope } from './notation-envelope.ts';
import type { TrustStatement } from './notation-policy.ts';
import { type RevocationOptions, revocationProblem } from './notation-revocation.ts';

export interface TimeOptions extends Pick<RevocationOptions, 'get' | 'nowMs'> {
  readonly statement: TrustStatement;
  /** Flux keeps the certificates of all trust stores in one: those of time-stamp authorities too. */
  readonly trusted: readonly ReadCertificate[];
}

/** Why the certificates of a signature did not hold when it was made; undefined when they did. */
export async function timeProblem(
  envelope: NotationEnvelope,
  options: TimeOptions,
): Promise<string | undefined> {
  const { scheme, chain, signedAtMs } = envelope;
  const { statement, nowMs } = options;
  if (scheme !== 'notary.x509') return authorityTimeProblem(chain, signedAtMs);
  const hasExpired = chain.some(({ notAfterMs }) => nowMs > notAfterMs);
  const asksToken =
    statement.stores.includes('tsa') && (!statement.isTimestampForExpired || hasExpired);
  return asksToken ? await tokenProblem(envelope, options) : presentProblem(chain, nowMs);
}

/** With an authority that vouches for the time, certificates have to be valid then. */
function authorityTimeProblem(
  chain: readonly ReadCertificate[],
  signedAtMs: number,
): string | undefined {
  const found = chain.find(
    ({ notBeforeMs, notAfterMs }) => signedAtMs < notBeforeMs || signedAtMs > notAfterMs,
  );
  if (found === undefined) return undefined;
  return `certificate ${subjectOf(found)} was not valid when the digital signature was produced at "${formatTime(signedAtMs)}"`;
}

/** Without a token they have to be valid now. */
function presentProblem(chain: readonly ReadCertificate[], nowMs: number): string | undefined {
  for (const certificate of chain) {
    const { notBeforeMs, notAfterMs } = certificate;
    const subject = subjectOf(certificate);
    if (nowMs < notBeforeMs) {
      return `verification time is before certificate ${subject} validity period, it will be valid from "${formatTime(notBeforeMs)}"`;
    }
    if (nowMs > notAfterMs) {
      return `verification time is after certificate ${subject} validity period, it was expired at "${formatTime(notAfterMs)}"`;
    }
  }
  return undefined;
}

async function tokenProblem(
  { chain, signature, timestamp }: NotationEnvelope,
  { get, nowMs, trusted }: TimeOptions,
): Promise<string | undefined> {
  if (timestamp === undefined || timestamp.length === 0) {
    return 'no timestamp countersignature was found in the signature envelope';
  }
  const token = attempt('failed to parse timestamp countersignature with error', () =>
    readTimestampToken(timestamp),
  );
  const isAbout = attempt(
    'failed to get timestamp from timestamp countersignature with error',
    () => token.isAbout(signature),
  );
  if (!isAbout) {
    return 'failed to get timestamp from timestamp countersignature with error: invalid TSTInfo: mismatched message';
  }
  const authorities = attempt('failed to verify the timestamp countersignature with error', () =>
    token.verify(trusted),
  );
  const unsound = chainProblem(authorities, 'timestamping');
  if (unsound !== undefined) {
    return `failed to validate the timestamping certificate chain with error: ${unsound}`;
  }
  const outside = boundsProblem(chain, token);
  if (outside !== undefined) return outside;
  const revoked = await revocationProblem(authorities, { get, nowMs });
  if (revoked === undefined) return undefined;
  const it = `timestamping certificate with subject ${revoked.subject}`;
  return revoked.kind === 'revoked'
    ? `${it} is revoked`
    : `${it} revocation status is unknown (${revoked.why})`;
}

/** The whole span in which the token may have been made has to be within the validity of each certificate. */
function boundsProblem(
  chain: readonly ReadCertificate[],
  { atMs, accuracyMs }: TimestampToken,
): string | undefined {
  for (const certificate of chain) {
    const { notBeforeMs, notAfterMs } = certificate;
    const subject = subjectOf(certificate);
    if (atMs - accuracyMs < notBeforeMs) {
      return `timestamp can be before certificate ${subject} validity period, it will be valid from "${formatTime(notBeforeMs)}"`;
    }
    if (atMs + accuracyMs > notAfterMs) {
      return `timestamp can be after certificate ${subject} validity period, it was expired at "${formatTime(notAfterMs)}"`;
    }
  }
  return undefined;
}

function attempt<T>(what: string, perform: () => T): T {
  try {
    return perform();
  } catch (cause) {
    throw new Error(`${what}: ${messageOf(cause)}`, { cause });
  }
}

/** As Go's RFC1123Z. */
export function formatTime(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', '+0000');
}
