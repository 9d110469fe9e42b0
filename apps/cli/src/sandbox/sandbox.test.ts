import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Io } from '../io.ts';
import { run } from './sandbox.ts';

function io(signal: AbortSignal, out: string[]): Io {
  return {
    cwd: '.',
    env: {},
    out: (text) => void out.push(text),
    err: () => undefined,
    readInput: async () => new Uint8Array(),
    signal,
  };
}

test('starts a cluster, prints the kubeconfig, and stops cleanly', async () => {
  const stop = new AbortController();
  const out: string[] = [];
  const running = run([], io(stop.signal, out));
  const deadline = Date.now() + 10_000;
  while (out.length === 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const path = (out[0] ?? '').trim();
  assert.ok(existsSync(path), path);
  stop.abort();
  assert.equal(await running, 0);
  assert.equal(existsSync(path), false);
});

test('refuses a port that is none', async () => {
  const { signal } = new AbortController();
  await assert.rejects(
    run(['--port', 'x'], io(signal, [])),
    /--port must be a number from 0 to 65535/,
  );
});
