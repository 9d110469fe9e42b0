import {
  cloneJson,
  type DraftObject,
  equalJson,
  fromSelectorObject,
  listAt,
  matchesLabels,
  objectAt,
  timestamp,
  valueAt,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import { type Controller, splitKey } from '../control-loop.ts';
import { countOrShare, isActive, isPodReady, withCondition } from '../pods.ts';

const BUDGETS = 'policy/v1/poddisruptionbudgets';

/** PodDisruptionBudgets: how many of the pods they select may be evicted now. */
export const disruptionController: Controller = {
  name: 'disruption-controller',
  keysFor(event, client) {
    if (event.bucket === 'policy/poddisruptionbudgets') return event.removed ? [] : [event.key];
    if (event.bucket !== '/pods') return [];
    const namespace = event.object.metadata.namespace ?? '';
    return client
      .list(BUDGETS, namespace)
      .filter((budget) => selects(budget, event.object))
      .map((budget) => `${namespace}/${budget.metadata.name}`);
  },
  reconcile(key, { client, clock }) {
    const budget = client.get(BUDGETS, ...splitKey(key));
    if (budget === undefined) return;
    const pods = client
      .list('v1/pods', budget.metadata.namespace ?? '')
      .filter((pod) => isActive(pod) && selects(budget, pod));
    const healthy = pods.filter(isPodReady).length;
    const minimum = valueAt(budget, 'spec', 'minAvailable');
    const maximum = valueAt(budget, 'spec', 'maxUnavailable');
    const desired =
      maximum === undefined
        ? countOrShare(minimum ?? 1, pods.length, true)
        : Math.max(0, pods.length - countOrShare(maximum, pods.length, true));
    const allowed = pods.length === 0 ? 0 : Math.max(0, healthy - desired);
    const enough = allowed > 0;
    const status: DraftObject = {
      disruptionsAllowed: allowed,
      currentHealthy: healthy,
      desiredHealthy: desired,
      expectedPods: pods.length,
      observedGeneration: budget.metadata.generation ?? 0,
      conditions: withCondition(
        listAt(budget, 'status', 'conditions'),
        {
          type: 'DisruptionAllowed',
          status: enough ? 'True' : 'False',
          reason: enough ? 'SufficientPods' : 'InsufficientPods',
          message: '',
          observedGeneration: budget.metadata.generation ?? 0,
        },
        timestamp(clock),
      ),
    };
    if (equalJson(status, objectAt(budget, 'status'))) return;
    client.updateStatus(BUDGETS, { ...cloneJson(budget), status });
  },
};

function selects(budget: KubeObject, pod: KubeObject): boolean {
  const selector = fromSelectorObject(valueAt(budget, 'spec', 'selector'));
  return selector !== undefined && matchesLabels(selector, pod.metadata.labels);
}
