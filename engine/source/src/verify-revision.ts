import {
  type Mirror,
  type SignedObject,
  signatureKind,
  signedCommit,
  signedTag,
  verifyPgpSignature,
  verifySshSignature,
} from '@capstan/lib-git';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { SignatureErrorCode, VerifiedObject, VerifyRequest } from './signature-types.ts';
import type { SnapshotRevision } from './snapshot.ts';
import type { GitRevisionSpec } from './source-spec.ts';

/**
 * Whether a revision is signed by one of the keys, as the mode asks; throws with a SignatureErrorCode when it is not, or when
 * there is any doubt. Messages are those of Flux's source-controller.
 */
export async function verifyRevision(
  mirror: Mirror,
  { revision, spec }: { readonly revision: SnapshotRevision; readonly spec: GitRevisionSpec },
  request: VerifyRequest,
): Promise<readonly VerifiedObject[]> {
  switch (request.mode) {
    case 'head':
      return [await verifyCommit(mirror, revision.id, request)];
    case 'tag':
      return [await verifyTag(mirror, tagOf(revision, spec), request)];
    case 'tagAndHead': {
      const tag = await verifyTag(mirror, tagOf(revision, spec), request);
      return [tag, await verifyCommit(mirror, revision.id, request)];
    }
    case 'tagOrHead': {
      const tag = annotatedTag(mirror, revision);
      if (tag === undefined) return [await verifyCommit(mirror, revision.id, request)];
      return [await verifyTag(mirror, tag, request)];
    }
    case 'history': {
      const tag = annotatedTag(mirror, revision);
      const first = tag === undefined ? [] : [await verifyTag(mirror, tag, request)];
      return [...first, ...(await verifyHistory(mirror, revision.id, request))];
    }
  }
}

async function verifyCommit(
  mirror: Mirror,
  id: string,
  request: VerifyRequest,
): Promise<VerifiedObject> {
  const signed = signedCommit(mirror.objects.read(id).bytes);
  const what = `commit '${id}'`;
  const key = await verifyObject(signed, request, { what, code: 'SIGNATURE_COMMIT_INVALID' });
  return { kind: 'commit', name: id, key };
}

const COMMITS_MAX = 50_000;
const PROBLEMS_MAX = 10;

/** Every commit from this one back to the well-signed ones that seal what is behind them, or to the first ones. */
async function verifyHistory(
  mirror: Mirror,
  head: string,
  request: VerifyRequest,
): Promise<readonly VerifiedObject[]> {
  const verified: VerifiedObject[] = [];
  const problems: string[] = [];
  const seen = new Set([head]);
  const pending = [head];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const { message, parents } = mirror.objects.readCommit(id);
    let isGood = true;
    try {
      verified.push(await verifyCommit(mirror, id, request));
    } catch (error) {
      isGood = false;
      problems.push(messageOf(error));
      if (problems.length >= PROBLEMS_MAX) break;
    }
    if (isGood && hasTrailer(message, request.seal)) continue;
    for (const parent of parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      pending.push(parent);
    }
    if (seen.size > COMMITS_MAX)
      throw historyError(`there are more than ${COMMITS_MAX} commits since the last seal`);
  }
  if (problems.length > 0) throw historyError(problems.join('; '));
  return verified;
}

function hasTrailer(message: string, name: string | undefined): boolean {
  return name !== undefined && message.toLowerCase().includes(`${name.toLowerCase()}:`);
}

function historyError(reason: string): CapstanError {
  return signatureError('SIGNATURE_HISTORY_INVALID', `signature verification failed: ${reason}`);
}

/** The annotated tag by whose name the revision was found. */
function annotatedTag(mirror: Mirror, { name }: SnapshotRevision): string | undefined {
  const id = mirror.knownRefs?.ids.get(`refs/tags/${name}`);
  if (id === undefined || mirror.objects.read(id).type !== 'tag') return undefined;
  return name;
}

/** The tag that the revision was asked for by; undefined when it was no tag. */
function tagOf(revision: SnapshotRevision, spec: GitRevisionSpec): string | undefined {
  if (spec.kind === 'tag' || spec.kind === 'semver') return revision.name;
  const name = spec.kind === 'ref' ? spec.ref : spec.kind === 'any' ? spec.name : '';
  return /^refs\/tags\/(.+?)(?:\^\{\})?$/.exec(name)?.[1];
}

async function verifyTag(
  mirror: Mirror,
  name: string | undefined,
  request: VerifyRequest,
): Promise<VerifiedObject> {
  if (name === undefined) {
    throw signatureError(
      'SIGNATURE_WITHOUT_TAG',
      "cannot verify tag object's signature if a tag reference is not specified",
    );
  }
  const id = mirror.knownRefs?.ids.get(`refs/tags/${name}`);
  const object = id === undefined ? undefined : mirror.objects.read(id);
  const shown = object?.type === 'tag' ? `${name}@${id}` : name;
  const signed = object?.type === 'tag' ? signedTag(object.bytes) : undefined;
  if (signed === undefined || signed.signature === '') {
    throw signatureError(
      'SIGNATURE_TAG_UNSIGNED',
      `cannot verify signature of tag '${shown}' since it is not signed`,
    );
  }
  const options = { what: `tag '${shown}'`, code: 'SIGNATURE_TAG_INVALID' } as const;
  return { kind: 'tag', name: shown, key: await verifyObject(signed, request, options) };
}

async function verifyObject(
  { payload, signature }: SignedObject,
  { pgpKeys, sshKeys, places }: VerifyRequest,
  { what, code }: { readonly what: string; readonly code: SignatureErrorCode },
): Promise<string> {
  const fail = (reason: string, cause?: unknown) =>
    signatureError(code, `signature verification of ${what} failed: ${reason}`, cause);
  const kind = signatureKind(signature);
  if (kind === 'openpgp' && pgpKeys.length === 0) {
    throw fail(`PGP signature detected but no PGP public keys found ${places.pgp}`);
  }
  if (kind === 'ssh' && sshKeys.length === 0) {
    throw fail(`SSH signature detected but no SSH public keys found ${places.ssh}`);
  }
  try {
    if (kind === 'openpgp') return await verifyPgpSignature(payload, signature, pgpKeys);
    if (kind === 'ssh') return verifySshSignature(payload, signature, sshKeys);
  } catch (error) {
    const object = what.startsWith('tag') ? 'tag' : 'commit';
    const by = kind === 'ssh' ? ' SSH signature' : '';
    throw fail(`unable to verify Git ${object}${by}: ${messageOf(error)}`, error);
  }
  throw fail(`unsupported signature type: ${signature === '' ? 'empty' : kind}`);
}

function signatureError(code: SignatureErrorCode, message: string, cause?: unknown): CapstanError {
  return new CapstanError(code, message, {
    kind: 'stalled',
    hint: 'sign it with a trusted key, or add the key that signed it',
    ...(cause === undefined ? {} : { cause }),
  });
}
