import type { RenderResult } from '@capstan/engine-render';
import type { Snapshot, SourceSpec, SourceStore } from '@capstan/engine-source';
import type { FileTree } from '@capstan/lib-files';
import { BoundedCache, type CapstanError } from '@capstan/lib-std';

/** What one source of a delivery gave when it was last rendered. */
export interface LoadedRender {
  readonly snapshot: Snapshot;
  /** Absent for a source that is only referred to. */
  readonly trace?: RenderResult['trace'];
}

/** Where two states of a source differ, for whoever read one of them. */
interface Change {
  /** Files whose content is another one, that came or that went. */
  readonly files: readonly string[];
  /** Places that came, went or turned into something else. */
  readonly places: readonly string[];
  /** Folders before and after, with other names in them. */
  readonly listings: readonly string[];
}

/** Knows whether another state of a source would render differently. One push concerns many: its trees are compared once. */
export class ChangeJudge {
  readonly #sources: Pick<SourceStore, 'changedPaths'>;
  readonly #changes = new BoundedCache<string, Change>(64);

  constructor(sources: Pick<SourceStore, 'changedPaths'>) {
    this.#sources = sources;
  }

  /** False only when a render of `after` would give the same as the one before. */
  touches(before: LoadedRender | undefined, after: Snapshot): boolean {
    if (before?.trace === undefined || before.snapshot.source !== after.source) return true;
    const { trace, snapshot } = before;
    if (snapshot.digest === after.digest) return false;
    const { files, places, listings } = this.#change(snapshot, after);
    return (
      files.some((path) => trace.files.has(path)) ||
      listings.some((path) => trace.listings.has(path)) ||
      places.some(
        (path) => trace.stats.has(path) || trace.listings.has(path) || trace.files.has(path),
      )
    );
  }

  #change(before: Snapshot, after: Snapshot): Change {
    const key = `${before.source} ${before.digest} ${after.digest}`;
    const known = this.#changes.get(key);
    if (known !== undefined) return known;
    const files = this.#sources.changedPaths(before, after);
    const all = placesOf(files);
    const kindOf = (tree: FileTree, path: string) => tree.stat(path)?.kind;
    const places = all.filter((path) => kindOf(before.files, path) !== kindOf(after.files, path));
    const listings = all.filter((path) => !listsAlike(before.files, after.files, path));
    const change = { files, places, listings };
    this.#changes.set(key, change);
    return change;
  }
}

/** The paths and all folders above them. */
function placesOf(paths: readonly string[]): readonly string[] {
  const places = new Set<string>(['']);
  for (const path of paths) {
    for (let at = path; at !== '' && !places.has(at); at = at.slice(0, at.lastIndexOf('/'))) {
      places.add(at);
      if (!at.includes('/')) break;
    }
  }
  return [...places];
}

/** True for what is no folder on either side. */
function listsAlike(before: FileTree, after: FileTree, path: string): boolean {
  const [names, now] = [before.readDirectory(path) ?? [], after.readDirectory(path) ?? []];
  return (
    names.length === now.length &&
    names.every(({ name, kind }, i) => name === now[i]?.name && kind === now[i]?.kind)
  );
}

interface Watch {
  readonly specs: string;
  readonly stops: readonly (() => void)[];
  readonly errors: Map<number, CapstanError>;
  loaded: readonly LoadedRender[];
}

/**
 * Follows the sources of each delivery (or of whatever bears an id) as long as it names them, and says of each change
 * whether it touches what the delivery read: `touched` is false when a render would give the same.
 */
export class SourceWatches {
  readonly #sources: Pick<SourceStore, 'watch'>;
  readonly #wake: (id: string, change: { readonly touched: boolean }) => void;
  readonly #watches = new Map<string, Watch>();
  readonly #judge: ChangeJudge;

  constructor(
    sources: Pick<SourceStore, 'watch' | 'changedPaths'>,
    wake: (id: string, change: { readonly touched: boolean }) => void,
  ) {
    this.#sources = sources;
    this.#judge = new ChangeJudge(sources);
    this.#wake = wake;
  }

  follow(id: string, sources: readonly SourceSpec[], intervalMs: number): void {
    const specs = JSON.stringify([intervalMs, sources]);
    if (this.#watches.get(id)?.specs === specs) return;
    this.forget(id);
    const errors = new Map<number, CapstanError>();
    const stops: (() => void)[] = [];
    const watch: Watch = { specs, stops, errors, loaded: [] };
    this.#watches.set(id, watch);
    sources.forEach((source, index) => {
      const stop = this.#sources.watch(source, {
        intervalMs,
        onChange: (change) => {
          const hadError = errors.delete(index);
          if (change.kind === 'error') errors.set(index, change.error);
          const touched =
            change.kind === 'error' ||
            hadError ||
            this.#judge.touches(watch.loaded[index], change.snapshot);
          if (change.kind !== 'error' && !touched) keep(watch, index, change.snapshot);
          this.#wake(id, { touched });
        },
      });
      stops.push(stop);
    });
  }

  /** Tells what was rendered last, so that later changes can be held against it. */
  loaded(id: string, renders: readonly LoadedRender[]): void {
    const watch = this.#watches.get(id);
    if (watch !== undefined) watch.loaded = renders;
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

/** The render holds for this state as well: the next change is held against it, however many came before. */
function keep(watch: Watch, index: number, snapshot: Snapshot): void {
  watch.loaded = watch.loaded.map((one, at) => (at === index ? { ...one, snapshot } : one));
}
