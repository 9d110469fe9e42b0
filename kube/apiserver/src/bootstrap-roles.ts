import type { DraftObject } from './json.ts';

const RBAC = 'rbac.authorization.k8s.io';
const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];

interface RuleNote {
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** What a user of a namespace deals with: read by `view`, written by `edit`. */
const NAMESPACE_RESOURCES: readonly { groups: string[]; resources: string[] }[] = [
  {
    groups: [''],
    resources: [
      'configmaps',
      'endpoints',
      'persistentvolumeclaims',
      'persistentvolumeclaims/status',
      'pods',
      'replicationcontrollers',
      'replicationcontrollers/scale',
      'serviceaccounts',
      'services',
      'services/status',
    ],
  },
  {
    groups: ['apps'],
    resources: [
      'controllerrevisions',
      'daemonsets',
      'daemonsets/status',
      'deployments',
      'deployments/scale',
      'deployments/status',
      'replicasets',
      'replicasets/scale',
      'replicasets/status',
      'statefulsets',
      'statefulsets/scale',
      'statefulsets/status',
    ],
  },
  {
    groups: ['autoscaling'],
    resources: ['horizontalpodautoscalers', 'horizontalpodautoscalers/status'],
  },
  { groups: ['batch'], resources: ['cronjobs', 'cronjobs/status', 'jobs', 'jobs/status'] },
  { groups: ['policy'], resources: ['poddisruptionbudgets', 'poddisruptionbudgets/status'] },
  {
    groups: ['networking.k8s.io'],
    resources: ['ingresses', 'ingresses/status', 'networkpolicies'],
  },
  { groups: ['discovery.k8s.io'], resources: ['endpointslices'] },
];

const VIEW: readonly RuleNote[] = [
  ...NAMESPACE_RESOURCES.map((entry) => ({ ...entry, verbs: READ })),
  {
    groups: [''],
    resources: [
      'bindings',
      'events',
      'limitranges',
      'namespaces',
      'namespaces/status',
      'pods/log',
      'pods/status',
      'replicationcontrollers/status',
      'resourcequotas',
      'resourcequotas/status',
    ],
    verbs: READ,
  },
];

const EDIT: readonly RuleNote[] = [
  {
    groups: [''],
    resources: [
      'secrets',
      'pods/attach',
      'pods/exec',
      'pods/portforward',
      'pods/proxy',
      'services/proxy',
    ],
    verbs: READ,
  },
  { groups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] },
  {
    groups: [''],
    resources: [
      'pods/attach',
      'pods/exec',
      'pods/portforward',
      'pods/proxy',
      'pods/eviction',
      'secrets',
      'events',
      'serviceaccounts/token',
    ],
    verbs: WRITE,
  },
  ...NAMESPACE_RESOURCES.map(({ groups, resources }) => ({
    groups,
    resources: resources.filter((name) => !name.endsWith('/status')),
    verbs: WRITE,
  })),
  { groups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...READ, ...WRITE] },
];

const ADMIN: readonly RuleNote[] = [
  { groups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'], verbs: ['create'] },
  { groups: [RBAC], resources: ['rolebindings', 'roles'], verbs: [...READ, ...WRITE] },
];

function rules(notes: readonly RuleNote[]): DraftObject[] {
  return notes.map(({ groups, resources, verbs }) => ({
    apiGroups: [...groups],
    resources: [...resources],
    verbs: [...verbs],
  }));
}

function clusterRole(
  name: string,
  own: DraftObject[],
  labels: DraftObject = {},
  aggregate?: readonly string[],
): DraftObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: {
      name,
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    },
    ...(aggregate === undefined
      ? {}
      : {
          aggregationRule: {
            clusterRoleSelectors: aggregate.map((to) => ({
              matchLabels: { [`rbac.authorization.k8s.io/aggregate-to-${to}`]: 'true' },
            })),
          },
        }),
    rules: own,
  };
}

function label(...roles: readonly string[]): DraftObject {
  return Object.fromEntries(
    roles.map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']),
  );
}

function binding(name: string, role: string, subjects: readonly string[]): DraftObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: {
      name,
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    },
    subjects: subjects.map((group) => ({ kind: 'Group', apiGroup: RBAC, name: group })),
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
  };
}

const DISCOVERY_PATHS = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/openapi',
  '/openapi/*',
  '/readyz',
  '/version',
  '/version/',
];
const ISSUER_PATHS = [
  '/.well-known/openid-configuration',
  '/.well-known/openid-configuration/',
  '/openid/v1/jwks',
  '/openid/v1/jwks/',
];
const PUBLIC_PATHS = ['/healthz', '/livez', '/readyz', '/version', '/version/'];

/** The roles and bindings that people use and that every cluster has; those of its own components are left out. */
export function bootstrapRoles(): readonly DraftObject[] {
  const everything = [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ];
  return [
    clusterRole('cluster-admin', everything),
    clusterRole('system:aggregate-to-view', rules(VIEW), label('view')),
    clusterRole('system:aggregate-to-edit', rules(EDIT), label('edit')),
    clusterRole('system:aggregate-to-admin', rules(ADMIN), label('admin')),
    clusterRole('view', [], label('edit'), ['view']),
    clusterRole('edit', [], label('admin'), ['edit']),
    clusterRole('admin', [], {}, ['admin']),
    clusterRole('system:discovery', [{ nonResourceURLs: DISCOVERY_PATHS, verbs: ['get'] }]),
    clusterRole('system:public-info-viewer', [{ nonResourceURLs: PUBLIC_PATHS, verbs: ['get'] }]),
    clusterRole(
      'system:basic-user',
      rules([
        {
          groups: ['authorization.k8s.io'],
          resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
          verbs: ['create'],
        },
        { groups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
      ]),
    ),
    clusterRole('system:service-account-issuer-discovery', [
      { nonResourceURLs: ISSUER_PATHS, verbs: ['get'] },
    ]),
    binding('cluster-admin', 'cluster-admin', ['system:masters']),
    binding('system:service-account-issuer-discovery', 'system:service-account-issuer-discovery', [
      'system:serviceaccounts',
    ]),
    binding('system:discovery', 'system:discovery', ['system:authenticated']),
    binding('system:basic-user', 'system:basic-user', ['system:authenticated']),
    binding('system:public-info-viewer', 'system:public-info-viewer', [
      'system:authenticated',
      'system:unauthenticated',
    ]),
  ];
}
