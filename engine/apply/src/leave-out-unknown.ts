import { ApiError } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { findMember, refusalsIn } from './message-path.ts';

/**
 * The object without the fields that an apply was refused for, as the server's merge names them; undefined when it names
 * none. Clients that send whole objects have the server drop such fields; a server-side apply with them is always refused.
 */
export function leaveOutUnknown(object: KubeObject, message: string): KubeObject | undefined {
  const less = structuredClone(object);
  const removed = refusalsIn(message, 'field not declared in schema').filter(({ path }) => {
    const member = findMember(less, path);
    if (member === undefined || !Object.hasOwn(member.holder, member.name)) return false;
    return Reflect.deleteProperty(member.holder, member.name);
  });
  return removed.length === 0 ? undefined : less;
}

const UNKNOWN_FIELDS = 50;

/** Writes the object less what no schema knows. A server names one unknown field of a map at a time. */
export async function writeKnown(
  object: KubeObject,
  write: (sent: KubeObject) => Promise<KubeObject>,
): Promise<KubeObject> {
  let sent = object;
  for (let attempt = 0; ; attempt++) {
    try {
      return await write(sent);
    } catch (error) {
      const message = error instanceof ApiError ? error.status.message : '';
      const less = attempt < UNKNOWN_FIELDS ? leaveOutUnknown(sent, message) : undefined;
      if (less === undefined) throw error;
      sent = less;
    }
  }
}
