import { commitFiles, initMirror } from '@capstan/lib-git';

/** A repository with one commit to fetch; answers its id. */
export async function makeOrigin(gitDir: string): Promise<string> {
  await initMirror(gitDir);
  return await commitFiles({
    gitDir,
    branch: 'main',
    files: { a: 'b' },
    message: 'x',
    author: { name: 'a', email: 'b' },
    at: 1,
  });
}
