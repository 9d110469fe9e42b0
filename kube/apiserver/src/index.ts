export { WebhookPending } from './admission/session.ts';
export { expressionWarnings } from './admission/type-warnings.ts';
export { ApiError } from './api-error.ts';
export { type ApiServer, type ApiServerOptions, createApiServer } from './api-server.ts';
export { createTokenSigner, type TokenSigner } from './auth/tokens.ts';
export type {
  Container,
  ContainerRuntime,
  LogRequest,
  PortAnswer,
  PortRequest,
  ProcessStreams,
} from './container-runtime.ts';
export { type Core, microTimestamp, timestamp } from './core.ts';
export { type DurableLog, openDurableLog } from './durable-log.ts';
export type { ApiRequest, ApiResponse, StreamedResponse, TransportRequest } from './http-types.ts';
export { putImported } from './internal-writes.ts';
export {
  childDraft,
  cloneJson,
  type Draft,
  type DraftObject,
  draftObjects,
  equalJson,
  flagAt,
  isDraftObject,
  isObject,
  listAt,
  numberAt,
  objectAt,
  textAt,
  valueAt,
} from './json.ts';
export { type Listener, type ListenOptions, listen } from './listen.ts';
export { createLocalClient, type LocalClient, type ResourcePath } from './local-client.ts';
export { randomSuffix, safeEncode } from './names.ts';
export { OrderedMap } from './ordered-map.ts';
export { countedBy, totalUsage } from './quota.ts';
export type { Propagation } from './remove-object.ts';
export { fromSelectorObject, type LabelSelector, matchesLabels } from './selectors.ts';
export type { ServedResource } from './served-resource.ts';
export { Store, type StoreEvent } from './store.ts';
export { type CertificateAuthority, createAuthority, type KeyPair } from './tls.ts';
export { ADMIN, SYSTEM, type UserInfo } from './user.ts';
