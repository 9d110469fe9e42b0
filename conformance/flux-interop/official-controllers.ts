/** Flux's own controllers as processes, which take what is labelled `by: flux`, and ours beside them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '@capstan/kube-client';
import { type Cluster, scratch } from '../cluster/cluster.ts';
import { eventually, freePort, makeNamespace } from '../cluster/support.ts';
import { Controller } from '../flux-helm/controller.ts';

export interface OfficialController extends AsyncDisposable {
  readonly pid: number;
}

export function startOfficial(
  program: string,
  { kubeconfig }: Cluster,
  args: readonly string[],
): OfficialController {
  const common = [
    ...['--watch-all-namespaces=true', '--watch-label-selector=by=flux', '--metrics-addr=0'],
    ...['--health-addr=127.0.0.1:0', '--enable-leader-election=false', '--events-addr='],
  ];
  const child = spawn(program, [...common, ...args], {
    stdio: ['ignore', 'ignore', process.env['VERBOSE'] ? 'inherit' : 'ignore'],
    env: { ...process.env, KUBECONFIG: kubeconfig, RUNTIME_NAMESPACE: 'flux-system' },
  });
  return {
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await Promise.race([gone, pause(10_000).then(() => child.kill('SIGKILL'))]);
    },
  };
}

/** The real source-controller, with its artifacts on the loopback address. */
export async function startSources(program: string, cluster: Cluster): Promise<OfficialController> {
  const address = `127.0.0.1:${await freePort()}`;
  return startOfficial(program, cluster, [
    `--storage-path=${scratch(cluster, 'storage')}`,
    `--storage-addr=${address}`,
    `--storage-adv-addr=${address}`,
  ]);
}

/** `capstan serve` for what is labelled `by: capstan`, once its definitions and the namespaces of a comparison are there. */
export async function startCapstan(
  client: KubeClient,
  cluster: Cluster,
  namespace: string,
): Promise<AsyncDisposable> {
  const own = new Controller({
    ...{ kubeconfig: cluster.kubeconfig, cache: scratch(cluster, 'cache') },
    args: ['--watch-label-selector', 'by=capstan'],
  });
  own.start();
  await untilDefined(client);
  for (const name of [namespace, 'flux-system']) await makeNamespace(client, name);
  return own;
}

async function untilDefined(client: KubeClient): Promise<void> {
  await eventually(
    async () => {
      client.discovery.invalidate();
      return (await client.discovery.kinds()).some(({ kind }) => kind === 'ArtifactGenerator');
    },
    'the definitions',
    120_000,
  );
}
