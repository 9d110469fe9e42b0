export {
  ApiError,
  type ApiStatus,
  isAlreadyExists,
  isConflict,
  isExpired,
  isNotFound,
  type StatusCause,
} from './api-error.ts';
export {
  type ClusterConnection,
  type Credential,
  type Credentials,
  fixedCredentials,
} from './connection.ts';
export { type ClientOptions, connect, createKubeClient } from './create-client.ts';
export { type ExecPlugin, execCredentials } from './exec-credentials.ts';
export { createHttpTransport, type HttpTransportOptions } from './http-transport.ts';
export { type InProcessServer, inProcessTransport } from './in-process-transport.ts';
export { formatJson, parseJson } from './json.ts';
export type {
  AccessAnswer,
  AccessQuestion,
  Answer,
  ApplyOptions,
  DeleteCollectionOptions,
  DeleteOptions,
  Discovery,
  ExecOptions,
  ExecSession,
  FollowEvent,
  FollowOptions,
  FollowPiece,
  GetOptions,
  Identity,
  KindRef,
  KubeClient,
  ListOptions,
  LogOptions,
  ObjectPage,
  ObjectRef,
  PatchOptions,
  PortConnection,
  RequestOptions,
  ResourceKind,
  ServerVersion,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './kube-client.ts';
export {
  inClusterConnection,
  type LoadOptions,
  loadKubeconfig,
  type ParseOptions,
  parseKubeconfig,
} from './kubeconfig.ts';
export type { LimiterOptions } from './limiter.ts';
export { createLiveState } from './live-state.ts';
export type {
  KindState,
  LiveChange,
  LiveObject,
  LiveState,
  LiveStateOptions,
  WatchedKind,
} from './live-state-types.ts';
export { NetworkError } from './network-error.ts';
export type { RequestObserver } from './requester.ts';
export { compareResourceVersions } from './resource-version.ts';
export { type SharedKinds, withSharedKinds } from './shared-kinds.ts';
export type {
  MessageSocket,
  Transport,
  TransportRequest,
  TransportResponse,
} from './transport.ts';
export { isBulky, isVolatile, trimObject } from './trim-object.ts';
