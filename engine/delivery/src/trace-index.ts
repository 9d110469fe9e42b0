import type { RenderTrace } from '@capstan/lib-files';
import type { Change } from './source-watches.ts';

type Paths<T> = Map<string, T | Set<T>>;

/** Readers by the paths that they read, listed or asked for: who may be touched by a change, without asking each. */
export class TraceIndex<T extends object> {
  readonly #traces = new Map<T, RenderTrace>();
  readonly #files: Paths<T> = new Map();
  readonly #listings: Paths<T> = new Map();
  readonly #stats: Paths<T> = new Map();

  get size(): number {
    return this.#traces.size;
  }

  has(reader: T): boolean {
    return this.#traces.has(reader);
  }

  add(reader: T, trace: RenderTrace): void {
    this.remove(reader);
    this.#traces.set(reader, trace);
    for (const path of trace.files.keys()) put(this.#files, path, reader);
    for (const path of trace.listings.keys()) put(this.#listings, path, reader);
    for (const path of trace.stats.keys()) put(this.#stats, path, reader);
  }

  remove(reader: T): void {
    const trace = this.#traces.get(reader);
    if (trace === undefined) return;
    this.#traces.delete(reader);
    for (const path of trace.files.keys()) drop(this.#files, path, reader);
    for (const path of trace.listings.keys()) drop(this.#listings, path, reader);
    for (const path of trace.stats.keys()) drop(this.#stats, path, reader);
  }

  /** Those whose render does not hold any more; as ChangeJudge judges each. */
  find({ files, listings, places }: Change): ReadonlySet<T> {
    const found = new Set<T>();
    for (const path of files) collect(this.#files, path, found);
    for (const path of listings) collect(this.#listings, path, found);
    for (const path of places) {
      collect(this.#stats, path, found);
      collect(this.#listings, path, found);
      collect(this.#files, path, found);
    }
    return found;
  }
}

/** Most paths have one reader, for which a Set would cost more than its entry. */
function put<T extends object>(paths: Paths<T>, path: string, reader: T): void {
  const held = paths.get(path);
  if (held === undefined) paths.set(path, reader);
  else if (held instanceof Set) held.add(reader);
  else if (held !== reader) paths.set(path, new Set([held, reader]));
}

function drop<T extends object>(paths: Paths<T>, path: string, reader: T): void {
  const held = paths.get(path);
  if (held === reader) paths.delete(path);
  else if (held instanceof Set && held.delete(reader) && held.size === 0) paths.delete(path);
}

function collect<T extends object>(paths: Paths<T>, path: string, found: Set<T>): void {
  const held = paths.get(path);
  if (held === undefined) return;
  if (held instanceof Set) for (const reader of held) found.add(reader);
  else found.add(held);
}
