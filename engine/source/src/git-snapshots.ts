import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type FileTree, joinPath, overlayAt } from '@capstan/lib-files';
import { parseRemoteUrl, type ResolvedCommit, readSubmodules } from '@capstan/lib-git';
import { BoundedCache } from '@capstan/lib-std';
import { type GitSources, isPartial, type OpenMirror } from './git-sources.ts';
import { createIgnoreFileCache, ignoreFiles } from './ignore-files.ts';
import type { LfsStore } from './lfs-store.ts';
import type { Snapshot } from './snapshot.ts';
import type { GitSourceSpec, SourceAuth } from './source-spec.ts';
import { sparseTree } from './sparse-tree.ts';

const SNAPSHOTS_MAX = 1000;
const FOLDERS_MAX = 50_000;
/** As deep as go-git goes. */
const SUBMODULE_DEPTH_MAX = 10;

/** Makes snapshots of commits: what a commit holds, with its submodules, less what the spec hides. */
export class GitSnapshots {
  readonly #git: GitSources;
  readonly #snapshots = new BoundedCache<string, Snapshot>(SNAPSHOTS_MAX);
  readonly #ignoreFiles = createIgnoreFileCache();
  /** Of partial copies. */
  readonly #wholeFolders = new BoundedCache<string, true>(FOLDERS_MAX);
  readonly #lfs: LfsStore;

  constructor(git: GitSources, lfs: LfsStore) {
    this.#git = git;
    this.#lfs = lfs;
  }

  async make(
    spec: GitSourceSpec,
    open: OpenMirror,
    { commit, name }: ResolvedCommit,
  ): Promise<Snapshot> {
    const { ignore, sparse, submodules = false, lfs = false } = spec;
    const key = JSON.stringify([open.key, commit, name, ignore, sparse, submodules, lfs]);
    const known = this.#snapshots.get(key);
    if (known !== undefined) return known;
    const { tree } = open.mirror.objects.readCommit(commit);
    let files = open.mirror.tree(commit);
    if (lfs) files = await this.#lfs.fill(files, spec, open.key);
    if (submodules) files = await this.#fill(files, spec, 0);
    if (sparse !== undefined && sparse.length > 0) files = sparseTree(files, sparse);
    if (isPartial(spec)) await this.#complete(files, open, sparse);
    const ignored = ignore && ignoreFiles(files, ignore, sparse ? undefined : this.#ignoreFiles);
    const scope = JSON.stringify([
      ignored?.rules ?? null,
      sparse ?? [],
      submodules,
      ...(lfs ? [lfs] : []),
    ]);
    const isPlain = ignored === undefined && sparse === undefined && !submodules && !lfs;
    const content = isPlain ? `tree ${tree}` : `tree ${tree}\n${scope}`;
    const snapshot: Snapshot = {
      source: `git ${open.key}`,
      revision: { id: commit, name },
      digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
      files: ignored?.files ?? files,
      scope: createHash('sha256').update(`${open.key} ${scope}`).digest('hex'),
    };
    // What LFS keeps, and what a partial copy holds, is looked for each time: it may be deleted at any time.
    if (!lfs && !isPartial(spec)) this.#snapshots.set(key, snapshot);
    return snapshot;
  }

  /** Fetches what the tree shows and the partial copy lacks; folders that were complete before are not looked into. */
  async #complete(
    files: FileTree,
    { mirror, key }: OpenMirror,
    sparse: readonly string[] = [],
  ): Promise<void> {
    const wanted: string[] = [];
    const folders: string[] = [];
    // The copy may have been deleted, and made anew.
    const head = statSync(join(mirror.objects.gitDir, 'HEAD'), { throwIfNoEntry: false });
    const copy = [key, head?.ino, head?.mtimeMs];
    const visit = (path: string): void => {
      const place = JSON.stringify([...copy, sparse, path, files.stat(path)?.id]);
      if (this.#wholeFolders.get(place) === true) return;
      folders.push(place);
      for (const { name, kind } of files.readDirectory(path) ?? []) {
        const inner = joinPath(path, name);
        if (kind === 'directory') visit(inner);
        else wanted.push(files.stat(inner)?.id ?? '');
      }
    };
    visit('');
    await mirror.fetchBlobs(wanted.filter((id) => id !== ''));
    for (const place of folders) this.#wholeFolders.set(place, true);
  }

  /** Puts each submodule's files into its place. Credentials go to the repository's own host only. */
  async #fill(files: FileTree, spec: GitSourceSpec, depth: number): Promise<FileTree> {
    if (depth >= SUBMODULE_DEPTH_MAX) return files;
    let filled = files;
    const { allowFile } = this.#git;
    for (const { path, url, commit } of readSubmodules(files, spec.url, { allowFile })) {
      const { auth: _auth, ...rest } = spec;
      const auth = authFor(url, spec);
      const inner: GitSourceSpec = {
        ...rest,
        url,
        revision: { kind: 'commit', commit },
        ...(auth === undefined ? {} : { auth }),
      };
      const { mirror, key: innerKey } = this.#git.open(inner);
      const { commit: found } = await mirror.resolve({ kind: 'commit', commit });
      const own = mirror.tree(found);
      const whole = inner.lfs === true ? await this.#lfs.fill(own, inner, innerKey) : own;
      const below = await this.#fill(whole, inner, depth + 1);
      filled = overlayAt(filled, joinPath('', path), below);
    }
    return filled;
  }
}

function authFor(url: string, spec: GitSourceSpec): SourceAuth | undefined {
  if (spec.auth === undefined) return undefined;
  const options = { allowFile: true };
  const own = parseRemoteUrl(spec.url, options);
  const other = parseRemoteUrl(url, options);
  if (own.protocol === other.protocol && own.host === other.host) return spec.auth;
  const { sshKnownHosts, proxy } = spec.auth;
  return {
    ...(sshKnownHosts === undefined ? {} : { sshKnownHosts }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}
