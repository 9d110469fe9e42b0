/** For tests: Microsoft Entra's tokens, registry logins, Key Vault and Blob Storage, as far as they are asked. */
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt } from 'node:crypto';
import type { BoxAnswer, BoxRequest, CloudService } from './cloud-box.ts';

export interface MicrosoftStandIn {
  readonly services: readonly CloudService[];
  /** What the registries take as password of the token's user. */
  readonly registryPassword: string;
  /** As the vault encrypts, in base64url. */
  readonly encrypt: (plain: Uint8Array) => string;
  /** What was asked, with by whom and what for. */
  readonly seen: string[];
  /** Kubeconfigs by the path of the cluster; none where Microsoft Entra knows nobody there. */
  readonly clusters: Map<string, readonly string[]>;
  /** Containers by `account/container`: their blobs. */
  readonly containers: Map<string, Readonly<Record<string, string>>>;
}

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
const LOGIN = /^login\.microsoftonline\.com$/;

/** `trusts` judges federated tokens: what it throws is the answer. */
export function microsoftStandIn(
  trusts: (token: string, client: string) => void,
): MicrosoftStandIn {
  const seen: string[] = [];
  const containers: MicrosoftStandIn['containers'] = new Map();
  const registryPassword = jwt({ exp: Math.floor(Date.now() / 1000) + 3600 });
  const vault = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const clusters: MicrosoftStandIn['clusters'] = new Map();
  return {
    seen,
    clusters,
    registryPassword,
    encrypt: (plain) =>
      publicEncrypt({ key: vault.publicKey, ...OAEP }, plain).toString('base64url'),
    containers,
    services: [
      { hosts: LOGIN, answer: (request) => login(request, seen, trusts) },
      {
        hosts: /\.azurecr\.io$/,
        paths: /^\/oauth2\/exchange$/,
        answer: ({ url, body }) => {
          const form = new URLSearchParams(body);
          seen.push(`${url.pathname} ${form.get('service')} ${form.get('access_token')}`);
          if (form.get('grant_type') !== 'access_token') return { status: 401 };
          return { body: { refresh_token: registryPassword } };
        },
      },
      {
        hosts: /^management\.azure\.com$/,
        answer: (request) => manage(request, seen, clusters),
      },
      { hosts: /\.vault\.azure\.net$/, answer: (request) => keyVault(request, seen, vault) },
      {
        hosts: /\.blob\.core\.windows\.net$/,
        answer: (request) => blobs(request, seen, containers),
      },
    ],
  };
}

function manage(
  { method, url, headers }: BoxRequest,
  seen: string[],
  clusters: MicrosoftStandIn['clusters'],
): BoxAnswer {
  const { pathname } = url;
  seen.push(`${method} ${pathname} ${headers['authorization']}`);
  const list = '/listClusterUserCredential';
  const isList = method === 'POST' && pathname.endsWith(list);
  const found = clusters.get(isList ? pathname.slice(0, -list.length) : pathname);
  if (found === undefined) return { status: 404, body: { error: { message: 'not found' } } };
  if (!isList) {
    return { body: { properties: found.length === 0 ? {} : { aadProfile: { managed: true } } } };
  }
  const kubeconfigs = found.map((text) => ({ value: Buffer.from(text).toString('base64') }));
  return { body: { kubeconfigs } };
}

function login(
  { url, body }: BoxRequest,
  seen: string[],
  trusts: (token: string, client: string) => void,
): BoxAnswer {
  const base = `https://${url.host}`;
  if (url.pathname === '/common/discovery/instance') {
    const aliases = [url.host];
    return {
      body: {
        tenant_discovery_endpoint: `${base}/tenant/v2.0/.well-known/openid-configuration`,
        metadata: [{ preferred_network: url.host, preferred_cache: url.host, aliases }],
      },
    };
  }
  const tenant = url.pathname.split('/')[1] ?? '';
  if (url.pathname.endsWith('/.well-known/openid-configuration')) {
    return {
      body: {
        issuer: `${base}/${tenant}/v2.0`,
        authorization_endpoint: `${base}/${tenant}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/${tenant}/oauth2/v2.0/token`,
        jwks_uri: `${base}/${tenant}/discovery/v2.0/keys`,
      },
    };
  }
  const form = new URLSearchParams(body);
  const client = form.get('client_id') ?? '';
  const scope = (form.get('scope') ?? '').split(' ')[0];
  const by = form.has('client_secret') ? 'secret' : 'assertion';
  seen.push(`token ${tenant} ${client} ${scope} ${by}`);
  try {
    if (by === 'assertion') trusts(form.get('client_assertion') ?? '', client);
    else if (form.get('client_secret') !== 'right') throw new Error('the secret is wrong');
  } catch (error) {
    return { status: 401, body: { error: 'invalid_client', error_description: String(error) } };
  }
  const access_token = `entra:${client}:${scope}`;
  return { body: { token_type: 'Bearer', expires_in: 3600, ext_expires_in: 3600, access_token } };
}

function keyVault(
  { url, headers, body }: BoxRequest,
  seen: string[],
  keys: ReturnType<typeof vaultKeys>,
): BoxAnswer {
  const authorization = headers['authorization'] ?? '';
  seen.push(`vault ${url.pathname} ${authorization === '' ? 'anonymous' : authorization}`);
  if (authorization === '') {
    const challenge =
      'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"';
    return { status: 401, headers: { 'www-authenticate': challenge }, body: {} };
  }
  const [, , name = '', version = '', operation = ''] = url.pathname.split('/');
  const kid = `https://${url.host}/keys/${name}/${version || 'v1'}`;
  if (operation === '') {
    const key = keys.publicKey.export({ format: 'jwk' });
    return {
      body: { key: { kid, kty: 'RSA', n: key.n, e: key.e, key_ops: ['encrypt', 'decrypt'] } },
    };
  }
  const value = Buffer.from(JSON.parse(body).value, 'base64url');
  const result =
    operation === 'encrypt'
      ? publicEncrypt({ key: keys.publicKey, ...OAEP }, value)
      : privateDecrypt({ key: keys.privateKey, ...OAEP }, value);
  return { body: { kid, value: result.toString('base64url') } };
}

function vaultKeys() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

function blobs(
  { url, headers }: BoxRequest,
  seen: string[],
  containers: MicrosoftStandIn['containers'],
): BoxAnswer {
  const [account = ''] = url.hostname.split('.');
  const [, container = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
  const [scheme = ''] = (headers['authorization'] ?? '').split(' ');
  seen.push(`blobs ${scheme || (url.searchParams.has('sig') ? 'signature' : 'anonymous')}`);
  const found = containers.get(`${account}/${container}`);
  if (found === undefined) return fault(404, 'ContainerNotFound');
  if (url.searchParams.get('comp') === 'list') {
    const prefix = url.searchParams.get('prefix') ?? '';
    const all = Object.keys(found).filter((name) => name.startsWith(prefix));
    const from = Number(url.searchParams.get('marker') ?? 0);
    const page = all.slice(from, from + 2);
    const entries = page.map(
      (name) =>
        `<Blob><Name>${name}</Name><Properties><Etag>${etagOf(found[name] ?? '')}</Etag></Properties></Blob>`,
    );
    const next = from + 2 < all.length ? from + 2 : '';
    return {
      headers: { 'content-type': 'application/xml' },
      body: `<?xml version="1.0"?><EnumerationResults ContainerName="${container}"><Blobs>${entries.join('')}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`,
    };
  }
  const content = found[rest.join('/')];
  if (content === undefined) return fault(404, 'BlobNotFound');
  return { headers: { etag: `"${etagOf(content)}"` }, body: content };
}

function fault(status: number, code: string): BoxAnswer {
  return {
    status,
    headers: { 'x-ms-error-code': code, 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`,
  };
}

function etagOf(content: string): string {
  return `0x${Buffer.from(content).toString('hex').slice(0, 15).toUpperCase()}`;
}

function jwt(claims: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ alg: 'none' })}.${encode(claims)}.`;
}
