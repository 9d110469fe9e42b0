import type { KubeObject } from '@capstan/kube-object';
import { aggregatedRules } from './auth/rbac.ts';
import { bootstrapRoles } from './bootstrap-roles.ts';
import { type Core, listBucket, timestamp } from './core.ts';
import { cloneJson, type Draft, type DraftObject, equalJson, textAt, valueAt } from './json.ts';
import { createLocalClient } from './local-client.ts';

import { SYSTEM } from './user.ts';

const CLUSTER_ROLES = 'rbac.authorization.k8s.io/v1/clusterroles';

/** The objects that every cluster begins with; those that exist already stay as they are. */
export function bootstrap(core: Core): void {
  const ensure = creator(core);
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    ensure('v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  for (const role of bootstrapRoles()) {
    const plural = role['kind'] === 'ClusterRole' ? 'clusterroles' : 'clusterrolebindings';
    ensure(`rbac.authorization.k8s.io/v1/${plural}`, role);
  }
  for (const [name, value] of [
    ['system-cluster-critical', 2_000_000_000],
    ['system-node-critical', 2_000_001_000],
  ] as const) {
    ensure('scheduling.k8s.io/v1/priorityclasses', {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
    });
  }
  ensure('v1/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      clusterIP: '10.0.0.1',
      ports: [{ name: 'https', port: 443, targetPort: 443 }],
    },
  });
  ensureServiceRange(core);
  keepAggregates(core);
}

/** The range that addresses of services come from. */
function ensureServiceRange(core: Core): void {
  const path = 'networking.k8s.io/v1/servicecidrs';
  const client = createLocalClient(core, SYSTEM, 'kube-apiserver');
  if (client.get(path, '', 'kubernetes') !== undefined) return;
  const made = client.create(path, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes', finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
    spec: { cidrs: ['10.0.0.0/16'] },
  });
  const condition = {
    lastTransitionTime: timestamp(core.clock),
    message: 'Kubernetes Service CIDR is ready',
    reason: '',
    status: 'True',
    type: 'Ready',
  };
  client.updateStatus(path, { ...cloneJson(made), status: { conditions: [condition] } });
}

function creator(core: Core): (path: string, object: DraftObject) => void {
  const client = createLocalClient(core, SYSTEM, 'kube-apiserver');
  return (path, object) => {
    const namespace = textAt(object, 'metadata', 'namespace');
    const name = textAt(object, 'metadata', 'name');
    if (client.get(path, namespace, name) === undefined)
      client.create(path, cloneJson(object as KubeObject));
  };
}

/** Rules of aggregating roles follow those that they select, from the start and on every change. */
function keepAggregates(core: Core): void {
  const client = createLocalClient(core, SYSTEM, 'clusterrole-aggregation-controller');
  const refresh = (): void => {
    // A role may aggregate one that aggregates: as many rounds as there are levels in practice.
    for (let round = 0; round < 4; round++) {
      let changed = false;
      for (const role of listBucket(core.store, 'rbac.authorization.k8s.io/clusterroles')) {
        const rules = aggregatedRules(core, role);
        if (rules === undefined || equalJson(rules, valueAt(role, 'rules') ?? [])) continue;
        client.update(CLUSTER_ROLES, { ...cloneJson(role), rules: cloneJson([...rules]) as Draft });
        changed = true;
      }
      if (!changed) return;
    }
  };
  refresh();
  let running = false;
  core.store.subscribe((event) => {
    if (event.bucket !== 'rbac.authorization.k8s.io/clusterroles' || running) return;
    running = true;
    queueMicrotask(() => {
      refresh();
      running = false;
    });
  });
}
