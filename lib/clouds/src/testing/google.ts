/** For tests: Google's tokens, Cloud KMS and Cloud Storage, as far as they are asked. */
import { createHash, randomBytes } from 'node:crypto';
import type { ClusterPlace } from '../clusters.ts';
import { seal, unseal } from './amazon.ts';
import type { BoxAnswer, BoxRequest, CloudService } from './cloud-box.ts';

export interface GoogleStandIn {
  readonly services: readonly CloudService[];
  /** As a key of KMS encrypts, in base64. */
  readonly encrypt: (name: string, plain: Uint8Array) => string;
  readonly seen: string[];
  /** Where clusters stand, by name. */
  readonly clusters: Map<string, ClusterPlace>;
  /** Objects by bucket. */
  readonly buckets: Map<string, Readonly<Record<string, string>>>;
}

/** `trusts` judges tokens of identity providers: what it throws is the answer. */
export function googleStandIn(trusts: (token: string, audience: string) => void): GoogleStandIn {
  const seen: string[] = [];
  const buckets: GoogleStandIn['buckets'] = new Map();
  const master = randomBytes(32);
  const exchange = ({ body }: BoxRequest): BoxAnswer => {
    const form = new URLSearchParams(body);
    const audience = form.get('audience') ?? '';
    seen.push(`exchange ${audience}`);
    try {
      trusts(form.get('subject_token') ?? '', audience);
    } catch (error) {
      return { status: 400, body: { error: 'invalid_grant', error_description: String(error) } };
    }
    const type = 'urn:ietf:params:oauth:token-type:access_token';
    const answer = { access_token: 'google:federated', issued_token_type: type };
    return { body: { ...answer, token_type: 'Bearer', expires_in: 3600 } };
  };
  const impersonate = ({ url, headers }: BoxRequest): BoxAnswer => {
    const [, email = ''] = /serviceAccounts\/([^:]+):generateAccessToken/.exec(url.pathname) ?? [];
    seen.push(`impersonate ${email} ${headers['authorization']}`);
    const expireTime = new Date(Date.now() + 3_600_000).toISOString();
    return { body: { accessToken: `google:${email}`, expireTime } };
  };
  const buy = ({ body }: BoxRequest): BoxAnswer => {
    const form = new URLSearchParams(body);
    const claims = Buffer.from(form.get('assertion')?.split('.')[1] ?? '', 'base64url').toString();
    const { iss = '', scope = '' } = claims === '' ? {} : JSON.parse(claims);
    seen.push(`buy ${iss} ${scope}`);
    return { body: { access_token: `google:${iss}`, token_type: 'Bearer', expires_in: 3600 } };
  };
  const kms = ({ url, headers, body }: BoxRequest): BoxAnswer => {
    const [, name = '', operation = ''] =
      /^\/v1\/(.+):(\w+)$/.exec(decodeURIComponent(url.pathname)) ?? [];
    seen.push(`${operation} ${name} ${headers['authorization']}`);
    const asked = JSON.parse(body);
    if (operation === 'encrypt') {
      const ciphertext = seal(master, Buffer.from(asked.plaintext, 'base64'), Buffer.from(name));
      return { body: { name, ciphertext: ciphertext.toString('base64') } };
    }
    const plain = unseal(master, Buffer.from(asked.ciphertext, 'base64'), Buffer.from(name));
    return { body: { plaintext: plain.toString('base64') } };
  };
  const clusters: GoogleStandIn['clusters'] = new Map();
  const describe = ({ url, headers }: BoxRequest): BoxAnswer => {
    seen.push(`${url.pathname} ${headers['authorization']}`);
    const place = clusters.get(url.pathname.replace('/v1/', ''));
    if (place === undefined) return { status: 404, body: { error: { message: 'Not found' } } };
    const clusterCaCertificate = Buffer.from(place.certificateAuthority).toString('base64');
    return {
      body: { endpoint: new URL(place.address).host, masterAuth: { clusterCaCertificate } },
    };
  };
  return {
    seen,
    buckets,
    clusters,
    encrypt: (name, plain) => seal(master, plain, Buffer.from(name)).toString('base64'),
    services: [
      { hosts: /^sts\.googleapis\.com$/, answer: exchange },
      { hosts: /^iamcredentials\.googleapis\.com$/, answer: impersonate },
      { hosts: /^oauth2\.googleapis\.com$|^www\.googleapis\.com$/, answer: buy },
      { hosts: /^container\.googleapis\.com$/, answer: describe },
      { hosts: /^cloudkms\.googleapis\.com$/, answer: kms },
      { hosts: /^storage\.googleapis\.com$/, answer: (asked) => storage(asked, seen, buckets) },
    ],
  };
}

function storage(
  { url, headers }: BoxRequest,
  seen: string[],
  buckets: GoogleStandIn['buckets'],
): BoxAnswer {
  const found = /^\/(?:download\/)?storage\/v1\/b\/([^/]+)(?:\/o(?:\/(.+))?)?$/.exec(url.pathname);
  const [, name = '', object] = found ?? [];
  seen.push(`storage ${headers['authorization']}`);
  const bucket = buckets.get(name);
  const missing = { status: 404, body: { error: { code: 404, message: 'no such thing' } } };
  if (bucket === undefined) return missing;
  const describe = (key: string) => ({
    name: key,
    etag: etagOf(bucket[key] ?? ''),
    generation: '1',
    size: String(bucket[key]?.length ?? 0),
  });
  if (object !== undefined) {
    const key = decodeURIComponent(object);
    const content = bucket[key];
    if (content === undefined) return missing;
    if (url.searchParams.get('alt') !== 'media') return { body: describe(key) };
    const hash = createHash('md5').update(content).digest('base64');
    return { headers: { 'x-goog-hash': `md5=${hash}` }, body: content };
  }
  if (!url.pathname.endsWith('/o')) return { body: { name } };
  const prefix = url.searchParams.get('prefix') ?? '';
  const all = Object.keys(bucket).filter((key) => key.startsWith(prefix));
  const from = Number(url.searchParams.get('pageToken') ?? 0);
  const items = all.slice(from, from + 2).map(describe);
  return { body: { items, ...(from + 2 < all.length ? { nextPageToken: String(from + 2) } : {}) } };
}

function etagOf(content: string): string {
  return createHash('sha256').update(content).digest('base64').slice(0, 12);
}
