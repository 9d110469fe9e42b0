/** Charts of public projects, as they are released: the official helm lives with them as on a real control plane. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { moduleFolder } from '../tools/official.ts';
import { HELM_VERSIONS, masked, runHelm, whyNoHelm } from './helm-runner.ts';

interface ReleasedChart {
  readonly name: string;
  readonly module: string;
  readonly version: string;
  readonly path: string;
  /** What an upgrade sets. */
  readonly change: string;
}

const CHARTS: readonly ReleasedChart[] = [
  {
    // An APIService, roles that are bound across namespaces, and a test of its own.
    name: 'metrics-server',
    module: 'sigs.k8s.io/metrics-server',
    version: '0.9.0',
    path: 'charts/metrics-server',
    change: 'replicas=2,podDisruptionBudget.enabled=true,podDisruptionBudget.minAvailable=1',
  },
  {
    // A CronJob that becomes a Deployment.
    name: 'descheduler',
    module: 'sigs.k8s.io/descheduler',
    version: '0.36.0',
    path: 'charts/descheduler',
    change: 'kind=Deployment,replicas=1',
  },
  {
    // CRDs, a DaemonSet, and a hook that clears up after it.
    name: 'node-feature-discovery',
    module: 'sigs.k8s.io/node-feature-discovery',
    version: '0.18.3',
    path: 'deployment/helm/node-feature-discovery',
    change: 'topologyUpdater.enable=true,topologyUpdater.createCRDs=true',
  },
];

const WAIT = ['--wait', '--timeout', '60s'];

function lifeOf(name: string, change: string): readonly (readonly string[])[] {
  return [
    ['install', name, 'CHART', '--create-namespace', ...WAIT],
    ['status', name],
    ['test', name, '--timeout', '60s'],
    ['upgrade', name, 'CHART', ...WAIT, '--set', change],
    ['get', 'manifest', name],
    ['rollback', name, '1', ...WAIT],
    ['history', name, '-o', 'json'],
    ['uninstall', name, ...WAIT],
    ['status', name],
  ];
}

describe('released charts live in the sandbox as on a real control plane', {
  skip: whyNoCluster() || whyNoHelm(),
}, () => {
  let cluster: Cluster;
  let sandbox: Sandbox;
  const directory = mkdtempSync(join(tmpdir(), 'capstan-charts-'));
  before(async () => {
    cluster = await startCluster();
    sandbox = await startSandbox();
  });
  after(async () => {
    await cluster.stop();
    await sandbox.close();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const { name, module, version: release, path, change } of CHARTS) {
    for (const version of HELM_VERSIONS) {
      test(`${name} ${release} with helm ${version}`, async () => {
        const chart = join(directory, version, name);
        mkdirSync(join(directory, version), { recursive: true });
        cpSync(join(moduleFolder(module, release), path), chart, { recursive: true });
        for (const args of lifeOf(name, change)) {
          const given = args.map((arg) => (arg === 'CHART' ? chart : arg));
          const all = [...given, '--namespace', name];
          const [real, ours] = await Promise.all([
            runHelm(version, all, { kubeconfig: cluster.kubeconfig, directory }),
            runHelm(version, all, { kubeconfig: sandbox.kubeconfigPath, directory }),
          ]);
          const label = `helm ${args.join(' ')}`;
          assert.deepEqual(masked(ours, sandbox.url), masked(real, cluster.server), label);
        }
      });
    }
  }
});
