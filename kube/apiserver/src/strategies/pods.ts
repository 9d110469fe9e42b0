import type { FieldError, Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { ApiError, forbidden } from '../api-error.ts';
import {
  childDraft,
  type Draft,
  type DraftObject,
  draftList,
  draftObjects,
  equalJson,
  isDraftObject,
  listAt,
  numberAt,
  objectAt,
  setDefault,
  textAt,
} from '../json.ts';
import { randomSuffix } from '../names.ts';
import type { Strategy, StrategyContext } from '../served-resource.ts';
import { forbiddenAt, invalidAt, requiredAt } from '../validation/checks.ts';
import { podSpecErrors } from '../validation/pod-spec.ts';
import { defaultPodSpec, qosClass, requestsFromLimits } from './pod-defaults.ts';
import { ephemeralContainers, resize } from './pod-parts.ts';

const ACCOUNT_MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Pods: defaults, and the admission plugins that a default server runs on them. */
export const podStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(pod) {
    const spec = childDraft(pod, 'spec');
    defaultPodSpec(spec);
    setDefault(spec, 'enableServiceLinks', true);
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
  },
  prepareCreate(pod) {
    const spec = childDraft(pod, 'spec');
    if ((numberAt(spec, 'terminationGracePeriodSeconds') ?? 0) < 0) {
      spec['terminationGracePeriodSeconds'] = 1;
    }
    pod['status'] = { phase: 'Pending', qosClass: qosClass(spec) };
  },
  prepareUpdate(pod, old) {
    admitTolerations(childDraft(pod, 'spec'));
    pod['status'] = objectAt(old, 'status') as DraftObject;
  },
  validate: (pod) =>
    podSpecErrors(objectAt(pod, 'spec'), 'spec', { name: pod.metadata.name ?? '' }),
  validateUpdate: (pod, old) => updateErrors(pod, old),
  parts: { ephemeralcontainers: ephemeralContainers, resize },
};

function admitServiceAccount(pod: DraftObject, spec: DraftObject, context: StrategyContext): void {
  const name = textAt(spec, 'serviceAccountName') || 'default';
  spec['serviceAccountName'] = name;
  spec['serviceAccount'] = name;
  const namespace = textAt(pod, 'metadata', 'namespace');
  const account = context.find('/serviceaccounts', `${namespace}/${name}`);
  if (account === undefined) {
    throw forbidden(
      { group: '', resource: 'pods', name: givenName(pod) },
      `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
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

/** After its creation a pod's spec may change only in a few places. */
function updateErrors(pod: KubeObject, old: KubeObject): FieldError[] {
  const after = objectAt(pod, 'spec');
  const before = objectAt(old, 'spec');
  const errors: FieldError[] = [];
  for (const key of ['containers', 'initContainers']) {
    const containers = listAt(after, key);
    if (containers.length !== listAt(before, key).length) {
      const detail = 'pod updates may not add or remove containers';
      return [...errors, forbiddenAt(`spec.${key}`, detail)];
    }
    for (const [i, container] of containers.entries()) {
      if (textAt(container, 'image') === '') errors.push(requiredAt(`spec.${key}[${i}].image`));
    }
  }
  const deadline = deadlineErrors(after['activeDeadlineSeconds'], before['activeDeadlineSeconds']);
  errors.push(...deadline);
  if (deadline.length > 0 && after['activeDeadlineSeconds'] !== undefined) return errors;
  errors.push(...tolerationErrors(after, before), ...gateErrors(after, before));
  const wasGated = listAt(before, 'schedulingGates').length > 0;
  if (!equalJson(fixedPart(after, wasGated), fixedPart(before, wasGated))) {
    errors.push(forbiddenAt('spec', SPEC_IS_FIXED));
  }
  return errors;
}

const SPEC_IS_FIXED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** What stays as it is; of a pod that waits at a gate also not where it may go. */
function fixedPart(spec: JsonObject, wasGated: boolean): DraftObject {
  const {
    activeDeadlineSeconds: _a,
    tolerations: _t,
    schedulingGates: _s,
    nodeSelector,
    affinity,
    ...rest
  } = spec;
  const withoutImage = (list: unknown): Draft =>
    (Array.isArray(list) ? list : []).map((container) => {
      const { image: _i, ...others } = objectAt(container);
      return others as DraftObject;
    });
  return {
    ...(rest as DraftObject),
    containers: withoutImage(spec['containers']),
    initContainers: withoutImage(spec['initContainers']),
    ...(wasGated ? {} : { nodeSelector: nodeSelector as Draft, affinity: affinity as Draft }),
  };
}

const DEADLINE_MAX = 2_147_483_647;

/** A deadline may be set, and then only be brought forward. */
function deadlineErrors(after: Json | undefined, before: Json | undefined): FieldError[] {
  const at = 'spec.activeDeadlineSeconds';
  if (after === undefined) {
    if (before === undefined) return [];
    return [invalidAt(at, null, 'must not update from a positive integer to nil value')];
  }
  if (Number(after) < 0 || Number(after) > DEADLINE_MAX) {
    return [invalidAt(at, after, `must be between 0 and ${DEADLINE_MAX}, inclusive`)];
  }
  if (before === undefined || Number(before) >= Number(after)) return [];
  return [invalidAt(at, after, 'must be less than or equal to previous value')];
}

/** Tolerations may be added, and the time of those that evict may change. */
function tolerationErrors(after: JsonObject, before: JsonObject): FieldError[] {
  const timeless = (item: Json): DraftObject => {
    const { tolerationSeconds: _, ...rest } = objectAt(item);
    return rest as DraftObject;
  };
  const kept = listAt(before, 'tolerations').every((item) =>
    listAt(after, 'tolerations').some((other) => equalJson(timeless(item), timeless(other))),
  );
  if (kept) return [];
  return [
    forbiddenAt(
      'spec.tolerations',
      'existing toleration can not be modified except its tolerationSeconds',
    ),
  ];
}

function gateErrors(after: JsonObject, before: JsonObject): FieldError[] {
  const known = new Set(listAt(before, 'schedulingGates').map((gate) => textAt(gate, 'name')));
  return listAt(after, 'schedulingGates').flatMap((gate, i) => {
    const name = textAt(gate, 'name');
    if (known.has(name)) return [];
    return [
      forbiddenAt(
        `spec.schedulingGates[${i}].name`,
        `only deletion is allowed, but found new scheduling gate '${name}'`,
      ),
    ];
  });
}
