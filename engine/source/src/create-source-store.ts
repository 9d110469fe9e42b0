import { join } from 'node:path';
import { blameLine, changedPaths, isObjectId, type Mirror } from '@capstan/lib-git';
import { backoffDelayMs, CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import { type ArchiveReader, ArchiveSources } from './archive-sources.ts';
import { describeCommit } from './describe-commit.ts';
import { GitSnapshots } from './git-snapshots.ts';
import { GitSources, type GitSourcesOptions, type OpenMirror } from './git-sources.ts';
import { LfsStore } from './lfs-store.ts';
import type { VerifiedObject, VerifyRequest } from './signature-types.ts';
import type { Snapshot } from './snapshot.ts';
import { SourcePoller } from './source-poller.ts';
import type {
  ArchiveSourceSpec,
  GitSourceSpec,
  StoredSourceSpec as SourceSpec,
} from './source-spec.ts';
import type {
  BranchWrite,
  CommitSummary,
  FetchOptions,
  LineAuthor,
  SourceChange,
  SourceStore,
  SourceWriter,
  WatchOptions,
} from './store-types.ts';
import { verifyRevision } from './verify-revision.ts';
import { writeBranch } from './write-branch.ts';

export interface SourceStoreOptions extends GitSourcesOptions {
  readonly clock: Clock;
  /** In [0, 1); spreads the polling of many sources. */
  readonly random: () => number;
  /** Reads archives that this process holds itself; others are fetched from their address. */
  readonly readArchive?: ArchiveReader;
}

const RETRY_BASE_MS = 2_000;
const ASK_AGAIN_MS = 3_000;
const MARK_EVERY_MS = 24 * 3_600_000;

/** Opens the sources of one process over a cache folder. Close it to stop the polling. */
export function createSourceStore(options: SourceStoreOptions): SourceStore & SourceWriter {
  return new Store(options);
}

interface Follower {
  readonly spec: GitSourceSpec;
  readonly options: WatchOptions;
  /** What it was told last: a revision or an error, as text. */
  told: string | undefined;
}

interface Group {
  readonly open: OpenMirror;
  readonly followers: Set<Follower>;
  readonly poller: SourcePoller;
  failures: number;
  /** When the disk was last told that the mirror is in use. */
  markedAtMs: number;
}

class Store implements SourceStore, SourceWriter {
  readonly #options: SourceStoreOptions;
  readonly #git: GitSources;
  readonly #snapshots: GitSnapshots;
  readonly #archives: ArchiveSources;
  readonly #groups = new Map<string, Group>();
  /** When the refs of a mirror were last read, by its key. */
  readonly #readAt = new Map<string, number>();

  constructor(options: SourceStoreOptions) {
    this.#options = options;
    this.#git = new GitSources({ ...options, now: () => options.clock.now() });
    this.#snapshots = new GitSnapshots(
      this.#git,
      new LfsStore(join(options.folder, 'lfs'), () => options.clock.now()),
    );
    this.#archives = new ArchiveSources(options.readArchive);
    void this.#git.removeUnused(options.clock.now());
  }

  async fetchSnapshot(spec: SourceSpec, options: FetchOptions = {}): Promise<Snapshot> {
    if (spec.kind === 'archive') return await this.#archives.fetch(spec, options.signal);
    const open = this.#git.open(spec);
    const { maxAgeMs = 0, signal } = options;
    const askedOptions = signal === undefined ? {} : { signal };
    if (maxAgeMs > 0 && open.mirror.knownRefs !== undefined && this.#ageMs(open) <= maxAgeMs) {
      try {
        const known = { ...askedOptions, useKnownRefs: true };
        const resolved = await open.mirror.resolve(spec.revision, known);
        return await this.#snapshots.make(spec, open, resolved);
      } catch (error) {
        // A name may be newer than what is known: worth a question, but not with every look.
        if (!isUnknownRevision(error) || this.#ageMs(open) < ASK_AGAIN_MS) throw error;
      }
    }
    const startedAt = this.#options.clock.now();
    try {
      const resolved = await open.mirror.resolve(spec.revision, askedOptions);
      return await this.#snapshots.make(spec, open, resolved);
    } finally {
      this.#readAt.set(open.key, startedAt);
    }
  }

  #ageMs(open: OpenMirror): number {
    return this.#options.clock.now() - (this.#readAt.get(open.key) ?? Number.NEGATIVE_INFINITY);
  }

  async writeBranch(write: BranchWrite, options: { readonly signal: AbortSignal }) {
    const open = this.#git.open(write.spec);
    const written = await writeBranch(open.mirror, write, options);
    if (written.changed) this.notify(write.spec.url);
    return written;
  }

  async snapshotAt(spec: SourceSpec, revisionId: string): Promise<Snapshot | undefined> {
    if (spec.kind === 'archive') {
      return spec.revision.id === revisionId ? await this.#archives.fetch(spec) : undefined;
    }
    const open = this.#git.open(spec);
    try {
      const resolved = await open.mirror.resolve({ kind: 'commit', commit: revisionId });
      return await this.#snapshots.make(spec, open, resolved);
    } catch (error) {
      if (isUnknownRevision(error)) return undefined;
      throw error;
    }
  }

  watch(spec: SourceSpec, options: WatchOptions): () => void {
    if (spec.kind === 'archive') return this.#readOnce(spec, options);
    const open = this.#git.open(spec);
    const group = this.#groupOf(open);
    const follower: Follower = { spec, options, told: undefined };
    group.followers.add(follower);
    group.poller.wake();
    return () => {
      group.followers.delete(follower);
      if (group.followers.size > 0) return;
      group.poller.stop();
      if (this.#groups.get(open.key) === group) this.#groups.delete(open.key);
    };
  }

  /** An archive never changes: it is told once; until it could be read, that it cannot. */
  #readOnce(spec: ArchiveSourceSpec, { onChange, intervalMs }: WatchOptions): () => void {
    const stop = new AbortController();
    let cancel: () => void = () => undefined;
    const read = async (attempt: number): Promise<void> => {
      try {
        const snapshot = await this.#archives.fetch(spec);
        if (!stop.signal.aborted) onChange({ kind: 'snapshot', snapshot });
      } catch (error) {
        if (stop.signal.aborted) return;
        if (attempt === 0) onChange({ kind: 'error', error: toCapstanError(error) });
        const policy = { baseMs: RETRY_BASE_MS, factor: 2, maxMs: intervalMs, jitter: 0.1 };
        const delayMs = backoffDelayMs(policy, attempt, this.#options.random());
        cancel = this.#options.clock.after(delayMs, () => void read(attempt + 1));
      }
    };
    void read(0);
    return () => {
      stop.abort();
      cancel();
    };
  }

  notify(url: string): number {
    const matching = this.#git.matching(url);
    let followers = 0;
    for (const { key } of matching) {
      this.#readAt.delete(key);
      const group = this.#groups.get(key);
      followers += group?.followers.size ?? 0;
      group?.poller.wake();
    }
    return followers;
  }

  async verifyRevision(
    spec: GitSourceSpec,
    { revision }: Snapshot,
    request: VerifyRequest,
  ): Promise<readonly VerifiedObject[]> {
    const { mirror } = this.#git.open(spec);
    return await verifyRevision(mirror, { revision, spec: spec.revision }, request);
  }

  async describeRevision(spec: SourceSpec, revisionId: string): Promise<CommitSummary | undefined> {
    if (spec.kind === 'archive') return undefined;
    const { mirror } = this.#git.open(spec);
    if (mirror.objects.peelToCommit(revisionId) === undefined) return undefined;
    return describeCommit(mirror, revisionId);
  }

  async describeLine(
    url: string,
    revisionId: string,
    { file, line }: { readonly file: string; readonly line: number },
  ): Promise<LineAuthor | undefined> {
    const mirror = this.#mirrorWith(url, revisionId);
    if (mirror === undefined) return undefined;
    const { gitDir } = mirror.objects;
    return await blameLine({ gitDir, commit: revisionId, path: file, line });
  }

  findCommit(url: string, revisionId: string): CommitSummary | undefined {
    const mirror = this.#mirrorWith(url, revisionId);
    return mirror && describeCommit(mirror, revisionId);
  }

  #mirrorWith(url: string, commit: string): Mirror | undefined {
    if (!isObjectId(commit)) return undefined;
    const found = this.#git
      .matching(url)
      .find(({ mirror }) => mirror.objects.peelToCommit(commit) === commit);
    return found?.mirror;
  }

  changedPaths(before: Snapshot, after: Snapshot): readonly string[] {
    return before.digest === after.digest ? [] : changedPaths(before.files, after.files);
  }

  async close(): Promise<void> {
    for (const { poller } of this.#groups.values()) poller.stop();
    this.#groups.clear();
    this.#git.close();
    await this.#archives.close();
  }

  #groupOf(open: OpenMirror): Group {
    let group = this.#groups.get(open.key);
    if (group === undefined) {
      const { clock, random } = this.#options;
      const look = () => this.#look(made);
      const made: Group = {
        open,
        followers: new Set(),
        poller: new SourcePoller({ clock, random, look }),
        failures: 0,
        markedAtMs: Number.NEGATIVE_INFINITY,
      };
      group = made;
      this.#groups.set(open.key, group);
    }
    return group;
  }

  /** One request for the refs, whatever the number of followers; then each is told what changed for it. */
  async #look(group: Group): Promise<number> {
    const { mirror } = group.open;
    let failure: CapstanError | undefined;
    const startedAt = this.#options.clock.now();
    try {
      await mirror.readRefs();
      this.#readAt.set(group.open.key, startedAt);
      group.failures = 0;
    } catch (error) {
      failure = toCapstanError(error);
      group.failures++;
    }
    const answers = new Map<string, Promise<Snapshot | CapstanError>>();
    for (const follower of [...group.followers]) {
      const { revision, ignore = '' } = follower.spec;
      const question = `${JSON.stringify(revision)} ${ignore}`;
      const answer =
        answers.get(question) ??
        (failure ? Promise.resolve(failure) : this.#resolveFor(group, follower.spec));
      answers.set(question, answer);
      this.#tell(group, follower, await answer);
    }
    if (failure === undefined && startedAt - group.markedAtMs > MARK_EVERY_MS) {
      group.markedAtMs = startedAt;
      await this.#git.markUsed(group.open);
    }
    return nextLookMs(group);
  }

  #tell(group: Group, follower: Follower, change: Snapshot | CapstanError): void {
    const text = change instanceof Error ? `${change.code} ${change.message}` : change.revision.id;
    if (follower.told === text || !group.followers.has(follower)) return;
    follower.told = text;
    follower.options.onChange(toChange(change));
  }

  async #resolveFor(group: Group, spec: GitSourceSpec): Promise<Snapshot | CapstanError> {
    try {
      const resolved = await group.open.mirror.resolve(spec.revision, { useKnownRefs: true });
      return await this.#snapshots.make(spec, group.open, resolved);
    } catch (error) {
      return toCapstanError(error);
    }
  }
}

/** The shortest interval among the followers; after a failure sooner, with backoff. */
function nextLookMs(group: Group): number {
  let intervalMs = Number.POSITIVE_INFINITY;
  for (const { options } of group.followers) intervalMs = Math.min(intervalMs, options.intervalMs);
  if (group.failures === 0) return intervalMs;
  return Math.min(intervalMs, RETRY_BASE_MS * 2 ** Math.min(group.failures, 20));
}

function toChange(change: Snapshot | CapstanError): SourceChange {
  return change instanceof Error
    ? { kind: 'error', error: change }
    : { kind: 'snapshot', snapshot: change };
}

function isUnknownRevision(error: unknown): boolean {
  return error instanceof CapstanError && error.code === 'GIT_REVISION_UNKNOWN';
}

function toCapstanError(error: unknown): CapstanError {
  if (error instanceof CapstanError) return error;
  return new CapstanError('SOURCE_FAILED', messageOf(error), { kind: 'bug', cause: error });
}
