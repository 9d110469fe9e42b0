import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  subdomainProblems,
} from '@capstan/kube-object';
import { flagAt, listAt, numberAt, objectAt, textAt } from '../json.ts';
import {
  between,
  type Check,
  duplicateAt,
  entries,
  fields,
  forbiddenAt,
  given,
  invalidAt,
  items,
  nonZero,
  notSupportedAt,
  oneOf,
  required,
  requiredAt,
  requiredPointer,
  text,
} from './checks.ts';
import { ipAddress, labelKey, labels, templateMetadata } from './common.ts';
import {
  containerErrors,
  ephemeralContainerErrors,
  initContainerErrors,
  type PodFacts,
} from './containers.ts';
import { resourceAmount, resourceName } from './resources.ts';
import { affinity, tolerations, topologySpread } from './scheduling.ts';
import { podSecurity } from './security.ts';
import { checkVolumes } from './volumes.ts';

const UNDERSCORE = /^_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;
const SEARCH_PROBLEM =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";

function searchProblems(search: string): readonly string[] {
  if (search === '.') return [];
  const name = search.replace(/\.$/, '');
  return [
    ...(name.length > 253 ? ['must be no more than 253 characters'] : []),
    ...(UNDERSCORE.test(name) ? [] : [SEARCH_PROBLEM]),
  ];
}

const search: Check = (value, at) => {
  const name = String(value ?? '');
  return searchProblems(name).map((detail) => invalidAt(at, name.replace(/\.$/, ''), detail));
};

const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_CHARACTERS_MAX = 2048;

const dnsConfig: Check = (value, at) => {
  const { nameservers, searches } = objectAt(value);
  const errors: FieldError[] = [];
  if (listAt(value, 'nameservers').length > NAMESERVERS_MAX) {
    const detail = `must not have more than ${NAMESERVERS_MAX} nameservers`;
    errors.push(invalidAt(`${at}.nameservers`, nameservers, detail));
  }
  errors.push(...items(ipAddress)(nameservers, `${at}.nameservers`));
  if (listAt(value, 'searches').length > SEARCHES_MAX) {
    const detail = `must not have more than ${SEARCHES_MAX} search paths`;
    errors.push(invalidAt(`${at}.searches`, searches, detail));
  }
  if (listAt(value, 'searches').join(' ').length > SEARCH_CHARACTERS_MAX) {
    const detail = `must not have more than ${SEARCH_CHARACTERS_MAX} characters (including spaces) in the search list`;
    errors.push(invalidAt(`${at}.searches`, searches, detail));
  }
  errors.push(...items(search)(searches, `${at}.searches`));
  return [
    ...errors,
    ...listAt(value, 'options').flatMap((option, i) =>
      textAt(option, 'name') === '' ? [requiredAt(`${at}.options[${i}]`, 'must not be empty')] : [],
    ),
  ];
};

function dnsErrors(spec: Json | undefined, at: string): readonly FieldError[] {
  const config = objectAt(spec)['dnsConfig'];
  const where = `${at}.dnsConfig`;
  if (textAt(spec, 'dnsPolicy') === 'None') {
    if (config === undefined) {
      return [requiredAt(where, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    }
    if (listAt(config, 'nameservers').length === 0) {
      const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      return [requiredAt(`${where}.nameservers`, detail)];
    }
  }
  return config === undefined ? [] : dnsConfig(config, where);
}

const schedulingGates: Check = (value, at) => {
  const seen = new Set<string>();
  return (Array.isArray(value) ? value : []).flatMap((gate: Json, i) => {
    const name = textAt(gate, 'name');
    const errors = [...labelKey(name, `${at}[${i}]`)];
    if (seen.has(name)) errors.push(duplicateAt(`${at}[${i}]`, name));
    seen.add(name);
    return errors;
  });
};

/** With the host's network, a port of the container is one of the host. */
function hostNetworkErrors(spec: Json | undefined, at: string, isPod: boolean): FieldError[] {
  if (!flagAt(spec, 'hostNetwork')) return [];
  return listAt(spec, 'containers').flatMap((container, i) =>
    listAt(container, 'ports').flatMap((port, j) => {
      const hostPort = numberAt(port, 'hostPort') ?? 0;
      if (hostPort === (numberAt(port, 'containerPort') ?? 0)) return [];
      if (!isPod && hostPort === 0) return [];
      const detail = 'must match `containerPort` when `hostNetwork` is true';
      return [invalidAt(`${at}.containers[${i}].ports[${j}].hostPort`, hostPort, detail)];
    }),
  );
}

const OPERATING_SYSTEMS = '"linux", "windows"';

const os: Check = given((value, at) => {
  const name = textAt(value, 'name');
  if (name === '') return [requiredAt(`${at}.name`)];
  return name === 'linux' || name === 'windows'
    ? []
    : [notSupportedAt(at, name, `supported values: ${OPERATING_SYSTEMS}`)];
});

const middle = fields({
  restartPolicy: required(oneOf('Always', 'OnFailure', 'Never')),
  dnsPolicy: required(oneOf('ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None')),
  nodeSelector: labels,
  securityContext: podSecurity,
  affinity,
});

const label = nonZero(text(dnsLabelProblems));
const name = nonZero(text(subdomainProblems));

const end = fields({
  readinessGates: items(fields({ conditionType: labelKey })),
  schedulingGates,
  topologySpreadConstraints: topologySpread,
  hostnameOverride: given(text(subdomainProblems)),
  serviceAccountName: name,
  nodeName: name,
  activeDeadlineSeconds: given(between(1, 2147483647)),
  hostname: label,
  subdomain: label,
  tolerations,
  hostAliases: items(fields({ ip: ipAddress, hostnames: items(text(subdomainProblems)) })),
  priorityClassName: name,
  runtimeClassName: given(text(subdomainProblems)),
  preemptionPolicy: given(required(oneOf('PreemptLowerPriority', 'Never'))),
  overhead: entries((amount, at, key) => [
    ...resourceName(key, at),
    ...resourceAmount(key, amount, at),
  ]),
  os,
});

/** What is wrong with a pod's spec: a pod's own, or that of a template. */
export function podSpecErrors(
  spec: Json | undefined,
  at: string,
  pod?: { readonly name: string },
): readonly FieldError[] {
  const { errors: volumeErrors, valid } = checkVolumes(spec, `${at}.volumes`, pod?.name ?? '');
  const facts: PodFacts = {
    volumes: valid,
    gracePeriodSeconds: numberAt(spec, 'terminationGracePeriodSeconds') ?? 0,
    hostUsers: objectAt(spec)['hostUsers'] !== false,
    restartPolicy: textAt(spec, 'restartPolicy'),
  };
  const grace = fields({ terminationGracePeriodSeconds: requiredPointer() });
  return [
    ...grace(spec, at),
    ...volumeErrors,
    ...containerErrors(spec, `${at}.containers`, facts),
    ...initContainerErrors(spec, `${at}.initContainers`, facts),
    ...ephemeralContainerErrors(spec, `${at}.ephemeralContainers`, facts),
    ...hostNetworkErrors(spec, at, pod !== undefined),
    ...middle(spec, at),
    ...dnsErrors(spec, at),
    ...end(spec, at),
    ...(pod === undefined ? [] : onlyInPods(spec, at)),
  ];
}

function onlyInPods(spec: Json | undefined, at: string): FieldError[] {
  return ['containers', 'initContainers'].flatMap((key) =>
    listAt(spec, key).flatMap((container, i) => {
      const image = textAt(container, 'image');
      if (image.trim() === image) return [];
      const detail = 'must not have leading or trailing whitespace';
      return [invalidAt(`${at}.${key}[${i}].image`, image, detail)];
    }),
  );
}

/** core.PodTemplateSpec: labels, annotations and spec. */
export const podTemplate: Check = (value, at) => [
  ...templateMetadata(objectAt(value)['metadata'], at),
  ...podSpecErrors(objectAt(value)['spec'], `${at}.spec`),
  ...(listAt(value, 'spec', 'ephemeralContainers').length === 0
    ? []
    : [
        forbiddenAt(
          `${at}.spec.ephemeralContainers`,
          'ephemeral containers not allowed in pod template',
        ),
      ]),
];
