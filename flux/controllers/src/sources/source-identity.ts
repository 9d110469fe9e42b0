import type { ObjectMeta } from '@capstan/kube-object';
import type { Bearer, CloudIdentities } from '../identity/cloud-identities.ts';
import { type FailedOutcome, SourceFailure } from './source-outcome.ts';

/** Throws a SourceFailure for an object that names a service account whose identity may not be used here. */
export function requireIdentities(
  serviceAccountName: string | undefined,
  { isObjectLevel }: CloudIdentities,
  condition: FailedOutcome['condition'] = 'FetchFailed',
): void {
  if (!serviceAccountName || isObjectLevel) return;
  throw new SourceFailure({
    condition,
    reason: 'FeatureGateDisabled',
    message:
      'to use spec.serviceAccountName for provider authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller',
    response: 'stall',
  });
}

/** Whose identity opens a source: of the account that it names, or that stands in for it, or of this process. */
export function bearerOf(
  source: {
    readonly kind: string;
    readonly metadata: ObjectMeta;
    readonly spec: { readonly serviceAccountName?: string };
  },
  options: { readonly proxy: string | undefined; readonly identities: CloudIdentities },
): Bearer {
  const { serviceAccountName } = source.spec;
  const { proxy, identities } = options;
  const { sourceAccount } = identities;
  const { namespace = '', name = '' } = source.metadata;
  return {
    namespace,
    involved: { kind: source.kind, name, namespace, operation: 'reconcile' },
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(sourceAccount === undefined ? {} : { defaultAccount: sourceAccount }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}
