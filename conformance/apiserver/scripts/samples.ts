/** A small object of every kind that a GitOps repository usually holds: what each script is made from. */
export interface Sample {
  readonly path: string;
  readonly namespaced: boolean;
  readonly object: Readonly<Record<string, unknown>>;
  /** A change that the kind allows. */
  readonly change: Readonly<Record<string, unknown>>;
  /** Fields that are another on each server. */
  readonly ignore?: readonly string[];
}

const template = (labels: Record<string, string>, restartPolicy?: string) => ({
  metadata: { labels },
  spec: {
    containers: [
      {
        name: 'main',
        image: 'registry.example/app:1.0',
        ports: [{ containerPort: 8080, name: 'http' }],
        env: [
          { name: 'A', value: 'b' },
          { name: 'N', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        readinessProbe: { httpGet: { port: 'http' } },
        livenessProbe: { tcpSocket: { port: 8080 } },
        resources: { limits: { cpu: '500m', memory: '64Mi' } },
        volumeMounts: [
          { name: 'config', mountPath: '/config' },
          { name: 'scratch', mountPath: '/scratch' },
        ],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: 'config' } }, { name: 'scratch' }],
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
  },
});

const app = { app: 'sample' };
const core = (kind: string, extra: Record<string, unknown>) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'sample', labels: app },
  ...extra,
});
const of = (apiVersion: string, kind: string, extra: Record<string, unknown>) => ({
  apiVersion,
  kind,
  metadata: { name: 'sample', labels: app },
  ...extra,
});
const RBAC = 'rbac.authorization.k8s.io/v1';

export const SAMPLES: Readonly<Record<string, Sample>> = {
  configmap: {
    path: '/api/v1/namespaces/NS/configmaps',
    namespaced: true,
    object: core('ConfigMap', { data: { a: 'b' } }),
    change: { data: { c: 'd' } },
  },
  secret: {
    path: '/api/v1/namespaces/NS/secrets',
    namespaced: true,
    object: core('Secret', { stringData: { a: 'b' }, data: { z: 'eA==' } }),
    change: { data: { c: 'ZA==' } },
  },
  service: {
    path: '/api/v1/namespaces/NS/services',
    namespaced: true,
    object: core('Service', { spec: { selector: app, ports: [{ port: 80, targetPort: 'http' }] } }),
    change: { spec: { ports: [{ port: 81 }] } },
  },
  nodeport: {
    path: '/api/v1/namespaces/NS/services',
    namespaced: true,
    object: core('Service', {
      spec: {
        type: 'NodePort',
        selector: app,
        ports: [
          { port: 80, name: 'a' },
          { port: 81, name: 'b', protocol: 'UDP' },
        ],
      },
    }),
    change: { spec: { sessionAffinity: 'ClientIP' } },
  },
  loadbalancer: {
    path: '/api/v1/namespaces/NS/services',
    namespaced: true,
    object: core('Service', { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } }),
    change: { spec: { type: 'ClusterIP' } },
  },
  headless: {
    path: '/api/v1/namespaces/NS/services',
    namespaced: true,
    object: core('Service', { spec: { clusterIP: 'None', selector: app } }),
    change: { metadata: { labels: { x: 'y' } } },
  },
  externalname: {
    path: '/api/v1/namespaces/NS/services',
    namespaced: true,
    object: core('Service', { spec: { type: 'ExternalName', externalName: 'a.example' } }),
    change: { spec: { externalName: 'b.example' } },
  },
  serviceaccount: {
    path: '/api/v1/namespaces/NS/serviceaccounts',
    namespaced: true,
    object: core('ServiceAccount', { imagePullSecrets: [{ name: 'x' }] }),
    change: { automountServiceAccountToken: false },
  },
  endpoints: {
    path: '/api/v1/namespaces/NS/endpoints',
    namespaced: true,
    object: core('Endpoints', {
      subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }],
    }),
    change: { metadata: { annotations: { a: 'b' } } },
  },
  claim: {
    path: '/api/v1/namespaces/NS/persistentvolumeclaims',
    namespaced: true,
    object: core('PersistentVolumeClaim', {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }),
    change: { metadata: { annotations: { a: 'b' } } },
  },
  volume: {
    path: '/api/v1/persistentvolumes',
    namespaced: false,
    object: core('PersistentVolume', {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/x' },
      },
    }),
    change: { spec: { persistentVolumeReclaimPolicy: 'Delete' } },
  },
  limitrange: {
    path: '/api/v1/namespaces/NS/limitranges',
    namespaced: true,
    object: core('LimitRange', {
      spec: { limits: [{ type: 'Container', max: { cpu: '2' }, default: { memory: '1Gi' } }] },
    }),
    change: { metadata: { labels: { a: 'b' } } },
  },
  quota: {
    path: '/api/v1/namespaces/NS/resourcequotas',
    namespaced: true,
    object: core('ResourceQuota', { spec: { hard: { pods: '10', 'requests.cpu': '4' } } }),
    change: { spec: { hard: { pods: '11' } } },
  },
  event: {
    path: '/api/v1/namespaces/NS/events',
    namespaced: true,
    object: core('Event', {
      involvedObject: { kind: 'Pod', namespace: 'NS', name: 'x' },
      reason: 'R',
      message: 'm',
      type: 'Normal',
    }),
    change: { count: 2 },
  },
  podtemplate: {
    path: '/api/v1/namespaces/NS/podtemplates',
    namespaced: true,
    object: core('PodTemplate', { template: template(app) }),
    change: { metadata: { labels: { a: 'b' } } },
  },
  replicationcontroller: {
    path: '/api/v1/namespaces/NS/replicationcontrollers',
    namespaced: true,
    object: core('ReplicationController', { spec: { template: template(app) } }),
    change: { spec: { replicas: 2 } },
  },
  deployment: {
    path: '/apis/apps/v1/namespaces/NS/deployments',
    namespaced: true,
    object: of('apps/v1', 'Deployment', {
      spec: { selector: { matchLabels: app }, template: template(app) },
    }),
    change: { spec: { replicas: 3 } },
  },
  recreate: {
    path: '/apis/apps/v1/namespaces/NS/deployments',
    namespaced: true,
    object: of('apps/v1', 'Deployment', {
      spec: {
        strategy: { type: 'Recreate' },
        selector: { matchLabels: app },
        template: template(app),
      },
    }),
    change: { spec: { paused: true } },
  },
  replicaset: {
    path: '/apis/apps/v1/namespaces/NS/replicasets',
    namespaced: true,
    object: of('apps/v1', 'ReplicaSet', {
      spec: { selector: { matchLabels: app }, template: template(app) },
    }),
    change: { spec: { replicas: 2 } },
  },
  statefulset: {
    path: '/apis/apps/v1/namespaces/NS/statefulsets',
    namespaced: true,
    object: of('apps/v1', 'StatefulSet', {
      spec: {
        serviceName: 'x',
        selector: { matchLabels: app },
        template: template(app),
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    }),
    change: { spec: { replicas: 2 } },
  },
  daemonset: {
    path: '/apis/apps/v1/namespaces/NS/daemonsets',
    namespaced: true,
    object: of('apps/v1', 'DaemonSet', {
      spec: { selector: { matchLabels: app }, template: template(app) },
    }),
    change: { spec: { minReadySeconds: 2 } },
  },
  controllerrevision: {
    path: '/apis/apps/v1/namespaces/NS/controllerrevisions',
    namespaced: true,
    object: of('apps/v1', 'ControllerRevision', { data: { a: 1 }, revision: 1 }),
    change: { revision: 2 },
  },
  job: {
    path: '/apis/batch/v1/namespaces/NS/jobs',
    namespaced: true,
    object: of('batch/v1', 'Job', { spec: { template: template({ job: 'x' }, 'Never') } }),
    change: { spec: { parallelism: 2 } },
  },
  cronjob: {
    path: '/apis/batch/v1/namespaces/NS/cronjobs',
    namespaced: true,
    object: of('batch/v1', 'CronJob', {
      spec: {
        schedule: '*/5 * * * *',
        jobTemplate: { spec: { template: template({ job: 'x' }, 'OnFailure') } },
      },
    }),
    change: { spec: { suspend: true } },
  },
  ingress: {
    path: '/apis/networking.k8s.io/v1/namespaces/NS/ingresses',
    namespaced: true,
    object: of('networking.k8s.io/v1', 'Ingress', {
      spec: {
        rules: [
          {
            host: 'a.example',
            http: {
              paths: [
                {
                  path: '/',
                  pathType: 'Prefix',
                  backend: { service: { name: 'x', port: { number: 80 } } },
                },
              ],
            },
          },
        ],
        tls: [{ hosts: ['a.example'], secretName: 's' }],
      },
    }),
    change: { spec: { ingressClassName: 'x' } },
  },
  ingressclass: {
    path: '/apis/networking.k8s.io/v1/ingressclasses',
    namespaced: false,
    object: of('networking.k8s.io/v1', 'IngressClass', { spec: { controller: 'example.com/x' } }),
    change: { metadata: { labels: { a: 'b' } } },
  },
  networkpolicy: {
    path: '/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies',
    namespaced: true,
    object: of('networking.k8s.io/v1', 'NetworkPolicy', {
      spec: { podSelector: { matchLabels: app }, ingress: [{ ports: [{ port: 80 }] }] },
    }),
    change: { spec: { podSelector: {} } },
  },
  autoscaler: {
    path: '/apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers',
    namespaced: true,
    object: of('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      },
    }),
    change: { spec: { minReplicas: 2 } },
  },
  autoscalerv1: {
    path: '/apis/autoscaling/v1/namespaces/NS/horizontalpodautoscalers',
    namespaced: true,
    object: of('autoscaling/v1', 'HorizontalPodAutoscaler', {
      spec: {
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      },
    }),
    change: { spec: { minReplicas: 2 } },
  },
  disruptionbudget: {
    path: '/apis/policy/v1/namespaces/NS/poddisruptionbudgets',
    namespaced: true,
    object: of('policy/v1', 'PodDisruptionBudget', {
      spec: { minAvailable: 1, selector: { matchLabels: app } },
    }),
    change: { spec: { minAvailable: 2 } },
  },
  role: {
    path: `/apis/${RBAC}/namespaces/NS/roles`,
    namespaced: true,
    object: of(RBAC, 'Role', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
    change: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }] },
  },
  rolebinding: {
    path: `/apis/${RBAC}/namespaces/NS/rolebindings`,
    namespaced: true,
    object: of(RBAC, 'RoleBinding', {
      roleRef: { kind: 'Role', name: 'sample' },
      subjects: [
        { kind: 'ServiceAccount', name: 'x', namespace: 'y' },
        { kind: 'User', name: 'u' },
      ],
    }),
    change: { subjects: [{ kind: 'Group', name: 'g' }] },
  },
  clusterrole: {
    path: `/apis/${RBAC}/clusterroles`,
    namespaced: false,
    object: of(RBAC, 'ClusterRole', {
      rules: [
        { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
        { nonResourceURLs: ['/x'], verbs: ['get'] },
      ],
    }),
    change: { metadata: { labels: { a: 'b' } } },
  },
  clusterrolebinding: {
    path: `/apis/${RBAC}/clusterrolebindings`,
    namespaced: false,
    object: of(RBAC, 'ClusterRoleBinding', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sample' },
      subjects: [{ kind: 'ServiceAccount', name: 'x', namespace: 'y' }],
    }),
    change: { metadata: { labels: { a: 'b' } } },
  },
  storageclass: {
    path: '/apis/storage.k8s.io/v1/storageclasses',
    namespaced: false,
    object: of('storage.k8s.io/v1', 'StorageClass', { provisioner: 'example.com/x' }),
    change: { allowVolumeExpansion: true },
  },
  priorityclass: {
    path: '/apis/scheduling.k8s.io/v1/priorityclasses',
    namespaced: false,
    object: of('scheduling.k8s.io/v1', 'PriorityClass', { value: 10 }),
    change: { description: 'x' },
  },
  lease: {
    path: '/apis/coordination.k8s.io/v1/namespaces/NS/leases',
    namespaced: true,
    object: of('coordination.k8s.io/v1', 'Lease', {
      spec: { holderIdentity: 'x', leaseDurationSeconds: 15 },
    }),
    change: { spec: { holderIdentity: 'y' } },
  },
  endpointslice: {
    path: '/apis/discovery.k8s.io/v1/namespaces/NS/endpointslices',
    namespaced: true,
    object: of('discovery.k8s.io/v1', 'EndpointSlice', {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'], conditions: {} }],
      ports: [{ port: 80 }],
    }),
    change: { endpoints: [{ addresses: ['192.0.2.2'], conditions: { ready: true } }] },
  },
  webhook: {
    path: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    namespaced: false,
    object: of('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', {
      webhooks: [
        {
          name: 'a.example.com',
          clientConfig: { service: { name: 'x', namespace: 'y' } },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
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
    change: { metadata: { labels: { a: 'b' } } },
  },
  runtimeclass: {
    path: '/apis/node.k8s.io/v1/runtimeclasses',
    namespaced: false,
    object: of('node.k8s.io/v1', 'RuntimeClass', { handler: 'x' }),
    change: { metadata: { labels: { a: 'b' } } },
  },
  pod: {
    path: '/api/v1/namespaces/NS/pods',
    namespaced: true,
    object: core('Pod', { spec: template({}).spec }),
    change: { metadata: { labels: { a: 'b' } } },
  },
  namespace: {
    path: '/api/v1/namespaces',
    namespaced: false,
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'sample' } },
    change: { metadata: { labels: { a: 'b' } } },
  },
};
