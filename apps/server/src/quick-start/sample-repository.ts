import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { type FileTree, joinPath, readText } from '@capstan/lib-files';
import { commitFiles, gitTree, initMirror, ObjectStore, runGit } from '@capstan/lib-git';
import type { Clock } from '@capstan/lib-std';

/** The address that stands in the examples instead of the real one. */
export const EXAMPLE_URL = 'https://git.example.com/capstan/quick-start.git';

export interface SampleRepositoryOptions {
  /** The bare repository; made when it is not there. */
  readonly folder: string;
  /** Where its first content comes from. */
  readonly template: string;
  /** The address under which it is served now. */
  readonly url: string;
  /** The address under which it was served last; its files may name it. */
  readonly previousUrl: string | undefined;
  readonly clock: Clock;
}

/**
 * Makes the sample repository, or goes on with the one that is there. When the Git server's address has changed since,
 * a commit puts the new one into the files, since nothing would find the repository otherwise.
 */
export async function prepareSampleRepository(options: SampleRepositoryOptions): Promise<void> {
  const { folder, url } = options;
  await initMirror(folder);
  const tip = await runGit(['rev-parse', '--verify', '--quiet', 'refs/heads/main'], {
    gitDir: folder,
  });
  if (tip.code !== 0) {
    const files = readTemplate(options.template, url);
    await commit(options, files, 'Begin with the quick start\n');
    return;
  }
  const from = options.previousUrl;
  if (from === undefined || from === url) return;
  const changed = filesNaming(folder, tip.stdout.toString('utf8').trim(), from);
  if (changed.size === 0) return;
  const files = Object.fromEntries(
    [...changed].map(([path, text]) => [path, text.replaceAll(from, url)]),
  );
  await commit(options, files, 'Follow the Git server to its new address\n');
}

async function commit(
  { folder, clock }: SampleRepositoryOptions,
  files: Readonly<Record<string, string>>,
  message: string,
): Promise<void> {
  await commitFiles({
    gitDir: folder,
    branch: 'main',
    files,
    message,
    author: { name: 'Capstan', email: 'capstan@localhost' },
    at: Math.floor(clock.now() / 1000),
  });
}

/** Every file of a template folder, with the real address in it. */
export function readTemplate(folder: string, url: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join('/');
    files[name] = readFileSync(path, 'utf8').replaceAll(EXAMPLE_URL, url);
  }
  return files;
}

function filesNaming(gitDir: string, commitId: string, text: string): Map<string, string> {
  const store = new ObjectStore(gitDir);
  try {
    const found = new Map<string, string>();
    collect(gitTree(store, store.readCommit(commitId).tree), '', { text, found });
    return found;
  } finally {
    store.close();
  }
}

function collect(
  tree: FileTree,
  folder: string,
  search: { readonly text: string; readonly found: Map<string, string> },
): void {
  for (const entry of tree.readDirectory(folder) ?? []) {
    const path = joinPath(folder, entry.name);
    if (entry.kind === 'directory') collect(tree, path, search);
    else if (entry.kind === 'file') {
      const content = readText(tree, path) ?? '';
      if (content.includes(search.text)) search.found.set(path, content);
    }
  }
}
