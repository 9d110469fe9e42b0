import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaryDirectory } from './official.ts';

/**
 * A Go program of ours that links official modules, built from the sources in a folder when they have changed; undefined
 * without Go.
 */
export function ownProgram(folder: string, name: string): string | undefined {
  const hash = createHash('sha256');
  for (const file of globSync(['*.go', 'go.*'], { cwd: folder }).toSorted()) {
    hash.update(readFileSync(join(folder, file)));
  }
  const path = join(binaryDirectory(), `${name}-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(path)) return path;
  mkdirSync(binaryDirectory(), { recursive: true });
  const built = spawnSync('go', ['build', '-trimpath', '-o', path, '.'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  return built.status === 0 ? path : undefined;
}
