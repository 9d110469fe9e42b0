import { cloneJson, equalJson, expressionWarnings, objectAt } from '@capstan/kube-apiserver';
import type { Controller } from '../control-loop.ts';

const POLICIES = 'admissionregistration.k8s.io/v1/validatingadmissionpolicies';

/** ValidatingAdmissionPolicies: whether their expressions fit the kinds that they are about. */
export const policyStatusController: Controller = {
  name: 'validatingadmissionpolicy-status-controller',
  keysFor: ({ bucket, key, removed }) =>
    bucket === 'admissionregistration.k8s.io/validatingadmissionpolicies' && !removed ? [key] : [],
  reconcile(key, { client, core }) {
    const policy = client.get(POLICIES, '', key);
    if (policy === undefined) return;
    const old = objectAt(policy, 'status');
    const generation = policy.metadata.generation ?? 1;
    if (Number(old['observedGeneration'] ?? 0) >= generation) return;
    const warnings = expressionWarnings(core, policy);
    const status = {
      ...old,
      observedGeneration: generation,
      typeChecking: warnings.length === 0 ? {} : { expressionWarnings: warnings },
    };
    if (equalJson(status, old)) return;
    client.updateStatus(POLICIES, { ...cloneJson(policy), status: cloneJson(status) });
  },
};
