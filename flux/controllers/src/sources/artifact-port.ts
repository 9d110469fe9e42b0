import type { Artifact } from '@capstan/flux-api';
import type { FileTree } from '@capstan/lib-files';
import type { DigestAlgorithm } from '@capstan/lib-oci';

/** Which source an artifact belongs to, and the name of its file. */
export interface ArtifactFile {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly fileName: string;
}

export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Where artifacts are kept and from where they are served (flux/server has one on disk). */
export interface ArtifactPort {
  /** Of the digests of artifacts, and of revisions that are digests. */
  readonly digestAlgorithm: DigestAlgorithm;
  urlOf(path: string): string;
  store(
    file: ArtifactFile,
    pieces: Pieces,
  ): Promise<{
    readonly path: string;
    readonly url: string;
    readonly digest: string;
    readonly size: number;
  }>;
  verify(artifact: Pick<Artifact, 'path' | 'digest'>): Promise<'sound' | 'missing' | 'damaged'>;
  /** Makes `latest.tar.gz`, or another name, beside an artifact lead to it; answers its URL. */
  linkLatest(file: ArtifactFile, linkName?: string): Promise<string>;
  /** Removes older artifacts of the source of this one. */
  collectGarbage(current: Pick<Artifact, 'path'>): Promise<number>;
  removeAll(source: Omit<ArtifactFile, 'fileName'>): Promise<void>;
}

/** The pieces of a tar.gz of a tree; see TreeArchiver of engine/source. */
export type PackTree = (tree: FileTree, scope?: string) => AsyncIterable<Uint8Array>;
