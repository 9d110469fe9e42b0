import { type FileTree, memoryTree, readText } from '@capstan/lib-files';
import { commitFiles, initMirror, type Mirror } from '@capstan/lib-git';
import { CapstanError } from '@capstan/lib-std';

export interface PublishOptions {
  /** Folder of the mirror on disk. */
  readonly gitDir: string;
  readonly branch: string;
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly signal: AbortSignal;
}

export type Files = Readonly<Record<string, string>>;

/** Where a branch stands at the remote; undefined when it does not exist, as in an empty repository. */
export async function tipOf(
  mirror: Mirror,
  branch: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { commit } = await mirror.resolve({ kind: 'branch', branch }, { signal });
    return commit;
  } catch (error) {
    if (error instanceof CapstanError && error.code === 'GIT_REVISION_UNKNOWN') return undefined;
    throw error;
  }
}

export interface Published<T> {
  readonly commit: string;
  readonly isNew: boolean;
  readonly read: T;
}

/**
 * Commits those files that are not yet so on the branch, and pushes; which there are to be may depend on what the branch
 * holds. Answers the commit that holds them, whether it is new, and what `read` makes of it, which is asked before anything
 * is pushed. A branch that moves meanwhile is an error, and nothing of anybody's is overwritten.
 */
export async function publishFiles<T>(
  mirror: Mirror,
  {
    filesFor,
    read,
  }: { readonly filesFor: (tree: FileTree) => Files; readonly read: (tree: FileTree) => T },
  { gitDir, branch, message, author, signal }: PublishOptions,
): Promise<Published<T>> {
  await initMirror(gitDir);
  const parent = await tipOf(mirror, branch, signal);
  const tree = parent === undefined ? memoryTree({}) : mirror.tree(parent);
  const changed = Object.entries(filesFor(tree)).filter(
    ([path, text]) => readText(tree, path) !== text,
  );
  if (parent !== undefined && changed.length === 0) {
    return { commit: parent, isNew: false, read: read(tree) };
  }
  const commit = await commitFiles({
    gitDir,
    branch,
    files: Object.fromEntries(changed),
    message,
    author,
    at: Math.floor(Date.now() / 1000),
    ...(parent === undefined ? {} : { parent }),
    signal,
  });
  const made = read(mirror.tree(commit));
  await mirror.push(commit, branch, parent, { signal });
  return { commit, isNew: true, read: made };
}
