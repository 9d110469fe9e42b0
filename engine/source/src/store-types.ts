import type { CapstanError } from '@capstan/lib-std';
import type { VerifiedObject, VerifyRequest } from './signature-types.ts';
import type { Snapshot } from './snapshot.ts';
import type { GitSourceSpec, SourceSpec } from './source-spec.ts';

export interface FetchOptions {
  readonly signal?: AbortSignal;
  /** An answer not older than this is taken from what is known, without a request; 0 (default) always asks the remote. */
  readonly maxAgeMs?: number;
}

/** Who wrote a commit and why, for histories and pages. */
export interface CommitSummary {
  readonly id: string;
  readonly author: string;
  readonly email: string;
  /** RFC 3339. */
  readonly date: string;
  readonly subject: string;
  /** The whole message. */
  readonly message: string;
  readonly tags: readonly string[];
  readonly signed: boolean;
}

/** Who wrote a line last. */
export interface LineAuthor {
  readonly commit: string;
  readonly author: string;
  readonly email: string;
  /** RFC 3339. */
  readonly date: string;
  readonly subject: string;
}

export type SourceChange =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'error'; readonly error: CapstanError };

export interface WatchOptions {
  /** Between two looks at the remote; jittered by a tenth so that many sources do not beat together. */
  readonly intervalMs: number;
  /** Called on the first result, then whenever revision or error changes. */
  readonly onChange: (change: SourceChange) => void;
}

/** Sources shared by all deliveries: one mirror and at most one fetch at a time per repository, however many ask. */
export interface SourceStore {
  /** The state that `spec` names now. Throws CapstanError; a retryable one when the network is at fault. */
  fetchSnapshot(spec: SourceSpec, options?: FetchOptions): Promise<Snapshot>;
  /** A state fetched before (or reachable in the mirror), by its revision id; undefined when it is not at hand. */
  snapshotAt(spec: SourceSpec, revisionId: string): Promise<Snapshot | undefined>;
  /** Follows a source. The returned function stops it. Watches of one repository share their requests. */
  watch(spec: SourceSpec, options: WatchOptions): () => void;
  /** A push was seen (webhook): looks at once at every watched source of this repository. Answers how many there are. */
  notify(url: string): number;
  /** Checks the signatures of a state that was fetched; throws with a SIGNATURE_* code when they are not good. */
  verifyRevision(
    spec: GitSourceSpec,
    snapshot: Snapshot,
    request: VerifyRequest,
  ): Promise<readonly VerifiedObject[]>;
  describeRevision(spec: SourceSpec, revisionId: string): Promise<CommitSummary | undefined>;
  /** Who wrote a line of a file of the repository at `url`, at a commit that is at hand; undefined where no history tells. */
  describeLine(
    url: string,
    revisionId: string,
    place: { readonly file: string; readonly line: number },
  ): Promise<LineAuthor | undefined>;
  /** A commit of the repository at `url` as far as it is at hand; never waits, never asks. */
  findCommit(url: string, revisionId: string): CommitSummary | undefined;
  /** Paths that differ between two states of one source, sorted; whole subtrees are compared by id, so the cost is that of the change. */
  changedPaths(before: Snapshot, after: Snapshot): readonly string[];
  close(): Promise<void>;
}

/** Files for a branch of a repository, as one commit. */
export interface BranchWrite {
  /** The repository, with credentials that may write. */
  readonly spec: GitSourceSpec;
  readonly branch: string;
  /** Where the branch begins when there is none; absent, or missing as well: nowhere. */
  readonly base?: string;
  /** Path → content; null removes. */
  readonly files: Readonly<Record<string, string | null>>;
  /**
   * Files that are no reason for a commit: each is written only with a change of the file that it follows, or with any other
   * change ('').
   */
  readonly follows?: Readonly<Record<string, string>>;
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly atMs: number;
  /** Laid beside the commit under refs/notes/<name>. */
  readonly note?: { readonly name: string; readonly text: string };
}

export interface SourceWriter {
  /** Commits to the branch, and never over what somebody else pushed meanwhile; nothing is made when nothing changes. */
  writeBranch(
    write: BranchWrite,
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly commit: string; readonly changed: boolean }>;
}
