import type { Script, Step } from '@capstan/kube-apiserver/testing';
import { prepare } from './kinds.ts';

const MERGE = 'application/merge-patch+json';
/** How long the real server's admission takes to see what was written. */
const SETTLE = 1500;

type Resources = Readonly<Record<string, Readonly<Record<string, string>>>>;

function pod(name: string, resources?: Resources, spec: Record<string, unknown> = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'a', ...(resources && { resources }) }], ...spec },
  };
}

function claim(name: string, storage: string, storageClassName = 'fast'): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName,
      resources: { requests: { storage } },
    },
  };
}

function limitRange(name: string, limits: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'LimitRange', metadata: { name }, spec: { limits } };
}

const both = (cpu: string, limit = cpu): Resources => ({
  requests: { cpu },
  limits: { cpu: limit },
});

/** What limit ranges give pods and claims, and what they refuse. */
function limitRangeScript(
  name: string,
  limits: readonly object[],
  objects: readonly object[],
): Script {
  const base = `/api/v1/namespaces/w-${name}`;
  return {
    name: `limits-${name}`,
    steps: [
      ...prepare(`w-${name}`),
      {
        method: 'POST',
        path: `${base}/limitranges`,
        body: limitRange('r', limits),
        settleMs: SETTLE,
      },
      ...objects.map((body): Step => ({ method: 'POST', path: pathOf(base, body), body })),
    ],
  };
}

function pathOf(base: string, body: object): string {
  const { kind } = body as { readonly kind: string };
  return `${base}/${kind.toLowerCase()}s`;
}

interface Quota {
  readonly hard: Readonly<Record<string, string>>;
  readonly scopes?: readonly string[];
  readonly scopeSelector?: object;
}

/** What a quota lets pass; nothing but the API server runs, so the script says itself what is used at first. */
function quotaScript(name: string, quota: Quota, steps: (base: string) => readonly Step[]): Script {
  const base = `/api/v1/namespaces/w-${name}`;
  const used = Object.fromEntries(Object.keys(quota.hard).map((entry) => [entry, '0']));
  return {
    name: `limits-${name}`,
    steps: [
      ...prepare(`w-${name}`),
      {
        method: 'POST',
        path: `${base}/resourcequotas`,
        body: { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: quota },
      },
      {
        method: 'PATCH',
        path: `${base}/resourcequotas/q/status`,
        type: MERGE,
        body: { status: { hard: quota.hard, used } },
        settleMs: SETTLE,
      },
      ...steps(base),
    ],
  };
}

const creates =
  (...objects: readonly object[]) =>
  (base: string): Step[] =>
    objects.map((body) => ({ method: 'POST', path: pathOf(base, body), body }));

function service(name: string, spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  };
}

export function limitScripts(): Script[] {
  return [
    limitRangeScript(
      'containers',
      [
        {
          type: 'Container',
          default: { cpu: '500m', memory: '1Gi' },
          defaultRequest: { cpu: '100m' },
          min: { cpu: '50m' },
          max: { cpu: '2' },
        },
      ],
      [
        pod('plain'),
        pod('init', undefined, { initContainers: [{ name: 'first', image: 'a' }] }),
        pod('given', both('1')),
        pod('much', both('1', '3')),
        pod('little', both('10m', '1')),
        pod('invalid', { requests: { cpu: '3' }, limits: { cpu: '1' } }),
      ],
    ),
    limitRangeScript(
      'ratio',
      [{ type: 'Container', maxLimitRequestRatio: { cpu: '2' } }],
      [pod('none'), pod('good', both('1', '2')), pod('bad', both('1', '3'))],
    ),
    limitRangeScript(
      'pods',
      [{ type: 'Pod', min: { cpu: '100m' }, max: { cpu: '1' } }],
      [
        pod('none'),
        pod('good', both('500m')),
        pod('little', both('50m')),
        pod('two', undefined, {
          containers: ['a', 'b'].map((name) => ({ name, image: 'a', resources: both('600m') })),
        }),
        pod('init', both('100m'), {
          initContainers: [{ name: 'i', image: 'a', resources: both('2') }],
        }),
      ],
    ),
    limitRangeScript(
      'claims',
      [{ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '10Gi' } }],
      [claim('good', '5Gi'), claim('small', '100Mi'), claim('large', '11Gi')],
    ),
    quotaScript(
      'compute',
      { hard: { 'requests.cpu': '1', 'limits.memory': '2Gi', pods: '3' } },
      creates(
        pod('none'),
        pod('a', { requests: { cpu: '600m' }, limits: { memory: '1Gi' } }),
        pod('b', { requests: { cpu: '600m' }, limits: { memory: '1536Mi' } }),
        pod('c', { requests: { cpu: '400m' }, limits: { memory: '1Gi' } }),
        pod('a', { requests: { cpu: '600m' }, limits: { memory: '1Gi' } }),
      ),
    ),
    quotaScript(
      'besteffort',
      { hard: { pods: '1' }, scopes: ['BestEffort'] },
      creates(pod('a'), pod('b'), pod('c', both('1'))),
    ),
    quotaScript(
      'terminating',
      { hard: { 'count/pods': '1' }, scopes: ['Terminating'] },
      creates(
        pod('a'),
        pod('b', undefined, { activeDeadlineSeconds: 10 }),
        pod('c', undefined, { activeDeadlineSeconds: 10 }),
      ),
    ),
    quotaScript(
      'priority',
      {
        hard: { pods: '0' },
        scopeSelector: {
          matchExpressions: [
            { scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] },
          ],
        },
      },
      creates(pod('a'), pod('b', undefined, { priorityClassName: 'system-node-critical' })),
    ),
    quotaScript(
      'services',
      { hard: { services: '3', 'services.nodeports': '1', 'services.loadbalancers': '0' } },
      (base) => [
        ...creates(
          service('a', {}),
          service('b', { type: 'LoadBalancer' }),
          service('c', {
            type: 'NodePort',
            ports: [
              { port: 1, name: 'x' },
              { port: 2, name: 'y' },
            ],
          }),
        )(base),
        {
          method: 'PATCH',
          path: `${base}/services/a`,
          type: MERGE,
          body: { spec: { type: 'LoadBalancer' } },
        },
      ],
    ),
    quotaScript(
      'storage',
      {
        hard: {
          'requests.storage': '10Gi',
          'fast.storageclass.storage.k8s.io/requests.storage': '5Gi',
          'slow.storageclass.storage.k8s.io/persistentvolumeclaims': '0',
        },
      },
      creates(
        claim('a', '4Gi'),
        claim('b', '2Gi'),
        claim('c', '1Gi', 'slow'),
        claim('d', '7Gi', 'x'),
      ),
    ),
    quotaScript(
      'counts',
      { hard: { 'count/deployments.apps': '0', configmaps: '1' } },
      creates(
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } },
      ),
    ),
  ];
}
