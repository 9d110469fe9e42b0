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
import { parseAddress } from './cluster-address.ts';
import type { Bearer, CloudCluster, CloudIdentities } from './identity/cloud-identities.ts';
import {
  OWN_TOKEN_FILE,
  ownServiceAccount,
  requestServiceToken,
  type ServiceAccountName,
} from './identity/service-tokens.ts';
import type { InvolvedObject } from './identity/token-cache.ts';
import { readValues } from './read-secret.ts';
import type { FluxSettings } from './settings.ts';

export interface TokenAccessPorts {
  /** The cluster that gives the tokens out. */
  readonly client: KubeClient;
  readonly identities: CloudIdentities;
  readonly settings?: FluxSettings;
  readonly clock?: Clock;
  /** Whose cluster it is: what a token is asked for is counted for it. */
  readonly involved?: InvolvedObject;
}

/** What the ConfigMap says: `provider`, `cluster`, `address`, `ca.crt`, `serviceAccountName`, `audiences`. */
export async function readTokenAccess(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  ports: TokenAccessPorts,
  signal: AbortSignal,
): Promise<ClusterAccess> {
  const { client, settings = {}, clock = systemClock() } = ports;
  const origin = `ConfigMap '${namespace}/${name}'`;
  const values = await readMap(client, { namespace, name }, signal);
  const provider = values.get('provider') ?? '';
  if (provider === 'aws' || provider === 'azure' || provider === 'gcp') {
    return await openCloudCluster(provider, values, { ports, namespace, origin });
  }
  if (provider !== 'generic') throw refuseProvider(provider, origin);
  const address = values.get('address') ?? '';
  const server = parseAddress(address, origin);
  const account = await accountOf(values, namespace, { client, settings, signal });
  const told = (values.get('audiences') ?? '').split('\n').map((line) => line.trim());
  const audiences = told.filter((audience) => audience !== '');
  const bearer = { ...account, audiences: audiences.length === 0 ? [address] : audiences };
  const ca = values.get('ca.crt') ?? '';
  const connection: ClusterConnection = {
    server,
    ...(ca === '' ? {} : { certificateAuthority: ca }),
    credentials: renewed((asked) => requestServiceToken(client, bearer, asked), clock),
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

function refuseProvider(provider: string, origin: string): CapstanError {
  return new CapstanError('KUBECONFIG_INVALID', `provider '${provider}' not implemented`, {
    kind: 'wait',
    hint: `set data.provider of ${origin} to generic, aws, azure or gcp`,
  });
}

/** A cluster of a cloud: what the ConfigMap does not say of it the cloud does. */
async function openCloudCluster(
  provider: CloudCluster['provider'],
  values: ReadonlyMap<string, string>,
  {
    ports,
    namespace,
    origin,
  }: {
    readonly ports: TokenAccessPorts;
    readonly namespace: string;
    readonly origin: string;
  },
): Promise<ClusterAccess> {
  const { identities, settings = {}, clock = systemClock() } = ports;
  const wanted: CloudCluster = {
    provider,
    cluster: values.get('cluster') ?? '',
    address: values.get('address') ?? '',
    certificateAuthority: values.get('ca.crt') ?? '',
  };
  const { defaultKubeConfigAccount } = settings;
  const bearer: Bearer = {
    namespace,
    serviceAccountName: values.get('serviceAccountName') ?? '',
    ...(defaultKubeConfigAccount === undefined ? {} : { defaultAccount: defaultKubeConfigAccount }),
  };
  const { involved } = ports;
  const counted = involved === undefined ? bearer : { ...bearer, involved };
  const { address, certificateAuthority } = await identities.counted(counted, async (inner) => {
    const place = await identities.clusterPlace(wanted, inner);
    // Whoever may not have a token is told at once.
    await identities.clusterToken(wanted, inner);
    return place;
  });
  const connection: ClusterConnection = {
    server: parseAddress(address, origin),
    ...(certificateAuthority === '' ? {} : { certificateAuthority }),
    credentials: renewed(() => identities.clusterToken(wanted, bearer), clock),
    origin,
    namespace: 'default',
  };
  const parts = [wanted, bearer, address, certificateAuthority];
  const fingerprint = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return { fingerprint, connect: () => connect(connection) };
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
function renewed(
  ask: (
    signal: AbortSignal | undefined,
  ) => Promise<{ readonly token: string; readonly expiresAtMs: number }>,
  clock: Clock,
): Credentials {
  let held: { readonly credential: Credential; readonly renewAtMs: number } | undefined;
  return {
    async current({ signal }) {
      if (held !== undefined && clock.now() < held.renewAtMs) return held.credential;
      const { token, expiresAtMs } = await ask(signal);
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
