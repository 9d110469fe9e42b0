import { pathSegmentProblems } from '@capstan/kube-object';
import { ApiError, forbidden } from '../api-error.ts';
import {
  childDraft,
  type Draft,
  type DraftObject,
  draftList,
  draftObjects,
  isDraftObject,
  listAt,
  numberAt,
  objectAt,
  setDefault,
  textAt,
} from '../json.ts';
import { randomSuffix } from '../names.ts';
import type { Strategy, StrategyContext } from '../served-resource.ts';
import { podSpecErrors } from '../validation/pod-spec.ts';
import { podUpdateErrors } from '../validation/pod-update.ts';
import { defaultPodSpec, qosClass, requestsFromLimits } from './pod-defaults.ts';
import { mergeLabelKeys } from './pod-label-keys.ts';
import { ephemeralContainers, resize } from './pod-parts.ts';
import { admitRuntimeClass } from './runtime-class.ts';

const ACCOUNT_MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Pods: defaults, and the admission plugins that a default server runs on them. */
export const podStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(pod) {
    const spec = childDraft(pod, 'spec');
    defaultPodSpec(spec);
    setDefault(spec, 'enableServiceLinks', true);
    if ((numberAt(spec, 'terminationGracePeriodSeconds') ?? 0) < 0) {
      spec['terminationGracePeriodSeconds'] = 1;
    }
    for (const key of ['containers', 'initContainers']) {
      for (const container of draftObjects(spec, key)) {
        requestsFromLimits(childDraft(container, 'resources'));
      }
    }
  },
  admit(pod, context) {
    const spec = childDraft(pod, 'spec');
    admitServiceAccount(pod, spec, context);
    admitPriority(pod, spec, context);
    admitTolerations(spec);
    admitRuntimeClass(pod, spec, context);
  },
  prepareCreate(pod, context) {
    const spec = childDraft(pod, 'spec');
    const conditions = draftList(spec, 'schedulingGates').length > 0 ? [gated(context.now())] : [];
    pod['status'] = {
      phase: 'Pending',
      ...(conditions.length === 0 ? {} : { conditions }),
      qosClass: qosClass(spec),
    };
    mergeLabelKeys(pod);
  },
  prepareUpdate(pod, old) {
    const spec = childDraft(pod, 'spec');
    admitTolerations(spec);
    for (const key of ['priority', 'preemptionPolicy']) {
      const before = objectAt(old, 'spec')[key];
      if (before !== undefined) setDefault(spec, key, before as Draft);
    }
    pod['status'] = objectAt(old, 'status') as DraftObject;
  },
  validate: (pod) =>
    podSpecErrors(objectAt(pod, 'spec'), 'spec', { name: pod.metadata.name ?? '' }),
  validateUpdate: podUpdateErrors,
  parts: { ephemeralcontainers: ephemeralContainers, resize },
};

function gated(now: string): DraftObject {
  return {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: now,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
}

function admitServiceAccount(pod: DraftObject, spec: DraftObject, context: StrategyContext): void {
  const name = textAt(spec, 'serviceAccountName') || 'default';
  spec['serviceAccountName'] = name;
  spec['serviceAccount'] = name;
  const namespace = textAt(pod, 'metadata', 'namespace');
  const account = context.find('/serviceaccounts', `${namespace}/${name}`);
  if (account === undefined) {
    const problems = pathSegmentProblems(name);
    const quoted = JSON.stringify(name);
    const why =
      problems.length === 0
        ? `serviceaccount ${quoted} not found`
        : `invalid resource name ${quoted}: [${problems.join(' ')}]`;
    throw forbidden(
      { group: '', resource: 'pods', name: givenName(pod) },
      `error looking up service account ${namespace}/${name}: ${why}`,
    );
  }
  const pullSecrets = listAt(account, 'imagePullSecrets');
  if (pullSecrets.length > 0 && draftList(spec, 'imagePullSecrets').length === 0) {
    spec['imagePullSecrets'] = [...pullSecrets] as Draft[];
  }
  const mounts = spec['automountServiceAccountToken'] ?? account['automountServiceAccountToken'];
  if (mounts !== false) mountToken(spec, context);
}

/** Names are generated after admission. */
function givenName(pod: DraftObject): string {
  return textAt(pod, 'metadata', 'name') || textAt(pod, 'metadata', 'generateName') || 'Unknown';
}

function mountToken(spec: DraftObject, context: StrategyContext): void {
  const containers = [...draftObjects(spec, 'initContainers'), ...draftObjects(spec, 'containers')];
  const bare = containers.filter((container) =>
    draftObjects(container, 'volumeMounts').every((mount) => mount['mountPath'] !== ACCOUNT_MOUNT),
  );
  if (bare.length === 0) return;
  const known = draftObjects(spec, 'volumes').find((volume) =>
    textAt(volume, 'name').startsWith('kube-api-access-'),
  );
  const name =
    known === undefined ? `kube-api-access-${randomSuffix(context.random)}` : textAt(known, 'name');
  if (known === undefined) {
    spec['volumes'] = [...draftList(spec, 'volumes'), { name, projected: tokenProjection() }];
  }
  for (const container of bare) {
    container['volumeMounts'] = [
      ...draftList(container, 'volumeMounts'),
      { name, readOnly: true, mountPath: ACCOUNT_MOUNT },
    ];
  }
}

function tokenProjection(): DraftObject {
  return {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [
            { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
          ],
        },
      },
    ],
    defaultMode: 420,
  };
}

function admitPriority(pod: DraftObject, spec: DraftObject, context: StrategyContext): void {
  const name = textAt(spec, 'priorityClassName');
  if (name === '') {
    const byDefault = [...context.list('scheduling.k8s.io/priorityclasses')].find(
      (item) => item['globalDefault'] === true,
    );
    if (byDefault !== undefined) spec['priorityClassName'] = byDefault.metadata.name ?? '';
    spec['priority'] = numberAt(byDefault, 'value') ?? 0;
    admitPreemption(pod, spec, textAt(byDefault, 'preemptionPolicy'));
    return;
  }
  const found = context.find('scheduling.k8s.io/priorityclasses', name);
  if (found === undefined) {
    throw new ApiError(
      403,
      'Forbidden',
      `pods ${JSON.stringify('')} is forbidden: no PriorityClass with name ${name} was found`,
    );
  }
  spec['priority'] = numberAt(found, 'value') ?? 0;
  admitPreemption(pod, spec, textAt(found, 'preemptionPolicy'));
}

/** The policy is the class's; a pod may only repeat it. */
function admitPreemption(pod: DraftObject, spec: DraftObject, ofClass: string): void {
  const policy = ofClass || 'PreemptLowerPriority';
  setDefault(spec, 'preemptionPolicy', policy);
  if (spec['preemptionPolicy'] === policy) return;
  throw forbidden(
    { group: '', resource: 'pods', name: givenName(pod) },
    `the string value of PreemptionPolicy (${textAt(spec, 'preemptionPolicy')}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
  );
}

/** A pod survives a failing node for five minutes, unless it says otherwise. */
function admitTolerations(spec: DraftObject): void {
  const tolerations = draftList(spec, 'tolerations');
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const tolerated = tolerations.some(
      (item) =>
        isDraftObject(item) &&
        (item['key'] === key || item['key'] === undefined) &&
        (item['effect'] === 'NoExecute' || item['effect'] === undefined),
    );
    if (!tolerated) {
      tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
    }
  }
  spec['tolerations'] = tolerations;
}
