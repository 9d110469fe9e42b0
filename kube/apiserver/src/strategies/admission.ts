import type { FieldError, Json } from '@capstan/kube-object';
import { childDraft, type DraftObject, draftObjects, isDraftObject, setDefault } from '../json.ts';
import type { Strategy } from '../served-resource.ts';
import {
  mutatingBinding,
  mutatingPolicyErrors,
  validatingBinding,
  validatingPolicyErrors,
} from '../validation/policies.ts';
import { paramKindAccess, paramRefAccess } from '../validation/policy-access.ts';
import { webhooks } from '../validation/webhooks.ts';

export const webhookConfigurationStrategy: Strategy = {
  metadataOnUpdate: ['whole'],
  anyFinalizer: true,
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
  validate: (object) => webhooks(object['webhooks'] as Json, 'webhooks'),
};

function defaultPolicy(object: DraftObject): void {
  const spec = childDraft(object, 'spec');
  setDefault(spec, 'failurePolicy', 'Fail');
  defaultMatchResources(spec['matchConstraints']);
}

function defaultMatchResources(resources: DraftObject[string]): void {
  if (!isDraftObject(resources)) return;
  setDefault(resources, 'matchPolicy', 'Equivalent');
  setDefault(resources, 'namespaceSelector', {});
  setDefault(resources, 'objectSelector', {});
  for (const key of ['resourceRules', 'excludeResourceRules']) {
    for (const rule of draftObjects(resources, key)) setDefault(rule, 'scope', '*');
  }
}

const VERSIONED: Strategy = {
  metadataOnUpdate: ['whole'],
  anyFinalizer: true,
  hasGeneration: true,
  needsVersionOnUpdate: true,
};

export const validatingPolicyStrategy: Strategy = {
  ...VERSIONED,
  hasStatus: true,
  applyDefaults: defaultPolicy,
  validate: (object, context, old) =>
    unless(validatingPolicyErrors(object, old), () => paramKindAccess(object, old, context)),
};

export const mutatingPolicyStrategy: Strategy = {
  ...VERSIONED,
  applyDefaults: defaultPolicy,
  validate: (object, context, old) =>
    unless(mutatingPolicyErrors(object, old), () => paramKindAccess(object, old, context)),
};

const VALIDATING_POLICIES = 'admissionregistration.k8s.io/validatingadmissionpolicies';
const MUTATING_POLICIES = 'admissionregistration.k8s.io/mutatingadmissionpolicies';

/** Whether somebody may is only asked of what is well-formed. */
function unless(
  errors: readonly FieldError[],
  others: () => readonly FieldError[],
): readonly FieldError[] {
  return errors.length > 0 ? errors : others();
}

function defaultBinding(object: DraftObject): void {
  defaultMatchResources(childDraft(object, 'spec')['matchResources']);
}

export const validatingBindingStrategy: Strategy = {
  ...VERSIONED,
  applyDefaults: defaultBinding,
  validate: (object, context, old) =>
    unless(validatingBinding(object['spec'] as Json, 'spec'), () =>
      paramRefAccess(object, old, context, VALIDATING_POLICIES),
    ),
};

export const mutatingBindingStrategy: Strategy = {
  ...VERSIONED,
  applyDefaults: defaultBinding,
  validate: (object, context, old) =>
    unless(mutatingBinding(object['spec'] as Json, 'spec'), () =>
      paramRefAccess(object, old, context, MUTATING_POLICIES),
    ),
};
