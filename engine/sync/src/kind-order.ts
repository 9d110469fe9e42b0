/** The order in which Argo CD (after Helm) applies kinds within a wave. Kinds that are not named come last. */
const KINDS: readonly string[] = [
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'SecretList',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleList',
  'ClusterRoleBinding',
  'ClusterRoleBindingList',
  'Role',
  'RoleList',
  'RoleBinding',
  'RoleBindingList',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
];
const RANKS: ReadonlyMap<string, number> = new Map(KINDS.map((kind, rank) => [kind, rank]));

export interface OrderedKind {
  readonly group: string;
  readonly kind: string;
}

export function compareKinds(a: OrderedKind, b: OrderedKind): number {
  return rankOf(a) - rankOf(b);
}

const DEFINITION = RANKS.get('CustomResourceDefinition') ?? 0;

/** A custom kind that is called like one of those before definitions comes after its own definition. */
function rankOf({ group, kind }: OrderedKind): number {
  const rank = RANKS.get(kind) ?? KINDS.length;
  const isFine = rank > DEFINITION || !group.includes('.') || group.endsWith('.k8s.io');
  return isFine ? rank : DEFINITION + 0.5;
}
