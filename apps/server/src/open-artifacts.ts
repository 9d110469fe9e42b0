import { join } from 'node:path';
import { ArtifactStorage, serveArtifacts } from '@capstan/flux-server';
import type { DigestAlgorithm } from '@capstan/lib-oci';
import type { Clock } from '@capstan/lib-std';
import { type Serving, serve } from './http/serve.ts';

export interface ArtifactOptions {
  /** Where consumers in the cluster reach them. */
  readonly url?: string;
  /** Where they are served; on a free port of this machine alone when absent. */
  readonly port?: number;
  readonly address?: string;
  /** Where they lie; below the caches when absent. */
  readonly folder?: string;
  readonly retentionMs?: number;
  readonly retentionRecords?: number;
  readonly digestAlgorithm?: DigestAlgorithm;
}

export interface Artifacts {
  readonly storage: ArtifactStorage;
  close(): Promise<void>;
}

/** Artifacts have a listener of their own: whoever consumes them need not reach the page. */
export async function openArtifacts(
  cacheFolder: string,
  { url, port = 0, address = '127.0.0.1', folder, ...keeping }: ArtifactOptions,
  clock: Clock,
): Promise<Artifacts> {
  let handle = async (_request: Request): Promise<Response> => new Response(null, { status: 503 });
  const serving: Serving = await serve((request) => handle(request), {
    port,
    address,
    name: 'artifacts',
  });
  const storage = new ArtifactStorage({
    folder: folder ?? join(cacheFolder, 'artifacts'),
    baseUrl: url ?? serving.url,
    clock,
    ...keeping,
  });
  handle = serveArtifacts(storage, { prefix: '/' });
  return { storage, close: () => serving.close() };
}
