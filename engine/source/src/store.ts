export { createSourceStore, type SourceStoreOptions } from './create-source-store.ts';
export {
  type PushNotice,
  parsePushWebhook,
  type Sender,
  type WebhookRequest,
  type WebhookSecrets,
} from './parse-push-webhook.ts';
