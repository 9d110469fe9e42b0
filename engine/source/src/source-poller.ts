import type { Clock } from '@capstan/lib-std';

export interface PollerPorts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Looks at the remote once and tells every follower; answers how long until the next look. */
  readonly look: () => Promise<number>;
}

const JITTER = 0.1;

/** Looks at one remote again and again: never two looks at a time, at once when woken, stopped for good by `stop`. */
export class SourcePoller {
  readonly #ports: PollerPorts;
  #cancel: () => void = () => undefined;
  #running = false;
  #again = false;
  #stopped = false;

  constructor(ports: PollerPorts) {
    this.#ports = ports;
  }

  /** Looks now; a call during a look has it followed by another, because the first may have seen too little. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#cancel();
    this.#running = true;
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #run(): Promise<void> {
    let delayMs = await this.#ports.look();
    while (this.#again && !this.#stopped) {
      this.#again = false;
      delayMs = await this.#ports.look();
    }
    this.#running = false;
    if (this.#stopped || !Number.isFinite(delayMs)) return;
    const jittered = delayMs * (1 + JITTER * (2 * this.#ports.random() - 1));
    this.#cancel = this.#ports.clock.after(jittered, () => this.wake());
  }
}
