/** Built-in kinds as users write them: defaults left out, odd spellings, empty values, nulls. */
import { type DiffCase, of } from './cases.ts';

const labels = { app: 'web' };
const selector = { matchLabels: labels };
const bare = { name: 'web', image: 'nginx:1' };
const deployment = (container: object, rest: object = {}, pod: object = {}) =>
  of('apps/v1', 'Deployment', {
    spec: {
      selector,
      template: {
        metadata: { labels, creationTimestamp: null },
        spec: { containers: [{ ...bare, ...container }], ...pod },
      },
      ...rest,
    },
    status: {},
  });

const WORKLOADS: readonly DiffCase[] = [
  {
    name: 'deployment whose replicas an autoscaler owns',
    object: deployment({}),
    touches: [
      { by: 'kube-controller-manager', merge: { spec: { replicas: 4 } }, subresource: 'scale' },
      {
        by: 'injector',
        apply: {
          spec: {
            template: {
              metadata: { annotations: { injected: 'yes' } },
              spec: { containers: [{ name: 'proxy', image: 'proxy:1' }] },
            },
          },
        },
      },
    ],
    drift: {
      merge: { spec: { template: { spec: { containers: [{ ...bare, image: 'nginx:2' }] } } } },
      path: 'spec.template.spec.containers[name=web].image',
      desired: 'nginx:1',
      live: 'nginx:2',
    },
  },
  {
    name: 'deployment with odd quantities',
    object: deployment({
      resources: {
        limits: { cpu: 1, memory: '1024Mi', 'ephemeral-storage': '1000000k' },
        requests: { cpu: 0.5, memory: '1073741824' },
      },
    }),
    drift: {
      merge: {
        spec: {
          template: { spec: { containers: [{ ...bare, resources: { limits: { cpu: 2 } } }] } },
        },
      },
      path: 'spec.template.spec.containers[name=web].resources.limits.cpu',
      desired: 1,
      live: '2',
    },
  },
  {
    name: 'deployment with quantities in every spelling',
    object: deployment({
      resources: {
        limits: { cpu: '1000m', memory: '1.5Gi' },
        requests: { cpu: '0.1', memory: '128e6' },
      },
    }),
  },
  {
    name: 'deployment with empty and null values',
    object: deployment(
      {
        args: [],
        command: null,
        env: [{ name: 'EMPTY', value: '' }, { name: 'PLAIN' }],
        envFrom: [],
        ports: [],
        resources: {},
        securityContext: {},
        volumeMounts: null,
        workingDir: '',
        stdin: false,
        tty: false,
        livenessProbe: null,
      },
      { replicas: null, minReadySeconds: 0, paused: false, strategy: {} },
      {
        affinity: {},
        hostNetwork: false,
        hostPID: false,
        imagePullSecrets: [],
        initContainers: [],
        nodeSelector: {},
        nodeName: '',
        securityContext: {},
        serviceAccountName: '',
        tolerations: [],
        volumes: [],
      },
    ),
  },
  {
    name: 'deployment with ports and probes of few words',
    object: deployment({
      ports: [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }],
      livenessProbe: { httpGet: { port: 80 } },
      readinessProbe: { httpGet: { port: 'http', path: '/' }, initialDelaySeconds: 0 },
      startupProbe: { grpc: { port: 9000 } },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
    }),
  },
  {
    name: 'deployment with volumes of few words',
    object: deployment(
      {},
      {},
      {
        serviceAccount: 'default',
        terminationGracePeriodSeconds: 0,
        volumes: [
          { name: 'a', emptyDir: {} },
          { name: 'b', emptyDir: { sizeLimit: '0.5Gi', medium: '' } },
          { name: 'c', configMap: { name: 'c' } },
          { name: 'd', secret: { secretName: 's', defaultMode: 420 } },
          { name: 'e', hostPath: { path: '/e' } },
          {
            name: 'f',
            projected: {
              sources: [
                { serviceAccountToken: { path: 't' } },
                {
                  downwardAPI: {
                    items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }],
                  },
                },
              ],
            },
          },
          { name: 'g' },
          { name: 'h', persistentVolumeClaim: { claimName: 'p', readOnly: false } },
          {
            name: 'i',
            ephemeral: {
              volumeClaimTemplate: {
                spec: {
                  accessModes: ['ReadWriteOnce'],
                  resources: { requests: { storage: '1024Mi' } },
                },
              },
            },
          },
        ],
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'zone',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: selector,
          },
        ],
        tolerations: [{ operator: 'Exists' }, { key: 'a', value: 'b' }],
        hostAliases: [{ ip: '192.0.2.1', hostnames: ['b', 'a'] }],
        dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
      },
    ),
  },
  {
    name: 'deployment that sets an env name twice',
    object: deployment({
      env: [
        { name: 'B', value: '1' },
        { name: 'A', value: '2' },
      ],
    }),
    touches: [
      {
        by: 'injector',
        apply: {
          spec: {
            template: { spec: { containers: [{ name: 'web', env: [{ name: 'Z', value: '9' }] }] } },
          },
        },
      },
    ],
  },
  {
    name: 'deployment with rolling update in words',
    object: deployment(
      {},
      {
        strategy: { rollingUpdate: { maxSurge: '100%', maxUnavailable: 0 } },
        revisionHistoryLimit: 0,
        progressDeadlineSeconds: 60,
        replicas: 0,
      },
    ),
    drift: {
      merge: { spec: { replicas: 1 } },
      path: 'spec.replicas',
      desired: 0,
      live: 1,
    },
  },
  {
    name: 'statefulset with claim templates of few words',
    object: of('apps/v1', 'StatefulSet', {
      spec: {
        selector,
        serviceName: '',
        replicas: 0,
        template: { metadata: { labels }, spec: { containers: [bare] } },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data', creationTimestamp: null },
            spec: {
              accessModes: ['ReadWriteOnce'],
              storageClassName: null,
              resources: { requests: { storage: '1024Mi' } },
            },
            status: {},
          },
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { name: 'logs' },
            spec: {
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: '0.5Gi' } },
            },
          },
        ],
      },
      status: {},
    }),
    drift: { merge: { spec: { replicas: 2 } }, path: 'spec.replicas', desired: 0, live: 2 },
  },
  {
    name: 'daemonset of few words',
    object: of('apps/v1', 'DaemonSet', {
      spec: {
        selector,
        updateStrategy: { type: 'RollingUpdate' },
        template: {
          metadata: { labels },
          spec: {
            hostNetwork: true,
            containers: [{ ...bare, ports: [{ containerPort: 9100, name: 'metrics' }] }],
          },
        },
      },
    }),
    touches: [
      {
        by: 'kubectl-rollout',
        merge: {
          spec: {
            template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } },
          },
        },
      },
    ],
  },
  {
    name: 'job of few words',
    object: of('batch/v1', 'Job', {
      spec: {
        backoffLimit: 0,
        suspend: true,
        template: { spec: { restartPolicy: 'Never', containers: [bare] } },
      },
    }),
    drift: {
      merge: { spec: { parallelism: 1, backoffLimit: 2 } },
      path: 'spec.backoffLimit',
      desired: 0,
      live: 2,
    },
  },
  {
    name: 'cronjob of few words',
    object: of('batch/v1', 'CronJob', {
      spec: {
        schedule: '@hourly',
        suspend: false,
        startingDeadlineSeconds: null,
        jobTemplate: {
          metadata: { creationTimestamp: null },
          spec: {
            template: {
              metadata: { creationTimestamp: null },
              spec: { restartPolicy: 'OnFailure', containers: [{ ...bare, resources: {} }] },
            },
          },
        },
      },
      status: {},
    }),
    touches: [
      {
        by: 'kube-controller-manager',
        merge: { status: { lastScheduleTime: '2026-01-01T00:00:00Z' } },
        subresource: 'status',
      },
    ],
    drift: {
      merge: { spec: { schedule: '@daily' } },
      path: 'spec.schedule',
      desired: '@hourly',
      live: '@daily',
    },
  },
  {
    name: 'pod of few words',
    object: of('v1', 'Pod', {
      spec: { containers: [{ ...bare, resources: { limits: { cpu: '0.1', memory: '64Mi' } } }] },
      status: {},
    }),
    touches: [{ by: 'kubectl-annotate', merge: { metadata: { annotations: { x: 'y' } } } }],
  },
];

const NETWORK: readonly DiffCase[] = [
  {
    name: 'service without target ports and protocols',
    object: of('v1', 'Service', {
      spec: {
        selector: labels,
        ports: [
          { name: 'dns-tcp', port: 53 },
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'web', port: 80, targetPort: 'http' },
        ],
        sessionAffinity: '',
        externalIPs: [],
      },
      status: { loadBalancer: {} },
    }),
    drift: {
      merge: { spec: { selector: { app: 'other' } } },
      path: 'spec.selector.app',
      desired: 'web',
      live: 'other',
    },
  },
  {
    name: 'service of a load balancer',
    object: of('v1', 'Service', {
      spec: {
        type: 'LoadBalancer',
        selector: labels,
        clusterIP: '',
        ports: [{ port: 443, targetPort: 8443 }],
      },
    }),
    drift: {
      merge: {
        spec: {
          type: 'ClusterIP',
          allocateLoadBalancerNodePorts: null,
          externalTrafficPolicy: null,
        },
      },
      path: 'spec.type',
      desired: 'LoadBalancer',
      live: 'ClusterIP',
    },
  },
  {
    name: 'service with the same port for two protocols',
    object: of('v1', 'Service', {
      spec: {
        type: 'NodePort',
        selector: labels,
        ports: [
          { name: 'u', port: 5060, protocol: 'UDP' },
          { name: 't', port: 5060, protocol: 'TCP' },
        ],
      },
    }),
  },
  {
    name: 'headless service without ports',
    object: of('v1', 'Service', { spec: { clusterIP: 'None', selector: labels, ports: [] } }),
  },
  {
    name: 'ingress of few words',
    object: of('networking.k8s.io/v1', 'Ingress', {
      spec: {
        tls: [{ hosts: [] }],
        rules: [
          {
            http: {
              paths: [
                {
                  pathType: 'ImplementationSpecific',
                  backend: { service: { name: 'web', port: { number: 80 } } },
                },
              ],
            },
          },
        ],
      },
      status: { loadBalancer: {} },
    }),
    touches: [
      {
        by: 'nginx',
        merge: { status: { loadBalancer: { ingress: [{ hostname: 'h' }] } } },
        subresource: 'status',
      },
      { by: 'cert-manager', merge: { metadata: { annotations: { 'cert-manager.io/x': 'y' } } } },
    ],
  },
  {
    name: 'network policy of few words',
    object: of('networking.k8s.io/v1', 'NetworkPolicy', {
      spec: {
        podSelector: {},
        ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }, { port: 'http' }] }],
        egress: [{}],
      },
    }),
    drift: {
      merge: { spec: { egress: [{ ports: [{ port: 1 }] }] } },
      path: 'spec.egress[0].ports',
    },
  },
  {
    name: 'network policy that denies all',
    object: of('networking.k8s.io/v1', 'NetworkPolicy', {
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [], egress: [] },
    }),
  },
];

const CONFIG: readonly DiffCase[] = [
  {
    name: 'secret of plain text',
    object: of('v1', 'Secret', {
      type: 'Opaque',
      stringData: { password: 'pä$$', empty: '' },
      data: { token: 'dG9r\nZW4=\n', password: 'b2xk' },
    }),
    touches: [{ by: 'reflector', merge: { data: { other: 'eA==' } } }],
    drift: { merge: { data: { token: 'eA==' } }, path: 'data.token' },
  },
  {
    name: 'secret without data',
    object: of('v1', 'Secret', { data: {}, stringData: null, type: '' }),
  },
  {
    name: 'config map with empty values',
    object: of('v1', 'ConfigMap', { data: { a: '', b: 'x\n' }, binaryData: {}, immutable: null }),
    touches: [{ by: 'other', merge: { data: { c: 'd' } } }],
    drift: { merge: { data: { b: 'y' } }, path: 'data.b', desired: 'x\n', live: 'y' },
  },
  { name: 'config map without data', object: of('v1', 'ConfigMap', { data: null }) },
  {
    name: 'service account',
    object: of('v1', 'ServiceAccount', { secrets: [], imagePullSecrets: [{ name: 'a' }] }),
  },
  {
    name: 'claim of few words',
    object: of('v1', 'PersistentVolumeClaim', {
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: '',
        resources: { requests: { storage: '1024Mi' } },
      },
      status: {},
    }),
  },
  {
    name: 'quota with odd quantities',
    object: of('v1', 'ResourceQuota', {
      spec: { hard: { pods: 100, 'requests.cpu': '4000m', 'limits.memory': '10240Mi' } },
    }),
    drift: {
      merge: { spec: { hard: { pods: '200' } } },
      path: 'spec.hard.pods',
      desired: 100,
      live: '200',
    },
  },
  {
    name: 'limit range with odd quantities',
    object: of('v1', 'LimitRange', {
      spec: {
        limits: [{ type: 'Container', max: { cpu: 2, memory: '2048Mi' }, default: { cpu: 0.5 } }],
      },
    }),
    drift: {
      merge: {
        spec: { limits: [{ type: 'Container', max: { cpu: '3' }, default: { cpu: '500m' } }] },
      },
      path: 'spec.limits[0].max.cpu',
      desired: 2,
      live: '3',
    },
  },
  {
    name: 'volume of few words',
    object: of('v1', 'PersistentVolume', {
      spec: {
        capacity: { storage: '1024Mi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/x' },
      },
    }),
  },
  {
    name: 'namespace with labels',
    object: of('v1', 'Namespace', { spec: {}, status: {} }),
    touches: [
      { by: 'policy', merge: { metadata: { annotations: { 'scheduler.example/x': 'y' } } } },
    ],
  },
];

const POLICY: readonly DiffCase[] = [
  {
    name: 'autoscaler v2 of few words',
    object: of('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1024Mi' } },
          },
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
          },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
      },
    }),
    touches: [
      {
        by: 'kube-controller-manager',
        merge: { status: { desiredReplicas: 2, currentReplicas: 1 } },
        subresource: 'status',
      },
    ],
    drift: { merge: { spec: { maxReplicas: 9 } }, path: 'spec.maxReplicas', desired: 3, live: 9 },
  },
  {
    name: 'autoscaler v2 without metrics',
    object: of('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      },
    }),
  },
  {
    name: 'autoscaler v1',
    object: of('autoscaling/v1', 'HorizontalPodAutoscaler', {
      spec: {
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 80,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      },
    }),
  },
  {
    name: 'disruption budget in per cent',
    object: of('policy/v1', 'PodDisruptionBudget', {
      spec: { maxUnavailable: '25%', selector },
      status: {},
    }),
    drift: {
      merge: { spec: { maxUnavailable: 1 } },
      path: 'spec.maxUnavailable',
      desired: '25%',
      live: 1,
    },
  },
  {
    name: 'disruption budget for everything',
    object: of('policy/v1', 'PodDisruptionBudget', { spec: { minAvailable: 0, selector: {} } }),
  },
  {
    name: 'cluster role with empty lists',
    object: of('rbac.authorization.k8s.io/v1', 'ClusterRole', {
      rules: [
        { apiGroups: [''], resources: ['pods', 'pods'], resourceNames: [], verbs: ['get', 'list'] },
      ],
    }),
    drift: {
      merge: { rules: [{ apiGroups: [''], resources: ['pods', 'pods'], verbs: ['*'] }] },
      path: 'rules[0].verbs',
      desired: ['get', 'list'],
      live: ['*'],
    },
  },
  {
    name: 'aggregated cluster role',
    object: of('rbac.authorization.k8s.io/v1', 'ClusterRole', {
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { aggregate: 'none' } }] },
    }),
    touches: [
      {
        by: 'clusterrole-aggregation-controller',
        merge: { rules: [{ apiGroups: ['a.example'], resources: ['b'], verbs: ['get'] }] },
      },
    ],
  },
  { name: 'role without rules', object: of('rbac.authorization.k8s.io/v1', 'Role', { rules: [] }) },
  {
    name: 'role with null rules',
    object: of('rbac.authorization.k8s.io/v1', 'Role', { rules: null }),
  },
  {
    name: 'role binding without API groups',
    object: of('rbac.authorization.k8s.io/v1', 'RoleBinding', {
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'Group', name: 'devs' },
        { kind: 'ServiceAccount', name: 'a', namespace: 'b' },
      ],
    }),
    drift: {
      merge: {
        subjects: [
          { kind: 'Group', name: 'ops' },
          { kind: 'ServiceAccount', name: 'a', namespace: 'b' },
        ],
      },
      path: 'subjects[0].name',
      desired: 'devs',
      live: 'ops',
    },
  },
  {
    name: 'cluster role binding with the old API group',
    object: of('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', {
      roleRef: { apiGroup: '', kind: 'ClusterRole', name: 'view' },
      subjects: [
        { apiGroup: '', kind: 'ServiceAccount', name: 'a', namespace: 'b' },
        { kind: 'User', name: 'u' },
      ],
    }),
  },
  {
    name: 'validating webhook of few words',
    object: of('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', {
      webhooks: [
        {
          name: 'a.example.com',
          clientConfig: { service: { name: 'x', namespace: 'y' }, caBundle: null },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          namespaceSelector: {},
          rules: [
            {
              apiGroups: ['none.example'],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['things'],
            },
          ],
        },
      ],
    }),
    touches: [
      {
        by: 'cainjector',
        apply: { webhooks: [{ name: 'a.example.com', clientConfig: { caBundle: 'eA==' } }] },
      },
    ],
  },
  {
    name: 'mutating webhook of few words',
    object: of('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', {
      webhooks: [
        {
          name: 'a.example.com',
          clientConfig: { url: 'https://hooks.example/x' },
          sideEffects: 'None',
          admissionReviewVersions: ['v1', 'v1beta1'],
          timeoutSeconds: 30,
          rules: [
            {
              apiGroups: ['none.example'],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['things'],
            },
          ],
        },
      ],
    }),
    touches: [
      {
        by: 'cainjector',
        apply: {
          webhooks: [
            {
              name: 'a.example.com',
              clientConfig: { url: 'https://hooks.example/x', caBundle: 'eA==' },
            },
          ],
        },
      },
    ],
  },
  {
    name: 'admission policy of few words',
    object: of('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', {
      spec: {
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: ['none.example'],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['things'],
            },
          ],
        },
        validations: [{ expression: 'true' }],
      },
    }),
  },
  {
    name: 'admission policy binding',
    object: of('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding', {
      spec: {
        policyName: 'sample',
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: {} },
      },
    }),
  },
  {
    name: 'storage class of few words',
    object: of('storage.k8s.io/v1', 'StorageClass', {
      provisioner: 'x.example',
      parameters: {},
      allowVolumeExpansion: false,
    }),
  },
  {
    name: 'csi driver of few words',
    object: of('storage.k8s.io/v1', 'CSIDriver', { spec: { attachRequired: false } }),
  },
  {
    name: 'priority class of zero',
    object: of('scheduling.k8s.io/v1', 'PriorityClass', {
      value: 0,
      globalDefault: false,
      description: '',
    }),
  },
  {
    name: 'ingress class',
    object: of('networking.k8s.io/v1', 'IngressClass', {
      spec: { controller: 'x.example/y', parameters: { kind: 'P', name: 'p' } },
    }),
  },
  {
    name: 'runtime class with overhead',
    object: of('node.k8s.io/v1', 'RuntimeClass', {
      handler: 'x',
      overhead: { podFixed: { cpu: 0.25, memory: '1024Ki' } },
    }),
  },
  {
    name: 'lease',
    object: of('coordination.k8s.io/v1', 'Lease', {
      spec: {
        holderIdentity: '',
        leaseDurationSeconds: 15,
        renewTime: '2026-01-01T00:00:00.000000Z',
      },
    }),
  },
  {
    name: 'API service',
    object: of('apiregistration.k8s.io/v1', 'APIService', {
      spec: {
        group: 'metrics.example.com',
        version: 'v1beta1',
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { name: 'm', namespace: 'default' },
      },
      status: {},
    }),
  },
  {
    name: 'endpoint slice',
    object: of('discovery.k8s.io/v1', 'EndpointSlice', {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'], conditions: {} }],
      ports: [{ port: 80 }],
    }),
  },
  {
    name: 'flow schema of few words',
    object: of('flowcontrol.apiserver.k8s.io/v1', 'FlowSchema', {
      spec: {
        priorityLevelConfiguration: { name: 'workload-low' },
        rules: [
          {
            subjects: [{ kind: 'Group', group: { name: 'none' } }],
            nonResourceRules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }],
          },
        ],
      },
    }),
  },
  {
    name: 'priority level of few words',
    object: of('flowcontrol.apiserver.k8s.io/v1', 'PriorityLevelConfiguration', {
      spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
    }),
  },
];

export const SPELLED: readonly DiffCase[] = [...WORKLOADS, ...NETWORK, ...CONFIG, ...POLICY];
