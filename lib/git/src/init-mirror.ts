import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gitError } from './errors.ts';
import { runGit } from './run-git.ts';

/** Makes an empty bare repository, whole or not at all, so that two processes may do it at once. */
export async function initMirror(folder: string): Promise<void> {
  if (await exists(join(folder, 'HEAD'))) return;
  await mkdir(dirname(folder), { recursive: true });
  const fresh = `${folder}.new-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const result = await runGit([
    'init',
    '--quiet',
    '--bare',
    '--template=',
    '--initial-branch=main',
    '--',
    fresh,
  ]);
  if (result.code !== 0) {
    throw gitError('GIT_FAILED', `cannot make the repository ${folder}: ${result.stderr.trim()}`);
  }
  try {
    await rename(fresh, folder);
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true });
    if (!(await exists(join(folder, 'HEAD')))) {
      throw gitError('GIT_FAILED', `cannot make the repository ${folder}`, { cause });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
