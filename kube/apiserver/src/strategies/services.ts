import type { Json, KubeObject } from '@capstan/kube-object';
import { ApiError } from '../api-error.ts';
import {
  childDraft,
  type DraftObject,
  draftList,
  draftObjects,
  equalJson,
  listAt,
  numberAt,
  setDefault,
  textAt,
  valueAt,
} from '../json.ts';
import type { Strategy, StrategyContext } from '../served-resource.ts';
import { serviceSpec } from '../validation/services.ts';

const NODE_PORT_MIN = 30_000;
const NODE_PORT_COUNT = 2768;
/** The range that addresses are given from: 10.0.0.0/24, as a default server has it. */
const ADDRESS_PREFIX = '10.0.0.';

export const serviceStrategy: Strategy = {
  hasStatus: true,
  nameRule: 'label',
  createsOnUpdate: true,
  applyDefaults: defaultService,
  prepareCreate(service, context) {
    const spec = childDraft(service, 'spec');
    allocateAddress(spec, context);
    allocateNodePorts(spec, undefined, context);
    allocateHealthPort(spec, context);
    service['status'] = { loadBalancer: {} };
  },
  prepareUpdate(service, old, context) {
    const spec = childDraft(service, 'spec');
    dropOfOldType(spec, old);
    if (textAt(spec, 'type') === 'ExternalName') {
      delete spec['clusterIP'];
      delete spec['clusterIPs'];
    } else {
      // A client that sends no address keeps the one it has.
      for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) {
        const value = valueAt(old, 'spec', key);
        if (isAbsent(spec[key]) && value !== undefined) spec[key] = value as string;
      }
      allocateAddress(spec, context);
    }
    allocateNodePorts(spec, old, context);
    allocateHealthPort(spec, context);
  },
  validate: (service) => serviceSpec(service['spec'] as Json, 'spec'),
  validateUpdate(service, old) {
    const before = textAt(old, 'spec', 'clusterIP');
    const after = textAt(service, 'spec', 'clusterIP');
    if (before === '' || before === after || textAt(service, 'spec', 'type') === 'ExternalName') {
      return [];
    }
    return [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.clusterIPs[0]',
        value: [after],
        detail: 'may not change once set',
      },
    ];
  },
};

/** Fields of the type that the service had, and that the writer did not touch, go with it. */
function dropOfOldType(spec: DraftObject, old: KubeObject): void {
  const before = textAt(old, 'spec', 'type');
  const now = textAt(spec, 'type');
  const external = (type: string): boolean => type === 'NodePort' || type === 'LoadBalancer';
  const same = (key: string): boolean => equalJson(spec[key], valueAt(old, 'spec', key));
  if (external(before) && !external(now) && same('externalTrafficPolicy')) {
    delete spec['externalTrafficPolicy'];
  }
  if (before === 'LoadBalancer' && now !== before && same('allocateLoadBalancerNodePorts')) {
    delete spec['allocateLoadBalancerNodePorts'];
  }
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

function defaultService(service: DraftObject): void {
  const spec = childDraft(service, 'spec');
  setDefault(spec, 'sessionAffinity', 'None');
  if (spec['sessionAffinity'] === 'ClientIP') {
    const client = childDraft(childDraft(spec, 'sessionAffinityConfig'), 'clientIP');
    setDefault(client, 'timeoutSeconds', 10_800);
  }
  setDefault(spec, 'type', 'ClusterIP');
  for (const port of draftObjects(spec, 'ports')) {
    setDefault(port, 'protocol', 'TCP');
    if (isAbsent(port['targetPort']) || port['targetPort'] === 0) {
      port['targetPort'] = port['port'] ?? 0;
    }
  }
  const type = spec['type'];
  const external = type === 'NodePort' || type === 'LoadBalancer';
  if (external || (type === 'ClusterIP' && draftList(spec, 'externalIPs').length > 0)) {
    setDefault(spec, 'externalTrafficPolicy', 'Cluster');
  }
  if (external || type === 'ClusterIP') setDefault(spec, 'internalTrafficPolicy', 'Cluster');
  if (type === 'LoadBalancer') setDefault(spec, 'allocateLoadBalancerNodePorts', true);
}

function allocateAddress(spec: DraftObject, context: StrategyContext): void {
  if (textAt(spec, 'type') === 'ExternalName') return;
  const asked = textAt(spec, 'clusterIP') || String(draftList(spec, 'clusterIPs')[0] ?? '');
  const address = asked === '' ? freeAddress(context) : asked;
  spec['clusterIP'] = address;
  spec['clusterIPs'] = [address];
  const selectorless = valueAt(spec, 'selector') === undefined;
  setDefault(spec, 'ipFamilies', ['IPv4']);
  setDefault(
    spec,
    'ipFamilyPolicy',
    address === 'None' && selectorless ? 'RequireDualStack' : 'SingleStack',
  );
  if (spec['ipFamilyPolicy'] === 'RequireDualStack' && address === 'None') {
    spec['ipFamilies'] = ['IPv4', 'IPv6'];
  }
}

/** The lower end of the range is for addresses that people choose, so the search begins above it. */
function freeAddress(context: StrategyContext): string {
  const taken = new Set<string>();
  for (const service of context.list('/services')) taken.add(textAt(service, 'spec', 'clusterIP'));
  const start = Math.floor(context.random() * 238);
  for (let i = 0; i < 238; i++) {
    const address = `${ADDRESS_PREFIX}${17 + ((start + i) % 238)}`;
    if (!taken.has(address)) return address;
  }
  // More services than one /24 holds: go on in the ranges above.
  for (let block = 1; block < 256; block++) {
    for (let last = 1; last < 255; last++) {
      const address = `10.0.${block}.${last}`;
      if (!taken.has(address)) return address;
    }
  }
  throw new ApiError(500, 'InternalError', 'failed to allocate a serviceIP: range is full');
}

function allocateNodePorts(
  spec: DraftObject,
  old: KubeObject | undefined,
  context: StrategyContext,
): void {
  const type = textAt(spec, 'type');
  const wants =
    type === 'NodePort' ||
    (type === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false);
  if (!wants) {
    if (old !== undefined && type === 'ClusterIP') {
      for (const port of draftObjects(spec, 'ports')) {
        const same = previousPort(old, port);
        if (same !== undefined && numberAt(same, 'nodePort') === port['nodePort']) {
          delete port['nodePort'];
        }
      }
    }
    return;
  }
  const taken = takenPorts(context);
  for (const port of draftObjects(spec, 'ports')) {
    const known = numberAt(port, 'nodePort') ?? 0;
    if (known !== 0) continue;
    const before = old === undefined ? undefined : numberAt(previousPort(old, port), 'nodePort');
    port['nodePort'] = before ?? freePort(taken, context);
  }
}

/** A balancer that keeps traffic local asks each node on a port of its own. */
function allocateHealthPort(spec: DraftObject, context: StrategyContext): void {
  const isLocal = spec['type'] === 'LoadBalancer' && spec['externalTrafficPolicy'] === 'Local';
  if (!isLocal || (numberAt(spec, 'healthCheckNodePort') ?? 0) !== 0) return;
  spec['healthCheckNodePort'] = freePort(takenPorts(context), context);
}

function takenPorts(context: StrategyContext): Set<number> {
  const taken = new Set<number>();
  for (const service of context.list('/services')) {
    taken.add(numberAt(service, 'spec', 'healthCheckNodePort') ?? 0);
    for (const port of listAt(service, 'spec', 'ports')) taken.add(numberAt(port, 'nodePort') ?? 0);
  }
  return taken;
}

function previousPort(old: KubeObject, port: DraftObject): unknown {
  return listAt(old, 'spec', 'ports').find(
    (item) =>
      numberAt(item, 'port') === port['port'] && textAt(item, 'protocol') === port['protocol'],
  );
}

function freePort(taken: Set<number>, context: StrategyContext): number {
  const start = Math.floor(context.random() * NODE_PORT_COUNT);
  for (let i = 0; i < NODE_PORT_COUNT; i++) {
    const port = NODE_PORT_MIN + ((start + i) % NODE_PORT_COUNT);
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
  throw new ApiError(500, 'InternalError', 'failed to allocate a nodePort: range is full');
}
