/** Pods that use as many fields as one can: what the mutations of pods start from. */

const probe = { initialDelaySeconds: 1, timeoutSeconds: 2, periodSeconds: 3, failureThreshold: 4 };

const container = {
  name: 'main',
  image: 'registry.example/app:1.0',
  command: ['run'],
  args: ['x'],
  workingDir: '/work',
  imagePullPolicy: 'IfNotPresent',
  terminationMessagePath: '/dev/log',
  terminationMessagePolicy: 'File',
  ports: [
    { name: 'http', containerPort: 8080, protocol: 'TCP', hostPort: 8080 },
    { name: 'dns', containerPort: 53, protocol: 'UDP' },
  ],
  env: [
    { name: 'A', value: 'b' },
    { name: 'N', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'L', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
    { name: 'R', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1' } } },
    { name: 'C', valueFrom: { configMapKeyRef: { name: 'config', key: 'k', optional: true } } },
    { name: 'S', valueFrom: { secretKeyRef: { name: 'secret', key: 'k' } } },
  ],
  envFrom: [
    { prefix: 'P_', configMapRef: { name: 'config' } },
    { secretRef: { name: 'secret', optional: true } },
  ],
  resources: {
    limits: { cpu: '500m', memory: '64Mi', 'ephemeral-storage': '1Gi' },
    requests: { cpu: '100m', memory: '32Mi' },
  },
  resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
  volumeMounts: [
    { name: 'config', mountPath: '/config', readOnly: true, subPath: 'a' },
    { name: 'scratch', mountPath: '/scratch', mountPropagation: 'None' },
    { name: 'scratch', mountPath: '/expr', subPathExpr: '$(A)' },
  ],
  livenessProbe: {
    ...probe,
    httpGet: {
      port: 'http',
      path: '/live',
      scheme: 'HTTP',
      host: 'h.example',
      httpHeaders: [{ name: 'X-A', value: 'b' }],
    },
    terminationGracePeriodSeconds: 5,
  },
  readinessProbe: { ...probe, tcpSocket: { port: 8080, host: 'h' }, successThreshold: 2 },
  startupProbe: { ...probe, exec: { command: ['true'] } },
  lifecycle: {
    postStart: { exec: { command: ['a'] } },
    preStop: { httpGet: { port: 80, path: '/stop' } },
  },
  securityContext: {
    privileged: false,
    allowPrivilegeEscalation: false,
    runAsUser: 1000,
    runAsGroup: 1000,
    runAsNonRoot: true,
    readOnlyRootFilesystem: true,
    procMount: 'Default',
    capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    seLinuxOptions: { level: 's0' },
    seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' },
    appArmorProfile: { type: 'RuntimeDefault' },
  },
};

const term = {
  labelSelector: {
    matchLabels: { app: 'sample' },
    matchExpressions: [{ key: 'tier', operator: 'In', values: ['a'] }],
  },
  topologyKey: 'kubernetes.io/hostname',
  namespaces: ['other'],
};

/** Scheduling, security, names: everything of a pod's spec but its volumes. */
export const richPodSpec = {
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  activeDeadlineSeconds: 100,
  dnsPolicy: 'None',
  dnsConfig: {
    nameservers: ['192.0.2.1'],
    searches: ['a.example'],
    options: [{ name: 'ndots', value: '2' }],
  },
  nodeSelector: { disk: 'ssd' },
  serviceAccountName: 'default',
  automountServiceAccountToken: false,
  shareProcessNamespace: true,
  hostAliases: [{ ip: '127.0.0.1', hostnames: ['a.example'] }],
  hostname: 'host',
  subdomain: 'sub',
  schedulerName: 'default-scheduler',
  enableServiceLinks: true,
  preemptionPolicy: 'PreemptLowerPriority',
  setHostnameAsFQDN: false,
  os: { name: 'linux' },
  imagePullSecrets: [{ name: 'pull' }],
  readinessGates: [{ conditionType: 'example.com/ready' }],
  schedulingGates: [{ name: 'example.com/gate' }],
  securityContext: {
    runAsUser: 1000,
    runAsGroup: 1000,
    runAsNonRoot: true,
    fsGroup: 1000,
    fsGroupChangePolicy: 'Always',
    supplementalGroups: [1, 2],
    supplementalGroupsPolicy: 'Merge',
    sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }],
    seccompProfile: { type: 'RuntimeDefault' },
  },
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              { key: 'disk', operator: 'In', values: ['ssd'] },
              { key: 'count', operator: 'Gt', values: ['1'] },
            ],
            matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }],
          },
        ],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 10,
          preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] },
        },
      ],
    },
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [term],
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm: term }],
    },
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { ...term, namespaceSelector: { matchLabels: { a: 'b' } }, matchLabelKeys: ['key'] },
      ],
    },
  },
  tolerations: [
    { key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' },
    { key: 'c', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 10 },
  ],
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      minDomains: 2,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'sample' } },
      nodeAffinityPolicy: 'Honor',
      nodeTaintsPolicy: 'Ignore',
      matchLabelKeys: ['rev'],
    },
  ],
  initContainers: [
    { name: 'init', image: 'i', command: ['x'] },
    {
      name: 'sidecar',
      image: 'i',
      restartPolicy: 'Always',
      readinessProbe: { grpc: { port: 80, service: 'x' } },
      lifecycle: { preStop: { sleep: { seconds: 1 } } },
    },
  ],
  containers: [container, { name: 'second', image: 'x' }],
  volumes: [
    { name: 'config', configMap: { name: 'config' } },
    { name: 'scratch', emptyDir: {} },
  ],
};

const items = [{ key: 'k', path: 'a/b', mode: 0o400 }];

/** A volume of every source that a manifest may hold. */
export const richVolumes = [
  { name: 'config-map', configMap: { name: 'c', optional: true, defaultMode: 0o644, items } },
  { name: 'secret', secret: { secretName: 's', optional: true, defaultMode: 0o644, items } },
  { name: 'empty', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
  { name: 'host', hostPath: { path: '/var', type: 'Directory' } },
  { name: 'claim', persistentVolumeClaim: { claimName: 'c', readOnly: true } },
  {
    name: 'downward',
    downwardAPI: {
      defaultMode: 0o644,
      items: [
        { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
        {
          path: 'cpu',
          mode: 0o400,
          resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' },
        },
      ],
    },
  },
  {
    name: 'projected',
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: 3600, audience: 'a' } },
        { configMap: { name: 'c', items: [{ key: 'k', path: 'cm/b' }] } },
        { secret: { name: 's', items: [{ key: 'k', path: 'secret/b' }] } },
        { downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } },
        { clusterTrustBundle: { signerName: 'example.com/x', path: 'ca', labelSelector: {} } },
      ],
    },
  },
  {
    name: 'ephemeral',
    ephemeral: {
      volumeClaimTemplate: {
        metadata: { labels: { a: 'b' } },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'fast',
          resources: { requests: { storage: '1Gi' } },
        },
      },
    },
  },
  { name: 'csi', csi: { driver: 'csi.example.com', fsType: 'ext4', volumeAttributes: { a: 'b' } } },
  { name: 'nfs', nfs: { server: 's', path: '/p' } },
  { name: 'image', image: { reference: 'registry.example/x:1', pullPolicy: 'Always' } },
  {
    name: 'iscsi',
    iscsi: { targetPortal: '192.0.2.1:3260', iqn: 'iqn.2000-01.example:x', lun: 0 },
  },
  { name: 'fc', fc: { targetWWNs: ['50060e801049cfd1'], lun: 0 } },
];

export const volumePodSpec = {
  automountServiceAccountToken: false,
  containers: [{ name: 'main', image: 'x', resources: { limits: { cpu: '1' } } }],
  volumes: richVolumes,
};
