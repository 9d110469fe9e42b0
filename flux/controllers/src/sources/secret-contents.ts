/**
 * What Secrets hold of logins, certificates and proxies, checked and worded as Flux's controllers do (fluxcd/pkg/runtime,
 * secrets). Each throws SECRET_INVALID; `place` is `namespace/name` of the Secret.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { SourceAuth } from '@capstan/engine-source';
import { CapstanError } from '@capstan/lib-std';

export type SecretData = ReadonlyMap<string, Buffer>;

/** A value as text; undefined when it is absent or empty. */
export function textOf(data: SecretData | undefined, key: string): string | undefined {
  const value = data?.get(key)?.toString('utf8');
  return value === '' ? undefined : value;
}

const PROXY_SCHEMES = ['http', 'https', 'socks5'];
const PROXY_LENGTH_MAX = 2048;

function invalid(message: string): CapstanError {
  return new CapstanError('SECRET_INVALID', message, { kind: 'retry' });
}

export type Certificates = Pick<SourceAuth, 'caCertificate' | 'clientCertificate' | 'clientKey'>;

/** `ca.crt`, and `tls.crt` with `tls.key`; older names as well. */
export function certificatesOf(data: SecretData, place: string): Certificates {
  const caCertificate = readEither(data, 'ca.crt', 'caFile');
  const clientCertificate = readEither(data, 'tls.crt', 'certFile');
  const clientKey = readEither(data, 'tls.key', 'keyFile');
  if (clientCertificate !== undefined && clientKey === undefined) {
    throw invalid(`secret '${place}' contains 'tls.crt' but missing 'tls.key'`);
  }
  if (clientKey !== undefined && clientCertificate === undefined) {
    throw invalid(`secret '${place}' contains 'tls.key' but missing 'tls.crt'`);
  }
  if (clientCertificate === undefined && caCertificate === undefined) {
    throw invalid(`secret '${place}' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'`);
  }
  if (clientCertificate !== undefined && clientKey !== undefined) {
    checkPair(clientCertificate, clientKey);
  }
  if (caCertificate !== undefined && !blocksOf(caCertificate).some(isCertificate)) {
    throw invalid('failed to parse CA certificate');
  }
  return {
    ...(caCertificate === undefined ? {} : { caCertificate }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(clientKey === undefined ? {} : { clientKey }),
  };
}

/** The older name counts where the other is absent. */
function readEither(data: SecretData, name: string, older: string): string | undefined {
  return textOf(data, data.has(name) ? name : older);
}

function blocksOf(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).subject !== undefined;
  } catch {
    return false;
  }
}

function checkPair(certificate: string, key: string): void {
  const problem = pairProblem(certificate, key);
  if (problem !== undefined) throw invalid(`failed to parse TLS certificate and key: ${problem}`);
}

/** Why a certificate and a key are no pair, as Go's crypto/tls says it; undefined when they are one. */
export function pairProblem(certificate: string, key: string): string | undefined {
  const [leaf] = blocksOf(certificate);
  if (leaf === undefined) return 'tls: failed to find any PEM data in certificate input';
  if (!/-----BEGIN .*PRIVATE KEY-----/.test(key)) {
    return 'tls: failed to find any PEM data in key input';
  }
  try {
    const isPair = new X509Certificate(leaf).checkPrivateKey(createPrivateKey(key));
    return isPair ? undefined : 'tls: private key does not match public key';
  } catch {
    // Without its cause: that could quote the key.
    return 'tls: failed to parse private key';
  }
}

/** User and password; undefined when there are none. */
export function basicLoginOf(
  data: SecretData,
  place: string,
): { readonly username: string; readonly password: string } | undefined {
  const read = (key: string) => data.get(key)?.toString('utf8');
  const [username, password] = [read('username'), read('password')];
  if (username === undefined && password === undefined) return undefined;
  if (username !== undefined && password !== undefined) return { username, password };
  const [present, missing] =
    username === undefined ? ['password', 'username'] : ['username', 'password'];
  throw invalid(
    `secret '${place}': malformed basic auth - has '${present}' but missing '${missing}'`,
  );
}

/** The address of a proxy, with user and password when they are there. */
export function proxyOf(data: SecretData, place: string): string {
  const given = data.get('address')?.toString('utf8');
  const fail = (why: string) => invalid(`secret '${place}': ${why}`);
  if (given === undefined) throw fail("key 'address' not found");
  const address = given.trim();
  if (address === '') throw fail('proxy address is empty');
  if (address.length > PROXY_LENGTH_MAX) {
    throw fail(`proxy URL exceeds maximum length of ${PROXY_LENGTH_MAX} characters`);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1] ?? '';
  if (!PROXY_SCHEMES.includes(scheme)) {
    throw fail(
      `proxy URL must use one of the supported schemes (${PROXY_SCHEMES.join(', ')}), got '${scheme}'`,
    );
  }
  if (!URL.canParse(address)) throw fail('failed to parse proxy address: it is no URL');
  const url = new URL(address);
  const [username, password] = [textOf(data, 'username'), textOf(data, 'password')];
  if (username !== undefined) url.username = encodeURIComponent(username);
  if (username !== undefined && password !== undefined) url.password = encodeURIComponent(password);
  return url.href;
}
