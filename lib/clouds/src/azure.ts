/** Microsoft's identities and what they open, as Flux's controllers use them (fluxcd/pkg/auth/azure). */
import { readFile } from 'node:fs/promises';
import type { TokenCredential, TokenCredentialOptions } from '@azure/identity';
import { isRefusedAddress } from '@capstan/lib-egress';
import {
  agentsFor,
  type CloudAccess,
  type CloudLogin,
  type CloudToken,
  guardedAgents,
  invalid,
  isSocks,
  refused,
  refuseHost,
} from './access.ts';
import { post } from './post.ts';

type Policy = NonNullable<TokenCredentialOptions['additionalPolicies']>[number];
type Asked = Parameters<Policy['policy']['sendRequest']>[0];

/** What a token is for. */
export const AZURE_SCOPES = {
  devOps: '499b84ac-1321-427f-aa17-267ca6975798/.default',
  storage: 'https://storage.azure.com/.default',
  registry: 'https://containerregistry.azure.net/.default',
  kubernetes: '6dae42f8-4368-4678-94ff-3960e28e3630/.default',
} as const;

const REGISTRY = /^.+\.(azurecr\.io|azurecr\.cn|azurecr\.de|azurecr\.us)$/;
/** The user of a login by token. */
const TOKEN_USER = '00000000-0000-0000-0000-000000000000';

/** An application's own credentials, as a Secret holds them. */
export interface AzureSecret {
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** PEM of certificate and key. */
  readonly clientCertificate?: string;
  readonly clientCertificatePassword?: string;
  readonly sendCertificateChain?: boolean;
  readonly authorityHost?: string;
}

/**
 * A token of this process's identity: an application of the environment, a federated token that the environment names, or the
 * managed identity of the node, of which the environment's AZURE_CLIENT_ID may choose one. No command is run.
 */
export async function azureSurroundings(
  scope: string,
  access: CloudAccess = {},
): Promise<CloudToken> {
  const { EnvironmentCredential, ManagedIdentityCredential, WorkloadIdentityCredential } =
    await import('@azure/identity');
  const options = optionsOf(access);
  const {
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: clientId,
    AZURE_FEDERATED_TOKEN_FILE: tokenFilePath,
    AZURE_AUTHORITY_HOST: authorityHost,
  } = process.env;
  const credential = hasApplication(process.env)
    ? () => new EnvironmentCredential(options)
    : tenantId && clientId && tokenFilePath && authorityHost
      ? () => new WorkloadIdentityCredential({ tenantId, clientId, tokenFilePath, ...options })
      : () =>
          clientId
            ? new ManagedIdentityCredential({ clientId, ...options })
            : new ManagedIdentityCredential(options);
  return await askToken(credential, scope, access);
}

function hasApplication(env: NodeJS.ProcessEnv): boolean {
  if (!env['AZURE_TENANT_ID'] || !env['AZURE_CLIENT_ID']) return false;
  return Boolean(
    env['AZURE_CLIENT_SECRET'] ||
      env['AZURE_CLIENT_CERTIFICATE_PATH'] ||
      (env['AZURE_USERNAME'] && env['AZURE_PASSWORD']),
  );
}

/** A token for the application that trusts the bearer of a token of an identity provider (a federated credential). */
export async function azureFederated(
  identity: { readonly token: string; readonly tenantId: string; readonly clientId: string },
  scope: string,
  access: CloudAccess = {},
): Promise<CloudToken> {
  const { ClientAssertionCredential } = await import('@azure/identity');
  const { token, tenantId, clientId } = identity;
  return await askToken(
    () => new ClientAssertionCredential(tenantId, clientId, async () => token, optionsOf(access)),
    scope,
    access,
  );
}

/** A token for an application whose secret or certificate is at hand; with a client's id alone, of that managed identity. */
export async function azureSecretToken(
  secret: AzureSecret,
  scope: string,
  access: CloudAccess = {},
): Promise<CloudToken> {
  const { ClientCertificateCredential, ClientSecretCredential, ManagedIdentityCredential } =
    await import('@azure/identity');
  const { tenantId, clientId, clientSecret, clientCertificate, authorityHost } = secret;
  if (!clientId) throw invalid('a client id is needed');
  // The authority is the tenant's choice: it leads nowhere that others may not ask.
  if (authorityHost !== undefined) checkAuthority(authorityHost);
  const options =
    authorityHost === undefined
      ? optionsOf(access)
      : { ...guarded(access), authorityHost, disableInstanceDiscovery: true };
  const credential = () => {
    if (tenantId && clientSecret)
      return new ClientSecretCredential(tenantId, clientId, clientSecret, options);
    if (tenantId && clientCertificate) {
      const { clientCertificatePassword, sendCertificateChain = false } = secret;
      const certificate = {
        certificate: clientCertificate,
        ...(clientCertificatePassword === undefined
          ? {}
          : { certificatePassword: clientCertificatePassword }),
      };
      const more = { ...options, sendCertificateChain };
      return new ClientCertificateCredential(tenantId, clientId, certificate, more);
    }
    return new ManagedIdentityCredential({ clientId, ...optionsOf(access) });
  };
  return await askToken(credential, scope, access);
}

function checkAuthority(url: string): void {
  if (!URL.canParse(url) || !url.startsWith('https:')) {
    throw invalid(`the authority host '${url}' must be an https URL`);
  }
  refuseHost(url);
}

async function askToken(
  make: () => TokenCredential,
  scope: string,
  { signal }: CloudAccess,
): Promise<CloudToken> {
  try {
    const found = await make().getToken(scope, signal === undefined ? {} : { abortSignal: signal });
    if (found === null) throw new Error('no token was given');
    return { token: found.token, expiresAtMs: found.expiresOnTimestamp };
  } catch (cause) {
    signal?.throwIfAborted();
    throw refused(cause);
  }
}

function optionsOf(access: CloudAccess): TokenCredentialOptions {
  const { proxy } = access;
  const retryOptions = { maxRetries: 1 };
  if (proxy === undefined) return { retryOptions };
  if (isSocks(proxy)) {
    const { httpAgent, httpsAgent } = agentsFor(access);
    return withPolicy('proxy', (request) => {
      const { protocol, hostname } = new URL(request.url);
      // A metadata service is that of this machine, not the proxy's.
      if (isRefusedAddress(hostname)) return;
      request.agent = protocol === 'https:' ? httpsAgent : httpAgent;
    });
  }
  const { protocol, hostname, port, username, password } = new URL(proxy);
  const named = username === '' ? {} : { username: decodeURIComponent(username) };
  const known = password === '' ? {} : { password: decodeURIComponent(password) };
  const portOf = Number(port || (protocol === 'https:' ? 443 : 80));
  const proxyOptions = { host: `${protocol}//${hostname}`, port: portOf, ...named, ...known };
  return { retryOptions, proxyOptions };
}

/** Options of every client of Azure's SDK: one more attempt, and no way to a metadata service. */
export function guarded(access: CloudAccess): TokenCredentialOptions {
  const { httpsAgent } = guardedAgents(access);
  return withPolicy('guard', (request) => {
    refuseHost(request.url);
    request.agent = httpsAgent;
  });
}

function withPolicy(name: string, prepare: (request: Asked) => void): TokenCredentialOptions {
  const policy: Policy['policy'] = {
    name,
    sendRequest(request, next) {
      prepare(request);
      return next(request);
    },
  };
  return {
    retryOptions: { maxRetries: 1 },
    additionalPolicies: [{ position: 'perRetry', policy }],
  };
}

/** For SDKs that ask for tokens themselves: each token is asked for as it is needed. */
export function toCredential(ask: (scope: string) => Promise<CloudToken>): TokenCredential {
  return {
    async getToken(scopes) {
      const { token, expiresAtMs } = await ask([scopes].flat()[0] ?? '');
      return { token, expiresOnTimestamp: expiresAtMs };
    },
  };
}

/** What AZURE_ENVIRONMENT_FILEPATH tells of a cloud of one's own (Azure Stack). */
interface OwnCloud {
  readonly containerRegistryDNSSuffix?: string;
  readonly resourceManagerEndpoint?: string;
  readonly tokenAudience?: string;
}

async function readOwnCloud(): Promise<OwnCloud | undefined> {
  const path = process.env['AZURE_ENVIRONMENT_FILEPATH'];
  if (path === undefined) return undefined;
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw invalid(`AZURE_ENVIRONMENT_FILEPATH: ${refused(cause).message}`);
  });
  return JSON.parse(text) as OwnCloud;
}

/** For what a token has to be asked that opens a registry. Throws CLOUD_INVALID for a host that is none of Microsoft's. */
export async function acrScope(registry: string): Promise<string> {
  const own = await readOwnCloud();
  if (!REGISTRY.test(registry)) {
    const suffix = own?.containerRegistryDNSSuffix;
    if (own === undefined) {
      throw invalid(`invalid Azure registry: '${registry}'. must match ${REGISTRY.source}`);
    }
    if (!suffix) throw invalid('containerRegistryDNSSuffix must be set in the environment file');
    if (!registry.endsWith(suffix)) {
      throw invalid(`invalid Azure registry: '${registry}'. must end with ${suffix}`);
    }
  }
  if (own === undefined) return AZURE_SCOPES.registry;
  if (!own.resourceManagerEndpoint || !own.tokenAudience) {
    throw invalid('resourceManagerEndpoint and tokenAudience must be set in the environment file');
  }
  return `${own.resourceManagerEndpoint}/.default`;
}

/** Microsoft's service that knows of resources, in the cloud that the environment names. */
export async function azureManagement(): Promise<{
  readonly endpoint: string;
  readonly scope: string;
}> {
  const own = await readOwnCloud();
  if (own !== undefined) {
    const { resourceManagerEndpoint: endpoint, tokenAudience: audience } = own;
    if (endpoint && audience) return { endpoint, scope: `${audience}/.default` };
    throw invalid('resourceManagerEndpoint and tokenAudience must be set in the environment file');
  }
  const authority = process.env['AZURE_AUTHORITY_HOST'] ?? '';
  const [host, domain] = authority.includes('chinacloudapi.cn')
    ? ['management.chinacloudapi.cn', 'chinacloudapi.cn']
    : authority.includes('microsoftonline.us')
      ? ['management.usgovcloudapi.net', 'usgovcloudapi.net']
      : ['management.azure.com', 'windows.net'];
  return { endpoint: `https://${host}`, scope: `https://management.core.${domain}//.default` };
}

/** The login of a registry: it changes a token of Microsoft Entra into one of its own (`/oauth2/exchange`). */
export async function acrLogin(
  registry: string,
  { token }: CloudToken,
  access: CloudAccess = {},
): Promise<CloudLogin> {
  const form = { grant_type: 'access_token', service: registry, access_token: token };
  const url = `https://${registry}/oauth2/exchange`;
  const { status, text } = await post(url, new URLSearchParams(form), access);
  if (status !== 200) throw refused(new Error(`${registry} answered with status ${status}`));
  const password = textAt(JSON.parse(text), 'refresh_token');
  if (password === '') throw refused(new Error(`${registry} gave no refresh token`));
  return { username: TOKEN_USER, password, expiresAtMs: endOf(password) };
}

/** When a JSON web token ends, by its own word. */
export function endOf(token: string): number {
  try {
    const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    const claims: unknown = JSON.parse(text);
    const end = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : 0;
    return Number(end) * 1000;
  } catch {
    throw refused(new Error('the token is no JSON web token'));
  }
}

function textAt(value: unknown, name: string): string {
  if (typeof value !== 'object' || value === null) return '';
  const found = (value as Readonly<Record<string, unknown>>)[name];
  return typeof found === 'string' ? found : '';
}
