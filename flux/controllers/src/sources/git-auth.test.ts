import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { GitRepository } from '@capstan/flux-api';
import { distinguishedName, encodePem, publicKeyInfo, signCertificate } from '@capstan/lib-x509';
import { toGitAuth } from './git-auth.ts';
import { SourceFailure } from './source-outcome.ts';

function repository(spec: Partial<GitRepository['spec']>): GitRepository {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { namespace: 'apps', name: 'web' },
    spec: { url: 'https://h/r', interval: '1m', secretRef: { name: 's' }, ...spec },
    status: {},
  };
}

/** A certificate that vouches for itself. */
const PAIR = (() => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = distinguishedName([['2.5.4.3', 'client']]);
  const times = { notBeforeMs: 0, notAfterMs: 4_000_000_000_000 };
  const der = signCertificate(
    {
      ...{ serialNumber: 1n, issuer: name, subject: name, ...times },
      publicKey: publicKeyInfo(publicKey),
      extensions: [],
    },
    privateKey,
  );
  const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' })).trim();
  return { pem: encodePem('CERTIFICATE', der).trim(), key };
})();

const SSH = 'ssh://git@h/r';
const ENCRYPTED =
  '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n-----END RSA PRIVATE KEY-----';

type Values = Readonly<Record<string, string>>;

/** What the spec says, what the Secret holds → the access, or the reason and message of the failure. */
const rows: readonly (readonly [Partial<GitRepository['spec']>, Values, unknown])[] = [
  [{}, {}, undefined],
  [{}, { username: 'u', password: 'p' }, { username: 'u', password: 'p' }],
  [{}, { bearerToken: 't', username: 'u' }, { bearerToken: 't' }],
  [{}, { 'ca.crt': 'CA', caFile: 'old' }, { caCertificate: 'CA' }],
  [{}, { caFile: 'old' }, { caCertificate: 'old' }],
  [
    {},
    { 'tls.crt': PAIR.pem, 'tls.key': PAIR.key },
    { clientCertificate: PAIR.pem, clientKey: PAIR.key },
  ],
  [{}, { 'tls.crt': PAIR.pem }, undefined],
  [
    {},
    { 'tls.crt': PAIR.pem, 'tls.key': 'none' },
    "GitOperationFailed: failed to checkout and determine revision: unable to clone 'https://h/r': tls: failed to find any PEM data in key input",
  ],
  [
    { url: 'https://u@h/r' },
    { bearerToken: 't' },
    'GitOperationFailed: failed to checkout and determine revision: basic auth and bearer token cannot be set at the same time',
  ],
  [
    {},
    { password: 'p' },
    "AuthenticationFailed: failed to configure authentication options: invalid 'https' auth option: 'password' requires 'username' to be set",
  ],
  [{ url: SSH }, { identity: 'I', known_hosts: 'H' }, { sshPrivateKey: 'I', sshKnownHosts: 'H' }],
  [
    { url: SSH },
    { identity: ENCRYPTED, known_hosts: 'H', password: 'p' },
    { sshPrivateKey: ENCRYPTED, sshKnownHosts: 'H', sshPassphrase: 'p' },
  ],
  [
    { url: SSH },
    { identity: ENCRYPTED, known_hosts: 'H' },
    "AuthenticationFailed: SSH identity key is encrypted but no 'password' field was provided in the secret 'apps/s'",
  ],
  [
    { url: SSH },
    { known_hosts: 'H' },
    "AuthenticationFailed: failed to configure authentication options: invalid 'ssh' auth option: 'identity' is required",
  ],
  [
    { url: SSH },
    { identity: 'I' },
    "AuthenticationFailed: failed to configure authentication options: invalid 'ssh' auth option: 'known_hosts' is required",
  ],
  [
    { provider: 'github' },
    { githubAppID: '1', githubAppInstallationID: '2', githubAppPrivateKey: 'K' },
    { githubApp: { appId: '1', installationId: '2', privateKey: 'K' } },
  ],
  [
    { provider: 'github' },
    {},
    'InvalidProviderConfiguration: secretRef with github app data must be specified when provider is set to github',
  ],
  [
    {},
    { githubAppID: '1' },
    "InvalidProviderConfiguration: secretRef 'apps/s' has github app data but provider is not set to github",
  ],
];

test('a Secret gives access, or says what it lacks', () => {
  for (const [spec, values, expected] of rows) {
    const secret = new Map(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));
    assert.deepEqual(attempt(spec, secret), expected, JSON.stringify([spec, Object.keys(values)]));
  }
});

test('a proxy goes with whatever else there is', () => {
  const proxy = 'http://p:3128';
  assert.deepEqual(toGitAuth(repository({}), undefined, proxy), { proxy });
});

function attempt(
  spec: Partial<GitRepository['spec']>,
  secret: ReadonlyMap<string, Buffer>,
): unknown {
  try {
    return toGitAuth(repository(spec), secret, undefined);
  } catch (error) {
    if (!(error instanceof SourceFailure)) throw error;
    return `${error.outcome.reason}: ${error.outcome.message}`;
  }
}
