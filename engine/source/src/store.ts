export type { ArchiveReader } from './archive-sources.ts';
export { readArchive, TreeArchiver, type UnpackLimits } from './archive-tree.ts';
export {
  type ArtifactRemote,
  type ArtifactSourcesOptions,
  type ArtifactVersion,
  type OpenArtifactRemote,
  withArtifacts,
} from './artifact-sources.ts';
export { createSourceStore, type SourceStoreOptions } from './create-source-store.ts';
export { signAppToken } from './github-app.ts';
export { type IgnoredTree, ignoreFiles } from './ignore-files.ts';
export { isIgnored, parsePatterns } from './ignore-patterns.ts';
export {
  type PushNotice,
  parsePushWebhook,
  type Sender,
  type WebhookRequest,
  type WebhookSecrets,
} from './parse-push-webhook.ts';
export { pickVersion, pickVersions } from './pick-version.ts';
export { type BucketEntry, S3Bucket, type S3Options } from './s3-bucket.ts';
export type { S3Credentials } from './sign-s3.ts';
