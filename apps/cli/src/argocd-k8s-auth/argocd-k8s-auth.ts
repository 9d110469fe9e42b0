import { aksLogin, type CloudToken, eksLogin, googleSurroundings } from '@capstan/lib-clouds';
import { CapstanError } from '@capstan/lib-std';
import { parseFlags } from '../flags.ts';
import type { Command, Io } from '../io.ts';

const HELP = `usage: capstan argocd-k8s-auth CLOUD

Prints a token that opens a cluster of a cloud, for exec plugins of kubeconfigs and of Argo CD's cluster Secrets. Who one is stands in
the environment: keys and files of the cloud's own commands, a workload identity, the identity of the machine.

  aws     a cluster of EKS:  --cluster-name NAME [--role-arn ARN] [--profile NAME]
  gcp     a cluster of GKE
  azure   a cluster of AKS; AAD_LOGIN_METHOD says how: workloadidentity (default), spn or msi
`;

/** So long before a token of Amazon's ends another one is to be asked for. */
const CUSHION_MS = 60_000;

/** `capstan argocd-k8s-auth`, as the command of that name in Argo CD's image. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, {
    'cluster-name': { kind: 'string' },
    'role-arn': { kind: 'string' },
    profile: { kind: 'string' },
    help: { kind: 'boolean', short: 'h' },
  });
  const [cloud] = flags.positionals;
  if (flags.flag('help') || cloud === undefined) {
    io.out(HELP);
    return 0;
  }
  const [roleArn, profile] = [flags.text('role-arn'), flags.text('profile')];
  const cluster = {
    name: flags.text('cluster-name') ?? '',
    ...(roleArn ? { roleArn } : {}),
    ...(profile ? { profile } : {}),
  };
  io.out(credentialText(await askCloud(cloud, cluster, io)));
  return 0;
};

async function askCloud(
  cloud: string,
  cluster: Parameters<typeof eksLogin>[0],
  { env, signal }: Io,
): Promise<CloudToken> {
  switch (cloud) {
    case 'aws': {
      const { token, expiresAtMs } = await eksLogin(cluster, { signal });
      return { token, expiresAtMs: expiresAtMs - CUSHION_MS };
    }
    case 'gcp':
      return googleSurroundings({ signal });
    case 'azure':
      return aksLogin(env, { signal });
    default:
      throw new CapstanError(
        'FLAGS',
        `unknown command ${JSON.stringify(cloud)} for "argocd-k8s-auth"`,
        { hint: 'use aws, gcp or azure' },
      );
  }
}

/** An ExecCredential, byte for byte as Go writes it. */
function credentialText({ token, expiresAtMs }: CloudToken): string {
  const expirationTimestamp = `${new Date(expiresAtMs).toISOString().slice(0, 19)}Z`;
  return JSON.stringify({
    kind: 'ExecCredential',
    apiVersion: 'client.authentication.k8s.io/v1beta1',
    spec: { interactive: false },
    status: { expirationTimestamp, token },
  });
}
