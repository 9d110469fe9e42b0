/**
 * Tells the version of a cluster's Kubernetes by a label of its Secret, where that asks for it (documentation: "Cluster
 * Generator", "Fetch clusters based on their K8s version"), so that sets can choose clusters by it.
 */
import { SECRET_TYPE_LABEL } from '@capstan/argocd-api';
import { isNotFound, type KubeClient, type LiveChange } from '@capstan/kube-client';
import {
  type Controller,
  type ControllerRuntime,
  createController,
  type ReconcileResult,
} from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import type { Clock } from '@capstan/lib-std';
import { readClusterSecret } from './cluster-secret.ts';
import type { ClusterDirectory } from './clusters.ts';
import type { ControlState } from './control-state.ts';

const ASKED_LABEL = 'argocd.argoproj.io/auto-label-cluster-info';
const VERSION_LABEL = 'argocd.argoproj.io/kubernetes-version';
const AGAIN_MS = 600_000;

export interface ClusterLabellerPorts {
  readonly client: KubeClient;
  readonly clusters: Pick<ClusterDirectory, 'get'>;
  readonly control: Pick<ControlState, 'secret'>;
  readonly clock: Clock;
  readonly runtime?: ControllerRuntime | undefined;
}

/** By names of Secrets in the control plane's namespace. */
export function createClusterLabeller(ports: ClusterLabellerPorts): Controller<string> {
  return createController<string>({
    name: 'cluster-labels',
    reconcile: (name, { signal }) => reconcile(name, ports, signal),
    keyString: (name) => name,
    concurrency: 4,
    clock: ports.clock,
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
  });
}

/** Wakes for Secrets of clusters that ask for the label. */
export function wakeLabeller({ key, after }: LiveChange, controller: Controller<string>): void {
  if (key.kind === 'Secret' && asksForLabels(after?.read())) controller.enqueue(key.name);
}

export function asksForLabels(secret: KubeObject | undefined): boolean {
  const labels = secret?.metadata.labels ?? {};
  return labels[SECRET_TYPE_LABEL] === 'cluster' && labels[ASKED_LABEL] === 'true';
}

async function reconcile(
  name: string,
  { client, clusters, control }: ClusterLabellerPorts,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const secret = control.secret(name);
  const registration = secret && readClusterSecret(secret);
  if (secret === undefined || registration === undefined || !asksForLabels(secret))
    return { kind: 'settled' };
  const cluster = clusters.get(registration.server);
  if (cluster === undefined) return { kind: 'settled', recheckAfterMs: AGAIN_MS };
  const { gitVersion } = await cluster.client.discovery.version({ signal });
  const version = /\d+(?:\.\d+)*/.exec(gitVersion)?.[0];
  const told = version === undefined ? undefined : `v${version}`;
  const { labels, namespace = '' } = secret.metadata;
  if (told !== undefined && labels?.[VERSION_LABEL] !== told) {
    const patch = { metadata: { labels: { [VERSION_LABEL]: told } } };
    const ref = { apiVersion: 'v1', kind: 'Secret', namespace, name };
    await client.patch(ref, patch, { type: 'merge', signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
  return { kind: 'settled', recheckAfterMs: AGAIN_MS };
}
