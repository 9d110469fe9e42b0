import { type FieldError, type Json, labelValueProblems } from '@capstan/kube-object';
import { listAt, objectAt, textAt } from '../json.ts';
import {
  type Check,
  duplicateAt,
  entries,
  fields,
  forbiddenAt,
  given,
  goStruct,
  integer,
  invalidAt,
  isZero,
  items,
  nonZero,
  oneOf,
  positive,
  required,
  requiredAt,
} from './checks.ts';
import {
  cidr,
  compareAmounts,
  countOrPercent,
  labelKey,
  labelSelector,
  labels,
  notOver100Percent,
  quantityOf,
  showQuantity,
} from './common.ts';
import {
  containerResourceName,
  containerResources,
  isNative,
  resourceAmount,
  resourceName,
} from './resources.ts';
import { TAINT_EFFECTS, tolerations } from './scheduling.ts';

const LIMIT_TYPES: ReadonlySet<string> = new Set(['Pod', 'Container', 'PersistentVolumeClaim']);
const AMOUNTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'];

function limitTypeErrors(type: string, at: string): readonly FieldError[] {
  const errors = labelKey(type, at);
  if (errors.length > 0 || type.includes('/') || LIMIT_TYPES.has(type)) return errors;
  return [invalidAt(at, type, 'must be a standard limit type or fully qualified')];
}

function limitItemErrors(item: Json, at: string): FieldError[] {
  const type = textAt(item, 'type');
  const isPod = type === 'Pod';
  const checkName = isPod || type === 'Container' ? containerResourceName : resourceName;
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const key of AMOUNTS) {
    const amounts = objectAt(item, key);
    if (isPod && (key === 'default' || key === 'defaultRequest')) {
      if (Object.keys(amounts).length > 0) {
        errors.push(forbiddenAt(`${at}.${key}`, "may not be specified when `type` is 'Pod'"));
      }
      continue;
    }
    for (const name of Object.keys(amounts)) {
      names.add(name);
      errors.push(...checkName(name, `${at}.${key}[${name}]`));
    }
  }
  if (type === 'PersistentVolumeClaim') {
    const bounds = [objectAt(item, 'min')['storage'], objectAt(item, 'max')['storage']];
    if (bounds.every((bound) => bound === undefined)) {
      const detail =
        'either minimum or maximum storage value is required, but neither was provided';
      errors.push(requiredAt(`${at}.limits`, detail));
    }
  }
  for (const name of names) errors.push(...amountErrors(item, name, at));
  return errors;
}

/** [the lesser, the greater, where it is told, which of them is shown, how they are called] */
const ORDER: readonly (readonly [string, string, string, string, string, string])[] = [
  ['min', 'max', 'min', 'min', 'min value', 'max value'],
  [
    'min',
    'defaultRequest',
    'defaultRequest',
    'defaultRequest',
    'min value',
    'default request value',
  ],
  [
    'defaultRequest',
    'max',
    'defaultRequest',
    'defaultRequest',
    'default request value',
    'max value',
  ],
  [
    'defaultRequest',
    'default',
    'defaultRequest',
    'defaultRequest',
    'default request value',
    'default limit value',
  ],
  ['min', 'default', 'default', 'min', 'min value', 'default value'],
  ['default', 'max', 'default', 'max', 'default value', 'max value'],
];

function amountErrors(item: Json, name: string, at: string): FieldError[] {
  const amount = (key: string): Json | undefined => objectAt(item, key)[name];
  const errors: FieldError[] = [];
  for (const [lesser, greater, where, shown, lesserName, greaterName] of ORDER) {
    const [low, high] = [amount(lesser), amount(greater)];
    if (low === undefined || high === undefined || compareAmounts(low, high) <= 0) continue;
    const detail = `${lesserName} ${showQuantity(low)} is greater than ${greaterName} ${showQuantity(high)}`;
    errors.push(invalidAt(`${at}.${where}[${name}]`, showQuantity(amount(shown)), detail));
  }
  errors.push(...ratioErrors(item, name, `${at}.maxLimitRequestRatio[${name}]`));
  const [limit, request] = [amount('default'), amount('defaultRequest')];
  const isShared = isNative(name) && !name.startsWith('hugepages-');
  if (!isShared && limit !== undefined && request !== undefined) {
    if (compareAmounts(limit, request) !== 0) {
      const detail = `default value ${showQuantity(limit)} must equal to defaultRequest value ${showQuantity(request)} in ${name}`;
      errors.push(invalidAt(`${at}.defaultRequest[${name}]`, showQuantity(request), detail));
    }
  }
  return errors;
}

/** As Go counts in thousandths: up, away from zero. */
function thousandths(value: Json | undefined): number {
  const { nanos } = quantityOf(value);
  const whole = nanos / 1_000_000n;
  const more = nanos % 1_000_000n === 0n ? 0n : nanos > 0n ? 1n : -1n;
  return Number(whole + more);
}

function ratioErrors(item: Json, name: string, at: string): FieldError[] {
  const ratio = objectAt(item, 'maxLimitRequestRatio')[name];
  if (ratio === undefined) return [];
  const shown = showQuantity(ratio);
  const errors: FieldError[] = [];
  if (compareAmounts(ratio, '1') < 0) {
    errors.push(invalidAt(at, shown, `ratio ${shown} is less than 1`));
  }
  const [low, high] = [objectAt(item, 'min')[name], objectAt(item, 'max')[name]];
  if (low === undefined || high === undefined) return errors;
  const limit = thousandths(high) / thousandths(low);
  if (thousandths(ratio) / 1000 <= limit || Number.isNaN(limit)) return errors;
  const detail = `ratio ${shown} is greater than max/min = ${limit.toFixed(6)}`;
  return [...errors, invalidAt(at, shown, detail)];
}

/** core.LimitRangeSpec's limits. */
export const limits: Check = (value, at) => {
  const types = new Set<string>();
  return (Array.isArray(value) ? value : []).flatMap((item: Json, i) => {
    const where = `${at}[${i}]`;
    const type = textAt(item, 'type');
    const errors = [...limitTypeErrors(type, `${where}.type`)];
    if (types.has(type)) errors.push(duplicateAt(`${where}.type`, type));
    types.add(type);
    return [...errors, ...limitItemErrors(item, where)];
  });
};

const COMPUTE_QUOTA = [
  'cpu',
  'memory',
  'limits.cpu',
  'limits.memory',
  'requests.cpu',
  'requests.memory',
];
const QUOTA: ReadonlySet<string> = new Set([
  ...COMPUTE_QUOTA,
  'ephemeral-storage',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
]);
const OF_PODS: ReadonlySet<string> = new Set([...COMPUTE_QUOTA, 'pods']);

const quotaAmount = (amount: Json | undefined, at: string, name: string): FieldError[] => {
  const errors = [...resourceName(name, at)];
  if (!name.includes('/') && !QUOTA.has(name) && !name.startsWith('requests.hugepages-')) {
    errors.push(invalidAt(at, name, 'must be a standard resource for quota'));
  }
  const counted = name.startsWith('count/') ? 'pods' : name;
  return [...errors, ...resourceAmount(counted, amount, at)];
};

const SIMPLE_SCOPES = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'CrossNamespacePodAffinity',
];
const SCOPES: ReadonlySet<string> = new Set([
  ...SIMPLE_SCOPES,
  'PriorityClass',
  'VolumeAttributesClass',
]);

/** Whether a scope says something about the resource: of others it is a mistake. */
function isScopeFor(scope: string, resource: string): boolean {
  if (!QUOTA.has(resource) || !SCOPES.has(scope)) return true;
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === 'VolumeAttributesClass') {
    return resource === 'persistentvolumeclaims' || resource === 'requests.storage';
  }
  return OF_PODS.has(resource);
}

const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
];

function scopeErrors(spec: Json | undefined, at: string): FieldError[] {
  const scopes = listAt(spec, 'scopes').map(String);
  const shown = objectAt(spec)['scopes'] ?? null;
  const errors: FieldError[] = [];
  const resources = Object.keys(objectAt(spec, 'hard')).sort();
  for (const scope of scopes) {
    if (!SCOPES.has(scope)) errors.push(invalidAt(at, shown, 'unsupported scope'));
    for (const resource of resources) {
      if (isScopeFor(scope, resource)) continue;
      errors.push(invalidAt(at, shown, 'unsupported scope applied to resource'));
    }
  }
  for (const pair of CONFLICTS) {
    if (pair.every((scope) => scopes.includes(scope))) {
      errors.push(invalidAt(at, shown, 'conflicting scopes'));
    }
  }
  return errors;
}

const EXISTS_ONLY =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

/** The server names the fields of a scope's expression without its index. */
function scopeSelectorErrors(requirement: Json, at: string): FieldError[] {
  const scope = textAt(requirement, 'scopeName');
  const operator = textAt(requirement, 'operator');
  const values = listAt(requirement, 'values');
  const errors: FieldError[] = [];
  if (!SCOPES.has(scope)) errors.push(invalidAt(`${at}.scopeName`, scope, 'unsupported scope'));
  if (SIMPLE_SCOPES.includes(scope) && operator !== 'Exists') {
    errors.push(invalidAt(`${at}.operator`, operator, EXISTS_ONLY));
  }
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      const detail =
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      errors.push(requiredAt(`${at}.values`, detail));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      const detail =
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      errors.push(invalidAt(`${at}.values`, [...values], detail));
    }
  } else errors.push(invalidAt(`${at}.operator`, operator, 'not a valid selector operator'));
  return errors;
}

/** core.ResourceQuotaSpec. */
export const quotaSpec: Check = (spec, at) => [
  ...entries(quotaAmount)(objectAt(spec)['hard'], `${at}.hard`),
  ...scopeErrors(spec, `${at}.scopes`),
  ...listAt(spec, 'scopeSelector', 'matchExpressions').flatMap((requirement) =>
    scopeSelectorErrors(requirement, `${at}.scopeSelector.matchExpressions`),
  ),
];

const taint = fields({
  key: labelKey,
  value: (value, at) => {
    const text = String(value ?? '');
    const problems = labelValueProblems(text);
    return problems.length === 0 ? [] : [invalidAt(at, text, problems.join(';'))];
  },
  effect: required(oneOf(...TAINT_EFFECTS)),
});

export const taints: Check = (value, at) => {
  const seen = new Set<string>();
  return (Array.isArray(value) ? value : []).flatMap((item: Json, i) => {
    const where = `${at}[${i}]`;
    const key = `${textAt(item, 'effect')}/${textAt(item, 'key')}`;
    const errors = [...taint(item, where)];
    if (seen.has(key)) {
      const shown = goStruct(item, { Key: '', Value: '', Effect: '', TimeAdded: null });
      const detail = 'taints must be unique by key and effect pair';
      errors.push({ ...duplicateAt(where, null, detail), shown });
    }
    seen.add(key);
    return errors;
  });
};

/** core.NodeSpec; the server tells taints as if they were metadata. */
export const nodeSpec: Check = (spec, at) => {
  const ranges = listAt(spec, 'podCIDRs').map(String);
  const families = new Set(ranges.map((range) => range.includes(':')));
  const where = `${at}.podCIDRs`;
  const errors = [
    ...nonZero(taints)(objectAt(spec)['taints'], 'metadata.taints'),
    ...items(cidr)(objectAt(spec)['podCIDRs'], where),
  ];
  if (ranges.length > 1 && (families.size < 2 || ranges.length > 2)) {
    const detail = 'may specify no more than one CIDR for each IP family';
    errors.push(invalidAt(where, ranges, detail));
  }
  return errors;
};

const uniqueTolerations: Check = (value, at) => {
  const seen = new Set<string>();
  return (Array.isArray(value) ? value : []).flatMap((item: Json, i) => {
    const key = ['key', 'operator', 'value', 'effect'].map((part) => textAt(item, part)).join('\n');
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const shape = { Key: '', Operator: '', Value: '', Effect: '', TolerationSeconds: null };
    return [{ ...duplicateAt(`${at}[${i}]`, null), shown: goStruct(item, shape) }];
  });
};

/** node.RuntimeClass' parts beside its handler. */
export const runtimeClassParts: Check = fields({
  overhead: given((value, at) =>
    containerResources({ limits: objectAt(value)['podFixed'] ?? {} }, at),
  ),
  scheduling: fields({
    nodeSelector: labels,
    tolerations: (value, at) => [...tolerations(value, at), ...uniqueTolerations(value, at)],
  }),
});

/** policy.PodDisruptionBudgetSpec. */
export const disruptionBudgetSpec: Check = (spec, at) => {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = objectAt(spec);
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const shown = JSON.stringify({
      MinAvailable: minAvailable,
      Selector: selector ?? null,
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy ?? null,
    });
    const detail = 'minAvailable and maxUnavailable cannot be both set';
    errors.push({ ...invalidAt(at, spec ?? null, detail), shown });
  }
  const amount = given((value, where) => [
    ...countOrPercent(value, where),
    ...notOver100Percent(value, where),
  ]);
  return [
    ...errors,
    ...fields({
      minAvailable: amount,
      maxUnavailable: amount,
      selector: labelSelector,
      unhealthyPodEvictionPolicy: given(oneOf('AlwaysAllow', 'IfHealthyBudget')),
    })(spec, at),
  ];
};

/** coordination.LeaseSpec. */
export const leaseSpec: Check = (spec, at) => {
  const { preferredHolder, strategy } = objectAt(spec);
  const errors = [
    ...fields({
      leaseDurationSeconds: given(positive()),
      leaseTransitions: given(
        integer(0, Number.POSITIVE_INFINITY, 'must be greater than or equal to 0'),
      ),
    })(spec, at),
  ];
  if (!isZero(preferredHolder) && isZero(strategy)) {
    const detail = 'may only be specified if `strategy` is defined';
    errors.push(forbiddenAt(`${at}.preferredHolder`, detail));
  }
  return errors;
};
