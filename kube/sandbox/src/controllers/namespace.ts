import { ApiError, cloneJson, listAt, timestamp } from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import type { Controller, Surroundings } from '../control-loop.ts';
import { withCondition } from '../pods.ts';

const PODS = 'v1/pods';
const NAMESPACES = 'v1/namespaces';

/** Namespaces: what each begins with, and the emptying of one that is deleted. `authority` is the cluster's CA as PEM. */
export function createNamespaceController(authority: () => string): Controller {
  return {
    name: 'namespace-controller',
    keysFor(event) {
      if (event.bucket === '/namespaces') return event.removed ? [] : [event.key];
      if (!event.removed) return [];
      // The last object of a terminating namespace may have gone; and what belongs to each is made again.
      const namespace = event.object.metadata.namespace;
      return namespace === undefined ? [] : [namespace];
    },
    reconcile(name, surroundings) {
      const namespace = surroundings.client.get(NAMESPACES, '', name);
      if (namespace === undefined) return;
      if (namespace.metadata.deletionTimestamp === undefined) {
        furnish(name, authority(), surroundings);
      } else empty(namespace, surroundings);
    },
  };
}

function furnish(namespace: string, authority: string, { client }: Surroundings): void {
  if (client.get('v1/serviceaccounts', namespace, 'default') === undefined) {
    client.create('v1/serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    });
  }
  if (client.get('v1/configmaps', namespace, 'kube-root-ca.crt') !== undefined) return;
  client.create('v1/configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'kube-root-ca.crt',
      namespace,
      annotations: {
        'kubernetes.io/description':
          'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
      },
    },
    data: { 'ca.crt': authority },
  });
}

function empty(namespace: KubeObject, { client, clock, again }: Surroundings): void {
  const name = namespace.metadata.name ?? '';
  let left = 0;
  const kinds = new Map<string, number>();
  const resources = client.namespacedResources().map(({ path }) => path);
  for (const path of [PODS, ...resources.filter((one) => one !== PODS)]) {
    if (path.endsWith('/events') && !path.startsWith('v1/')) continue;
    // Pods go first: as long as they run they may need what else there is, such as policies that protect them.
    if (path !== PODS && kinds.has(PODS)) break;
    for (const object of client.list(path, name)) {
      if (object.metadata.deletionTimestamp === undefined || path === PODS) {
        try {
          client.remove(path, name, object.metadata.name ?? '', { propagation: 'Background' });
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
        }
      }
      if (client.get(path, name, object.metadata.name ?? '') === undefined) continue;
      left++;
      kinds.set(path, (kinds.get(path) ?? 0) + 1);
    }
  }
  const now = timestamp(clock);
  if (left > 0) {
    const detail = [...kinds].map(
      ([path, count]) => `${resourceName(path)} has ${count} resource instances`,
    );
    reportRemaining(namespace, detail.join(', '), now, client);
    again(name, 200);
    return;
  }
  // Who else holds it lets it go himself; to say again that it is empty would be news to this controller for ever.
  const isHeld = (namespace.metadata.finalizers ?? []).length > 0;
  if (!isHeld || listAt(namespace, 'spec', 'finalizers').includes('kubernetes'))
    client.finalize(name);
}

function resourceName(path: string): string {
  const parts = path.split('/');
  return parts.length === 3 ? `${parts[2]}.${parts[0]}` : `${parts[1]}.`;
}

function reportRemaining(
  namespace: KubeObject,
  detail: string,
  now: string,
  client: Surroundings['client'],
): void {
  const conditions = withCondition(
    listAt(namespace, 'status', 'conditions'),
    {
      type: 'NamespaceContentRemaining',
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${detail}`,
    },
    now,
  );
  const known = listAt(namespace, 'status', 'conditions');
  if (JSON.stringify(known) === JSON.stringify(conditions)) return;
  const draft = cloneJson(namespace);
  client.updateStatus(NAMESPACES, { ...draft, status: { phase: 'Terminating', conditions } });
}
