import { ApiError, isConflict, type KubeClient, type WriteOptions } from '@capstan/kube-client';
import { type Json, type KubeObject, keyOf } from '@capstan/kube-object';
import { findMember, isMap, refusalsIn } from './message-path.ts';

const ATTEMPTS = 5;

/**
 * Writes an object some of whose keyed lists name a key twice (an environment variable, a port of a container), as clients
 * do that send whole objects: the server stores such lists, but refuses to merge them. A dry run merges the rest; the lists
 * are sent with it as they are, followed by what others have in them. Any other object is merged as always.
 */
export async function writeRepeated(
  object: KubeObject,
  {
    client,
    merge,
    options,
    onCreate,
  }: {
    readonly client: KubeClient;
    /** Server-side apply, of the whole object or of a part. */
    readonly merge: (sent: KubeObject, dryRun: boolean) => Promise<KubeObject>;
    readonly options: WriteOptions & { readonly signal?: AbortSignal };
    readonly onCreate?: () => void;
  },
): Promise<KubeObject> {
  const { dryRun = false, signal } = options;
  try {
    return await merge(object, dryRun);
  } catch (error) {
    const apart = takeApart(object, error);
    if (apart === undefined) throw error;
    for (let attempt = 1; ; attempt++) {
      const ref = { apiVersion: object.apiVersion, ...keyOf(object) };
      const live = await client.find(ref, signal === undefined ? {} : { signal });
      if (live === undefined) {
        onCreate?.();
        return await client.create(object, options);
      }
      const merged = withLists(await merge(apart.rest, true), apart.lists);
      try {
        return await client.update(merged, options);
      } catch (conflict) {
        if (!isConflict(conflict) || attempt === ATTEMPTS) throw conflict;
      }
    }
  }
}

interface RepeatedList {
  readonly path: string;
  readonly items: readonly Json[];
  /** What tells its elements apart; none: their values. */
  readonly keys: readonly string[];
}

interface Apart {
  readonly rest: KubeObject;
  readonly lists: readonly RepeatedList[];
}

const REPEATED = String.raw`duplicate entries for key \[([^\]]*)`;

/** The lists that the server would not merge, and the object without them; undefined when it was refused for anything else. */
function takeApart(object: KubeObject, error: unknown): Apart | undefined {
  const message = error instanceof ApiError ? error.status.message : '';
  const rest = structuredClone(object);
  const lists = refusalsIn(message, REPEATED).flatMap(({ path, detail = '' }) => {
    const member = findMember(rest, path);
    const items = member?.holder[member.name];
    if (member === undefined || !Array.isArray(items)) return [];
    Reflect.deleteProperty(member.holder, member.name);
    return [{ path, items, keys: [...detail.matchAll(/(\w+)=/g)].map(([, name = '']) => name) }];
  });
  return lists.length === 0 ? undefined : { rest, lists };
}

/** What our own manager set in the lists is gone from a merge without them: what is left there is of others. */
function withLists(merged: KubeObject, lists: Apart['lists']): KubeObject {
  const { managedFields: _kept, ...metadata } = merged.metadata;
  const whole = structuredClone({ ...merged, metadata });
  for (const { path, items, keys } of lists) {
    const member = findMember(whole, path);
    if (member === undefined) continue;
    const there = member.holder[member.name];
    const others = (Array.isArray(there) ? there : []).filter(
      (other: Json) => !items.some((item) => isSameElement(item, other, keys)),
    );
    Object.assign(member.holder, { [member.name]: [...items, ...others] });
  }
  return whole;
}

function isSameElement(a: Json, b: Json, keys: readonly string[]): boolean {
  if (!isMap(a) || !isMap(b)) return a === b;
  return keys.every((key) => a[key] === undefined || b[key] === undefined || a[key] === b[key]);
}
