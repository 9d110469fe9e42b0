import {
  API_VERSION,
  type Application,
  BACKGROUND_FINALIZER,
  FINALIZER,
  FOREGROUND_FINALIZER,
} from '@capstan/argocd-api';
import { deleteDelivery, type InventoryEntry, type VerdictCache } from '@capstan/engine-delivery';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import type { ReconcileResult } from '@capstan/kube-controller';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { ClusterDirectory } from './clusters.ts';
import { DEFAULT_PROJECT_SPEC } from './project-guard.ts';
import { readStatus } from './read-status.ts';
import { type LoweringContext, toDelivery } from './to-delivery.ts';

const CASCADES: readonly string[] = [FINALIZER, FOREGROUND_FINALIZER, BACKGROUND_FINALIZER];

/** Whether the application holds itself until its resources are deleted. */
export function hasCascade({ metadata }: Application): boolean {
  return metadata.finalizers?.some((name) => CASCADES.includes(name)) ?? false;
}

export interface DeletionContext {
  readonly ports: {
    readonly client: KubeClient;
    readonly clusters: ClusterDirectory;
    readonly verdicts: VerdictCache;
  };
  readonly context: LoweringContext;
  readonly signal: AbortSignal;
}

/** Deletes the application's resources, then lets it go (documentation: "App Deletion"). Woken again as they vanish. */
export async function deleteApplication(
  app: Application,
  deletion: DeletionContext,
): Promise<ReconcileResult> {
  const { ports, context, signal } = deletion;
  // What is to be deleted does not depend on what the project permits by now, nor on what the sources say.
  const project = {
    apiVersion: API_VERSION,
    kind: 'AppProject',
    metadata: { name: 'any' },
    spec: { ...DEFAULT_PROJECT_SPEC, sourceNamespaces: ['*'] },
  };
  const source = { repoURL: 'https://unused.invalid/', path: '.' };
  const { sources: _sources, syncPolicy: _policy, ...spec } = app.spec;
  let delivery: ReturnType<typeof toDelivery>;
  try {
    delivery = toDelivery({ ...app, spec: { ...spec, source } }, { ...context, project });
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    // No cluster can be found for it any more: nothing can be deleted, and it must not stay for ever.
    return release(app, ports.client, signal);
  }
  const cluster = ports.clusters.get(delivery.destination.cluster);
  if (cluster === undefined) return release(app, ports.client, signal);
  const background = app.metadata.finalizers?.includes(BACKGROUND_FINALIZER) ?? false;
  const inventory: readonly InventoryEntry[] = readStatus(app)?.inventory ?? [];
  const { remaining, errors } = await deleteDelivery(delivery, cluster, {
    inventory,
    propagation: background ? 'Background' : 'Foreground',
    signal,
  });
  const [first] = errors;
  if (first !== undefined) {
    const message = `cannot delete the resources of Application ${app.metadata.name}: ${messageOf(first)}`;
    return {
      kind: 'retry',
      error: new CapstanError('DELETION_FAILED', message, { kind: 'retry', cause: first }),
    };
  }
  if (remaining.length > 0) return { kind: 'settled', recheckAfterMs: 2000 };
  return release(app, ports.client, signal);
}

async function release(
  app: Application,
  client: KubeClient,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { name = '', namespace = '', finalizers = [], resourceVersion } = app.metadata;
  const kept = finalizers.filter((one) => !CASCADES.includes(one));
  const metadata = {
    finalizers: kept,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  try {
    await client.patch(
      { apiVersion: API_VERSION, kind: 'Application', namespace, name },
      { metadata },
      { type: 'merge', signal },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return { kind: 'settled' };
}
