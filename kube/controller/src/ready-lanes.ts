import { ReadyQueue } from './ready-queue.ts';

/**
 * Ready items in lanes, each with its own bound of what runs at once: one lane that is stuck stops no other. Lanes take
 * turns; within a lane the highest priority comes first, and then whoever waits longest. An item starts while fewer run in its
 * lane than the bound of its priority.
 */
export class ReadyLanes<T> {
  readonly #lanes = new Map<string, { readonly ready: ReadyQueue<T>; running: number }>();
  readonly #boundOf: (priority: number) => number;
  #size = 0;

  constructor(boundOf: (priority: number) => number) {
    this.#boundOf = boundOf;
  }

  get size(): number {
    return this.#size;
  }

  add(item: T, lane: string, priority: number): void {
    const { ready } = this.#lane(lane);
    this.#size -= ready.size;
    ready.add(item, priority);
    this.#size += ready.size;
  }

  remove(item: T, lane: string, priority: number): void {
    const { ready } = this.#lane(lane);
    this.#size -= ready.size;
    ready.remove(item, priority);
    this.#size += ready.size;
    this.#drop(lane);
  }

  /** The next item whose lane has room, which then counts as running until `done`. */
  take(): T | undefined {
    for (const [name, lane] of this.#lanes) {
      const { top } = lane.ready;
      if (top === undefined || lane.running >= this.#boundOf(top)) continue;
      const item = lane.ready.take();
      if (item === undefined) continue;
      this.#size--;
      lane.running++;
      // The next turn is another lane's.
      this.#lanes.delete(name);
      this.#lanes.set(name, lane);
      return item;
    }
    return undefined;
  }

  done(lane: string): void {
    this.#lane(lane).running--;
    this.#drop(lane);
  }

  #lane(name: string) {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { ready: new ReadyQueue<T>(), running: 0 };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #drop(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane?.running === 0 && lane.ready.size === 0) this.#lanes.delete(name);
  }
}
