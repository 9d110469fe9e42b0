/** Bucket: the objects of a bucket as an artifact. */
import { isIgnored, parsePatterns } from '@capstan/engine-source/store';
import type { Artifact, Bucket } from '@capstan/flux-api';
import type { BucketReader, StoredObject } from '@capstan/lib-clouds';
import { type FileTree, memoryTree, resolvePath } from '@capstan/lib-files';
import { createContentDigest, type DigestAlgorithm, digestAlgorithmOf } from '@capstan/lib-oci';
import { type ControlState, requireBucket } from '../control-state.ts';
import { formatTime, parseDurationMs } from '../durations.ts';
import type { PackTree } from './artifact-port.ts';
import { openBucket } from './open-bucket.ts';
import {
  createSourceController,
  type FetchContext,
  failedWith,
  type SourceController,
  type SourcePorts,
} from './source-controller.ts';
import { describeError, fetchFailure, type SourceOutcome } from './source-outcome.ts';

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
  const timeoutMs = parseDurationMs(spec.timeout ?? '60s', 'spec.timeout');
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  await using open = await openBucket(object, { ...ports, timeoutMs, signal: until });
  const { bucket } = open;
  const index = await readIndex(object, bucket);
  // By the algorithm that the artifact was made with: another one set since changes nothing.
  const algorithm = digestAlgorithmOf(current?.revision ?? '');
  const kept = current?.revision === revisionOf(index, algorithm) ? current : undefined;
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
}

type Index = Map<string, string>;

/** Keys and tags of the objects that are not ignored. `.sourceignore` at the root is read first, and is none of them. */
async function readIndex({ spec }: Bucket, bucket: BucketReader): Promise<Index> {
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
  const add = ({ key, etag }: StoredObject) => {
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
function revisionOf(index: Index, algorithm?: DigestAlgorithm): string {
  const hash = createContentDigest(algorithm);
  const keys = [...index.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const key of keys) hash.update(Buffer.from(`${key} ${index.get(key)}\n`));
  return hash.digest();
}

function fileNameOf(revision: string): string {
  return `${revision.slice(revision.indexOf(':') + 1)}.tar.gz`;
}

async function storeArtifact(
  { spec, metadata }: Bucket,
  options: { readonly bucket: BucketReader; readonly index: Index; readonly ports: BucketPorts },
): Promise<Artifact> {
  const { bucket, index, ports } = options;
  const tree = await fetchObjects(spec.bucketName, bucket, index);
  // An object that changed meanwhile counts with its newer tag.
  const revision = revisionOf(index, ports.artifacts.digestAlgorithm);
  const { namespace = '', name = '' } = metadata;
  const file = { kind: 'Bucket', namespace, name, fileName: fileNameOf(revision) };
  const { path, url, digest, size } = await ports.artifacts.store(file, ports.pack(tree));
  return { path, url, revision, digest, lastUpdateTime: formatTime(ports.clock.now()), size };
}

async function fetchObjects(name: string, bucket: BucketReader, index: Index): Promise<FileTree> {
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
