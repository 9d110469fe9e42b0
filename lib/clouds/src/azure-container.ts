import type { TokenCredential } from '@azure/identity';
import type {
  AnonymousCredential,
  ContainerClient,
  RequestPolicyFactory,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import {
  type CloudAccess,
  type CloudToken,
  guardedAgents,
  invalid,
  refused,
  refuseHost,
} from './access.ts';
import { toCredential } from './azure.ts';
import type { BucketReader } from './bucket.ts';

/** What opens a container. */
export type AzureContainerKey =
  | { readonly kind: 'token'; readonly token: (scope: string) => Promise<CloudToken> }
  /** The key of the storage account that the endpoint names. */
  | { readonly kind: 'account'; readonly key: string }
  /** A shared access signature: the query of a URL. */
  | { readonly kind: 'signature'; readonly query: string }
  | { readonly kind: 'none' };

export interface AzureContainerOptions extends CloudAccess {
  /** URL of the storage account. */
  readonly endpoint: string;
  readonly container: string;
  readonly key: AzureContainerKey;
}

/** A container of Azure Blob Storage. The endpoint is never at a metadata address. Throws CLOUD_INVALID. */
export async function azureContainer(options: AzureContainerOptions): Promise<BucketReader> {
  const client = await openContainer(options);
  const abort = options.signal === undefined ? {} : { abortSignal: options.signal };
  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    try {
      return await question();
    } catch (cause) {
      options.signal?.throwIfAborted();
      throw refused(cause);
    }
  };
  return {
    exists: () => ask(() => exists(client, options)),
    async *list(prefix = '') {
      const pages = client
        .listBlobsFlat({ ...abort, ...(prefix === '' ? {} : { prefix }) })
        .byPage();
      for (;;) {
        const page = await ask(() => pages.next());
        if (page.done === true) return;
        for (const { name, properties } of page.value.segment.blobItems) {
          yield { key: name, etag: quoted(properties.etag) };
        }
      }
    },
    read: (key, bytesMax) =>
      ask(async () => {
        const blob = client.getBlobClient(key);
        try {
          const answer = await blob.download(0, undefined, abort);
          const { contentLength = 0, etag = '', readableStreamBody: body } = answer;
          if (contentLength > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
          const chunks: Buffer[] = [];
          for await (const chunk of body ?? []) chunks.push(Buffer.from(chunk));
          return { bytes: Buffer.concat(chunks), etag: quoted(etag) };
        } catch (error) {
          if (codeOf(error) === 'BlobNotFound') return undefined;
          throw error;
        }
      }),
  };
}

/** As a single blob's answer has it; lists have it bare. */
function quoted(etag: string): string {
  return etag.startsWith('"') ? etag : `"${etag}"`;
}

async function exists(client: ContainerClient, { signal }: CloudAccess): Promise<boolean> {
  const abort = signal === undefined ? {} : { abortSignal: signal };
  try {
    await client.listBlobsFlat(abort).byPage({ maxPageSize: 1 }).next();
    return true;
  } catch (error) {
    if (codeOf(error) === 'ContainerNotFound') return false;
    // With a signature for one container a wrong name looks so.
    if (codeOf(error) !== 'AuthenticationFailed') throw error;
    throw new Error(
      `the specified bucket name may be incorrect, nonexistent, or the caller might lack sufficient permissions to access it: ${refused(error).message}`,
      { cause: error },
    );
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

async function openContainer(options: AzureContainerOptions): Promise<ContainerClient> {
  const storage = await import('@azure/storage-blob');
  const { container, key } = options;
  const endpoint = readEndpoint(options.endpoint);
  let credential: TokenCredential | StorageSharedKeyCredential | AnonymousCredential;
  switch (key.kind) {
    case 'token':
      credential = toCredential(key.token);
      break;
    case 'account':
      credential = new storage.StorageSharedKeyCredential(accountOf(endpoint), key.key);
      break;
    case 'signature':
      addSignature(endpoint, key.query);
      credential = new storage.AnonymousCredential();
      break;
    case 'none':
      credential = new storage.AnonymousCredential();
      break;
    default:
      throw key satisfies never;
  }
  const pipeline = storage.newPipeline(credential, { retryOptions: { maxTries: 2 } });
  pipeline.factories.unshift(guard(options));
  return new storage.BlobServiceClient(endpoint.href, pipeline).getContainerClient(container);
}

/** Around all requests: through the proxy, and to no address that nobody is to ask. */
function guard(access: CloudAccess): RequestPolicyFactory {
  const { httpAgent, httpsAgent } = guardedAgents(access);
  return {
    create: (next) => ({
      async sendRequest(request) {
        refuseHost(request.url);
        request.agent = request.url.startsWith('https:') ? httpsAgent : httpAgent;
        return await next.sendRequest(request);
      },
    }),
  };
}

function readEndpoint(text: string): URL {
  if (URL.canParse(text) && /^https?:/.test(text)) return new URL(text);
  throw invalid(`the endpoint '${text}' must be the URL of a storage account`);
}

/** The first part of the host. */
function accountOf({ hostname }: URL): string {
  const parts = hostname.split('.');
  if (parts.length > 2) return parts[0] ?? '';
  throw invalid(
    `failed to extract account name from endpoint: expected '${hostname}' to be a subdomain`,
  );
}

/** What the endpoint's own query says stays, unless the signature says it too. */
function addSignature(endpoint: URL, query: string): void {
  const signature = new URLSearchParams(query.replace(/^\?/, ''));
  const own = [...endpoint.searchParams].filter(([name]) => !signature.has(name));
  endpoint.search = new URLSearchParams([...signature, ...own]).toString();
}
