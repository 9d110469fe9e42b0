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
  let taken = 0;
  for await (const object of objects) if (putImported(server.core, object)) taken++;
  return taken;
}
