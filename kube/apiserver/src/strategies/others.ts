import type { KubeObject } from '@capstan/kube-object';
import type { FieldError } from '../api-error.ts';
import {
  childDraft,
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
  valueAt,
} from '../json.ts';
import type { Strategy } from '../served-resource.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { isQuantity } from './pod-validation.ts';

export const namespaceStrategy: Strategy = {
  hasStatus: true,
  nameRule: 'label',
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
};

function labelNamespace(object: DraftObject): void {
  const metadata = childDraft(object, 'metadata');
  const name = textAt(metadata, 'name');
  if (name !== '') childDraft(metadata, 'labels')['kubernetes.io/metadata.name'] = name;
}

export const claimStrategy: Strategy = {
  hasStatus: true,
  applyDefaults: (object) => setDefault(childDraft(object, 'spec'), 'volumeMode', 'Filesystem'),
  prepareCreate(object, context) {
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
  validate(object) {
    const errors: FieldError[] = [];
    if (listAt(object, 'spec', 'accessModes').length === 0) {
      errors.push({
        kind: 'required',
        field: 'spec.accessModes',
        detail: 'at least 1 access mode is required',
      });
    }
    const storage = valueAt(object, 'spec', 'resources', 'requests', 'storage');
    if (storage === undefined) {
      errors.push({ kind: 'required', field: 'spec.resources[storage]', detail: '' });
    }
    return errors;
  },
  validateUpdate(object, old) {
    const rest = (o: KubeObject): unknown => {
      const {
        resources: _r,
        volumeName: _v,
        volumeAttributesClassName: _a,
        ...spec
      } = objectAt(o, 'spec');
      return spec;
    };
    if (equalJson(rest(object) as DraftObject, rest(old) as DraftObject)) return [];
    return [
      {
        kind: 'forbidden',
        field: 'spec',
        detail:
          'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
      },
    ];
  },
};

export const volumeStrategy: Strategy = {
  hasStatus: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'persistentVolumeReclaimPolicy', 'Retain');
    setDefault(spec, 'volumeMode', 'Filesystem');
    const hostPath = spec['hostPath'];
    if (isDraftObject(hostPath)) setDefault(hostPath, 'type', '');
  },
  prepareCreate(object, context) {
    addFinalizer(object, 'kubernetes.io/pv-protection');
    object['status'] = { phase: 'Pending', lastPhaseTransitionTime: context.now() };
  },
};

function addFinalizer(object: DraftObject, finalizer: string): void {
  const metadata = childDraft(object, 'metadata');
  const finalizers = draftList(metadata, 'finalizers');
  if (!finalizers.includes(finalizer)) metadata['finalizers'] = [...finalizers, finalizer];
}

export const ingressStrategy: Strategy = {
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
  validate(object) {
    const errors: FieldError[] = [];
    const spec = objectAt(object, 'spec');
    const rules = listAt(spec, 'rules');
    if (rules.length === 0 && spec['defaultBackend'] === undefined) {
      errors.push({
        kind: 'invalid',
        field: 'spec',
        value: null,
        detail: 'either `defaultBackend` or `rules` must be specified',
      });
    }
    for (const [i, rule] of rules.entries()) {
      for (const [j, path] of listAt(rule, 'http', 'paths').entries()) {
        const field = `spec.rules[${i}].http.paths[${j}]`;
        const type = textAt(path, 'pathType');
        if (type === '') {
          errors.push({
            kind: 'required',
            field: `${field}.pathType`,
            detail: 'pathType must be specified',
          });
        } else if (!['Exact', 'ImplementationSpecific', 'Prefix'].includes(type)) {
          errors.push({
            kind: 'notSupported',
            field: `${field}.pathType`,
            value: type,
            detail: 'supported values: "Exact", "ImplementationSpecific", "Prefix"',
          });
        }
      }
    }
    return errors;
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
  validate(object) {
    const maximum = numberAt(object, 'spec', 'maxReplicas') ?? 0;
    const minimum = numberAt(object, 'spec', 'minReplicas') ?? 1;
    if (maximum < 1) {
      return [
        {
          kind: 'invalid',
          field: 'spec.maxReplicas',
          value: maximum,
          detail: 'must be greater than 0',
        },
      ];
    }
    const errors: FieldError[] = [];
    if (maximum < minimum) {
      errors.push({
        kind: 'invalid',
        field: 'spec.maxReplicas',
        value: maximum,
        detail: 'must be greater than or equal to `minReplicas`',
      });
    }
    if (!textAt(object, 'spec', 'scaleTargetRef', 'apiVersion').includes('/')) {
      const kind = textAt(object, 'spec', 'scaleTargetRef', 'kind');
      if (kind !== 'ReplicationController') {
        errors.push({
          kind: 'invalid',
          field: 'spec.scaleTargetRef.apiVersion',
          value: textAt(object, 'spec', 'scaleTargetRef', 'apiVersion'),
          detail: 'apiVersion must specify API group',
        });
      }
    }
    return errors;
  },
};

export const podTemplateStrategy: Strategy = {
  hasGeneration: true,
  applyDefaults: defaultPodTemplate,
};

export const disruptionBudgetStrategy: Strategy = {
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
  validate(object) {
    const spec = objectAt(object, 'spec');
    if (spec['minAvailable'] === undefined || spec['maxUnavailable'] === undefined) return [];
    return [
      {
        kind: 'invalid',
        field: 'spec',
        value: {
          MinAvailable: spec['minAvailable'],
          Selector: spec['selector'] ?? null,
          MaxUnavailable: spec['maxUnavailable'],
          UnhealthyPodEvictionPolicy: spec['unhealthyPodEvictionPolicy'] ?? null,
        },
        detail: 'minAvailable and maxUnavailable cannot be both set',
      },
    ];
  },
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
};

export const roleBindingStrategy: Strategy = {
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
  validate(object) {
    const errors: FieldError[] = [];
    const kinds = object.kind === 'RoleBinding' ? ['Role', 'ClusterRole'] : ['ClusterRole'];
    const kind = textAt(object, 'roleRef', 'kind');
    if (!kinds.includes(kind)) {
      errors.push({
        kind: 'notSupported',
        field: 'roleRef.kind',
        value: kind,
        detail: `supported values: ${kinds.map((k) => JSON.stringify(k)).join(', ')}`,
      });
    }
    if (textAt(object, 'roleRef', 'name') === '') {
      errors.push({ kind: 'required', field: 'roleRef.name', detail: '' });
    }
    for (const [i, subject] of listAt(object, 'subjects').entries()) {
      if (textAt(subject, 'name') === '') {
        errors.push({ kind: 'required', field: `subjects[${i}].name`, detail: '' });
      }
      if (
        textAt(subject, 'kind') === 'ServiceAccount' &&
        textAt(subject, 'namespace') === '' &&
        object.kind === 'ClusterRoleBinding'
      ) {
        errors.push({ kind: 'required', field: `subjects[${i}].namespace`, detail: '' });
      }
    }
    return errors;
  },
  validateUpdate(object, old) {
    if (equalJson(valueAt(object, 'roleRef'), valueAt(old, 'roleRef'))) return [];
    return [
      {
        kind: 'invalid',
        field: 'roleRef',
        value: valueAt(object, 'roleRef') ?? null,
        detail: 'cannot change roleRef',
      },
    ];
  },
};

export const roleStrategy: Strategy = {
  createsOnUpdate: true,
  nameRule: 'segment',
  validate(object) {
    const errors: FieldError[] = [];
    for (const [i, rule] of listAt(object, 'rules').entries()) {
      if (listAt(rule, 'verbs').length === 0) {
        errors.push({
          kind: 'required',
          field: `rules[${i}].verbs`,
          detail: 'verbs must contain at least one value',
        });
      }
      if (listAt(rule, 'nonResourceURLs').length > 0) continue;
      if (listAt(rule, 'apiGroups').length === 0) {
        errors.push({
          kind: 'required',
          field: `rules[${i}].apiGroups`,
          detail: 'resource rules must supply at least one api group',
        });
      }
      if (listAt(rule, 'resources').length === 0) {
        errors.push({
          kind: 'required',
          field: `rules[${i}].resources`,
          detail: 'resource rules must supply at least one resource',
        });
      }
    }
    return errors;
  },
};

export const storageClassStrategy: Strategy = {
  applyDefaults(object) {
    setDefault(object, 'reclaimPolicy', 'Delete');
    setDefault(object, 'volumeBindingMode', 'Immediate');
  },
  validate(object) {
    return textAt(object, 'provisioner') === ''
      ? [{ kind: 'required', field: 'provisioner', detail: '' }]
      : [];
  },
};

export const priorityClassStrategy: Strategy = {
  hasGeneration: true,
  generationCovers: 'nothing',
  applyDefaults: (object) => setDefault(object, 'preemptionPolicy', 'PreemptLowerPriority'),
};

export const endpointsStrategy: Strategy = {
  createsOnUpdate: true,
  applyDefaults(object) {
    for (const subset of draftObjects(object, 'subsets')) {
      for (const port of draftObjects(subset, 'ports')) setDefault(port, 'protocol', 'TCP');
    }
  },
};

export const endpointSliceStrategy: Strategy = {
  hasGeneration: true,
  generationCovers: 'labels',
  applyDefaults(object) {
    for (const port of draftObjects(object, 'ports')) {
      setDefault(port, 'name', '');
      setDefault(port, 'protocol', 'TCP');
    }
  },
};

export const ingressClassStrategy: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    const parameters = valueAt(object, 'spec', 'parameters');
    if (parameters === undefined) return;
    setDefault(childDraft(childDraft(object, 'spec'), 'parameters'), 'scope', 'Cluster');
  },
};

export const webhookConfigurationStrategy: Strategy = {
  hasGeneration: true,
  needsVersionOnUpdate: true,
  applyDefaults(object) {
    for (const webhook of draftObjects(object, 'webhooks')) {
      setDefault(webhook, 'failurePolicy', 'Fail');
      setDefault(webhook, 'matchPolicy', 'Equivalent');
      setDefault(webhook, 'namespaceSelector', {});
      setDefault(webhook, 'objectSelector', {});
      setDefault(webhook, 'timeoutSeconds', 10);
      if (object['kind'] === 'MutatingWebhookConfiguration') {
        setDefault(webhook, 'reinvocationPolicy', 'Never');
      }
      for (const rule of draftObjects(webhook, 'rules')) setDefault(rule, 'scope', '*');
      const service = childDraft(webhook, 'clientConfig')['service'];
      if (isDraftObject(service)) setDefault(service, 'port', 443);
    }
  },
};

export const admissionPolicyStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  needsVersionOnUpdate: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    setDefault(spec, 'failurePolicy', 'Fail');
    const constraints = spec['matchConstraints'];
    if (!isDraftObject(constraints)) return;
    setDefault(constraints, 'matchPolicy', 'Equivalent');
    setDefault(constraints, 'namespaceSelector', {});
    setDefault(constraints, 'objectSelector', {});
    for (const rule of draftObjects(constraints, 'resourceRules')) setDefault(rule, 'scope', '*');
  },
};

export const nodeStrategy: Strategy = {
  hasStatus: true,
  prepareCreate(object) {
    const status = object['status'];
    object['status'] = isDraftObject(status) ? status : {};
  },
};

export const quotaStrategy: Strategy = {
  hasStatus: true,
  validate(object) {
    const errors: FieldError[] = [];
    for (const [name, value] of Object.entries(objectAt(object, 'spec', 'hard'))) {
      if (!isQuantity(value)) {
        errors.push({
          kind: 'invalid',
          field: `spec.hard[${name}]`,
          value: String(value),
          detail:
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        });
      }
    }
    return errors;
  },
};

/** A container's default request is its default limit, and that the maximum. */
export const limitRangeStrategy: Strategy = {
  createsOnUpdate: true,
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
};
