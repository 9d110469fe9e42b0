import {
  cloneJson,
  type DraftObject,
  equalJson,
  listAt,
  objectAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import { type Controller, type Surroundings, splitKey } from '../control-loop.ts';
import { isActive } from '../pods.ts';
import { addQuantities } from '../quantities.ts';

const QUOTAS = 'v1/resourcequotas';
const COUNTED: Readonly<Record<string, string>> = {
  configmaps: 'v1/configmaps',
  persistentvolumeclaims: 'v1/persistentvolumeclaims',
  replicationcontrollers: 'v1/replicationcontrollers',
  resourcequotas: 'v1/resourcequotas',
  secrets: 'v1/secrets',
  services: 'v1/services',
};

/** ResourceQuotas: what a namespace uses of what it may. */
export const quotaController: Controller = {
  name: 'resourcequota-controller',
  keysFor(event, client) {
    const namespace = event.object.metadata.namespace;
    if (namespace === undefined || event.bucket === '/events') return [];
    return client.list(QUOTAS, namespace).map((quota) => `${namespace}/${quota.metadata.name}`);
  },
  reconcile(key, surroundings) {
    const { client } = surroundings;
    const quota = client.get(QUOTAS, ...splitKey(key));
    if (quota === undefined) return;
    const hard = objectAt(quota, 'spec', 'hard');
    const used: DraftObject = {};
    for (const name of Object.keys(hard)) {
      const amount = usage(name, quota.metadata.namespace ?? '', surroundings);
      if (amount !== undefined) used[name] = amount;
    }
    const status: DraftObject = { hard: cloneJson(hard), used };
    if (equalJson(status, valueAt(quota, 'status'))) return;
    client.updateStatus(QUOTAS, { ...cloneJson(quota), status });
  },
};

function usage(name: string, namespace: string, { client }: Surroundings): string | undefined {
  const path = COUNTED[name];
  if (path !== undefined) return String(client.list(path, namespace).length);
  const pods = client.list('v1/pods', namespace).filter(isActive);
  if (name === 'pods' || name === 'count/pods') return String(pods.length);
  const count = /^count\/([^.]+)(?:\.(.+))?$/.exec(name);
  if (count !== null) {
    const group = count[2];
    const found = client
      .namespacedResources()
      .find((resource) => resource.name === count[1] && resource.group === (group ?? ''));
    return found === undefined ? undefined : String(client.list(found.path, namespace).length);
  }
  const request = /^(?:(requests|limits)\.)?(cpu|memory|storage|ephemeral-storage)$/.exec(name);
  if (request === null) return undefined;
  const section = request[1] ?? 'requests';
  return addQuantities(pods.flatMap((pod) => amounts(pod, section, request[2] ?? '')));
}

function amounts(pod: KubeObject, section: string, resource: string): string[] {
  return listAt(pod, 'spec', 'containers')
    .map((container) => objectAt(container, 'resources', section)[resource])
    .filter((value) => value !== undefined)
    .map(String);
}
