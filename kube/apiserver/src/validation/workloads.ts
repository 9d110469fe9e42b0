import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  supportedValues,
} from '@capstan/kube-object';
import { givenAt, listAt, numberAt, objectAt, textAt, valueAt } from '../json.ts';
import { fromSelectorObject, matchesLabels } from '../selectors.ts';
import {
  type Check,
  fields,
  forbiddenAt,
  given,
  goStruct,
  invalidAt,
  nonNegative,
  nonZero,
  notSupportedAt,
  oneOf,
  required,
  requiredAt,
  text,
} from './checks.ts';
import { claimSpec } from './claims.ts';
import {
  annotations,
  countOrPercent,
  labelSelector,
  labels,
  notOver100Percent,
  showSelector,
} from './common.ts';
import { podTemplate } from './pod-spec.ts';

/** What of a template is looked at twice: once for the owner, once as a template. */
function templateMetadataErrors(spec: Json | undefined, at: string): readonly FieldError[] {
  const metadata = objectAt(spec, 'template', 'metadata');
  return [
    ...labels(metadata['labels'], `${at}.template.labels`),
    ...annotations(metadata['annotations'], `${at}.template.annotations`),
  ];
}

function labelsDiffer(spec: Json | undefined, at: string): FieldError {
  const found = givenAt(spec, 'template', 'metadata', 'labels') ?? null;
  return invalidAt(
    `${at}.template.metadata.labels`,
    found,
    '`selector` does not match template `labels`',
  );
}

/** Pods of a controller run for ever. */
function alwaysRunning(kind: string, spec: Json | undefined, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const where = `${at}.template.spec`;
  const policy = textAt(spec, 'template', 'spec', 'restartPolicy');
  if (policy !== 'Always') {
    errors.push(notSupportedAt(`${where}.restartPolicy`, policy, 'supported values: "Always"'));
  }
  if (valueAt(spec, 'template', 'spec', 'activeDeadlineSeconds') !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbiddenAt(`${where}.activeDeadlineSeconds`, detail));
  }
  return errors;
}

interface SelectorRules {
  readonly kind: string;
  /** What is told, beside the exact problem, of a selector that cannot be read; undefined: nothing. */
  readonly unreadable: string | undefined;
  readonly isRequired: boolean;
}

/** A selector, and whether the template's labels are of those that it selects. */
function selectorErrors(
  spec: Json | undefined,
  at: string,
  { kind, unreadable, isRequired }: SelectorRules,
): { readonly errors: FieldError[]; readonly isReadable: boolean; readonly matches: boolean } {
  const selector = objectAt(spec)['selector'] ?? undefined;
  const where = `${at}.selector`;
  if (selector === undefined) {
    return { errors: isRequired ? [requiredAt(where)] : [], isReadable: true, matches: false };
  }
  const errors: FieldError[] = [...labelSelector(selector, where)];
  const shown = showSelector(selector);
  const { matchLabels, matchExpressions } = objectAt(selector);
  const isEmpty =
    Object.keys(objectAt(matchLabels)).length === 0 &&
    (!Array.isArray(matchExpressions) || matchExpressions.length === 0);
  if (isEmpty) {
    // The original speaks of a deployment here too.
    const named = kind === 'ReplicaSet' ? 'deployment' : kind.toLowerCase();
    const detail = `empty selector is invalid for ${named}`;
    errors.push({ ...invalidAt(where, selector, detail), shown });
  }
  const requirements = errors.length > 0 && !isEmpty ? undefined : fromSelectorObject(selector);
  if (requirements === undefined) {
    if (unreadable !== undefined) {
      errors.push({ ...invalidAt(where, selector, unreadable), shown });
    }
    return { errors, isReadable: false, matches: true };
  }
  const found = objectAt(spec, 'template', 'metadata', 'labels');
  return { errors, isReadable: true, matches: isEmpty || matchesLabels(requirements, found) };
}

const percentOf = (value: Json | undefined): number =>
  typeof value === 'string' ? Number.parseInt(value, 10) || 0 : Number(value ?? 0);

const deploymentStrategy: Check = (value, at) => {
  const type = textAt(value, 'type');
  const rolling = objectAt(value)['rollingUpdate'];
  if (type === 'Recreate') {
    if (rolling === undefined) return [];
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    return [forbiddenAt(`${at}.rollingUpdate`, detail)];
  }
  if (type !== 'RollingUpdate') {
    const shown = showStrategy(value, { MaxUnavailable: 0, MaxSurge: 0 });
    const detail = supportedValues(['Recreate', 'RollingUpdate']);
    return [{ ...notSupportedAt(at, value ?? null, detail), shown }];
  }
  const { maxUnavailable, maxSurge } = objectAt(rolling);
  const where = `${at}.rollingUpdate`;
  const errors: FieldError[] = [
    ...countOrPercent(maxUnavailable, `${where}.maxUnavailable`),
    ...countOrPercent(maxSurge, `${where}.maxSurge`),
  ];
  if (percentOf(maxUnavailable) === 0 && percentOf(maxSurge) === 0) {
    const detail = 'may not be 0 when `maxSurge` is 0';
    errors.push(invalidAt(`${where}.maxUnavailable`, maxUnavailable ?? 0, detail));
  }
  return [...errors, ...notOver100Percent(maxUnavailable, `${where}.maxUnavailable`)];
};

function showStrategy(value: Json | undefined, rolling: Readonly<Record<string, Json>>): string {
  const given = objectAt(value)['rollingUpdate'];
  const shown = given === undefined ? 'null' : goStruct(given, rolling);
  return `{"Type":${JSON.stringify(textAt(value, 'type'))},"RollingUpdate":${shown}}`;
}

/** apps.DeploymentSpec. */
export const deploymentSpec: Check = (spec, at) => {
  const rules = { kind: 'Deployment', unreadable: 'invalid label selector', isRequired: true };
  const selector = selectorErrors(spec, at, rules);
  const { progressDeadlineSeconds } = objectAt(spec);
  const progress = numberAt(spec, 'progressDeadlineSeconds');
  const minReady = numberAt(spec, 'minReadySeconds') ?? 0;
  return [
    ...fields({ replicas: nonNegative })(spec, at),
    ...selector.errors,
    ...(selector.isReadable ? replicaTemplate(spec, at, { ...rules, ...selector }) : []),
    ...fields({
      strategy: deploymentStrategy,
      minReadySeconds: nonNegative,
      revisionHistoryLimit: nonNegative,
    })(spec, at),
    ...given(nonNegative)(progressDeadlineSeconds, `${at}.progressDeadlineSeconds`),
    ...(progress !== undefined && progress <= minReady
      ? [
          invalidAt(
            `${at}.progressDeadlineSeconds`,
            progress,
            'must be greater than minReadySeconds',
          ),
        ]
      : []),
  ];
};

function replicaTemplate(
  spec: Json | undefined,
  at: string,
  selector: { readonly matches: boolean },
): FieldError[] {
  return [
    ...(selector.matches ? [] : [labelsDiffer(spec, at)]),
    ...podTemplate(objectAt(spec)['template'], `${at}.template`),
    ...alwaysRunning('ReplicaSet', spec, at),
  ];
}

/** apps.ReplicaSetSpec. */
export const replicaSetSpec: Check = (spec, at) => {
  const rules = { kind: 'ReplicaSet', unreadable: 'invalid label selector', isRequired: true };
  const selector = selectorErrors(spec, at, rules);
  return [
    ...fields({ replicas: nonNegative, minReadySeconds: nonNegative })(spec, at),
    ...selector.errors,
    ...(selector.isReadable ? replicaTemplate(spec, at, selector) : []),
  ];
};

const daemonStrategy: Check = (value, at) => {
  const type = textAt(value, 'type');
  if (type === 'OnDelete') return [];
  if (type !== 'RollingUpdate') {
    const shown = showStrategy(value, { MaxUnavailable: 0, MaxSurge: 0 });
    const detail = supportedValues(['RollingUpdate', 'OnDelete']);
    return [{ ...notSupportedAt(at, value ?? null, detail), shown }];
  }
  const where = `${at}.rollingUpdate`;
  const { maxUnavailable, maxSurge } = objectAt(value, 'rollingUpdate');
  const errors: FieldError[] = [
    ...countOrPercent(maxUnavailable, `${where}.maxUnavailable`),
    ...countOrPercent(maxSurge, `${where}.maxSurge`),
    ...notOver100Percent(maxUnavailable, `${where}.maxUnavailable`),
    ...notOver100Percent(maxSurge, `${where}.maxSurge`),
  ];
  const hasUnavailable = percentOf(maxUnavailable) !== 0;
  const hasSurge = percentOf(maxSurge) !== 0;
  if (hasUnavailable && hasSurge) {
    const detail = 'may not be set when maxUnavailable is non-zero';
    errors.push(invalidAt(`${where}.maxSurge`, maxSurge ?? 0, detail));
  } else if (!hasUnavailable && !hasSurge) {
    errors.push(requiredAt(`${where}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
  return errors;
};

/** apps.DaemonSetSpec. */
export const daemonSetSpec: Check = (spec, at) => {
  const rules = { kind: 'DaemonSet', unreadable: undefined, isRequired: false };
  const { errors, isReadable, matches } = selectorErrors(spec, at, rules);
  const own = errors.filter(({ field }) => field === `${at}.selector`);
  return [
    ...errors.filter((error) => !own.includes(error)),
    ...(isReadable && !matches ? [labelsDiffer(spec, at)] : []),
    ...own,
    ...podTemplate(objectAt(spec)['template'], `${at}.template`),
    ...alwaysRunning('DaemonSet', spec, at),
    ...fields({
      minReadySeconds: nonNegative,
      updateStrategy: daemonStrategy,
      revisionHistoryLimit: nonNegative,
    })(spec, at),
  ];
};

const statefulStrategy: Check = (value, at) => {
  const type = textAt(value, 'type');
  const rolling = objectAt(value)['rollingUpdate'];
  const shape = { Partition: 0, MaxUnavailable: null };
  if (type === '') return [requiredAt(at)];
  if (type === 'OnDelete') {
    if (rolling === undefined) return [];
    const detail = "only allowed for updateStrategy 'RollingUpdate'";
    const where = `${at}.rollingUpdate`;
    return [{ ...invalidAt(where, rolling, detail), shown: goStruct(rolling, shape) }];
  }
  if (type !== 'RollingUpdate') {
    const detail = "must be 'RollingUpdate' or 'OnDelete'";
    return [{ ...invalidAt(at, value ?? null, detail), shown: showStrategy(value, shape) }];
  }
  const maxUnavailable = given((amount, where) => [
    ...countOrPercent(amount, where),
    ...(percentOf(amount) === 0 ? [invalidAt(where, amount, 'cannot be 0')] : []),
    ...notOver100Percent(amount, where),
  ]);
  return fields({ partition: nonNegative, maxUnavailable })(rolling, `${at}.rollingUpdate`);
};

const managementPolicy: Check = required((value, at) =>
  value === 'OrderedReady' || value === 'Parallel'
    ? []
    : [invalidAt(at, value, "must be 'OrderedReady' or 'Parallel'")],
);

/** Each claim template stands for a volume of the pod. */
function withClaimVolumes(spec: Json | undefined): Json {
  const template = objectAt(spec, 'template');
  const { hostname: _h, subdomain: _s, ...pod } = objectAt(template, 'spec');
  const names = listAt(spec, 'volumeClaimTemplates').map((claim) =>
    textAt(claim, 'metadata', 'name'),
  );
  const own = listAt(pod, 'volumes').filter((volume) => !names.includes(textAt(volume, 'name')));
  const claims = [...new Set(names)].map((name) => ({
    name,
    persistentVolumeClaim: { claimName: name },
  }));
  return { ...template, spec: { ...pod, volumes: [...claims, ...own] } };
}

/** apps.StatefulSetSpec. Of an existing one, what cannot change any more is not looked at again. */
export function statefulSetSpec(isNew: boolean): Check {
  return (spec, at) => {
    const rules = { kind: 'StatefulSet', unreadable: '', isRequired: true };
    const selector = selectorErrors(spec, at, rules);
    const claims = listAt(spec, 'volumeClaimTemplates');
    const policy = given(oneOf('Retain', 'Delete'));
    return [
      ...fields({
        podManagementPolicy: managementPolicy,
        updateStrategy: statefulStrategy,
        persistentVolumeClaimRetentionPolicy: fields({ whenDeleted: policy, whenScaled: policy }),
      })(spec, at),
      ...(isNew
        ? claims.flatMap((claim, i) =>
            claimSpec()(objectAt(claim)['spec'], `${at}.volumeClaimTemplates[${i}].spec`),
          )
        : []),
      ...fields({
        replicas: nonNegative,
        minReadySeconds: nonNegative,
        ordinals: fields({ start: nonNegative }),
        serviceName: isNew ? nonZero(text(dnsLabelProblems)) : () => [],
      })(spec, at),
      ...selector.errors,
      ...(selector.isReadable && !selector.matches ? [labelsDiffer(spec, at)] : []),
      ...(selector.isReadable ? podTemplate(withClaimVolumes(spec), `${at}.template`) : []),
      ...(selector.isReadable ? templateMetadataErrors(spec, at) : []),
      ...alwaysRunning('StatefulSet', spec, at),
    ];
  };
}

/** core.ReplicationControllerSpec. */
export const replicationControllerSpec: Check = (spec, at) => {
  const { selector, template } = objectAt(spec);
  const wanted = Object.entries(objectAt(selector));
  const found = objectAt(template, 'metadata', 'labels');
  const errors: FieldError[] = [
    ...fields({ minReadySeconds: nonNegative })(spec, at),
    ...(wanted.length === 0 ? [requiredAt(`${at}.selector`)] : []),
    ...fields({ replicas: nonNegative })(spec, at),
  ];
  if (template === undefined) return [...errors, requiredAt(`${at}.template`)];
  if (!wanted.every(([key, value]) => found[key] === value)) errors.push(labelsDiffer(spec, at));
  return [
    ...errors,
    ...podTemplate(template, `${at}.template`),
    ...alwaysRunning('ReplicationController', spec, at),
  ];
};
