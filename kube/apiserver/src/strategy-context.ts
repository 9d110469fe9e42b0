import { authorize } from './auth/rbac.ts';
import { type Core, listBucket, timestamp } from './core.ts';
import type { StrategyContext } from './served-resource.ts';
import type { UserInfo } from './user.ts';

/** What a kind's strategy may ask of the cluster, on behalf of a user. */
export function strategyContext(
  core: Core,
  user: UserInfo,
  warn: (text: string) => void,
): StrategyContext {
  return {
    find: (bucket, key) => core.store.get(bucket, key),
    list: (bucket, namespace) => listBucket(core.store, bucket, namespace),
    mayDo: (asked) => authorize(core, user, { subresource: '', ...asked }).allowed,
    resourceOf: (group, version, kind) => core.registry.findKind(group, version, kind)?.name,
    newUid: core.newUid,
    now: () => timestamp(core.clock),
    random: core.random,
    user,
    warn,
  };
}
