/**
 * `spec.kubeConfig.configMapRef`: a cluster that is reached with a token of this cluster instead of a stored kubeconfig
 * (Flux's documentation: "Kustomization", "Secret-less authentication"). Tokens are asked for when they are needed, are
 * renewed before they expire, and are never kept elsewhere.
 */
import { createHash } from 'node:crypto';
import type { ClusterAccess } from '@capstan/engine-delivery';
import {
  type ClusterConnection,
  type Credential,
  type Credentials,
  connect,
  type KubeClient,
} from '@capstan/kube-client';
import { systemClock } from '@capstan/kube-controller';
import { CapstanError, type Clock } from '@capstan/lib-std';
import {
  OWN_TOKEN_FILE,
  ownServiceAccount,
  requestServiceToken,
  type ServiceAccountName,
} from './identity/service-tokens.ts';
import { readValues } from './read-secret.ts';
import type { FluxSettings } from './settings.ts';

export interface TokenAccessPorts {
  /** The cluster that gives the tokens out. */
  readonly client: KubeClient;
  readonly settings?: FluxSettings;
  readonly clock?: Clock;
}

/** What the ConfigMap says: `provider`, `address`, `ca.crt`, `serviceAccountName`, `audiences`. */
export async function readTokenAccess(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { client, settings = {}, clock = systemClock() }: TokenAccessPorts,
  signal: AbortSignal,
): Promise<ClusterAccess> {
  const origin = `ConfigMap '${namespace}/${name}'`;
  const values = await readMap(client, { namespace, name }, signal);
  const provider = values.get('provider') ?? '';
  if (provider !== 'generic') throw refuseProvider(provider, origin);
  const address = values.get('address') ?? '';
  const server = parseAddress(address, origin);
  const account = await accountOf(values, namespace, { client, settings, signal });
  const told = (values.get('audiences') ?? '').split('\n').map((line) => line.trim());
  const audiences = told.filter((audience) => audience !== '');
  const ca = values.get('ca.crt') ?? '';
  const connection: ClusterConnection = {
    server,
    ...(ca === '' ? {} : { certificateAuthority: ca }),
    credentials: accountTokens(
      client,
      { ...account, audiences: audiences.length === 0 ? [address] : audiences },
      clock,
    ),
    origin,
    namespace: 'default',
  };
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([...values, account]))
    .digest('hex');
  return { fingerprint, connect: () => connect(connection) };
}

async function readMap(
  client: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const ref = { kind: 'ConfigMap' as const, namespace, name, optional: true };
  const values = await readValues(client, ref, { signal });
  if (values !== undefined) return values;
  throw new CapstanError(
    'KUBECONFIG_MISSING',
    `failed to get configmap ${namespace}/${name}: configmaps "${name}" not found`,
    { kind: 'wait', hint: 'create the ConfigMap that spec.kubeConfig.configMapRef names' },
  );
}

const CLOUDS = new Set(['aws', 'azure', 'gcp']);

function refuseProvider(provider: string, origin: string): CapstanError {
  return CLOUDS.has(provider)
    ? new CapstanError('KUBECONFIG_INVALID', `${origin}: provider '${provider}' is not supported`, {
        kind: 'wait',
        hint: "use provider 'generic' with a trust of this cluster's tokens, or a kubeconfig in a Secret",
      })
    : new CapstanError('KUBECONFIG_INVALID', `provider '${provider}' not implemented`, {
        kind: 'wait',
        hint: `set data.provider of ${origin} to generic`,
      });
}

/** `https://host:port`, in lower case; nothing but https is taken. */
export function parseAddress(address: string, origin: string): string {
  const refuse = (message: string) =>
    new CapstanError('KUBECONFIG_INVALID', message, {
      kind: 'wait',
      hint: `set data.address of ${origin} to the https address of the API server`,
    });
  if (address === '') throw refuse('cluster address is required to create a REST config');
  const full = address.startsWith('http') ? address : `https://${address}`;
  const what = `the Kubernetes API server address '${address}'`;
  if (!URL.canParse(full)) throw refuse(`failed to parse ${what.slice(4)}`);
  const { protocol, hostname, port } = new URL(full);
  if (protocol !== 'https:') throw refuse(`${what} must use https scheme`);
  return `https://${hostname.toLowerCase()}:${port === '' ? '443' : port}`;
}

/** The service account whose token it is: named, the default of tenants, or that of this process. */
async function accountOf(
  values: ReadonlyMap<string, string>,
  namespace: string,
  {
    client,
    settings,
    signal,
  }: {
    readonly client: KubeClient;
    readonly settings: FluxSettings;
    readonly signal: AbortSignal;
  },
): Promise<ServiceAccountName> {
  const { defaultKubeConfigAccount = '', objectIdentities } = settings;
  const named = values.get('serviceAccountName') ?? '';
  const name = named === '' ? defaultKubeConfigAccount : named;
  if (name === '') return ownAccount();
  if (objectIdentities !== true) {
    throw new CapstanError(
      'KUBECONFIG_INVALID',
      'ObjectLevelWorkloadIdentity feature gate is not enabled',
      { kind: 'wait', hint: 'start with --feature-gates=ObjectLevelWorkloadIdentity=true' },
    );
  }
  const ref = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
  if ((await client.find(ref, { signal })) !== undefined) return { namespace, name };
  const why =
    named === ''
      ? 'the specified default service account does not exist in the object namespace. your cluster is subject to multi-tenant workload identity lockdown, reach out to your cluster administrator for help'
      : `serviceaccounts "${name}" not found`;
  throw new CapstanError(
    'KUBECONFIG_MISSING',
    `failed to get service account '${namespace}/${name}': ${why}`,
    { kind: 'wait', hint: `create it: kubectl -n ${namespace} create serviceaccount ${name}` },
  );
}

async function ownAccount(): Promise<ServiceAccountName> {
  const account = await ownServiceAccount();
  if (account !== undefined) return account;
  throw new CapstanError(
    'KUBECONFIG_INVALID',
    `failed to read service account token file ${OWN_TOKEN_FILE}`,
    { kind: 'wait', hint: 'name a service account in data.serviceAccountName of the ConfigMap' },
  );
}

/** A token is renewed when a fifth of its life is left, or when the other side refuses it. */
function accountTokens(
  client: KubeClient,
  account: ServiceAccountName & { readonly audiences: readonly string[] },
  clock: Clock,
): Credentials {
  let held: { readonly credential: Credential; readonly renewAtMs: number } | undefined;
  return {
    async current({ signal }) {
      if (held !== undefined && clock.now() < held.renewAtMs) return held.credential;
      const { token, expiresAtMs } = await requestServiceToken(client, account, signal);
      const nowMs = clock.now();
      const credential = { headers: { authorization: `Bearer ${token}` } };
      held = { credential, renewAtMs: nowMs + (expiresAtMs - nowMs) * 0.8 };
      return credential;
    },
    rejected(credential) {
      if (held?.credential === credential) held = undefined;
    },
  };
}
