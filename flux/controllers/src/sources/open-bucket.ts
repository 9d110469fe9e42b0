/** What a Bucket's provider and Secrets lead to: its objects, however they are reached. */
import { S3Bucket, type S3Credentials } from '@capstan/engine-source/store';
import type { Bucket } from '@capstan/flux-api';
import type { KubeClient } from '@capstan/kube-client';
import {
  type AwsCredentials,
  AZURE_SCOPES,
  type AzureContainerKey,
  azureContainer,
  azureSecretToken,
  type BucketReader,
  googleBucket,
  googleFileToken,
  minioLdapLogin,
} from '@capstan/lib-clouds';
import { createHttpGet, type HttpGetOptions } from '@capstan/lib-oci';
import { CapstanError, type Clock } from '@capstan/lib-std';
import type { CloudIdentities } from '../identity/cloud-identities.ts';
import { type SecretData, textOf } from './secret-contents.ts';
import { bearerOf, requireIdentities } from './source-identity.ts';
import { describeError, fetchFailure } from './source-outcome.ts';
import { readCertificates, readProxy, readSecret, type SecretReader } from './source-secrets.ts';

export interface OpenBucketOptions {
  readonly client: KubeClient;
  readonly identities: CloudIdentities;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface OpenBucket extends AsyncDisposable {
  readonly bucket: BucketReader;
}

/** What all providers are given. */
interface Bench extends OpenBucketOptions {
  readonly object: Bucket;
  readonly secret: SecretData | undefined;
  readonly stsSecret: SecretData | undefined;
  readonly certificates: HttpGetOptions;
  readonly stsCertificates: HttpGetOptions;
  readonly proxy: string | undefined;
}

/** Throws a SourceFailure for what is missing or wrong, before the bucket itself is asked. */
export async function openBucket(object: Bucket, options: OpenBucketOptions): Promise<OpenBucket> {
  const { spec } = object;
  const { provider = 'generic' } = spec;
  if (provider !== 'generic') requireIdentities(spec.serviceAccountName, options.identities);
  const bench = await readSecrets(object, options);
  switch (provider) {
    case 'gcp':
      return { bucket: await openGoogle(bench), [Symbol.asyncDispose]: async () => undefined };
    case 'azure':
      return { bucket: await openAzure(bench), [Symbol.asyncDispose]: async () => undefined };
    default:
      return await openS3(bench);
  }
}

async function readSecrets(object: Bucket, options: OpenBucketOptions): Promise<Bench> {
  const { spec, metadata } = object;
  const { client, signal } = options;
  const { namespace = '' } = metadata;
  const reader: SecretReader = { client, namespace, signal };
  const read = async (ref: { readonly name: string } | undefined, what: string) =>
    ref === undefined
      ? undefined
      : await readSecret(reader, ref.name, `failed to get ${what} '${namespace}/${ref.name}': `);
  return {
    ...options,
    object,
    secret: await read(spec.secretRef, 'secret'),
    stsSecret: await read(spec.sts?.secretRef, 'STS secret'),
    proxy: await readProxy(reader, spec.proxySecretRef, 'failed to get proxy URL: '),
    certificates: await readCertificates(reader, spec.certSecretRef, 'failed to get TLS config: '),
    stsCertificates: await readCertificates(
      reader,
      spec.sts?.certSecretRef,
      'failed to get STS TLS config: ',
    ),
  };
}

function denied(message: string, cause?: unknown) {
  return fetchFailure('AuthenticationFailed', message, { cause });
}

/** Errors of the clouds on the way to credentials. */
async function credentialsOr<T>(prefix: string, asked: Promise<T>): Promise<T> {
  return await asked.catch((cause: unknown) => {
    if (!(cause instanceof CapstanError) || cause.kind === 'bug') throw cause;
    throw denied(`${prefix}${describeError(cause)}`, cause);
  });
}

async function openS3(bench: Bench): Promise<OpenBucket> {
  const { object, certificates, timeoutMs, proxy, signal, clock } = bench;
  const { spec } = object;
  const credentials = await s3Credentials(bench);
  if (!/^[A-Za-z0-9.-]+(?::\d+)?$|^\[[0-9a-fA-F:]+\](?::\d+)?$/.test(spec.endpoint)) {
    throw fetchFailure(
      'BucketOperationFailed',
      `the endpoint '${spec.endpoint}' must be a host, with a port if need be, without a scheme`,
    );
  }
  const { get, close } = createHttpGet({
    ...certificates,
    timeoutMs,
    ...(proxy === undefined ? {} : { proxy }),
  });
  const bucket = new S3Bucket({
    get,
    signal,
    now: () => clock.now(),
    endpoint: spec.endpoint,
    bucket: spec.bucketName,
    plainHttp: spec.insecure === true,
    ...(spec.region ? { region: spec.region } : {}),
    ...(credentials === undefined ? {} : { credentials }),
  });
  return { bucket, [Symbol.asyncDispose]: close };
}

async function s3Credentials(bench: Bench): Promise<S3Credentials | undefined> {
  const { object, secret, proxy, identities } = bench;
  const { spec } = object;
  const keys = secret === undefined ? undefined : staticKeys(spec.secretRef?.name ?? '', secret);
  checkSts(bench);
  if (keys !== undefined) return keys;
  if (spec.provider === 'aws') {
    const place = {
      ...(spec.region ? { region: spec.region } : {}),
      ...(spec.sts === undefined ? {} : { stsEndpoint: spec.sts.endpoint }),
    };
    const bearer = bearerOf(object, { proxy, identities });
    const asked = identities.aws(bearer, place);
    return toS3(await credentialsOr('AWS authentication failed: ', asked));
  }
  if (spec.sts === undefined) return undefined;
  const { stsSecret, stsCertificates, signal } = bench;
  const user = {
    endpoint: spec.sts.endpoint,
    username: textOf(stsSecret, 'username') ?? '',
    password: textOf(stsSecret, 'password') ?? '',
  };
  const access = { ...stsCertificates, signal, ...(proxy === undefined ? {} : { proxy }) };
  const login = minioLdapLogin(user, access);
  return toS3(
    await login.catch((cause: unknown) => {
      if (!(cause instanceof CapstanError) || cause.kind === 'bug') throw cause;
      // The original logs in with the first request.
      throw fetchFailure(
        'BucketOperationFailed',
        `failed to confirm existence of '${spec.bucketName}' bucket: ${describeError(cause)}`,
        { cause },
      );
    }),
  );
}

function staticKeys(name: string, secret: SecretData): S3Credentials | undefined {
  if (!secret.has('accesskey') || !secret.has('secretkey')) {
    throw denied(`invalid '${name}' secret data: required fields 'accesskey' and 'secretkey'`);
  }
  const [accessKey, secretKey] = [textOf(secret, 'accesskey'), textOf(secret, 'secretkey')];
  return accessKey === undefined || secretKey === undefined ? undefined : { accessKey, secretKey };
}

function toS3({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials): S3Credentials {
  return {
    accessKey: accessKeyId,
    secretKey: secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}

/** Which Security Token Service fits which provider, and what it must be given. */
function checkSts({ object, stsSecret }: Bench): void {
  const { provider = 'generic', sts } = object.spec;
  if (sts === undefined) return;
  const stall = (message: string) =>
    fetchFailure('InvalidSTSConfiguration', message, { response: 'stall' });
  const isFitting = sts.provider === (provider === 'aws' ? 'aws' : 'ldap');
  if (!isFitting) {
    throw stall(
      `STS provider '${sts.provider}' is not supported for '${provider}' bucket provider`,
    );
  }
  if (sts.provider === 'aws') {
    for (const field of ['secretRef', 'certSecretRef'] as const) {
      if (sts[field] === undefined) continue;
      throw stall(`spec.sts.${field} is not required for the '${sts.provider}' STS provider`);
    }
    return;
  }
  if (!URL.canParse(sts.endpoint)) {
    throw fetchFailure(
      'URLInvalid',
      `failed to parse STS endpoint '${sts.endpoint}': it is no URL`,
      { response: 'stall' },
    );
  }
  if (stsSecret === undefined) return;
  if (textOf(stsSecret, 'username') && textOf(stsSecret, 'password')) return;
  throw denied(
    `invalid '${sts.secretRef?.name}' secret data for '${sts.provider}' STS provider: required fields username, password`,
  );
}

async function openGoogle(bench: Bench): Promise<BucketReader> {
  const { object, secret, identities, signal, proxy } = bench;
  const { spec } = object;
  const access = { signal, ...(proxy === undefined ? {} : { proxy }) };
  if (secret === undefined) {
    const bearer = bearerOf(object, { proxy, identities });
    return await googleBucket({
      ...access,
      bucket: spec.bucketName,
      token: () => identities.google(bearer),
    });
  }
  if (!secret.has('serviceaccount')) {
    throw denied(`invalid '${spec.secretRef?.name}' secret data: required fields 'serviceaccount'`);
  }
  const file = textOf(secret, 'serviceaccount') ?? '';
  const scopes = ['https://www.googleapis.com/auth/devstorage.read_only'];
  const token = await credentialsOr('', googleFileToken(file, scopes, access));
  return await googleBucket({ ...access, bucket: spec.bucketName, token: async () => token });
}

async function openAzure(bench: Bench): Promise<BucketReader> {
  const { object, signal, proxy } = bench;
  const { endpoint, bucketName: container } = object.spec;
  const key = azureKey(bench);
  const access = { signal, ...(proxy === undefined ? {} : { proxy }) };
  return await credentialsOr('', azureContainer({ endpoint, container, key, ...access }));
}

/** In the order in which the original looks for them. */
function azureKey({ object, secret, identities, signal, proxy }: Bench): AzureContainerKey {
  const name = object.spec.secretRef?.name ?? '';
  const access = { signal, ...(proxy === undefined ? {} : { proxy }) };
  const text = (key: string) => textOf(secret, key);
  if (secret !== undefined) checkAzureSecret(name, secret);
  const [clientId, tenantId] = [text('clientId'), text('tenantId')];
  const authorityHost = text('authorityHost');
  const own = {
    clientSecret: text('clientSecret'),
    clientCertificate: text('clientCertificate'),
    clientCertificatePassword: text('clientCertificatePassword'),
    tenantId,
    clientId,
    authorityHost,
  };
  if (clientId !== undefined) {
    const given = Object.fromEntries(
      Object.entries(own).filter(([, value]) => value !== undefined),
    );
    const chain = text('clientCertificateSendChain')?.toLowerCase() ?? '';
    const application = { ...given, sendCertificateChain: chain === '1' || chain === 'true' };
    const token = (scope: string) => azureSecretToken(application, scope, access);
    return { kind: 'token', token };
  }
  const accountKey = text('accountKey');
  if (accountKey !== undefined) return { kind: 'account', key: accountKey };
  const query = text('sasKey');
  if (query !== undefined) return { kind: 'signature', query };
  if (secret !== undefined && secret.size > 0) return { kind: 'none' };
  const bearer = bearerOf(object, { proxy, identities });
  return { kind: 'token', token: () => identities.azure(bearer, AZURE_SCOPES.storage) };
}

const AZURE_FIELDS = ['clientId', 'accountKey', 'sasKey', 'authorityHost'];

function checkAzureSecret(name: string, secret: SecretData): void {
  if (AZURE_FIELDS.some((field) => secret.has(field))) return;
  throw denied(
    `invalid '${name}' secret data: requires a 'clientId' or 'accountKey' field, a combination of 'tenantId', 'clientId' and 'clientSecret', or 'tenantId', 'clientId' and 'clientCertificate'`,
  );
}
