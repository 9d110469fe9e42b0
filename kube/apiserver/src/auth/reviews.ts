import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { badRequest, invalid } from '../api-error.ts';
import { type Core, timestamp } from '../core.ts';
import { type DraftObject, listAt, objectAt, textAt } from '../json.ts';
import type { UserInfo } from '../user.ts';
import { type Attributes, authorize, rulesFor } from './rbac.ts';

/** The answer to a created review; none of these kinds is ever stored. Undefined for any other bucket. */
export function answerReview(
  core: Core,
  bucket: string,
  review: DraftObject,
  request: { readonly user: UserInfo; readonly namespace: string },
): KubeObject | undefined {
  switch (bucket) {
    case 'authorization.k8s.io/selfsubjectaccessreviews':
      return withStatus(review, decide(core, request.user, objectAt(review, 'spec')));
    case 'authorization.k8s.io/subjectaccessreviews':
    case 'authorization.k8s.io/localsubjectaccessreviews':
      return subjectReview(core, review);
    case 'authorization.k8s.io/selfsubjectrulesreviews':
      return rulesReview(core, { ...review, metadata: {} }, request.user);
    case 'authentication.k8s.io/selfsubjectreviews':
      return withStatus(stamped(core, review), { userInfo: userObject(request.user) });
    case 'authentication.k8s.io/tokenreviews':
      return tokenReview(core, review);
    default:
      return undefined;
  }
}

export function isReview(bucket: string): boolean {
  return /^(authorization|authentication)\.k8s\.io\/.*reviews$/.test(bucket);
}

function withStatus(review: DraftObject, status: JsonObject): KubeObject {
  return { ...review, status } as unknown as KubeObject;
}

function stamped(core: Core, review: DraftObject): DraftObject {
  const metadata = {
    ...(review['metadata'] as DraftObject),
    creationTimestamp: timestamp(core.clock),
  };
  return { ...review, metadata };
}

export function userObject(user: UserInfo): JsonObject {
  return {
    username: user.username,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.groups.length === 0 ? {} : { groups: [...user.groups] }),
    ...(Object.keys(user.extra).length === 0
      ? {}
      : { extra: Object.fromEntries(Object.entries(user.extra).map(([k, v]) => [k, [...v]])) }),
  };
}

function decide(core: Core, user: UserInfo, spec: JsonObject): JsonObject {
  const resource = spec['resourceAttributes'];
  const path = spec['nonResourceAttributes'];
  if (resource === undefined && path === undefined) {
    throw invalid({ group: 'authorization.k8s.io', kind: 'SelfSubjectAccessReview', name: '' }, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.resourceAttributes',
        value: null,
        detail: 'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      },
    ]);
  }
  const attributes: Attributes = {
    verb: textAt(resource ?? path, 'verb'),
    group: textAt(resource, 'group'),
    resource: textAt(resource, 'resource'),
    subresource: textAt(resource, 'subresource'),
    namespace: textAt(resource, 'namespace'),
    name: textAt(resource, 'name'),
    ...(path === undefined ? {} : { path: textAt(path, 'path') }),
  };
  const { allowed, reason } = authorize(core, user, attributes);
  return { allowed, ...(reason === '' ? {} : { reason }) };
}

function subjectReview(core: Core, review: DraftObject): KubeObject {
  const spec = objectAt(review, 'spec');
  const username = textAt(spec, 'user');
  const groups = listAt(spec, 'groups').map(String);
  if (username === '' && groups.length === 0) {
    throw badRequest('at least one of user or group must be specified');
  }
  const user: UserInfo = { username, groups, extra: {} };
  return withStatus(review, decide(core, user, spec));
}

function rulesReview(core: Core, review: DraftObject, user: UserInfo): KubeObject {
  const namespace = textAt(review, 'spec', 'namespace');
  if (namespace === '') throw badRequest('no namespace on request');
  const resourceRules: Json[] = [];
  const nonResourceRules: Json[] = [];
  if (user.groups.includes('system:masters')) {
    resourceRules.push({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] });
    nonResourceRules.push({ verbs: ['*'], nonResourceURLs: ['*'] });
  }
  for (const { rules } of rulesFor(core, user, namespace)) {
    for (const rule of rules) {
      const verbs = [...listAt(rule, 'verbs')];
      const urls = [...listAt(rule, 'nonResourceURLs')];
      if (urls.length > 0) nonResourceRules.push({ verbs, nonResourceURLs: urls });
      const names = [...listAt(rule, 'resourceNames')];
      if (listAt(rule, 'resources').length === 0) continue;
      resourceRules.push({
        verbs,
        apiGroups: [...listAt(rule, 'apiGroups')],
        resources: [...listAt(rule, 'resources')],
        ...(names.length === 0 ? {} : { resourceNames: names }),
      });
    }
  }
  return withStatus(
    { ...review, spec: {} },
    { resourceRules, nonResourceRules, incomplete: false },
  );
}

function tokenReview(core: Core, review: DraftObject): KubeObject {
  const token = textAt(review, 'spec', 'token');
  const found = token === '' ? undefined : core.signer.check(core, token);
  if (found === undefined) {
    return withStatus(review, {
      user: {},
      error: token === '' ? 'no token was given' : 'invalid bearer token',
    });
  }
  const wanted = listAt(review, 'spec', 'audiences').map(String);
  const audiences =
    wanted.length === 0 ? found.audiences : wanted.filter((a) => found.audiences.includes(a));
  if (audiences.length === 0) {
    return withStatus(review, { user: {}, error: 'token audiences do not match' });
  }
  return withStatus(review, {
    authenticated: true,
    user: userObject(found.user),
    audiences: [...audiences],
  });
}
