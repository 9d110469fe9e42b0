import type { ApplicationPlan } from '@capstan/argocd-application-sets';
import { jsonMergePatch } from '@capstan/kube-merge';
import { type KubeObject, keyOf, keyString } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';

/** The objects of an Application; throws when they are not known. */
export type Preview = (application: KubeObject) => Promise<readonly KubeObject[]>;

export interface ResourceChange {
  /** `?`: they are not known, for the reason told. */
  readonly sign: '+' | '~' | '-' | '?';
  readonly text: string;
}

/** What a plan does to the resources of each Application, by its name. */
export async function planResources(
  plan: Pick<ApplicationPlan, 'create' | 'update' | 'remove'>,
  existing: readonly KubeObject[],
  preview: Preview,
): Promise<ReadonlyMap<string, readonly ResourceChange[]>> {
  const result = new Map<string, readonly ResourceChange[]>();
  const find = (name: string) => existing.find(({ metadata }) => metadata.name === name);
  for (const application of plan.create) {
    const name = application.metadata.name ?? '';
    result.set(name, await attempt(async () => compare([], await preview(application))));
  }
  for (const { name, patch } of plan.update) {
    const live = find(name);
    if (live === undefined) continue;
    const next = jsonMergePatch(live, patch) as KubeObject;
    const change = async () => compare(await preview(live), await preview(next));
    result.set(name, await attempt(change));
  }
  for (const { name } of plan.remove) result.set(name, listed(find(name)));
  return result;
}

async function attempt(
  run: () => Promise<readonly ResourceChange[]>,
): Promise<readonly ResourceChange[]> {
  try {
    return await run();
  } catch (error) {
    return [{ sign: '?', text: `its resources are not known: ${messageOf(error)}` }];
  }
}

function compare(
  before: readonly KubeObject[],
  after: readonly KubeObject[],
): readonly ResourceChange[] {
  const [old, next] = [byKey(before), byKey(after)];
  const keys = [...new Set([...old.keys(), ...next.keys()])].sort();
  return keys.flatMap((key): readonly ResourceChange[] => {
    const [was, will] = [old.get(key), next.get(key)];
    const text = nameOf((will ?? was) as KubeObject);
    if (was === undefined) return [{ sign: '+', text }];
    if (will === undefined) return [{ sign: '-', text }];
    return JSON.stringify(was) === JSON.stringify(will) ? [] : [{ sign: '~', text }];
  });
}

function byKey(objects: readonly KubeObject[]): ReadonlyMap<string, KubeObject> {
  return new Map(objects.map((object) => [keyString(keyOf(object)), object]));
}

function nameOf(object: KubeObject): string {
  const { group, kind, namespace, name } = keyOf(object);
  const type = group === '' ? kind : `${group}/${kind}`;
  return `${type} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

/** What a deleted Application has in place, by its status. */
function listed(application: KubeObject | undefined): readonly ResourceChange[] {
  const status = application?.['status'];
  const resources =
    typeof status === 'object' && status !== null && 'resources' in status
      ? status['resources']
      : undefined;
  if (!Array.isArray(resources)) return [];
  return resources.flatMap((one): readonly ResourceChange[] => {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return [];
    const { group = '', kind = '', namespace = '', name = '' } = one as Record<string, unknown>;
    const type = group === '' ? kind : `${group}/${kind}`;
    return [{ sign: '-', text: `${type} ${namespace === '' ? '' : `${namespace}/`}${name}` }];
  });
}
