import type { Sample } from './samples.ts';

const labels = { app: 'sample' };

function of(apiVersion: string, kind: string, extra: Record<string, unknown>): object {
  return { apiVersion, kind, metadata: { name: 'sample', labels }, ...extra };
}

function sample(path: string, object: object, change: object = LABELLED): Sample {
  return {
    path: path.startsWith('/') ? path : `/apis/${path}`,
    namespaced: path.includes('/namespaces/NS/'),
    object: object as Sample['object'],
    change: change as Sample['change'],
  };
}

const LABELLED = { metadata: { labels: { a: 'b' } } };
const DRA = 'resource.k8s.io/v1';
const FLOW = 'flowcontrol.apiserver.k8s.io/v1';
const STORAGE = 'storage.k8s.io/v1';
const ADMISSION = 'admissionregistration.k8s.io/v1';
const CERTIFICATES = 'certificates.k8s.io/v1';
/** A request for a certificate of `CN=someone, O=group`. */
export const CERTIFICATE_REQUEST =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZE1JR0VBZ0VBTUNJeEVEQU9CZ05WQkFNTUIzTnZiV1Z2Ym1VeERqQU1CZ05WQkFvTUJXZHliM1Z3TUZrdwpFd1lIS29aSXpqMENBUVlJS29aSXpqMERBUWNEUWdBRUJzdFdESU4wMFdsZ1ZKM3NMT3dYSU5GRm10enk4L2N5CnN4TjZCTVE4UmdBaWM5THliTjdtNURLd1N3RklOQ0NoQ0lyTlVscDBpWjJralFOc1ZFTGsvYUFBTUFvR0NDcUcKU000OUJBTUNBMGdBTUVVQ0lRRHNSQkNZSVg5cHdnTXRtNk1jRnVOVXZKNkpRenBBeEMzNC94dmVjaHBybkFJZwpLWXhHSWFqZkRiUVZIVnVMNHprYU9HWWlZNjFPWmxSR2Q2VGIxNEdtUldnPQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K';

const constraints = {
  resourceRules: [
    {
      apiGroups: ['none.example'],
      apiVersions: ['v1'],
      resources: ['things'],
      operations: ['CREATE'],
    },
  ],
};
const deviceRequests = {
  devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpus' } }] },
};

/** Who asks is another on each server, and only one of them has an id. */
export const REQUESTER: readonly string[] = ['spec', 'items.0.spec', 'rows.0.object.spec'].flatMap(
  (path) => [`${path}.uid`, `${path}.username`],
);

/** Kinds that fewer repositories hold, and those that only a cluster itself writes. */
export const MORE_SAMPLES: Readonly<Record<string, Sample>> = {
  certificaterequest: {
    ...sample(
      `${CERTIFICATES}/certificatesigningrequests`,
      of(CERTIFICATES, 'CertificateSigningRequest', {
        spec: {
          request: CERTIFICATE_REQUEST,
          signerName: 'kubernetes.io/kube-apiserver-client',
          usages: ['client auth'],
        },
      }),
    ),
    ignore: [...REQUESTER, 'rows.0.cells'],
  },
  newevent: sample(
    'events.k8s.io/v1/namespaces/NS/events',
    of('events.k8s.io/v1', 'Event', {
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'example.com/c',
      reportingInstance: 'c-1',
      action: 'Doing',
      reason: 'Done',
      type: 'Normal',
      note: 'it is done',
      regarding: { kind: 'Pod', namespace: 'NS', name: 'x', apiVersion: 'v1' },
    }),
  ),
  deviceclass: sample(
    `${DRA}/deviceclasses`,
    of(DRA, 'DeviceClass', {
      spec: { selectors: [{ cel: { expression: 'device.driver == "gpu.example.com"' } }] },
    }),
  ),
  resourceclaim: sample(
    `${DRA}/namespaces/NS/resourceclaims`,
    of(DRA, 'ResourceClaim', { spec: deviceRequests }),
  ),
  claimtemplate: sample(
    `${DRA}/namespaces/NS/resourceclaimtemplates`,
    of(DRA, 'ResourceClaimTemplate', { spec: { metadata: { labels }, spec: deviceRequests } }),
  ),
  resourceslice: sample(
    `${DRA}/resourceslices`,
    of(DRA, 'ResourceSlice', {
      spec: {
        driver: 'gpu.example.com',
        nodeName: 'n',
        pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
        devices: [
          {
            name: 'd',
            attributes: { model: { string: 'x' } },
            capacity: { memory: { value: '8Gi' } },
          },
        ],
      },
    }),
  ),
  flowschema: sample(
    `${FLOW}/flowschemas`,
    of(FLOW, 'FlowSchema', {
      spec: {
        priorityLevelConfiguration: { name: 'global-default' },
        matchingPrecedence: 500,
        distinguisherMethod: { type: 'ByUser' },
        rules: [
          {
            subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: 'a', namespace: 'b' } }],
            resourceRules: [
              { verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] },
            ],
          },
        ],
      },
    }),
  ),
  prioritylevel: sample(
    `${FLOW}/prioritylevelconfigurations`,
    of(FLOW, 'PriorityLevelConfiguration', {
      spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: {} } } },
    }),
  ),
  csidriver: sample(`${STORAGE}/csidrivers`, of(STORAGE, 'CSIDriver', { spec: {} })),
  csinode: sample(
    `${STORAGE}/csinodes`,
    of(STORAGE, 'CSINode', { spec: { drivers: [{ name: 'd.example.com', nodeID: 'n' }] } }),
  ),
  storagecapacity: sample(
    `${STORAGE}/namespaces/NS/csistoragecapacities`,
    of(STORAGE, 'CSIStorageCapacity', { storageClassName: 'fast', capacity: '1Gi' }),
    { capacity: '2Gi' },
  ),
  attachment: sample(
    `${STORAGE}/volumeattachments`,
    of(STORAGE, 'VolumeAttachment', {
      spec: { attacher: 'd.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } },
    }),
  ),
  attributesclass: sample(
    `${STORAGE}/volumeattributesclasses`,
    of(STORAGE, 'VolumeAttributesClass', {
      driverName: 'd.example.com',
      parameters: { iops: '1' },
    }),
  ),
  ipaddress: sample(
    'networking.k8s.io/v1/servicecidrs',
    of('networking.k8s.io/v1', 'ServiceCIDR', { spec: { cidrs: ['10.200.0.0/24'] } }),
  ),
  apiservice: sample('apiregistration.k8s.io/v1/apiservices', {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'sample', labels },
    spec: { group: 'none.example', version: 'v1', groupPriorityMinimum: 100, versionPriority: 10 },
  }),
  mutatingwebhook: sample(
    `${ADMISSION}/mutatingwebhookconfigurations`,
    of(ADMISSION, 'MutatingWebhookConfiguration', {
      webhooks: [
        {
          name: 'a.b.c',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: { url: 'https://none.example/x' },
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
  ),
  validatingpolicy: sample(
    `${ADMISSION}/validatingadmissionpolicies`,
    of(ADMISSION, 'ValidatingAdmissionPolicy', {
      spec: { matchConstraints: constraints, validations: [{ expression: 'true' }] },
    }),
    { spec: { failurePolicy: 'Ignore' } },
  ),
  validatingbinding: sample(
    `${ADMISSION}/validatingadmissionpolicybindings`,
    of(ADMISSION, 'ValidatingAdmissionPolicyBinding', {
      spec: { policyName: 'none', validationActions: ['Audit'] },
    }),
    { spec: { validationActions: ['Warn'] } },
  ),
  mutatingpolicy: sample(
    `${ADMISSION}/mutatingadmissionpolicies`,
    of(ADMISSION, 'MutatingAdmissionPolicy', {
      spec: {
        matchConstraints: constraints,
        reinvocationPolicy: 'Never',
        mutations: [
          { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } },
        ],
      },
    }),
    { spec: { reinvocationPolicy: 'IfNeeded' } },
  ),
  mutatingbinding: sample(
    `${ADMISSION}/mutatingadmissionpolicybindings`,
    of(ADMISSION, 'MutatingAdmissionPolicyBinding', { spec: { policyName: 'none' } }),
    { spec: { policyName: 'other' } },
  ),
};
