#!/usr/bin/env node
// The command. Plain JavaScript, so that the sources it loads are stripped of their types and compiled once and not at
// every start, and so that a machine whose own Node is too old for them uses the one that is installed with Capstan.
import { spawnSync } from 'node:child_process';
import * as modules from 'node:module';
import { dirname, join } from 'node:path';
import { getHeapStatistics } from 'node:v8';

// What runs for months is given less room than Node's defaults for a large machine: for what lives briefly, for the C library's
// pools, and a ceiling (2 GB, unless the machine or the user sets another). V8 lets garbage pile up to four times of what is in use
// below a high ceiling, and to twice below a low one; here it collects once there is two fifths more, which costs a fourteenth more
// processor time while much is made and a tenth less memory. The C library gives back at once what it had for large buffers. Sources
// are stripped by stripped-sources.mjs, in threads too. Flags count from the start only, so the process begins anew.
const SPARING_MALLOC = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '65536',
};
const isFlag = (name) => process.execArgv.some((flag) => flag.includes(name));
const isSpared = isFlag('stripped-sources');
const spares = process.argv[2] === 'serve' && !isSpared && !isFlag('semi-space');
if (spares && typeof process.execve === 'function') {
  const env = { ...SPARING_MALLOC, ...process.env };
  const ceilingMb = Math.min(2000, Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20));
  const isSet = /max[-_]old[-_]space/.test(`${process.execArgv} ${env.NODE_OPTIONS}`);
  const sparing = [
    '--min-semi-space-size=8',
    '--max-semi-space-size=8',
    '--heap-growing-percent=40',
  ];
  if (!isSet) sparing.push(`--max-old-space-size=${ceilingMb}`);
  // Node's stripper calls itself an experiment at its first use.
  sparing.push('--disable-warning=ExperimentalWarning');
  sparing.push(`--import=${new URL('stripped-sources.mjs', import.meta.url)}`);
  const args = [...sparing, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, [process.execPath, ...args], env);
}

if (Number(process.versions.node.split('.')[0]) >= 24) {
  if (!isSpared) {
    modules.enableCompileCache();
    // It is written at a clean exit; servers may run long and end otherwise.
    setTimeout(() => modules.flushCompileCache(), 3000).unref();
  }
  const { start } = await import('../src/main.ts');
  await start();
} else {
  const require = modules.createRequire(import.meta.url);
  const node = join(dirname(require.resolve('node/package.json')), 'bin', 'node');
  const { status } = spawnSync(node, process.argv.slice(1), { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
