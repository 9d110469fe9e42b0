// Runs before `npm start`: builds the page when its sources changed since the last time. Plain JavaScript for the
// machine's own Node (20.19 or newer).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, 'apps', 'ui');
const stamp = join(page, 'dist', '.built-from');

function digestOfSources() {
  const hash = createHash('sha256');
  const folders = [join(page, 'src'), join(page, 'public'), join(root, 'apps', 'contract', 'src')];
  const files = [
    join(page, 'index.html'),
    join(page, 'vite.config.ts'),
    join(page, 'package.json'),
  ];
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) files.push(join(entry.parentPath ?? entry.path, entry.name));
    }
  }
  for (const file of files.sort()) hash.update(`${file}\n`).update(readFileSync(file));
  return hash.digest('hex');
}

const wanted = digestOfSources();
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.error('capstan: building the page (once; a few seconds) …');
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const result = spawnSync(
    command,
    [...args, 'run', '--silent', 'build', '--workspace', 'apps/ui'],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  if (result.status !== 0) {
    console.error('capstan: the page could not be built; see the message above');
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}
