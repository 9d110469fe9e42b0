import {
  ApiError,
  cloneJson,
  type DraftObject,
  equalJson,
  listAt,
  timestamp,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';
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
      const isAuthority = event.key.endsWith('/kube-root-ca.crt');
      if (!event.removed && !(isAuthority && event.bucket === '/configmaps')) return [];
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
  const data = { 'ca.crt': authority };
  const known = client.get('v1/configmaps', namespace, 'kube-root-ca.crt');
  if (known !== undefined) {
    if (equalJson(known['data'], data)) return;
    client.update('v1/configmaps', { ...cloneJson(known), data });
    return;
  }
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
    data,
  });
}

function empty(namespace: KubeObject, { client, clock, again }: Surroundings): void {
  const name = namespace.metadata.name ?? '';
  let left = 0;
  const kinds = new Map<string, number>();
  const finalizers = new Map<string, number>();
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
      const remaining = client.get(path, name, object.metadata.name ?? '');
      if (remaining === undefined) continue;
      left++;
      kinds.set(path, (kinds.get(path) ?? 0) + 1);
      for (const finalizer of remaining.metadata.finalizers ?? []) {
        finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
      }
    }
  }
  const now = timestamp(clock);
  if (left > 0) {
    reportRemaining(namespace, { kinds, finalizers }, now, client);
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

interface Remaining {
  /** How many objects there are, by resource and by finalizer. */
  readonly kinds: ReadonlyMap<string, number>;
  readonly finalizers: ReadonlyMap<string, number>;
}

function reportRemaining(
  namespace: KubeObject,
  { kinds, finalizers }: Remaining,
  now: string,
  client: Surroundings['client'],
): void {
  const resources = [...kinds].map(
    ([path, count]) => `${resourceName(path)} has ${count} resource instances`,
  );
  const holders = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`);
  const wanted: DraftObject[] = [
    ...PASSED,
    {
      type: 'NamespaceContentRemaining',
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${resources.sort().join(', ')}`,
    },
    holders.length === 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${holders.sort().join(', ')}`,
        },
  ];
  const known = listAt(namespace, 'status', 'conditions');
  const conditions = wanted.reduce<readonly Json[]>(
    (all, condition) => withCondition(all, condition, now),
    known,
  );
  if (JSON.stringify(known) === JSON.stringify(conditions)) return;
  const draft = cloneJson(namespace);
  client.updateStatus(NAMESPACES, {
    ...draft,
    status: { phase: 'Terminating', conditions: cloneJson(conditions) },
  } as DraftObject);
}

/** What never goes wrong here. */
const PASSED: readonly DraftObject[] = [
  {
    type: 'NamespaceDeletionDiscoveryFailure',
    status: 'False',
    reason: 'ResourcesDiscovered',
    message: 'All resources successfully discovered',
  },
  {
    type: 'NamespaceDeletionGroupVersionParsingFailure',
    status: 'False',
    reason: 'ParsedGroupVersions',
    message: 'All legacy kube types successfully parsed',
  },
  {
    type: 'NamespaceDeletionContentFailure',
    status: 'False',
    reason: 'ContentDeleted',
    message: 'All content successfully deleted, may be waiting on finalization',
  },
];
