import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { GitRequest } from './git-process.ts';
import { GitStarter } from './git-starter.ts';

const environment = { PATH: process.env['PATH'] ?? '' };

function request(args: readonly string[], more: Partial<GitRequest> = {}): GitRequest {
  return { args, environment, input: '', timeoutMs: 20_000, outputBytesMax: 1e6, ...more };
}

/** Waits for input that does not come, as a fetch waits for an answer. */
const ENDLESS = ['-c', 'alias.wait=!sleep 60', 'wait'];

/** The processes of the starters: those of earlier tests may live still. */
function starterPids(): readonly number[] {
  const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], {
    encoding: 'utf8',
  });
  const lines = children.split('\n').filter((each) => each.includes('starter-process'));
  return lines.map((line) => Number.parseInt(line, 10));
}

test('a small process starts git itself, a large one by way of a small one, with the same outcome', async () => {
  const small = new GitStarter({ largeBytes: 1e12 });
  const large = new GitStarter({ largeBytes: 0 });
  const hash = request(['hash-object', '--stdin'], { input: Buffer.from('text\n') });
  const outcome = await small.run(hash);
  assert.equal(small.isApart, false);
  assert.equal(outcome.kind === 'ended' && outcome.code, 0);
  assert.deepEqual(await large.run(hash), outcome);
  assert.equal(large.isApart, true);
  assert.deepEqual(
    await large.run(request(['version'], { outputBytesMax: 3 })),
    await small.run(request(['version'], { outputBytesMax: 3 })),
  );
  const absent = request(['version'], { environment: { PATH: '/nonexistent' } });
  assert.deepEqual(await large.run(absent), await small.run(absent));
});

test('what is aborted or takes too long ends there as here', async () => {
  for (const largeBytes of [0, 1e12]) {
    const starter = new GitStarter({ largeBytes });
    const abort = new AbortController();
    const aborted = starter.run(request(ENDLESS), abort.signal);
    setTimeout(() => abort.abort(), 200);
    assert.equal((await aborted).kind, 'ended');
    const late = await starter.run(request(ENDLESS, { timeoutMs: 200 }));
    assert.equal(late.kind === 'ended' && late.timedOut, true);
  }
});

test('a small process that is killed loses nothing: its runs are made here', async () => {
  const starter = new GitStarter({ largeBytes: 0 });
  await starter.run(request(['version']));
  const slow = starter.run(request(['-c', 'alias.later=!sleep 1; echo done', 'later']));
  assert.notEqual(starterPids().length, 0);
  for (const pid of starterPids()) process.kill(pid, 'SIGKILL');
  const outcome = await slow;
  assert.equal(outcome.kind === 'ended' && outcome.stdout.toString(), 'done\n');
  const next = await starter.run(request(['version']));
  assert.equal(next.kind === 'ended' && next.code, 0);
});

test('a small process loads its sources by what this one was started with', async () => {
  const flag = '--import=data:text/javascript,globalThis.started=true';
  process.execArgv.push(flag);
  try {
    const starter = new GitStarter({ largeBytes: 0 });
    const before = new Set(starterPids());
    await starter.run(request(['version']));
    const [pid] = starterPids().filter((each) => !before.has(each));
    const args = execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
    assert.ok(args.includes(flag));
  } finally {
    process.execArgv.splice(process.execArgv.indexOf(flag), 1);
  }
});
