/** How a HelmRepository is reached: credentials and trust from its Secrets, as Flux's source-controller reads them. */
import type { HelmRepository } from '@capstan/flux-api';
import { type CloudIdentities, parseDurationMs } from '@capstan/flux-controllers';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
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
    signal,
  }: {
    readonly client: KubeClient;
    readonly identities: CloudIdentities;
    readonly signal: AbortSignal;
  },
): Promise<RepositoryAccess> {
  const { spec, metadata } = repository;
  const { namespace = '' } = metadata;
  const read = (name: string, what: string) =>
    readSecret(client, { namespace, name, what }, signal);
  const trust =
    spec.certSecretRef === undefined
      ? undefined
      : await read(spec.certSecretRef.name, 'TLS authentication secret');
  const login =
    spec.secretRef === undefined
      ? undefined
      : await read(spec.secretRef.name, 'authentication secret');
  const credentials =
    login === undefined
      ? await cloudLogin(repository, identities)
      : credentialsOf(login, spec.url, `${namespace}/${spec.secretRef?.name}`);
  const timeoutMs = parseDurationMs(spec.timeout ?? TIMEOUT_DEFAULT, 'spec.timeout');
  const { get, close } = createHttpGet({ timeoutMs, ...tlsOf(trust ?? login ?? new Map()) });
  const options: RepositoryOptions = {
    get,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    passCredentials: spec.passCredentials === true,
    plainHttp: spec.insecure === true,
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

type SecretValues = ReadonlyMap<string, string>;

async function readSecret(
  client: KubeClient,
  ref: { readonly namespace: string; readonly name: string; readonly what: string },
  signal: AbortSignal,
): Promise<SecretValues> {
  const { namespace, name, what } = ref;
  const fail = (reason: string): CapstanError =>
    new CapstanError('AUTH_SECRET', `failed to get ${what} '${namespace}/${name}': ${reason}`, {
      kind: 'retry',
    });
  try {
    const found = await client.find(
      { apiVersion: 'v1', kind: 'Secret', namespace, name },
      { signal },
    );
    if (found === undefined) throw fail(`secrets "${name}" not found`);
    return new Map(
      Object.entries((found['data'] ?? {}) as Readonly<Record<string, unknown>>).flatMap(
        ([key, value]) =>
          typeof value === 'string'
            ? [[key, Buffer.from(value, 'base64').toString('utf8')] as const]
            : [],
      ),
    );
  } catch (error) {
    if (isNotFound(error)) throw fail(`secrets "${name}" not found`);
    throw error;
  }
}

function credentialsOf(values: SecretValues, url: string, secret: string): Credentials | undefined {
  const config = values.get('.dockerconfigjson');
  if (config !== undefined) return dockerCredentials(config, url);
  const username = values.get('username');
  const password = values.get('password');
  if (username === undefined && password === undefined) return undefined;
  if (username === undefined || password === undefined) {
    const missing = username === undefined ? 'username' : 'password';
    throw new CapstanError(
      'AUTH_SECRET',
      `failed to detect authentication methods: secret '${secret}': key '${missing}' not found`,
      { kind: 'retry' },
    );
  }
  return { username, password };
}

/** Those of a Docker configuration for the registry, or the host, of a URL. */
function dockerCredentials(text: string, url: string): Credentials | undefined {
  const { host, pathname } = new URL(url.replace(/^oci:/, 'https:'));
  try {
    const repository = pathname.replaceAll(/^\/|\/$/g, '');
    return registryCredentials(text, { registry: host, repository });
  } catch {
    // Without its cause: that could quote the Secret.
    const message = 'the Docker configuration in the Secret is no JSON';
    throw new CapstanError('AUTH_SECRET', message, { kind: 'retry' });
  }
}

function tlsOf(values: SecretValues) {
  const pick = (...names: readonly string[]): string | undefined =>
    names.map((name) => values.get(name)).find((value) => value !== undefined && value !== '');
  const caCertificate = pick('ca.crt', 'caFile');
  const clientCertificate = pick('tls.crt', 'certFile');
  const clientKey = pick('tls.key', 'keyFile');
  return {
    ...(caCertificate === undefined ? {} : { caCertificate }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(clientKey === undefined ? {} : { clientKey }),
  };
}
