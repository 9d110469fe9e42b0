export { ApiError } from './api-error.ts';
export { type ApiServer, type ApiServerOptions, createApiServer } from './api-server.ts';
export type { ApiRequest, ApiResponse, StreamedResponse } from './http-types.ts';
export { type Listener, type ListenOptions, listen } from './listen.ts';
export { Store, type StoreEvent } from './store.ts';
export type { CertificateAuthority, KeyPair } from './tls.ts';
export { ADMIN, SYSTEM, type UserInfo } from './user.ts';
