import {
  cloneJson,
  type DraftObject,
  equalJson,
  listAt,
  textAt,
  timestamp,
  valueAt,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import { type Controller, type Surroundings, splitKey } from '../control-loop.ts';
import { withCondition } from '../pods.ts';

const ADDRESS = '127.0.0.1';
const KINDS: Readonly<Record<string, string>> = {
  '/services': 'v1/services',
  'networking.k8s.io/ingresses': 'networking.k8s.io/v1/ingresses',
  'gateway.networking.k8s.io/gateways': 'gateway.networking.k8s.io/v1/gateways',
  'gateway.networking.k8s.io/httproutes': 'gateway.networking.k8s.io/v1/httproutes',
};

/** Whatever a cloud or an ingress controller would answer: load balancers, ingresses and gateways get an address. */
export const exposureController: Controller = {
  name: 'sandbox-exposure',
  keysFor(event) {
    const path = KINDS[event.bucket];
    return path === undefined || event.removed ? [] : [`${path}|${event.key}`];
  },
  reconcile(key, surroundings) {
    const [path = '', place = ''] = key.split('|');
    const object = surroundings.client.get(path, ...splitKey(place));
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
    const status = statusFor(path, object, surroundings);
    if (status === undefined || equalJson(status, valueAt(object, 'status'))) return;
    surroundings.client.updateStatus(path, { ...cloneJson(object), status });
  },
};

function statusFor(
  path: string,
  object: KubeObject,
  { clock }: Surroundings,
): DraftObject | undefined {
  const now = timestamp(clock);
  const generation = object.metadata.generation ?? 1;
  const condition = (type: string, reason: string): DraftObject => ({
    type,
    status: 'True',
    reason,
    message: '',
    observedGeneration: generation,
  });
  switch (path) {
    case 'v1/services':
      if (textAt(object, 'spec', 'type') !== 'LoadBalancer') return undefined;
      return { loadBalancer: { ingress: [{ ip: ADDRESS, ipMode: 'VIP' }] } };
    case 'networking.k8s.io/v1/ingresses':
      return { loadBalancer: { ingress: [{ ip: ADDRESS }] } };
    case 'gateway.networking.k8s.io/v1/gateways': {
      const known = listAt(object, 'status', 'conditions');
      const accepted = withCondition(known, condition('Accepted', 'Accepted'), now);
      return {
        addresses: [{ type: 'IPAddress', value: ADDRESS }],
        conditions: withCondition(accepted, condition('Programmed', 'Programmed'), now),
      };
    }
    default:
      return {
        parents: listAt(object, 'spec', 'parentRefs').map((parent, i) => {
          const known = listAt(listAt(object, 'status', 'parents')[i], 'conditions');
          const accepted = withCondition(known, condition('Accepted', 'Accepted'), now);
          return {
            parentRef: cloneJson(parent),
            controllerName: 'sandbox.capstan.dev/gateway',
            conditions: withCondition(accepted, condition('ResolvedRefs', 'ResolvedRefs'), now),
          };
        }),
      };
  }
}
