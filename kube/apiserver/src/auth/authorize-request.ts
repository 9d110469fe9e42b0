import { ApiError, forbidden } from '../api-error.ts';
import type { Core } from '../core.ts';
import type { RequestInfo } from '../request-info.ts';
import type { UserInfo } from '../user.ts';
import { type Attributes, authorize } from './rbac.ts';

/** Throws 403 with the server's words unless the user's roles allow the request. */
export function authorizeRequest(core: Core, user: UserInfo, info: RequestInfo): void {
  const attributes = attributesOf(info);
  if (authorize(core, user, attributes).allowed) return;
  if (info.kind === 'path') {
    throw new ApiError(
      403,
      'Forbidden',
      `forbidden: User ${JSON.stringify(user.username)} cannot ${attributes.verb} path ${JSON.stringify(info.path)}`,
      { details: {} },
    );
  }
  throw forbiddenFor(user, attributes);
}

export function attributesOf(info: RequestInfo): Attributes {
  if (info.kind === 'path') {
    return {
      verb: info.verb,
      group: '',
      resource: '',
      subresource: '',
      namespace: '',
      name: '',
      path: info.path,
    };
  }
  const { verb, group, resource, subresource, name } = info.resource;
  // A namespace's own name is also the namespace in which its roles are looked up.
  return { verb, group, resource, subresource, namespace: info.resource.namespace, name };
}

export function forbiddenFor(user: UserInfo, attributes: Attributes): ApiError {
  const { verb, group, resource, subresource, namespace, name } = attributes;
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  const place =
    namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return forbidden(
    { group, resource, name },
    `User ${JSON.stringify(user.username)} cannot ${verb} resource ${JSON.stringify(combined)} in API group ${JSON.stringify(group)} ${place}`,
  );
}
