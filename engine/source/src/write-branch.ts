import { randomUUID } from 'node:crypto';
import { readText } from '@capstan/lib-files';
import { commitFiles, type Mirror, runGit } from '@capstan/lib-git';
import { CapstanError } from '@capstan/lib-std';
import type { BranchWrite } from './store-types.ts';

export async function writeBranch(
  mirror: Mirror,
  write: BranchWrite,
  { signal }: { readonly signal: AbortSignal },
): Promise<{ readonly commit: string; readonly changed: boolean }> {
  const { branch, base, message, author, note } = write;
  const tip = await tipOf(mirror, branch, signal);
  const start = tip ?? (base === undefined ? undefined : await tipOf(mirror, base, signal));
  const files =
    start === undefined
      ? write.files
      : worthWhile(changesOf(mirror, start, write.files), write.follows ?? {});
  if (tip !== undefined && Object.keys(files).length === 0) {
    if (note !== undefined) await mirror.annotate(tip, { ...note, author }, { signal });
    return { commit: tip, changed: false };
  }
  const { gitDir } = mirror.objects;
  const work = `capstan/${randomUUID()}`;
  const ref = `refs/heads/${work}`;
  try {
    if (start !== undefined) await runGit(['update-ref', ref, start], { gitDir });
    const commit = await commitFiles({
      gitDir,
      branch: work,
      files,
      message,
      author,
      at: write.atMs / 1000,
      signal,
      ...(start === undefined ? {} : { parent: start }),
    });
    await mirror.push(commit, branch, tip, { signal });
    if (note !== undefined) await mirror.annotate(commit, { ...note, author }, { signal });
    return { commit, changed: true };
  } finally {
    await runGit(['update-ref', '-d', ref], { gitDir });
  }
}

async function tipOf(
  mirror: Mirror,
  branch: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await mirror.resolve({ kind: 'branch', branch }, { signal })).commit;
  } catch (error) {
    if (error instanceof CapstanError && error.code === 'GIT_REVISION_UNKNOWN') return undefined;
    throw error;
  }
}

/** The changes without those that follow nothing that changes. */
function worthWhile(
  changed: BranchWrite['files'],
  follows: NonNullable<BranchWrite['follows']>,
): BranchWrite['files'] {
  const leads = new Set(Object.keys(changed).filter((path) => follows[path] === undefined));
  return Object.fromEntries(
    Object.entries(changed).filter(([path]) => {
      const followed = follows[path];
      if (followed === undefined) return true;
      return followed === '' ? leads.size > 0 : leads.has(followed);
    }),
  );
}

/** What is not so already. */
function changesOf(
  mirror: Mirror,
  commit: string,
  files: BranchWrite['files'],
): BranchWrite['files'] {
  const tree = mirror.tree(commit);
  const changed = Object.entries(files).filter(([path, content]) => {
    const entry = tree.stat(path);
    if (content === null) return entry !== undefined;
    return entry?.kind !== 'file' || readText(tree, path) !== content;
  });
  return Object.fromEntries(changed);
}
