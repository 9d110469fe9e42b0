/** The peers as processes of their own: what they are started with, what they cost, and how they are told of a push. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import type { Cluster } from '../../conformance/cluster/cluster.ts';
import { freePort } from '../../conformance/cluster/support.ts';
import {
  startOfficial,
  startSources,
} from '../../conformance/flux-interop/official-controllers.ts';
import { officialProgram } from '../../conformance/tools/official.ts';
import { eachOf, FLUX_NAMESPACE, type Fleet, GIT_REPOSITORY, type Push } from './fleet.ts';
import { cpuSeconds, statusMb } from './process.ts';

export interface Peer extends AsyncDisposable {
  /** Of all its processes, and of what they have started and seen end. */
  readonly cpuSeconds: () => number;
  /** The sum of the highest that each of them ever was. */
  readonly peakMb: () => number;
  /** As its webhook receiver passes the news on. */
  readonly tell: (fleet: Fleet, push: Push) => Promise<void>;
}

/** Both controllers, with twenty Kustomizations at once. */
export async function startFlux(options: {
  readonly kustomize: string;
  readonly source: string;
  readonly cluster: Cluster;
}): Promise<Peer> {
  const source = await startSources(options.source, options.cluster);
  const kustomize = startOfficial(options.kustomize, options.cluster, ['--concurrent=20']);
  return {
    ...costsOf([source.pid, kustomize.pid]),
    async tell({ client }) {
      const annotations = { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() };
      await client.patch(
        { ...GIT_REPOSITORY, namespace: FLUX_NAMESPACE, name: 'monorepo' },
        { metadata: { annotations } },
        { type: 'merge' },
      );
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([source, kustomize].map((one) => one[Symbol.asyncDispose]()));
    },
  };
}

/** The application controller, the repository server and Redis, with their defaults. */
export async function startArgocd(options: {
  readonly argocd: string;
  readonly redis: string;
  readonly cluster: Cluster;
  readonly folder: string;
  readonly client: KubeClient;
}): Promise<Peer> {
  const { argocd, redis, cluster, folder, client } = options;
  await install(client);
  const [redisPort, repoPort, ...metrics] = await Promise.all([1, 2, 3, 4].map(() => freePort()));
  for (const name of ['tls', 'ssh', 'gpg', 'tmp']) mkdirSync(join(folder, name));
  const programs = [
    officialProgram('kustomize', '5.8.2'),
    officialProgram('helm', '4.3.1'),
  ] as const;
  const env = {
    ...process.env,
    PATH: [linked(programs, folder), process.env['PATH']].join(':'),
    KUBECONFIG: cluster.kubeconfig,
    TMPDIR: join(folder, 'tmp'),
    ARGOCD_FAKE_IN_CLUSTER: 'true',
    ARGOCD_GPG_ENABLED: 'false',
    ARGOCD_TLS_DATA_PATH: join(folder, 'tls'),
    ARGOCD_SSH_DATA_PATH: join(folder, 'ssh'),
    ARGOCD_GNUPGHOME: join(folder, 'gpg'),
  };
  const run = (program: string, name: string, args: readonly string[]) =>
    spawn(program, args, {
      stdio: ['ignore', 'ignore', process.env['VERBOSE'] ? 'inherit' : 'ignore'],
      env: { ...env, ARGOCD_BINARY_NAME: name },
    });
  const address = `127.0.0.1:${redisPort}`;
  const common = ['--loglevel', 'warn', '--redis', address];
  const children = [
    run(redis, 'redis', [
      '--bind',
      '127.0.0.1',
      '--port',
      `${redisPort}`,
      '--save',
      '',
      '--appendonly',
      'no',
    ]),
    run(argocd, 'argocd-repo-server', [
      ...common,
      ...['--address', '127.0.0.1', '--port', `${repoPort}`],
      ...['--metrics-address', '127.0.0.1', '--metrics-port', `${metrics[0]}`],
    ]),
    run(argocd, 'argocd-application-controller', [
      ...common,
      ...['--namespace', 'argocd', '--repo-server', `127.0.0.1:${repoPort}`],
      ...['--metrics-port', `${metrics[1]}`],
    ]),
  ];
  return {
    ...costsOf(children.map(({ pid }) => pid ?? 0)),
    tell: refreshAll,
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map(end));
    },
  };
}

/** What its server does at a webhook: it asks every Application of the repository for a refresh. */
async function refreshAll({ client, overlays }: Fleet): Promise<void> {
  const annotations = { 'argocd.argoproj.io/refresh': 'normal' };
  await eachOf(overlays, ({ app }) =>
    client.patch(
      { group: 'argoproj.io', kind: 'Application', namespace: 'argocd', name: app },
      { metadata: { annotations } },
      { type: 'merge' },
    ),
  );
}

/** What its installation brings. */
async function install(client: KubeClient): Promise<void> {
  const labels = { 'app.kubernetes.io/part-of': 'argocd' };
  const named = (name: string) => ({ name, namespace: 'argocd', labels });
  const settings: readonly KubeObject[] = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: named('argocd-cm') },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: named('argocd-rbac-cm') },
    {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: named('argocd-secret') },
      stringData: { 'server.secretkey': 'a key of this run' },
    },
    {
      ...{ apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: named('default') },
      spec: {
        sourceRepos: ['*'],
        destinations: [{ server: '*', namespace: '*' }],
        clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      },
    },
  ];
  for (const one of settings) await client.create(one);
}

/** A folder in which the programs have their plain names, and the script stands that the repository server asks about signatures. */
function linked(programs: readonly string[], folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const program of programs)
    symlinkSync(program, join(bin, basename(program).replace(/-[\d.]+$/, '')));
  const script = '#!/bin/sh\ngit verify-commit "$1" 2>&1 || true\n';
  writeFileSync(join(bin, 'git-verify-wrapper.sh'), script, { mode: 0o755 });
  return bin;
}

function costsOf(pids: readonly number[]): Pick<Peer, 'cpuSeconds' | 'peakMb'> {
  const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + of(pid), 0);
  return {
    cpuSeconds: () => sum(cpuSeconds),
    peakMb: () => sum((pid) => statusMb(pid, 'VmHWM')),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([gone, pause(10_000).then(() => child.kill('SIGKILL'))]);
}
