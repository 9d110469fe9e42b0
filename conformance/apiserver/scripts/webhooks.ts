import type { Script, Step } from '@capstan/kube-apiserver/testing';
import { prepare } from './kinds.ts';

const GROUP = '/apis/admissionregistration.k8s.io/v1';
const MERGE = 'application/merge-patch+json';
/** How long the real server's admission takes to see what was written. */
const SETTLE = 2000;

type Fields = Readonly<Record<string, unknown>>;
type Kind = 'Validating' | 'Mutating';

interface Hook extends Fields {
  readonly path: string;
}

interface WebhookScript {
  readonly name: string;
  readonly kind?: Kind;
  readonly hooks: readonly Hook[];
  readonly resource?: string;
  readonly requests?: (base: string) => readonly Step[];
}

const configMap = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { a: 'b' },
});

const usual = (base: string): readonly Step[] => [
  { method: 'POST', path: `${base}/configmaps`, body: configMap('one') },
  { method: 'POST', path: `${base}/configmaps?dryRun=All`, body: configMap('dry') },
  { method: 'PATCH', path: `${base}/configmaps/one`, type: MERGE, body: { data: { c: 'd' } } },
  { method: 'DELETE', path: `${base}/configmaps/one` },
];

/** Webhooks in force: what they are sent, what their answers lead to. The server's paths are those of `webhook-server.ts`. */
export function webhookScripts(server: {
  readonly url: string;
  readonly caBundle: string;
}): Script[] {
  const scripts: readonly WebhookScript[] = [
    ...[
      'allow',
      'deny',
      'deny-reason',
      'deny-details',
      'deny-silent',
      'warn',
      'broken',
      'missing',
    ].map((path) => ({ name: path, hooks: [{ path }] })),
    ...['other-uid', 'other-kind', 'empty', 'patch'].map((path) => ({
      name: `bad-${path}`,
      hooks: [{ path }],
    })),
    { name: 'ignored', hooks: [{ path: 'broken', failurePolicy: 'Ignore' }] },
    {
      name: 'hang',
      hooks: [{ path: 'hang', timeoutSeconds: 1 }],
      requests: (base) => usual(base).slice(0, 1),
    },
    { name: 'two', hooks: [{ path: 'warn' }, { path: 'deny' }] },
    {
      name: 'conditions',
      hooks: [
        {
          path: 'deny',
          matchConditions: [{ name: 'updates', expression: 'request.operation == "UPDATE"' }],
        },
      ],
    },
    {
      name: 'condition-error',
      hooks: [{ path: 'allow', matchConditions: [{ name: 'e', expression: 'object.none == 1' }] }],
    },
    { name: 'old-reviews', hooks: [{ path: 'deny', admissionReviewVersions: ['v1beta1'] }] },
    ...['patch', 'patch-fails', 'patch-type', 'deny', 'warn', 'broken'].map((path) => ({
      name: `mutating-${path}`,
      kind: 'Mutating' as const,
      hooks: [{ path }],
    })),
    {
      name: 'mutating-again',
      kind: 'Mutating',
      hooks: [{ path: 'count', reinvocationPolicy: 'IfNeeded' }, { path: 'patch' }],
      requests: (base) => usual(base).slice(0, 3),
    },
    {
      name: 'mutating-never-again',
      kind: 'Mutating',
      hooks: [{ path: 'count' }, { path: 'patch' }],
      requests: (base) => usual(base).slice(0, 3),
    },
    {
      name: 'mutating-pods',
      kind: 'Mutating',
      hooks: [{ path: 'sidecar' }],
      resource: 'pods',
      requests: (base) => [
        {
          method: 'POST',
          path: `${base}/pods`,
          // Names are drawn by lot.
          ignore: ['metadata.name'],
          body: {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { generateName: 'p-' },
            spec: { containers: [{ name: 'c', image: 'i' }] },
          },
        },
      ],
    },
    {
      name: 'no-service',
      hooks: [
        {
          path: 'x',
          clientConfig: { service: { name: 'nobody', namespace: 'default', path: '/x' } },
        },
      ],
    },
  ];
  return scripts.map((script) => toScript(script, server));
}

function toScript(
  { name, kind = 'Validating', hooks, resource = 'configmaps', requests = usual }: WebhookScript,
  { url, caBundle }: { readonly url: string; readonly caBundle: string },
): Script {
  const namespace = `hook-${name}`;
  const webhooks = hooks.map(({ path, ...more }, i) => ({
    name: `h${i}.example.com`,
    admissionReviewVersions: ['v1', 'v1beta1'],
    sideEffects: 'None',
    rules: [
      {
        apiGroups: [''],
        apiVersions: ['v1'],
        resources: [resource],
        operations: kind === 'Mutating' ? ['CREATE', 'UPDATE'] : ['*'],
      },
    ],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    clientConfig: { url: `${url}/${path}`, caBundle },
    ...more,
  }));
  const configuration = `${GROUP}/${kind.toLowerCase()}webhookconfigurations`;
  return {
    name: `webhook-${name}`,
    steps: [
      ...prepare(namespace),
      {
        method: 'POST',
        path: configuration,
        body: {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: `${kind}WebhookConfiguration`,
          metadata: { name: namespace },
          webhooks,
        },
        settleMs: SETTLE,
      },
      ...requests(`/api/v1/namespaces/${namespace}`),
      { method: 'DELETE', path: `${configuration}/${namespace}` },
    ],
  };
}
