/**
 * What a change of an object is to its owner: `content`, something that is desired may be gone; `health`, the object fares otherwise;
 * `note`, it says more of itself.
 */
export type Weight = 'content' | 'health' | 'note';

type Wake = (weight: Weight) => void;

/**
 * Wakes by live objects that come while their owner is being looked at. A look reads the live state when it begins, and once more
 * when it has applied, and has seen then whatever came until that moment: what a watch read for it first, and its own writes, which
 * a watch may tell before the server's answer is here. Only what comes later is worth another look, and all of it while an
 * operation goes on, which goes by what happens to its objects.
 */
export class HeldWakes {
  readonly #looks = new Map<string, { all?: Held; unseen?: Held }>();

  begin(owner: string): void {
    this.#looks.set(owner, {});
  }

  /** Takes the wake of an owner that is being looked at; false: nobody looks at it. */
  hold(owner: string, weight: Weight, wake: Wake): boolean {
    const look = this.#looks.get(owner);
    if (look === undefined) return false;
    look.all = heavier(look.all, { weight, wake });
    look.unseen = heavier(look.unseen, { weight, wake });
    return true;
  }

  /** The live state is about to be read. */
  seen(owner: string): void {
    delete this.#looks.get(owner)?.unseen;
  }

  /** The look is over: what it has not seen wakes its owner. */
  end(owner: string, { goesOn }: { readonly goesOn: boolean }): void {
    const { all, unseen } = this.#looks.get(owner) ?? {};
    this.#looks.delete(owner);
    const held = goesOn ? all : unseen;
    held?.wake(held.weight);
  }
}

interface Held {
  readonly weight: Weight;
  readonly wake: Wake;
}

const ORDER: readonly Weight[] = ['note', 'health', 'content'];

function heavier(one: Held | undefined, other: Held): Held {
  const weightOf = ({ weight }: Held) => ORDER.indexOf(weight);
  return one === undefined || weightOf(other) > weightOf(one) ? other : one;
}
