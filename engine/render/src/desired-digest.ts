import { hexOf } from '@capstan/lib-std';
import { sha256 } from '@noble/hashes/sha2.js';
import type { DesiredObject } from './desired-state.ts';

/** A digest of the objects in their order; origins do not count. */
export function desiredDigest(objects: readonly DesiredObject[]): string {
  const hash = sha256.create();
  for (const { object } of objects) {
    hash.update(new TextEncoder().encode(`${JSON.stringify(object, replaceBigInt)}\n`));
  }
  return `sha256:${hexOf(hash.digest())}`;
}

function replaceBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { $int: value.toString() } : value;
}
