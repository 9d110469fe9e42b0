// Tables: which fields of the built-in kinds the transformers touch, and which fields hold names. Facts of kustomize
// 5.8.2, written down by where a kind keeps its pod template. May grow beyond the size of other files.
import type { FieldSpec, FieldSpecList, NameReference } from './transformer-config.ts';

interface Where {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly create?: boolean;
}

function spec(path: string, where: Where = {}): FieldSpec {
  return {
    group: where.group ?? '',
    version: where.version ?? '',
    kind: where.kind ?? '',
    path,
    // A backslash keeps the '/' of an annotation's name.
    parts: path.split(/(?<!\\)\//).map((part) => part.replaceAll('\\/', '/')),
    create: where.create ?? false,
  };
}

const APPS = 'apps';
const BATCH = 'batch';
const RBAC = 'rbac.authorization.k8s.io';
const ADMISSION = 'admissionregistration.k8s.io';
const NETWORKING = 'networking.k8s.io';

const TEMPLATE = 'spec/template';
const JOB_TEMPLATE = 'spec/jobTemplate/spec/template';

const metadataLabels: readonly FieldSpec[] = [
  spec('metadata/labels', { create: true }),
  spec(`${TEMPLATE}/metadata/labels`, {
    version: 'v1',
    kind: 'ReplicationController',
    create: true,
  }),
  spec(`${TEMPLATE}/metadata/labels`, { kind: 'Deployment', create: true }),
  spec(`${TEMPLATE}/metadata/labels`, { kind: 'ReplicaSet', create: true }),
  spec(`${TEMPLATE}/metadata/labels`, { kind: 'DaemonSet', create: true }),
  spec(`${TEMPLATE}/metadata/labels`, { group: APPS, kind: 'StatefulSet', create: true }),
  spec(`${TEMPLATE}/metadata/labels`, { group: BATCH, kind: 'Job', create: true }),
  spec('spec/jobTemplate/metadata/labels', { group: BATCH, kind: 'CronJob', create: true }),
  spec(`${JOB_TEMPLATE}/metadata/labels`, { group: BATCH, kind: 'CronJob', create: true }),
];

const claimLabels: readonly FieldSpec[] = [
  spec('spec/volumeClaimTemplates[]/metadata/labels', {
    group: APPS,
    kind: 'StatefulSet',
    create: true,
  }),
];

const SCHEDULING_SELECTORS = [
  'affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels',
  'affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels',
  'affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels',
  'affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels',
  'topologySpreadConstraints/labelSelector/matchLabels',
];

const commonLabels: readonly FieldSpec[] = [
  spec('spec/selector', { version: 'v1', kind: 'Service', create: true }),
  spec('spec/selector', { version: 'v1', kind: 'ReplicationController', create: true }),
  spec('spec/selector/matchLabels', { kind: 'Deployment', create: true }),
  spec('spec/selector/matchLabels', { kind: 'ReplicaSet', create: true }),
  spec('spec/selector/matchLabels', { kind: 'DaemonSet', create: true }),
  spec('spec/selector/matchLabels', { group: APPS, kind: 'StatefulSet', create: true }),
  ...['Deployment', 'StatefulSet'].flatMap((kind) =>
    SCHEDULING_SELECTORS.map((path) => spec(`${TEMPLATE}/spec/${path}`, { group: APPS, kind })),
  ),
  spec('spec/selector/matchLabels', { group: BATCH, kind: 'Job' }),
  spec('spec/jobTemplate/spec/selector/matchLabels', { group: BATCH, kind: 'CronJob' }),
  spec('spec/selector/matchLabels', { group: 'policy', kind: 'PodDisruptionBudget' }),
  ...['spec', 'spec/ingress/from', 'spec/egress/to'].map((at) =>
    spec(`${at}/podSelector/matchLabels`, { group: NETWORKING, kind: 'NetworkPolicy' }),
  ),
  ...metadataLabels,
  ...claimLabels,
];

const commonAnnotations: readonly FieldSpec[] = [
  spec('metadata/annotations', { create: true }),
  spec(`${TEMPLATE}/metadata/annotations`, {
    version: 'v1',
    kind: 'ReplicationController',
    create: true,
  }),
  ...['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet'].map((kind) =>
    spec(`${TEMPLATE}/metadata/annotations`, { kind, create: true }),
  ),
  spec(`${TEMPLATE}/metadata/annotations`, { group: BATCH, kind: 'Job', create: true }),
  spec('spec/jobTemplate/metadata/annotations', { group: BATCH, kind: 'CronJob', create: true }),
  spec(`${JOB_TEMPLATE}/metadata/annotations`, { group: BATCH, kind: 'CronJob', create: true }),
];

const VAR_FIELDS = ['args', 'command', 'env/value', 'volumeMounts/mountPath'];

function varsOfPods(kind: string, pod: string): FieldSpec[] {
  return ['containers', 'initContainers'].flatMap((list) =>
    VAR_FIELDS.map((field) => spec(`${pod}/${list}/${field}`, { kind })),
  );
}

const varReference: readonly FieldSpec[] = [
  ...varsOfPods('CronJob', `${JOB_TEMPLATE}/spec`),
  spec('spec/jobTemplate/spec/template/volumes/nfs/server', { kind: 'CronJob' }),
  ...['DaemonSet', 'Deployment', 'Job', 'ReplicaSet'].flatMap((kind) => [
    ...varsOfPods(kind, `${TEMPLATE}/spec`),
    spec(`${TEMPLATE}/spec/volumes/nfs/server`, { kind }),
  ]),
  spec(`${TEMPLATE}/metadata/annotations`, { kind: 'Deployment' }),
  ...['spec/rules/host', 'spec/tls/hosts', 'spec/tls/secretName'].map((path) =>
    spec(path, { kind: 'Ingress' }),
  ),
  ...varsOfPods('Pod', 'spec'),
  spec('spec/volumes/nfs/server', { kind: 'Pod' }),
  spec('spec/ports/port', { kind: 'Service' }),
  spec('spec/ports/targetPort', { kind: 'Service' }),
  ...varsOfPods('StatefulSet', `${TEMPLATE}/spec`),
  spec('spec/volumeClaimTemplates/spec/nfs/server', { kind: 'StatefulSet' }),
  spec('spec/nfs/server', { kind: 'PersistentVolume' }),
  spec('metadata/labels'),
  spec('metadata/annotations'),
];

const IMAGE_HOLDERS = ['spec', `${TEMPLATE}/spec`];

export const DEFAULT_FIELD_SPECS: Readonly<
  Record<Exclude<FieldSpecList, 'labels'>, readonly FieldSpec[]>
> = {
  namePrefix: [spec('metadata/name')],
  nameSuffix: [spec('metadata/name')],
  namespace: [
    spec('metadata/name', { kind: 'Namespace', create: true }),
    spec('spec/service/namespace', {
      group: 'apiregistration.k8s.io',
      kind: 'APIService',
      create: true,
    }),
    spec('spec/conversion/webhook/clientConfig/service/namespace', {
      group: 'apiextensions.k8s.io',
      kind: 'CustomResourceDefinition',
    }),
  ],
  commonLabels,
  templateLabels: metadataLabels,
  volumeClaimTemplateLabels: claimLabels,
  commonAnnotations,
  varReference,
  images: [
    ...IMAGE_HOLDERS.flatMap((pod) => [
      spec(`${pod}/containers[]/image`, { create: true }),
      spec(`${pod}/initContainers[]/image`, { create: true }),
      spec(`${pod}/volumes[]/image/reference`, { create: true }),
    ]),
    spec(`${JOB_TEMPLATE}/spec/volumes[]/image/reference`, { create: true }),
  ],
  replicas: ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) =>
    spec('spec/replicas', { kind, create: true }),
  ),
};

/** Where the kinds with pods keep the pod's spec. */
const PODS: readonly (readonly [string, string, Where?])[] = [
  ['Pod', 'spec', { version: 'v1' }],
  ['PodTemplate', 'template/spec'],
  ['Deployment', `${TEMPLATE}/spec`],
  ['ReplicaSet', `${TEMPLATE}/spec`],
  ['DaemonSet', `${TEMPLATE}/spec`],
  ['StatefulSet', `${TEMPLATE}/spec`],
  ['Job', `${TEMPLATE}/spec`],
  ['CronJob', `${JOB_TEMPLATE}/spec`],
];

/** The kinds whose pods refer to accounts, claims and priority classes. */
const SERVED_PODS: readonly (readonly [string, string])[] = [
  ['Pod', 'spec'],
  ['StatefulSet', `${TEMPLATE}/spec`],
  ['Deployment', `${TEMPLATE}/spec`],
  ['ReplicationController', `${TEMPLATE}/spec`],
  ['CronJob', `${JOB_TEMPLATE}/spec`],
  ['Job', `${TEMPLATE}/spec`],
  ['DaemonSet', `${TEMPLATE}/spec`],
];

function inPods(paths: readonly string[]): FieldSpec[] {
  return PODS.flatMap(([kind, pod, where]) =>
    paths.map((path) => spec(`${pod}/${path}`, { ...where, kind })),
  );
}

function inServedPods(path: string): FieldSpec[] {
  return SERVED_PODS.map(([kind, pod]) => spec(`${pod}/${path}`, { kind }));
}

function reference(
  kind: string,
  where: { readonly group?: string; readonly version?: string },
  referrers: readonly FieldSpec[],
): NameReference {
  return { group: where.group ?? '', version: where.version ?? '', kind, referrers };
}

const resourceNames = (kind: string): FieldSpec => spec('rules/resourceNames', { kind });

const configMapReferrers: readonly FieldSpec[] = [
  ...inPods([
    'volumes/configMap/name',
    'containers/env/valueFrom/configMapKeyRef/name',
    'initContainers/env/valueFrom/configMapKeyRef/name',
    'containers/envFrom/configMapRef/name',
    'initContainers/envFrom/configMapRef/name',
    'volumes/projected/sources/configMap/name',
  ]),
  spec('spec/configSource/configMap', { kind: 'Node' }),
  resourceNames('Role'),
  resourceNames('ClusterRole'),
  spec('metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap', {
    kind: 'Ingress',
  }),
];

const secretReferrers: readonly FieldSpec[] = [
  ...inPods([
    'volumes/secret/secretName',
    'containers/env/valueFrom/secretKeyRef/name',
    'initContainers/env/valueFrom/secretKeyRef/name',
    'containers/envFrom/secretRef/name',
    'initContainers/envFrom/secretRef/name',
    'imagePullSecrets/name',
    'volumes/projected/sources/secret/name',
  ]),
  spec('spec/tls/secretName', { kind: 'Ingress' }),
  ...[
    'ingress.kubernetes.io\\/auth-secret',
    'nginx.ingress.kubernetes.io\\/auth-secret',
    'nginx.ingress.kubernetes.io\\/auth-tls-secret',
  ].map((name) => spec(`metadata/annotations/${name}`, { kind: 'Ingress' })),
  spec('imagePullSecrets/name', { kind: 'ServiceAccount' }),
  ...['secretName', 'adminSecretName', 'userSecretName', 'secretRef'].map((name) =>
    spec(`parameters/${name}`, { kind: 'StorageClass' }),
  ),
  resourceNames('Role'),
  resourceNames('ClusterRole'),
  spec(`${TEMPLATE}/spec/containers/env/valueFrom/secretKeyRef/name`, {
    group: 'serving.knative.dev',
    version: 'v1',
    kind: 'Service',
  }),
  spec('spec/azureFile/secretName', { kind: 'PersistentVolume' }),
];

const serviceReferrers: readonly FieldSpec[] = [
  spec('spec/serviceName', { group: APPS, kind: 'StatefulSet' }),
  ...[
    'spec/rules/http/paths/backend/serviceName',
    'spec/backend/serviceName',
    'spec/rules/http/paths/backend/service/name',
    'spec/defaultBackend/service/name',
  ].map((path) => spec(path, { kind: 'Ingress' })),
  spec('spec/service/name', { group: 'apiregistration.k8s.io', kind: 'APIService' }),
  spec('webhooks/clientConfig/service', {
    group: ADMISSION,
    kind: 'ValidatingWebhookConfiguration',
  }),
  spec('webhooks/clientConfig/service', { group: ADMISSION, kind: 'MutatingWebhookConfiguration' }),
];

export const DEFAULT_NAME_REFERENCES: readonly NameReference[] = [
  ...['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) =>
    reference(kind, {}, [spec('spec/scaleTargetRef/name', { kind: 'HorizontalPodAutoscaler' })]),
  ),
  reference('ConfigMap', { version: 'v1' }, configMapReferrers),
  reference('Secret', { version: 'v1' }, secretReferrers),
  reference('Service', { version: 'v1' }, serviceReferrers),
  reference('Role', { group: RBAC }, [spec('roleRef/name', { group: RBAC, kind: 'RoleBinding' })]),
  reference('ClusterRole', { group: RBAC }, [
    spec('roleRef/name', { group: RBAC, kind: 'RoleBinding' }),
    spec('roleRef/name', { group: RBAC, kind: 'ClusterRoleBinding' }),
  ]),
  reference('ServiceAccount', { version: 'v1' }, [
    spec('subjects', { group: RBAC, kind: 'RoleBinding' }),
    spec('subjects', { group: RBAC, kind: 'ClusterRoleBinding' }),
    ...inServedPods('serviceAccountName'),
  ]),
  reference(
    'PersistentVolumeClaim',
    { version: 'v1' },
    inServedPods('volumes/persistentVolumeClaim/claimName'),
  ),
  reference('PersistentVolume', { version: 'v1' }, [
    spec('spec/volumeName', { kind: 'PersistentVolumeClaim' }),
    resourceNames('ClusterRole'),
  ]),
  reference('StorageClass', { group: 'storage.k8s.io', version: 'v1' }, [
    spec('spec/storageClassName', { kind: 'PersistentVolume' }),
    spec('spec/storageClassName', { kind: 'PersistentVolumeClaim' }),
    spec('spec/volumeClaimTemplates/spec/storageClassName', { kind: 'StatefulSet' }),
  ]),
  reference(
    'PriorityClass',
    { group: 'scheduling.k8s.io', version: 'v1' },
    inServedPods('priorityClassName'),
  ),
  // The group is spelled with a version in the original, so that it never matches; kept, for equal output.
  reference('IngressClass', { group: 'networking.k8s.io/v1', version: 'v1' }, [
    spec('spec/ingressClassName', { kind: 'Ingress' }),
  ]),
  reference('ValidatingAdmissionPolicy', { group: ADMISSION }, [
    spec('spec/policyName', { group: ADMISSION, kind: 'ValidatingAdmissionPolicyBinding' }),
  ]),
];
