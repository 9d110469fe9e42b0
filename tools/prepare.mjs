// Runs before `npm start` and `npm test` on the machine's own Node (20.19 or newer): checks what is needed and installs
// what is missing, so that one command on a fresh clone is enough. Plain JavaScript, no dependency.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
  // Leaves the sources compiled (node:module, enableCompileCache): the first cluster starts as fast as later ones.
  spawnSync(process.execPath, [join(root, 'apps/cli/bin/capstan.mjs'), 'sandbox', '--help'], {
    stdio: 'ignore',
  });
}

checkMachine();
install();
