import type { ObjectKey } from '@capstan/kube-object';

/** The order in which Flux applies kinds, lists them in inventories and tells of them; others lie between the two. */
const FIRST = [
  'CustomResourceDefinition',
  'Namespace',
  'ClusterRole',
  'ClusterClass',
  'RuntimeClass',
  'PriorityClass',
  'StorageClass',
  'VolumeSnapshotClass',
  'IngressClass',
  'GatewayClass',
  'ClusterRoleBinding',
  'ResourceQuota',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'LimitRange',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
const RANKS: ReadonlyMap<string, number> = new Map([
  ...FIRST.map((kind, at) => [kind, at - FIRST.length] as const),
  ...LAST.map((kind, at) => [kind, at + 1] as const),
]);

/** Classes of every kind are a stage of their own, before all that may refer to them. */
function rankOf({ kind }: ObjectKey): number {
  return RANKS.get(kind) ?? (kind.endsWith('Class') ? CLASS : 0);
}
const CLASS = (RANKS.get('ClusterRoleBinding') ?? 0) - 0.5;

export function compareKeys(a: ObjectKey, b: ObjectKey): number {
  return (
    rankOf(a) - rankOf(b) ||
    compareText(a.group, b.group) ||
    compareText(a.kind, b.kind) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
