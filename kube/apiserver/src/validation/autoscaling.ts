import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  pathSegmentProblems,
} from '@capstan/kube-object';
import { listAt, numberAt, objectAt, textAt } from '../json.ts';
import {
  type Check,
  fields,
  forbiddenAt,
  given,
  integer,
  invalidAt,
  items,
  oneOf,
  positive,
  required,
  requiredAt,
  text,
} from './checks.ts';
import { nonNegativeQuantity, quantityOf, showQuantity } from './common.ts';
import { containerResourceName } from './resources.ts';

const segment = required(text(pathSegmentProblems));

/** Which object is meant. Of the target an API group is asked for, a described object may be of the core group. */
function objectReference(needsGroup: boolean): Check {
  return (value, at) => {
    const version = textAt(value, 'apiVersion');
    const where = `${at}.apiVersion`;
    const slashes = version.split('/').length - 1;
    const errors = [...fields({ kind: segment, name: segment })(value, at)];
    if (slashes > 1) {
      errors.push(invalidAt(where, version, `unexpected GroupVersion string: ${version}`));
    } else if (needsGroup && (slashes === 0 || version.startsWith('/'))) {
      errors.push(invalidAt(where, version, 'apiVersion must specify API group'));
    }
    return errors;
  };
}

const positiveAmount: Check = given((value, at) =>
  quantityOf(value).nanos > 0n ? [] : [invalidAt(at, showQuantity(value), 'must be positive')],
);

const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue'];

const target: Check = (value, at) => {
  const type = textAt(value, 'type');
  const where = `${at}.type`;
  const errors: FieldError[] = [];
  if (type === '') errors.push(requiredAt(where, 'must specify a metric target type'));
  if (!TARGET_TYPES.includes(type)) {
    const detail = 'must be either Utilization, Value, or AverageValue';
    errors.push(invalidAt(where, type, detail));
  }
  return [
    ...errors,
    ...fields({
      value: positiveAmount,
      averageValue: positiveAmount,
      averageUtilization: given(positive()),
    })(value, at),
  ];
};

const metric = fields({
  name: required(text(pathSegmentProblems), 'must specify a metric name'),
});

/** Which of two fields of the target must be given, and whether both may be. */
function targetFields(
  keys: readonly [string, string],
  missing: string,
  both?: string,
): (source: Json | undefined, at: string) => FieldError[] {
  return (source, at) => {
    const [first, second] = keys;
    const found = objectAt(source, 'target');
    if (found[first] === undefined && found[second] === undefined) {
      return [requiredAt(`${at}.target.${first}`, missing)];
    }
    if (both === undefined || found[first] === undefined || found[second] === undefined) return [];
    return [forbiddenAt(`${at}.target.${second}`, both)];
  };
}

const utilization = targetFields(
  ['averageUtilization', 'averageValue'],
  'must set either a target raw value or a target utilization',
  'may not set both a target raw value and a target utilization',
);
const perPod = targetFields(
  ['averageValue', 'averageValue'],
  'must specify a positive target averageValue',
);
const ofObject = targetFields(
  ['averageValue', 'value'],
  'must set either a target value or averageValue',
);
const external = targetFields(
  ['averageValue', 'value'],
  'must set either a target value for metric or a per-pod target',
  'may not set both a target value for metric and a per-pod target',
);

type Source = (value: Json | undefined, at: string) => readonly FieldError[];

/** Kinds of metric, by the field that holds them, in the order of the server's checks. */
const SOURCES: Readonly<Record<string, Source>> = {
  object: (value, at) => [
    ...fields({ describedObject: objectReference(false), metric, target })(value, at),
    ...ofObject(value, at),
  ],
  external: (value, at) => [...fields({ metric, target })(value, at), ...external(value, at)],
  pods: (value, at) => [...fields({ metric, target })(value, at), ...perPod(value, at)],
  resource: (value, at) => [
    ...fields({ name: required(undefined, 'must specify a resource name'), target })(value, at),
    ...utilization(value, at),
  ],
  containerResource: (value, at) => [
    ...fields({
      name: required(containerResourceName, 'must specify a resource name'),
      container: required(text(dnsLabelProblems), 'must specify a container'),
      target,
    })(value, at),
    ...utilization(value, at),
  ],
};

const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];

const metricSpec: Check = (value, at) => {
  const type = textAt(value, 'type');
  const own = type.charAt(0).toLowerCase() + type.slice(1);
  const present = Object.keys(SOURCES).filter((key) => objectAt(value)[key] !== undefined);
  const typeErrors = oneOf(...METRIC_TYPES)(type, `${at}.type`);
  const errors: FieldError[] = [];
  if (type === '') errors.push(requiredAt(`${at}.type`, 'must specify a metric source type'));
  errors.push(...typeErrors);
  for (const key of present.slice(0, 1)) {
    errors.push(...(SOURCES[key]?.(objectAt(value)[key], `${at}.${key}`) ?? []));
  }
  if (typeErrors.length > 0) errors.push(...typeErrors);
  else if (!present.includes(own)) {
    const detail = 'must populate information for the given metric source';
    errors.push(requiredAt(`${at}.${own}`, detail));
  }
  if (present.length === 1) return errors;
  return [
    ...errors,
    ...present
      .filter((key) => key !== own)
      .map((key) => forbiddenAt(`${at}.${key}`, 'must populate the given metric source only')),
  ];
};

const WINDOW_SECONDS_MAX = 3600;
const PERIOD_SECONDS_MAX = 1800;

const window: Check = given((value, at) => {
  const seconds = Number(value);
  if (seconds < 0) {
    return [invalidAt(at, seconds, 'must be greater than or equal to zero')];
  }
  if (seconds <= WINDOW_SECONDS_MAX) return [];
  return [invalidAt(at, seconds, `must be less than or equal to ${WINDOW_SECONDS_MAX}`)];
});

const scalingRules: Check = given(
  fields({
    stabilizationWindowSeconds: window,
    selectPolicy: given(oneOf('Disabled', 'Max', 'Min')),
    policies: required(
      items(
        fields({
          type: oneOf('Percent', 'Pods'),
          value: positive('must be greater than zero'),
          periodSeconds: (value, at) => [
            ...positive('must be greater than zero')(value, at),
            ...integer(
              Number.NEGATIVE_INFINITY,
              PERIOD_SECONDS_MAX,
              `must be less than or equal to ${PERIOD_SECONDS_MAX}`,
            )(value, at),
          ],
        }),
      ),
      'must specify at least one Policy',
    ),
    tolerance: given(nonNegativeQuantity),
  }),
);

/** autoscaling.HorizontalPodAutoscalerSpec. */
export const autoscalerSpec: Check = (spec, at) => {
  const minimum = numberAt(spec, 'minReplicas');
  const maximum = numberAt(spec, 'maxReplicas') ?? 0;
  const where = `${at}.maxReplicas`;
  const errors: FieldError[] = [];
  if (minimum !== undefined && minimum < 1) {
    const detail = 'must be greater than or equal to 1';
    errors.push(invalidAt(`${at}.minReplicas`, minimum, detail));
  }
  if (maximum === 0) errors.push(requiredAt(where, 'must be set and greater than 0'));
  else if (maximum < 0) {
    errors.push(invalidAt(where, maximum, 'must be greater than or equal to 1'));
  }
  if (minimum !== undefined && maximum < minimum) {
    errors.push(invalidAt(where, maximum, 'must be greater than or equal to `minReplicas`'));
  }
  errors.push(
    ...fields({ scaleTargetRef: objectReference(true), metrics: items(metricSpec) })(spec, at),
  );
  const types = listAt(spec, 'metrics').map((item) => textAt(item, 'type'));
  if (minimum === 0 && !types.includes('Object') && !types.includes('External')) {
    const detail =
      'must specify at least one Object or External metric to support scaling to zero replicas';
    errors.push(forbiddenAt(`${at}.metrics`, detail));
  }
  return [
    ...errors,
    ...fields({ behavior: fields({ scaleUp: scalingRules, scaleDown: scalingRules }) })(spec, at),
  ];
};
