import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { officialProgram, whyNotOfficial } from '../tools/official.ts';

const VERSIONS = ['3.22.0', '4.3.1'] as const;
const run = promisify(execFile);

interface Outcome {
  readonly code: number;
  readonly output: string;
}

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
  skip:
    whyNoCluster() || VERSIONS.map((v) => whyNotOfficial('helm', v)).find((why) => why !== false),
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

  for (const version of VERSIONS) {
    const helm = async (args: readonly string[], kubeconfig = ''): Promise<Outcome> => {
      const home = join(directory, version);
      const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: home, XDG_CACHE_HOME: home };
      const given = args.map((arg) => (arg === 'CHART' ? join(directory, version, 'web') : arg));
      const options = { env, cwd: directory, maxBuffer: 64 * 1024 * 1024 };
      const found = await run(officialProgram('helm', version), given, options).catch(
        (error: { code?: number; stdout: string; stderr: string }) => ({ ...error, failed: true }),
      );
      const code = 'failed' in found ? (found.code ?? -1) : 0;
      return { code, output: `${found.stdout}${found.stderr}` };
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

/** What is another on each run: times, addresses, who owns a field since when. */
function masked({ code, output }: Outcome, server: string): Outcome {
  const text = output
    .replaceAll(server, '<server>')
    .replace(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^"\s]*( [+-]\d{4} \w+)?/g, '<time>')
    .replace(/\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}/g, '<time>')
    .replace(/^level=.*$|^[IWE]\d{4} .*$/gm, '')
    .replace(/\b10\.\d+\.\d+\.\d+\b/g, '<ip>')
    .replace(/"uid":"[^"]*"/g, '"uid":"<uid>"');
  return { code, output: text };
}
