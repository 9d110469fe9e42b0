import { isAlreadyExists, type KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError, type Clock } from '@capstan/lib-std';
import { compareDefinition } from './compare-definition.ts';
import { listAt, textAt } from './views/fields.ts';

const ESTABLISHED_TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** As in the policies of HelmReleases: what is there stays, or is replaced where it is older. */
export type CrdPolicy = 'Create' | 'CreateReplace';

export interface InstalledCrds {
  readonly created: readonly string[];
  readonly replaced: readonly string[];
  /** Those that were left as they are, with the versions and fields that they lack: the API server drops such fields. */
  readonly older: ReadonlyMap<string, readonly string[]>;
}

/**
 * Creates those definitions that the cluster lacks, and replaces older ones where that is asked for, but none that has
 * versions or fields which ours do not have. Waits until all are served.
 */
export async function installCrds(
  client: KubeClient,
  definitions: readonly KubeObject[],
  { policy = 'Create', version, ...wait }: InstallOptions,
): Promise<InstalledCrds> {
  const { clock, signal } = wait;
  const created: string[] = [];
  const replaced: string[] = [];
  const older = new Map<string, readonly string[]>();
  for (const definition of definitions) {
    const name = definition.metadata.name ?? '';
    const { apiVersion, kind } = definition;
    const own = withVersion(definition, version);
    const write = { fieldManager: 'capstan', signal };
    const found = await client.find({ apiVersion, kind, name }, { signal });
    if (found === undefined) {
      if (await create(client, own, write)) created.push(name);
      continue;
    }
    const { lacks, more } = compareDefinition(found, definition);
    if (lacks.length === 0) continue;
    if (policy === 'CreateReplace' && more.length === 0) {
      await client.apply(own, { ...write, force: true });
      replaced.push(name);
    } else older.set(name, lacks);
  }
  const deadlineMs = clock.now() + ESTABLISHED_TIMEOUT_MS;
  for (const definition of definitions) {
    await waitEstablished(client, definition, { ...wait, deadlineMs });
  }
  if (created.length + replaced.length > 0) client.discovery.invalidate();
  return { created, replaced, older };
}

export interface InstallOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly version: string;
  /** `Create` when absent. */
  readonly policy?: CrdPolicy;
}

/** Whether it was there not yet: another replica may be faster. */
async function create(
  client: KubeClient,
  definition: KubeObject,
  options: { readonly fieldManager: string; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    await client.create(definition, options);
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    throw error;
  }
}

/** Says who installed it: `flux check` tells the version. */
function withVersion(definition: KubeObject, version: string): KubeObject {
  const labels = { ...definition.metadata.labels, 'app.kubernetes.io/version': `v${version}` };
  return { ...definition, metadata: { ...definition.metadata, labels } };
}

async function waitEstablished(
  client: KubeClient,
  { apiVersion, kind, metadata }: KubeObject,
  options: { readonly clock: Clock; readonly signal: AbortSignal; readonly deadlineMs: number },
): Promise<void> {
  const { clock, signal, deadlineMs } = options;
  const name = metadata.name ?? '';
  for (;;) {
    const object = await client.get({ apiVersion, kind, name }, { signal });
    const isEstablished = listAt(object, 'status', 'conditions').some(
      (condition) =>
        textAt(condition, 'type') === 'Established' && textAt(condition, 'status') === 'True',
    );
    if (isEstablished) return;
    if (clock.now() > deadlineMs) {
      throw new CapstanError('CRD_NOT_ESTABLISHED', `the definition ${name} is not served`, {
        hint: `see its conditions: kubectl describe crd ${name}`,
        kind: 'retry',
      });
    }
    await new Promise<void>((resolve) => void clock.after(LOOK_EVERY_MS, resolve));
  }
}
