import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  type KubeObject,
  labelKeyProblems,
} from '@capstan/kube-object';
import {
  childDraft,
  type DraftObject,
  draftList,
  draftObjects,
  emptiedOf,
  equalJson,
  givenAt,
  isDraftObject,
  listAt,
  numberAt,
  objectAt,
  setDefault,
  textAt,
  valueAt,
} from '../json.ts';
import type { Strategy } from '../served-resource.ts';
import { role, roleBinding } from '../validation/access.ts';
import { autoscalerSpec } from '../validation/autoscaling.ts';
import {
  forbiddenAt,
  given,
  invalidAt,
  nonNegative,
  oneOf,
  required,
  requiredAt,
  text,
} from '../validation/checks.ts';
import { claimSpec } from '../validation/claims.ts';
import {
  disruptionBudgetSpec,
  leaseSpec,
  limits,
  nodeSpec,
  quotaSpec,
  runtimeClassParts,
  taints,
} from '../validation/cluster.ts';
import { immutableField } from '../validation/job-update.ts';
import {
  endpointSlice,
  endpointSubsets,
  ingressClassSpec,
  ingressSpec,
  networkPolicySpec,
} from '../validation/networking.ts';
import { podTemplate } from '../validation/pod-spec.ts';
import { csiDriverSpec, storageClass, volumeSpec } from '../validation/storage.ts';
import { claimUpdateErrors, volumeUpdateErrors } from '../validation/volume-update.ts';
import { defaultPodTemplate, defaultSource } from './pod-defaults.ts';

export const namespaceStrategy: Strategy = {
  hasStatus: true,
  nameRule: 'label',
  metadataOnUpdate: ['whole', 'update'],
  applyDefaults: labelNamespace,
  prepareCreate(object) {
    const spec = childDraft(object, 'spec');
    const finalizers = draftList(spec, 'finalizers');
    if (!finalizers.includes('kubernetes')) spec['finalizers'] = [...finalizers, 'kubernetes'];
    object['status'] = { phase: 'Active' };
  },
  prepareUpdate(object, old) {
    object['spec'] = objectAt(old, 'spec') as DraftObject;
  },
  validate: namespaceErrors,
};

/** Finalizers of a namespace are told at the list itself, and not in the order of Go's map. */
function namespaceErrors(object: KubeObject): FieldError[] {
  return listAt(object, 'spec', 'finalizers').flatMap((item) => {
    const name = String(item);
    const details = [...labelKeyProblems(name)];
    if (!name.includes('/') && !STANDARD_FINALIZERS.has(name)) {
      details.unshift('name is neither a standard finalizer name nor is it fully qualified');
    }
    return details.map((detail) => invalidAt('spec.finalizers', name, detail));
  });
}

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set([
  'foregroundDeletion',
  'kubernetes',
  'orphan',
]);

function labelNamespace(object: DraftObject): void {
  const metadata = childDraft(object, 'metadata');
  const name = textAt(metadata, 'name');
  if (name !== '') childDraft(metadata, 'labels')['kubernetes.io/metadata.name'] = name;
}

export const claimStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  hasStatus: true,
  applyDefaults: (object) => setDefault(childDraft(object, 'spec'), 'volumeMode', 'Filesystem'),
  prepareCreate(object, context) {
    unifySources(childDraft(object, 'spec'));
    addFinalizer(object, 'kubernetes.io/pvc-protection');
    object['status'] = { phase: 'Pending' };
    const spec = childDraft(object, 'spec');
    if (spec['storageClassName'] !== undefined) return;
    for (const storageClass of context.list('storage.k8s.io/storageclasses')) {
      const mark =
        storageClass.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'];
      if (mark === 'true') spec['storageClassName'] = storageClass.metadata.name ?? '';
    }
  },
  validate: (object, _context, old) => claimSpec(old?.['spec'] as Json)(specOf(object), 'spec'),
  prepareUpdate: (object, old) => unifySources(childDraft(object, 'spec'), old),
  validateUpdate: claimUpdateErrors,
};

const SOURCE_KINDS: ReadonlySet<string> = new Set([
  '/PersistentVolumeClaim',
  'snapshot.storage.k8s.io/VolumeSnapshot',
]);

/** The older of the two fields takes only what it always did; what one of them says the other repeats. */
function unifySources(spec: DraftObject, old?: KubeObject): void {
  const { dataSource, dataSourceRef } = spec;
  if (isDraftObject(dataSource)) {
    const kind = `${textAt(dataSource, 'apiGroup')}/${textAt(dataSource, 'kind')}`;
    const isInUse = valueAt(old, 'spec', 'dataSource') !== undefined;
    if (!isInUse && !SOURCE_KINDS.has(kind)) delete spec['dataSource'];
    else if (dataSourceRef === undefined) spec['dataSourceRef'] = { ...dataSource };
  } else if (isDraftObject(dataSourceRef) && textAt(dataSourceRef, 'namespace') === '') {
    const { namespace: _, ...source } = dataSourceRef;
    spec['dataSource'] = source;
  }
}

export const volumeStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'whole'],
  hasStatus: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'persistentVolumeReclaimPolicy', 'Retain');
    setDefault(spec, 'volumeMode', 'Filesystem');
    defaultSource(spec);
  },
  prepareCreate(object, context) {
    addFinalizer(object, 'kubernetes.io/pv-protection');
    object['status'] = { phase: 'Pending', lastPhaseTransitionTime: context.now() };
  },
  validate: (object, _context, old) => [
    ...volumeSpec(specOf(object), 'spec'),
    // An update looks at the spec once more.
    ...(old === undefined ? [] : volumeSpec(specOf(object), 'spec')),
  ],
  validateUpdate: volumeUpdateErrors,
};

function addFinalizer(object: DraftObject, finalizer: string): void {
  const metadata = childDraft(object, 'metadata');
  const finalizers = draftList(metadata, 'finalizers');
  if (!finalizers.includes(finalizer)) metadata['finalizers'] = [...finalizers, finalizer];
}

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

export const ingressStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  hasStatus: true,
  hasGeneration: true,
  prepareCreate(object, context) {
    object['status'] = { loadBalancer: {} };
    const spec = childDraft(object, 'spec');
    const annotations = objectAt(object, 'metadata', 'annotations');
    if (spec['ingressClassName'] !== undefined) return;
    if (annotations['kubernetes.io/ingress.class'] !== undefined) return;
    for (const ingressClass of context.list('networking.k8s.io/ingressclasses')) {
      const mark =
        ingressClass.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'];
      if (mark === 'true') spec['ingressClassName'] = ingressClass.metadata.name ?? '';
    }
  },
  validate(object, _context, old) {
    const errors = ingressSpec(specOf(object), 'spec');
    const given = textAt(object, 'spec', 'ingressClassName');
    const noted = object.metadata.annotations?.[CLASS_ANNOTATION];
    if (old !== undefined || given === '' || noted === undefined || noted === given) return errors;
    const detail = 'must match `ingressClassName` when both are specified';
    return [...errors, invalidAt(`annotations.${CLASS_ANNOTATION}`, noted, detail)];
  },
};

export const autoscalerStrategy: Strategy = {
  hasStatus: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'minReplicas', 1);
    if (object['apiVersion'] === 'autoscaling/v2' && draftList(spec, 'metrics').length === 0) {
      spec['metrics'] = [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
        },
      ];
    }
    const behavior = spec['behavior'];
    if (!isDraftObject(behavior)) return;
    for (const direction of ['scaleUp', 'scaleDown']) {
      const rules = childDraft(behavior, direction);
      setDefault(rules, 'selectPolicy', 'Max');
      if (direction === 'scaleUp') setDefault(rules, 'stabilizationWindowSeconds', 0);
      // None at all is not the same as an empty list, which is refused.
      if (emptiedOf(rules)?.['policies'] !== undefined) continue;
      setDefault(
        rules,
        'policies',
        direction === 'scaleUp'
          ? [
              { type: 'Pods', value: 4, periodSeconds: 15 },
              { type: 'Percent', value: 100, periodSeconds: 15 },
            ]
          : [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      );
    }
  },
  prepareCreate(object) {
    object['status'] = { desiredReplicas: 0, currentMetrics: null };
  },
  validate: (object) => autoscalerSpec(specOf(object), 'spec'),
};

export const podTemplateStrategy: Strategy = {
  hasGeneration: true,
  applyDefaults: defaultPodTemplate,
  validate: (object) => podTemplate(object['template'] as Json, 'template'),
};

export const disruptionBudgetStrategy: Strategy = {
  metadataOnUpdate: [],
  anyFinalizer: true,
  nameRule: 'any',
  hasStatus: true,
  hasGeneration: true,
  needsVersionOnUpdate: true,
  prepareCreate(object) {
    object['status'] = {
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
    };
  },
  validate: (object) => disruptionBudgetSpec(specOf(object), 'spec'),
};

export const networkPolicyStrategy: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    if (draftList(spec, 'policyTypes').length === 0) {
      spec['policyTypes'] =
        draftList(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
    }
    for (const rule of [...draftObjects(spec, 'ingress'), ...draftObjects(spec, 'egress')]) {
      for (const port of draftObjects(rule, 'ports')) setDefault(port, 'protocol', 'TCP');
    }
  },
  validate: (object) => networkPolicySpec(specOf(object), 'spec'),
};

export const roleBindingStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  createsOnUpdate: true,
  nameRule: 'segment',
  applyDefaults(object) {
    const role = childDraft(object, 'roleRef');
    if (textAt(role, 'apiGroup') === '') role['apiGroup'] = 'rbac.authorization.k8s.io';
    for (const subject of draftObjects(object, 'subjects')) {
      const kind = textAt(subject, 'kind');
      if ((kind === 'User' || kind === 'Group') && textAt(subject, 'apiGroup') === '') {
        subject['apiGroup'] = 'rbac.authorization.k8s.io';
      }
    }
  },
  validate: (object) => roleBinding(asJson(object), ''),
  validateUpdate(object, old) {
    if (equalJson(valueAt(object, 'roleRef'), valueAt(old, 'roleRef'))) return [];
    const { apiGroup = '', kind = '', name = '' } = objectAt(object, 'roleRef');
    const shown = JSON.stringify({ APIGroup: apiGroup, Kind: kind, Name: name });
    return [
      { ...invalidAt('roleRef', valueAt(object, 'roleRef'), 'cannot change roleRef'), shown },
    ];
  },
};

export const roleStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  createsOnUpdate: true,
  nameRule: 'segment',
  validate: (object) => role(asJson(object), ''),
};

export const storageClassStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  applyDefaults(object) {
    setDefault(object, 'reclaimPolicy', 'Delete');
    setDefault(object, 'volumeBindingMode', 'Immediate');
  },
  validate: (object) => storageClass(asJson(object), ''),
  validateUpdate: (object, old) =>
    ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'].flatMap((key) =>
      immutable(object, old, key),
    ),
};

export const priorityClassStrategy: Strategy = {
  hasGeneration: true,
  generationCovers: 'nothing',
  applyDefaults: (object) => setDefault(object, 'preemptionPolicy', 'PreemptLowerPriority'),
  validate: (object, _context, old) => (old === undefined ? priorityErrors(object) : []),
  validateUpdate(object, old) {
    const errors: FieldError[] = [];
    if ((numberAt(object, 'value') ?? 0) !== (numberAt(old, 'value') ?? 0)) {
      errors.push(forbiddenAt('value', 'may not be changed in an update.'));
    }
    return [...errors, ...immutable(object, old, 'preemptionPolicy')];
  },
};

const PRIORITY_MAX = 1_000_000_000;

function priorityErrors(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const isSystem = object.metadata.name?.startsWith('system-') === true;
  if (!isSystem && (numberAt(object, 'value') ?? 0) > PRIORITY_MAX) {
    const detail = `maximum allowed value of a user defined priority is ${PRIORITY_MAX}`;
    errors.push(forbiddenAt('value', detail));
  }
  const policy = given(required(oneOf('PreemptLowerPriority', 'Never')));
  return [...errors, ...policy(object['preemptionPolicy'] as Json, 'preemptionPolicy')];
}

function immutable(object: KubeObject, old: KubeObject, key: string): FieldError[] {
  const value = givenAt(object, key);
  if (equalJson(valueAt(object, key), valueAt(old, key))) return [];
  return [invalidAt(key, value ?? null, 'field is immutable')];
}

export const endpointsStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  createsOnUpdate: true,
  applyDefaults(object) {
    for (const subset of draftObjects(object, 'subsets')) {
      for (const port of draftObjects(subset, 'ports')) setDefault(port, 'protocol', 'TCP');
    }
  },
  validate: (object) => endpointSubsets(object['subsets'] as Json, 'subsets'),
};

export const endpointSliceStrategy: Strategy = {
  metadataOnUpdate: ['whole'],
  hasGeneration: true,
  generationCovers: 'labels',
  applyDefaults(object) {
    for (const port of draftObjects(object, 'ports')) {
      setDefault(port, 'name', '');
      setDefault(port, 'protocol', 'TCP');
    }
  },
  validate: (object) => endpointSlice(asJson(object), ''),
  validateUpdate: (object, old) => immutable(object, old, 'addressType'),
};

export const ingressClassStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  hasGeneration: true,
  applyDefaults(object) {
    const parameters = valueAt(object, 'spec', 'parameters');
    if (parameters === undefined) return;
    setDefault(childDraft(childDraft(object, 'spec'), 'parameters'), 'scope', 'Cluster');
  },
  validate: (object) => ingressClassSpec(specOf(object), 'spec'),
  validateUpdate(object, old) {
    const controller = textAt(object, 'spec', 'controller');
    if (controller === textAt(old, 'spec', 'controller')) return [];
    return [invalidAt('spec.controller', controller, 'field is immutable')];
  },
};

export const nodeStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  hasStatus: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    const range = textAt(spec, 'podCIDR');
    const ranges = draftList(spec, 'podCIDRs');
    if (range !== '' && ranges[0] !== range) spec['podCIDRs'] = [range];
    else if (range === '' && typeof ranges[0] === 'string') spec['podCIDR'] = ranges[0];
  },
  prepareCreate(object) {
    const status = object['status'];
    object['status'] = isDraftObject(status) ? status : {};
  },
  validate: (object) => nodeSpec(specOf(object), 'spec'),
  validateUpdate(object, old) {
    const errors = [...taints(valueAt(object, 'spec', 'taints'), 'metadata.taints')];
    for (const [key, name] of [
      ['podCIDRs', 'podCIDR'],
      ['providerID', 'providerID'],
    ] as const) {
      const before = valueAt(old, 'spec', key);
      if (before === undefined || equalJson(before, valueAt(object, 'spec', key))) continue;
      const detail = `node updates may not change ${name} except from "" to valid`;
      errors.push(forbiddenAt(`spec.${key}`, detail));
    }
    return errors;
  },
};

export const quotaStrategy: Strategy = {
  hasStatus: true,
  validate: (object) => quotaSpec(specOf(object), 'spec'),
  validateUpdate(object, old) {
    const scopes = (quota: KubeObject): string[] => listAt(quota, 'spec', 'scopes').map(String);
    const [now, before] = [new Set(scopes(object)), new Set(scopes(old))];
    if (now.size === before.size && [...now].every((scope) => before.has(scope))) return [];
    const shown = givenAt(object, 'spec', 'scopes') ?? null;
    return [invalidAt('spec.scopes', shown, 'field is immutable')];
  },
};

/** A container's default request is its default limit, and that the maximum. */
export const limitRangeStrategy: Strategy = {
  metadataOnUpdate: ['whole'],
  createsOnUpdate: true,
  prepareCreate(object, context) {
    // Alone among all kinds it may come without a name.
    const metadata = childDraft(object, 'metadata');
    if (textAt(metadata, 'name') === '') metadata['name'] = context.newUid();
  },
  applyDefaults(object) {
    for (const limit of draftObjects(childDraft(object, 'spec'), 'limits')) {
      if (limit['type'] !== 'Container') continue;
      const given = (key: string): [string, unknown][] => Object.entries(objectAt(limit, key));
      for (const [name, value] of given('max')) {
        setDefault(childDraft(limit, 'default'), name, value as string);
      }
      for (const [name, value] of given('default')) {
        setDefault(childDraft(limit, 'defaultRequest'), name, value as string);
      }
      for (const [name, value] of given('min')) {
        setDefault(childDraft(limit, 'defaultRequest'), name, value as string);
      }
    }
  },
  validate: (object) => limits(valueAt(object, 'spec', 'limits'), 'spec.limits'),
};

export const leaseStrategy: Strategy = {
  anyFinalizer: true,
  createsOnUpdate: true,
  needsVersionOnUpdate: true,
  validate: (object) => leaseSpec(specOf(object), 'spec'),
};

export const runtimeClassStrategy: Strategy = {
  anyFinalizer: true,
  metadataOnUpdate: ['whole', 'update'],
  needsVersionOnUpdate: true,
  validate: (object) => [
    ...required(text(dnsLabelProblems))(object['handler'] as Json, 'handler'),
    ...runtimeClassParts(asJson(object), ''),
  ],
  validateUpdate: (object, old) => immutable(object, old, 'handler'),
};

export const controllerRevisionStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  validate(object, _context, old) {
    const errors = [...nonNegative(object['revision'] as Json, 'revision')];
    const { data } = object;
    if (old !== undefined) return errors;
    if (data === undefined || data === null) errors.push(requiredAt('data', 'data is mandatory'));
    else if (typeof data !== 'object' || Array.isArray(data)) {
      errors.push(requiredAt('data', 'data must be a valid JSON object'));
    }
    return errors;
  },
  validateUpdate: (object, old) => immutable(object, old, 'data'),
};

export const csiDriverStrategy: Strategy = {
  hasGeneration: true,
  startsWithoutGeneration: true,
  needsVersionOnUpdate: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'attachRequired', true);
    setDefault(spec, 'podInfoOnMount', false);
    setDefault(spec, 'storageCapacity', false);
    setDefault(spec, 'fsGroupPolicy', 'ReadWriteOnceWithFSType');
    setDefault(spec, 'volumeLifecycleModes', ['Persistent']);
    setDefault(spec, 'requiresRepublish', false);
    setDefault(spec, 'seLinuxMount', false);
  },
  validate: (object) => csiDriverSpec(specOf(object), 'spec'),
  validateUpdate: (object, old) =>
    [
      ['attachRequired', 'attachedRequired', '*bool'],
      ['volumeLifecycleModes', 'volumeLifecycleModes', '[]string'],
    ].flatMap(([key = '', shown = '', type = '']) =>
      immutableField(
        `spec.${shown}`,
        [valueAt(object, 'spec', key), valueAt(old, 'spec', key)],
        type,
      ),
    ),
};

/** An event of the old form lies in the namespace of the object that it is about. */
export const eventStrategy: Strategy = {
  metadataOnUpdate: [],
  anyFinalizer: true,
  createsOnUpdate: true,
  nameRule: 'any',
  validate(object) {
    if (valueAt(object, 'eventTime') !== undefined && object['eventTime'] !== null) return [];
    const own = object.metadata.namespace ?? '';
    const namespace = textAt(object, 'involvedObject', 'namespace');
    if (namespace === own || (namespace === '' && own === 'default')) return [];
    const detail = 'does not match event.namespace';
    return [invalidAt('involvedObject.namespace', namespace, detail)];
  },
};

function specOf(object: KubeObject): Json | undefined {
  return object['spec'] as Json | undefined;
}

function asJson(object: KubeObject): Json {
  return object as unknown as Json;
}
