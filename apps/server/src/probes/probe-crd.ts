import type { Json, KubeObject } from '@capstan/kube-object';
import { DNS_TYPES, PROBE_GROUP, PROBE_KIND } from './probe-spec.ts';

const text = (description: string): Json => ({ type: 'string', description });
const count = (description: string): Json => ({
  type: 'integer',
  minimum: 1,
  maximum: 86_400,
  description,
});
const address: { readonly [field: string]: Json } = {
  host: { type: 'string', minLength: 1 },
  port: { type: 'integer', minimum: 1, maximum: 65_535 },
};

const TARGETS: { readonly [field: string]: Json } = {
  http: {
    type: 'object',
    description: 'Healthy when the endpoint answers with the status; redirects are not followed.',
    required: ['url'],
    properties: {
      url: { type: 'string', pattern: '^https?://' },
      method: { type: 'string', enum: ['GET', 'HEAD'] },
      expectStatus: {
        type: 'integer',
        minimum: 100,
        maximum: 599,
        description: 'By default any status from 200 to 399.',
      },
      headers: { type: 'object', additionalProperties: { type: 'string' } },
    },
  },
  tcp: {
    type: 'object',
    description: 'Healthy when a connection opens.',
    required: ['host', 'port'],
    properties: address,
  },
  grpc: {
    type: 'object',
    description: 'Healthy when grpc.health.v1.Health/Check says SERVING.',
    required: ['host', 'port'],
    properties: {
      ...address,
      service: text('By default the server as a whole.'),
      tls: { type: 'boolean', description: 'Whether to speak TLS; by default not.' },
    },
  },
  dns: {
    type: 'object',
    description: 'Healthy when the name has such a record.',
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1, description: 'The full name: no search domains.' },
      type: { type: 'string', enum: [...DNS_TYPES], description: 'A by default.' },
      server: text('Whom to ask, as address or address:port.'),
    },
  },
  sql: {
    type: 'object',
    description: 'Healthy when a connection opens, the login is taken and SELECT 1 is answered.',
    required: ['engine', 'host', 'secretRef'],
    properties: {
      ...address,
      engine: { type: 'string', enum: ['postgres', 'mysql'] },
      database: text('By default the one that the server takes by itself.'),
      tls: { type: 'boolean', description: 'Whether to speak TLS; by default not.' },
      secretRef: {
        type: 'object',
        description:
          'A Secret beside the probe, with the keys username and password; ca.crt: the authority of the server.',
        required: ['name'],
        properties: { name: { type: 'string', minLength: 1 } },
      },
    },
  },
};

const SPEC: Json = {
  type: 'object',
  description: 'What is asked: exactly one of http, tcp, grpc, dns, sql.',
  oneOf: Object.keys(TARGETS).map((kind) => ({ required: [kind] })),
  properties: {
    ...TARGETS,
    intervalSeconds: count('Between two probes; 10 by default.'),
    timeoutSeconds: count('For one probe; 5 by default.'),
    failureThreshold: count('Failures in a row that make it Degraded; 3 by default.'),
    successThreshold: count('Successes in a row that make it Healthy; 1 by default.'),
  },
};

const STATUS: Json = {
  type: 'object',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64' },
    health: {
      type: 'object',
      properties: {
        status: { type: 'string', enum: ['Healthy', 'Degraded'] },
        message: { type: 'string' },
      },
    },
    lastProbeTime: {
      type: 'string',
      format: 'date-time',
      description: 'Of the probe that gave this verdict.',
    },
    conditions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'status'],
        properties: {
          type: { type: 'string' },
          status: { type: 'string' },
          reason: { type: 'string' },
          message: { type: 'string' },
          observedGeneration: { type: 'integer', format: 'int64' },
          lastTransitionTime: { type: 'string', format: 'date-time' },
        },
      },
    },
  },
};

const column = (name: string, jsonPath: string): Json => ({ name, type: 'string', jsonPath });

/** The definition of HealthProbe. */
const healthProbe: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `healthprobes.${PROBE_GROUP}` },
  spec: {
    group: PROBE_GROUP,
    scope: 'Namespaced',
    names: {
      kind: PROBE_KIND,
      listKind: `${PROBE_KIND}List`,
      plural: 'healthprobes',
      singular: 'healthprobe',
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          column('Health', '.status.health.status'),
          column('Message', '.status.health.message'),
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              apiVersion: { type: 'string' },
              kind: { type: 'string' },
              metadata: { type: 'object' },
              spec: SPEC,
              status: STATUS,
            },
          },
        },
      },
    ],
  },
};

/** Definitions of the kinds that are Capstan's own. */
export const capstanCrds: readonly KubeObject[] = [healthProbe];
