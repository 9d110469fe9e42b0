/** Applications of one monorepo on one cluster: made, followed, changed and disturbed. */
import { setTimeout as pause } from 'node:timers/promises';
import { capstanCrds } from '@capstan/apps-server';
import type { Repository } from '@capstan/apps-server/slice';
import { argocdCrds } from '@capstan/argocd-api';
import { fluxCrds } from '@capstan/flux-api';
import {
  isAlreadyExists,
  type KubeClient,
  type LiveChange,
  type LiveState,
} from '@capstan/kube-client';
import { conditionsOf, isConditionTrue, type Json, type KubeObject } from '@capstan/kube-object';
import { ENVIRONMENTS, type Overlay, settingsOf } from './monorepo.ts';

const APPLICATION = { group: 'argoproj.io', kind: 'Application' } as const;
const DEPLOYMENT = { group: 'apps', kind: 'Deployment' } as const;

/** They are there when a control plane starts anew, as they are when a peer does. */
const DEFINITIONS = [...argocdCrds, ...fluxCrds, ...capstanCrds];

export interface Fleet {
  readonly client: KubeClient;
  readonly live: LiveState;
  readonly repository: Repository;
  readonly overlays: readonly Overlay[];
}

/** Definitions, namespaces and one Application for each overlay. */
export async function createApplications({ client, repository, overlays }: Omit<Fleet, 'live'>) {
  await prepare(client, 'argocd');
  await eachOf(overlays, (one) => ensure(client, applicationOf(one, repository.url)));
}

export const FLUX_NAMESPACE = 'flux-system';
export const GIT_REPOSITORY = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
};
const KUSTOMIZATION_KIND = { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' };
const KUSTOMIZATION = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
/** What Flux's own controllers are told to look at, where others run beside them. */
const LABELS = { by: 'flux' };

/** Definitions, namespaces, the GitRepository and one Kustomization of it for each overlay. */
export async function createKustomizations({ client, repository, overlays }: Omit<Fleet, 'live'>) {
  await prepare(client, FLUX_NAMESPACE);
  await ensure(client, {
    ...GIT_REPOSITORY,
    metadata: { name: 'monorepo', namespace: FLUX_NAMESPACE, labels: LABELS },
    spec: { interval: '10m', url: repository.url, ref: { branch: 'main' } },
  });
  await eachOf(overlays, (one) => ensure(client, kustomizationOf(one)));
}

async function prepare(client: KubeClient, own: string): Promise<void> {
  for (const crd of DEFINITIONS) await ensure(client, crd);
  const names = [own, ...ENVIRONMENTS.map((environment) => `team-${environment}`)];
  for (const name of names) {
    await ensure(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
}

/** Sixteen at a time. */
export async function eachOf<T>(
  items: readonly T[],
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await act(one);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

function kustomizationOf({ app, path, namespace }: Overlay): KubeObject {
  return {
    ...KUSTOMIZATION,
    metadata: { name: app, namespace: FLUX_NAMESPACE, labels: LABELS },
    spec: {
      ...{ interval: '10m', path: `./${path}`, prune: true, targetNamespace: namespace },
      sourceRef: { kind: 'GitRepository', name: 'monorepo' },
    },
  };
}

async function ensure(client: KubeClient, object: KubeObject): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await client.create(object);
      return;
    } catch (error) {
      if (isAlreadyExists(error)) return;
      // A definition is served a moment after it was made.
      if (attempt > 50) throw error;
      await pause(100);
    }
  }
}

function applicationOf({ app, path, namespace }: Overlay, repoURL: string): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: app, namespace: 'argocd' },
    spec: {
      project: 'default',
      source: { repoURL, path, targetRevision: 'main' },
      destination: { server: 'https://kubernetes.default.svc', namespace },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  };
}

/** Resolves when all are synced (and healthy): the times from now on, in ms. Costs what changes, since it shares the machine. */
export async function untilAllSynced(
  { live, overlays }: Pick<Fleet, 'live' | 'overlays'>,
  withinMs: number,
): Promise<{ readonly syncedMs: number; readonly healthyMs: number }> {
  const begun = performance.now();
  const synced = new Set<string>();
  const healthy = new Set<string>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let syncedMs = 0;
  const look = ({ key, after }: Pick<LiveChange, 'key' | 'after'>) => {
    if (key.kind !== APPLICATION.kind) return;
    const status = after?.read()['status'];
    mark(synced, key.name, at(status, 'sync', 'status') === 'Synced');
    mark(healthy, key.name, at(status, 'health', 'status') === 'Healthy');
    if (synced.size < overlays.length) return;
    syncedMs ||= performance.now() - begun;
    if (healthy.size >= overlays.length) resolve();
  };
  const stop = live.subscribe(look);
  for (const held of live.list(APPLICATION)) look({ key: held.key, after: held });
  const tooLate = () =>
    reject(new Error(`${synced.size} of ${overlays.length} synced after ${withinMs} ms`));
  const patience = setTimeout(tooLate, withinMs);
  await promise.finally(() => {
    clearTimeout(patience);
    stop();
  });
  return { syncedMs, healthyMs: performance.now() - begun };
}

/** Resolves when all Kustomizations are Ready, as a watch tells: the time from now on, in ms. */
export async function untilAllReady(
  { live, overlays }: Pick<Fleet, 'live' | 'overlays'>,
  withinMs: number,
): Promise<{ readonly syncedMs: number }> {
  const begun = performance.now();
  const ready = new Set<string>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = ({ key, after }: Pick<LiveChange, 'key' | 'after'>) => {
    if (key.kind !== KUSTOMIZATION.kind) return;
    const isReady = after !== undefined && isConditionTrue(conditionsOf(after.read()), 'Ready');
    mark(ready, key.name, isReady);
    if (ready.size >= overlays.length) resolve();
  };
  const stop = live.subscribe(look);
  for (const held of live.list(KUSTOMIZATION_KIND)) look({ key: held.key, after: held });
  const patience = setTimeout(
    () => reject(new Error(`${ready.size} of ${overlays.length} ready after ${withinMs} ms`)),
    withinMs,
  );
  await promise.finally(() => {
    clearTimeout(patience);
    stop();
  });
  return { syncedMs: performance.now() - begun };
}

function mark(names: Set<string>, name: string, holds: boolean): void {
  if (holds) names.add(name);
  else names.delete(name);
}

/** From the answer of `git push` until the API shows the change; telling of the push is part of it. */
export async function measureCommit(
  fleet: Fleet,
  overlay: Overlay,
  options: { readonly setting: string; readonly tell: (push: Push) => Promise<void> },
): Promise<number> {
  const { setting, tell } = options;
  const files = { [`${overlay.path}/settings.yaml`]: settingsOf(overlay, setting) };
  const seen = untilDeployment(
    fleet,
    overlay,
    (one) => one.metadata.annotations?.['example.com/setting'] === setting,
  );
  const commit = await fleet.repository.push(files);
  const begun = performance.now();
  await tell({ url: fleet.repository.url, commit });
  return (await seen) - begun;
}

/** From the answer to somebody's patch until the API shows the desired value again. */
export async function measureDrift(fleet: Fleet, { namespace, service }: Overlay): Promise<number> {
  const ref = { ...DEPLOYMENT, namespace, name: service };
  const patched = await fleet.client.patch(
    ref,
    { spec: { replicas: 3 } },
    { type: 'merge', fieldManager: 'somebody' },
  );
  const begun = performance.now();
  const version = Number(patched.metadata.resourceVersion);
  const at = await untilDeployment(
    fleet,
    { namespace, service },
    (one) =>
      Number(one.metadata.resourceVersion) > version && atPath(one, 'spec', 'replicas') === 1,
  );
  return at - begun;
}

function atPath(object: KubeObject, ...path: readonly string[]): Json | undefined {
  return at(object, ...path);
}

export interface Push {
  readonly url: string;
  readonly commit: string;
}

/** As GitHub tells Capstan of a push. */
export async function sendWebhook(page: string, { url, commit }: Push): Promise<void> {
  const body = { ref: 'refs/heads/main', after: commit, repository: { html_url: url } };
  const response = await fetch(new URL('/api/webhook', page), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-github-event': 'push' },
    body: JSON.stringify(body),
  });
  if (response.status >= 300) throw new Error(`webhook: ${response.status}`);
}

/** When the watch first shows a state of the Deployment that fits. */
function untilDeployment(
  { live }: Fleet,
  { namespace, service }: Pick<Overlay, 'namespace' | 'service'>,
  fits: (object: KubeObject) => boolean,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const patience = setTimeout(
    () => reject(new Error(`Deployment ${namespace}/${service} did not change within 60 s`)),
    60_000,
  );
  const stop = live.subscribe(({ key, after }) => {
    if (key.kind !== 'Deployment' || key.name !== service || key.namespace !== namespace) return;
    if (after !== undefined && fits(after.read())) resolve(performance.now());
  });
  // It may have come before the answer to what caused it was heard.
  const held = live.get({ ...DEPLOYMENT, namespace, name: service });
  if (held !== undefined && fits(held.read())) resolve(performance.now());
  return promise.finally(() => {
    clearTimeout(patience);
    stop();
  });
}

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let current: Json | undefined = value;
  for (const name of path) {
    if (typeof current !== 'object' || current === null || Array.isArray(current)) return undefined;
    current = (current as { readonly [key: string]: Json | undefined })[name];
  }
  return current;
}
