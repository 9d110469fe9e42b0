import type { FileTree } from '@capstan/lib-files';

/** Which state of a source: `id` is the commit (or digest), `name` what it was found under ('main', 'v1.2.0', 'HEAD'; '' for a bare commit). */
export interface SnapshotRevision {
  readonly id: string;
  readonly name: string;
}

/** One immutable state of a source. Two snapshots with equal `digest` hold the same files. */
export interface Snapshot {
  /** Identity of the source over all its revisions (`git https://host/a.git`); fit for a Map key. */
  readonly source: string;
  readonly revision: SnapshotRevision;
  /** `<algorithm>:<hex>` over the content that renderers can see. */
  readonly digest: string;
  /** Synchronous; content is read when asked for. */
  readonly files: FileTree;
  /**
   * Names whatever beside the content ids decides what `files` shows, so that work on a folder can be kept by both. Absent when
   * content ids are costly to ask for.
   */
  readonly scope?: string;
}
