/** Bucket: the objects of a bucket as an artifact. */
import { createHash } from 'node:crypto';
import {
  type BucketEntry,
  isIgnored,
  parsePatterns,
  S3Bucket,
  type S3Credentials,
} from '@capstan/engine-source/store';
import type { Artifact, Bucket } from '@capstan/flux-api';
import { type FileTree, memoryTree, resolvePath } from '@capstan/lib-files';
import { createHttpGet, type HttpGet } from '@capstan/lib-oci';
import { type ControlState, requireBucket } from '../control-state.ts';
import { formatTime, parseDurationMs } from '../durations.ts';
import type { PackTree } from './artifact-port.ts';
import {
  createSourceController,
  type FetchContext,
  failedWith,
  type SourceController,
  type SourcePorts,
} from './source-controller.ts';
import { describeError, fetchFailure, type SourceOutcome } from './source-outcome.ts';
import {
  readCertificates,
  readProxy,
  readSecret,
  type SecretReader,
  textOf,
} from './source-secrets.ts';

export interface BucketPorts extends SourcePorts {
  readonly pack: PackTree;
}

const IGNORE_FILE = '.sourceignore';
const OBJECT_BYTES_MAX = 64 * 1024 * 1024;
const TOTAL_BYTES_MAX = 512 * 1024 * 1024;
/** Of the original. */
const CONCURRENT = 100;

export function createBucketController(
  ports: BucketPorts,
  control: ControlState,
): SourceController {
  return createSourceController<Bucket>(
    {
      kind: 'Bucket',
      require: requireBucket,
      fetch: (object, context) => fetchBucket(object, ports, context),
      failureOf: (error) => failedWith('BucketOperationFailed', error),
      isFollowed: false,
    },
    ports,
    control,
  );
}

async function fetchBucket(
  object: Bucket,
  ports: BucketPorts,
  { current, signal }: FetchContext,
): Promise<SourceOutcome> {
  const { spec, metadata } = object;
  const reader = { client: ports.client, namespace: metadata.namespace ?? '', signal };
  const timeoutMs = parseDurationMs(spec.timeout ?? '60s', 'spec.timeout');
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const credentials = await readCredentials(object, reader);
  const proxy = await readProxy(reader, spec.proxySecretRef, 'failed to get proxy URL: ');
  const certificates = await readCertificates(
    reader,
    spec.certSecretRef,
    'failed to get TLS config: ',
  );
  const http = createHttpGet({
    ...certificates,
    timeoutMs,
    ...(proxy === undefined ? {} : { proxy }),
  });
  try {
    const bucket = openBucket(object, {
      get: http.get,
      credentials,
      signal: until,
      now: () => ports.clock.now(),
    });
    const index = await readIndex(object, bucket);
    const kept = current?.revision === revisionOf(index) ? current : undefined;
    const artifact = kept ?? (await storeArtifact(object, { bucket, index, ports }));
    const { namespace = '', name = '' } = metadata;
    const fileName = fileNameOf(artifact.revision);
    const url = await ports.artifacts.linkLatest({ kind: 'Bucket', namespace, name, fileName });
    return {
      kind: 'stored',
      artifact,
      message: `stored artifact: revision '${artifact.revision}'`,
      event: `stored artifact with ${index.size} fetched files from '${spec.bucketName}' bucket`,
      observed: { ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }), url },
    };
  } finally {
    await http.close();
  }
}

function openBucket(
  { spec }: Bucket,
  access: {
    readonly get: HttpGet;
    readonly credentials: S3Credentials | undefined;
    readonly signal: AbortSignal;
    readonly now: () => number;
  },
): S3Bucket {
  const { get, credentials, signal, now } = access;
  if (!/^[A-Za-z0-9.-]+(?::\d+)?$|^\[[0-9a-fA-F:]+\](?::\d+)?$/.test(spec.endpoint)) {
    throw fetchFailure(
      'BucketOperationFailed',
      `the endpoint '${spec.endpoint}' must be a host, with a port if need be, without a scheme`,
    );
  }
  return new S3Bucket({
    get,
    signal,
    now,
    endpoint: spec.endpoint,
    bucket: spec.bucketName,
    plainHttp: spec.insecure === true,
    ...(spec.region ? { region: spec.region } : {}),
    ...(credentials === undefined ? {} : { credentials }),
  });
}

async function readCredentials(
  { spec, metadata }: Bucket,
  reader: SecretReader,
): Promise<S3Credentials | undefined> {
  const provider = spec.provider ?? 'generic';
  if (provider !== 'generic' && provider !== 'aws') {
    throw fetchFailure(
      'AuthenticationFailed',
      `the provider '${provider}' is not supported here; use its interface that is compatible with S3 as provider generic`,
      { response: 'stall' },
    );
  }
  if (spec.sts !== undefined) {
    throw fetchFailure(
      'InvalidSTSConfiguration',
      'spec.sts is not supported here; use a secretRef with keys',
      { response: 'stall' },
    );
  }
  if (spec.secretRef === undefined) return provider === 'aws' ? fromEnvironment() : undefined;
  const { name } = spec.secretRef;
  const place = `${metadata.namespace}/${name}`;
  const secret = await readSecret(reader, name, `failed to get secret '${place}': `);
  const [accessKey, secretKey] = [textOf(secret, 'accesskey'), textOf(secret, 'secretkey')];
  if (accessKey === undefined || secretKey === undefined) {
    throw fetchFailure(
      'AuthenticationFailed',
      `invalid '${name}' secret data: required fields 'accesskey' and 'secretkey'`,
    );
  }
  return { accessKey, secretKey };
}

/** The keys of this process, as the tools of Amazon name them. */
function fromEnvironment(): S3Credentials {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw fetchFailure(
      'AuthenticationFailed',
      'no credentials: name a secretRef, or give this process AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  }
  return {
    accessKey: AWS_ACCESS_KEY_ID,
    secretKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  };
}

type Index = Map<string, string>;

/** Keys and tags of the objects that are not ignored. `.sourceignore` at the root is read first, and is none of them. */
async function readIndex({ spec }: Bucket, bucket: S3Bucket): Promise<Index> {
  const fail = (message: string, cause?: unknown) =>
    fetchFailure('BucketOperationFailed', message, { cause });
  const { bucketName } = spec;
  const exists = await bucket.exists().catch((cause: unknown) => {
    throw fail(
      `failed to confirm existence of '${bucketName}' bucket: ${describeError(cause)}`,
      cause,
    );
  });
  if (!exists) throw fail(`bucket '${bucketName}' not found`);
  const ignoreFile = await bucket.read(IGNORE_FILE, OBJECT_BYTES_MAX).catch((cause: unknown) => {
    throw fail(`failed to get Etag for '${IGNORE_FILE}' object: ${describeError(cause)}`, cause);
  });
  const texts = [
    ...(ignoreFile === undefined ? [] : [new TextDecoder().decode(ignoreFile.bytes)]),
    ...(spec.ignore === undefined ? [] : [spec.ignore]),
  ];
  const patterns = texts.flatMap((text) => parsePatterns(text, ''));
  const index: Index = new Map();
  const add = ({ key, etag }: BucketEntry) => {
    if (key.endsWith('/') || key === IGNORE_FILE || isIgnored(patterns, key.split('/'), false))
      return;
    index.set(key, etag);
  };
  try {
    for await (const entry of bucket.list(spec.prefix)) add(entry);
  } catch (cause) {
    throw fail(
      `indexation of objects from bucket '${bucketName}' failed: ${describeError(cause)}`,
      cause,
    );
  }
  return index;
}

/** A digest over the keys and tags in order, as the original computes it. */
function revisionOf(index: Index): string {
  const hash = createHash('sha256');
  const keys = [...index.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const key of keys) hash.update(`${key} ${index.get(key)}\n`);
  return `sha256:${hash.digest('hex')}`;
}

function fileNameOf(revision: string): string {
  return `${revision.slice(revision.indexOf(':') + 1)}.tar.gz`;
}

async function storeArtifact(
  { spec, metadata }: Bucket,
  options: { readonly bucket: S3Bucket; readonly index: Index; readonly ports: BucketPorts },
): Promise<Artifact> {
  const { bucket, index, ports } = options;
  const tree = await fetchObjects(spec.bucketName, bucket, index);
  // An object that changed meanwhile counts with its newer tag.
  const revision = revisionOf(index);
  const { namespace = '', name = '' } = metadata;
  const file = { kind: 'Bucket', namespace, name, fileName: fileNameOf(revision) };
  const { path, url, digest, size } = await ports.artifacts.store(file, ports.pack(tree));
  return { path, url, revision, digest, lastUpdateTime: formatTime(ports.clock.now()), size };
}

async function fetchObjects(name: string, bucket: S3Bucket, index: Index): Promise<FileTree> {
  const files: Record<string, Uint8Array> = {};
  const pending = [...index];
  let total = 0;
  const fail = (message: string, cause?: unknown) =>
    fetchFailure('BucketOperationFailed', `fetch from bucket '${name}' failed: ${message}`, {
      cause,
    });
  const fetchNext = async (): Promise<void> => {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [key, etag] = next;
      const path = resolvePath('', key);
      if (path === undefined || path === '' || key.includes('\\') || key.includes('\u0000')) {
        throw fail(`failed to resolve path for '${key}' object: it leads out of the artifact`);
      }
      const found = await bucket.read(key, OBJECT_BYTES_MAX).catch((cause: unknown) => {
        throw fail(`failed to get '${key}' object: ${describeError(cause)}`, cause);
      });
      if (found === undefined) {
        index.delete(key);
        continue;
      }
      total += found.bytes.length;
      if (total > TOTAL_BYTES_MAX)
        throw fail(`the objects have more than ${TOTAL_BYTES_MAX} bytes`);
      files[path] = found.bytes;
      if (found.etag !== '' && found.etag !== etag) index.set(key, found.etag);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT, index.size) }, fetchNext));
  return memoryTree(files);
}
