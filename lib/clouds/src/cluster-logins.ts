/** Tokens that open clusters of clouds by what a process's environment holds, as Argo CD's command argocd-k8s-auth gives them. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '@capstan/lib-std';
import { type CloudAccess, type CloudToken, invalid, refused } from './access.ts';
import { awsRole, awsSurroundings } from './aws.ts';
import { AZURE_SCOPES, azureFederated, azureSecretToken, azureSurroundings } from './azure.ts';
import { eksToken } from './clusters.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the signed request names as its time, which the cluster does not read. */
const EKS_TOLD_SECONDS = 60;
const EKS_PATIENCE_MS = 60_000;
const EKS_PAUSE_MS = 5_000;

/** For a cluster of Amazon's, by the credentials at hand or, with `roleArn`, by a role that they may take. It is tried for a minute. */
export async function eksLogin(
  cluster: { readonly name: string; readonly roleArn?: string; readonly profile?: string },
  access: CloudAccess = {},
): Promise<CloudToken> {
  const endMs = Date.now() + EKS_PATIENCE_MS;
  for (;;) {
    try {
      return await signForEks(cluster, access);
    } catch (error) {
      access.signal?.throwIfAborted();
      if (Date.now() + EKS_PAUSE_MS > endMs) {
        const last = messageOf(error);
        throw refused(
          new Error(`timeout while trying to get signed aws request: last error: ${last}`),
        );
      }
    }
    await sleep(EKS_PAUSE_MS, undefined, access);
  }
}

async function signForEks(
  { name, roleArn, profile }: Parameters<typeof eksLogin>[0],
  access: CloudAccess,
): Promise<CloudToken> {
  const region = await regionOf(profile);
  const own = await awsSurroundings({ region, ...(profile ? { profile } : {}) }, access);
  const nowMs = Date.now();
  const credentials = roleArn
    ? await awsRole(own, { roleArn, sessionName: `aws-go-sdk-${nowMs}`, region }, access)
    : own;
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return eksToken({ region, name, domain }, credentials, { nowMs, toldSeconds: EKS_TOLD_SECONDS });
}

/** As Amazon's SDKs find it: in the environment, or in the profile. */
async function regionOf(profile: string | undefined): Promise<string> {
  const { AWS_REGION: region, AWS_DEFAULT_REGION: other } = process.env;
  if (region || other) return region || other || '';
  const { STSClient } = await import('@aws-sdk/client-sts');
  const client = new STSClient(profile ? { profile } : {});
  try {
    return await client.config.region();
  } finally {
    client.destroy();
  }
}

const AUTHORITIES: Readonly<Record<string, string>> = {
  azurechinacloud: 'https://login.chinacloudapi.cn/',
  azureusgovernmentcloud: 'https://login.microsoftonline.us/',
};

/** For a cluster of Microsoft's, by the ways of kubelogin that need no person: workloadidentity (by default), spn, msi. */
export async function aksLogin(env: Environment, access: CloudAccess = {}): Promise<CloudToken> {
  const server = env['AAD_SERVER_APPLICATION_ID'];
  const scope = server === undefined ? AZURE_SCOPES.kubernetes : `${server}/.default`;
  const method = env['AAD_LOGIN_METHOD'] || 'workloadidentity';
  if (env['AAD_IS_POP_TOKEN_ENABLED'] && method === 'spn')
    throw invalid('tokens with proof of possession (AAD_IS_POP_TOKEN_ENABLED) are not given');
  switch (method) {
    case 'workloadidentity':
      return workloadToken(env, scope, access);
    case 'spn':
      return applicationToken(env, scope, access);
    case 'msi': {
      const clientId = clientOf(env);
      return clientId
        ? azureSecretToken({ clientId }, scope, access)
        : azureSurroundings(scope, access);
    }
    default:
      throw invalid(
        `'${method}' is not a supported login method. Supported method is one of spn, msi, workloadidentity`,
      );
  }
}

function clientOf(env: Environment): string | undefined {
  return env['AZURE_CLIENT_ID'] ?? env['AAD_SERVICE_PRINCIPAL_CLIENT_ID'];
}

async function workloadToken(
  env: Environment,
  scope: string,
  access: CloudAccess,
): Promise<CloudToken> {
  const [clientId, tenantId] = [clientOf(env), env['AZURE_TENANT_ID']];
  const file = env['AZURE_FEDERATED_TOKEN_FILE'];
  if (!clientId) throw invalid('client ID cannot be empty');
  if (!tenantId) throw invalid('tenant ID cannot be empty');
  if (!file) throw invalid('federated token file cannot be empty');
  const token = (await readFile(file, 'utf8')).trim();
  return azureFederated({ token, tenantId, clientId }, scope, access);
}

async function applicationToken(
  env: Environment,
  scope: string,
  access: CloudAccess,
): Promise<CloudToken> {
  const read = (azure: string, kubelogin: string) =>
    env[`AZURE_${azure}`] ?? env[`AAD_SERVICE_PRINCIPAL_${kubelogin}`] ?? '';
  const [clientId, tenantId] = [clientOf(env), env['AZURE_TENANT_ID']];
  if (!clientId) throw invalid('client ID cannot be empty');
  if (!tenantId) throw invalid('tenant ID cannot be empty');
  const file = read('CLIENT_CERTIFICATE_PATH', 'CLIENT_CERTIFICATE');
  const secret = read('CLIENT_SECRET', 'CLIENT_SECRET');
  if (file === '' && secret === '') throw invalid('client secret cannot be empty');
  const authorityHost = AUTHORITIES[(env['AAD_ENVIRONMENT_NAME'] ?? '').toLowerCase()];
  const password = read('CLIENT_CERTIFICATE_PASSWORD', 'CLIENT_CERTIFICATE_PASSWORD');
  const identity =
    file === ''
      ? { clientSecret: secret }
      : {
          clientCertificate: await readFile(file, 'utf8'),
          ...(password === '' ? {} : { clientCertificatePassword: password }),
        };
  return azureSecretToken(
    { clientId, tenantId, ...identity, ...(authorityHost ? { authorityHost } : {}) },
    scope,
    access,
  );
}
