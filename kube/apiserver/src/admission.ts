import { type Json, type KubeObject, quantityToNumber } from '@capstan/kube-object';
import { forbidden } from './api-error.ts';
import { type Core, listBucket } from './core.ts';
import {
  childDraft,
  type DraftObject,
  draftObjects,
  listAt,
  objectAt,
  setDefault,
  textAt,
} from './json.ts';
import type { ServedResource } from './served-resource.ts';
import { quantityOf } from './validation/common.ts';

function quantity(value: Json | undefined): number {
  return quantityToNumber(quantityOf(value));
}

/** The LimitRanger admission for pods: defaults of the namespace's limit ranges, then their bounds. */
export function admitLimits(core: Core, resource: ServedResource, pod: DraftObject): void {
  if (resource.bucket !== '/pods') return;
  const namespace = textAt(pod, 'metadata', 'namespace');
  for (const range of listBucket(core.store, '/limitranges', namespace)) {
    for (const limit of listAt(range, 'spec', 'limits')) {
      if (textAt(limit, 'type') !== 'Container') continue;
      const spec = childDraft(pod, 'spec');
      for (const container of [
        ...draftObjects(spec, 'containers'),
        ...draftObjects(spec, 'initContainers'),
      ]) {
        const resources = childDraft(container, 'resources');
        fill(resources, 'limits', objectAt(limit, 'default'));
        fill(resources, 'requests', objectAt(limit, 'defaultRequest'));
        checkBounds(objectAt(limit), resources, textAt(pod, 'metadata', 'name'));
      }
    }
  }
}

function fill(resources: DraftObject, section: string, defaults: object): void {
  for (const [name, amount] of Object.entries(defaults)) {
    setDefault(childDraft(resources, section), name, String(amount));
  }
}

function checkBounds(limit: object, resources: DraftObject, pod: string): void {
  const fail = (text: string): never => {
    throw forbidden({ group: '', resource: 'pods', name: pod }, text);
  };
  for (const [name, bound] of Object.entries(objectAt(limit, 'max'))) {
    const given = objectAt(resources, 'limits')[name];
    if (given === undefined)
      fail(`maximum ${name} usage per Container is ${bound}.  No limit is specified`);
    else if (quantity(given) > quantity(bound)) {
      fail(`maximum ${name} usage per Container is ${bound}, but limit is ${given}`);
    }
  }
  for (const [name, bound] of Object.entries(objectAt(limit, 'min'))) {
    const given = objectAt(resources, 'requests')[name];
    if (given === undefined)
      fail(`minimum ${name} usage per Container is ${bound}.  No request is specified`);
    else if (quantity(given) < quantity(bound)) {
      fail(`minimum ${name} usage per Container is ${bound}, but request is ${given}`);
    }
  }
}

/** The ResourceQuota admission: refuses what would take a namespace over what it may use. Scopes are not looked at. */
export function admitQuota(core: Core, resource: ServedResource, object: KubeObject): void {
  if (!resource.namespaced) return;
  const namespace = object.metadata.namespace ?? '';
  for (const quota of listBucket(core.store, '/resourcequotas', namespace)) {
    const requested: string[] = [];
    const used: string[] = [];
    const limited: string[] = [];
    let exceeded = false;
    for (const [name, hard] of Object.entries(objectAt(quota, 'spec', 'hard')).sort()) {
      const amount = usageOf(name, resource, object, quota);
      if (amount === undefined) continue;
      const before = sumUsage(core, name, resource, namespace, quota);
      if (before + amount <= quantity(hard)) continue;
      exceeded = true;
      requested.push(`${name}=${show(amount)}`);
      used.push(`${name}=${show(before)}`);
      limited.push(`${name}=${hard}`);
    }
    if (!exceeded) continue;
    throw forbidden(
      { group: resource.group, resource: resource.name, name: object.metadata.name ?? '' },
      `exceeded quota: ${quota.metadata.name}, requested: ${requested.join(',')}, used: ${used.join(',')}, limited: ${limited.join(',')}`,
    );
  }
}

/** Counts are whole; a fraction of a processor is shown in thousandths. */
function show(amount: number): string {
  return Number.isInteger(amount) ? String(amount) : `${Math.round(amount * 1000)}m`;
}

/** What one object takes of a quota's entry; undefined when the entry is not about its kind. */
function usageOf(
  name: string,
  resource: ServedResource,
  object: KubeObject,
  quota: KubeObject,
): number | undefined {
  const counted = resource.group === '' ? resource.name : `${resource.name}.${resource.group}`;
  if (name === `count/${counted}` || (resource.group === '' && name === resource.name)) return 1;
  if (resource.bucket !== '/pods') return undefined;
  const match = /^(?:(requests|limits)\.)?(cpu|memory|ephemeral-storage)$/.exec(name);
  if (match === null) return undefined;
  const section = match[1] ?? 'requests';
  const key = match[2] ?? '';
  let sum = 0;
  for (const container of listAt(object, 'spec', 'containers')) {
    const amount = objectAt(container, 'resources', section)[key];
    if (amount === undefined) {
      throw forbidden(
        { group: '', resource: 'pods', name: object.metadata.name ?? '' },
        `failed quota: ${quota.metadata.name}: must specify ${name} for: ${textAt(container, 'name')}`,
      );
    }
    sum += quantity(amount);
  }
  return sum;
}

function sumUsage(
  core: Core,
  name: string,
  resource: ServedResource,
  namespace: string,
  quota: KubeObject,
): number {
  let sum = 0;
  for (const object of listBucket(core.store, resource.bucket, namespace)) {
    const phase = textAt(object, 'status', 'phase');
    if (resource.bucket === '/pods' && (phase === 'Succeeded' || phase === 'Failed')) continue;
    try {
      sum += usageOf(name, resource, object, quota) ?? 0;
    } catch {
      // Made before the quota was: it takes nothing that is counted.
    }
  }
  return sum;
}
