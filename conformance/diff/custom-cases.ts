/**
 * Small definitions of our own in the manner of popular ones: what matters to a comparison is how each fills in defaults,
 * keys its lists and keeps what it does not know.
 */
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { type DiffCase, type Drift, of, type Touch } from './cases.ts';

type Node = JsonObject;
const scalar =
  (type: string) =>
  (byDefault?: Json): Node =>
    byDefault === undefined ? { type } : { type, default: byDefault };
const str = scalar('string');
const int = scalar('integer');
const bool = scalar('boolean');
const num = scalar('number');
const obj = (properties: { readonly [name: string]: Node }, more: Node = {}): Node => ({
  type: 'object',
  properties,
  ...more,
});
const list = (items: Node, more: Node = {}): Node => ({ type: 'array', items, ...more });
const keyed = (keys: readonly string[], items: Node): Node =>
  list(
    { ...items, required: [...keys.filter((key) => !hasDefault(items, key))] },
    {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': [...keys],
    },
  );
const map = (values: Node): Node => ({ type: 'object', additionalProperties: values });
const open: Node = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const intOrString: Node = { 'x-kubernetes-int-or-string': true };
const quantity: Node = { 'x-kubernetes-int-or-string': true, pattern: '^[0-9.]+([kMGTPE]i?|m)?$' };

function hasDefault(items: Node, key: string): boolean {
  return (items['properties'] as { readonly [name: string]: Node })[key]?.['default'] !== undefined;
}

interface Shape {
  readonly kind: string;
  readonly group: string;
  readonly version?: string;
  readonly spec: Node;
  readonly write: JsonObject;
  readonly touches?: readonly Touch[];
  readonly drift?: Drift;
}

const status: Touch = {
  by: 'operator',
  merge: { status: { phase: 'Ready' } },
  subresource: 'status',
};

const SHAPES: readonly Shape[] = [
  {
    kind: 'Certificate',
    group: 'certs.example',
    spec: obj({
      secretName: str(),
      dnsNames: list(str(), { 'x-kubernetes-list-type': 'atomic' }),
      duration: str(),
      revisionHistoryLimit: int(1),
      privateKey: obj(
        { algorithm: str('RSA'), size: int(2048), rotationPolicy: str('Always') },
        { default: {} },
      ),
      issuerRef: obj({ name: str(), kind: str('Issuer'), group: str('certs.example') }),
      usages: list(str(), { default: ['digital signature', 'key encipherment'] }),
    }),
    write: {
      secretName: 's',
      dnsNames: ['b.example', 'a.example'],
      duration: '2160h',
      issuerRef: { name: 'ca' },
    },
    drift: {
      merge: { spec: { secretName: 't' } },
      path: 'spec.secretName',
      desired: 's',
      live: 't',
    },
  },
  {
    kind: 'ServiceMonitor',
    group: 'monitoring.example',
    spec: obj({
      selector: obj({ matchLabels: map(str()) }),
      endpoints: list(
        obj({
          port: str(),
          path: str('/metrics'),
          scheme: str('http'),
          interval: str(),
          honorLabels: bool(false),
          relabelings: list(
            obj({ action: str('replace'), sourceLabels: list(str()), targetLabel: str() }),
          ),
        }),
      ),
    }),
    write: {
      selector: {},
      endpoints: [
        { port: 'web', interval: '30s', relabelings: [{ sourceLabels: ['a'], targetLabel: 'b' }] },
      ],
    },
    drift: {
      merge: {
        spec: {
          endpoints: [
            {
              port: 'web',
              interval: '60s',
              relabelings: [{ sourceLabels: ['a'], targetLabel: 'b' }],
            },
          ],
        },
      },
      path: 'spec.endpoints[0].interval',
      desired: '30s',
      live: '60s',
    },
  },
  {
    kind: 'PrometheusRule',
    group: 'monitoring.example',
    spec: obj({
      groups: keyed(
        ['name'],
        obj({
          name: str(),
          interval: str(),
          rules: list(obj({ alert: str(), expr: intOrString, for: str(), labels: map(str()) })),
        }),
      ),
    }),
    write: {
      groups: [
        { name: 'b', rules: [{ alert: 'A', expr: 'up == 0' }] },
        { name: 'a', rules: [{ alert: 'B', expr: 1, labels: {} }] },
      ],
    },
    drift: {
      merge: {
        spec: {
          groups: [
            { name: 'b', rules: [{ alert: 'A', expr: 'up == 1' }] },
            { name: 'a', rules: [{ alert: 'B', expr: 1 }] },
          ],
        },
      },
      path: 'spec.groups[name=b].rules[0].expr',
      desired: 'up == 0',
      live: 'up == 1',
    },
  },
  {
    kind: 'Prometheus',
    group: 'monitoring.example',
    spec: obj({
      replicas: int(1),
      retention: str('24h'),
      portName: str('web'),
      evaluationInterval: str('30s'),
      resources: obj({ requests: map(quantity), limits: map(quantity) }, { default: {} }),
      storage: obj({ volumeClaimTemplate: open }),
    }),
    write: {
      resources: { requests: { memory: '1024Mi', cpu: 1 } },
      storage: { volumeClaimTemplate: { spec: { resources: { requests: { storage: '50Gi' } } } } },
    },
    touches: [status, { by: 'autoscaler', merge: { spec: { replicas: 3 } } }],
  },
  {
    kind: 'VirtualService',
    group: 'mesh.example',
    spec: obj({
      hosts: list(str()),
      http: list(
        obj({
          name: str(),
          route: list(
            obj({ destination: obj({ host: str(), port: obj({ number: int() }) }), weight: int() }),
          ),
        }),
      ),
    }),
    write: {
      hosts: ['a'],
      http: [
        {
          name: '',
          route: [
            { destination: { host: 'v1', port: { number: 80 } }, weight: 100 },
            { destination: { host: 'v2' }, weight: 0 },
          ],
        },
      ],
    },
    drift: {
      merge: {
        spec: {
          http: [
            {
              name: '',
              route: [
                { destination: { host: 'v1', port: { number: 80 } }, weight: 90 },
                { destination: { host: 'v2' }, weight: 10 },
              ],
            },
          ],
        },
      },
      path: 'spec.http[0].route[0].weight',
      desired: 100,
      live: 90,
    },
  },
  {
    kind: 'DestinationRule',
    group: 'mesh.example',
    spec: obj({
      host: str(),
      trafficPolicy: open,
      subsets: list(obj({ name: str(), labels: map(str()) })),
    }),
    write: {
      host: 'a',
      trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' }, ports: [] },
      subsets: [{ name: 'v1', labels: {} }],
    },
  },
  {
    kind: 'Rollout',
    group: 'rollouts.example',
    spec: obj({
      replicas: int(),
      revisionHistoryLimit: int(),
      selector: open,
      template: obj({
        metadata: open,
        spec: obj({
          containers: keyed(['name'], obj({ name: str(), image: str(), resources: open })),
        }),
      }),
      strategy: obj({
        canary: obj({
          steps: list(obj({ setWeight: int(), pause: obj({ duration: intOrString }) })),
          maxSurge: intOrString,
        }),
      }),
    }),
    write: {
      selector: { matchLabels: { app: 'a' } },
      template: {
        metadata: { labels: { app: 'a' } },
        spec: { containers: [{ name: 'web', image: 'i:1', resources: {} }] },
      },
      strategy: {
        canary: {
          steps: [{ setWeight: 20 }, { pause: {} }, { pause: { duration: '1h' } }],
          maxSurge: '25%',
        },
      },
    },
    touches: [
      { by: 'autoscaler', merge: { spec: { replicas: 5 } } },
      {
        by: 'injector',
        apply: { spec: { template: { spec: { containers: [{ name: 'proxy', image: 'p' }] } } } },
      },
    ],
    drift: {
      merge: { spec: { strategy: { canary: { maxSurge: 1 } } } },
      path: 'spec.strategy.canary.maxSurge',
      desired: '25%',
      live: 1,
    },
  },
  {
    kind: 'Canary',
    group: 'flags.example',
    spec: obj({
      provider: str('kubernetes'),
      progressDeadlineSeconds: num(600),
      targetRef: obj({ apiVersion: str(), kind: str(), name: str() }),
      service: obj({ port: int(), portName: str('http'), portDiscovery: bool(false) }),
      analysis: obj(
        { interval: str('1m'), threshold: int(5), maxWeight: num(), stepWeight: num() },
        { default: {} },
      ),
      skipAnalysis: bool(false),
    }),
    write: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      service: { port: 80 },
      analysis: { maxWeight: 50, stepWeight: 2.5 },
    },
    drift: {
      merge: { spec: { analysis: { stepWeight: 5 } } },
      path: 'spec.analysis.stepWeight',
      desired: 2.5,
      live: 5,
    },
  },
  {
    kind: 'ScaledObject',
    group: 'scale.example',
    spec: obj({
      scaleTargetRef: obj({ name: str(), kind: str('Deployment') }),
      pollingInterval: int(30),
      cooldownPeriod: int(300),
      triggers: list(obj({ type: str(), metadata: map(str()), useCachedMetrics: bool(false) })),
    }),
    write: {
      scaleTargetRef: { name: 'x' },
      triggers: [{ type: 'cpu', metadata: { value: '60' } }],
    },
    touches: [
      status,
      {
        by: 'keda',
        merge: { metadata: { finalizers: ['finalizer.scale.example/x'], labels: { scaled: 'x' } } },
      },
    ],
  },
  {
    kind: 'ExternalSecret',
    group: 'secrets.example',
    spec: obj({
      refreshInterval: str('1h0m0s'),
      secretStoreRef: obj({ name: str(), kind: str('SecretStore') }),
      target: obj(
        {
          name: str(),
          creationPolicy: str('Owner'),
          deletionPolicy: str('Retain'),
          template: obj({
            engineVersion: str('v2'),
            mergePolicy: str('Replace'),
            data: map(str()),
          }),
        },
        { default: { creationPolicy: 'Owner', deletionPolicy: 'Retain' } },
      ),
      data: list(
        obj({
          secretKey: str(),
          remoteRef: obj({
            key: str(),
            conversionStrategy: str('Default'),
            decodingStrategy: str('None'),
            metadataPolicy: str('None'),
          }),
        }),
      ),
      dataFrom: list(obj({ extract: obj({ key: str(), conversionStrategy: str('Default') }) })),
    }),
    write: {
      secretStoreRef: { name: 'vault' },
      target: { name: 't', template: { data: { a: '{{ .b }}' } } },
      data: [{ secretKey: 'a', remoteRef: { key: 'k' } }],
      dataFrom: [{ extract: { key: 'all' } }],
    },
    touches: [status],
    drift: {
      merge: { spec: { data: [{ secretKey: 'a', remoteRef: { key: 'other' } }] } },
      path: 'spec.data[0].remoteRef.key',
      desired: 'k',
      live: 'other',
    },
  },
  {
    kind: 'Bucket',
    group: 'cross.example',
    spec: obj({
      deletionPolicy: str('Delete'),
      managementPolicies: list(str(), { default: ['*'] }),
      providerConfigRef: obj(
        { name: str(), policy: obj({ resolution: str('Required') }, { default: {} }) },
        { default: { name: 'default' } },
      ),
      forProvider: obj({ region: str(), tags: map(str()), objectLockEnabled: bool() }),
    }),
    write: { forProvider: { region: 'eu' } },
    touches: [
      status,
      {
        by: 'provider',
        merge: {
          spec: { forProvider: { tags: { 'crossplane-name': 'x' }, objectLockEnabled: false } },
          metadata: { annotations: { 'cross.example/external-name': 'x' } },
        },
      },
    ],
    drift: {
      merge: { spec: { forProvider: { region: 'us' } } },
      path: 'spec.forProvider.region',
      desired: 'eu',
      live: 'us',
    },
  },
  {
    kind: 'Composition',
    group: 'cross.example',
    spec: obj({
      mode: str('Pipeline'),
      pipeline: keyed(
        ['step'],
        obj({
          step: str(),
          functionRef: obj({ name: str() }),
          input: { ...open, 'x-kubernetes-embedded-resource': true },
        }),
      ),
      writeConnectionSecretsToNamespace: str(),
    }),
    write: {
      pipeline: [
        {
          step: 'b',
          functionRef: { name: 'f' },
          input: {
            apiVersion: 'pt.example/v1',
            kind: 'Resources',
            resources: [{ name: 'x', base: null }],
          },
        },
        { step: 'a', functionRef: { name: 'g' } },
      ],
    },
  },
  {
    kind: 'Gateway',
    group: 'gateway.example',
    spec: obj({
      gatewayClassName: str(),
      listeners: keyed(
        ['name'],
        obj({
          name: str(),
          port: int(),
          protocol: str(),
          allowedRoutes: obj(
            { namespaces: obj({ from: str('Same') }, { default: { from: 'Same' } }) },
            { default: { namespaces: { from: 'Same' } } },
          ),
          tls: obj({
            mode: str('Terminate'),
            certificateRefs: list(obj({ group: str(''), kind: str('Secret'), name: str() })),
          }),
        }),
      ),
    }),
    write: {
      gatewayClassName: 'g',
      listeners: [
        { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'c' }] } },
        { name: 'http', port: 80, protocol: 'HTTP' },
      ],
    },
    touches: [
      status,
      {
        by: 'other',
        apply: { spec: { listeners: [{ name: 'extra', port: 81, protocol: 'HTTP' }] } },
      },
    ],
    drift: {
      merge: {
        spec: {
          listeners: [
            {
              name: 'https',
              port: 8443,
              protocol: 'HTTPS',
              tls: { certificateRefs: [{ name: 'c' }] },
            },
            { name: 'http', port: 80, protocol: 'HTTP' },
          ],
        },
      },
      path: 'spec.listeners[name=https].port',
      desired: 443,
      live: 8443,
    },
  },
  {
    kind: 'HTTPRoute',
    group: 'gateway.example',
    spec: obj({
      parentRefs: list(
        obj({ group: str('gateway.networking.k8s.io'), kind: str('Gateway'), name: str() }),
      ),
      hostnames: list(str()),
      rules: list(
        obj({
          matches: list(
            obj({
              path: obj(
                { type: str('PathPrefix'), value: str('/') },
                { default: { type: 'PathPrefix', value: '/' } },
              ),
              method: str(),
            }),
            { default: [{ path: { type: 'PathPrefix', value: '/' } }] },
          ),
          backendRefs: list(
            obj({ group: str(''), kind: str('Service'), name: str(), port: int(), weight: int(1) }),
          ),
        }),
        { default: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }] },
      ),
    }),
    write: {
      parentRefs: [{ name: 'g' }],
      hostnames: [],
      rules: [{ backendRefs: [{ name: 's', port: 80 }] }, { matches: [{ method: 'GET' }] }],
    },
    drift: {
      merge: {
        spec: {
          rules: [{ backendRefs: [{ name: 's', port: 81 }] }, { matches: [{ method: 'GET' }] }],
        },
      },
      path: 'spec.rules[0].backendRefs[0].port',
      desired: 80,
      live: 81,
    },
  },
  {
    kind: 'IngressRoute',
    group: 'edge.example',
    spec: obj({
      entryPoints: list(str()),
      routes: list(
        obj({
          kind: str(),
          match: str(),
          priority: int(),
          services: list(obj({ name: str(), port: intOrString, weight: int() })),
        }),
      ),
      tls: obj({ secretName: str() }, { nullable: true }),
    }),
    write: {
      entryPoints: [],
      routes: [{ kind: 'Rule', match: 'Host(`a`)', services: [{ name: 's', port: 'http' }] }],
      tls: null,
    },
  },
  {
    kind: 'Kafka',
    group: 'stream.example',
    spec: obj({
      kafka: obj({
        version: str(),
        replicas: int(),
        listeners: keyed(
          ['name'],
          obj({ name: str(), port: int(), type: str(), tls: bool(false) }),
        ),
        config: open,
      }),
      zookeeper: obj({ replicas: int() }),
      entityOperator: open,
    }),
    write: {
      kafka: {
        version: '3.9',
        replicas: 3,
        listeners: [{ name: 'plain', port: 9092, type: 'internal' }],
        config: { 'min.insync.replicas': 2, x: null },
      },
      entityOperator: { topicOperator: {}, userOperator: {} },
    },
    touches: [status],
  },
  {
    kind: 'PostgresCluster',
    group: 'db.example',
    spec: obj({
      instances: int(1),
      minSyncReplicas: int(0),
      imagePullPolicy: str(),
      storage: obj({ size: str(), resizeInUseVolumes: bool(true) }),
      postgresql: obj({ parameters: map(str()), pg_hba: list(str()) }),
      monitoring: obj({ enablePodMonitor: bool(false) }),
      affinity: obj(
        { podAntiAffinityType: str('preferred') },
        { default: { podAntiAffinityType: 'preferred' } },
      ),
    }),
    write: {
      instances: 3,
      storage: { size: '1Gi' },
      monitoring: {},
      postgresql: { parameters: { max_connections: '100' } },
    },
    touches: [
      {
        by: 'operator',
        merge: { spec: { postgresql: { parameters: { shared_preload_libraries: '' } } } },
      },
    ],
    drift: { merge: { spec: { instances: 1 } }, path: 'spec.instances', desired: 3, live: 1 },
  },
  {
    kind: 'Workflow',
    group: 'flow.example',
    spec: obj({
      entrypoint: str(),
      arguments: obj({ parameters: keyed(['name'], obj({ name: str(), value: str() })) }),
      templates: list(open),
    }),
    write: {
      entrypoint: 'm',
      arguments: {},
      templates: [{ name: 'm', container: { image: 'x', resources: {} }, inputs: {}, outputs: {} }],
    },
    touches: [status],
  },
  {
    kind: 'ClusterPolicy',
    group: 'guard.example',
    spec: obj({
      admission: bool(true),
      background: bool(true),
      emitWarning: bool(false),
      validationFailureAction: str('Audit'),
      rules: list(
        obj({
          name: str(),
          skipBackgroundRequests: bool(true),
          match: open,
          validate: obj({ message: str(), allowExistingViolations: bool(true), pattern: open }),
        }),
      ),
    }),
    write: {
      rules: [
        {
          name: 'r',
          match: { any: [{ resources: { kinds: ['Pod'] } }] },
          validate: { message: '', pattern: { spec: { '=(x)': '?*' } } },
        },
      ],
    },
    drift: {
      merge: { spec: { rules: [] } },
      path: 'spec.rules',
      live: [],
    },
  },
  {
    kind: 'Broker',
    group: 'event.example',
    spec: obj({
      config: obj({ kind: str(), name: str(), namespace: str() }),
      delivery: obj(
        { retry: int(), backoffPolicy: str(), backoffDelay: str() },
        { 'x-kubernetes-map-type': 'atomic' },
      ),
      tags: list(str(), { 'x-kubernetes-list-type': 'set' }),
    }),
    write: { config: { kind: 'ConfigMap', name: 'c' }, delivery: { retry: 0 }, tags: ['b', 'a'] },
    touches: [{ by: 'other', apply: { spec: { tags: ['c'] } } }],
    drift: {
      merge: { spec: { delivery: { retry: 0, backoffPolicy: 'linear' } } },
      path: 'spec.delivery.backoffPolicy',
      live: 'linear',
    },
  },
  {
    kind: 'Endpoint',
    group: 'ports.example',
    spec: obj({
      ports: keyed(['port', 'protocol'], obj({ port: int(), protocol: str('TCP'), name: str('') })),
    }),
    write: { ports: [{ port: 53, protocol: 'UDP' }, { port: 53 }, { port: 80, name: '' }] },
    touches: [{ by: 'other', apply: { spec: { ports: [{ port: 9, protocol: 'TCP' }] } } }],
    drift: {
      merge: {
        spec: {
          ports: [
            { port: 53, protocol: 'UDP' },
            { port: 53, protocol: 'TCP' },
            { port: 80, name: 'x' },
          ],
        },
      },
      path: 'spec.ports[port=80,protocol=TCP].name',
      desired: '',
      live: 'x',
    },
  },
  {
    kind: 'Cache',
    group: 'numbers.example',
    spec: obj({
      ratio: num(),
      whole: num(),
      big: { type: 'integer', format: 'int64' },
      size: quantity,
      when: { type: 'string', format: 'date-time' },
      nothing: str('x'),
      gone: bool(true),
    }),
    write: {
      ratio: 1.0,
      whole: 1e3,
      big: 9007199254740991,
      size: '1024Mi',
      when: '2026-01-01T00:00:00+01:00',
      nothing: null,
      gone: false,
    },
    drift: { merge: { spec: { gone: true } }, path: 'spec.gone', desired: false, live: true },
  },
];

const plural = ({ kind }: Shape) => `${kind.toLowerCase()}z`;

export function definitions(): readonly KubeObject[] {
  return SHAPES.map((shape) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural(shape)}.${shape.group}` },
    spec: {
      group: shape.group,
      names: { kind: shape.kind, plural: plural(shape) },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: obj({ spec: shape.spec, status: open }) },
          additionalPrinterColumns: [
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
        },
      ],
      preserveUnknownFields: false,
    },
    status: { acceptedNames: { kind: '', plural: '' }, conditions: [], storedVersions: [] },
  }));
}

export const CUSTOM: readonly DiffCase[] = SHAPES.map((shape) => ({
  name: shape.kind,
  object: of(`${shape.group}/v1`, shape.kind, { spec: shape.write, status: {} }),
  touches: [
    ...(shape.touches ?? []),
    { by: 'kubectl-annotate', merge: { metadata: { annotations: { note: 'x' } } } },
  ],
  ...(shape.drift === undefined ? {} : { drift: shape.drift }),
}));
