import { ownerOf } from './rendezvous.ts';

/** A replica, and the set of members by which it says that it shares the keys. */
export interface MemberView {
  readonly identity: string;
  /** Sorted; empty before it says so: it then owns nothing. */
  readonly view: readonly string[];
}

/**
 * Whether a replica may run a key. It must be the owner by every view by which others may see it and by the one that it is
 * about to give out, and no other living replica may be the owner by the view that that one gave out: so two replicas never
 * run one key, whatever each has heard of the other. When all agree on the members, exactly one owns each key.
 */
export function mayRun(
  key: string,
  own: { readonly identity: string; readonly views: readonly (readonly string[])[] },
  others: readonly MemberView[],
): boolean {
  return (
    own.views.every((view) => ownerOf(key, view) === own.identity) &&
    others.every(({ identity, view }) => ownerOf(key, view) !== identity)
  );
}
