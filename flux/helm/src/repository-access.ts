/** How a HelmRepository is reached: credentials and trust from its Secrets, as Flux's source-controller reads them. */
import type { HelmRepository } from '@capstan/flux-api';
import {
  basicLoginOf,
  type Certificates,
  type CloudIdentities,
  certificatesOf,
  type FluxSettings,
  findSecret,
  parseDurationMs,
  type SecretData,
  type SecretReader,
  textOf,
} from '@capstan/flux-controllers';
import type { KubeClient } from '@capstan/kube-client';
import type { RepositoryOptions } from '@capstan/kube-helm';
import { type Credentials, createHttpGet, registryCredentials } from '@capstan/lib-oci';
import { CapstanError } from '@capstan/lib-std';

const TIMEOUT_DEFAULT = '1m0s';

export interface RepositoryAccess extends AsyncDisposable {
  readonly options: RepositoryOptions;
}

/** Throws AUTH_SECRET for a Secret that is missing, or holds half of what it must, and for a cloud's identity that does not log in. */
export async function openAccess(
  repository: HelmRepository,
  {
    client,
    identities,
    settings = {},
    signal,
  }: {
    readonly client: KubeClient;
    readonly identities: CloudIdentities;
    readonly settings?: FluxSettings;
    readonly signal: AbortSignal;
  },
): Promise<RepositoryAccess> {
  const { spec, metadata } = repository;
  const { namespace = '' } = metadata;
  const { helmIndexBytesMax, helmChartBytesMax } = settings;
  const reader = { client, namespace, signal };
  const { certSecretRef, secretRef } = spec;
  const trust = certSecretRef && (await readTrust(certSecretRef.name, reader));
  const login = secretRef && (await readLogin(repository, secretRef.name, reader));
  const credentials = login ? login.credentials : await cloudLogin(repository, identities);
  const timeoutMs = parseDurationMs(spec.timeout ?? TIMEOUT_DEFAULT, 'spec.timeout');
  const { get, close } = createHttpGet({ timeoutMs, ...(trust ?? login?.certificates) });
  const options: RepositoryOptions = {
    get,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    passCredentials: spec.passCredentials === true,
    plainHttp: spec.insecure === true,
    ...(helmIndexBytesMax === undefined ? {} : { indexBytesMax: helmIndexBytesMax }),
    ...(helmChartBytesMax === undefined ? {} : { chartBytesMax: helmChartBytesMax }),
    ...(credentials === undefined ? {} : { credentials }),
  };
  return { options, [Symbol.asyncDispose]: close };
}

/** By the identity of this process, where a registry is one of a cloud. */
async function cloudLogin(
  { spec, metadata }: HelmRepository,
  identities: CloudIdentities,
): Promise<Credentials | undefined> {
  const { type, provider = 'generic', url } = spec;
  if (type !== 'oci' || provider === 'generic' || provider === '') return undefined;
  const bearer = { namespace: metadata.namespace ?? '' };
  const registry = url.replace(/^oci:\/\//, '');
  return await identities.registryLogin(provider, registry, bearer).catch((cause: unknown) => {
    if (!(cause instanceof CapstanError) || cause.kind === 'bug') throw cause;
    const message = `unable to get authentication data from OIDC: ${cause.message}`;
    throw new CapstanError('AUTH_SECRET', message, { kind: 'retry', cause });
  });
}

/** Certificates of `spec.certSecretRef`, which go before those of the login's Secret. */
async function readTrust(name: string, reader: SecretReader): Promise<Certificates> {
  const place = `${reader.namespace}/${name}`;
  const data = await requireSecret(name, { reader, what: 'TLS authentication secret' });
  return worded("failed to construct Helm client's TLS config: ", () =>
    certificatesOf(data, place),
  );
}

/** What `spec.secretRef` holds: a login, and certificates where there are any. */
async function readLogin(
  { spec }: HelmRepository,
  name: string,
  reader: SecretReader,
): Promise<{
  readonly credentials: Credentials | undefined;
  readonly certificates: Certificates;
}> {
  const place = `${reader.namespace}/${name}`;
  const data = await requireSecret(name, { reader, what: 'authentication secret' });
  return worded('failed to detect authentication methods: ', () => {
    const basic = basicLoginOf(data, place);
    const hasTrust = [...CERTIFICATE_KEYS].some((key) => textOf(data, key) !== undefined);
    const certificates = hasTrust ? certificatesOf(data, place) : {};
    const config = spec.type === 'oci' ? textOf(data, '.dockerconfigjson') : undefined;
    const credentials =
      config === undefined ? basic : dockerCredentials(config, spec.url, { name });
    return { credentials, certificates };
  });
}

const CERTIFICATE_KEYS = ['ca.crt', 'caFile', 'tls.crt', 'certFile', 'tls.key', 'keyFile'];

async function requireSecret(
  name: string,
  { reader, what }: { readonly reader: SecretReader; readonly what: string },
): Promise<SecretData> {
  const found = await findSecret(reader, name);
  if (found !== undefined) return found;
  throw new CapstanError(
    'AUTH_SECRET',
    `failed to get ${what} '${reader.namespace}/${name}': secrets "${name}" not found`,
    { kind: 'retry' },
  );
}

/** Tells what was read when it failed. */
function worded<T>(prefix: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CapstanError) || error.code !== 'SECRET_INVALID') throw error;
    throw new CapstanError('AUTH_SECRET', `${prefix}${error.message}`, { kind: 'retry' });
  }
}

/** Those of a Docker configuration for the registry, or the host, of a URL. */
function dockerCredentials(
  text: string,
  url: string,
  { name }: { readonly name: string },
): Credentials | undefined {
  const { host, pathname } = new URL(url.replace(/^oci:/, 'https:'));
  const prefix = 'failed to configure OCI registry authentication: ';
  let found: Credentials | undefined;
  try {
    const repository = pathname.replaceAll(/^\/|\/$/g, '');
    found = registryCredentials(text, { registry: host, repository });
  } catch {
    // Without its cause: that could quote the Secret.
    const message = `${prefix}unable to load Docker config from Secret '${name}'`;
    throw new CapstanError('AUTH_SECRET', message, { kind: 'retry' });
  }
  if (found !== undefined) return found;
  const message = `${prefix}no auth config for '${host}' in the docker-registry Secret '${name}'`;
  throw new CapstanError('AUTH_SECRET', message, { kind: 'retry' });
}
