import { createSign } from 'node:crypto';
import type { GitCredentials } from '@capstan/lib-git';
import { createHttpGet, type HttpGetOptions, readBytes } from '@capstan/lib-oci';
import { CapstanError } from '@capstan/lib-std';
import type { GithubApp } from './source-spec.ts';

const API = 'https://api.github.com';
const ANSWER_BYTES_MAX = 1024 * 1024;
/** A token is renewed so long before its end. */
const SPARE_MS = 5 * 60_000;
const PAGES_MAX = 100;

/**
 * Credentials of a GitHub App's installation: a JSON web token that the app's key signs buys a token for an hour, which is the
 * password of `x-access-token` (GitHub's documentation: "Authenticating as a GitHub App installation"). Answers the same
 * object for as long as the token holds.
 */
export function createGithubAppLogin(
  app: GithubApp,
  access: HttpGetOptions & GitCredentials,
  now: () => number,
): () => Promise<GitCredentials> {
  let held: { readonly credentials: GitCredentials; readonly untilMs: number } | undefined;
  let asking: Promise<GitCredentials> | undefined;
  const ask = async () => {
    const { token, untilMs } = await buyToken(app, access, now());
    const credentials = { ...access, username: 'x-access-token', password: token };
    held = { credentials, untilMs };
    return credentials;
  };
  return async () => {
    if (held !== undefined && now() < held.untilMs - SPARE_MS) return held.credentials;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return await asking;
  };
}

async function buyToken(app: GithubApp, access: HttpGetOptions, nowMs: number) {
  const client = createHttpGet(access);
  const api = (app.baseUrl ?? API).replace(/\/+$/, '');
  const authorization = `Bearer ${signAppToken(app, nowMs)}`;
  const call = async (method: 'GET' | 'POST', path: string): Promise<unknown> => {
    const answer = await readBytes(client.get, `${api}${path}`, {
      method,
      authorization,
      headers: { accept: 'application/vnd.github+json' },
      bytesMax: ANSWER_BYTES_MAX,
    });
    if (answer.status >= 300) throw refused(app, `${method} ${api}${path}`, answer.status);
    return JSON.parse(new TextDecoder().decode(answer.bytes));
  };
  try {
    const id = app.installationId ?? (await findInstallation(app, (path) => call('GET', path)));
    const answer = await call('POST', `/app/installations/${encodeURIComponent(id)}/access_tokens`);
    const [token, expiresAt] = [textAt(answer, 'token'), textAt(answer, 'expires_at')];
    const untilMs = Date.parse(expiresAt);
    if (token === '') throw refused(app, 'the answer holds no token', 200);
    return { token, untilMs: Number.isNaN(untilMs) ? nowMs + 30 * 60_000 : untilMs };
  } finally {
    await client.close();
  }
}

async function findInstallation(
  { appId, installationOwner = '' }: GithubApp,
  get: (path: string) => Promise<unknown>,
): Promise<string> {
  for (let page = 1; page <= PAGES_MAX; page++) {
    const found = await get(`/app/installations?per_page=100&page=${page}`);
    if (!Array.isArray(found) || found.length === 0) break;
    for (const one of found as readonly unknown[]) {
      const account = isRecord(one) ? one['account'] : undefined;
      if (textAt(account, 'login').toLowerCase() === installationOwner.toLowerCase()) {
        return String(isRecord(one) ? one['id'] : '');
      }
    }
  }
  throw new CapstanError(
    'GIT_AUTHENTICATION_FAILED',
    `the GitHub App ${appId} has no installation in ${JSON.stringify(installationOwner)}`,
    { kind: 'stalled', hint: 'install the app there, or name the id of its installation' },
  );
}

/** RS256, valid from a minute ago for nine minutes: GitHub takes ten at most. */
export function signAppToken(
  { appId, privateKey }: Pick<GithubApp, 'appId' | 'privateKey'>,
  nowMs: number,
): string {
  const seconds = Math.floor(nowMs / 1000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iat: seconds - 60, exp: seconds + 540, iss: appId };
  const head = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  try {
    const signature = createSign('RSA-SHA256').update(head).sign(privateKey);
    return `${head}.${signature.toString('base64url')}`;
  } catch {
    // Without its cause: that could quote the key.
    throw new CapstanError(
      'GIT_AUTHENTICATION_FAILED',
      `the private key of the GitHub App ${appId} cannot be read: Key must be a PEM encoded PKCS1 or PKCS8 key`,
      { kind: 'stalled', hint: 'it must be the PEM of an RSA key' },
    );
  }
}

function refused({ appId }: GithubApp, what: string, status: number): CapstanError {
  return new CapstanError(
    'GIT_AUTHENTICATION_FAILED',
    `the GitHub App ${appId} was refused: ${what} gave status ${status}`,
    {
      kind: status >= 500 || status === 429 ? 'retry' : 'stalled',
      hint: 'check the ids of the app and its installation, and that the key is one of the app',
    },
  );
}

function textAt(value: unknown, key: string): string {
  const found = isRecord(value) ? value[key] : undefined;
  return typeof found === 'string' ? found : '';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
