/** Identities of clouds that Secrets of repositories name: a key of Google's, an application of Microsoft's, this process's own. */
import { createHash } from 'node:crypto';
import type { SourceLogin } from '@capstan/engine-source';
import {
  AZURE_SCOPES,
  acrLogin,
  acrScope,
  azureSecretToken,
  azureSurroundings,
  type CloudAccess,
  type CloudToken,
  GOOGLE_SCOPES,
  googleFileToken,
} from '@capstan/lib-clouds';

type Answer = Awaited<ReturnType<SourceLogin['ask']>>;

/** So long before its end a token is not used any more. */
const MARGIN_MS = 5 * 60_000;
const AZURE_REGISTRY = /\.azurecr\.(?:io|cn|de|us)$/;

/** What a Secret's data say of a cloud; undefined: nothing. The first one counts, in the order of Argo CD. */
export function readCloudLogin(data: ReadonlyMap<string, string>): SourceLogin | undefined {
  const proxy = data.get('proxy');
  const access: CloudAccess = proxy ? { proxy } : {};
  const key = data.get('gcpServiceAccountKey');
  if (key) return googleLogin(key, access);
  if (isTrue(data.get('useAzureWorkloadIdentity'))) return workloadLogin(access);
  return applicationLogin(data, access);
}

function googleLogin(key: string, access: CloudAccess): SourceLogin {
  const scopes = GOOGLE_SCOPES.slice(0, 1);
  const token = held(() => googleFileToken(key, scopes, access));
  return {
    toJSON: () => JSON.stringify(['google', digest(key)]),
    ask: async () => ({ username: emailOf(key), password: (await token('')).token }),
  };
}

function emailOf(key: string): string {
  try {
    const fields: unknown = JSON.parse(key);
    const { client_email: email } = Object(fields) as { readonly client_email?: unknown };
    return typeof email === 'string' ? email : '';
  } catch {
    return '';
  }
}

/** The identity of this process opens Azure DevOps, and registries that change its token into one of their own. */
function workloadLogin(access: CloudAccess): SourceLogin {
  const token = held((scope) => azureSurroundings(scope, access));
  return {
    toJSON: () => JSON.stringify(['azure', access.proxy ?? '']),
    ask: async (url) => {
      const registry = registryOf(url);
      if (registry === undefined) return { bearerToken: (await token(AZURE_SCOPES.devOps)).token };
      return await acrLogin(registry, await token(await acrScope(registry)), access);
    },
  };
}

function applicationLogin(
  data: ReadonlyMap<string, string>,
  access: CloudAccess,
): SourceLogin | undefined {
  const read = (name: string) => data.get(`azureServicePrincipal${name}`) ?? '';
  const tenantId = read('TenantId') || read('TenantID');
  const clientId = read('ClientId') || read('ClientID');
  const clientSecret = read('ClientSecret');
  if (tenantId === '' || clientId === '' || clientSecret === '') return undefined;
  const authorityHost = data.get('azureActiveDirectoryEndpoint');
  const secret = {
    tenantId,
    clientId,
    clientSecret,
    ...(authorityHost ? { authorityHost } : {}),
  };
  const token = held(() => azureSecretToken(secret, AZURE_SCOPES.devOps, access));
  return {
    toJSON: () => JSON.stringify(['azure', tenantId, clientId, digest(JSON.stringify(secret))]),
    ask: async (): Promise<Answer> => ({ bearerToken: (await token('')).token }),
  };
}

function registryOf(url: string): string | undefined {
  const host = /^(?:[a-z]+:\/\/)?([^/]+)/.exec(url)?.[1] ?? '';
  return AZURE_REGISTRY.test(host) ? host : undefined;
}

/** Keeps tokens by their purpose until shortly before their end; who asks meanwhile waits for the same answer. */
function held(ask: (purpose: string) => Promise<CloudToken>) {
  const tokens = new Map<string, Promise<CloudToken>>();
  return async (purpose: string): Promise<CloudToken> => {
    const known = await tokens.get(purpose)?.catch(() => undefined);
    if (known !== undefined && known.expiresAtMs - MARGIN_MS > Date.now()) return known;
    const asking = ask(purpose);
    tokens.set(purpose, asking);
    return await asking;
  };
}

/** Go's `strconv.ParseBool`; what it refuses is false. */
export function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(?:1|t|T|true|TRUE|True)$/.test(text);
}

/** Tells one secret from the next without telling it. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
