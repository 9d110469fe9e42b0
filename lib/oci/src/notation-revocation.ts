/** Whether certificates were revoked: asked of their authorities by OCSP (RFC 6960), else of their lists (RFC 5280), as notation does. */

import { messageOf } from '@capstan/lib-std';
import {
  type Extension,
  integerOf,
  type ReadCertificate,
  type RevocationList,
  readDer,
  readListUrls,
  readRevocationList,
  readStatus,
  statusRequest,
  timeOf,
} from '@capstan/lib-x509';
import { type HttpGet, readBytes } from './http-port.ts';
import { subjectOf } from './notation-chain.ts';

export interface RevocationOptions {
  readonly get: HttpGet;
  readonly nowMs: number;
  /** When the signature was made, where somebody vouches for it: what became invalid later still counts. */
  readonly signedAtMs?: number;
}

type Verdict =
  | { readonly kind: 'good' | 'revoked' }
  /** `isFinal`: a responder says so, others are not asked. */
  | { readonly kind: 'unknown'; readonly why: string; readonly isFinal?: true };

/** What is wrong with a chain of certificates, with the reasons as far as they are known. */
export interface RevocationProblem {
  readonly kind: 'revoked' | 'unknown';
  readonly subject: string;
  readonly why: string;
}

const STATUS_BYTES_MAX = 20_480;
const LIST_BYTES_MAX = 32 * 1024 * 1024;
const STATUS_TIMEOUT_MS = 2_000;
const LIST_TIMEOUT_MS = 5_000;
/** Above it a question is posted. */
const QUESTION_LENGTH_MAX = 254;

const INVALIDITY = '2.5.29.24';
const FRESHEST = '2.5.29.46';
const SCOPE = '2.5.29.28';
const CHANGES = '2.5.29.27';
const ON_HOLD = 6;
const RELEASED = 8;

/** A revoked certificate before one whose status is not known; undefined when all are good or name nobody to ask. */
export async function revocationProblem(
  chain: readonly ReadCertificate[],
  options: RevocationOptions,
): Promise<RevocationProblem | undefined> {
  // A root is nobody's to revoke.
  const verdicts = await Promise.all(
    chain.slice(0, -1).map(async (certificate, index) => {
      const issuer = chain[index + 1] as ReadCertificate;
      const verdict = await verdictOn(certificate, issuer, options);
      return { subject: subjectOf(certificate), verdict };
    }),
  );
  const revoked = verdicts.find(({ verdict }) => verdict.kind === 'revoked');
  if (revoked !== undefined) return { kind: 'revoked', subject: revoked.subject, why: '' };
  for (const { subject, verdict } of verdicts) {
    if (verdict.kind === 'unknown') return { kind: 'unknown', subject, why: verdict.why };
  }
  return undefined;
}

async function verdictOn(
  certificate: ReadCertificate,
  issuer: ReadCertificate,
  options: RevocationOptions,
): Promise<Verdict> {
  const { statusUrls, listUrls } = certificate;
  if (statusUrls.length > 0) {
    const asked = await askResponders(certificate, issuer, options);
    if (asked.kind !== 'unknown' || listUrls.length === 0) return asked;
  }
  return listUrls.length === 0 ? { kind: 'good' } : await searchLists(certificate, issuer, options);
}

async function askResponders(
  certificate: ReadCertificate,
  issuer: ReadCertificate,
  options: RevocationOptions,
): Promise<Verdict> {
  let last: Verdict = { kind: 'good' };
  for (const url of certificate.statusUrls) {
    last = await askResponder(url, certificate, { issuer, ...options }).catch(
      (error: unknown): Verdict => ({ kind: 'unknown', why: `${url}: ${messageOf(error)}` }),
    );
    if (last.kind !== 'unknown' || last.isFinal === true) return last;
  }
  return last;
}

async function askResponder(
  url: string,
  certificate: ReadCertificate,
  { issuer, get, nowMs, signedAtMs }: RevocationOptions & { readonly issuer: ReadCertificate },
): Promise<Verdict> {
  requireHttp(url);
  const question = statusRequest(certificate, issuer);
  const path = encodeURIComponent(Buffer.from(question).toString('base64'));
  const isShort = path.length <= QUESTION_LENGTH_MAX;
  const { status, bytes } = await readBytes(
    get,
    isShort ? `${url.replace(/\/+$/, '')}/${path}` : url,
    {
      ...(isShort
        ? {}
        : {
            method: 'POST' as const,
            body: question,
            headers: { 'content-type': 'application/ocsp-request' },
          }),
      bytesMax: STATUS_BYTES_MAX,
      signal: AbortSignal.timeout(STATUS_TIMEOUT_MS),
    },
  );
  if (status !== 200) throw new Error(`response had status code ${status}`);
  const answer = readStatus(bytes, certificate, issuer);
  if (nowMs > (answer.nextUpdateMs ?? 0)) throw new Error('expired OCSP response');
  if (answer.status === 'unknown') {
    return { kind: 'unknown', why: `${url}: the responder does not know it`, isFinal: true };
  }
  const isLater = answer.status === 'revoked' && isBefore(signedAtMs, answer.extensions);
  return { kind: isLater ? 'good' : answer.status };
}

/** All of a certificate's lists: each may hold other reasons. */
async function searchLists(
  certificate: ReadCertificate,
  issuer: ReadCertificate,
  options: RevocationOptions,
): Promise<Verdict> {
  for (const url of certificate.listUrls) {
    try {
      const lists = await fetchLists(url, options.get);
      if (certificate.hasFreshestList && lists.length === 1) {
        throw new Error('freshest CRL from certificate extension is not supported');
      }
      requireSound(lists, issuer, options.nowMs);
      if (isRevoked(lists, certificate, options.signedAtMs)) return { kind: 'revoked' };
    } catch (error) {
      return { kind: 'unknown', why: `${url}: ${messageOf(error)}` };
    }
  }
  return { kind: 'good' };
}

/** The list, and that of its changes when it names one. */
async function fetchLists(url: string, get: HttpGet): Promise<readonly RevocationList[]> {
  const base = await fetchList(url, get);
  const places = readListUrls(base.extensions.get(FRESHEST)?.value);
  let failure: unknown;
  for (const place of places) {
    try {
      return [base, await fetchList(place, get)];
    } catch (error) {
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  return [base];
}

async function fetchList(url: string, get: HttpGet): Promise<RevocationList> {
  requireHttp(url);
  const { status, bytes } = await readBytes(get, url, {
    bytesMax: LIST_BYTES_MAX,
    signal: AbortSignal.timeout(LIST_TIMEOUT_MS),
  });
  if (status !== 200) throw new Error(`failed to download with status code: ${status}`);
  return readRevocationList(bytes);
}

function requireSound(
  [base, changes]: readonly RevocationList[],
  issuer: ReadCertificate,
  nowMs: number,
): void {
  for (const list of [base, changes]) {
    if (list !== undefined) requireSoundList(list, issuer, nowMs);
  }
  if (base === undefined || changes === undefined) return;
  const [number, newer] = [base.number ?? 0n, changes.number ?? 0n];
  if (newer <= number) {
    throw new Error(`delta CRL number ${newer} is not greater than the base CRL number ${number}`);
  }
  const indicator = changes.extensions.get(CHANGES);
  if (indicator === undefined) throw new Error('delta CRL indicator extension is not found');
  const least = integerOf(readDer(indicator.value)[0]);
  if (least <= number) return;
  throw new Error(
    `delta CRL indicator ${least} is not less than or equal to the base CRL number ${number}`,
  );
}

function requireSoundList(list: RevocationList, issuer: ReadCertificate, nowMs: number): void {
  const isAllowed =
    issuer.authority?.isAuthority === true && issuer.usages?.has('cRLSign') !== false;
  if (!isAllowed || !list.isSignedBy(issuer)) {
    throw new Error(`CRL is not signed by CA ${subjectOf(issuer)}`);
  }
  if (list.nextUpdateMs === undefined) throw new Error('CRL NextUpdate is not set');
  if (nowMs > list.nextUpdateMs) throw new Error('expired CRL');
  for (const [id, { isCritical }] of list.extensions) {
    if (!isCritical || id === SCOPE || id === CHANGES) continue;
    throw new Error(`unsupported critical extension found in CRL: ${id}`);
  }
}

function isRevoked(
  lists: readonly RevocationList[],
  { serialNumber }: ReadCertificate,
  signedAtMs: number | undefined,
): boolean {
  let latest: { readonly atMs: number; readonly reason: number } | undefined;
  for (const entry of lists.flatMap((list) => list.entriesOf(serialNumber))) {
    for (const [id, { isCritical }] of entry.extensions) {
      if (isCritical && id !== INVALIDITY) {
        throw new Error(`unsupported critical extension found in CRL: ${id}`);
      }
    }
    if (isBefore(signedAtMs, entry.extensions)) return false;
    if (entry.reason !== ON_HOLD && entry.reason !== RELEASED) return true;
    if (latest === undefined || latest.atMs < entry.atMs) latest = entry;
  }
  return latest?.reason === ON_HOLD;
}

/** Whether a signature was made before its certificate became invalid, as far as an entry says when that was. */
function isBefore(
  signedAtMs: number | undefined,
  extensions: ReadonlyMap<string, Extension>,
): boolean {
  const invalidity = extensions.get(INVALIDITY);
  if (invalidity === undefined || signedAtMs === undefined) return false;
  return signedAtMs < timeOf(readDer(invalidity.value)[0]);
}

function requireHttp(url: string): void {
  if (URL.parse(url)?.protocol === 'http:') return;
  throw new Error('only URLs of http are asked');
}
