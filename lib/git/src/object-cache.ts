import { BoundedCache } from '@capstan/lib-std';
import type { GitObject } from './object-model.ts';
import type { TreeListing } from './tree-listing.ts';

const CACHE_BYTES_MAX = 64 * 1024 * 1024;
const TREE_ENTRIES_MAX = 500_000;

/**
 * Contents in memory, under one bound for all repositories that share it. Every repository has keys of its own: an object
 * that one holds is never shown to another that only names it, since the two may belong to different people.
 */
export class ObjectCache {
  readonly contents: BoundedCache<string, GitObject>;
  readonly trees: BoundedCache<string, TreeListing>;
  /** Objects that deltas build on. */
  readonly bases: BoundedCache<string, GitObject>;
  #repositories = 0;

  constructor(bytesMax = CACHE_BYTES_MAX) {
    const sizeOf = (object: GitObject) => object.bytes.byteLength + 200;
    this.contents = new BoundedCache(Math.max(1, (bytesMax / 3) * 2), sizeOf);
    this.bases = new BoundedCache(Math.max(1, bytesMax / 3), sizeOf);
    this.trees = new BoundedCache(TREE_ENTRIES_MAX, ({ size }) => size + 1);
  }

  /** What a repository puts before its keys. */
  keyPrefix(): string {
    return `${this.#repositories++} `;
  }
}
