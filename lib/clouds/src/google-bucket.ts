import type { Bucket, Storage } from '@google-cloud/storage';
import { type CloudAccess, type CloudToken, refused, within } from './access.ts';
import type { BucketReader } from './bucket.ts';

export interface GoogleBucketOptions extends CloudAccess {
  readonly bucket: string;
  readonly token: () => Promise<CloudToken>;
}

/** A bucket of Google Cloud Storage at its own address; STORAGE_EMULATOR_HOST leads elsewhere, as in Google's SDKs. */
export async function googleBucket(options: GoogleBucketOptions): Promise<BucketReader> {
  const { signal } = options;
  const bucket = (await openStorage(options)).bucket(options.bucket);
  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    try {
      return await within(question(), signal);
    } catch (cause) {
      signal?.throwIfAborted();
      throw refused(cause);
    }
  };
  return {
    exists: () => ask(async () => (await bucket.exists())[0]),
    async *list(prefix = '') {
      let next: object | null = prefix === '' ? {} : { prefix };
      while (next !== null) {
        const query: object = { ...next, autoPaginate: false };
        const [files, following] = await ask(() => bucket.getFiles(query));
        for (const { name, metadata } of files) yield { key: name, etag: metadata.etag ?? '' };
        next = following ?? null;
      }
    },
    read: (key, bytesMax) => ask(() => readFile(bucket, key, bytesMax)),
  };
}

async function openStorage({ token, proxy }: GoogleBucketOptions): Promise<Storage> {
  const { OAuth2Client } = await import('google-auth-library');
  const { Storage: Client } = await import('@google-cloud/storage');
  const authClient = new OAuth2Client();
  authClient.refreshHandler = async () => {
    const { token: access_token, expiresAtMs: expiry_date } = await token();
    return { access_token, expiry_date };
  };
  const storage = new Client({ authClient, retryOptions: { maxRetries: 1 } });
  if (proxy !== undefined) {
    storage.interceptors.push({
      request: (request) =>
        Object.assign(request, {
          proxy,
          uri: String('uri' in request ? request.uri : request.url),
        }),
    });
  }
  return storage;
}

/** Its attributes and then its content at that generation. */
async function readFile(bucket: Bucket, key: string, bytesMax: number) {
  try {
    const [{ etag = '', generation = 0, size = 0 }] = await bucket.file(key).getMetadata();
    if (Number(size) > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
    const [bytes] = await bucket.file(key, { generation }).download();
    return { bytes, etag };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

function statusOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
