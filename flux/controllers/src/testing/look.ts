/** How tests look at what the controllers wrote. */
import { at } from '@capstan/engine-delivery/testing';
import type { Json, KubeObject } from '@capstan/kube-object';
import type { World } from './world.ts';

export { at };

export async function ready(world: World, message: string): Promise<KubeObject | undefined> {
  return world.eventually(
    () => world.get('Kustomization', 'flux-system/my-app'),
    (one) =>
      at(find(one, 'Ready'), 'status') === 'True' &&
      String(at(find(one, 'Ready'), 'message')).startsWith(message),
  );
}

export async function condition(
  world: World,
  type: string,
  holds: (one: Json | undefined) => boolean,
): Promise<Json | undefined> {
  const found = await world.eventually(
    () => world.get('Kustomization', 'flux-system/my-app'),
    (one) => holds(find(one, type)),
  );
  return find(found, type);
}

export async function annotate(world: World, requestedAt: string): Promise<void> {
  const ref = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    namespace: 'flux-system',
    name: 'my-app',
  };
  const annotations = { 'reconcile.fluxcd.io/requestedAt': requestedAt };
  await world.client.patch(ref, { metadata: { annotations } }, { type: 'merge' });
}

export function find(object: KubeObject | undefined, type: string): Json | undefined {
  return list(at(object, 'status', 'conditions')).find((one) => at(one, 'type') === type);
}

export function conditions(object: KubeObject | undefined): readonly string[] {
  return list(at(object, 'status', 'conditions')).map(
    (one) => `${at(one, 'type')}=${at(one, 'status')} ${at(one, 'reason')} ${at(one, 'message')}`,
  );
}

export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150));
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
