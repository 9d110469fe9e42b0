import { type ApiServer, putImported } from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';

/**
 * Takes objects as they are, with uid, status and owners, from another cluster or a backup; those that exist are replaced.
 * Objects of kinds that are not served are left out. Gives how many were taken.
 */
export async function importObjects(
  server: ApiServer,
  objects: AsyncIterable<KubeObject> | Iterable<KubeObject>,
): Promise<number> {
  const definitions: KubeObject[] = [];
  const others: KubeObject[] = [];
  for await (const object of objects) {
    (object.kind === 'CustomResourceDefinition' ? definitions : others).push(object);
  }
  // All in one turn: between two pages a controller would take a pod for an orphan, or an owner for one without pods.
  let taken = 0;
  for (const object of [...definitions, ...others]) if (putImported(server.core, object)) taken++;
  return taken;
}
