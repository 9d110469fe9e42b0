/** For tests: a Git repository with one commit, served over HTTP on the loopback address. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitFiles, createGitHost, runGit } from '@capstan/lib-git';
import { portOf } from '../cluster/support.ts';

export interface ServedRepository extends AsyncDisposable {
  readonly url: string;
  readonly commit: string;
  /** A commit on top, with these files below the folder; answers its name. */
  push(files: Readonly<Record<string, string>>): Promise<string>;
}

/** The files below `folder` on the branch main. */
export async function serveRepository(
  files: Readonly<Record<string, string>>,
  folder: string,
): Promise<ServedRepository> {
  const home = mkdtempSync(join(tmpdir(), 'flux-helm-git-'));
  const gitDir = join(home, 'repo.git');
  await runGit(['init', '--quiet', '--bare', '--initial-branch=main', gitDir], {});
  const push = (changed: Readonly<Record<string, string>>) =>
    commitFiles({
      gitDir,
      branch: 'main',
      files: Object.fromEntries(
        Object.entries(changed).map(([path, text]) => [`${folder}/${path}`, text]),
      ),
      message: 'A chart',
      author: { name: 'a', email: 'a@example.com' },
      at: 1_767_225_600,
    });
  const commit = await push(files);
  const host = createGitHost({
    find: (path) => (path === 'repo.git' ? { folder: gitDir, readOnly: true } : undefined),
  });
  const server = createServer(host);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server.address())}/repo.git`,
    commit,
    push,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          rmSync(home, { recursive: true });
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
