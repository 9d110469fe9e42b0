import { join } from 'node:path';
import { ArtifactStorage, serveArtifacts } from '@capstan/flux-server';
import type { Clock } from '@capstan/lib-std';
import { type Serving, serve } from './http/serve.ts';

export interface ArtifactOptions {
  /** Where consumers in the cluster reach them. */
  readonly url?: string;
  /** Where they are served; on a free port of this machine alone when absent. */
  readonly port?: number;
  readonly address?: string;
}

export interface Artifacts {
  readonly storage: ArtifactStorage;
  close(): Promise<void>;
}

/** Artifacts have a listener of their own: whoever consumes them need not reach the page. */
export async function openArtifacts(
  folder: string,
  { url, port = 0, address = '127.0.0.1' }: ArtifactOptions,
  clock: Clock,
): Promise<Artifacts> {
  let handle = async (_request: Request): Promise<Response> => new Response(null, { status: 503 });
  const serving: Serving = await serve((request) => handle(request), {
    port,
    address,
    name: 'artifacts',
  });
  const storage = new ArtifactStorage({
    folder: join(folder, 'artifacts'),
    baseUrl: url ?? serving.url,
    clock,
  });
  handle = serveArtifacts(storage, { prefix: '/' });
  return { storage, close: () => serving.close() };
}
