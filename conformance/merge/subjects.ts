/** The kinds that the random sequences work on, and which of their fields. */
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import {
  type Catalogue,
  type KindSchema,
  openApiDefinition,
  openApiSchema,
  readCustomResource,
} from '@capstan/kube-schema';
import type { Focus } from './random-object.ts';

export interface Subject {
  readonly schema: KindSchema;
  readonly focus: Focus;
  /** OpenAPI models for the oracle; absent for built-in kinds, which it knows. */
  readonly models?: Readonly<Record<string, JsonObject>>;
  /** The same kind in another version, and the conversion to it. */
  readonly other?: KindSchema;
}

const metadata: Focus = {
  labels: true,
  annotations: true,
  finalizers: true,
  ownerReferences: true,
};

const container: Focus = {
  name: true,
  image: true,
  command: true,
  env: { name: true, value: true, valueFrom: { fieldRef: true, secretKeyRef: true } },
  ports: true,
  resources: { limits: true, requests: true },
  volumeMounts: { name: true, mountPath: true, readOnly: true },
  securityContext: { runAsUser: true, capabilities: true, privileged: true },
};

const podSpec: Focus = {
  containers: container,
  initContainers: container,
  nodeSelector: true,
  tolerations: { key: true, value: true, tolerationSeconds: true },
  volumes: { name: true, configMap: { name: true, items: true }, emptyDir: { medium: true } },
  imagePullSecrets: true,
  hostAliases: true,
  terminationGracePeriodSeconds: true,
  serviceAccountName: true,
  topologySpreadConstraints: { maxSkew: true, topologyKey: true, whenUnsatisfiable: true },
  hostNetwork: true,
};

const builtIns: readonly (readonly [string, string, string, Focus])[] = [
  [
    'apps',
    'v1',
    'Deployment',
    {
      metadata,
      spec: {
        replicas: true,
        paused: true,
        minReadySeconds: true,
        strategy: true,
        selector: true,
        template: { metadata, spec: podSpec },
      },
    },
  ],
  ['', 'v1', 'Service', { metadata, spec: true }],
  ['', 'v1', 'ConfigMap', { metadata, data: true, binaryData: true, immutable: true }],
  ['', 'v1', 'Pod', { metadata, spec: podSpec, status: { conditions: true, phase: true } }],
  ['networking.k8s.io', 'v1', 'Ingress', { metadata, spec: true }],
  ['', 'v1', 'ServiceAccount', { metadata, secrets: true, imagePullSecrets: true }],
];

const versionSchema = (size: string): JsonObject => ({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        [size]: { type: 'integer' },
        name: { type: 'string' },
        port: { 'x-kubernetes-int-or-string': true },
        flag: { type: 'boolean' },
        ratio: { type: 'number' },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        plain: { type: 'array', items: { type: 'string' } },
        entries: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name', 'zone'],
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string' },
              zone: { type: 'string', default: 'a' },
              value: { type: 'string' },
              inner: {
                type: 'array',
                'x-kubernetes-list-type': 'map',
                'x-kubernetes-list-map-keys': ['id'],
                items: {
                  type: 'object',
                  required: ['id'],
                  properties: { id: { type: 'integer' }, text: { type: 'string' } },
                },
              },
            },
          },
        },
        whole: {
          type: 'object',
          'x-kubernetes-map-type': 'atomic',
          properties: { x: { type: 'string' }, y: { type: 'integer' } },
        },
        parts: {
          type: 'object',
          properties: {
            x: { type: 'string' },
            y: { type: 'integer' },
            z: { type: 'object', properties: { deep: { type: 'string' } } },
          },
        },
        dict: { type: 'object', additionalProperties: { type: 'string' } },
        dicts: {
          type: 'object',
          additionalProperties: {
            type: 'object',
            properties: { p: { type: 'string' }, q: { type: 'string' } },
          },
        },
        open: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { known: { type: 'string' } },
        },
        any: { 'x-kubernetes-preserve-unknown-fields': true },
        maybe: { type: 'string', nullable: true },
      },
    },
    status: {
      type: 'object',
      properties: {
        phase: { type: 'string' },
        conditions: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
          items: {
            type: 'object',
            required: ['type'],
            properties: { type: { type: 'string' }, status: { type: 'string' } },
          },
        },
      },
    },
  },
});

const crd: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: versionSchema('size') },
      },
      {
        name: 'v2',
        served: true,
        storage: false,
        schema: { openAPIV3Schema: versionSchema('length') },
      },
    ],
  },
};

export function subjectsOf(catalogue: Catalogue): readonly Subject[] {
  const [v1, v2] = readCustomResource(crd, catalogue);
  const models: Record<string, JsonObject> = { ...metaModels(catalogue) };
  for (const { kind } of [v1!, v2!])
    models[`com.example.${kind.kind.version}.Widget`] = {
      ...openApiSchema(kind.schema, 'v3'),
      'x-kubernetes-group-version-kind': [{ ...kind.kind } as Json],
    };
  const focus: Focus = { metadata, spec: true, status: true };
  return [
    ...builtIns.map(([group, version, kind, fields]) => ({
      schema: catalogue.kind({ group, version, kind })!,
      focus: fields,
    })),
    // Twice: it has all the shapes, and is the likeliest to be wrong.
    { schema: v1!.kind, focus, models },
    { schema: v1!.kind, other: v2!.kind, focus, models },
  ];
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.';

function metaModels(catalogue: Catalogue): Record<string, JsonObject> {
  return Object.fromEntries(
    ['ObjectMeta', 'OwnerReference', 'ManagedFieldsEntry', 'FieldsV1', 'Time'].map((name) => [
      `${meta}${name}`,
      openApiDefinition(catalogue.definition(`${meta}${name}`)!, { flavour: 'v3' }),
    ]),
  );
}

/** The conversion of the test's own kind: `spec.size` of v1 is `spec.length` of v2. */
export function convertWidget(object: KubeObject, apiVersion: string): KubeObject | undefined {
  const names: Record<string, string> = { 'example.com/v1': 'size', 'example.com/v2': 'length' };
  const from = names[object.apiVersion];
  const to = names[apiVersion];
  if (from === undefined || to === undefined) return undefined;
  const spec = object['spec'];
  if (typeof spec !== 'object' || spec === null || from === to || !Object.hasOwn(spec, from))
    return { ...object, apiVersion };
  const { [from]: value, ...rest } = spec as JsonObject;
  return { ...object, apiVersion, spec: { ...rest, [to]: value } };
}
