import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { HELM_VERSIONS, masked, type Outcome, runHelm, whyNoHelm } from './helm-runner.ts';

/** The life of a release of the chart that `helm create` makes, ingress and autoscaler included. */
const LIFE: readonly (readonly string[])[] = [
  ['install', 'web', 'CHART', '--wait', '--timeout', '60s', '--set', 'ingress.enabled=true'],
  ['install', 'web', 'CHART'],
  ['get', 'metadata', 'web', '-o', 'json'],
  ['get', 'manifest', 'web'],
  ['get', 'notes', 'web'],
  ['get', 'hooks', 'web'],
  [
    'upgrade',
    'web',
    'CHART',
    '--wait',
    '--timeout',
    '60s',
    '--reset-values',
    '--set',
    'replicaCount=2',
  ],
  [
    'upgrade',
    'web',
    'CHART',
    '--set',
    'image.tag=next,autoscaling.enabled=true',
    '--dry-run=server',
  ],
  ['upgrade', 'web', 'CHART', '--set', 'service.type=Nowhere'],
  ['history', 'web', '-o', 'json'],
  ['rollback', 'web', '1', '--wait', '--timeout', '60s'],
  ['get', 'values', 'web', '-o', 'json'],
  ['list', '--all', '-o', 'json'],
  ['uninstall', 'web', '--wait', '--timeout', '60s'],
  ['status', 'web'],
];

describe('the official helm lives with a release in the sandbox as on a real control plane', {
  skip: whyNoCluster() || whyNoHelm(),
}, () => {
  let cluster: Cluster;
  let sandbox: Sandbox;
  const directory = mkdtempSync(join(tmpdir(), 'capstan-helm-'));
  before(async () => {
    cluster = await startCluster();
    sandbox = await startSandbox();
  });
  after(async () => {
    await cluster.stop();
    await sandbox.close();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const version of HELM_VERSIONS) {
    const helm = (args: readonly string[], kubeconfig = ''): Promise<Outcome> => {
      const given = args.map((arg) => (arg === 'CHART' ? join(directory, version, 'web') : arg));
      return runHelm(version, given, { kubeconfig, directory });
    };

    test(`helm ${version}`, async () => {
      mkdirSync(join(directory, version), { recursive: true });
      const created = await helm(['create', join(directory, version, 'web')]);
      assert.equal(created.code, 0, created.output);
      const namespace = `helm-${version.split('.')[0]}`;
      const flags = ['--namespace', namespace];
      for (const args of LIFE) {
        const all = [...args, ...flags, ...(args[0] === 'install' ? ['--create-namespace'] : [])];
        const [real, ours] = await Promise.all([
          helm(all, cluster.kubeconfig),
          helm(all, sandbox.kubeconfigPath),
        ]);
        const label = `helm ${args.join(' ')}`;
        assert.deepEqual(masked(ours, sandbox.url), masked(real, cluster.server), label);
      }
    });

    test(`helm ${version} test, whose pod ends in the sandbox`, async () => {
      const flags = ['--namespace', 'default'];
      const where = sandbox.kubeconfigPath;
      const name = `tested-${version.split('.')[0]}`;
      const installed = await helm(['install', name, 'CHART', '--wait', ...flags], where);
      assert.equal(installed.code, 0, installed.output);
      const tested = await helm(['test', name, ...flags], where);
      assert.equal(tested.code, 0, tested.output);
      assert.match(tested.output, /Phase:\s+Succeeded/);
    });
  }
});
