import type { FieldError, KubeObject } from '@capstan/kube-object';
import { equalJson, isObject, objectAt, textAt } from '../json.ts';
import type { StrategyContext } from '../served-resource.ts';
import { MASTERS_GROUP } from '../user.ts';
import { forbiddenAt } from './checks.ts';

const ANY = '*';

/** Who makes a policy with parameters must be allowed to read all of their kind (registry/admissionregistration's authz). */
export function paramKindAccess(
  policy: KubeObject,
  old: KubeObject | undefined,
  context: StrategyContext,
): readonly FieldError[] {
  const paramKind = objectAt(policy, 'spec')['paramKind'];
  if (!isObject(paramKind) || equalJson(paramKind, objectAt(old, 'spec')['paramKind'])) return [];
  const { group, resource } = resourceOf(paramKind, context);
  const asked = { verb: 'get', group, resource, namespace: ANY, name: ANY };
  if (isMaster(context) || context.mayDo(asked)) return [];
  const [kind, apiVersion] = [textAt(paramKind, 'kind'), textAt(paramKind, 'apiVersion')];
  const detail = `user ${showUser(context)} must have "get" permission on all objects of the referenced paramKind (kind=${kind}, apiVersion=${apiVersion})`;
  return [forbiddenAt('spec.paramKind', detail)];
}

/** Who binds a policy to parameters must be allowed to read those. */
export function paramRefAccess(
  binding: KubeObject,
  old: KubeObject | undefined,
  context: StrategyContext,
  policies: string,
): readonly FieldError[] {
  const { paramRef, policyName } = objectAt(binding, 'spec');
  const before = objectAt(old, 'spec');
  const isSame = equalJson(paramRef, before['paramRef']) && policyName === before['policyName'];
  if (!isObject(paramRef) || isSame || isMaster(context)) return [];
  const policy = context.find(policies, String(policyName));
  const paramKind = objectAt(policy, 'spec')['paramKind'];
  const { group, resource } = isObject(paramKind)
    ? resourceOf(paramKind, context)
    : { group: ANY, resource: ANY };
  const name = textAt(paramRef, 'name');
  const verb = name === '' ? 'list' : 'get';
  const asked = { verb, group, resource, namespace: textAt(paramRef, 'namespace'), name };
  if (context.mayDo(asked)) return [];
  const user = showUser(context);
  // Of mutating policies the original says these two in the wrong order.
  const isSwapped = binding.kind.startsWith('Mutating');
  const [who, what] = isSwapped ? [verb, user] : [user, verb];
  const detail =
    policy === undefined
      ? `unable to get policy ${String(policyName)} to determine minimum required permissions and user ${user} does not have "${verb}" permission for all groups, versions and resources`
      : isObject(paramKind) && resource === ANY
        ? `unable to resolve paramKind &ParamKind{APIVersion:${textAt(paramKind, 'apiVersion')},Kind:${textAt(paramKind, 'kind')},} to determine minimum required permissions and user ${user} does not have "${verb}" permission for all groups, versions and resources`
        : `user ${who} does not have "${what}" permission on the object referenced by paramRef`;
  return [forbiddenAt('spec.paramRef', detail)];
}

function isMaster({ user }: StrategyContext): boolean {
  return user.groups.includes(MASTERS_GROUP);
}

function resourceOf(
  paramKind: object,
  context: StrategyContext,
): { readonly group: string; readonly resource: string } {
  const [version = '', group = ''] = textAt(paramKind, 'apiVersion').split('/').reverse();
  const resource = context.resourceOf(group, version, textAt(paramKind, 'kind'));
  return { group, resource: resource ?? ANY };
}

/** As Go prints a user. */
function showUser({ user }: StrategyContext): string {
  const extra = Object.entries(user.extra ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, values]) => `${key}:[${values.join(' ')}]`);
  return `&{${user.username} ${user.uid ?? ''} [${user.groups.join(' ')}] map[${extra.join(' ')}]}`;
}
