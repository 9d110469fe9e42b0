import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { CapstanError } from '@capstan/lib-std';
import { type CosignSignature, cosignSignatures } from './cosign-signatures.ts';
import type { OciRepository } from './registry.ts';

/** What is told of a key that is no PEM. */
export const UNREADABLE_KEY = 'PEM decoding failed';

/**
 * Whether a manifest was signed by `cosign sign --key` with the private half of one of the keys (PEM), in either form (see
 * `cosignSignatures`). The transparency log is not asked, as Flux does not with given keys. Throws OCI_SIGNATURE when there is
 * no such signature.
 */
export async function verifyCosign(
  repository: OciRepository,
  digest: string,
  publicKeys: readonly Uint8Array[],
): Promise<void> {
  const keys = publicKeys.map(readKey);
  const signatures = await cosignSignatures(repository, digest);
  for (const one of signatures) {
    for (const key of keys) if (isSignedBy(one, key)) return;
  }
  const problems = signatures.length === 0 ? [] : ['invalid signature when validating its content'];
  throw noSignature(problems, {
    what: 'signatures',
    hint: 'sign it: cosign sign --key …; or give the public key of the signer',
  });
}

/** In cosign's words: there is none, or why none of them counts. */
export function noSignature(
  problems: readonly string[],
  { what, hint }: { readonly what: 'signatures' | 'attestations'; readonly hint: string },
): CapstanError {
  const why =
    problems.length === 0 ? 'no signatures found' : `no matching ${what}: ${problems.join('\n ')}`;
  return new CapstanError('OCI_SIGNATURE', why, { hint });
}

function isSignedBy({ signed, signature }: CosignSignature, key: KeyObject): boolean {
  const isEd25519 = key.asymmetricKeyType === 'ed25519';
  try {
    return verify(isEd25519 ? null : 'sha256', signed, key, signature);
  } catch {
    return false;
  }
}

function readKey(pem: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(pem), format: 'pem' });
  } catch (cause) {
    throw new CapstanError('OCI_SIGNATURE', UNREADABLE_KEY, {
      hint: 'give the PEM that cosign generate-key-pair writes to cosign.pub',
      cause,
    });
  }
}
