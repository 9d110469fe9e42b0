export type { IgnoreRules } from './ignore-files.ts';
export type { SignatureErrorCode, VerifiedObject, VerifyRequest } from './signature-types.ts';
export type { Snapshot, SnapshotRevision } from './snapshot.ts';
export type {
  ArchiveSourceSpec,
  ArtifactSourceSpec,
  GithubApp,
  GitRevisionSpec,
  GitSourceSpec,
  SourceAuth,
  SourceLogin,
  SourceSpec,
} from './source-spec.ts';
export type {
  BranchWrite,
  CommitSummary,
  FetchOptions,
  LineAuthor,
  SourceChange,
  SourceStore,
  SourceWriter,
  WatchOptions,
} from './store-types.ts';
