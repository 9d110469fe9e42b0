import type { RenderResult } from '@capstan/engine-render';
import type { Snapshot, SourceChange, SourceSpec, SourceStore } from '@capstan/engine-source';
import type { FileTree } from '@capstan/lib-files';
import { BoundedCache, type CapstanError } from '@capstan/lib-std';
import { TraceIndex } from './trace-index.ts';

/** What one source of a delivery gave when it was last rendered. */
export interface LoadedRender {
  readonly snapshot: Snapshot;
  /** Absent for a source that is only referred to. */
  readonly trace?: RenderResult['trace'];
}

/** Where two states of a source differ, for whoever read one of them. */
export interface Change {
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
    const change = this.change(snapshot, after);
    if (change === undefined) return true;
    const { files, places, listings } = change;
    return (
      files.some((path) => trace.files.has(path)) ||
      listings.some((path) => trace.listings.has(path)) ||
      places.some(
        (path) => trace.stats.has(path) || trace.listings.has(path) || trace.files.has(path),
      )
    );
  }

  /** undefined when that cannot be told (any more): nobody may go by what was rendered. */
  change(before: Snapshot, after: Snapshot): Change | undefined {
    const key = `${before.source} ${before.digest} ${after.digest}`;
    const known = this.#changes.get(key);
    if (known !== undefined) return known;
    try {
      const change = this.#compare(before, after);
      this.#changes.set(key, change);
      return change;
    } catch {
      // The older state may have been cleared away meanwhile.
      return undefined;
    }
  }

  #compare(before: Snapshot, after: Snapshot): Change {
    const files = this.#sources.changedPaths(before, after);
    const all = placesOf(files);
    const kindOf = (tree: FileTree, path: string) => tree.stat(path)?.kind;
    const places = all.filter((path) => kindOf(before.files, path) !== kindOf(after.files, path));
    // Other names stand in a folder where something came, went or turned.
    const listings = [...new Set(places.filter((path) => path !== '').map(folderOf))];
    return { files, places, listings };
  }
}

/** Another commit with the same files is another state, which whoever tells of commits wants to know. */
function isSameState(before: Snapshot | undefined, after: Snapshot): boolean {
  return before?.digest === after.digest && before.revision.id === after.revision.id;
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

function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

interface Watch {
  readonly specs: string;
  /** One for each source. */
  readonly seats: readonly Seat[];
}

/** One source of one watch. */
interface Seat {
  readonly id: string;
  readonly topic: Topic;
  loaded: LoadedRender | undefined;
  /** The states that it was woken for, since what it had rendered was behind. */
  told: string;
  /** Its first look is under way and says what it rendered, or that it is over: it need not be woken until then. */
  isLooking: boolean;
}

/** One source, for all who follow it. */
interface Topic {
  readonly key: string;
  intervalMs: number;
  readonly seats: Set<Seat>;
  /** Seats whose render holds for `current`, by what it read: a change is looked up here, and costs nothing for the others. */
  readonly index: TraceIndex<Seat>;
  current: Snapshot | undefined;
  error: CapstanError | undefined;
  stop: () => void;
}

export interface SourceWatchesOptions {
  /** Whoever follows renders at once, calls `loaded` then, and `looked` at the end. */
  readonly rendersAtOnce?: boolean;
  /** Called once for each change that leaves somebody alone. */
  readonly onElsewhere?: () => void;
}

/**
 * Follows the sources of each delivery (or of whatever bears an id) as long as it names them, and wakes those whose render a
 * change touches: who read, listed or missed a changed path. The cost of a change is that of the change and of those.
 */
export class SourceWatches {
  readonly #sources: Pick<SourceStore, 'watch'>;
  readonly #wake: (id: string) => void;
  readonly #options: SourceWatchesOptions;
  readonly #watches = new Map<string, Watch>();
  readonly #topics = new Map<string, Topic>();
  readonly #judge: ChangeJudge;

  constructor(
    sources: Pick<SourceStore, 'watch' | 'changedPaths'>,
    wake: (id: string) => void,
    options: SourceWatchesOptions = {},
  ) {
    this.#sources = sources;
    this.#judge = new ChangeJudge(sources);
    this.#wake = wake;
    this.#options = options;
  }

  follow(id: string, sources: readonly SourceSpec[], intervalMs: number): void {
    const specs = JSON.stringify([intervalMs, sources]);
    if (this.#watches.get(id)?.specs === specs) return;
    const before = this.#watches.get(id);
    const seats = sources.map((spec): Seat => {
      const topic = this.#topicOf(spec, intervalMs);
      const isLooking = this.#options.rendersAtOnce === true;
      const seat: Seat = { id, topic, loaded: undefined, told: '', isLooking };
      topic.seats.add(seat);
      return seat;
    });
    this.#watches.set(id, { specs, seats });
    this.#leave(before);
  }

  /** Tells what was rendered last, so that later changes can be held against it. */
  loaded(id: string, renders: readonly LoadedRender[]): void {
    let isBehind = false;
    for (const [at, seat] of (this.#watches.get(id)?.seats ?? []).entries()) {
      const { current } = seat.topic;
      const wasLooking = seat.isLooking;
      seat.isLooking = false;
      seat.topic.index.remove(seat);
      seat.loaded = renders[at];
      if (current === undefined || (seat.loaded === undefined && !wasLooking)) continue;
      if (this.#takeSeat(seat, current)) continue;
      // Once: what was rendered may be ahead of what was told, too.
      const told = `${seat.loaded?.snapshot.digest} ${current.digest}`;
      isBehind ||= seat.told !== told;
      seat.told = told;
    }
    if (isBehind) this.#wake(id);
  }

  /** The look is over. One that failed before it could call `loaded` has rendered nothing. */
  looked(id: string): void {
    if (this.#watches.get(id)?.seats.some(({ isLooking }) => isLooking)) this.loaded(id, []);
  }

  /** Remotes that could not be read when they were last asked. */
  errors(id: string): readonly CapstanError[] {
    return (this.#watches.get(id)?.seats ?? []).flatMap(({ topic }) => topic.error ?? []);
  }

  forget(id: string): void {
    const watch = this.#watches.get(id);
    this.#watches.delete(id);
    this.#leave(watch);
  }

  close(): void {
    for (const id of [...this.#watches.keys()]) this.forget(id);
  }

  #topicOf(spec: SourceSpec, intervalMs: number): Topic {
    const key = JSON.stringify(spec);
    const topic: Topic = this.#topics.get(key) ?? {
      key,
      intervalMs,
      seats: new Set(),
      index: new TraceIndex(),
      current: undefined,
      error: undefined,
      stop: () => undefined,
    };
    this.#topics.set(key, topic);
    const onChange = (change: SourceChange) => this.#take(topic, change);
    // Whoever joins wants to know how things stand now: the remote is asked once more.
    const { stop } = topic;
    // The shortest interval of all that ever joined.
    topic.intervalMs = Math.min(topic.intervalMs, intervalMs);
    topic.stop = this.#sources.watch(spec, { intervalMs: topic.intervalMs, onChange });
    stop();
    return topic;
  }

  #leave(watch: Watch | undefined): void {
    for (const seat of watch?.seats ?? []) {
      const { topic } = seat;
      topic.index.remove(seat);
      topic.seats.delete(seat);
      if (topic.seats.size > 0) continue;
      topic.stop();
      this.#topics.delete(topic.key);
    }
  }

  #take(topic: Topic, change: SourceChange): void {
    const { error } = topic;
    topic.error = change.kind === 'error' ? change.error : undefined;
    if (change.kind === 'error') {
      const isKnown = error?.code === change.error.code && error.message === change.error.message;
      if (!isKnown) this.#wakeAll(topic.seats);
      return;
    }
    const hadError = error !== undefined;
    const before = topic.current;
    topic.current = change.snapshot;
    const touched = this.#touched(topic, before, change.snapshot);
    this.#wakeAll(hadError ? topic.seats : touched);
    const isSame = isSameState(before, change.snapshot);
    if (!hadError && !isSame && touched.size < topic.seats.size) this.#options.onElsewhere?.();
  }

  /** Those whose render does not hold for the state after; all others are in the index afterwards. */
  #touched(topic: Topic, before: Snapshot | undefined, after: Snapshot): ReadonlySet<Seat> {
    const outside = topic.seats.size === topic.index.size ? [] : this.#outside(topic);
    const touched = new Set<Seat>();
    if (before !== undefined && topic.index.size > 0) {
      for (const seat of this.#found(topic, before, after)) {
        // What it read is of the state before, which the index knew to be the same.
        if (seat.loaded !== undefined) seat.loaded = { ...seat.loaded, snapshot: before };
        topic.index.remove(seat);
        touched.add(seat);
      }
    }
    // Told once more because somebody joined: who is about to render for the first time need not do so again.
    const isSame = isSameState(before, after);
    for (const seat of outside) {
      if (seat.isLooking || (isSame && seat.loaded === undefined)) continue;
      if (!this.#takeSeat(seat, after)) touched.add(seat);
    }
    return touched;
  }

  #found(topic: Topic, before: Snapshot, after: Snapshot): ReadonlySet<Seat> {
    const change = this.#judge.change(before, after);
    return change === undefined ? new Set(topic.seats) : topic.index.find(change);
  }

  #outside(topic: Topic): readonly Seat[] {
    return [...topic.seats].filter((seat) => !topic.index.has(seat));
  }

  /** Into the index, when its render holds for this state. */
  #takeSeat(seat: Seat, current: Snapshot): boolean {
    const trace = seat.loaded?.trace;
    if (trace === undefined || this.#judge.touches(seat.loaded, current)) return false;
    seat.topic.index.add(seat, trace);
    return true;
  }

  #wakeAll(seats: ReadonlySet<Seat>): void {
    for (const id of new Set([...seats].map((seat) => seat.id))) this.#wake(id);
  }
}
