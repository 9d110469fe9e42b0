export { blameLine, type LineAuthor, type LinePlace } from './blame-line.ts';
export { changedPaths } from './changed-paths.ts';
export { type CommitFilesOptions, commitFiles } from './commit-files.ts';
export type { GitErrorCode } from './errors.ts';
export { gitTree } from './git-tree.ts';
export { initMirror } from './init-mirror.ts';
export { Mirror, type MirrorOptions, type ResolvedCommit } from './mirror.ts';
export { ObjectCache } from './object-cache.ts';
export type { Commit, GitObject, GitTreeEntry, Person } from './object-model.ts';
export { ObjectStore, type ObjectStoreOptions } from './object-store.ts';
export { verifyPgpSignature } from './pgp-signature.ts';
export { isCommitPrefix, isObjectId, isRefName } from './ref-name.ts';
export type { GitCredentials } from './remote-access.ts';
export { commitOf, type RemoteRefs } from './remote-refs.ts';
export { parseRemoteUrl, type RemoteUrl, repositoryKey } from './remote-url.ts';
export {
  EMPTY_REPOSITORY,
  type PickVersion,
  type PickVersions,
  type RevisionQuery,
  resolveRevision,
} from './resolve-revision.ts';
export { runGit } from './run-git.ts';
export {
  createGitHost,
  type GitHostOptions,
  type HostedRepository,
  type RefUpdate,
} from './serve-git.ts';
export {
  type SignatureKind,
  type SignedObject,
  signatureKind,
  signedCommit,
  signedTag,
} from './signed-object.ts';
export { verifySshSignature } from './ssh-signature.ts';
export { readSubmodules, resolveModuleUrl, type Submodule } from './submodules.ts';
