import {
  cloneJson,
  countedBy,
  type DraftObject,
  equalJson,
  objectAt,
  totalUsage,
  valueAt,
} from '@capstan/kube-apiserver';
import { formatQuantity } from '@capstan/kube-object';
import { type Controller, splitKey } from '../control-loop.ts';

const QUOTAS = 'v1/resourcequotas';

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
    const namespace = quota.metadata.namespace ?? '';
    const used: DraftObject = {};
    for (const entry of Object.keys(hard)) {
      const counted = countedBy(entry);
      const resource = client
        .namespacedResources()
        .find(({ name, group }) => name === counted.name && group === counted.group);
      if (resource === undefined) continue;
      const objects = client.list(resource.path, namespace);
      used[entry] = formatQuantity(totalUsage(quota, entry, counted, objects));
    }
    const status: DraftObject = { hard: cloneJson(hard), used };
    if (equalJson(status, valueAt(quota, 'status'))) return;
    client.updateStatus(QUOTAS, { ...cloneJson(quota), status });
  },
};
