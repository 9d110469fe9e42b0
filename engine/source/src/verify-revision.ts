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
  const verified: VerifiedObject[] = [];
  if (request.mode !== 'head')
    verified.push(await verifyTag(mirror, tagOf(revision, spec), request));
  if (request.mode !== 'tag') {
    const signed = signedCommit(mirror.objects.read(revision.id).bytes);
    const what = `commit '${revision.id}'`;
    const key = await verifyObject(signed, request, { what, code: 'SIGNATURE_COMMIT_INVALID' });
    verified.push({ kind: 'commit', name: revision.id, key });
  }
  return verified;
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
    throw fail(messageOf(error), error);
  }
  throw fail(`unsupported signature type: ${kind}`);
}

function signatureError(code: SignatureErrorCode, message: string, cause?: unknown): CapstanError {
  return new CapstanError(code, message, {
    kind: 'stalled',
    hint: 'sign it with a trusted key, or add the key that signed it',
    ...(cause === undefined ? {} : { cause }),
  });
}
