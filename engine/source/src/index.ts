export type { IgnoreRules } from './ignore-files.ts';
export type { Snapshot, SnapshotRevision } from './snapshot.ts';
export type {
  ArchiveSourceSpec,
  GithubApp,
  GitRevisionSpec,
  GitSourceSpec,
  SourceAuth,
  SourceSpec,
} from './source-spec.ts';
export type {
  CommitSummary,
  FetchOptions,
  SourceChange,
  SourceStore,
  WatchOptions,
} from './store-types.ts';
export type { SignatureErrorCode, VerifiedObject, VerifyRequest } from './verify-revision.ts';
