import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeClient, ObjectRef } from '@capstan/kube-client';
import { systemClock } from '@capstan/kube-controller';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { commitFiles, createGitHost, initMirror, runGit } from '@capstan/lib-git';
import { messageOf } from '@capstan/lib-std';
import { type ControlPlane, startControlPlane } from '../control-plane.ts';
import { listen, type Serving } from '../http/serve.ts';

/** A cluster, a Git server and a control plane, for tests that go from a push to the cluster. */
export interface World extends AsyncDisposable {
  readonly client: KubeClient;
  /** A repository of its own for each name, served over HTTP; made when first asked for. */
  repository(name: string): Promise<Repository>;
  /** A repository that only this user and password open. */
  readonly locked: { readonly username: string; readonly password: string };
  apply(object: KubeObject): Promise<KubeObject>;
  get(ref: ObjectRef): Promise<KubeObject | undefined>;
  /** What the page's API answers to a GET. */
  ask(path: string): Promise<unknown>;
  /** Stops the control plane and starts another over the same cluster and caches. */
  restart(): Promise<void>;
  /** Stops the control plane, so that another one may be played; `restart` starts it. */
  stop(): Promise<void>;
}

export interface Repository {
  readonly url: string;
  /** One commit, pushed by git itself over HTTP; null removes a file. Answers the commit. */
  push(files: Readonly<Record<string, string | null>>, message?: string): Promise<string>;
}

export interface WorldOptions {
  /** A fresh connection for each control plane, and one for the tests. */
  readonly connect: () => KubeClient;
  readonly clusterName: string;
  /** Without it there is none: the test runs its own in another process. */
  readonly hasControlPlane?: boolean;
  readonly log?: (message: string) => void;
}

const LOCKED = { username: 'ann', password: 'p@ss/canary' };

export async function createWorld(options: WorldOptions): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-slice-'));
  mkdirSync(join(folder, 'hosted'));
  let control: ControlPlane | undefined;
  const git = await hostGit(folder, (url) => control?.notifyPush(url));
  const start = () =>
    startControlPlane({
      client: options.connect(),
      clusterName: options.clusterName,
      cacheFolder: join(folder, 'cache'),
      pageFolder: join(folder, 'page'),
      gitUrl: null,
      version: 'test',
      log: (message, keys) => options.log?.(`${message} ${JSON.stringify(keys ?? {})}`),
    });
  if (options.hasControlPlane !== false) control = await start();
  const client = options.connect();
  const repositories = new Map<string, Promise<Repository>>();
  return {
    client,
    locked: LOCKED,
    repository: (name) => {
      let made = repositories.get(name);
      if (made === undefined) {
        made = makeRepository(folder, name, git.url);
        repositories.set(name, made);
      }
      return made;
    },
    apply: (object) => client.apply(object, { fieldManager: 'slice', force: true }),
    get: (ref) => client.find(ref),
    ask: async (path) => {
      assert.ok(control, 'a control plane runs');
      const response = await control.handle(new Request(new URL(path, 'http://localhost')));
      return await response.json();
    },
    restart: async () => {
      await control?.close();
      control = await start();
    },
    stop: async () => {
      await control?.close();
      control = undefined;
    },
    [Symbol.asyncDispose]: async () => {
      await control?.close();
      await client.close();
      await git.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function hostGit(folder: string, onPush: (url: string) => void): Promise<Serving> {
  let url = '';
  const find = (path: string) =>
    /^[a-z0-9-]+\.git$/.test(path) ? { folder: join(folder, 'hosted', path) } : undefined;
  const tell = (path: string) => onPush(`${url}/${path}`);
  const open = createGitHost({ find, onPush: tell });
  const locked = createGitHost({ find, onPush: tell, basicAuth: LOCKED });
  const serving = await listen(
    (request, response) =>
      (request.url?.startsWith('/locked') === true ? locked : open)(request, response),
    { port: 0, address: '127.0.0.1', name: 'the Git server' },
  );
  url = serving.url;
  return serving;
}

/** Commits are made in a repository beside the hosted one and pushed, as a person would. */
async function makeRepository(folder: string, name: string, host: string): Promise<Repository> {
  const hosted = join(folder, 'hosted', `${name}.git`);
  const own = join(folder, 'own', `${name}.git`);
  await initMirror(hosted);
  await initMirror(own);
  const url = `${host}/${name}.git`;
  const credentials = `${LOCKED.username}:${encodeURIComponent(LOCKED.password)}@`;
  const pushUrl = name.startsWith('locked') ? url.replace('://', `://${credentials}`) : url;
  return {
    url,
    push: async (files, message = 'Change') => {
      const commit = await commitFiles({
        gitDir: own,
        branch: 'main',
        files,
        message: `${message}\n`,
        author: { name: 'Ann', email: 'ann@example.com' },
        at: Math.floor(systemClock().now() / 1000),
      });
      const result = await runGit(['push', '--quiet', '--', pushUrl, 'main'], { gitDir: own });
      if (result.code !== 0) throw new Error(`git push: ${result.stderr}`);
      return commit;
    },
  };
}

/** Waits until `check` gives something; answers it with the time it took. What it said last is in the error. */
export async function until<T>(
  what: string,
  withinMs: number,
  check: () => Promise<T | undefined | false>,
): Promise<{ readonly value: T; readonly tookMs: number }> {
  const started = performance.now();
  let last: unknown;
  for (;;) {
    try {
      last = await check();
      if (last !== undefined && last !== false) {
        return { value: last as T, tookMs: performance.now() - started };
      }
    } catch (error) {
      last = messageOf(error);
    }
    if (performance.now() - started > withinMs) {
      throw new Error(`${what}: not within ${withinMs} ms; last: ${JSON.stringify(last)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const APPLICATION = {
  group: 'argoproj.io',
  kind: 'Application',
  namespace: 'argocd',
} as const;

export function application(
  name: string,
  source: { readonly url: string; readonly path: string; readonly revision?: string },
  options: {
    readonly namespace?: string;
    readonly sync?: JsonObject;
    readonly project?: string;
  } = {},
): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd' },
    spec: {
      project: options.project ?? 'default',
      source: {
        repoURL: source.url,
        path: source.path,
        targetRevision: source.revision ?? 'main',
      },
      destination: {
        server: 'https://kubernetes.default.svc',
        namespace: options.namespace ?? name,
      },
      syncPolicy: options.sync ?? {
        automated: { prune: true, selfHeal: true },
        syncOptions: ['CreateNamespace=true'],
      },
    },
  };
}

export function configMap(name: string, value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: ${JSON.stringify(value)}\n`;
}

export function deployment(name: string, replicas: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${replicas}
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
      - name: ${name}
        image: nginx:1.27
`;
}
