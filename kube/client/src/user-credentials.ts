import { accessSync, constants } from 'node:fs';
import type { JsonObject } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import { type Credential, type Credentials, fixedCredentials } from './connection.ts';
import { checkPlugin, type ExecPlugin, execCredentials } from './exec-credentials.ts';
import { bearerIn, fileCredentials } from './file-credentials.ts';
import { type Entry, invalid, pathFrom, pemOf, refuseBoth, textOf } from './kubeconfig-fields.ts';
import { isJsonObject } from './requester.ts';

/**
 * What the `user` of a kubeconfig says: certificate, token, token file, name and password, or a plugin to ask, which is asked
 * only if there is nothing else. Over plain http nothing of it is sent but whom to impersonate.
 */
export function userCredentials(
  user: Entry,
  plugin: Omit<ExecPlugin, 'exec' | 'user' | 'directory' | 'headers'>,
): Credentials {
  const { value, directory, name } = user;
  refuseContradictions(user, plugin.origin);
  const headers = impersonation(value);
  // Also where it is read again later: what is missing or unreadable is told at once.
  const certificate = clientCertificate(user, plugin.origin);
  const exec = isJsonObject(value['exec'])
    ? { ...plugin, exec: value['exec'], user: name, directory, headers }
    : undefined;
  if (exec !== undefined) checkPlugin(exec);
  if (!/^https:/i.test(plugin.cluster.server)) return fixedCredentials({ headers });
  const authorization = authorizationOf(user, plugin.origin);
  const hasCertificate = certificate.clientCertificate !== undefined;
  if (exec !== undefined && authorization === undefined && !hasCertificate) {
    return execCredentials(exec);
  }
  const isFromFiles = ['client-certificate', 'client-key'].some(
    (field) => hasCertificate && textOf(value, field) !== undefined,
  );
  if (typeof authorization !== 'function' && !isFromFiles) {
    return fixedCredentials({ headers: withAuthorization(headers, authorization), ...certificate });
  }
  return fileCredentials(async () => ({
    headers: withAuthorization(
      headers,
      typeof authorization === 'function' ? await authorization() : authorization,
    ),
    ...(isFromFiles ? clientCertificate(user, plugin.origin) : certificate),
  }));
}

function withAuthorization(
  headers: Credential['headers'],
  authorization: string | undefined,
): Credential['headers'] {
  return authorization === undefined ? headers : { ...headers, authorization };
}

function refuseContradictions({ name, value }: Entry, origin: string): void {
  const what = `user "${name}"`;
  if (isJsonObject(value['auth-provider'])) {
    throw invalid(origin, `${what} has an auth-provider, which is not supported: use exec`);
  }
  for (const method of ['token', 'tokenFile'] as const) {
    refuseBoth([method, 'username'], value, { origin, what });
  }
  refuseBoth(['token', 'password'], value, { origin, what });
  refuseBoth(['client-certificate', 'client-certificate-data'], value, { origin, what });
  if (['client-certificate', 'client-certificate-data'].some((field) => textOf(value, field))) {
    refuseBoth(['client-key', 'client-key-data'], value, { origin, what });
  }
  const hasGroups = Array.isArray(value['as-groups']) && value['as-groups'].length > 0;
  const extra = isJsonObject(value['as-user-extra']) ? Object.keys(value['as-user-extra']) : [];
  const hasMore = textOf(value, 'as-uid') !== undefined || hasGroups || extra.length > 0;
  if (hasMore && textOf(value, 'as') === undefined) {
    throw invalid(origin, `${what} has as-uid, as-groups or as-user-extra, but not whom to act as`);
  }
}

/** The Authorization header, or how to read it anew. A token beside a token file is for when the file cannot be read. */
function authorizationOf(
  { value, directory }: Entry,
  origin: string,
): string | (() => Promise<string>) | undefined {
  const token = textOf(value, 'token');
  const tokenFile = textOf(value, 'tokenFile');
  if (tokenFile !== undefined) {
    const path = pathFrom(directory, tokenFile);
    if (token === undefined) readable(path, origin);
    return () =>
      bearerIn(path).catch((error: unknown) => {
        if (token === undefined) throw error;
        return `Bearer ${token}`;
      });
  }
  if (token !== undefined) return `Bearer ${token}`;
  const username = textOf(value, 'username');
  if (username === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${textOf(value, 'password') ?? ''}`).toString('base64')}`;
}

function readable(path: string, origin: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw invalid(origin, `tokenFile: ${messageOf(error)}`);
  }
}

type CertificatePart = Pick<Credential, 'clientCertificate'>;

function clientCertificate({ name, value, directory }: Entry, origin: string): CertificatePart {
  const certificate = pemOf(value, 'client-certificate', directory, origin);
  // A key alone is nothing to authenticate with, and is passed over as kubectl does.
  if (certificate === undefined) return {};
  const key = pemOf(value, 'client-key', directory, origin);
  if (key === undefined) throw invalid(origin, `user "${name}" lacks client-key`);
  return { clientCertificate: { certificate, key } };
}

function impersonation(value: JsonObject): Credential['headers'] {
  const headers: Record<string, string | readonly string[]> = {};
  const user = textOf(value, 'as');
  const uid = textOf(value, 'as-uid');
  const groups = value['as-groups'];
  const extra = value['as-user-extra'];
  if (user !== undefined) headers['impersonate-user'] = user;
  if (uid !== undefined) headers['impersonate-uid'] = uid;
  if (Array.isArray(groups) && groups.length > 0) headers['impersonate-group'] = groups.map(String);
  for (const [key, values] of Object.entries(isJsonObject(extra) ? extra : {})) {
    const list = Array.isArray(values) ? values.map(String) : [];
    headers[`impersonate-extra-${encodeURIComponent(key.toLowerCase())}`] = list;
  }
  return headers;
}
