// Runs before `npm start` and `npm test` on the machine's own Node (20.19 or newer): checks what is needed and installs
// what is missing, so that one command on a fresh clone is enough. Plain JavaScript, no dependency.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'node_modules', '.capstan-installed');

function fail(message) {
  console.error(`capstan: ${message}`);
  process.exit(1);
}

function checkMachine() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(
      `Node ${process.versions.node} is too old; install Node 20.19 or newer, then run the command again`,
    );
  }
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore' });
  } catch {
    fail(
      'git is not on the PATH; install git (https://git-scm.com/downloads), then run the command again',
    );
  }
}

function install() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('capstan: installing dependencies (once; about a minute) …');
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const result = spawnSync(
    command,
    // Not `ci`: it refuses a lock that lacks optional packages of other platforms, which a registry may not have.
    [...args, 'install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (result.status !== 0) fail('npm install failed; see its message above');
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** Builds the web page when its sources are not those of the last build; `npm start` needs it, the tests do not. */
function buildPage() {
  const page = join(root, 'apps', 'ui');
  const built = join(page, 'dist', '.sources');
  const hash = createHash('sha256');
  for (const folder of [page, join(root, 'apps', 'contract')]) {
    for (const file of sourceFiles(folder)) hash.update(file).update(readFileSync(file));
  }
  const wanted = hash.digest('hex');
  if (existsSync(built) && readFileSync(built, 'utf8') === wanted) return;
  console.error('capstan: building the web page (once) …');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const result = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'error'], {
    cwd: page,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) fail('the web page cannot be built; see the message above');
  writeFileSync(built, wanted);
}

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/[\\/](node_modules|dist)[\\/]/.test(file.slice(folder.length)))
    .sort();
}

checkMachine();
install();
if (process.env.npm_lifecycle_event === 'prestart') buildPage();
