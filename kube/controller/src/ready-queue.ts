/** First in, first out within a priority; the highest priority first. Adding and taking cost O(log of the priorities). */
export class ReadyQueue<T> {
  readonly #lanes = new Map<number, Set<T>>();
  #order: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The highest priority of what is ready. */
  get top(): number | undefined {
    return this.#order[0];
  }

  add(item: T, priority: number): void {
    let lane = this.#lanes.get(priority);
    if (lane === undefined) {
      lane = new Set();
      this.#lanes.set(priority, lane);
      this.#order = [...this.#lanes.keys()].sort((a, b) => b - a);
    }
    if (!lane.has(item)) this.#size++;
    lane.add(item);
  }

  remove(item: T, priority: number): void {
    const lane = this.#lanes.get(priority);
    if (lane?.delete(item) !== true) return;
    this.#size--;
    if (lane.size === 0) this.#dropLane(priority);
  }

  take(): T | undefined {
    const priority = this.#order[0];
    const lane = priority === undefined ? undefined : this.#lanes.get(priority);
    if (priority === undefined || lane === undefined) return undefined;
    for (const item of lane) {
      this.remove(item, priority);
      return item;
    }
    return undefined;
  }

  #dropLane(priority: number): void {
    this.#lanes.delete(priority);
    this.#order = this.#order.filter((known) => known !== priority);
  }
}
