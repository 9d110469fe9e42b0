import type { SourceSpec, SourceStore } from '@capstan/engine-source';
import type { CapstanError } from '@capstan/lib-std';

interface Watch {
  readonly specs: string;
  readonly stops: readonly (() => void)[];
  readonly errors: Map<number, CapstanError>;
}

/** Follows the sources of each delivery (or of whatever bears an id) as long as it names them. */
export class SourceWatches {
  readonly #sources: Pick<SourceStore, 'watch'>;
  readonly #wake: (id: string) => void;
  readonly #watches = new Map<string, Watch>();

  constructor(sources: Pick<SourceStore, 'watch'>, wake: (id: string) => void) {
    this.#sources = sources;
    this.#wake = wake;
  }

  follow(id: string, sources: readonly SourceSpec[], intervalMs: number): void {
    const specs = JSON.stringify([intervalMs, sources]);
    if (this.#watches.get(id)?.specs === specs) return;
    this.forget(id);
    const errors = new Map<number, CapstanError>();
    const stops: (() => void)[] = [];
    this.#watches.set(id, { specs, stops, errors });
    sources.forEach((source, index) => {
      const stop = this.#sources.watch(source, {
        intervalMs,
        onChange: (change) => {
          if (change.kind === 'error') errors.set(index, change.error);
          else errors.delete(index);
          this.#wake(id);
        },
      });
      stops.push(stop);
    });
  }

  /** Remotes that could not be read when they were last asked. */
  errors(id: string): readonly CapstanError[] {
    return [...(this.#watches.get(id)?.errors.values() ?? [])];
  }

  forget(id: string): void {
    for (const stop of this.#watches.get(id)?.stops ?? []) stop();
    this.#watches.delete(id);
  }

  close(): void {
    for (const id of [...this.#watches.keys()]) this.forget(id);
  }
}
