import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  type KubeObject,
} from '@capstan/kube-object';
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
import type { Strategy } from '../served-resource.ts';
import { invalidAt } from '../validation/checks.ts';
import {
  generatedSelectorErrors,
  immutableField,
  jobUpdateErrors,
} from '../validation/job-update.ts';
import { cronJobSpec, jobSpec } from '../validation/jobs.ts';
import {
  daemonSetSpec,
  deploymentSpec,
  replicaSetSpec,
  replicationControllerSpec,
  statefulSetSpec,
} from '../validation/workloads.ts';
import { defaultPodTemplate } from './pod-defaults.ts';

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
  validate: (object) => deploymentSpec(object['spec'] as Json, 'spec'),
  validateUpdate: sameSelector,
};

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
  validate: (object) => replicaSetSpec(object['spec'] as Json, 'spec'),
  validateUpdate: sameSelector,
};

export const replicationControllerStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'replicas', 1);
    if (isDraftObject(spec['template'])) defaultPodTemplate(spec);
    const labels = objectAt(spec, 'template', 'metadata', 'labels');
    if (Object.keys(labels).length > 0) {
      setDefault(spec, 'selector', cloneJson(labels));
      setDefault(childDraft(object, 'metadata'), 'labels', cloneJson(labels));
    }
  },
  prepareCreate(object) {
    object['status'] = { replicas: 0 };
  },
  validate: (object) => replicationControllerSpec(object['spec'] as Json, 'spec'),
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
  validate: (object, _context, old) =>
    statefulSetSpec(old === undefined)(object['spec'] as Json, 'spec'),
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
        reason: 'FieldValueForbidden',
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
  validate: (object) => daemonSetSpec(object['spec'] as Json, 'spec'),
  validateUpdate: sameSelector,
};

export const jobStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
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
      setDefault(labels, `${prefix}job-name`, name);
      setDefault(labels, `${prefix}controller-uid`, uid);
    }
    const selector = childDraft(childDraft(spec, 'selector'), 'matchLabels');
    setDefault(selector, 'batch.kubernetes.io/controller-uid', uid);
  },
  validate: (object, _context, old) => [
    ...generatedSelectorErrors(object, old),
    ...jobSpec(object['spec'] as Json, 'spec'),
    ...indexedNameErrors(object),
    // An update looks at the spec once more.
    ...(old === undefined ? [] : jobSpec(object['spec'] as Json, 'spec')),
  ],
  validateUpdate: jobUpdateErrors,
};

function childDraftIfAny(parent: DraftObject, key: string): DraftObject {
  const found = parent[key];
  return isDraftObject(found) ? found : {};
}

export function defaultJobSpec(spec: DraftObject): void {
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) {
    spec['completions'] = 1;
    spec['parallelism'] = 1;
  }
  setDefault(spec, 'parallelism', 1);
  setDefault(spec, 'backoffLimit', spec['backoffLimitPerIndex'] === undefined ? 6 : 2147483647);
  setDefault(spec, 'completionMode', 'NonIndexed');
  setDefault(spec, 'suspend', false);
  for (const rule of draftObjects(childDraftIfAny(spec, 'podFailurePolicy'), 'rules')) {
    for (const pattern of draftObjects(rule, 'onPodConditions')) {
      if (textAt(pattern, 'status') === '') pattern['status'] = 'True';
    }
  }
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
  validate: (object, _context, old) => [
    ...cronJobSpec(old?.['spec'] as Json | undefined)(object['spec'] as Json, 'spec'),
    ...(old === undefined && (object.metadata.name ?? '').length > CRON_NAME_MAX
      ? [invalidAt('metadata.name', object.metadata.name, 'must be no more than 52 characters')]
      : []),
  ],
};

/** A job's name has eleven more characters. */
const CRON_NAME_MAX = 52;

/** The pods of an indexed job are named by their number. */
function indexedNameErrors(object: KubeObject): FieldError[] {
  const completions = numberAt(object, 'spec', 'completions') ?? 0;
  if (textAt(object, 'spec', 'completionMode') !== 'Indexed' || completions <= 0) return [];
  const name = object.metadata.name ?? '';
  const last = `${name}-${completions - 1}`;
  if (dnsLabelProblems(last).length === 0) return [];
  const detail = `will not able to create pod with invalid DNS label: ${last}`;
  return [invalidAt('metadata.name', name, detail)];
}

/** The selector of a workload stays as it is. */
function sameSelector(object: KubeObject, old: KubeObject): FieldError[] {
  return immutableField(
    'spec.selector',
    [valueAt(object, 'spec', 'selector'), valueAt(old, 'spec', 'selector')],
    '*LabelSelector',
  );
}
