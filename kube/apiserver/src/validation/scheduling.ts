import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  labelValueProblems,
  subdomainProblems,
} from '@capstan/kube-object';
import { isObject, listAt, objectAt, textAt } from '../json.ts';
import {
  all,
  type Check,
  duplicateAt,
  fields,
  forbiddenAt,
  given,
  integer,
  invalidAt,
  isZero,
  items,
  nonZero,
  notSupportedAt,
  oneOf,
  positive,
  required,
  requiredAt,
  text,
} from './checks.ts';
import { labelKey, labelSelector } from './common.ts';

const NOT_AN_OPERATOR = 'not a valid selector operator';

const nodeRequirement: Check = (value, at) => {
  const { key, values } = objectAt(value);
  const operator = textAt(value, 'operator');
  const count = listAt(value, 'values').length;
  const errors: FieldError[] = [];
  if (operator === 'In' || operator === 'NotIn') {
    if (count === 0) {
      errors.push(
        requiredAt(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"),
      );
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (count > 0) {
      errors.push(
        forbiddenAt(
          `${at}.values`,
          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        ),
      );
    }
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (count !== 1) {
      errors.push(
        requiredAt(
          `${at}.values`,
          "must be specified single value when `operator` is 'Lt' or 'Gt'",
        ),
      );
    }
  } else errors.push(invalidAt(`${at}.operator`, operator, NOT_AN_OPERATOR));
  return [
    ...errors,
    ...labelKey(key, `${at}.key`),
    ...items(text(labelValueProblems))(values, `${at}.values`),
  ];
};

const nodeFieldRequirement: Check = (value, at) => {
  const { key, values } = objectAt(value);
  const operator = textAt(value, 'operator');
  const errors: FieldError[] = [];
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(invalidAt(`${at}.operator`, operator, NOT_AN_OPERATOR));
  } else if (listAt(value, 'values').length !== 1) {
    errors.push(
      requiredAt(
        `${at}.values`,
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      ),
    );
  }
  if (key !== 'metadata.name') {
    errors.push(invalidAt(`${at}.key`, key ?? '', 'not a valid field selector key'));
    return errors;
  }
  return [...errors, ...items(text(subdomainProblems))(values, `${at}.values`)];
};

const nodeSelectorTerm = fields({
  matchExpressions: items(nodeRequirement),
  matchFields: items(nodeFieldRequirement),
});

/** core.NodeSelector. */
export const nodeSelector = fields({
  nodeSelectorTerms: required(items(nodeSelectorTerm), 'must have at least one node selector term'),
});

const weight = integer(1, 100, 'must be in the range 1-100');

const labelKeys =
  (selector: Json | undefined): Check =>
  (value, at) => {
    if (isZero(value)) return [];
    if (selector === undefined || selector === null) {
      return [forbiddenAt(at, 'must not be specified when labelSelector is not set')];
    }
    return items(labelKey)(value, at);
  };

const affinityTerm: Check = (value, at) => {
  const {
    labelSelector: selector,
    matchLabelKeys,
    mismatchLabelKeys,
    topologyKey,
  } = objectAt(value);
  const namespaces = listAt(value, 'namespaces');
  const mismatched = new Set(listAt(value, 'mismatchLabelKeys'));
  return [
    ...fields({ labelSelector, namespaceSelector: labelSelector })(value, at),
    ...namespaces.flatMap((name) => text(dnsLabelProblems)(name, `${at}.namespace`)),
    ...labelKeys(selector)(matchLabelKeys, `${at}.matchLabelKeys`),
    ...labelKeys(selector)(mismatchLabelKeys, `${at}.mismatchLabelKeys`),
    ...listAt(value, 'matchLabelKeys').flatMap((key, i) =>
      mismatched.has(key)
        ? [
            invalidAt(
              `${at}.matchLabelKeys[${i}]`,
              key,
              'exists in both matchLabelKeys and mismatchLabelKeys',
            ),
          ]
        : [],
    ),
    ...required(undefined, 'can not be empty')(topologyKey, `${at}.topologyKey`),
    ...labelKey(topologyKey, `${at}.topologyKey`),
  ];
};

const podAffinity = fields({
  requiredDuringSchedulingIgnoredDuringExecution: items(affinityTerm),
  preferredDuringSchedulingIgnoredDuringExecution: items(
    fields({ weight, podAffinityTerm: affinityTerm }),
  ),
});

export const affinity = fields({
  nodeAffinity: fields({
    requiredDuringSchedulingIgnoredDuringExecution: given(nodeSelector),
    preferredDuringSchedulingIgnoredDuringExecution: items(
      fields({ weight, preference: nodeSelectorTerm }),
    ),
  }),
  podAffinity,
  podAntiAffinity: podAffinity,
});

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

const toleration: Check = (value, at) => {
  const { tolerationSeconds } = objectAt(value);
  const key = textAt(value, 'key');
  const operator = textAt(value, 'operator');
  const effect = textAt(value, 'effect');
  const tolerated = textAt(value, 'value');
  const errors: FieldError[] = [];
  if (key === '' && operator !== 'Exists') {
    const detail =
      'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalidAt(`${at}.operator`, operator, detail));
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.push(invalidAt(`${at}.effect`, effect, detail));
  }
  if (operator === 'Equal' || operator === '') {
    const problems = labelValueProblems(tolerated);
    if (problems.length > 0)
      errors.push(invalidAt(`${at}.operator`, tolerated, problems.join(';')));
  } else if (operator === 'Exists') {
    if (tolerated !== '') {
      const detail = "value must be empty when `operator` is 'Exists'";
      errors.push(invalidAt(`${at}.operator`, tolerated, detail));
    }
  } else errors.push(...unknownOperator(operator, `${at}.operator`));
  return [
    ...nonZero(labelKey)(key, `${at}.key`),
    ...errors,
    ...nonZero(oneOf(...TAINT_EFFECTS))(effect, `${at}.effect`),
  ];
};

/** Numeric comparison is known, but switched off by default. */
function unknownOperator(operator: string, at: string): readonly FieldError[] {
  const isComparison = operator === 'Lt' || operator === 'Gt';
  const listed = isComparison ? '"Equal", "Exists", "Lt", "Gt"' : '"Equal", "Exists"';
  return [notSupportedAt(at, operator, `supported values: ${listed}`)];
}

export const tolerations = items(toleration);

const spreadConstraint: Check = (value, at) => {
  const { minDomains, labelSelector: selector, matchLabelKeys } = objectAt(value);
  const action = textAt(value, 'whenUnsatisfiable');
  const errors: FieldError[] = [];
  if (minDomains !== undefined) {
    errors.push(...positive('must be greater than zero')(minDomains, `${at}.minDomains`));
    if (action !== 'DoNotSchedule') {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
      errors.push(invalidAt(`${at}.minDomains`, minDomains, detail));
    }
  }
  return [
    ...fields({
      maxSkew: positive('must be greater than zero'),
      topologyKey: required(undefined, 'can not be empty'),
      whenUnsatisfiable: oneOf('DoNotSchedule', 'ScheduleAnyway'),
    })(value, at),
    ...errors,
    ...fields({
      nodeAffinityPolicy: given(oneOf('Honor', 'Ignore')),
      nodeTaintsPolicy: given(oneOf('Honor', 'Ignore')),
    })(value, at),
    ...labelKeys(selector)(matchLabelKeys, `${at}.matchLabelKeys`),
    ...labelSelector(selector, `${at}.labelSelector`),
  ];
};

/** The earlier of two equal constraints is the one that the server names. */
const unrepeated: Check = (value, at) => {
  const keys = (Array.isArray(value) ? value : []).map((item: Json) =>
    isObject(item) ? `{${textAt(item, 'topologyKey')}, ${textAt(item, 'whenUnsatisfiable')}}` : '',
  );
  return keys.flatMap((key: string, i: number) =>
    keys.indexOf(key, i + 1) < 0
      ? []
      : [duplicateAt(`${at}[${i}].{topologyKey, whenUnsatisfiable}`, key)],
  );
};

export const topologySpread = all(items(spreadConstraint), unrepeated);
