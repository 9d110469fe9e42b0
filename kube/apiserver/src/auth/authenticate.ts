import { timingSafeEqual } from 'node:crypto';
import { ApiError, unauthorized } from '../api-error.ts';
import type { Core } from '../core.ts';
import type { ApiRequest } from '../http-types.ts';
import type { UserInfo } from '../user.ts';
import { forbiddenFor } from './authorize-request.ts';
import { authorize } from './rbac.ts';
import type { TokenSigner } from './tokens.ts';

/** The name and groups of a verified client certificate, as the listener hands them over. */
export interface ClientCertificate {
  readonly username: string;
  readonly groups: readonly string[];
}

export interface Credentials {
  readonly signer: TokenSigner;
  /** Bearer tokens of people. */
  readonly staticTokens: ReadonlyMap<string, UserInfo>;
}

const AUTHENTICATED = 'system:authenticated';
const ANONYMOUS: UserInfo = {
  username: 'system:anonymous',
  groups: ['system:unauthenticated'],
  extra: {},
};

/** Who asks: by client certificate, else by bearer token, else nobody. A wrong token is refused, not ignored. */
export function authenticate(
  core: Core,
  request: ApiRequest,
  certificate: ClientCertificate | undefined,
  credentials: Credentials,
): UserInfo {
  if (certificate !== undefined) {
    return {
      username: certificate.username,
      groups: [...certificate.groups, AUTHENTICATED],
      extra: {},
    };
  }
  const header = request.headers['authorization'] ?? '';
  const match = /^bearer\s+(.+)$/i.exec(header);
  if (match === null) return ANONYMOUS;
  const token = match[1]!.trim();
  for (const [known, user] of credentials.staticTokens) {
    if (sameText(known, token)) return user;
  }
  const found = credentials.signer.check(core, token);
  if (found === undefined) throw unauthorized();
  return found.user;
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Impersonate-User, -Group, -Uid and -Extra-…: each must be allowed to the one who asks. */
export function impersonate(core: Core, user: UserInfo, request: ApiRequest): UserInfo {
  const { headers } = request;
  const name = headers['impersonate-user'];
  const groups = (headers['impersonate-group'] ?? '')
    .split(',')
    .map((g) => g.trim())
    .filter((g) => g !== '');
  const uid = headers['impersonate-uid'];
  const extra: Record<string, string[]> = {};
  for (const [key, value] of Object.entries(headers)) {
    if (key.startsWith('impersonate-extra-')) {
      extra[decodeURIComponent(key.slice('impersonate-extra-'.length))] = value
        .split(',')
        .map((v) => v.trim());
    }
  }
  if (name === undefined) {
    if (groups.length === 0 && uid === undefined && Object.keys(extra).length === 0) return user;
    throw new ApiError(
      500,
      'InternalError',
      'Internal error occurred: requested impersonation of groups, uid or extra without impersonating a user',
    );
  }
  require(core, user, 'users', name);
  for (const group of groups) require(core, user, 'groups', group);
  if (uid !== undefined) require(core, user, 'uids', uid);
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const own =
    account === null ? [] : ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`];
  const all = groups.length > 0 ? groups : own;
  return {
    username: name,
    groups: name === ANONYMOUS.username ? all : [...new Set([...all, AUTHENTICATED])],
    extra,
    ...(uid === undefined ? {} : { uid }),
  };
}

function require(core: Core, user: UserInfo, resource: string, name: string): void {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const attributes = {
    verb: 'impersonate',
    group: resource === 'uids' ? 'authentication.k8s.io' : '',
    resource: account !== null && resource === 'users' ? 'serviceaccounts' : resource,
    subresource: '',
    namespace: account !== null && resource === 'users' ? account[1]! : '',
    name: account !== null && resource === 'users' ? account[2]! : name,
  };
  if (!authorize(core, user, attributes).allowed) throw forbiddenFor(user, attributes);
}
