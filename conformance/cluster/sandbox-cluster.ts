import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalClient, SYSTEM } from '@capstan/kube-apiserver';
import { startSandbox } from '@capstan/kube-sandbox';
import { type Cluster, kubeboxPath } from './cluster.ts';

/** What tests ask of a cluster that can be had of the sandbox, too: it cannot be frozen or killed. */
export type AnyCluster = Pick<
  Cluster,
  'kubeconfig' | 'server' | 'token' | 'caFile' | 'directory' | 'kubectl' | 'stop'
>;

/** The sandbox in the place of a real control plane. */
export async function startSandboxCluster(): Promise<AnyCluster> {
  const sandbox = await startSandbox();
  const directory = mkdtempSync(join(tmpdir(), 'capstan-sandbox-cluster-'));
  mkdirSync(join(directory, 'pki'));
  const caFile = join(directory, 'pki/ca.crt');
  const config = readFileSync(sandbox.kubeconfigPath, 'utf8');
  const authority = /certificate-authority-data: *"?([A-Za-z0-9+/=]+)/.exec(config)?.[1] ?? '';
  writeFileSync(caFile, Buffer.from(authority, 'base64'));
  return {
    kubeconfig: sandbox.kubeconfigPath,
    server: sandbox.url,
    token: await administratorToken(sandbox),
    caFile,
    directory,
    kubectl(args, input = '') {
      const { status, stdout, stderr } = spawnSync(kubeboxPath(), ['kubectl', ...args], {
        encoding: 'utf8',
        input,
        env: {
          ...process.env,
          KUBECONFIG: sandbox.kubeconfigPath,
          KUBECACHEDIR: join(directory, 'cache'),
        },
      });
      return { code: status ?? -1, stdout, stderr };
    },
    async stop() {
      await sandbox.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The token of a service account that may do everything. */
async function administratorToken(
  sandbox: Awaited<ReturnType<typeof startSandbox>>,
): Promise<string> {
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  const subject = { kind: 'ServiceAccount', name: 'administrator', namespace: 'kube-system' };
  const { name, namespace } = subject;
  client.create('v1/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace },
  });
  client.create('rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [subject],
  });
  const response = await sandbox.transport.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ spec: {} }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const answer = JSON.parse(Buffer.concat(chunks).toString()) as {
    readonly status: { readonly token: string };
  };
  return answer.status.token;
}
