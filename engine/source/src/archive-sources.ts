import type { FileTree } from '@capstan/lib-files';
import { createHttpGet, digestLike, readBytes } from '@capstan/lib-oci';
import { BoundedCache, CapstanError } from '@capstan/lib-std';
import { readArchive } from './archive-tree.ts';
import type { Snapshot } from './snapshot.ts';
import type { ArchiveSourceSpec } from './source-spec.ts';

/** The bytes at an address; undefined when this reader does not know the address. */
export type ArchiveReader = (
  url: string,
  options: { readonly bytesMax: number; readonly signal?: AbortSignal },
) => Promise<Uint8Array | undefined>;

const ARCHIVE_BYTES_MAX = 256 * 1024 * 1024;
const TREES_BYTES_MAX = 128 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

interface Held {
  readonly snapshot: Snapshot;
  readonly size: number;
}

/**
 * Artifacts by their digest: each is read, checked and unpacked once, however many deliveries stand on it. Sources with the same
 * content have one copy of it; each reads it by its own address all the same, so that none sees what only another may.
 */
export class ArchiveSources {
  readonly #readLocal: ArchiveReader | undefined;
  /** What is unpacked for a source that is held, by digest. */
  readonly #trees = new Map<string, WeakRef<FileTree>>();
  readonly #forgotten = new FinalizationRegistry<string>((digest) => {
    if (this.#trees.get(digest)?.deref() === undefined) this.#trees.delete(digest);
  });
  readonly #held = new BoundedCache<string, Held>(TREES_BYTES_MAX, ({ size }) => size);
  readonly #reading = new Map<string, Promise<Snapshot>>();
  #client: ReturnType<typeof createHttpGet> | undefined;

  constructor(readLocal?: ArchiveReader) {
    this.#readLocal = readLocal;
  }

  async fetch(spec: ArchiveSourceSpec, signal?: AbortSignal): Promise<Snapshot> {
    const key = `${spec.name} ${spec.revision.id} ${spec.digest}`;
    const held = this.#held.get(key);
    if (held !== undefined) return held.snapshot;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.#read(spec, key).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    if (signal === undefined) return await reading;
    signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([reading, promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
  }

  async #read(spec: ArchiveSourceSpec, key: string): Promise<Snapshot> {
    const bytes = await this.#bytes(spec);
    const digest = digestLike(spec.digest, bytes);
    if (digest !== spec.digest) {
      throw new CapstanError(
        'ARTIFACT_DIGEST',
        `the artifact at ${spec.url} has the digest ${digest}, not ${spec.digest}`,
        { kind: 'retry', hint: 'it is fetched again; if it stays so, reconcile its source' },
      );
    }
    const files = await this.#unpack(digest, bytes);
    const snapshot: Snapshot = {
      source: `archive ${spec.name}`,
      revision: { id: spec.revision.id, name: '' },
      digest,
      files,
    };
    this.#held.set(key, { snapshot, size: bytes.length * 6 + 10_000 });
    return snapshot;
  }

  async #unpack(digest: string, bytes: Uint8Array): Promise<FileTree> {
    const known = this.#trees.get(digest)?.deref();
    if (known !== undefined) return known;
    const files = await readArchive(bytes, { others: 'skip' });
    this.#trees.set(digest, new WeakRef(files));
    this.#forgotten.register(files, digest);
    return files;
  }

  async #bytes({ url, timeoutMs = TIMEOUT_MS }: ArchiveSourceSpec): Promise<Uint8Array> {
    const signal = AbortSignal.timeout(timeoutMs);
    const limits = { bytesMax: ARCHIVE_BYTES_MAX, signal };
    const local = await this.#readLocal?.(url, limits);
    if (local !== undefined) return local;
    this.#client ??= createHttpGet();
    const { status, bytes } = await readBytes(this.#client.get, url, limits);
    if (status === 200) return bytes;
    throw new CapstanError(
      'ARTIFACT_UNAVAILABLE',
      `the artifact at ${url} cannot be read: status ${status}`,
      { kind: 'retry', hint: 'the controller that made it may be starting; it is tried again' },
    );
  }
}
