import { isAlreadyExists, type KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError, type Clock } from '@capstan/lib-std';
import { listAt, textAt } from './views/fields.ts';

const ESTABLISHED_TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** Creates those definitions that the cluster lacks; what is there is left as it is. Waits until all are served. */
export async function installCrds(
  client: KubeClient,
  definitions: readonly KubeObject[],
  {
    clock,
    signal,
    version,
  }: { readonly clock: Clock; readonly signal: AbortSignal; readonly version: string },
): Promise<readonly string[]> {
  const installed: string[] = [];
  for (const definition of definitions) {
    const name = definition.metadata.name ?? '';
    const { apiVersion, kind } = definition;
    if ((await client.find({ apiVersion, kind, name }, { signal })) !== undefined) continue;
    try {
      await client.create(withVersion(definition, version), { fieldManager: 'capstan', signal });
      installed.push(name);
    } catch (error) {
      // Another replica was faster.
      if (!isAlreadyExists(error)) throw error;
    }
  }
  const deadlineMs = clock.now() + ESTABLISHED_TIMEOUT_MS;
  for (const definition of definitions) {
    await waitEstablished(client, definition, { clock, signal, deadlineMs });
  }
  if (installed.length > 0) client.discovery.invalidate();
  return installed;
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
