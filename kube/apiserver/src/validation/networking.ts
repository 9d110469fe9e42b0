import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  labelValueProblems,
  pathSegmentProblems,
  portNameProblems,
  subdomainProblems,
  supportedValues,
  wildcardSubdomainProblems,
} from '@capstan/kube-object';
import { isIpv4, isIpv6 } from '@capstan/kube-schema';
import { listAt, numberAt, objectAt, textAt } from '../json.ts';
import {
  type Check,
  duplicateAt,
  fields,
  forbiddenAt,
  given,
  invalidAt,
  isZero,
  items,
  nonZero,
  notSupportedAt,
  oneOf,
  required,
  requiredAt,
  text,
} from './checks.ts';
import {
  cidr,
  domainPath,
  ipAddress,
  labelKey,
  labelSelector,
  labels,
  portNumber,
} from './common.ts';
import { endpointAddress, protocol } from './services.ts';

const segment = required(text(pathSegmentProblems));

const reference = fields({
  apiGroup: given(text(subdomainProblems)),
  kind: segment,
  name: segment,
});

const backend: Check = (value, at) => {
  const { resource, service } = objectAt(value);
  if (resource !== undefined && service !== undefined) {
    return [invalidAt(at, '', 'cannot set both resource and service backends')];
  }
  if (resource !== undefined) return reference(resource, `${at}.resource`);
  if (service === undefined) {
    return [invalidAt(at, '', 'resource or service backend is required')];
  }
  const name = textAt(service, 'port', 'name');
  const number = numberAt(service, 'port', 'number') ?? 0;
  const errors: FieldError[] = [
    ...required(text(dnsLabelProblems))(textAt(service, 'name'), `${at}.service.name`),
  ];
  if (name !== '' && number !== 0) {
    errors.push(invalidAt(at, '', 'cannot set both port name & port number'));
  } else if (name !== '') {
    errors.push(...text(portNameProblems)(name, `${at}.service.port.name`));
  } else if (number !== 0) errors.push(...portNumber(number, `${at}.service.port.number`));
  else errors.push(requiredAt(at, 'port name or number is required'));
  return errors;
};

const hostName: Check = (value, at) => {
  const host = String(value ?? '');
  const problems = host.includes('*') ? wildcardSubdomainProblems(host) : subdomainProblems(host);
  return problems.map((detail) => invalidAt(at, host, detail));
};

const ruleHost: Check = nonZero((value, at) => [
  ...(isIpv4(String(value)) || isIpv6(String(value))
    ? [invalidAt(at, value, 'must be a DNS name, not an IP address')]
    : []),
  ...hostName(value, at),
]);

const FORBIDDEN_IN_PATHS = ['//', '/./', '/../', '%2f', '%2F'];
const FORBIDDEN_ENDS = ['/..', '/.'];
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

const httpPath: Check = (value, at) => {
  const type = objectAt(value)['pathType'];
  const path = textAt(value, 'path');
  const where = `${at}.path`;
  if (type === undefined || type === null)
    return [requiredAt(`${at}.pathType`, 'pathType must be specified')];
  const errors: FieldError[] = [];
  const isExactly = type === 'Exact' || type === 'Prefix';
  if (!isExactly && type !== 'ImplementationSpecific') {
    errors.push(notSupportedAt(`${at}.pathType`, type, supportedValues(PATH_TYPES)));
  } else if (!path.startsWith('/') && (isExactly || path !== '')) {
    errors.push(invalidAt(where, path, 'must be an absolute path'));
  }
  if (isExactly) {
    for (const part of FORBIDDEN_IN_PATHS) {
      if (path.includes(part)) errors.push(invalidAt(where, path, `must not contain '${part}'`));
    }
    for (const end of FORBIDDEN_ENDS) {
      if (path.endsWith(end)) errors.push(invalidAt(where, path, `cannot end with '${end}'`));
    }
  }
  return [...errors, ...backend(objectAt(value)['backend'], `${at}.backend`)];
};

const ingressRules = fields({
  defaultBackend: given(backend),
  rules: items(
    fields({ host: ruleHost, http: given(fields({ paths: required(items(httpPath)) })) }),
  ),
  tls: items(fields({ hosts: items(hostName), secretName: nonZero(text(subdomainProblems)) })),
  ingressClassName: given(text(subdomainProblems)),
});

/** networking.IngressSpec. */
export const ingressSpec: Check = (spec, at) => {
  const { rules, defaultBackend } = objectAt(spec);
  const missing = isZero(rules) && defaultBackend === undefined;
  const detail = 'either `defaultBackend` or `rules` must be specified';
  return [...(missing ? [invalidAt(at, rules ?? null, detail)] : []), ...ingressRules(spec, at)];
};

const CLASS_CONTROLLER_BYTES_MAX = 250;

const parameters: Check = given((value, at) => {
  const { scope, namespace } = objectAt(value);
  const errors = [...reference(value, at)];
  if (scope !== 'Cluster' && scope !== 'Namespace') {
    const listed = supportedValues(['Cluster', 'Namespace']);
    return scope === undefined
      ? [...errors, requiredAt(`${at}.scope`)]
      : [...errors, notSupportedAt(`${at}.scope`, scope, listed)];
  }
  const where = `${at}.namespace`;
  if (scope === 'Cluster') {
    if (namespace === undefined) return errors;
    return [...errors, forbiddenAt(where, "`parameters.scope` is set to 'Cluster'")];
  }
  if (namespace === undefined) {
    return [...errors, requiredAt(where, "`parameters.scope` is set to 'Namespace'")];
  }
  return [...errors, ...text(dnsLabelProblems)(namespace, where)];
});

export const ingressClassSpec: Check = (spec, at) => {
  const controller = textAt(spec, 'controller');
  const where = `${at}.controller`;
  return [
    ...(controller.length > CLASS_CONTROLLER_BYTES_MAX
      ? [
          {
            reason: 'FieldValueTooLong',
            field: where,
            detail: `may not be more than ${CLASS_CONTROLLER_BYTES_MAX} bytes`,
          } as const,
        ]
      : []),
    ...domainPath(controller, where),
    ...parameters(objectAt(spec)['parameters'], `${at}.parameters`),
  ];
};

const policyPort: Check = (value, at) => {
  const { port, endPort, protocol: name } = objectAt(value);
  const errors: FieldError[] = [...given(oneOf('TCP', 'UDP', 'SCTP'))(name, `${at}.protocol`)];
  const where = `${at}.endPort`;
  if (port === undefined) {
    if (endPort !== undefined) {
      const detail = 'may not be specified when `port` is not specified';
      errors.push(invalidAt(where, endPort, detail));
    }
    return errors;
  }
  if (typeof port === 'string') {
    if (endPort !== undefined) {
      const detail = 'may not be specified when `port` is non-numeric';
      errors.push(invalidAt(where, endPort, detail));
    }
    return [...errors, ...text(portNameProblems)(port, `${at}.port`)];
  }
  errors.push(...portNumber(port, `${at}.port`));
  if (endPort === undefined) return errors;
  if (Number(endPort) < Number(port)) {
    errors.push(invalidAt(where, port, 'must be greater than or equal to `port`'));
  }
  return [...errors, ...portNumber(endPort, where)];
};

const ipBlock: Check = (value, at) => {
  const block = textAt(value, 'cidr');
  if (block === '') return [requiredAt(`${at}.cidr`)];
  const wrong = cidr(block, `${at}.cidr`);
  if (wrong.length > 0) return wrong;
  return listAt(value, 'except').flatMap((except, i) => {
    const where = `${at}.except[${i}]`;
    const errors = cidr(except, where);
    if (errors.length > 0 || isStrictlyWithin(String(except), block)) return errors;
    return [invalidAt(where, except, 'must be a strict subset of `cidr`')];
  });
};

/** Of IPv4 by its bits; of IPv6 only by the length of the mask. */
function isStrictlyWithin(inner: string, outer: string): boolean {
  const [innerAddress = '', innerBits = ''] = inner.split('/');
  const [outerAddress = '', outerBits = ''] = outer.split('/');
  if (Number(outerBits) >= Number(innerBits)) return false;
  if (!isIpv4(innerAddress) || !isIpv4(outerAddress)) {
    return isIpv4(innerAddress) === isIpv4(outerAddress);
  }
  const number = (address: string): number =>
    address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(outerBits));
  return Math.floor(number(innerAddress) / size) === Math.floor(number(outerAddress) / size);
}

const peers = { podSelector: labelSelector, namespaceSelector: labelSelector };

const peer: Check = (value, at) => {
  const { podSelector, namespaceSelector, ipBlock: block } = objectAt(value);
  const errors = [...fields({ ...peers, ipBlock: given(ipBlock) })(value, at)];
  const others = podSelector !== undefined || namespaceSelector !== undefined;
  if (!others && block === undefined) errors.push(requiredAt(at, 'must specify a peer'));
  if (others && block !== undefined) {
    errors.push(forbiddenAt(at, 'may not specify both ipBlock and another peer'));
  }
  return errors;
};

const policyTypes: Check = (value, at) => {
  const types = Array.isArray(value) ? value : [];
  if (types.length > 2) return [invalidAt(at, value, 'may not specify more than two policyTypes')];
  return items(oneOf('Ingress', 'Egress'))(value, at);
};

/** networking.NetworkPolicySpec. */
export const networkPolicySpec: Check = fields({
  podSelector: labelSelector,
  ingress: items(fields({ ports: items(policyPort), from: items(peer) })),
  egress: items(fields({ ports: items(policyPort), to: items(peer) })),
  policyTypes,
});

const named = (needed: boolean): Check =>
  needed ? required(text(dnsLabelProblems)) : nonZero(text(dnsLabelProblems));

const oldAddress = fields({
  ip: (value, at) => [...ipAddress(value, at), ...endpointAddress(value, at)],
  hostname: nonZero(text(dnsLabelProblems)),
  nodeName: given(text(subdomainProblems)),
});

/** core.Endpoints' subsets. */
export const endpointSubsets: Check = items((subset, at) => {
  const { addresses, notReadyAddresses, ports } = objectAt(subset);
  const missing = isZero(addresses) && isZero(notReadyAddresses);
  const isSeveral = Array.isArray(ports) && ports.length > 1;
  return [
    ...(missing ? [requiredAt(at, 'must specify `addresses` or `notReadyAddresses`')] : []),
    ...fields({
      addresses: items(oldAddress),
      notReadyAddresses: items(oldAddress),
      ports: items(
        fields({
          name: named(isSeveral),
          port: portNumber,
          protocol,
          appProtocol: given(labelKey),
        }),
      ),
    })(subset, at),
  ];
});

const ADDRESSES_MAX = 100;

function sliceAddress(type: string): Check {
  return (value, at) => {
    const address = String(value ?? '');
    if (type === 'FQDN') {
      return subdomainProblems(address).map((detail) => invalidAt(at, address, detail));
    }
    const errors = ipAddress(address, at);
    if (errors.length > 0) return errors;
    const isOfType = type === 'IPv4' ? isIpv4(address) : isIpv6(address);
    const list = at.slice(0, at.lastIndexOf('['));
    return [
      ...(isOfType ? [] : [invalidAt(list, address, `must be an ${type} address`)]),
      ...endpointAddress(address, at),
    ];
  };
}

function uniqueNames(value: Json | undefined, at: string): FieldError[] {
  const seen = new Set<string>();
  return (Array.isArray(value) ? value : []).flatMap((item: Json, i) => {
    const name = textAt(item, 'name');
    if (seen.has(name)) return [duplicateAt(`${at}[${i}].name`, name)];
    seen.add(name);
    return [];
  });
}

const zones: Check = (value, at) => [
  ...uniqueNames(value, at),
  ...items(fields({ name: text(labelValueProblems) }))(value, at),
];

const slicePorts: Check = (value, at) => [
  ...items(
    fields({
      name: named(false),
      protocol: oneOf('SCTP', 'TCP', 'UDP'),
      appProtocol: given(labelKey),
    }),
  )(value, at),
  ...uniqueNames(value, at),
];

/** discovery.EndpointSlice, from its root. */
export const endpointSlice: Check = (slice, at) => {
  const type = textAt(slice, 'addressType');
  const isKnown = type === 'IPv4' || type === 'IPv6' || type === 'FQDN';
  const addresses: Check = (value, where) => {
    const count = Array.isArray(value) ? value.length : 0;
    if (count === 0) return [requiredAt(where, 'must contain at least 1 address')];
    if (count > ADDRESSES_MAX) {
      const detail = `must have at most ${ADDRESSES_MAX} items`;
      return [{ reason: 'FieldValueTooMany', field: where, value: count, detail }];
    }
    return isKnown ? items(sliceAddress(type))(value, where) : [];
  };
  return fields({
    addressType: required(oneOf('FQDN', 'IPv4', 'IPv6')),
    ports: slicePorts,
    endpoints: items(
      fields({
        addresses,
        nodeName: given(text(subdomainProblems)),
        deprecatedTopology: labels,
        hostname: given(text(dnsLabelProblems)),
        hints: fields({ forZones: zones }),
      }),
    ),
  })(slice, at);
};
