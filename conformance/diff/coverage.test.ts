/** Which kinds the cases speak of: every kind of the served API that can be written, and twenty custom ones and more. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import { parseApiVersion } from '@capstan/kube-object';
import { startSandbox } from '@capstan/kube-sandbox';
import { startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { clientOf } from '../cluster/support.ts';
import { allCases } from './all-cases.ts';
import { CUSTOM } from './custom-cases.ts';

/** `group/kind`: why it is in no case, though it can be written. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  '/Node':
    'nodes register themselves; the controllers write taints of their own into an atomic list',
};

async function missing(client: KubeClient): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(30_000);
  const kinds = await client.discovery.kinds({ allVersions: false, signal });
  const known = new Set(
    allCases().map(({ object }) => `${parseApiVersion(object.apiVersion).group}/${object.kind}`),
  );
  return kinds
    .filter(({ verbs }) => verbs.includes('create') && verbs.includes('patch'))
    .map(({ group, kind }) => `${group}/${kind}`)
    .filter((name) => !known.has(name) && LEFT_OUT[name] === undefined)
    .sort();
}

test('every built-in kind that the sandbox serves for writing has a case', async () => {
  const sandbox = await startSandbox();
  const client = createKubeClient(sandbox.transport);
  try {
    assert.deepEqual(await missing(client), []);
  } finally {
    await client.close();
    await sandbox.close();
  }
});

describe('on a real control plane', { skip: whyNoCluster() }, () => {
  test('every built-in kind that Kubernetes serves for writing has a case', async () => {
    const cluster = await startCluster({ args: ['-with', ''] });
    const client = await clientOf(cluster);
    try {
      assert.deepEqual(await missing(client), []);
    } finally {
      await client.close();
      await cluster.stop();
    }
  });
});

test('twenty popular custom kinds and more are among the cases', () => {
  const kinds = new Set(CUSTOM.map(({ object }) => `${object.apiVersion}/${object.kind}`));
  assert.ok(kinds.size >= 20, `${kinds.size} kinds`);
});
