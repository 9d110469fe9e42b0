/** Where an applier's objects go and in whose name: `spec.kubeConfig` and `spec.serviceAccountName`, as Flux reads them. */

import { createHash } from 'node:crypto';
import { actAs, type Cluster, type ClusterPool, serviceAccount } from '@capstan/engine-delivery';
import { connect, type KubeClient, parseKubeconfig } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import type { CloudIdentities } from './identity/cloud-identities.ts';
import { readTokenAccess } from './kubeconfig-map.ts';
import { readValues } from './read-secret.ts';
import type { FluxSettings } from './settings.ts';
import type { Tenancy } from './tenancy.ts';

export interface DestinationPorts {
  /** The cluster that the custom resources live in. */
  readonly client: KubeClient;
  readonly cluster: Cluster;
  /** Absent: only the own cluster is reconciled. */
  readonly clusters?: ClusterPool;
  readonly tenancy: Tenancy;
  /** Of clouds, for clusters that are theirs. */
  readonly identities: CloudIdentities;
  readonly settings?: FluxSettings;
}

/** A Kustomization or a HelmRelease, as far as it says where it goes. */
export interface Applier {
  readonly kind: string;
  readonly metadata: KubeObject['metadata'];
  readonly spec: { readonly kubeConfig?: JsonObject; readonly serviceAccountName?: string };
}

/**
 * The cluster with the identity to act as. Throws a CapstanError of kind `wait` for a Secret that is missing, and refuses a
 * kubeconfig that would run a program, read a file, or trust a server unseen. A named account that does not exist is the
 * API server's to refuse: nothing falls back to the controller's own rights.
 */
export async function openDestination(
  applier: Applier,
  ports: DestinationPorts,
  signal: AbortSignal,
): Promise<Cluster> {
  const { metadata, spec } = applier;
  const cluster =
    spec.kubeConfig === undefined ? ports.cluster : await openRemote(applier, ports, signal);
  const account = accountOf(applier, ports.tenancy);
  return account === ''
    ? cluster
    : actAs(cluster, serviceAccount(metadata.namespace ?? '', account));
}

/** The service account to act as; '' for the controller itself. */
export function accountOf({ spec }: Applier, { defaultServiceAccount = '' }: Tenancy): string {
  return spec.serviceAccountName || defaultServiceAccount;
}

/** Whether the account to act as is still there; without it nothing can be deleted in its name. */
export async function canActAs(
  applier: Applier,
  { client, tenancy }: DestinationPorts,
  signal: AbortSignal,
): Promise<boolean> {
  const name = accountOf(applier, tenancy);
  if (name === '' || applier.spec.kubeConfig !== undefined) return true;
  const { namespace = '' } = applier.metadata;
  const ref = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
  return (await client.find(ref, { signal })) !== undefined;
}

async function openRemote(
  { kind, metadata, spec }: Applier,
  ports: DestinationPorts,
  signal: AbortSignal,
): Promise<Cluster> {
  const { client, clusters } = ports;
  const { namespace = '' } = metadata;
  const secret = referenceOf(spec.kubeConfig?.['secretRef']);
  const map = referenceOf(spec.kubeConfig?.['configMapRef']);
  if (clusters === undefined || (secret === undefined && map === undefined)) {
    throw new CapstanError(
      'SPEC_INVALID',
      'spec.kubeConfig names neither a Secret nor a ConfigMap',
      { hint: 'name a Secret with a kubeconfig in spec.kubeConfig.secretRef' },
    );
  }
  if (secret === undefined) {
    const name = map?.name ?? '';
    const involved = {
      ...{ kind, name: metadata.name ?? '', namespace },
      operation: 'fetch_kubeconfig' as const,
    };
    const access = await readTokenAccess({ namespace, name }, { ...ports, involved }, signal);
    return clusters.use(`kubeconfig map ${namespace}/${name}`, access);
  }
  const place = `${namespace}/${secret.name}`;
  const origin = `Secret '${place}'`;
  const words = kind === 'HelmRelease' ? HELM_WORDS : KUSTOMIZE_WORDS;
  const ref = { kind: 'Secret' as const, namespace, name: secret.name, optional: false };
  const values = await readValues(client, ref, { signal }).catch((cause: unknown) => {
    if (!(cause instanceof CapstanError) || cause.code !== 'SECRET_MISSING') throw cause;
    const message = words.unread(place, cause.message);
    throw new CapstanError('KUBECONFIG_MISSING', message, { kind: 'wait', cause });
  });
  const text = pickKubeconfig(values ?? new Map(), secret.key, (keys) =>
    words.keyless(place, keys),
  );
  const fingerprint = createHash('sha256').update(text).digest('hex');
  return clusters.use(`kubeconfig ${namespace}/${secret.name}/${secret.key}`, {
    fingerprint,
    connect: () => connect(parseKubeconfig(text, { origin })),
  });
}

/** What each of the original's controllers says of a Secret without a kubeconfig. */
interface SecretWords {
  readonly unread: (place: string, why: string) => string;
  readonly keyless: (place: string, keys: readonly string[]) => string;
}

const KUSTOMIZE_WORDS: SecretWords = {
  unread: (place, why) => `unable to read KubeConfig secret '${place}' error: ${why}`,
  keyless: (place, [first = '']) =>
    `KubeConfig secret '${place}' does not contain a '${first}' key with a kubeconfig`,
};
const HELM_WORDS: SecretWords = {
  unread: (place, why) => `could not get KubeConfig secret '${place}': ${why}`,
  keyless: (place, keys) =>
    `KubeConfig secret '${place}' does not contain a ${keys.map((key) => `'${key}'`).join(' or ')} key with data`,
};

function pickKubeconfig(
  values: ReadonlyMap<string, string>,
  key: string,
  keyless: (keys: readonly string[]) => string,
): string {
  const keys = key === '' ? ['value', 'value.yaml'] : [key];
  for (const name of keys) {
    const text = values.get(name);
    if (text !== undefined) return text;
  }
  throw new CapstanError('KUBECONFIG_MISSING', keyless(keys), {
    kind: 'wait',
    hint: 'add the key, or name another one in spec.kubeConfig.secretRef.key',
  });
}

function referenceOf(value: unknown): { readonly name: string; readonly key: string } | undefined {
  if (typeof value !== 'object' || value === null || !('name' in value)) return undefined;
  const key = 'key' in value && typeof value.key === 'string' ? value.key : '';
  return typeof value.name === 'string' ? { name: value.name, key } : undefined;
}
