import type { KubeObject } from '@capstan/kube-object';
import type { FieldError } from '../api-error.ts';
import {
  childDraft,
  cloneJson,
  type DraftObject,
  draftObjects,
  equalJson,
  isDraftObject,
  numberAt,
  objectAt,
  setDefault,
  textAt,
  valueAt,
} from '../json.ts';
import { fromSelectorObject, matchesLabels } from '../selectors.ts';
import type { Strategy } from '../served-resource.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { podSpecErrors } from './pod-validation.ts';

export const deploymentStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  generationCovers: 'annotations',
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'replicas', 1);
    const strategy = childDraft(spec, 'strategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') {
      const rolling = childDraft(strategy, 'rollingUpdate');
      setDefault(rolling, 'maxUnavailable', '25%');
      setDefault(rolling, 'maxSurge', '25%');
    }
    setDefault(spec, 'revisionHistoryLimit', 10);
    setDefault(spec, 'progressDeadlineSeconds', 600);
    defaultPodTemplate(spec);
  },
  validate: (object) => [
    ...selectorErrors(object),
    ...replicaErrors(object),
    ...deploymentStrategyErrors(object),
    ...templateErrors(object, 'always'),
  ],
  validateUpdate: (object, old) => immutable(object, old, 'selector'),
};

function deploymentStrategyErrors(object: KubeObject): FieldError[] {
  const strategy = objectAt(object, 'spec', 'strategy');
  if (textAt(strategy, 'type') === 'Recreate' && strategy['rollingUpdate'] !== undefined) {
    return [
      {
        kind: 'forbidden',
        field: 'spec.strategy.rollingUpdate',
        detail: "may not be specified when strategy `type` is 'Recreate'",
      },
    ];
  }
  if (!['Recreate', 'RollingUpdate'].includes(textAt(strategy, 'type'))) {
    return [
      {
        kind: 'notSupported',
        field: 'spec.strategy',
        value: { Type: textAt(strategy, 'type'), RollingUpdate: strategy['rollingUpdate'] ?? null },
        detail: 'supported values: "Recreate", "RollingUpdate"',
      },
    ];
  }
  const rolling = objectAt(strategy, 'rollingUpdate');
  if (
    isZero(rolling['maxSurge']) &&
    isZero(rolling['maxUnavailable']) &&
    textAt(strategy, 'type') === 'RollingUpdate'
  ) {
    return [
      {
        kind: 'invalid',
        field: 'spec.strategy.rollingUpdate.maxUnavailable',
        value: rolling['maxUnavailable'] ?? null,
        detail: 'may not be 0 when `maxSurge` is 0',
      },
    ];
  }
  return [];
}

function isZero(value: unknown): boolean {
  return value === 0 || value === '0%' || value === '0';
}

export const replicaSetStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'replicas', 1);
    defaultPodTemplate(spec);
  },
  prepareCreate(object) {
    object['status'] = { replicas: 0 };
  },
  validate: (object) => [
    ...selectorErrors(object),
    ...replicaErrors(object),
    ...templateErrors(object, 'always'),
  ],
  validateUpdate: (object, old) => immutable(object, old, 'selector'),
};

export const replicationControllerStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'replicas', 1);
    defaultPodTemplate(spec);
    const labels = objectAt(spec, 'template', 'metadata', 'labels');
    if (Object.keys(labels).length > 0) {
      setDefault(spec, 'selector', cloneJson(labels));
      setDefault(childDraft(object, 'metadata'), 'labels', cloneJson(labels));
    }
  },
  prepareCreate(object) {
    object['status'] = { replicas: 0 };
  },
};

export const statefulSetStrategy: Strategy = {
  nameRule: 'label',
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'podManagementPolicy', 'OrderedReady');
    const strategy = childDraft(spec, 'updateStrategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') {
      setDefault(childDraft(strategy, 'rollingUpdate'), 'partition', 0);
    }
    const retention = childDraft(spec, 'persistentVolumeClaimRetentionPolicy');
    setDefault(retention, 'whenDeleted', 'Retain');
    setDefault(retention, 'whenScaled', 'Retain');
    setDefault(spec, 'replicas', 1);
    setDefault(spec, 'revisionHistoryLimit', 10);
    for (const claim of draftObjects(spec, 'volumeClaimTemplates')) {
      setDefault(claim, 'kind', 'PersistentVolumeClaim');
      setDefault(claim, 'apiVersion', 'v1');
      setDefault(childDraft(claim, 'spec'), 'volumeMode', 'Filesystem');
      claim['status'] = { phase: 'Pending' };
    }
    defaultPodTemplate(spec);
  },
  prepareCreate(object) {
    object['status'] = { replicas: 0, availableReplicas: 0 };
  },
  validate: (object) => [
    ...selectorErrors(object),
    ...replicaErrors(object),
    ...templateErrors(object, 'always'),
  ],
  validateUpdate(object, old) {
    const mutable = [
      'replicas',
      'ordinals',
      'template',
      'updateStrategy',
      'revisionHistoryLimit',
      'persistentVolumeClaimRetentionPolicy',
      'minReadySeconds',
    ];
    const rest = (o: KubeObject): DraftObject =>
      Object.fromEntries(
        Object.entries(objectAt(o, 'spec')).filter(([key]) => !mutable.includes(key)),
      ) as DraftObject;
    if (equalJson(rest(object), rest(old))) return [];
    return [
      {
        kind: 'forbidden',
        field: 'spec',
        detail:
          "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      },
    ];
  },
};

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function setTemplateGeneration(object: DraftObject, generation: number): void {
  const annotations = childDraft(childDraft(object, 'metadata'), 'annotations');
  annotations[TEMPLATE_GENERATION] = String(generation);
}

export const daemonSetStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    const strategy = childDraft(spec, 'updateStrategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') {
      const rolling = childDraft(strategy, 'rollingUpdate');
      setDefault(rolling, 'maxUnavailable', 1);
      setDefault(rolling, 'maxSurge', 0);
    }
    setDefault(spec, 'revisionHistoryLimit', 10);
    defaultPodTemplate(spec);
    const annotations = childDraft(childDraft(object, 'metadata'), 'annotations');
    setDefault(annotations, TEMPLATE_GENERATION, '0');
  },
  prepareCreate(object) {
    setTemplateGeneration(object, 1);
    object['status'] = {
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      desiredNumberScheduled: 0,
      numberReady: 0,
    };
  },
  prepareUpdate(object, old) {
    const same = equalJson(valueAt(object, 'spec', 'template'), valueAt(old, 'spec', 'template'));
    const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 1);
    setTemplateGeneration(object, same ? before : before + 1);
  },
  validate: (object) => [...selectorErrors(object), ...templateErrors(object, 'always')],
  validateUpdate: (object, old) => immutable(object, old, 'selector'),
};

export const jobStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    defaultJobSpec(spec);
    const metadata = childDraft(object, 'metadata');
    const labels = childDraft(childDraft(spec, 'template'), 'metadata')['labels'];
    // The very same map, as in Go: what is added to the template's labels later shows here too.
    if (labels !== undefined) setDefault(metadata, 'labels', labels);
  },
  prepareCreate(object) {
    const spec = childDraft(object, 'spec');
    if (spec['manualSelector'] === true) return;
    const uid = textAt(object, 'metadata', 'uid');
    const name = textAt(object, 'metadata', 'name');
    const labels = childDraft(childDraft(childDraft(spec, 'template'), 'metadata'), 'labels');
    for (const prefix of ['', 'batch.kubernetes.io/']) {
      labels[`${prefix}controller-uid`] = uid;
      labels[`${prefix}job-name`] = name;
    }
    const selector = childDraft(childDraft(spec, 'selector'), 'matchLabels');
    selector['batch.kubernetes.io/controller-uid'] = uid;
  },
  validate: (object) => templateErrors(object, 'job'),
  validateUpdate: (object, old) => [
    ...immutable(
      object,
      old,
      'completions',
      (o) => valueAt(o, 'spec', 'completionMode') === 'Indexed',
    ),
    ...immutable(object, old, 'selector'),
    ...immutable(object, old, 'template', (o) => valueAt(o, 'spec', 'suspend') === true),
    ...immutable(object, old, 'completionMode'),
    ...immutable(object, old, 'podFailurePolicy'),
    ...immutable(object, old, 'backoffLimitPerIndex'),
  ],
};

export function defaultJobSpec(spec: DraftObject): void {
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) {
    spec['completions'] = 1;
    spec['parallelism'] = 1;
  }
  setDefault(spec, 'parallelism', 1);
  setDefault(spec, 'backoffLimit', spec['backoffLimitPerIndex'] === undefined ? 6 : 2147483647);
  setDefault(spec, 'completionMode', 'NonIndexed');
  setDefault(spec, 'suspend', false);
  setDefault(spec, 'manualSelector', false);
  setDefault(
    spec,
    'podReplacementPolicy',
    spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed',
  );
  defaultPodTemplate(spec);
}

export const cronJobStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'concurrencyPolicy', 'Allow');
    setDefault(spec, 'suspend', false);
    setDefault(spec, 'successfulJobsHistoryLimit', 3);
    setDefault(spec, 'failedJobsHistoryLimit', 1);
    const template = childDraft(spec, 'jobTemplate');
    childDraft(template, 'metadata');
    const job = childDraft(template, 'spec');
    if (isDraftObject(job['template'])) defaultPodTemplate(job);
  },
  validate(object) {
    const schedule = textAt(object, 'spec', 'schedule');
    const errors: FieldError[] = [];
    if (schedule === '') errors.push({ kind: 'required', field: 'spec.schedule', detail: '' });
    else if (!isSchedule(schedule)) {
      errors.push({
        kind: 'invalid',
        field: 'spec.schedule',
        value: schedule,
        detail: `expected exactly 5 fields, found ${schedule.trim().split(/\s+/).length}: [${schedule.trim().split(/\s+/).join(' ')}]`,
      });
    }
    const spec = objectAt(object, 'spec', 'jobTemplate', 'spec', 'template', 'spec');
    return [...errors, ...podSpecErrors(spec, 'spec.jobTemplate.spec.template.spec', 'job')];
  },
};

function isSchedule(text: string): boolean {
  return /^@/.test(text) || text.trim().split(/\s+/).length === 5;
}

function templateErrors(object: KubeObject, allowed: 'always' | 'job'): FieldError[] {
  return podSpecErrors(objectAt(object, 'spec', 'template', 'spec'), 'spec.template.spec', allowed);
}

function replicaErrors(object: KubeObject): FieldError[] {
  const replicas = numberAt(object, 'spec', 'replicas') ?? 0;
  if (replicas >= 0) return [];
  return [
    {
      kind: 'invalid',
      field: 'spec.replicas',
      value: replicas,
      detail: 'must be greater than or equal to 0',
    },
  ];
}

/** A selector must be there, select something, and match the template's labels. */
function selectorErrors(object: KubeObject): FieldError[] {
  const selector = valueAt(object, 'spec', 'selector');
  if (selector === undefined || selector === null) {
    return [{ kind: 'required', field: 'spec.selector', detail: '' }, mismatchedLabels(object)];
  }
  const requirements = fromSelectorObject(selector) ?? [];
  if (requirements.length === 0) {
    return [
      {
        kind: 'invalid',
        field: 'spec.selector',
        value: {},
        detail: `empty selector is invalid for ${object.kind.toLowerCase()}`,
      },
    ];
  }
  const labels = objectAt(object, 'spec', 'template', 'metadata', 'labels');
  return matchesLabels(requirements, labels) ? [] : [mismatchedLabels(object)];
}

function mismatchedLabels(object: KubeObject): FieldError {
  const labels = objectAt(object, 'spec', 'template', 'metadata', 'labels');
  return {
    kind: 'invalid',
    field: 'spec.template.metadata.labels',
    value: labels,
    detail: '`selector` does not match template `labels`',
  };
}

function immutable(
  object: KubeObject,
  old: KubeObject,
  key: string,
  except?: (old: KubeObject) => boolean,
): FieldError[] {
  if (except?.(old) === true) return [];
  const value = valueAt(object, 'spec', key);
  if (equalJson(value, valueAt(old, 'spec', key))) return [];
  return [
    { kind: 'invalid', field: `spec.${key}`, value: value ?? null, detail: 'field is immutable' },
  ];
}
