import { SAMPLES, type Sample } from '../scripts/samples.ts';
import { richPodSpec, volumePodSpec } from './rich-pods.ts';

export interface RichSample {
  readonly path: string;
  readonly object: Readonly<Record<string, unknown>>;
}

const labels = { app: 'sample' };
const selector = {
  matchLabels: labels,
  matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['x'] }],
};
const template = (spec: object = {}) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'main', image: 'x' }], ...spec },
});

function rich(name: string, change: Readonly<Record<string, unknown>>): RichSample {
  const { path, object }: Sample = SAMPLES[name]!;
  return { path, object: { ...object, ...change } };
}

function of(path: string, apiVersion: string, kind: string, rest: object): RichSample {
  return { path, object: { apiVersion, kind, metadata: { name: 'sample', labels }, ...rest } };
}

const claimSpec = {
  accessModes: ['ReadWriteOnce'],
  volumeMode: 'Filesystem',
  storageClassName: 'fast',
  volumeName: 'v',
  selector,
  resources: { requests: { storage: '1Gi' }, limits: { storage: '2Gi' } },
  dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' },
};

const jobSpec = {
  parallelism: 2,
  completions: 3,
  completionMode: 'Indexed',
  backoffLimitPerIndex: 1,
  maxFailedIndexes: 2,
  activeDeadlineSeconds: 100,
  ttlSecondsAfterFinished: 10,
  suspend: false,
  podReplacementPolicy: 'Failed',
  managedBy: 'example.com/x',
  podFailurePolicy: {
    rules: [
      {
        action: 'FailJob',
        onExitCodes: { containerName: 'main', operator: 'In', values: [1, 42] },
      },
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ],
  },
  successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] },
  template: template({ restartPolicy: 'Never' }),
};

const rbac = 'rbac.authorization.k8s.io/v1';
const admission = 'admissionregistration.k8s.io/v1';
const webhook = {
  name: 'a.example.com',
  failurePolicy: 'Ignore',
  matchPolicy: 'Exact',
  sideEffects: 'None',
  timeoutSeconds: 5,
  admissionReviewVersions: ['v1'],
  namespaceSelector: selector,
  objectSelector: selector,
  matchConditions: [{ name: 'c', expression: 'true' }],
  rules: [
    {
      apiGroups: ['none.example'],
      apiVersions: ['v1'],
      operations: ['CREATE', 'UPDATE'],
      resources: ['things', 'things/status'],
      scope: 'Namespaced',
    },
  ],
};
const target = (type: string, value: object) => ({ target: { type, ...value } });

/** Objects rich in fields, by a name of their own: what mutations start from. */
export const RICH: Readonly<Record<string, RichSample>> = {
  pod: rich('pod', { spec: richPodSpec }),
  volumes: rich('pod', { spec: volumePodSpec }),
  deployment: rich('deployment', {
    spec: {
      replicas: 2,
      minReadySeconds: 1,
      progressDeadlineSeconds: 10,
      revisionHistoryLimit: 2,
      paused: false,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '10%', maxUnavailable: 1 } },
      selector,
      template: template(),
    },
  }),
  replicaset: rich('replicaset', {
    spec: { replicas: 2, minReadySeconds: 1, selector, template: template() },
  }),
  statefulset: rich('statefulset', {
    spec: {
      replicas: 2,
      minReadySeconds: 1,
      revisionHistoryLimit: 2,
      serviceName: 'svc',
      podManagementPolicy: 'Parallel',
      ordinals: { start: 1 },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
      selector,
      template: template(),
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec }],
    },
  }),
  daemonset: rich('daemonset', {
    spec: {
      minReadySeconds: 1,
      revisionHistoryLimit: 2,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      selector,
      template: template(),
    },
  }),
  replicationcontroller: rich('replicationcontroller', {
    spec: { replicas: 1, minReadySeconds: 1, selector: labels, template: template() },
  }),
  podtemplate: rich('podtemplate', { template: template() }),
  job: rich('job', { spec: jobSpec }),
  cronjob: rich('cronjob', {
    spec: {
      schedule: '*/5 * * * *',
      timeZone: 'Europe/Paris',
      startingDeadlineSeconds: 10,
      concurrencyPolicy: 'Forbid',
      suspend: false,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 1,
      jobTemplate: {
        metadata: { labels },
        spec: { backoffLimit: 1, template: template({ restartPolicy: 'OnFailure' }) },
      },
    },
  }),
  service: rich('service', {
    spec: {
      type: 'ClusterIP',
      selector: labels,
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
      publishNotReadyAddresses: true,
      externalIPs: ['192.0.2.1'],
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: ['IPv4'],
      internalTrafficPolicy: 'Cluster',
      trafficDistribution: 'PreferClose',
      ports: [
        { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' },
        { name: 'dns', port: 53, targetPort: 53, protocol: 'UDP' },
      ],
    },
  }),
  loadbalancer: rich('loadbalancer', {
    spec: {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 31999,
      allocateLoadBalancerNodePorts: true,
      loadBalancerClass: 'example.com/lb',
      loadBalancerIP: '192.0.2.9',
      loadBalancerSourceRanges: ['192.0.2.0/24'],
      ports: [{ port: 80, nodePort: 31998 }],
    },
  }),
  externalname: rich('externalname', {}),
  headless: rich('headless', {}),
  configmap: rich('configmap', { data: { a: 'b' }, binaryData: { z: 'eA==' }, immutable: false }),
  secret: rich('secret', { type: 'Opaque', data: { z: 'eA==' }, immutable: false }),
  'secret-tls': rich('secret', {
    type: 'kubernetes.io/tls',
    stringData: {},
    data: { 'tls.crt': 'eA==', 'tls.key': 'eA==' },
  }),
  'secret-docker': rich('secret', {
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': '{"auths":{}}' },
    data: {},
  }),
  'secret-basic': rich('secret', {
    type: 'kubernetes.io/basic-auth',
    stringData: {},
    data: { username: 'eA==', password: 'eA==' },
  }),
  'secret-ssh': rich('secret', {
    type: 'kubernetes.io/ssh-auth',
    stringData: {},
    data: { 'ssh-privatekey': 'eA==' },
  }),
  'secret-token': rich('secret', {
    metadata: { name: 'sample', annotations: { 'kubernetes.io/service-account.name': 'default' } },
    type: 'kubernetes.io/service-account-token',
    data: { extra: 'eA==' },
    stringData: {},
  }),
  serviceaccount: rich('serviceaccount', {
    automountServiceAccountToken: true,
    secrets: [{ name: 's' }],
  }),
  endpoints: rich('endpoints', {
    subsets: [
      {
        addresses: [
          {
            ip: '192.0.2.1',
            hostname: 'h',
            nodeName: 'n',
            targetRef: { kind: 'Pod', name: 'p', namespace: 'NS' },
          },
        ],
        notReadyAddresses: [{ ip: '192.0.2.2' }],
        ports: [
          { name: 'a', port: 80, protocol: 'TCP', appProtocol: 'http' },
          { name: 'b', port: 81 },
        ],
      },
    ],
  }),
  endpointslice: rich('endpointslice', {
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['192.0.2.1'],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: 'h',
        nodeName: 'n',
        zone: 'z',
        hints: { forZones: [{ name: 'z' }] },
        targetRef: { kind: 'Pod', name: 'p', namespace: 'NS' },
      },
    ],
    ports: [
      { name: 'a', port: 80, protocol: 'TCP', appProtocol: 'http' },
      { name: 'b', port: 81 },
    ],
  }),
  claim: rich('claim', { spec: claimSpec }),
  volume: rich('volume', {
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/x', type: 'Directory' },
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: 'fast',
      mountOptions: ['ro'],
      volumeMode: 'Filesystem',
      claimRef: { namespace: 'default', name: 'c' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
        },
      },
    },
  }),
  'volume-csi': rich('volume', {
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteMany'],
      csi: {
        driver: 'csi.example.com',
        volumeHandle: 'h',
        fsType: 'ext4',
        volumeAttributes: { a: 'b' },
        nodePublishSecretRef: { name: 's', namespace: 'ns' },
      },
    },
  }),
  'volume-local': rich('volume', {
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      local: { path: '/mnt' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
        },
      },
    },
  }),
  limitrange: rich('limitrange', {
    spec: {
      limits: [
        {
          type: 'Container',
          max: { cpu: '2' },
          min: { cpu: '100m' },
          default: { cpu: '1' },
          defaultRequest: { cpu: '500m' },
          maxLimitRequestRatio: { cpu: '4' },
        },
        { type: 'Pod', max: { memory: '2Gi' } },
        { type: 'PersistentVolumeClaim', min: { storage: '1Gi' } },
      ],
    },
  }),
  quota: rich('quota', {
    spec: {
      hard: { pods: '10', 'requests.cpu': '4', 'count/deployments.apps': '3' },
      scopes: ['NotTerminating'],
      scopeSelector: {
        matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }],
      },
    },
  }),
  namespace: rich('namespace', { spec: { finalizers: ['kubernetes', 'example.com/x'] } }),
  ingress: rich('ingress', {
    spec: {
      ingressClassName: 'nginx',
      defaultBackend: { resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'b' } },
      tls: [{ hosts: ['a.example', '*.b.example'], secretName: 's' }],
      rules: [
        {
          host: '*.a.example',
          http: {
            paths: [
              {
                path: '/x',
                pathType: 'Prefix',
                backend: { service: { name: 'x', port: { number: 80 } } },
              },
              {
                path: '/y',
                pathType: 'Exact',
                backend: { service: { name: 'x', port: { name: 'http' } } },
              },
            ],
          },
        },
      ],
    },
  }),
  ingressclass: rich('ingressclass', {
    spec: {
      controller: 'example.com/x',
      parameters: {
        apiGroup: 'example.com',
        kind: 'P',
        name: 'p',
        scope: 'Namespace',
        namespace: 'ns',
      },
    },
  }),
  networkpolicy: rich('networkpolicy', {
    spec: {
      podSelector: selector,
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [
            { podSelector: selector, namespaceSelector: selector },
            { ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] } },
          ],
          ports: [{ port: 80, endPort: 90, protocol: 'TCP' }, { port: 'http' }],
        },
      ],
      egress: [{ to: [{ podSelector: {} }], ports: [{ port: 53, protocol: 'UDP' }] }],
    },
  }),
  autoscaler: rich('autoscaler', {
    spec: {
      minReplicas: 1,
      maxReplicas: 3,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', ...target('Utilization', { averageUtilization: 50 }) },
        },
        {
          type: 'Pods',
          pods: {
            metric: { name: 'm', selector },
            ...target('AverageValue', { averageValue: '10' }),
          },
        },
        {
          type: 'Object',
          object: {
            metric: { name: 'm' },
            describedObject: { apiVersion: 'v1', kind: 'Service', name: 's' },
            ...target('Value', { value: '10' }),
          },
        },
        {
          type: 'External',
          external: { metric: { name: 'm' }, ...target('Value', { value: '10' }) },
        },
        {
          type: 'ContainerResource',
          containerResource: {
            name: 'memory',
            container: 'main',
            ...target('AverageValue', { averageValue: '1Gi' }),
          },
        },
      ],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 10,
          selectPolicy: 'Max',
          policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }],
        },
        scaleDown: { policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] },
      },
    },
  }),
  disruptionbudget: rich('disruptionbudget', {
    spec: { minAvailable: '50%', selector, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  }),
  role: rich('role', {
    rules: [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'], resourceNames: ['x'] },
      { apiGroups: ['apps'], resources: ['*'], verbs: ['*'] },
    ],
  }),
  rolebinding: rich('rolebinding', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'sample' },
    subjects: [
      { kind: 'ServiceAccount', name: 'x', namespace: 'y' },
      { kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' },
      { kind: 'Group', name: 'g', apiGroup: 'rbac.authorization.k8s.io' },
    ],
  }),
  clusterrole: of(`/apis/${rbac}/clusterroles`, rbac, 'ClusterRole', {
    rules: [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['/x'], verbs: ['get'] },
    ],
  }),
  // Its rules are the controller's.
  'clusterrole-aggregated': of(`/apis/${rbac}/clusterroles`, rbac, 'ClusterRole', {
    aggregationRule: { clusterRoleSelectors: [selector] },
  }),
  clusterrolebinding: of(`/apis/${rbac}/clusterrolebindings`, rbac, 'ClusterRoleBinding', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sample' },
    subjects: [{ kind: 'ServiceAccount', name: 'x', namespace: 'y' }],
  }),
  storageclass: rich('storageclass', {
    provisioner: 'example.com/x',
    parameters: { a: 'b' },
    reclaimPolicy: 'Retain',
    allowVolumeExpansion: true,
    volumeBindingMode: 'WaitForFirstConsumer',
    mountOptions: ['ro'],
    allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a', 'b'] }] }],
  }),
  priorityclass: rich('priorityclass', {
    value: 10,
    globalDefault: false,
    description: 'd',
    preemptionPolicy: 'Never',
  }),
  lease: rich('lease', {
    spec: {
      holderIdentity: 'x',
      leaseDurationSeconds: 15,
      leaseTransitions: 1,
      acquireTime: '2026-01-01T00:00:00.000000Z',
    },
  }),
  runtimeclass: rich('runtimeclass', {
    handler: 'x',
    overhead: { podFixed: { cpu: '100m' } },
    scheduling: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'k', operator: 'Exists' }] },
  }),
  controllerrevision: rich('controllerrevision', { data: { a: 1 }, revision: 1 }),
  event: rich('event', {
    involvedObject: { kind: 'Pod', namespace: 'NS', name: 'x' },
    reason: 'R',
    message: 'm',
    type: 'Normal',
    count: 1,
    source: { component: 'c' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
  }),
  webhook: rich('webhook', {
    webhooks: [
      {
        ...webhook,
        clientConfig: { service: { name: 'x', namespace: 'y', path: '/p', port: 443 } },
      },
    ],
  }),
  mutatingwebhook: of(
    `/apis/${admission}/mutatingwebhookconfigurations`,
    admission,
    'MutatingWebhookConfiguration',
    {
      webhooks: [
        {
          ...webhook,
          reinvocationPolicy: 'IfNeeded',
          clientConfig: { url: 'https://hooks.example/x' },
        },
      ],
    },
  ),
  node: of('/api/v1/nodes', 'v1', 'Node', {
    spec: {
      podCIDR: '10.1.0.0/24',
      podCIDRs: ['10.1.0.0/24'],
      providerID: 'x://y',
      unschedulable: true,
      taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }],
    },
  }),
  csidriver: of('/apis/storage.k8s.io/v1/csidrivers', 'storage.k8s.io/v1', 'CSIDriver', {
    spec: { attachRequired: true, podInfoOnMount: true, fsGroupPolicy: 'File' },
  }),
};
