import { type FieldError, type Json, labelKeyProblems } from '@capstan/kube-object';
import { objectAt } from '../json.ts';
import { type Check, forbiddenAt, given, invalidAt, requiredAt } from './checks.ts';
import {
  compareAmounts,
  labelKey,
  nonNegativeQuantity,
  showQuantity,
  wholeQuantity,
} from './common.ts';

const HUGE_PAGES = 'hugepages-';
const COMPUTE: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);
const STANDARD: ReadonlySet<string> = new Set([
  ...COMPUTE,
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'services.nodeports',
  'services.loadbalancers',
]);
/** What is counted and cannot be a fraction. */
const WHOLE: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);

export function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

export function isStandardResource(name: string): boolean {
  return STANDARD.has(name) || name.startsWith(HUGE_PAGES);
}

function isExtended(name: string): boolean {
  if (isNative(name) || name.startsWith('requests.')) return false;
  return labelKeyProblems(`requests.${name}`).length === 0;
}

export const resourceName: Check = (value, at) => {
  const name = String(value ?? '');
  const errors = labelKey(name, at);
  if (errors.length > 0 || name.includes('/') || isStandardResource(name)) return errors;
  return [invalidAt(at, name, 'must be a standard resource type or fully qualified')];
};

export const containerResourceName: Check = (value, at) => {
  const name = String(value ?? '');
  const errors = [...resourceName(name, at)];
  if (!name.includes('/')) {
    if (!COMPUTE.has(name) && !name.startsWith(HUGE_PAGES)) {
      errors.push(invalidAt(at, name, 'must be a standard resource for containers'));
    }
  } else if (!isNative(name) && !isExtended(name)) {
    errors.push(invalidAt(at, name, "doesn't follow extended resource name standard"));
  }
  return errors;
};

/** An amount of a resource. */
export function resourceAmount(name: string, value: Json | undefined, at: string): FieldError[] {
  const whole = WHOLE.has(name) || isExtended(name);
  return [...nonNegativeQuantity(value, at), ...(whole ? wholeQuantity(value, at) : [])];
}

function isOvercommittable(name: string): boolean {
  return isNative(name) && !name.startsWith(HUGE_PAGES);
}

/** core.ResourceRequirements of a container. */
export const containerResources: Check = given((value, at) => {
  const limits = objectAt(value, 'limits');
  const requests = objectAt(value, 'requests');
  const errors: FieldError[] = [];
  for (const [key, amounts] of [
    ['limits', limits],
    ['requests', requests],
  ] as const) {
    for (const [name, amount] of Object.entries(amounts)) {
      const where = `${at}.${key}[${name}]`;
      errors.push(...containerResourceName(name, where), ...resourceAmount(name, amount, where));
      if (key === 'requests') errors.push(...againstLimit(name, amount, limits[name], at));
    }
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (
    names.some((name) => name.startsWith(HUGE_PAGES)) &&
    !names.some((name) => name === 'cpu' || name === 'memory')
  ) {
    errors.push(forbiddenAt(at, 'HugePages require cpu or memory'));
  }
  return errors;
});

function againstLimit(
  name: string,
  amount: Json | undefined,
  limit: Json | undefined,
  at: string,
): FieldError[] {
  const shared = isOvercommittable(name);
  if (limit === undefined) {
    return shared
      ? []
      : [requiredAt(`${at}.limits`, 'Limit must be set for non overcommitable resources')];
  }
  const order = compareAmounts(amount, limit);
  if (order === 0 || (shared && order < 0)) return [];
  const relation = shared ? 'less than or equal to' : 'equal to';
  return [
    invalidAt(
      `${at}.requests`,
      showQuantity(amount),
      `must be ${relation} ${name} limit of ${showQuantity(limit)}`,
    ),
  ];
}
