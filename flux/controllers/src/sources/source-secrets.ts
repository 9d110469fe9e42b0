import type { SourceAuth } from '@capstan/engine-source';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import { fetchFailure, SourceFailure } from './source-outcome.ts';

/** Reads Secrets of one namespace, and says in the original's words what is wrong with them. */
export interface SecretReader {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

export type SecretData = ReadonlyMap<string, Buffer>;

/** The values of a Secret that has to be there. `prefix` says what it is for. */
export async function readSecret(
  { client, namespace, signal }: SecretReader,
  name: string,
  prefix = `failed to get secret '${namespace}/${name}': `,
): Promise<SecretData> {
  const found = await client
    .find({ apiVersion: 'v1', kind: 'Secret', namespace, name }, { signal })
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  if (found !== undefined) return secretData(found['data']);
  throw fetchFailure('AuthenticationFailed', `${prefix}secrets "${name}" not found`);
}

export function secretData(data: unknown): SecretData {
  if (typeof data !== 'object' || data === null) return new Map();
  return new Map(
    Object.entries(data).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, Buffer.from(value, 'base64')] as const] : [],
    ),
  );
}

/** A value as text; undefined when it is absent or empty. */
export function textOf(data: SecretData | undefined, key: string): string | undefined {
  const value = data?.get(key)?.toString('utf8');
  return value === '' ? undefined : value;
}

/** The proxy of `spec.proxySecretRef`: its address, with user and password when they are there. */
export async function readProxy(
  reader: SecretReader,
  ref: { readonly name: string } | undefined,
  prefix: string,
): Promise<string | undefined> {
  if (ref === undefined) return undefined;
  const place = `${reader.namespace}/${ref.name}`;
  const data = await readSecret(reader, ref.name, `${prefix}failed to get secret '${place}': `);
  const address = textOf(data, 'address');
  const fail = (why: string) =>
    fetchFailure('AuthenticationFailed', `${prefix}secret '${place}': ${why}`);
  if (address === undefined) throw fail("key 'address' not found");
  if (!URL.canParse(address)) throw fail('the proxy address is no URL');
  const url = new URL(address);
  if (!/^https?:$/.test(url.protocol)) throw fail('the proxy address must be an http or https URL');
  const [username, password] = [textOf(data, 'username'), textOf(data, 'password')];
  if (username !== undefined) url.username = encodeURIComponent(username);
  if (username !== undefined && password !== undefined) url.password = encodeURIComponent(password);
  return url.href;
}

/** Certificates of `spec.certSecretRef`: `ca.crt`, and `tls.crt` with `tls.key`; older names as well. */
export async function readCertificates(
  reader: SecretReader,
  ref: { readonly name: string } | undefined,
  prefix: string,
): Promise<Pick<SourceAuth, 'caCertificate' | 'clientCertificate' | 'clientKey'>> {
  if (ref === undefined) return {};
  const place = `${reader.namespace}/${ref.name}`;
  const data = await readSecret(reader, ref.name, `${prefix}failed to get secret '${place}': `);
  const caCertificate = textOf(data, 'ca.crt') ?? textOf(data, 'caFile');
  const clientCertificate = textOf(data, 'tls.crt') ?? textOf(data, 'certFile');
  const clientKey = textOf(data, 'tls.key') ?? textOf(data, 'keyFile');
  if ((clientCertificate === undefined) !== (clientKey === undefined)) {
    throw fetchFailure(
      'AuthenticationFailed',
      `${prefix}secret '${place}' must contain both 'tls.crt' and 'tls.key' for a client certificate`,
    );
  }
  if (caCertificate === undefined && clientCertificate === undefined) {
    throw fetchFailure(
      'AuthenticationFailed',
      `${prefix}secret '${place}' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'`,
    );
  }
  return {
    ...(caCertificate === undefined ? {} : { caCertificate }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(clientKey === undefined ? {} : { clientKey }),
  };
}

/** As `readSecret`, for the keys of a verification. */
export async function readKeys(
  reader: SecretReader,
  name: string,
  { reason, prefix }: { readonly reason: string; readonly prefix: string },
): Promise<SecretData> {
  try {
    return await readSecret(reader, name, prefix);
  } catch (error) {
    if (!(error instanceof SourceFailure)) throw error;
    throw new SourceFailure({ ...error.outcome, condition: 'SourceVerified', reason }, error);
  }
}
