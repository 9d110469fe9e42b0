import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSandbox } from '@capstan/kube-sandbox';
import { startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { ACTIONS } from './kubectl/actions.ts';
import { compareActions, Terminal } from './kubectl/side-by-side.ts';

test('kubectl prints the same on a real cluster and on the sandbox', {
  skip: whyNoCluster(),
}, async () => {
  await using cluster = await startCluster();
  await using sandbox = await startSandbox();
  const real = new Terminal(cluster.kubeconfig);
  const ours = new Terminal(sandbox.kubeconfigPath);
  try {
    assert.deepEqual(await compareActions(real, ours, ACTIONS), []);
  } finally {
    real.close();
    ours.close();
  }
});
