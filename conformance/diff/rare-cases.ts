import { type DiffCase, of } from './cases.ts';

/** For CN=a, with a key that nobody has. */
const REQUEST = [
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlHTE1EOENBUUF3RERFS01BZ0dBMVVF',
  'QXd3QllUQXFNQVVHQXl0bGNBTWhBQWh2d0NLdXRCMGZLUEU5V0szcAovUEJ1UWVnNGNSK1pXaHFFL1Bw',
  'akR6cmlvQUF3QlFZREsyVndBMEVBNkszbzllYXJlZUo2emtjdlFleFlxRUNhCitiSWRWbFZGMzlUN3F0',
  'aVpSZ1kyRTFPS3M5bHJMcUd5Nk13dkx2TFhKZ2YzblA4TjhVdTVRMDBzMTNkd0NRPT0KLS0tLS1FTkQg',
  'Q0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==',
].join('');

const node = { nodeName: 'a-node' };
const claim = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } };
const rules = {
  failurePolicy: 'Fail',
  reinvocationPolicy: 'Never',
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
  mutations: [
    {
      patchType: 'ApplyConfiguration',
      applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"a": "b"}}}' },
    },
  ],
};

/** Kinds that are seldom kept in Git, small: so that every kind of the API that can be written is among the cases. */
export const RARE: readonly DiffCase[] = [
  {
    name: 'event of its own group',
    object: of('events.k8s.io/v1', 'Event', {
      eventTime: '2026-01-02T03:04:05.000000Z',
      action: 'Look',
      reason: 'Seen',
      type: 'Normal',
      reportingController: 'example.com/eye',
      reportingInstance: 'eye-1',
      regarding: { apiVersion: 'v1', kind: 'Namespace', name: 'NS', namespace: 'NS' },
    }),
  },
  {
    name: 'signing request',
    object: of('certificates.k8s.io/v1', 'CertificateSigningRequest', {
      spec: {
        request: REQUEST,
        signerName: 'example.com/signer',
        usages: ['client auth', 'digital signature'],
        expirationSeconds: 3600,
      },
    }),
  },
  {
    name: '198.51.100.7',
    object: of('networking.k8s.io/v1', 'IPAddress', {
      spec: { parentRef: { resource: 'services', name: 'a', namespace: 'default' } },
    }),
  },
  {
    name: 'range of services',
    object: of('networking.k8s.io/v1', 'ServiceCIDR', { spec: { cidrs: ['198.51.100.0/24'] } }),
  },
  {
    name: 'drivers of a node',
    object: of('storage.k8s.io/v1', 'CSINode', {
      spec: { drivers: [{ name: 'csi.example', nodeID: 'a', topologyKeys: ['zone'] }] },
    }),
  },
  {
    name: 'storage capacity',
    object: of('storage.k8s.io/v1', 'CSIStorageCapacity', {
      storageClassName: 'fast',
      capacity: '1024Mi',
      nodeTopology: { matchLabels: { zone: 'a' } },
    }),
  },
  {
    name: 'volume attachment',
    object: of('storage.k8s.io/v1', 'VolumeAttachment', {
      spec: { attacher: 'csi.example', ...node, source: { persistentVolumeName: 'pv' } },
    }),
  },
  {
    name: 'volume attributes',
    object: of('storage.k8s.io/v1', 'VolumeAttributesClass', {
      driverName: 'csi.example',
      parameters: { iops: '1000' },
    }),
  },
  {
    name: 'mutating policy',
    object: of('admissionregistration.k8s.io/v1', 'MutatingAdmissionPolicy', { spec: rules }),
  },
  {
    name: 'binding of a mutating policy',
    object: of('admissionregistration.k8s.io/v1', 'MutatingAdmissionPolicyBinding', {
      spec: { policyName: 'none' },
    }),
  },
  {
    name: 'device class',
    object: of('resource.k8s.io/v1', 'DeviceClass', {
      spec: { selectors: [{ cel: { expression: 'device.driver == "gpu.example"' } }] },
    }),
  },
  { name: 'device claim', object: of('resource.k8s.io/v1', 'ResourceClaim', { spec: claim }) },
  {
    name: 'template of a device claim',
    object: of('resource.k8s.io/v1', 'ResourceClaimTemplate', { spec: { spec: claim } }),
  },
  {
    name: 'devices of a node',
    object: of('resource.k8s.io/v1', 'ResourceSlice', {
      spec: {
        driver: 'gpu.example',
        ...node,
        pool: { name: 'a-node', generation: 1, resourceSliceCount: 1 },
        devices: [{ name: 'gpu-0', attributes: { model: { string: 'x' } } }],
      },
    }),
  },
];
