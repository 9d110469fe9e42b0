import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  subdomainProblems,
  supportedValues,
} from '@capstan/kube-object';
import { isIpv4, isIpv6 } from '@capstan/kube-schema';
import { listAt, numberAt, objectAt, textAt } from '../json.ts';
import {
  type Check,
  duplicateAt,
  fields,
  forbiddenAt,
  given,
  goStruct,
  invalidAt,
  items,
  nonZero,
  notSupportedAt,
  oneOf,
  required,
  requiredAt,
  text,
} from './checks.ts';
import { cidr, ipAddress, labelKey, labels, port, portNumber } from './common.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'] as const;
export const protocol = required(oneOf(...PROTOCOLS));

function isHeadless(spec: Json | undefined): boolean {
  return textAt(spec, 'clusterIP') === 'None';
}

function portErrors(spec: Json | undefined, at: string): FieldError[] {
  const ports = listAt(spec, 'ports');
  const names = new Set<string>();
  const checks = fields({
    port: portNumber,
    protocol,
    targetPort: port,
    appProtocol: given(labelKey),
  });
  return ports.flatMap((item, i) => {
    const where = `${at}[${i}]`;
    const name = textAt(item, 'name');
    const errors: FieldError[] = [];
    if (name !== '') {
      errors.push(...text(dnsLabelProblems)(name, `${where}.name`));
      if (names.has(name)) errors.push(duplicateAt(`${where}.name`, name));
      names.add(name);
    } else if (ports.length > 1) errors.push(requiredAt(`${where}.name`));
    return [...errors, ...checks(item, where)];
  });
}

function clashErrors(spec: Json | undefined, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const ports = listAt(spec, 'ports');
  const isInternal = textAt(spec, 'type') === 'ClusterIP';
  const nodePorts = new Set<string>();
  for (const [i, item] of ports.entries()) {
    const nodePort = numberAt(item, 'nodePort') ?? 0;
    if (nodePort === 0) continue;
    const where = `${at}[${i}].nodePort`;
    if (isInternal) errors.push(forbiddenAt(where, "may not be used when `type` is 'ClusterIP'"));
    const key = `${textAt(item, 'protocol')}/${nodePort}`;
    if (nodePorts.has(key)) errors.push(duplicateAt(where, nodePort));
    nodePorts.add(key);
  }
  const numbers = new Set<string>();
  for (const [i, item] of ports.entries()) {
    const key = `${textAt(item, 'protocol')}/${numberAt(item, 'port') ?? 0}`;
    if (numbers.has(key)) {
      const { protocol: name, port: number } = objectAt(item);
      const shape = {
        Name: '',
        Protocol: '',
        AppProtocol: null,
        Port: 0,
        TargetPort: 0,
        NodePort: 0,
      };
      const shown = goStruct({ protocol: name ?? '', port: number ?? 0 }, shape);
      errors.push({ ...duplicateAt(`${at}[${i}]`, null), shown });
    }
    numbers.add(key);
  }
  return errors;
}

const AFFINITY_SECONDS_MAX = 86_400;

function affinityErrors(spec: Json | undefined, at: string): readonly FieldError[] {
  const affinity = textAt(spec, 'sessionAffinity');
  const config = objectAt(spec)['sessionAffinityConfig'];
  const where = `${at}.sessionAffinityConfig`;
  const errors = [...required(oneOf('ClientIP', 'None'))(affinity, `${at}.sessionAffinity`)];
  if (affinity === 'None' && config !== undefined) {
    errors.push(forbiddenAt(where, 'must not be set when session affinity is None'));
  }
  if (affinity !== 'ClientIP') return errors;
  const seconds = numberAt(config, 'clientIP', 'timeoutSeconds');
  if (seconds === undefined) {
    const detail = 'when session affinity type is ClientIP';
    return [...errors, requiredAt(where, detail)];
  }
  if (seconds > 0 && seconds <= AFFINITY_SECONDS_MAX) return errors;
  const detail = `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`;
  return [...errors, invalidAt(`${where}.clientIP.timeoutSeconds`, seconds, detail)];
}

const FAMILIES = ['IPv4', 'IPv6'];

function addressErrors(spec: Json | undefined, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, family] of listAt(spec, 'ipFamilies').map(String).entries()) {
    const where = `${at}.ipFamilies[${i}]`;
    if (!FAMILIES.includes(family)) {
      errors.push(notSupportedAt(where, family, supportedValues(FAMILIES)));
    }
    if (seen.has(family)) errors.push(duplicateAt(where, family));
    seen.add(family);
  }
  const policies = oneOf('PreferDualStack', 'RequireDualStack', 'SingleStack');
  errors.push(...given(policies)(objectAt(spec)['ipFamilyPolicy'], `${at}.ipFamilyPolicy`));
  for (const [i, address] of listAt(spec, 'clusterIPs').map(String).entries()) {
    if (i === 0 && address === 'None') continue;
    errors.push(...ipAddress(address, `${at}.clusterIPs[${i}]`));
  }
  return errors;
}

/** An address that can be reached from elsewhere. */
export const endpointAddress: Check = (value, at) => {
  const address = String(value ?? '');
  const problem = addressProblem(address);
  return problem === undefined ? [] : [invalidAt(at, address, problem)];
};

function addressProblem(address: string): string | undefined {
  if (!isIpv4(address) && !isIpv6(address)) return 'must be a valid IP address';
  if (address === '0.0.0.0' || address === '::') return `may not be unspecified (${address})`;
  if (address.startsWith('127.') || address === '::1') {
    return 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
  }
  if (address.startsWith('169.254.') || /^fe[89ab]/i.test(address)) {
    return 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
  }
  if (address.startsWith('224.0.0.') || /^ff02:/i.test(address)) {
    return 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)';
  }
  return undefined;
}

const externalAddress: Check = (value, at) => {
  const errors = ipAddress(value, at);
  return errors.length > 0 ? errors : endpointAddress(value, at);
};

function externalNameErrors(spec: Json | undefined, at: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) {
    if (objectAt(spec)[key] !== undefined) {
      errors.push(forbiddenAt(`${at}.${key}`, 'may not be set for ExternalName services'));
    }
  }
  const name = textAt(spec, 'externalName').replace(/\.$/, '');
  return [...errors, ...required(text(subdomainProblems))(name, `${at}.externalName`)];
}

function balancerErrors(spec: Json | undefined, at: string): FieldError[] {
  const isBalancer = textAt(spec, 'type') === 'LoadBalancer';
  const { loadBalancerSourceRanges: ranges, allocateLoadBalancerNodePorts: allocate } =
    objectAt(spec);
  const { loadBalancerClass } = objectAt(spec);
  const only = "may only be used when `type` is 'LoadBalancer'";
  const errors: FieldError[] = [];
  if (Array.isArray(ranges) && ranges.length > 0) {
    const where = `${at}.LoadBalancerSourceRanges`;
    if (!isBalancer) errors.push(forbiddenAt(where, only));
    const trimmed = ranges.map((range: Json) => String(range).trim());
    errors.push(...items(cidr)(trimmed, where));
  }
  if (!isBalancer) {
    if (allocate !== undefined) {
      errors.push(forbiddenAt(`${at}.allocateLoadBalancerNodePorts`, only));
    }
    if (loadBalancerClass !== undefined) {
      errors.push(forbiddenAt(`${at}.loadBalancerClass`, only));
    }
    return errors;
  }
  return [...errors, ...given(labelKey)(loadBalancerClass, `${at}.loadBalancerClass`)];
}

function trafficErrors(spec: Json | undefined, at: string): readonly FieldError[] {
  const type = textAt(spec, 'type');
  const policy = textAt(spec, 'externalTrafficPolicy');
  const health = numberAt(spec, 'healthCheckNodePort') ?? 0;
  const isExternal =
    type === 'LoadBalancer' ||
    type === 'NodePort' ||
    (type === 'ClusterIP' && listAt(spec, 'externalIPs').length > 0);
  const errors: FieldError[] = [];
  const policyAt = `${at}.externalTrafficPolicy`;
  if (isExternal) errors.push(...required(oneOf('Cluster', 'Local'))(policy, policyAt));
  else if (policy !== '') {
    errors.push(invalidAt(policyAt, policy, 'may only be set for externally-accessible services'));
  }
  const healthAt = `${at}.healthCheckNodePort`;
  if (type === 'LoadBalancer' && policy === 'Local') {
    errors.push(...required(portNumber)(health, healthAt));
  } else if (health !== 0) {
    const detail =
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalidAt(healthAt, health, detail));
  }
  const isReachable = isExternal || type === 'ClusterIP';
  const { internalTrafficPolicy } = objectAt(spec);
  if (isReachable && internalTrafficPolicy === undefined) {
    errors.push(requiredAt(`${at}.internalTrafficPolicy`));
  }
  return [
    ...errors,
    ...fields({
      internalTrafficPolicy: given(oneOf('Cluster', 'Local')),
      trafficDistribution: given(oneOf('PreferClose', 'PreferSameZone', 'PreferSameNode')),
    })(spec, at),
  ];
}

/** core.ServiceSpec. */
export const serviceSpec: Check = (spec, at) => {
  const type = textAt(spec, 'type');
  const isExternalName = type === 'ExternalName';
  // Addresses are given before anything else is looked at.
  const unaddressed = isExternalName ? [] : addressErrors(spec, at);
  if (unaddressed.length > 0) return unaddressed;
  const errors: FieldError[] = [];
  if (listAt(spec, 'ports').length === 0 && !isHeadless(spec) && !isExternalName) {
    errors.push(requiredAt(`${at}.ports`));
  }
  if (isHeadless(spec) && (type === 'LoadBalancer' || type === 'NodePort')) {
    const detail = `may not be set to 'None' for ${type} services`;
    errors.push(invalidAt(`${at}.clusterIPs[0]`, 'None', detail));
  }
  return [
    ...errors,
    ...(isExternalName ? externalNameErrors(spec, at) : []),
    ...portErrors(spec, `${at}.ports`),
    ...nonZero(labels)(objectAt(spec)['selector'], `${at}.selector`),
    ...affinityErrors(spec, at),
    ...items(externalAddress)(objectAt(spec)['externalIPs'], `${at}.externalIPs`),
    ...required(oneOf('ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'))(type, `${at}.type`),
    ...clashErrors(spec, `${at}.ports`),
    ...balancerErrors(spec, at),
    ...trafficErrors(spec, at),
  ];
};
