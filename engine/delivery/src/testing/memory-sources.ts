/** For tests of whatever drives deliveries: repositories in memory, and waiting. */
import type { Snapshot, SourceChange, SourceSpec, SourceStore } from '@capstan/engine-source';
import { type FileTree, joinPath, type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';

/** Repositories by URL, whose one branch moves by `push`. */
export class MemorySources implements SourceStore {
  readonly #history = new Map<string, Snapshot[]>();
  readonly #watchers = new Set<{
    readonly spec: SourceSpec;
    readonly onChange: (change: SourceChange) => void;
  }>();
  #count = 0;

  push(url: string, files: MemoryFiles): string {
    const tree = memoryTree(files);
    const id = (++this.#count).toString(16).padStart(40, '0');
    const digest = tree.stat('')?.id ?? '';
    const snapshot: Snapshot = {
      source: `git ${url}`,
      revision: { id, name: 'main' },
      digest,
      files: tree,
    };
    this.#history.set(url, [...(this.#history.get(url) ?? []), snapshot]);
    for (const { spec, onChange } of this.#watchers)
      if (spec.url === url) onChange({ kind: 'snapshot', snapshot });
    return id;
  }

  async fetchSnapshot(spec: SourceSpec): Promise<Snapshot> {
    const wanted =
      spec.revision.kind === 'any'
        ? spec.revision.name
        : spec.revision.kind === 'commit'
          ? spec.revision.commit
          : 'main';
    const history = this.#history.get(spec.url);
    const last = history?.at(-1);
    if (last === undefined) {
      throw new CapstanError(
        'REPOSITORY_NOT_FOUND',
        `cannot read ${spec.url}: there is no repository`,
        { hint: 'check the URL' },
      );
    }
    if (wanted === 'HEAD' || wanted === 'main') return last;
    const found = history?.find(({ revision }) => revision.id === wanted);
    if (found !== undefined) return found;
    throw new CapstanError('REVISION_NOT_FOUND', `${spec.url} has no revision ${wanted}`, {
      hint: 'push it, or name another one',
    });
  }

  async snapshotAt(spec: SourceSpec, revisionId: string): Promise<Snapshot | undefined> {
    return this.#history.get(spec.url)?.find(({ revision }) => revision.id === revisionId);
  }

  watch(
    spec: SourceSpec,
    { onChange }: { readonly onChange: (change: SourceChange) => void },
  ): () => void {
    const watcher = { spec, onChange };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  notify(): number {
    return this.#watchers.size;
  }
  async verifyRevision(): Promise<readonly []> {
    return [];
  }
  async describeRevision(): Promise<undefined> {
    return undefined;
  }
  async describeLine(): Promise<undefined> {
    return undefined;
  }
  findCommit(): undefined {
    return undefined;
  }
  changedPaths(before: Snapshot, after: Snapshot): readonly string[] {
    return compareTrees(before.files, after.files, '');
  }
  async close(): Promise<void> {}
}

function compareTrees(before: FileTree, after: FileTree, path: string): readonly string[] {
  const [old, current] = [before.stat(path), after.stat(path)];
  if (old?.id === current?.id) return [];
  const names = new Set(
    [before, after].flatMap((tree) => (tree.readDirectory(path) ?? []).map(({ name }) => name)),
  );
  if (names.size === 0) return [path];
  return [...names].sort().flatMap((name) => compareTrees(before, after, joinPath(path, name)));
}

const PATIENCE_MS = 20_000;
/** So much of the processor a process must have had, too: on a busy machine time alone says nothing. */
const WORK_MS = 5_000;

/** Reads until `holds`, for 20 s or as long as this process gets little of the processor; then fails and shows the last value. */
export async function eventually<T>(
  read: () => Promise<T>,
  holds: (value: T) => boolean,
): Promise<T> {
  const startedMs = Date.now();
  const before = process.cpuUsage();
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    const { user, system } = process.cpuUsage(before);
    const workedMs = (user + system) / 1000;
    const passedMs = Date.now() - startedMs;
    if (passedMs > PATIENCE_MS && (workedMs > WORK_MS || passedMs > 5 * PATIENCE_MS)) {
      throw new Error(`it did not come about: ${JSON.stringify(value, null, 1)?.slice(0, 6000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
