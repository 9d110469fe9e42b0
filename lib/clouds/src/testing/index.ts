export { type AmazonStandIn, amazonStandIn } from './amazon.ts';
export {
  type BoxAnswer,
  type BoxRequest,
  type CloudBox,
  type CloudService,
  type ForwardedService,
  startCloudBox,
} from './cloud-box.ts';
export { type GoogleStandIn, googleStandIn } from './google.ts';
export { type MicrosoftStandIn, microsoftStandIn } from './microsoft.ts';
