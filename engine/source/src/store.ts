export type { ArchiveReader } from './archive-sources.ts';
export { readArchive, TreeArchiver, type UnpackLimits } from './archive-tree.ts';
export { createSourceStore, type SourceStoreOptions } from './create-source-store.ts';
export { type IgnoredTree, ignoreFiles } from './ignore-files.ts';
export {
  type PushNotice,
  parsePushWebhook,
  type Sender,
  type WebhookRequest,
  type WebhookSecrets,
} from './parse-push-webhook.ts';
