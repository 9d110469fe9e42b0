/** An object by its key, with the tag that changes when its content does. */
export interface StoredObject {
  readonly key: string;
  readonly etag: string;
}

/** A bucket of whatever kind, as far as reading it takes. */
export interface BucketReader {
  /** Whether the bucket is there. */
  exists(): Promise<boolean>;
  /** All objects below a prefix, page by page. */
  list(prefix?: string): AsyncIterable<StoredObject>;
  /** The content of an object with its tag; undefined when it is not there. */
  read(
    key: string,
    bytesMax: number,
  ): Promise<{ readonly bytes: Uint8Array; readonly etag: string } | undefined>;
}
