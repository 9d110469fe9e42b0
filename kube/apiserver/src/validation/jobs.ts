import { type FieldError, type Json, supportedValues } from '@capstan/kube-object';
import { flagAt, givenAt, listAt, numberAt, objectAt, textAt, valueAt } from '../json.ts';
import { fromSelectorObject, matchesLabels } from '../selectors.ts';
import {
  type Check,
  duplicateAt,
  fields,
  given,
  invalidAt,
  items,
  nonNegative,
  notSupportedAt,
  oneOf,
  required,
  requiredAt,
} from './checks.ts';
import { domainPath, labelKey, labelSelector, showSelector } from './common.ts';
import { scheduleProblem } from './cron.ts';
import { podTemplate } from './pod-spec.ts';

const PARALLELISM_MAX = 100_000;
const MANAGED_BY_BYTES_MAX = 63;
const MODE_NEEDED = 'requires indexed completion mode';

const managedBy: Check = given((value, at) => {
  const name = String(value);
  const errors: FieldError[] = [];
  errors.push(...domainPath(name, at));
  if (name.length > MANAGED_BY_BYTES_MAX) {
    const detail = `may not be more than ${MANAGED_BY_BYTES_MAX} bytes`;
    errors.push({ reason: 'FieldValueTooLong', field: at, detail });
  }
  return errors;
});

const counts = fields({
  parallelism: nonNegative,
  completions: nonNegative,
  activeDeadlineSeconds: nonNegative,
  backoffLimit: nonNegative,
  ttlSecondsAfterFinished: nonNegative,
  backoffLimitPerIndex: nonNegative,
  maxFailedIndexes: nonNegative,
});

function indexErrors(spec: Json | undefined, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const mode = textAt(spec, 'completionMode');
  const completions = numberAt(spec, 'completions');
  const maxFailed = numberAt(spec, 'maxFailedIndexes');
  const perIndex = numberAt(spec, 'backoffLimitPerIndex');
  const parallelism = numberAt(spec, 'parallelism');
  if (maxFailed !== undefined && perIndex === undefined) {
    errors.push(requiredAt(`${at}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  errors.push(...managedBy(objectAt(spec)['managedBy'], `${at}.managedBy`));
  errors.push(
    ...given(oneOf('NonIndexed', 'Indexed'))(
      objectAt(spec)['completionMode'],
      `${at}.completionMode`,
    ),
  );
  if (mode === 'NonIndexed') {
    for (const [key, value] of [
      ['backoffLimitPerIndex', perIndex],
      ['maxFailedIndexes', maxFailed],
    ] as const) {
      if (value !== undefined) errors.push(invalidAt(`${at}.${key}`, value, MODE_NEEDED));
    }
  }
  if (mode !== 'Indexed') return errors;
  if (completions === undefined) {
    errors.push(requiredAt(`${at}.completions`, 'when completion mode is Indexed'));
  }
  if (parallelism !== undefined && parallelism > PARALLELISM_MAX) {
    const detail = `must be less than or equal to ${PARALLELISM_MAX} when completion mode is Indexed`;
    errors.push(invalidAt(`${at}.parallelism`, parallelism, detail));
  }
  if (maxFailed !== undefined && completions !== undefined && maxFailed > completions) {
    errors.push(
      invalidAt(`${at}.maxFailedIndexes`, maxFailed, 'must be less than or equal to completions'),
    );
  }
  if (maxFailed !== undefined && maxFailed > PARALLELISM_MAX) {
    const detail = `must be less than or equal to ${PARALLELISM_MAX}`;
    errors.push(invalidAt(`${at}.maxFailedIndexes`, maxFailed, detail));
  }
  return errors;
}

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const listed = (values: readonly string[]): string =>
  `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`;

function oneOfOrMissing(...values: readonly string[]): Check {
  return required(oneOf(...values), listed(values));
}

function exitCodeErrors(value: Json, at: string, containers: ReadonlySet<string>): FieldError[] {
  const { operator, containerName, values } = objectAt(value);
  const errors: FieldError[] = [...oneOfOrMissing('In', 'NotIn')(operator, `${at}.operator`)];
  if (typeof containerName === 'string' && !containers.has(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalidAt(`${at}.containerName`, containerName, detail));
  }
  const codes = listAt(value, 'values').map(Number);
  if (codes.length === 0) {
    errors.push(invalidAt(`${at}.values`, values ?? null, 'at least one value is required'));
  }
  const seen = new Set<number>();
  for (const [i, code] of codes.entries()) {
    if (operator === 'In' && code === 0) {
      errors.push(invalidAt(`${at}.values[${i}]`, code, 'must not be 0 for the In operator'));
    }
    if (seen.has(code)) errors.push(duplicateAt(`${at}.values[${i}]`, code));
    seen.add(code);
  }
  if (codes.some((code, i) => i > 0 && (codes[i - 1] ?? 0) > code)) {
    errors.push(invalidAt(`${at}.values`, values, 'must be ordered'));
  }
  return errors;
}

const podCondition = fields({
  type: labelKey,
  status: oneOfOrMissing('False', 'True', 'Unknown'),
});

function failurePolicyErrors(spec: Json | undefined, at: string): FieldError[] {
  const containers = new Set(
    ['containers', 'initContainers'].flatMap((key) =>
      listAt(spec, 'template', 'spec', key).map((container) => textAt(container, 'name')),
    ),
  );
  return listAt(spec, 'podFailurePolicy', 'rules').flatMap((rule, i) => {
    const where = `${at}.rules[${i}]`;
    const { action, onExitCodes } = objectAt(rule);
    const conditions = listAt(rule, 'onPodConditions');
    const errors: FieldError[] = [...oneOfOrMissing(...ACTIONS)(action, `${where}.action`)];
    if (action === 'FailIndex' && valueAt(spec, 'backoffLimitPerIndex') === undefined) {
      const detail = 'requires the backoffLimitPerIndex to be set';
      errors.push(invalidAt(`${where}.action`, action, detail));
    }
    if (onExitCodes !== undefined) {
      errors.push(...exitCodeErrors(onExitCodes, `${where}.onExitCodes`, containers));
    }
    errors.push(...items(podCondition)([...conditions], `${where}.onPodConditions`));
    const both = onExitCodes !== undefined && conditions.length > 0;
    if (both || (onExitCodes === undefined && conditions.length === 0)) {
      const detail = both
        ? 'specifying both OnExitCodes and OnPodConditions is not supported'
        : 'specifying one of OnExitCodes and OnPodConditions is required';
      errors.push(invalidAt(where, undefined, detail));
    }
    return errors;
  });
}

const INTEGER = /^[+-]?\d+$/;

/** `0-2,5`: how many indexes that is, or what is wrong with it. */
function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let total = 0;
  let last: number | undefined;
  for (const interval of text.split(',')) {
    const limits = interval.split('-');
    if (limits.length > 2) {
      return `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    }
    for (const limit of limits) {
      if (!INTEGER.test(limit)) {
        return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
      }
      if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`;
    }
    const [from = 0, to = from] = limits.map(Number);
    if (limits.length === 2 && from >= to) {
      return `non-increasing order, previous: ${from}, current: ${to}`;
    }
    if (last !== undefined && last >= from) {
      return `non-increasing order, previous: ${last}, current: ${from}`;
    }
    total += to - from + 1;
    last = to;
  }
  return total;
}

function successPolicyErrors(spec: Json | undefined, at: string): FieldError[] {
  const policy = objectAt(spec)['successPolicy'];
  const rules = listAt(policy, 'rules');
  if (textAt(spec, 'completionMode') !== 'Indexed') {
    const shown = `{"Rules":[${rules.map((rule) => `{"SucceededIndexes":${JSON.stringify(objectAt(rule)['succeededIndexes'] ?? null)},"SucceededCount":${JSON.stringify(objectAt(rule)['succeededCount'] ?? null)}}`).join(',')}]}`;
    return [{ ...invalidAt(at, policy ?? null, MODE_NEEDED), shown }];
  }
  if (rules.length === 0) {
    const detail = 'at least one rules must be specified when the successPolicy is specified';
    return [requiredAt(`${at}.rules`, detail)];
  }
  const completions = numberAt(spec, 'completions') ?? 0;
  return rules.flatMap((rule, i) => successRuleErrors(rule, `${at}.rules[${i}]`, completions));
}

function successRuleErrors(rule: Json, at: string, completions: number): FieldError[] {
  const { succeededIndexes, succeededCount } = objectAt(rule);
  const errors: FieldError[] = [];
  if (succeededIndexes === undefined && succeededCount === undefined) {
    const detail = 'at least one of succeededCount or succeededIndexes must be specified';
    return [requiredAt(at, detail)];
  }
  let total = 0;
  if (typeof succeededIndexes === 'string') {
    const counted = countIndexes(succeededIndexes, completions);
    if (typeof counted === 'string') {
      const detail = `error parsing succeededIndexes: ${counted}`;
      errors.push(invalidAt(`${at}.succeededIndexes`, succeededIndexes, detail));
    } else total = counted;
  }
  if (succeededCount === undefined) return errors;
  const where = `${at}.succeededCount`;
  const count = Number(succeededCount);
  errors.push(...nonNegative(succeededCount, where));
  const atMost = (limit: number, what: string): void => {
    const detail = `must be less than or equal to ${limit} (the number of ${what})`;
    if (count > limit) errors.push(invalidAt(where, count, detail));
  };
  atMost(completions, 'specified completions');
  if (succeededIndexes !== undefined) {
    atMost(total, 'indexes in the specified succeededIndexes field');
  }
  return errors;
}

function restartErrors(spec: Json | undefined, at: string): FieldError[] {
  const policy = textAt(spec, 'template', 'spec', 'restartPolicy');
  const where = `${at}.template.spec.restartPolicy`;
  if (policy === 'Always' || policy === '') {
    return [requiredAt(where, 'valid values: "OnFailure", "Never"')];
  }
  if (policy !== 'OnFailure' && policy !== 'Never') {
    return [notSupportedAt(where, policy, supportedValues(['OnFailure', 'Never']))];
  }
  if (policy === 'Never' || objectAt(spec)['podFailurePolicy'] === undefined) return [];
  const detail = 'only "Never" is supported when podFailurePolicy is specified';
  return [invalidAt(where, policy, detail)];
}

/** A job's spec wherever it stands: without its selector. */
const jobTemplateSpec: Check = (spec, at) => {
  const { podFailurePolicy, successPolicy, podReplacementPolicy, template } = objectAt(spec);
  const replacement =
    podFailurePolicy === undefined ? oneOf('Failed', 'TerminatingOrFailed') : oneOf('Failed');
  return [
    ...counts(spec, at),
    ...indexErrors(spec, at),
    ...(podFailurePolicy === undefined ? [] : failurePolicyErrors(spec, `${at}.podFailurePolicy`)),
    ...(successPolicy === undefined ? [] : successPolicyErrors(spec, `${at}.successPolicy`)),
    ...given(replacement)(podReplacementPolicy, `${at}.podReplacementPolicy`),
    ...podTemplate(template, `${at}.template`),
    ...restartErrors(spec, at),
  ];
};

/** batch.JobSpec. */
export const jobSpec: Check = (spec, at) => {
  const { selector } = objectAt(spec);
  const errors: FieldError[] = [...jobTemplateSpec(spec, at)];
  if (selector === undefined) errors.push(requiredAt(`${at}.selector`));
  else errors.push(...labelSelector(selector, `${at}.selector`));
  // No selector selects nothing.
  const requirements = selector === undefined ? undefined : fromSelectorObject(selector);
  const found = objectAt(spec, 'template', 'metadata', 'labels');
  const isUnread = selector !== undefined && requirements === undefined;
  if (!isUnread && (requirements === undefined || !matchesLabels(requirements, found))) {
    const detail = '`selector` does not match template `labels`';
    const shown = givenAt(spec, 'template', 'metadata', 'labels') ?? null;
    errors.push(invalidAt(`${at}.template.metadata.labels`, shown, detail));
  }
  return errors;
};

/** Europe/Paris: what the tz database could name; that it does is asked of this machine's own. */
const timeZone: Check = given((value, at) => {
  const zone = String(value);
  if (zone === '') return [invalidAt(at, zone, 'timeZone must be nil or non-empty string')];
  const parts = zone.split('/');
  const isName = parts.every(
    (part) => part !== '.' && part !== '..' && /^(?!-)[A-Za-z._0-9+-]{1,14}$/.test(part),
  );
  if (!isName || !isKnownZone(zone)) return [invalidAt(at, zone, `unknown time zone ${zone}`)];
  if (zone.toLowerCase() !== 'local') return [];
  const detail =
    'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
  return [invalidAt(at, zone, detail)];
});

/** Names are files for the real server, so their case counts. */
function isKnownZone(zone: string): boolean {
  if (zone === 'Local' || zone === 'UTC') return true;
  try {
    const { timeZone: resolved } = new Intl.DateTimeFormat('en', {
      timeZone: zone,
    }).resolvedOptions();
    return resolved === zone || resolved.toLowerCase() !== zone.toLowerCase();
  } catch {
    return false;
  }
}

/** batch.CronJobSpec; `oldZone` is what an existing one has, which is not looked at again. */
export function cronJobSpec(old?: Json): Check {
  return (spec, at) => {
    const schedule = textAt(spec, 'schedule');
    const where = `${at}.schedule`;
    const errors: FieldError[] = [];
    if (schedule === '') errors.push(requiredAt(where));
    else {
      const problem = scheduleProblem(schedule);
      if (problem !== undefined) errors.push(invalidAt(where, schedule, problem));
      if (schedule.includes('TZ')) {
        const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
        errors.push(invalidAt(where, schedule, detail));
      }
    }
    const job = valueAt(spec, 'jobTemplate', 'spec');
    const jobAt = `${at}.jobTemplate.spec`;
    const isSameZone =
      old !== undefined && objectAt(old)['timeZone'] === objectAt(spec)['timeZone'];
    errors.push(
      ...fields({
        startingDeadlineSeconds: nonNegative,
        timeZone: isSameZone ? () => [] : timeZone,
        concurrencyPolicy: required(oneOf('Allow', 'Forbid', 'Replace')),
      })(spec, at),
      ...jobTemplateSpec(job, jobAt),
    );
    const { selector } = objectAt(job);
    if (selector !== undefined) {
      const detail = '`selector` will be auto-generated';
      errors.push({
        ...invalidAt(`${jobAt}.selector`, selector, detail),
        shown: showSelector(selector),
      });
    }
    if (flagAt(job, 'manualSelector')) {
      const detail = supportedValues(['nil', 'false']);
      errors.push(notSupportedAt(`${jobAt}.manualSelector`, true, detail));
    }
    return [
      ...errors,
      ...fields({ successfulJobsHistoryLimit: nonNegative, failedJobsHistoryLimit: nonNegative })(
        spec,
        at,
      ),
    ];
  };
}
