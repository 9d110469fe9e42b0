/** Tokens of service accounts: the identities of this cluster that others may trust. */
import { readFile } from 'node:fs/promises';
import type { KubeClient } from '@capstan/kube-client';
import { CapstanError } from '@capstan/lib-std';

export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

export interface ServiceToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

export const OWN_TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** The service account that this process runs as; undefined outside of a Pod. */
export async function ownServiceAccount(): Promise<ServiceAccountName | undefined> {
  const token = await readFile(OWN_TOKEN_FILE, 'utf8').catch(() => undefined);
  return token === undefined ? undefined : accountOfToken(token);
}

/** Whose token it is, by its own word; undefined when it is none of a service account. */
export function accountOfToken(token: string): ServiceAccountName | undefined {
  const claims = claimsOf(token);
  const found = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(String(claims?.['sub'] ?? ''));
  return found === null ? undefined : { namespace: found[1] ?? '', name: found[2] ?? '' };
}

function claimsOf(token: string): { readonly [claim: string]: unknown } | undefined {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Asks the API server for a token for these audiences (none: the server's own). Throws SERVICE_TOKEN_REFUSED. */
export async function requestServiceToken(
  client: KubeClient,
  account: ServiceAccountName & { readonly audiences: readonly string[] },
  signal?: AbortSignal,
): Promise<ServiceToken> {
  const { namespace, name, audiences } = account;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`;
  const response = await client.raw({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences },
    }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = Buffer.concat(await Array.fromAsync(response.body)).toString('utf8');
  const answer: unknown = response.status < 300 ? JSON.parse(text) : undefined;
  const status = isRecord(answer) && isRecord(answer['status']) ? answer['status'] : {};
  const { token, expirationTimestamp } = status;
  const expiresAtMs = Date.parse(String(expirationTimestamp));
  if (typeof token === 'string' && !Number.isNaN(expiresAtMs)) return { token, expiresAtMs };
  throw new CapstanError(
    'SERVICE_TOKEN_REFUSED',
    `failed to create kubernetes token for service account '${namespace}/${name}': status ${response.status}`,
    { kind: 'wait', hint: 'allow create on serviceaccounts/token' },
  );
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
