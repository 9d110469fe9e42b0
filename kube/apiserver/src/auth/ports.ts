import type { Core } from '../core.ts';
import type { ApiRequest } from '../http-types.ts';
import type { RequestInfo } from '../request-info.ts';
import type { UserInfo } from '../user.ts';

/** Finds out who asks; throws 401 for credentials that are wrong, gives undefined when there are none. */
export type Authenticator = (request: ApiRequest) => UserInfo | undefined;

/** Throws 403 for what the user may not do. */
export type Authorizer = (core: Core, user: UserInfo, info: RequestInfo) => void;

export const allowAll: Authorizer = () => undefined;
