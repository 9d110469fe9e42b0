import type { Json } from '@capstan/kube-object';
import { childDraft, type DraftObject, draftObjects, isDraftObject, setDefault } from '../json.ts';
import type { Strategy } from '../served-resource.ts';
import {
  mutatingBinding,
  mutatingPolicyErrors,
  validatingBinding,
  validatingPolicyErrors,
} from '../validation/policies.ts';
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
  validate: (object, _context, old) => validatingPolicyErrors(object, old),
};

export const mutatingPolicyStrategy: Strategy = {
  ...VERSIONED,
  applyDefaults: defaultPolicy,
  validate: (object, _context, old) => mutatingPolicyErrors(object, old),
};

function defaultBinding(object: DraftObject): void {
  defaultMatchResources(childDraft(object, 'spec')['matchResources']);
}

export const validatingBindingStrategy: Strategy = {
  ...VERSIONED,
  applyDefaults: defaultBinding,
  validate: (object) => validatingBinding(object['spec'] as Json, 'spec'),
};

export const mutatingBindingStrategy: Strategy = {
  ...VERSIONED,
  applyDefaults: defaultBinding,
  validate: (object) => mutatingBinding(object['spec'] as Json, 'spec'),
};
