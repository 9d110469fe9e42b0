import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { CapstanError } from '@capstan/lib-std';
import type { OciRepository } from './registry.ts';

const PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;
const SIGNATURES_MAX = 100;
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.\d+\+json|\+json;version=0\.\d+)$/;
const IN_TOTO = 'application/vnd.in-toto+json';

/**
 * Whether a manifest was signed by `cosign sign --key` with the private half of one of the keys (PEM). Both forms count: the
 * signature under the tag `sha256-….sig` (cosign 2), and a bundle that refers to the manifest (cosign 3). The transparency log is
 * not asked, as Flux does not with given keys. Throws OCI_SIGNATURE when there is no such signature.
 */
export async function verifyCosign(
  repository: OciRepository,
  digest: string,
  publicKeys: readonly Uint8Array[],
): Promise<void> {
  const keys = publicKeys.map(readKey);
  for (const signed of await signatures(repository, digest)) {
    for (const key of keys) if (isSignedBy(signed, key)) return;
  }
  throw new CapstanError('OCI_SIGNATURE', `no matching signatures were found for '${digest}'`, {
    hint: 'sign it: cosign sign --key …; or give the public key that it was signed with',
  });
}

/** What was signed, and the signature. It is about the right manifest already. */
interface Signed {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

async function signatures(repository: OciRepository, digest: string): Promise<readonly Signed[]> {
  const bundles = await bundleSignatures(repository, digest);
  return bundles.length > 0 ? bundles : await tagSignatures(repository, digest);
}

async function tagSignatures(
  repository: OciRepository,
  digest: string,
): Promise<readonly Signed[]> {
  const tag = `${digest.replace(':', '-')}.sig`;
  const manifest = await repository.manifest(tag).catch(unlessMissing);
  const found: Signed[] = [];
  for (const layer of manifest?.layers.slice(0, SIGNATURES_MAX) ?? []) {
    const text = layer.annotations[SIGNATURE];
    if (layer.mediaType !== SIMPLE_SIGNING || text === undefined) continue;
    const payload = await repository.blob(layer, PAYLOAD_BYTES_MAX);
    const critical = at(parse(payload), 'critical');
    const about = at(critical, 'image', 'docker-manifest-digest');
    if (about !== digest) continue;
    found.push({ payload, signature: Buffer.from(text, 'base64') });
  }
  return found;
}

async function bundleSignatures(
  repository: OciRepository,
  digest: string,
): Promise<readonly Signed[]> {
  const referrers = await repository.referrers(digest);
  const found: Signed[] = [];
  for (const referrer of referrers.filter(({ artifactType }) => BUNDLE.test(artifactType))) {
    if (found.length >= SIGNATURES_MAX) break;
    const { layers } = await repository.manifest(referrer.digest);
    for (const layer of layers.filter(({ mediaType }) => BUNDLE.test(mediaType))) {
      const signed = readBundle(parse(await repository.blob(layer, PAYLOAD_BYTES_MAX)), digest);
      if (signed !== undefined) found.push(signed);
    }
  }
  return found;
}

/** A DSSE envelope around an in-toto statement about the manifest (secure-systems-lab/dsse, protocol). */
function readBundle(bundle: unknown, digest: string): Signed | undefined {
  const envelope = at(bundle, 'dsseEnvelope');
  const [type, text] = [at(envelope, 'payloadType'), at(envelope, 'payload')];
  const signatureList = at(envelope, 'signatures');
  const signature = Array.isArray(signatureList) ? at(signatureList[0], 'sig') : undefined;
  if (type !== IN_TOTO || typeof text !== 'string' || typeof signature !== 'string')
    return undefined;
  const statement = Buffer.from(text, 'base64');
  const subjects = at(parse(statement), 'subject');
  const isAbout =
    Array.isArray(subjects) &&
    subjects.some((subject) => `sha256:${String(at(subject, 'digest', 'sha256'))}` === digest);
  if (!isAbout) return undefined;
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${statement.length} `;
  return {
    payload: Buffer.concat([Buffer.from(head), statement]),
    signature: Buffer.from(signature, 'base64'),
  };
}

function isSignedBy({ payload, signature }: Signed, key: KeyObject): boolean {
  const isEd25519 = key.asymmetricKeyType === 'ed25519';
  try {
    return verify(isEd25519 ? null : 'sha256', payload, key, signature);
  } catch {
    return false;
  }
}

function readKey(pem: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(pem), format: 'pem' });
  } catch (cause) {
    throw new CapstanError('OCI_SIGNATURE', 'a public key cannot be read', {
      hint: 'give the PEM that cosign generate-key-pair writes to cosign.pub',
      cause,
    });
  }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof CapstanError && error.code === 'OCI_NOT_FOUND') return undefined;
  throw error;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}
