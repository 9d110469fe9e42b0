/** What the annotations of a service account say of its identity at a cloud (Flux's documentation: "Workload identity"). */
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';

const ROLE_ARN = /^arn:aws[\w-]*:iam::[0-9]{1,30}:role\/.{1,200}$/;
const EMAIL = /^[a-zA-Z0-9-]{1,100}@[a-zA-Z0-9-]{1,100}\.iam\.gserviceaccount\.com$/;
const PROVIDER =
  /^projects\/\d{1,30}\/locations\/global\/workloadIdentityPools\/[^/]{1,100}\/providers\/[^/]{1,100}$/;

const annotation = ({ metadata }: KubeObject, key: string) => metadata.annotations?.[key] ?? '';

function invalid(message: string): CapstanError {
  return new CapstanError('IDENTITY_INVALID', message, { kind: 'wait' });
}

/** The role at Amazon. Throws IDENTITY_INVALID. */
export function roleOf(account: KubeObject): string {
  const key = 'eks.amazonaws.com/role-arn';
  const arn = annotation(account, key);
  if (ROLE_ARN.test(arn)) return arn;
  throw invalid(`invalid ${key} annotation: '${arn}'. must match ${ROLE_ARN.source}`);
}

/** Tenant and application at Microsoft. Throws IDENTITY_INVALID. */
export function applicationOf(account: KubeObject): {
  readonly tenantId: string;
  readonly clientId: string;
} {
  const read = (what: string, key: string) => {
    const value = account.metadata.annotations?.[key];
    if (value !== undefined) return value;
    throw invalid(`azure ${what} ID is not set in the service account annotation ${key}`);
  };
  return {
    tenantId: read('tenant', 'azure.workload.identity/tenant-id'),
    clientId: read('client', 'azure.workload.identity/client-id'),
  };
}

/** The service account at Google that is lent; undefined: the identity itself has the rights. Throws IDENTITY_INVALID. */
export function emailOf(account: KubeObject): string | undefined {
  const key = 'iam.gke.io/gcp-service-account';
  const email = annotation(account, key);
  if (email === '') return undefined;
  if (EMAIL.test(email)) return email;
  throw invalid(`invalid ${key} annotation: '${email}'. must match ${EMAIL.source}`);
}

/** The provider that trusts this cluster, where that is none of Google's own. Throws IDENTITY_INVALID. */
export function identityProviderOf(account: KubeObject): string | undefined {
  const key = 'gcp.auth.fluxcd.io/workload-identity-provider';
  const name = annotation(account, key);
  if (name === '') return undefined;
  if (PROVIDER.test(name)) return `//iam.googleapis.com/${name}`;
  throw invalid(`invalid ${key} annotation: '${name}'. must match ${PROVIDER.source}`);
}
