import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalClient, SYSTEM } from '@capstan/kube-apiserver';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { parseYaml } from '@capstan/lib-yaml';
import type { Cluster } from './cluster.ts';

/**
 * What tests ask of a cluster that can be had of the sandbox, too: it cannot be frozen or killed, nor reached by a
 * program that this process waits for.
 */
export type AnyCluster = Pick<
  Cluster,
  'kubeconfig' | 'server' | 'token' | 'caFile' | 'directory' | 'stop'
>;

/** The sandbox in the place of a real control plane. */
export async function startSandboxCluster(): Promise<AnyCluster & { readonly sandbox: Sandbox }> {
  const sandbox = await startSandbox();
  const directory = mkdtempSync(join(tmpdir(), 'capstan-sandbox-cluster-'));
  mkdirSync(join(directory, 'pki'));
  const caFile = join(directory, 'pki/ca.crt');
  const config = readKubeconfig(sandbox.kubeconfigPath);
  const [entry] = config.clusters;
  writeFileSync(caFile, Buffer.from(entry?.cluster['certificate-authority-data'] ?? '', 'base64'));
  const token = await administratorToken(sandbox);
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, withToken(config, token));
  return {
    sandbox,
    kubeconfig,
    server: sandbox.url,
    token,
    caFile,
    directory,
    async stop() {
      await sandbox.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Kubeconfig {
  readonly clusters: readonly {
    readonly name: string;
    readonly cluster: { readonly 'certificate-authority-data'?: string };
  }[];
  readonly users: readonly object[];
  readonly contexts: readonly object[];
}

function readKubeconfig(file: string): Kubeconfig {
  const config: unknown = parseYaml(readFileSync(file, 'utf8'));
  return config as Kubeconfig;
}

/** The kubeconfig with a second context, as the real control plane's has it. */
function withToken(config: Kubeconfig, token: string): string {
  const context = { cluster: config.clusters[0]?.name ?? '', user: 'token' };
  return JSON.stringify({
    ...config,
    users: [...config.users, { name: 'token', user: { token } }],
    contexts: [...config.contexts, { name: 'kubebox-token', context }],
  });
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
