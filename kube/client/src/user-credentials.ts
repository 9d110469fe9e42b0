import type { JsonObject } from '@capstan/kube-object';
import { type Credential, type Credentials, fixedCredentials } from './connection.ts';
import { type ExecPlugin, execCredentials } from './exec-credentials.ts';
import { bearerIn, fileCredentials } from './file-credentials.ts';
import { type Entry, invalid, pathFrom, pemOf, textOf } from './kubeconfig-fields.ts';
import { isJsonObject } from './requester.ts';

/** What the `user` of a kubeconfig says: certificate, token, token file, name and password, or a plugin to ask. */
export function userCredentials(
  user: Entry,
  plugin: Omit<ExecPlugin, 'exec' | 'user' | 'directory' | 'headers'>,
): Credentials {
  const { value, directory, name } = user;
  const { origin } = plugin;
  if (isJsonObject(value['auth-provider'])) {
    throw invalid(
      origin,
      `user "${name}" has an auth-provider, which kubectl no longer knows either: use exec`,
    );
  }
  const headers = impersonation(value);
  // Also where it is read again later: what is missing or unreadable is told at once.
  const certificate = clientCertificate(user, origin);
  const exec = value['exec'];
  if (isJsonObject(exec)) {
    return execCredentials({ ...plugin, exec, user: name, directory, headers });
  }
  const tokenFile = textOf(value, 'tokenFile');
  const authorization = tokenFile === undefined ? authorizationOf(user, origin) : undefined;
  const fixed = { ...headers, ...(authorization === undefined ? {} : { authorization }) };
  const isFromFiles = ['client-certificate', 'client-key'].some(
    (field) => textOf(value, field) !== undefined && textOf(value, `${field}-data`) === undefined,
  );
  if (tokenFile === undefined && !isFromFiles) {
    return fixedCredentials({ headers: fixed, ...certificate });
  }
  return fileCredentials(async () => ({
    headers:
      tokenFile === undefined
        ? fixed
        : { ...fixed, authorization: await bearerIn(pathFrom(directory, tokenFile)) },
    ...(isFromFiles ? clientCertificate(user, origin) : certificate),
  }));
}

function authorizationOf({ name, value }: Entry, origin: string): string | undefined {
  const token = textOf(value, 'token');
  const username = textOf(value, 'username');
  const password = textOf(value, 'password');
  if (token !== undefined && username !== undefined) {
    throw invalid(origin, `user "${name}" has both a token and a username; one must go`);
  }
  if (token !== undefined) return `Bearer ${token}`;
  if (username === undefined && password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')}`;
}

type CertificatePart = Pick<Credential, 'clientCertificate'>;

function clientCertificate({ name, value, directory }: Entry, origin: string): CertificatePart {
  const certificate = pemOf(value, 'client-certificate', directory, origin);
  const key = pemOf(value, 'client-key', directory, origin);
  if (certificate === undefined && key === undefined) return {};
  if (certificate === undefined || key === undefined) {
    const missing = certificate === undefined ? 'client-certificate' : 'client-key';
    throw invalid(origin, `user "${name}" lacks ${missing}`);
  }
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
