import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';

const ROUNDS = 6;

async function start(dataDir: string): Promise<{ child: ChildProcess; client: KubeClient }> {
  const script = join(import.meta.dirname, 'kept-sandbox.ts');
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, dataDir],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [file] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return { child, client: connect(await loadKubeconfig({ file })) };
}

function configMap(name: string, value: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { value },
  };
}

test('kill -9 at any moment loses nothing that was acknowledged', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kill-test-'));
  const acknowledged = new Map<string, number>();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const { child, client } = await start(dataDir);
      const { items } = await client.list(
        { apiVersion: 'v1', kind: 'ConfigMap' },
        { namespace: 'default' },
      );
      const kept = new Map(
        items.map((item) => [
          item.metadata.name,
          Number((item['data'] as { value?: string } | undefined)?.value),
        ]),
      );
      for (const [name, value] of acknowledged) {
        assert.ok(
          (kept.get(name) ?? -1) >= value,
          `round ${round}: ${name} is ${kept.get(name)}, acknowledged was ${value}`,
        );
      }
      let stopped = false;
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let i = 0; !stopped; i++) {
          const name = `w${writer}-${i % 20}`;
          const value = round * 100_000 + i;
          try {
            await client.apply(configMap(name, String(value)), {
              fieldManager: 'test',
              timeoutMs: 500,
            });
            acknowledged.set(name, value);
          } catch {
            return;
          }
        }
      });
      await new Promise((resolve) => setTimeout(resolve, 150 + round * 70));
      child.kill('SIGKILL');
      stopped = true;
      await Promise.all(writers);
      await client.close();
    }
    assert.ok(acknowledged.size > 20, `${acknowledged.size} objects were written`);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
