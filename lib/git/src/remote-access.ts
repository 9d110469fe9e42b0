import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { authoritiesWith } from '@capstan/lib-egress';
import { gitError } from './errors.ts';
import type { RemoteUrl } from './remote-url.ts';

/** Credentials and trust for one remote. Values stay in memory, in a child's environment, or in a private folder for one command. */
export interface GitCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly bearerToken?: string;
  readonly sshPrivateKey?: string;
  readonly sshPassphrase?: string;
  readonly sshKnownHosts?: string;
  readonly caCertificate?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly insecure?: boolean;
  readonly proxy?: string;
}

/** What a git command needs to reach a remote. Dispose after the command: key files vanish. */
export interface RemoteAccess extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
  readonly settings: readonly (readonly [string, string])[];
  /** Whether a secret would travel with a request. */
  readonly hasSecret: boolean;
}

const CONNECT_SECONDS = 15;

export async function openRemoteAccess(
  remote: RemoteUrl,
  credentials: GitCredentials,
): Promise<RemoteAccess> {
  const files = new PrivateFiles();
  try {
    const access = remote.protocol === 'ssh' ? sshAccess : httpAccess;
    const opened = await access(remote, credentials, files);
    return { ...opened, [Symbol.asyncDispose]: () => files.remove() };
  } catch (error) {
    await files.remove();
    throw error;
  }
}

type Access = Omit<RemoteAccess, typeof Symbol.asyncDispose>;

async function httpAccess(
  remote: RemoteUrl,
  credentials: GitCredentials,
  files: PrivateFiles,
): Promise<Access> {
  const settings: [string, string][] = [];
  const header = authorizationHeader(remote, credentials);
  if (header !== undefined) {
    settings.push(['http.extraHeader', `Authorization: ${header}`]);
  }
  const { caCertificate, clientCertificate, clientKey } = credentials;
  if (caCertificate !== undefined) {
    settings.push([
      'http.sslCAInfo',
      await files.write('ca.pem', authoritiesWith(caCertificate).join('\n')),
    ]);
  }
  if (clientCertificate !== undefined && clientKey !== undefined) {
    settings.push(['http.sslCert', await files.write('client.pem', clientCertificate)]);
    settings.push(['http.sslKey', await files.write('client.key', clientKey)]);
  }
  if (credentials.insecure === true) settings.push(['http.sslVerify', 'false']);
  if (credentials.proxy !== undefined) settings.push(['http.proxy', credentials.proxy]);
  const hasSecret = header !== undefined || clientKey !== undefined;
  // Git repeats its headers to wherever it is led; with a secret in hand we follow by ourselves, on the same host only.
  settings.push(['http.followRedirects', hasSecret ? 'false' : 'initial']);
  settings.push(['http.lowSpeedLimit', '1'], ['http.lowSpeedTime', '30']);
  return { environment: fileProtocol(remote), settings, hasSecret };
}

function fileProtocol(remote: RemoteUrl): Record<string, string> {
  return remote.protocol === 'file' ? { GIT_ALLOW_PROTOCOL: 'file' } : {};
}

/** The value of the Authorization header, from credentials or from the address; undefined when there are none. */
export function authorizationHeader(
  remote: RemoteUrl,
  credentials: GitCredentials,
): string | undefined {
  if (credentials.bearerToken !== undefined) {
    return `Bearer ${requireOneLine(credentials.bearerToken, 'bearer token')}`;
  }
  const username = credentials.username ?? remote.username;
  const password = credentials.password ?? remote.password;
  if (username === '' && password === '') return undefined;
  // A token alone is sent as password; hosts want some user name beside it.
  const pair = `${username === '' ? 'git' : username}:${password}`;
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

function requireOneLine(value: string, what: string): string {
  const trimmed = value.trim();
  if (!/[\r\n\u0000]/.test(trimmed)) return trimmed;
  throw gitError('GIT_AUTHENTICATION_FAILED', `the ${what} holds line breaks`, {
    hint: 'look at the Secret: the value must be one line',
  });
}

async function sshAccess(
  _remote: RemoteUrl,
  credentials: GitCredentials,
  files: PrivateFiles,
): Promise<Access> {
  const { sshPrivateKey, sshPassphrase, sshKnownHosts, insecure, proxy } = credentials;
  const knownHosts = await files.write('known_hosts', sshKnownHosts ?? '');
  const options = [
    'ssh -F none -o IdentitiesOnly=yes -o GlobalKnownHostsFile=/dev/null -o UpdateHostKeys=no',
    `-o ConnectTimeout=${CONNECT_SECONDS} -o NumberOfPasswordPrompts=1 -o ForwardAgent=no`,
    insecure === true
      ? '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'
      : `-o StrictHostKeyChecking=yes -o UserKnownHostsFile=${shellQuote(knownHosts)}`,
  ];
  const environment: Record<string, string> = { GIT_SSH_VARIANT: 'ssh' };
  if (sshPrivateKey === undefined) options.push('-o PubkeyAuthentication=no');
  else {
    const key = await files.write('identity', `${sshPrivateKey.trim()}\n`);
    options.push(`-i ${shellQuote(key)}`);
  }
  if (sshPassphrase !== undefined && sshPassphrase !== '') {
    const askpass = await files.write(
      'askpass',
      '#!/bin/sh\nprintf "%s\\n" "$CAPSTAN_SSH_PASSPHRASE"\n',
      0o700,
    );
    environment['SSH_ASKPASS'] = askpass;
    environment['SSH_ASKPASS_REQUIRE'] = 'force';
    environment['CAPSTAN_SSH_PASSPHRASE'] = sshPassphrase;
  } else options.push('-o BatchMode=yes');
  if (proxy !== undefined) {
    options.push(`-o ${shellQuote(`ProxyCommand=${TUNNEL_COMMAND}`)}`);
    environment['CAPSTAN_SSH_PROXY'] = proxy;
  }
  environment['GIT_SSH_COMMAND'] = options.join(' ');
  return { environment, settings: [], hasSecret: sshPrivateKey !== undefined };
}

/** ssh has a shell read this, after it has put host and port in. */
const TUNNEL_COMMAND = `${[
  process.execPath,
  fileURLToPath(new URL('./ssh-tunnel.ts', import.meta.url)),
]
  .map((path) => shellQuote(path).replaceAll('%', '%%'))
  .join(' ')} %h %p`;

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A folder only we may read, made when the first file is written. */
class PrivateFiles {
  #folder: string | undefined;

  async write(name: string, content: string, mode = 0o600): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'capstan-git-'));
    const path = join(this.#folder, name);
    await writeFile(path, content, { mode, flag: 'wx' });
    return path;
  }

  async remove(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}
