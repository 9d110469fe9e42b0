import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from 'node:crypto';
import type { JsonObject } from '@capstan/kube-object';
import type { Core } from '../core.ts';
import { isObject, listAt, numberAt, textAt } from '../json.ts';
import type { UserInfo } from '../user.ts';

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** Signs and checks the tokens of service accounts: JWTs with ES256. */
export interface TokenSigner {
  issue(
    core: Core,
    request: {
      readonly namespace: string;
      readonly name: string;
      readonly uid: string;
      readonly audiences: readonly string[];
      readonly expirationSeconds: number;
      /** The object (a pod) with which the token ends. */
      readonly bound?: JsonObject;
    },
  ): { readonly token: string; readonly expirationTimestamp: string };
  /** Who holds the token; undefined for one that is not ours, or not valid any more. */
  check(core: Core, token: string): { user: UserInfo; audiences: readonly string[] } | undefined;
  /** The public key as a JSON web key set. */
  keySet(): JsonObject;
  readonly keyPem: string;
}

export function createTokenSigner(keptPem?: string): TokenSigner {
  const privateKey: KeyObject =
    keptPem === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      : createPrivateKey(keptPem);
  const publicKey = createPublicKey(privateKey);
  const keyId = 'sandbox';
  return {
    keyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    issue(core, request) {
      const now = Math.floor(core.clock.now() / 1000);
      const expires = now + request.expirationSeconds;
      const { namespace, name, uid, bound } = request;
      const claims = {
        aud: request.audiences,
        exp: expires,
        iat: now,
        iss: ISSUER,
        jti: randomUUID(),
        'kubernetes.io': {
          namespace,
          serviceaccount: { name, uid },
          ...(bound === undefined ? {} : { pod: bound }),
        },
        nbf: now,
        sub: `system:serviceaccount:${namespace}:${name}`,
      };
      const head = encode({ alg: 'ES256', kid: keyId, typ: 'JWT' });
      const signed = `${head}.${encode(claims)}`;
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
      const signature = sign('sha256', Buffer.from(signed), key).toString('base64url');
      return {
        token: `${signed}.${signature}`,
        expirationTimestamp: `${new Date(expires * 1000).toISOString().slice(0, 19)}Z`,
      };
    },
    check(core, token) {
      const claims = verified(token, publicKey);
      if (claims === undefined || claims['iss'] !== ISSUER) return undefined;
      const now = core.clock.now() / 1000;
      if ((numberAt(claims, 'exp') ?? 0) < now || (numberAt(claims, 'nbf') ?? 0) > now + 60) {
        return undefined;
      }
      return serviceAccountUser(core, claims);
    },
    keySet: () => ({
      keys: [
        {
          ...publicKey.export({ format: 'jwk' }),
          use: 'sig',
          kid: keyId,
          alg: 'ES256',
        } as JsonObject,
      ],
    }),
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function verified(token: string, publicKey: KeyObject): JsonObject | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  const [head = '', body = '', signature = ''] = parts;
  try {
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    const valid = verify(
      'sha256',
      Buffer.from(`${head}.${body}`),
      key,
      Buffer.from(signature, 'base64url'),
    );
    if (!valid) return undefined;
    const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString());
    return isObject(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

/** The account (and the pod) must still be the ones the token was made for. */
function serviceAccountUser(
  core: Core,
  claims: JsonObject,
): { user: UserInfo; audiences: readonly string[] } | undefined {
  const namespace = textAt(claims, 'kubernetes.io', 'namespace');
  const name = textAt(claims, 'kubernetes.io', 'serviceaccount', 'name');
  const uid = textAt(claims, 'kubernetes.io', 'serviceaccount', 'uid');
  const account = core.store.get('/serviceaccounts', `${namespace}/${name}`);
  if (account?.metadata.uid !== uid) return undefined;
  const pod = textAt(claims, 'kubernetes.io', 'pod', 'name');
  if (pod !== '') {
    const bound = core.store.get('/pods', `${namespace}/${pod}`);
    if (bound?.metadata.uid !== textAt(claims, 'kubernetes.io', 'pod', 'uid')) return undefined;
  }
  const user: UserInfo = {
    username: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
    ],
    extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${textAt(claims, 'jti')}`] },
  };
  return { user, audiences: listAt(claims, 'aud').map(String) };
}
