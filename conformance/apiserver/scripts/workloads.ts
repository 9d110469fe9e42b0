import type { Script, Step } from '@capstan/kube-apiserver/testing';
import { prepare, TABLE } from './kinds.ts';
import { SAMPLES } from './samples.ts';

const MERGE = 'application/merge-patch+json';

function deployment(change: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...SAMPLES['deployment']?.object, ...change };
}

function spec(change: Record<string, unknown>): Record<string, unknown> {
  const object = deployment();
  return { ...object, spec: { ...(object['spec'] as object), ...change } };
}

/** Status, scale and eviction, validation of workloads, custom resources, access. */
export function workloadScripts(): Script[] {
  const path = '/apis/apps/v1/namespaces/w-deploy/deployments';
  return [
    {
      name: 'workload-deployment',
      steps: [
        ...prepare('w-deploy'),
        { method: 'POST', path, body: deployment() },
        { method: 'GET', path: `${path}/sample/scale` },
        {
          method: 'PUT',
          path: `${path}/sample/scale`,
          body: {
            apiVersion: 'autoscaling/v1',
            kind: 'Scale',
            metadata: { name: 'sample', namespace: 'w-deploy' },
            spec: { replicas: 4 },
          },
        },
        {
          method: 'PATCH',
          path: `${path}/sample/scale`,
          type: MERGE,
          body: { spec: { replicas: 5 } },
        },
        {
          method: 'PATCH',
          path: `${path}/sample/scale`,
          type: MERGE,
          body: { spec: { replicas: -1 } },
        },
        {
          method: 'PATCH',
          path: `${path}/sample/status?fieldManager=controller`,
          type: MERGE,
          body: {
            status: {
              replicas: 2,
              readyReplicas: 1,
              conditions: [
                {
                  type: 'Available',
                  status: 'False',
                  reason: 'R',
                  message: 'm',
                  lastUpdateTime: '2026-01-01T00:00:00Z',
                  lastTransitionTime: '2026-01-01T00:00:00Z',
                },
              ],
            },
            spec: { replicas: 9 },
          },
        },
        { method: 'PATCH', path: `${path}/sample`, type: MERGE, body: { status: { replicas: 7 } } },
        { method: 'GET', path: `${path}/sample`, accept: TABLE },
        {
          method: 'PATCH',
          path: `${path}/sample?fieldManager=ssa`,
          type: 'application/apply-patch+yaml',
          body: {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            metadata: { name: 'sample' },
            spec: { template: { spec: { containers: [{ name: 'main', image: 'other' }] } } },
          },
        },
        {
          method: 'PATCH',
          path: `${path}/sample?fieldManager=ssa&force=true`,
          type: 'application/apply-patch+yaml',
          body: {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            metadata: { name: 'sample' },
            spec: {
              template: {
                spec: {
                  containers: [
                    { name: 'main', image: 'other' },
                    { name: 'side', image: 'x' },
                  ],
                },
              },
            },
          },
        },
        {
          method: 'PATCH',
          path: `${path}/sample?fieldManager=ssa`,
          type: 'application/apply-patch+yaml',
          body: {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            metadata: { name: 'sample' },
            spec: { template: { spec: { containers: [{ name: 'main', image: 'other' }] } } },
          },
        },
        {
          method: 'PATCH',
          path: `${path}/sample`,
          type: 'application/strategic-merge-patch+json',
          body: {
            spec: {
              template: {
                spec: { containers: [{ name: 'main', env: [{ name: 'B', value: 'c' }] }] },
              },
            },
          },
        },
        {
          method: 'PATCH',
          path: `${path}/sample`,
          type: MERGE,
          body: { spec: { selector: { matchLabels: { other: 'x' } } } },
        },
        { method: 'GET', path: `${path}/sample/nonsense` },
        { method: 'DELETE', path: `${path}/sample` },
      ],
    },
    {
      name: 'workload-validation',
      steps: [
        ...prepare('w-valid'),
        ...[
          spec({ replicas: -1 }),
          spec({ replicas: '3' }),
          spec({ replicas: 1.5 }),
          spec({ selector: undefined }),
          spec({ selector: {} }),
          spec({ selector: { matchLabels: { other: 'x' } } }),
          spec({ template: { metadata: { labels: { app: 'sample' } }, spec: { containers: [] } } }),
          spec({ template: { metadata: { labels: { app: 'sample' } }, spec: {} } }),
          spec({
            template: {
              metadata: { labels: { app: 'sample' } },
              spec: { containers: [{ name: 'a' }] },
            },
          }),
          spec({
            template: {
              metadata: { labels: { app: 'sample' } },
              spec: { containers: [{ image: 'a' }] },
            },
          }),
          spec({
            template: {
              metadata: { labels: { app: 'sample' } },
              spec: {
                containers: [
                  { name: 'A_', image: 'a' },
                  { name: 'b', image: 'b' },
                  { name: 'b', image: 'b' },
                ],
              },
            },
          }),
          spec({
            template: {
              metadata: { labels: { app: 'sample' } },
              spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] },
            },
          }),
          spec({
            template: {
              metadata: { labels: { app: 'sample' } },
              spec: {
                containers: [
                  {
                    name: 'a',
                    image: 'a',
                    ports: [{ containerPort: 0 }, { containerPort: 70000 }],
                    imagePullPolicy: 'Sometimes',
                    volumeMounts: [{ name: 'x', mountPath: '/x' }],
                  },
                ],
              },
            },
          }),
          spec({
            template: {
              metadata: { labels: { app: 'sample' } },
              spec: {
                containers: [
                  {
                    name: 'a',
                    image: 'a',
                    resources: { requests: { cpu: '2' }, limits: { cpu: '1' } },
                  },
                ],
              },
            },
          }),
          spec({
            template: {
              metadata: { labels: { app: 'sample' } },
              spec: {
                containers: [{ name: 'a', image: 'a', resources: { requests: { cpu: 'abc' } } }],
              },
            },
          }),
          spec({ strategy: { type: 'Nonsense' } }),
          spec({ strategy: { type: 'Recreate', rollingUpdate: {} } }),
          spec({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
        ].map(
          (body): Step => ({
            method: 'POST',
            path: '/apis/apps/v1/namespaces/w-valid/deployments',
            body,
          }),
        ),
        {
          method: 'POST',
          path: '/api/v1/namespaces/w-valid/services',
          body: {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: '1bad' },
            spec: { ports: [{ port: 80 }] },
          },
        },
        {
          method: 'POST',
          path: '/api/v1/namespaces/w-valid/services',
          body: {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 's' },
            spec: { ports: [{ port: 0 }, { port: 1, name: 'a' }, { port: 2, name: 'a' }] },
          },
        },
        {
          method: 'POST',
          path: '/api/v1/namespaces/w-valid/services',
          body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: {} },
        },
        {
          method: 'POST',
          path: '/api/v1/namespaces/w-valid/services',
          body: {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 's' },
            spec: { type: 'Nonsense', ports: [{ port: 1 }] },
          },
        },
        {
          method: 'POST',
          path: '/apis/batch/v1/namespaces/w-valid/jobs',
          body: {
            apiVersion: 'batch/v1',
            kind: 'Job',
            metadata: { name: 'j' },
            spec: { template: { spec: { containers: [{ name: 'a', image: 'a' }] } } },
          },
        },
        {
          method: 'POST',
          path: '/apis/batch/v1/namespaces/w-valid/cronjobs',
          body: {
            apiVersion: 'batch/v1',
            kind: 'CronJob',
            metadata: { name: 'c' },
            spec: {
              schedule: 'x',
              jobTemplate: {
                spec: {
                  template: {
                    spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] },
                  },
                },
              },
            },
          },
        },
        {
          method: 'POST',
          path: '/apis/networking.k8s.io/v1/namespaces/w-valid/ingresses',
          body: {
            apiVersion: 'networking.k8s.io/v1',
            kind: 'Ingress',
            metadata: { name: 'i' },
            spec: {},
          },
        },
        {
          method: 'POST',
          path: '/apis/networking.k8s.io/v1/namespaces/w-valid/ingresses',
          body: {
            apiVersion: 'networking.k8s.io/v1',
            kind: 'Ingress',
            metadata: { name: 'i' },
            spec: {
              rules: [
                {
                  http: {
                    paths: [
                      { path: '/', backend: { service: { name: 'a', port: { number: 1 } } } },
                    ],
                  },
                },
              ],
            },
          },
        },
        {
          method: 'POST',
          path: '/apis/rbac.authorization.k8s.io/v1/namespaces/w-valid/roles',
          body: {
            apiVersion: 'rbac.authorization.k8s.io/v1',
            kind: 'Role',
            metadata: { name: 'r' },
            rules: [{ resources: ['pods'] }],
          },
        },
        {
          method: 'POST',
          path: '/apis/rbac.authorization.k8s.io/v1/namespaces/w-valid/rolebindings',
          body: {
            apiVersion: 'rbac.authorization.k8s.io/v1',
            kind: 'RoleBinding',
            metadata: { name: 'r' },
            roleRef: { kind: 'Nonsense', name: '' },
            subjects: [{ kind: 'User' }],
          },
        },
        {
          method: 'POST',
          path: '/api/v1/namespaces/w-valid/persistentvolumeclaims',
          body: {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { name: 'c' },
            spec: {},
          },
        },
        {
          method: 'POST',
          path: '/api/v1/namespaces/w-valid/secrets',
          body: {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: 's' },
            type: 'kubernetes.io/tls',
            data: {},
          },
        },
        {
          method: 'POST',
          path: '/api/v1/namespaces/w-valid/pods',
          body: {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: 'p' },
            spec: { serviceAccountName: 'absent', containers: [{ name: 'a', image: 'a' }] },
          },
        },
        {
          method: 'POST',
          path: '/apis/autoscaling/v2/namespaces/w-valid/horizontalpodautoscalers',
          body: {
            apiVersion: 'autoscaling/v2',
            kind: 'HorizontalPodAutoscaler',
            metadata: { name: 'h' },
            spec: {
              minReplicas: 3,
              maxReplicas: 2,
              scaleTargetRef: { kind: 'Deployment', name: 'x' },
            },
          },
        },
        {
          method: 'POST',
          path: '/apis/policy/v1/namespaces/w-valid/poddisruptionbudgets',
          body: {
            apiVersion: 'policy/v1',
            kind: 'PodDisruptionBudget',
            metadata: { name: 'p' },
            spec: { minAvailable: 1, maxUnavailable: 1 },
          },
        },
      ],
    },
    {
      name: 'workload-pod',
      steps: [
        ...prepare('w-pod'),
        {
          method: 'POST',
          path: '/api/v1/namespaces/w-pod/pods',
          body: {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: 'p' },
            spec: { nodeName: 'n', containers: [{ name: 'a', image: 'a' }] },
          },
        },
        {
          method: 'PATCH',
          path: '/api/v1/namespaces/w-pod/pods/p',
          type: MERGE,
          body: { spec: { hostNetwork: true } },
          // The message ends with a diff of Go structs.
          ignore: ['message', 'details'],
        },
        {
          method: 'PATCH',
          path: '/api/v1/namespaces/w-pod/pods/p',
          type: 'application/strategic-merge-patch+json',
          body: { spec: { containers: [{ name: 'a', image: 'b' }] } },
        },
        {
          method: 'PATCH',
          path: '/api/v1/namespaces/w-pod/pods/p/status',
          type: MERGE,
          body: { status: { phase: 'Running', podIP: '10.1.2.3', podIPs: [{ ip: '10.1.2.3' }] } },
        },
        {
          method: 'GET',
          path: '/api/v1/namespaces/w-pod/pods?fieldSelector=status.phase=Running,spec.nodeName=n',
        },
        { method: 'GET', path: '/api/v1/namespaces/w-pod/pods/p', accept: TABLE },
        { method: 'DELETE', path: '/api/v1/namespaces/w-pod/pods/p' },
        {
          method: 'DELETE',
          path: '/api/v1/namespaces/w-pod/pods/p',
          body: { gracePeriodSeconds: 5 },
        },
        {
          method: 'DELETE',
          path: '/api/v1/namespaces/w-pod/pods/p',
          body: { gracePeriodSeconds: 0 },
        },
        { method: 'GET', path: '/api/v1/namespaces/w-pod/pods/p' },
      ],
    },
    customScript(),
    subresourceScript(),
    {
      name: 'access',
      steps: [
        ...prepare('w-access'),
        {
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'w-access' } },
          },
        },
        {
          method: 'POST',
          path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
          headers: { 'impersonate-user': 'jane', 'impersonate-group': 'team' },
        },
        {
          method: 'GET',
          path: '/api/v1/namespaces/w-access/pods',
          headers: { 'impersonate-user': 'jane' },
        },
        {
          method: 'GET',
          path: '/api/v1/namespaces/w-access/pods/p',
          headers: { 'impersonate-user': 'jane' },
        },
        { method: 'GET', path: '/api/v1/nodes', headers: { 'impersonate-user': 'jane' } },
        {
          method: 'DELETE',
          path: '/apis/apps/v1/namespaces/w-access/deployments/d',
          headers: { 'impersonate-user': 'jane' },
        },
        { method: 'GET', path: '/metrics', headers: { 'impersonate-user': 'jane' } },
        {
          method: 'POST',
          path: '/apis/rbac.authorization.k8s.io/v1/namespaces/w-access/roles',
          body: {
            apiVersion: 'rbac.authorization.k8s.io/v1',
            kind: 'Role',
            metadata: { name: 'r' },
            rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }],
          },
        },
        {
          method: 'POST',
          path: '/apis/rbac.authorization.k8s.io/v1/namespaces/w-access/rolebindings',
          body: {
            apiVersion: 'rbac.authorization.k8s.io/v1',
            kind: 'RoleBinding',
            metadata: { name: 'r' },
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
            subjects: [
              { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' },
              { kind: 'ServiceAccount', name: 'default', namespace: 'w-access' },
            ],
          },
          settleMs: 500,
        },
        {
          method: 'GET',
          path: '/api/v1/namespaces/w-access/configmaps',
          headers: { 'impersonate-user': 'jane' },
        },
        {
          method: 'GET',
          path: '/api/v1/namespaces/w-access/configmaps',
          headers: { 'impersonate-user': 'system:serviceaccount:w-access:default' },
        },
        {
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SubjectAccessReview',
            spec: {
              user: 'jane',
              resourceAttributes: { verb: 'get', resource: 'configmaps', namespace: 'w-access' },
            },
          },
        },
        {
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SubjectAccessReview',
            spec: {
              user: 'joe',
              resourceAttributes: { verb: 'get', resource: 'configmaps', namespace: 'w-access' },
            },
          },
        },
        {
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectRulesReview',
            spec: { namespace: 'w-access' },
          },
          headers: { 'impersonate-user': 'jane' },
          ignore: ['status.nonResourceRules'],
        },
        {
          method: 'POST',
          path: '/api/v1/namespaces/w-access/serviceaccounts/default/token',
          body: {
            apiVersion: 'authentication.k8s.io/v1',
            kind: 'TokenRequest',
            spec: { expirationSeconds: 10 },
          },
        },
        {
          method: 'POST',
          path: '/apis/authentication.k8s.io/v1/tokenreviews',
          body: {
            apiVersion: 'authentication.k8s.io/v1',
            kind: 'TokenReview',
            spec: { token: 'wrong' },
          },
          ignore: ['status.error'],
        },
      ],
    },
  ];
}

function customScript(): Script {
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const path = '/apis/stable.example.com/v1/namespaces/w-custom/widgets';
  const widget = (spec: unknown, name = 'w') => ({
    apiVersion: 'stable.example.com/v1',
    kind: 'Widget',
    metadata: { name },
    spec,
  });
  const schema = {
    type: 'object',
    required: ['spec'],
    properties: {
      spec: {
        type: 'object',
        required: ['size'],
        properties: {
          size: { type: 'integer', minimum: 1, maximum: 10 },
          color: { type: 'string', enum: ['red', 'blue'], default: 'red' },
          ports: {
            type: 'array',
            items: {
              type: 'object',
              required: ['port'],
              properties: { port: { type: 'integer' }, name: { type: 'string' } },
            },
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['port'],
          },
          free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          either: { 'x-kubernetes-int-or-string': true },
          pattern: { type: 'string', pattern: '^[a-z]+$', maxLength: 5 },
          replicas: { type: 'integer' },
          smallest: {
            type: 'integer',
            'x-kubernetes-validations': [
              { rule: 'self == oldSelf', message: 'smallest is immutable' },
            ],
          },
        },
        'x-kubernetes-validations': [
          {
            rule: '!has(self.smallest) || self.smallest <= self.size',
            message: 'smallest must not be above size',
          },
          {
            rule: "!has(self.smallest) || self.color != 'blue'",
            messageExpression: "'blue' + ' is taken'",
            reason: 'FieldValueForbidden',
            fieldPath: '.color',
          },
        ],
      },
      status: {
        type: 'object',
        properties: { replicas: { type: 'integer' }, phase: { type: 'string' } },
      },
    },
  };
  const version = (name: string, storage: boolean) => ({
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: schema },
    subresources: {
      status: {},
      scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
    },
    additionalPrinterColumns: [
      { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ],
  });
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'], categories: ['all'] },
      versions: [version('v1', true), version('v1beta1', false)],
    },
  };
  return {
    name: 'custom',
    steps: [
      ...prepare('w-custom'),
      // The conditions come a moment later on the real server.
      {
        method: 'POST',
        path: crds,
        body: definition,
        settleMs: 3000,
        ignore: ['status', 'metadata.managedFields'],
      },
      {
        method: 'GET',
        path: `${crds}/widgets.stable.example.com`,
        ignore: ['metadata.managedFields'],
      },
      { method: 'GET', path: '/apis/stable.example.com' },
      { method: 'GET', path: '/apis/stable.example.com/v1' },
      { method: 'POST', path, body: widget({ size: 2, unknown: 1, free: { a: 1 }, either: '5' }) },
      {
        method: 'POST',
        path: `${path}?fieldValidation=Strict`,
        body: widget({ size: 2, unknown: 1 }, 'strict'),
      },
      { method: 'GET', path: `${path}/w` },
      { method: 'GET', path: `${path}/w`, accept: TABLE },
      { method: 'GET', path: '/apis/stable.example.com/v1beta1/namespaces/w-custom/widgets/w' },
      { method: 'POST', path, body: widget({ size: 2, smallest: 3 }, 'bad') },
      { method: 'POST', path, body: widget({ size: 4, smallest: 3, color: 'blue' }, 'bad') },
      { method: 'POST', path, body: widget({ size: 4, smallest: 3 }, 'ruled') },
      { method: 'PATCH', path: `${path}/ruled`, type: MERGE, body: { spec: { smallest: 2 } } },
      { method: 'PATCH', path: `${path}/ruled`, type: MERGE, body: { spec: { size: 5 } } },
      { method: 'POST', path, body: widget({ size: 0 }, 'bad') },
      {
        method: 'POST',
        path,
        body: widget({ size: 11, color: 'green', pattern: 'ABCDEFG' }, 'bad'),
        // In the order of a Go map.
        ignore: ['message'],
      },
      { method: 'POST', path, body: widget({ size: 'x' }, 'bad') },
      { method: 'POST', path, body: widget({}, 'bad') },
      { method: 'POST', path, body: widget(undefined, 'bad') },
      { method: 'POST', path, body: widget({ size: 1, ports: [{ port: 1 }, { port: 1 }] }, 'bad') },
      {
        method: 'PATCH',
        path: `${path}/w`,
        type: MERGE,
        body: { spec: { size: 3 }, status: { phase: 'Ignored' } },
      },
      {
        method: 'PATCH',
        path: `${path}/w/status`,
        type: MERGE,
        body: { spec: { size: 9 }, status: { phase: 'Ready', replicas: 2 } },
      },
      {
        method: 'PATCH',
        path: `${path}/w`,
        type: 'application/strategic-merge-patch+json',
        body: {},
      },
      {
        method: 'PATCH',
        path: `${path}/w?fieldManager=a`,
        type: 'application/apply-patch+yaml',
        body: widget({ size: 3, ports: [{ port: 80, name: 'a' }] }),
      },
      {
        method: 'PATCH',
        path: `${path}/w?fieldManager=b`,
        type: 'application/apply-patch+yaml',
        body: widget({ ports: [{ port: 81, name: 'b' }] }),
      },
      {
        method: 'PATCH',
        path: `${path}/w?fieldManager=b`,
        type: 'application/apply-patch+yaml',
        body: widget({ size: 4 }),
      },
      { method: 'GET', path: `${path}/w/scale` },
      { method: 'PATCH', path: `${path}/w/scale`, type: MERGE, body: { spec: { replicas: 5 } } },
      { method: 'PUT', path: `${path}/w`, body: widget({ size: 5 }) },
      { method: 'GET', path },
      { method: 'DELETE', path: `${path}/w` },
      {
        method: 'POST',
        path: crds,
        body: { ...definition, metadata: { name: 'wrong.stable.example.com' } },
        ignore: ['message', 'details'],
      },
    ],
  };
}

function subresourceScript(): Script {
  const pods = '/api/v1/namespaces/w-sub/pods';
  const pod = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'x' } },
    spec: { containers: [{ name: 'a', image: 'a' }] },
  });
  const binding = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name },
    target: { apiVersion: 'v1', kind: 'Node', name: 'n' },
  });
  const eviction = (name: string) => ({
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace: 'w-sub' },
  });
  return {
    name: 'subresources',
    steps: [
      ...prepare('w-sub'),
      { method: 'POST', path: pods, body: pod('p') },
      { method: 'POST', path: `${pods}/p/binding`, body: binding('p') },
      { method: 'POST', path: `${pods}/p/binding`, body: binding('p') },
      { method: 'GET', path: `${pods}/p`, ignore: ['metadata.managedFields'] },
      { method: 'POST', path: `${pods}/absent/binding`, body: binding('absent') },
      { method: 'POST', path: `${pods}/absent/eviction`, body: eviction('absent') },
      { method: 'POST', path: `${pods}/p/eviction`, body: eviction('p') },
      { method: 'GET', path: `${pods}/p/log?container=nope` },
      { method: 'GET', path: `${pods}/absent/log` },
      { method: 'GET', path: `${pods}/p/nonsense` },
      { method: 'GET', path: '/api/v1/namespaces/w-sub/status' },
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/w-sub/status',
        type: MERGE,
        body: { status: { phase: 'Active' } },
      },
      {
        method: 'POST',
        path: '/api/v1/namespaces/w-sub/serviceaccounts/absent/token',
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      },
      { method: 'DELETE', path: '/api/v1/namespaces/w-sub' },
      { method: 'POST', path: pods, body: pod('late') },
      { method: 'DELETE', path: '/api/v1/namespaces/kube-system' },
    ],
  };
}
