import { mkdirSync } from 'node:fs';
import { argocdCrds } from '@capstan/argocd-api';
import { type Cluster, createCluster } from '@capstan/engine-delivery';
import { RenderCache } from '@capstan/engine-render';
import type { SourceStore } from '@capstan/engine-source';
import { createSourceStore } from '@capstan/engine-source/store';
import { fluxCrds } from '@capstan/flux-api';
import type { KubeClient } from '@capstan/kube-client';
import { systemClock } from '@capstan/kube-controller';
import type { Clock } from '@capstan/lib-std';
import { guardRequests } from './http/guard.ts';
import { staticFiles } from './http/static-files.ts';
import { installCrds } from './install-crds.ts';
import { createPageApi } from './page-api.ts';
import { AppActions } from './views/app-actions.ts';
import { APP_KINDS } from './views/app-ref.ts';
import { AppViews } from './views/app-views.ts';

export interface ControlPlaneOptions {
  readonly client: KubeClient;
  /** What to call the cluster on the page. */
  readonly clusterName: string;
  /** Caches; may be deleted while nothing runs. */
  readonly cacheFolder: string;
  /** The built page. */
  readonly pageFolder: string;
  /** Shown to newcomers: where to push. */
  readonly gitUrl: string | null;
  /** Names under which the page may be asked for, beside loopback. */
  readonly hosts?: readonly string[];
  /** Remotes may be folders of this machine. */
  readonly allowFileRemotes?: boolean;
  readonly version: string;
  readonly log: (message: string, keys?: Readonly<Record<string, unknown>>) => void;
  readonly clock?: Clock;
}

export interface ControlPlane {
  /** The page and its API. */
  readonly handle: (request: Request) => Promise<Response>;
  /** Tells of a push to a repository, as a webhook does. */
  readonly notifyPush: (url: string) => number;
  close(): Promise<void>;
}

/** Wires one cluster: definitions, sources, renders, the controllers of both families, the page. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const clock = options.clock ?? systemClock();
  const stop = new AbortController();
  const { client, log } = options;
  mkdirSync(options.cacheFolder, { recursive: true });
  const installed = await installCrds(client, [...argocdCrds, ...fluxCrds], {
    clock,
    signal: stop.signal,
  });
  if (installed.length > 0) log('installed definitions', { count: installed.length });
  const sources = createSourceStore({
    folder: options.cacheFolder,
    clock,
    random: Math.random,
    allowFile: options.allowFileRemotes === true,
  });
  const renders = new RenderCache();
  const cluster = createCluster({
    name: options.clusterName,
    client,
    schemaOf: () => undefined,
    ownerReaders: [],
    clock,
  });
  await cluster.live.ensure(
    Object.entries(APP_KINDS).map(([kind, group]) => ({ group, kind })),
    { signal: stop.signal },
  );
  const handle = createPage({ options, cluster, sources, clock });
  void renders;
  return {
    handle,
    notifyPush: (url) => sources.notify(url),
    close: async () => {
      stop.abort();
      await sources.close();
      await cluster[Symbol.asyncDispose]();
      await client.close();
    },
  };
}

function createPage(parts: {
  readonly options: ControlPlaneOptions;
  readonly cluster: Cluster;
  readonly sources: SourceStore;
  readonly clock: Clock;
}): (request: Request) => Promise<Response> {
  const { options, cluster, sources, clock } = parts;
  const { client, live } = cluster;
  const views = new AppViews({ live, findCommit: commitFinder(sources) });
  const api = createPageApi({
    client,
    live,
    views,
    clock,
    actions: new AppActions({ client, views, clock, user: 'admin' }),
    inspect: async () => undefined,
    info: { version: options.version, cluster: options.clusterName, gitUrl: options.gitUrl },
  });
  const files = staticFiles(options.pageFolder);
  return guardRequests(
    (request) =>
      new URL(request.url).pathname.startsWith('/api/') ? api(request) : files(request),
    { hosts: options.hosts ?? [] },
  );
}

function commitFinder(
  sources: SourceStore,
): ConstructorParameters<typeof AppViews>[0]['findCommit'] {
  return ({ repo }, revision) => {
    const commit = sources.findCommit(repo, revision);
    if (commit === undefined) return null;
    const { id, author, date, message } = commit;
    return { sha: id, author, date, message };
  };
}
