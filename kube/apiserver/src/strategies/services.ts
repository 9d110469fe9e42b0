import type { FieldError, Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { ApiError } from '../api-error.ts';
import {
  childDraft,
  type DraftObject,
  draftList,
  draftObjects,
  equalJson,
  listAt,
  numberAt,
  objectAt,
  setDefault,
  textAt,
  valueAt,
} from '../json.ts';
import type { Strategy, StrategyContext } from '../served-resource.ts';
import { forbiddenAt, invalidAt } from '../validation/checks.ts';
import { labelKey } from '../validation/common.ts';
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
        const isMissing = key === 'ipFamilyPolicy' ? spec[key] === undefined : isAbsent(spec[key]);
        if (isMissing && value !== undefined) spec[key] = value as string;
      }
      allocateAddress(spec, context);
    }
    allocateNodePorts(spec, old, context);
    const before = objectAt(old, 'spec');
    if (needsHealthPort(before) && needsHealthPort(spec) && !spec['healthCheckNodePort']) {
      spec['healthCheckNodePort'] = numberAt(before, 'healthCheckNodePort') ?? 0;
    }
    allocateHealthPort(spec, context);
  },
  validate: (service) => serviceSpec(service['spec'] as Json, 'spec'),
  validateUpdate: serviceUpdateErrors,
};

function serviceUpdateErrors(service: KubeObject, old: KubeObject): FieldError[] {
  const before = objectAt(old, 'spec');
  const after = objectAt(service, 'spec');
  const errors: FieldError[] = [];
  const address = textAt(after, 'clusterIP');
  const isNamed = [before, after].some((spec) => textAt(spec, 'type') === 'ExternalName');
  const wasHeadless = textAt(before, 'clusterIP') === 'None';
  if (!isNamed && !wasHeadless && textAt(before, 'clusterIP') !== address) {
    errors.push(invalidAt('spec.clusterIPs[0]', [address], 'may not change once set'));
  }
  const stays = [before, after].every((spec) => textAt(spec, 'type') === 'LoadBalancer');
  if (stays && before['loadBalancerClass'] !== after['loadBalancerClass']) {
    const value = after['loadBalancerClass'] ?? null;
    errors.push(invalidAt('spec.loadBalancerClass', value, 'may not change once set'));
  }
  errors.push(...classErrors(after));
  const ports = [before, after].map((spec) => numberAt(spec, 'healthCheckNodePort') ?? 0);
  if (needsHealthPort(before) && needsHealthPort(after) && ports[0] !== ports[1]) {
    errors.push(forbiddenAt('spec.healthCheckNodePort', 'field is immutable'));
  }
  return errors;
}

/** Looked at once more on an update. */
function classErrors(spec: JsonObject): readonly FieldError[] {
  const at = 'spec.loadBalancerClass';
  const { loadBalancerClass } = spec;
  if (loadBalancerClass === undefined) return [];
  if (textAt(spec, 'type') === 'LoadBalancer') return labelKey(loadBalancerClass, at);
  return [forbiddenAt(at, "may only be used when `type` is 'LoadBalancer'")];
}

function needsHealthPort(spec: unknown): boolean {
  return (
    textAt(spec, 'type') === 'LoadBalancer' && textAt(spec, 'externalTrafficPolicy') === 'Local'
  );
}

function isExternal(spec: unknown): boolean {
  const type = textAt(spec, 'type');
  if (type === 'NodePort' || type === 'LoadBalancer') return true;
  return type === 'ClusterIP' && listAt(spec, 'externalIPs').length > 0;
}

/** Fields of the type that the service had, and that the writer did not touch, go with it. */
function dropOfOldType(spec: DraftObject, old: KubeObject): void {
  const before = objectAt(old, 'spec');
  const leaves = (needs: (spec: unknown) => boolean): boolean => needs(before) && !needs(spec);
  const drop = (...keys: readonly string[]): void => {
    for (const key of keys) if (equalJson(spec[key], before[key])) delete spec[key];
  };
  if (leaves(isExternal)) drop('externalTrafficPolicy');
  if (leaves(needsHealthPort)) drop('healthCheckNodePort');
  if (leaves((one) => textAt(one, 'type') === 'LoadBalancer')) {
    drop('allocateLoadBalancerNodePorts', 'loadBalancerClass');
  }
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

function defaultService(service: DraftObject): void {
  const spec = childDraft(service, 'spec');
  setDefault(spec, 'sessionAffinity', 'None');
  if (spec['sessionAffinity'] === '') spec['sessionAffinity'] = 'None';
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig'];
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
