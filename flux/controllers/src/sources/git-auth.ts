import type { SourceAuth } from '@capstan/engine-source';
import type { GitRepository } from '@capstan/flux-api';
import type { SecretData } from './secret-contents.ts';
import { pairProblem, textOf } from './secret-contents.ts';
import { fetchFailure } from './source-outcome.ts';

/**
 * The access that a GitRepository's Secret gives, checked as Flux checks it (pkg/git, AuthOptions): what counts depends on the
 * protocol of the URL. Throws a SourceFailure that names the missing key.
 */
export function toGitAuth(
  repository: GitRepository,
  secret: SecretData | undefined,
  proxy: string | undefined,
): SourceAuth | undefined {
  const { spec } = repository;
  if (spec.provider === 'github') return { ...githubAuth(repository, secret), ...withProxy(proxy) };
  const isCloud = spec.provider === 'aws' || spec.provider === 'azure';
  if (!isCloud && textOf(secret, 'githubAppID') !== undefined) {
    const place = placeOf(repository);
    throw fetchFailure(
      'InvalidProviderConfiguration',
      `secretRef '${place}' has github app data but provider is not set to github`,
    );
  }
  const isSsh = spec.url.startsWith('ssh://');
  const auth = isSsh ? sshAuth(repository, secret) : httpAuth(spec.url, secret);
  const { username: _username, password: _password, bearerToken: _token, ...trust } = auth;
  // A cloud's identity logs in; of the Secret only what is trusted counts.
  const all = { ...(isCloud ? trust : auth), ...withProxy(proxy) };
  return Object.keys(all).length === 0 ? undefined : all;
}

function withProxy(proxy: string | undefined): SourceAuth {
  return proxy === undefined ? {} : { proxy };
}

function placeOf({ metadata, spec }: GitRepository): string {
  return `${metadata.namespace}/${spec.secretRef?.name ?? ''}`;
}

function invalid(protocol: string, why: string) {
  return fetchFailure(
    'AuthenticationFailed',
    `failed to configure authentication options: invalid '${protocol}' auth option: ${why}`,
  );
}

function sshAuth(repository: GitRepository, secret: SecretData | undefined): SourceAuth {
  const sshPrivateKey = textOf(secret, 'identity');
  const sshKnownHosts = textOf(secret, 'known_hosts');
  const sshPassphrase = textOf(secret, 'password');
  if (sshPrivateKey === undefined) throw invalid('ssh', "'identity' is required");
  if (sshKnownHosts === undefined) throw invalid('ssh', "'known_hosts' is required");
  if (sshPassphrase === undefined && isEncrypted(sshPrivateKey)) {
    throw fetchFailure(
      'AuthenticationFailed',
      `SSH identity key is encrypted but no 'password' field was provided in the secret '${placeOf(repository)}'`,
    );
  }
  return {
    sshPrivateKey,
    sshKnownHosts,
    ...(sshPassphrase === undefined ? {} : { sshPassphrase }),
  };
}

/** Whether a private key asks for a passphrase: the older forms say so, OpenSSH's own names its cipher. */
function isEncrypted(key: string): boolean {
  if (/ENCRYPTED/.test(key)) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(key)?.[1];
  if (body === undefined) return false;
  const bytes = Buffer.from(body, 'base64');
  const length = bytes.length > 19 ? bytes.readUInt32BE(15) : 0;
  return bytes.toString('latin1', 19, 19 + length) !== 'none';
}

function httpAuth(url: string, secret: SecretData | undefined): SourceAuth {
  const protocol = url.startsWith('https:') ? 'https' : 'http';
  const bearerToken = textOf(secret, 'bearerToken');
  const username = textOf(secret, 'username');
  const password = textOf(secret, 'password');
  const caCertificate = textOf(secret, 'ca.crt') ?? textOf(secret, 'caFile');
  const clientCertificate = textOf(secret, 'tls.crt');
  const clientKey = textOf(secret, 'tls.key');
  if (bearerToken === undefined && username === undefined && password !== undefined) {
    throw invalid(protocol, "'password' requires 'username' to be set");
  }
  if (bearerToken !== undefined && hasUser(url)) {
    throw checkoutFailure('basic auth and bearer token cannot be set at the same time');
  }
  const basic = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  return {
    ...(bearerToken === undefined ? basic : { bearerToken }),
    ...(caCertificate === undefined ? {} : { caCertificate }),
    ...pairOf(url, clientCertificate, clientKey),
  };
}

function hasUser(url: string): boolean {
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

/** A certificate without its key, or a key without its certificate, counts as none. */
function pairOf(
  url: string,
  clientCertificate: string | undefined,
  clientKey: string | undefined,
): SourceAuth {
  if (clientCertificate === undefined || clientKey === undefined) return {};
  const problem = pairProblem(clientCertificate, clientKey);
  if (problem === undefined) return { clientCertificate, clientKey };
  throw checkoutFailure(`unable to clone '${url}': ${problem}`);
}

/** What the original's Git client says, which looks at these when it sets out. */
function checkoutFailure(why: string) {
  return fetchFailure('GitOperationFailed', `failed to checkout and determine revision: ${why}`);
}

function githubAuth({ spec }: GitRepository, secret: SecretData | undefined): SourceAuth {
  const appId = textOf(secret, 'githubAppID');
  const privateKey = textOf(secret, 'githubAppPrivateKey');
  const installationId = textOf(secret, 'githubAppInstallationID');
  const installationOwner = textOf(secret, 'githubAppInstallationOwner');
  if (
    appId === undefined ||
    privateKey === undefined ||
    (installationId ?? installationOwner) === undefined
  ) {
    throw fetchFailure(
      'InvalidProviderConfiguration',
      'secretRef with github app data must be specified when provider is set to github',
      { response: spec.secretRef === undefined ? 'stall' : 'retry' },
    );
  }
  const baseUrl = textOf(secret, 'githubAppBaseURL');
  const caCertificate = textOf(secret, 'ca.crt');
  return {
    githubApp: {
      appId,
      privateKey,
      ...(installationId === undefined ? {} : { installationId }),
      ...(installationOwner === undefined ? {} : { installationOwner }),
      ...(baseUrl === undefined ? {} : { baseUrl }),
    },
    ...(caCertificate === undefined ? {} : { caCertificate }),
  };
}
