import { type FieldError, labelKeyProblems, supportedValues } from '@capstan/kube-object';
import { objectAt, textAt } from '../json.ts';
import { type Check, given, invalidAt, notSupportedAt, requiredAt } from './checks.ts';
import { quantityOf, showQuantity } from './common.ts';

const ENVIRONMENT = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const FILES = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
/** What the downward API can name at all. */
const KNOWN: ReadonlySet<string> = new Set([
  ...ENVIRONMENT,
  ...FILES,
  'spec.host',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);

/** core.ObjectFieldSelector, in an environment variable or a file. */
export function objectField(use: 'environment' | 'file'): Check {
  const allowed = use === 'environment' ? ENVIRONMENT : FILES;
  return given((value, at) => {
    if (textAt(value, 'apiVersion') === '') return [requiredAt(`${at}.apiVersion`)];
    const path = textAt(value, 'fieldPath');
    const where = `${at}.fieldPath`;
    if (path === '') return [requiredAt(where)];
    const [, name = '', key] = /^(.*)\['(.*)'\]$/.exec(path) ?? ['', path];
    if (key !== undefined) {
      if (name !== 'metadata.annotations' && name !== 'metadata.labels') {
        const detail = `error converting fieldPath: field label does not support subscript: ${path}`;
        return [invalidAt(where, path, detail)];
      }
      const given = name === 'metadata.annotations' ? key.toLowerCase() : key;
      return labelKeyProblems(given).map((detail) => invalidAt(at, given, detail));
    }
    if (!KNOWN.has(name)) {
      const detail = `error converting fieldPath: field label not supported: ${path}`;
      return [invalidAt(where, path, detail)];
    }
    return allowed.includes(name) ? [] : [notSupportedAt(where, name, supportedValues(allowed))];
  });
}

const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const HUGE_PAGES = /^(requests|limits)\.hugepages-/;
const CPU_DIVISORS: ReadonlySet<string> = new Set(['1m', '1']);
const BYTE_DIVISORS = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei';
const BYTES: ReadonlySet<string> = new Set(BYTE_DIVISORS.split(', '));

/** core.ResourceFieldSelector; a file must say of which container. */
export function resourceField(use: 'environment' | 'file'): Check {
  return given((value, at) => {
    const resource = textAt(value, 'resource');
    const errors: FieldError[] = [];
    if (use === 'file' && textAt(value, 'containerName') === '') {
      errors.push(requiredAt(`${at}.containerName`));
    } else if (resource === '') errors.push(requiredAt(`${at}.resource`));
    else if (!RESOURCES.includes(resource) && !HUGE_PAGES.test(resource)) {
      errors.push(notSupportedAt(`${at}.resource`, resource, supportedValues(RESOURCES)));
    }
    return [...errors, ...divisorErrors(resource, objectAt(value)['divisor'], `${at}.divisor`)];
  });
}

function divisorErrors(resource: string, divisor: Parameters<Check>[0], at: string): FieldError[] {
  if (quantityOf(divisor).nanos === 0n) return [];
  const shown = showQuantity(divisor);
  const problem = (allowed: string, what: string): FieldError[] => [
    invalidAt(
      at,
      resource,
      `only divisor's values ${allowed} are supported with the ${what} resource`,
    ),
  ];
  const kind = resource.slice(resource.indexOf('.') + 1);
  if (kind === 'cpu') return CPU_DIVISORS.has(shown) ? [] : problem('1m and 1', 'cpu');
  if (BYTES.has(shown)) return [];
  if (kind === 'memory') return problem(BYTE_DIVISORS, 'memory');
  if (kind === 'ephemeral-storage') return problem(BYTE_DIVISORS, 'local ephemeral storage');
  return HUGE_PAGES.test(resource) ? problem(BYTE_DIVISORS, 'hugepages') : [];
}
