/** Google's identities and what they open, as Flux's controllers use them (fluxcd/pkg/auth/gcp). */
import type { OAuth2Client } from 'google-auth-library';
import {
  agentsFor,
  type CloudAccess,
  type CloudLogin,
  type CloudToken,
  invalid,
  refused,
  within,
} from './access.ts';
import { type PostOptions, post } from './post.ts';

export const GOOGLE_SCOPES: readonly string[] = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/userinfo.email',
];

const REGISTRY = /^(((.+\.)?gcr\.io)|(.+-docker\.pkg\.dev)|(docker\.s3nsregistry\.fr))$/;
/** A token of whose end nothing is told holds for so long at least. */
const UNTOLD_MS = 5 * 60_000;

/**
 * A token of this process's identity: Application Default Credentials, thus a file that the environment names, that of the gcloud
 * command, or the metadata service at its fixed address.
 */
export async function googleSurroundings(access: CloudAccess = {}): Promise<CloudToken> {
  const { GoogleAuth } = await import('google-auth-library');
  const auth = new GoogleAuth({ scopes: [...GOOGLE_SCOPES], clientOptions: transportOf(access) });
  try {
    const client = await within(auth.getClient(), access.signal);
    const { token } = await within(client.getAccessToken(), access.signal);
    if (!token) throw new Error('no access token');
    return { token, expiresAtMs: client.credentials.expiry_date ?? Date.now() + UNTOLD_MS };
  } catch (cause) {
    access.signal?.throwIfAborted();
    throw refused(cause);
  }
}

/**
 * Google's Security Token Service gives a token to whoever bears one of a trusted identity provider; with `email` one for that
 * service account, else for the bearer itself.
 */
export async function googleFederated(
  identity: { readonly token: string; readonly audience: string; readonly email?: string },
  access: CloudAccess = {},
): Promise<CloudToken> {
  const { token, audience, email } = identity;
  const nowMs = Date.now();
  const form = new URLSearchParams({
    audience,
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    subject_token: token,
    scope: email === undefined ? GOOGLE_SCOPES.join(' ') : (GOOGLE_SCOPES[0] ?? ''),
  });
  const own = await askGoogle('https://sts.googleapis.com/v1/token', form, access);
  const federated = String(own['access_token'] ?? '');
  if (email === undefined) {
    return { token: federated, expiresAtMs: nowMs + Number(own['expires_in'] ?? 0) * 1000 };
  }
  const lent = await askGoogle(
    `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
    { scope: GOOGLE_SCOPES, lifetime: '3600s' },
    { ...access, headers: { authorization: `Bearer ${federated}` } },
  );
  const expiresAtMs = Date.parse(String(lent['expireTime'] ?? ''));
  return { token: String(lent['accessToken'] ?? ''), expiresAtMs };
}

async function askGoogle(
  url: string,
  body: URLSearchParams | object,
  options: PostOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await post(url, body, options);
  const answer = parseAnswer(text);
  if (status === 200) return answer;
  const { error, error_description: words } = answer;
  const why = words ?? (isRecord(error) ? error['message'] : error) ?? `status ${status}`;
  throw refused(new Error(`${new URL(url).host} refused: ${String(why)}`));
}

function parseAnswer(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * A token for what a file of credentials stands for: a service account's key, or an authorised user. Other kinds name files and
 * addresses of their own, which a tenant may not choose here.
 */
export async function googleFileToken(
  text: string,
  scopes: readonly string[],
  access: CloudAccess = {},
): Promise<CloudToken> {
  const { JWT, UserRefreshClient } = await import('google-auth-library');
  const fields = readFields(text);
  let client: OAuth2Client;
  if (fields['type'] === 'service_account') {
    client = new JWT({
      email: fields['client_email'] ?? '',
      key: fields['private_key'] ?? '',
      ...(fields['private_key_id'] === undefined ? {} : { keyId: fields['private_key_id'] }),
      scopes: [...scopes],
      ...transportOf(access),
    });
  } else if (fields['type'] === 'authorized_user') {
    client = new UserRefreshClient({
      clientId: fields['client_id'] ?? '',
      clientSecret: fields['client_secret'] ?? '',
      refreshToken: fields['refresh_token'] ?? '',
      ...transportOf(access),
    });
  } else {
    throw invalid(
      `credentials of the type '${fields['type'] ?? ''}' are not taken: give the key of a service account`,
    );
  }
  try {
    const { token } = await within(client.getAccessToken(), access.signal);
    if (!token) throw new Error('no access token');
    return { token, expiresAtMs: client.credentials.expiry_date ?? Date.now() + UNTOLD_MS };
  } catch (cause) {
    access.signal?.throwIfAborted();
    throw refused(cause);
  }
}

function readFields(text: string): Readonly<Record<string, string | undefined>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) {
      return Object.fromEntries(
        Object.entries(value).filter(([, field]) => typeof field === 'string'),
      ) as Readonly<Record<string, string>>;
    }
  } catch {
    // Without its cause: that could quote the key.
  }
  throw invalid('the credentials are no sound JSON');
}

/** Throws CLOUD_INVALID for a host that is no registry of Google's. */
export function checkGoogleRegistry(registry: string): void {
  if (REGISTRY.test(registry)) return;
  throw invalid(`invalid GCP registry: '${registry}'. must match ${REGISTRY.source}`);
}

/** The login of any registry of Google's with a token. */
export function googleRegistryLogin({ token, expiresAtMs }: CloudToken): CloudLogin {
  return { username: 'oauth2accesstoken', password: token, expiresAtMs };
}

export interface GkeCluster {
  readonly project: string;
  readonly location: string;
  readonly name: string;
}

/** Which cluster of Google's this process runs in; told by the metadata service. Throws CLOUD_REFUSED elsewhere. */
export async function gkeCluster(access: CloudAccess = {}): Promise<GkeCluster> {
  const metadata = await import('gcp-metadata');
  const read = async (what: string, question: Promise<unknown>): Promise<string> => {
    const fail = (why: string) =>
      refused(new Error(`failed to get GKE cluster ${what} from the metadata service: ${why}`));
    const value = await within(question, access.signal).catch((cause: unknown) => {
      access.signal?.throwIfAborted();
      throw fail(refused(cause).message);
    });
    if (typeof value === 'string' && value !== '') return value;
    throw fail('empty value');
  };
  return {
    project: await read('project ID', metadata.project('project-id')),
    location: await read('location', metadata.instance('attributes/cluster-location')),
    name: await read('name', metadata.instance('attributes/cluster-name')),
  };
}

function transportOf(access: CloudAccess) {
  const { httpAgent, httpsAgent } = agentsFor(access);
  const agent = (url: URL) => (url.protocol === 'https:' ? httpsAgent : httpAgent);
  return { transporterOptions: { agent, timeout: 10_000 } };
}
