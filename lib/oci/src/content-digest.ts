import { createHash } from 'node:crypto';
import { hexOf } from '@capstan/lib-std';
import { blake3 } from '@noble/hashes/blake3.js';

/** Algorithms of content digests `algorithm:hex` (OCI image specification, "Digests"). */
export const DIGEST_ALGORITHMS = ['sha256', 'sha384', 'sha512', 'blake3'] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

export interface ContentDigest {
  update(bytes: Uint8Array): void;
  /** `algorithm:hex` of all that was given. */
  digest(): string;
}

export function createContentDigest(algorithm: DigestAlgorithm = 'sha256'): ContentDigest {
  if (algorithm === 'blake3') {
    const hash = blake3.create();
    return {
      update: (bytes) => void hash.update(bytes),
      digest: () => `blake3:${hexOf(hash.digest())}`,
    };
  }
  const hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => `${algorithm}:${hash.digest('hex')}`,
  };
}

/** The algorithm that a digest names; undefined for one that is not known. */
export function digestAlgorithmOf(digest: string): DigestAlgorithm | undefined {
  return DIGEST_ALGORITHMS.find((algorithm) => digest.startsWith(`${algorithm}:`));
}

/** The digest of some bytes, by the algorithm of another digest that they are held against. */
export function digestLike(digest: string, bytes: Uint8Array): string {
  const made = createContentDigest(digestAlgorithmOf(digest));
  made.update(bytes);
  return made.digest();
}
