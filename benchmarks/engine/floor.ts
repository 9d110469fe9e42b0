/**
 * What the machine allows: the objects of all Applications, rendered before, written by server-side apply through a bare client,
 * sixteen at a time, with no status to report, nothing to watch and nobody to tell. No control plane can be faster than this.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import { build } from '@capstan/kube-kustomize';
import type { KubeObject } from '@capstan/kube-object';
import { memoryTree } from '@capstan/lib-files';
import { startCluster } from '../../conformance/cluster/cluster.ts';
import { ENVIRONMENTS, monorepo, overlays } from './monorepo.ts';
import { clusterCpu } from './process.ts';

const IN_FLIGHT = 16;

export interface Floor {
  readonly appliedMs: number;
  /** Until every Deployment has its Pod; with what the control plane's own controllers do. */
  readonly availableMs: number;
  /** Of this process, in seconds, while it applied. */
  readonly cpu: number;
  readonly clusterBefore: ReadonlyMap<string, number>;
  readonly clusterAfter: ReadonlyMap<string, number>;
}

export async function measureFloor(apps: number): Promise<Floor> {
  const objects = renderAll(apps);
  await using cluster = await startCluster({ nodes: 20, args: ['-procs'] });
  const connection = await loadKubeconfig({ file: cluster.kubeconfig });
  const client = connect(connection, { userAgent: 'bare' });
  for (const environment of ENVIRONMENTS) {
    const metadata = { name: `team-${environment}` };
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  // The namespaces' own objects, and what a control plane does at its start.
  await pause(5_000);
  const clusterBefore = clusterCpu(cluster.directory);
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  const left = [...objects];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift())
      await client.apply(one, { fieldManager: 'bare', force: true });
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const appliedMs = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpuBefore);
  const deployments = { group: 'apps', kind: 'Deployment' };
  const isAvailable = (object: KubeObject) =>
    (object['status'] as { readonly availableReplicas?: number } | undefined)?.availableReplicas;
  for (;;) {
    const { items } = await client.list(deployments);
    if (items.filter(isAvailable).length >= apps) break;
    await pause(500);
  }
  const availableMs = performance.now() - begun;
  const clusterAfter = clusterCpu(cluster.directory);
  await client.close();
  return { appliedMs, availableMs, cpu: (user + system) / 1e6, clusterBefore, clusterAfter };
}

function renderAll(apps: number): readonly KubeObject[] {
  const tree = memoryTree(monorepo(apps));
  return overlays(apps).flatMap(({ path }) => {
    const result = build(tree, path);
    if (result.kind !== 'built') throw new Error(`${path} asks for files from elsewhere`);
    return result.objects;
  });
}
