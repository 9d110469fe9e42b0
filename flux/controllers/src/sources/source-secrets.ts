import { isNotFound, type KubeClient } from '@capstan/kube-client';
import { CapstanError } from '@capstan/lib-std';
import { type Certificates, certificatesOf, proxyOf, type SecretData } from './secret-contents.ts';
import { fetchFailure, SourceFailure } from './source-outcome.ts';

/** Reads Secrets of one namespace, and says in the original's words what is wrong with them. */
export interface SecretReader {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/** The values of a Secret that has to be there. `prefix` says what it is for. */
export async function readSecret(
  reader: SecretReader,
  name: string,
  prefix = `failed to get secret '${reader.namespace}/${name}': `,
): Promise<SecretData> {
  const found = await findSecret(reader, name);
  if (found !== undefined) return found;
  throw fetchFailure('AuthenticationFailed', `${prefix}secrets "${name}" not found`);
}

/** The values of a Secret; undefined when there is none. */
export async function findSecret(
  { client, namespace, signal }: SecretReader,
  name: string,
): Promise<SecretData | undefined> {
  const found = await client
    .find({ apiVersion: 'v1', kind: 'Secret', namespace, name }, { signal })
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  return found === undefined ? undefined : secretData(found['data']);
}

export function secretData(data: unknown): SecretData {
  if (typeof data !== 'object' || data === null) return new Map();
  return new Map(
    Object.entries(data).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, Buffer.from(value, 'base64')] as const] : [],
    ),
  );
}

/** The proxy of `spec.proxySecretRef`. */
export async function readProxy(
  reader: SecretReader,
  ref: { readonly name: string } | undefined,
  prefix: string,
): Promise<string | undefined> {
  if (ref === undefined) return undefined;
  return await readContents(reader, ref, { prefix, read: proxyOf });
}

/** Certificates of `spec.certSecretRef`. */
export async function readCertificates(
  reader: SecretReader,
  ref: { readonly name: string } | undefined,
  prefix: string,
): Promise<Certificates> {
  if (ref === undefined) return {};
  return await readContents(reader, ref, { prefix, read: certificatesOf });
}

/** Secrets whose contents the original reads by its common functions, which name a missing one in words of their own. */
async function readContents<T>(
  reader: SecretReader,
  { name }: { readonly name: string },
  options: {
    readonly prefix: string;
    readonly read: (data: SecretData, place: string) => T;
  },
): Promise<T> {
  const place = `${reader.namespace}/${name}`;
  const { prefix, read } = options;
  const data = await findSecret(reader, name);
  if (data === undefined) {
    throw fetchFailure('AuthenticationFailed', `${prefix}secret '${place}' not found`);
  }
  try {
    return read(data, place);
  } catch (error) {
    if (!(error instanceof CapstanError) || error.kind === 'bug') throw error;
    throw fetchFailure('AuthenticationFailed', `${prefix}${error.message}`);
  }
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
